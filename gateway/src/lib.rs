//! The gateway: many upstream identity providers, one OpenID Provider downstream.

pub mod app;
pub mod config;
pub mod events;
pub mod limits;
pub mod management;
pub mod op;
pub mod page;
pub mod store;
