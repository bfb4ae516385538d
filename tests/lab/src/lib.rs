//! The lab: a SAML identity provider, an OpenID Provider and a demo application, honest or told how to lie.
//!
//! It signs by construction, answers from its own samples, and shares no verification code with the gateway, so that
//! one mistake cannot hide another.

pub mod application;
pub mod browser;
pub mod demo;
mod error;
mod grants;
pub mod key;
mod lies;
pub mod management;
pub mod markup;
pub mod oidc_op;
mod page;
pub mod person;
pub mod saml_idp;
pub mod social;
pub mod wrong;

pub use error::LabError;
