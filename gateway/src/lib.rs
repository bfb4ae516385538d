//! The gateway: many upstream identity providers, one OpenID Provider downstream.

pub mod app;
pub mod catalogue;
pub mod change;
pub mod cli;
pub mod config;
pub mod crash;
pub mod ephemeral;
pub mod error;
pub mod events;
pub mod fanout;
pub mod limits;
pub mod listener;
pub mod login;
pub mod logout;
pub mod management;
pub mod op;
pub mod page;
pub mod people;
pub mod registry;
pub mod router;
pub mod routing;
pub mod serve;
pub mod store;
pub mod telemetry;
pub mod token_keys;
