//! Shared pieces of the end-to-end tests: a browser without scripts, gateways and counterparts as processes.

pub mod browser;
pub mod command;
pub mod counterparts;
pub mod ending;
pub mod errors;
pub mod gateway;
pub mod hostile;
pub mod login;
pub mod process;
pub mod rows;
pub mod seen;
pub mod upstream;
