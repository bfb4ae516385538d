//! Writes the signed seeds of the fuzz targets, `tests/fuzz/seeds`, with keys that exist no longer afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fedgate::app::Clock;
use fedgate_lab::key::{KeyKind, LabKey};
use fedgate_lab::person;
use fedgate_lab::saml_idp::{Lie, ResponseParameters, SamlIdp, SamlIdpOptions, Signed};
use openssl::bn::{BigNum, BigNumContext};
use openssl::hash::MessageDigest;
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

// What `tests/fuzz/src/lib.rs` expects.
const SP_ENTITY_ID: &str = "urn:fuzz:sp";
const ACS: &str = "https://sp.test/acs";
const REQUEST_ID: &str = "_0123456789abcdef0123456789abcdef";

fn main() -> Outcome<()> {
    let clock = Clock::default();
    let now = clock.now();
    write("at.txt", &format!("{now:.0}\n"))?;
    for (name, key, signed) in [
        (
            "rsa",
            KeyKind::Rsa2048,
            &[Signed::Assertion, Signed::Response, Signed::Both][..],
        ),
        ("ec", KeyKind::EcP256, &[Signed::Assertion]),
    ] {
        responses(name, key, signed)?;
    }
    let keys = [
        (
            "rs256",
            "RS256",
            LabKey::generate(KeyKind::Rsa2048, "fuzz", &clock)?,
        ),
        (
            "es256",
            "ES256",
            LabKey::generate(KeyKind::EcP256, "fuzz", &clock)?,
        ),
    ];
    let mut published = Vec::new();
    for (name, algorithm, key) in &keys {
        published.push(public(key, algorithm)?);
        write(
            &format!("token/{name}.jwt"),
            &token(key, algorithm, now.as_second())?,
        )?;
    }
    write("jwks/keys.json", &json!({ "keys": published }).to_string())
}

/// The responses of one identity provider, signed in different places by one key, and its metadata.
fn responses(name: &str, key: KeyKind, places: &[Signed]) -> Outcome<()> {
    let options = |signed| SamlIdpOptions {
        base_url: format!("https://{name}.idp.test"),
        name: "Fuzz".to_owned(),
        people: person::acme(),
        key,
        signed,
    };
    let mut idp = SamlIdp::new(options(Signed::Assertion), Arc::new(Clock::default()))?;
    write(&format!("metadata/{name}.xml"), &idp.metadata()?)?;
    for place in places {
        idp = idp.signing(*place);
        let response = idp.response_octets(&ResponseParameters {
            acs: ACS,
            audience: SP_ENTITY_ID,
            in_response_to: Some(REQUEST_ID),
            person: &person::acme()[0],
            context: None,
            lie: Lie::Honest,
        })?;
        let place = format!("{place:?}").to_lowercase();
        write(
            &format!("response/{name}-{place}.xml"),
            &String::from_utf8(response)?,
        )?;
    }
    Ok(())
}

fn token(key: &LabKey, algorithm: &str, now: i64) -> Outcome<String> {
    let header = json!({"alg": algorithm, "kid": key.id(), "typ": "JWT"});
    let claims = json!({"iss": "https://op.test", "sub": "ada", "aud": "fuzz", "iat": now, "exp": now + 300});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = key.sign(MessageDigest::sha256(), signed.as_bytes())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The public key as a JSON Web Key (RFC 7517).
fn public(key: &LabKey, algorithm: &str) -> Outcome<Value> {
    let mut published = json!({"kid": key.id(), "alg": algorithm, "use": "sig"});
    if key.is_elliptic() {
        let (mut x, mut y, mut context) = (BigNum::new()?, BigNum::new()?, BigNumContext::new()?);
        let key = key.private().ec_key()?;
        key.public_key()
            .affine_coordinates(key.group(), &mut x, &mut y, &mut context)?;
        published["kty"] = "EC".into();
        published["crv"] = "P-256".into();
        published["x"] = URL_SAFE_NO_PAD.encode(x.to_vec_padded(32)?).into();
        published["y"] = URL_SAFE_NO_PAD.encode(y.to_vec_padded(32)?).into();
    } else {
        let key = key.private().rsa()?;
        published["kty"] = "RSA".into();
        published["n"] = URL_SAFE_NO_PAD.encode(key.n().to_vec()).into();
        published["e"] = URL_SAFE_NO_PAD.encode(key.e().to_vec()).into();
    }
    Ok(published)
}

fn write(name: &str, text: &str) -> Outcome<()> {
    let seeds: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let path = seeds.join(name);
    std::fs::create_dir_all(path.parent().unwrap_or(&seeds))?;
    Ok(std::fs::write(path, text)?)
}
