//! Shared pieces of the end-to-end tests: a browser without scripts, gateways and counterparts as processes.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "this library is a part of the tests: what does not hold panics"
)]

pub mod balancer;
pub mod browser;
pub mod catalogue;
pub mod command;
pub mod counterparts;
pub mod ending;
pub mod errors;
pub mod explanations;
pub mod exposition;
pub mod gateway;
pub mod hostile;
pub mod login;
pub mod process;
pub mod replicas;
pub mod rows;
pub mod seen;
pub mod served;
pub mod setup;
pub mod tls;
pub mod upstream;
