//! SAML 2.0: the service provider's side, with a strict verifier of its own.

pub mod assertion;
pub mod c14n;
pub mod conditions;
mod confirmation;
mod correlation;
pub mod decode;
pub mod decrypt;
mod message;
pub mod metadata;
mod methods;
pub mod namespace;
mod provider;
pub mod refusal;
pub mod request;
mod rescue;
pub mod second_opinion;
pub mod shape;
pub mod signature;
mod status;
#[cfg(test)]
mod test_response;
#[cfg(test)]
pub(crate) mod test_signer;
mod verify;
mod write;
pub mod xml;

pub use assertion::Asserted;
pub use correlation::in_response_to;
pub use metadata::MetadataRefusal;
pub use provider::{SamlProvider, acs_path};
pub use refusal::SamlRefusal;
pub use verify::{
    Authentication, Expectation, InResponseTo, Witnessed, signed, verify_response, verify_witnessed,
};
