//! The catalogue of attacks on SAML: documents judged one by one, and what shows only over HTTP.

mod document;
mod flow;
mod trust;
