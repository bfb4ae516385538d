//! Shared pieces of the end-to-end tests: a browser without scripts, gateways and counterparts as processes.

pub mod browser;
pub mod command;
pub mod counterparts;
pub mod errors;
pub mod gateway;
pub mod hostile;
pub mod process;
pub mod seen;
