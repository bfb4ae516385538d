//! Writes a signed response and its certificate into a folder, and measures how fast they are made:
//! `cargo run -p fedgate-lab --example saml-response -- DIR [assertion|response|both] [rsa|ec] [LIE]`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use fedgate::app::Clock;
use fedgate_lab::key::KeyKind;
use fedgate_lab::person;
use fedgate_lab::saml_idp::{Lie, ResponseParameters, SamlIdp, SamlIdpOptions, Signed};

/// Responses that are timed.
const TIMED: u32 = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |at: usize| arguments.get(at).map(String::as_str);
    let folder = PathBuf::from(argument(0).ok_or("the folder is missing")?);
    let options = SamlIdpOptions {
        base_url: "http://idp.test".to_owned(),
        name: "idp.test".to_owned(),
        people: person::acme(),
        key: if argument(2) == Some("ec") {
            KeyKind::EcP256
        } else {
            KeyKind::Rsa2048
        },
        signed: match argument(1) {
            Some("response") => Signed::Response,
            Some("both") => Signed::Both,
            _ => Signed::Assertion,
        },
    };
    let idp = SamlIdp::new(options, Arc::new(Clock::default()))?;
    let parameters = ResponseParameters {
        acs: "http://sp.test/acs",
        audience: "urn:sp",
        in_response_to: Some("_request"),
        person: idp.people().first().ok_or("nobody is there")?,
        context: None,
        lie: Lie::named(argument(3).unwrap_or_default()),
    };
    let started = Instant::now();
    for _ in 0..TIMED {
        idp.response(&parameters)?;
    }
    println!(
        "{} us each",
        started.elapsed().as_micros() / u128::from(TIMED)
    );
    std::fs::write(
        folder.join("response.xml"),
        idp.response_octets(&parameters)?,
    )?;
    std::fs::write(
        folder.join("certificate.pem"),
        idp.current_key().certificate_pem()?,
    )?;
    std::fs::write(folder.join("metadata.xml"), idp.metadata()?)?;
    Ok(())
}
