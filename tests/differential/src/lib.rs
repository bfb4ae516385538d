//! SAML responses made from octets: the same octets make the same document, so that a fuzzer, a search or chance can
//! choose them.
//!
//! A [`draft::Draft`] is what a response says, a [`writer::Writer`] how it is written, [`sign::Signer`] signs it by keys
//! of this process alone, and [`edit`] changes text. [`hostile`] writes what costs a verifier most.

pub mod choices;
pub mod document;
pub mod draft;
pub mod edit;
pub mod hostile;
#[cfg(feature = "second-opinion")]
pub mod run;
pub mod sign;
pub mod text;
pub mod verdict;
pub mod writer;
