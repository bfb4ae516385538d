//! `fedgate saml inspect`: what a document says, without a verdict.

mod message;
mod metadata;
mod text;

use std::path::PathBuf;

use clap::Args;
use fedgate_certs::trust::{KeyKind, TrustedKey};
use fedgate_providers::error::Refusal;
use fedgate_providers::saml::namespace::{METADATA, PROTOCOL, SIGNATURE};
use fedgate_providers::saml::xml::{Document, Element, Mode};
use fedgate_providers::spec::Spec;
use serde_json::{Map, Value, json};

use super::{Outcome, Usage, decoded, read, refused};

/// Arguments of `fedgate saml inspect`.
#[derive(Args, Debug)]
pub struct Inspect {
    /// Answer one JSON object instead of text
    #[arg(long)]
    json: bool,
    /// Metadata, a response or another SAML message, as XML or base64; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Inspect {
    /// Explains the document. Exit code 1 when it cannot be read as XML.
    ///
    /// # Errors
    /// [`Usage`] when the file cannot be read.
    pub fn execute(&self) -> Result<Outcome, Usage> {
        let input = read(&self.file)?;
        let (answer, code) = match explain(&input) {
            Ok(answer) => (answer, 0),
            Err(refusal) => (refused(&refusal, Spec::of("saml:custom")), 1),
        };
        let text = if self.json {
            format!("{answer}\n")
        } else {
            text::lay_out(&answer)
        };
        Ok(Outcome { text, code })
    }
}

fn explain(input: &[u8]) -> Result<Value, Refusal> {
    let xml = decoded(input)?;
    // The tolerant mode for every kind: what the verifier would refuse is worth looking at too.
    let document = Document::parse(&xml, Mode::Metadata)?;
    let root = document.root();
    Ok(match (root.namespace(), root.local_name()) {
        (METADATA, "EntityDescriptor") => metadata::entity(root),
        (METADATA, "EntitiesDescriptor") => metadata::entities(root),
        (PROTOCOL, "Response") => message::response(root),
        _ => message::other(root),
    })
}

/// Builds an object without the members that have nothing to say.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    let kept = members.into_iter().filter(|(_, value)| says(value));
    Value::Object(
        kept.map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>(),
    )
}

/// The last part of a URI that names an algorithm, a format or a binding.
fn short(uri: &str) -> &str {
    uri.rsplit(['#', ':', '/'])
        .next()
        .filter(|part| !part.is_empty())
        .unwrap_or(uri)
}

/// A certificate as an administrator recognizes it.
fn certificate(element: Element<'_>) -> Value {
    match TrustedKey::from_certificate_base64(element.leaf().unwrap_or_default()) {
        Ok(key) => object([
            ("subject", json!(key.subject)),
            ("kind", json!(kind(key.kind))),
            ("fingerprint_sha256", json!(key.fingerprint_sha256)),
            ("not_before", json!(key.not_before.map(|at| at.to_string()))),
            ("not_after", json!(key.not_after.map(|at| at.to_string()))),
        ]),
        Err(error) => json!({ "unusable": error.to_string() }),
    }
}

fn kind(kind: KeyKind) -> String {
    match kind {
        KeyKind::Rsa { bits } => format!("RSA, {bits} bits"),
        KeyKind::Ec { curve } => format!("elliptic curve, {curve:?}"),
    }
}

/// The signature that an element carries, if it does.
fn signature(element: Element<'_>) -> Value {
    let Some(signature) = element.child(SIGNATURE, "Signature") else {
        return Value::Null;
    };
    let below = |name: &str| {
        signature
            .descendants()
            .find(|inner| inner.is(SIGNATURE, name))
    };
    let algorithm = |name: &str| below(name).and_then(|inner| inner.attribute("Algorithm"));
    object([
        ("algorithm", json!(algorithm("SignatureMethod").map(short))),
        ("digest", json!(algorithm("DigestMethod").map(short))),
        (
            "reference",
            json!(below("Reference").and_then(|inner| inner.attribute("URI"))),
        ),
        (
            "carried_certificate",
            below("X509Certificate").map_or(Value::Null, certificate),
        ),
    ])
}
