//! Upstream identity providers: bytes and keys in, one verified identity or one refusal out.
//!
//! No SQL, no cookies and no web framework live here. `now` and randomness are arguments.

pub mod connection;
pub mod egress;
pub mod error;
mod http;
pub mod identity;
pub mod login;
pub mod mapping;
pub mod nearest;
pub mod oauth;
pub mod oidc;
pub mod provider;
pub mod refetch;
pub mod released;
pub mod saml;
pub mod spec;

#[cfg(test)]
mod testing;
