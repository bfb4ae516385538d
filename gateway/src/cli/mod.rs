//! The commands of `fedgate`.

pub mod saml;
