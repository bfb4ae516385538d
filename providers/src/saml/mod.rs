//! SAML 2.0: the service provider's side, with a strict verifier of its own.

pub mod c14n;
pub mod decode;
pub mod namespace;
pub mod refusal;
pub mod shape;
pub mod signature;
pub mod xml;
