//! SAML 2.0: the service provider's side, with a strict verifier of its own.

pub mod refusal;
pub mod xml;
