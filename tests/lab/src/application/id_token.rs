//! Checking an ID token as a careful client does (OpenID Connect core 3.1.3.7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::sign::Verifier;
use serde::Deserialize;
use serde_json::{Map, Value};

/// How far the clocks may be apart, in seconds.
const SKEW: i64 = 60;

/// The keys that the gateway publishes.
#[derive(Debug, Deserialize)]
pub(super) struct KeySet {
    pub(super) keys: Vec<Key>,
}

/// A key; those of other kinds have no `n`.
#[derive(Debug, Deserialize)]
pub(super) struct Key {
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

/// What the token must say.
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) client_id: &'e str,
    pub(super) nonce: &'e str,
    /// Seconds since the epoch.
    pub(super) now: i64,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

/// The claims of a token that holds; otherwise what is wrong with it.
pub(super) fn verified(
    token: &str,
    keys: &KeySet,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, &'static str> {
    let (signed, signature) = token.rsplit_once('.').ok_or("it is not a signed token")?;
    let (header, payload) = signed.split_once('.').ok_or("it is not a signed token")?;
    let header: Header = decoded(header).ok_or("its header cannot be read")?;
    if header.alg != "RS256" {
        return Err("it is signed by another algorithm than RS256");
    }
    let key = keys
        .keys
        .iter()
        .find(|key| key.kid == header.kid && key.n.is_some())
        .ok_or("its key is not published")?;
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| "its signature cannot be read")?;
    if !matches!(is_signed(key, signed, &signature), Ok(true)) {
        return Err("its signature is wrong");
    }
    let claims: Map<String, Value> = decoded(payload).ok_or("its claims cannot be read")?;
    check(&claims, expected)?;
    Ok(claims)
}

fn check(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let second = |name: &str| claims.get(name).and_then(Value::as_i64);
    let checks = [
        (
            text("iss") == Some(expected.issuer),
            "it is of another issuer",
        ),
        (
            text("aud") == Some(expected.client_id),
            "it is for another client",
        ),
        (
            text("nonce") == Some(expected.nonce),
            "it answers another sign-in",
        ),
        (
            text("sub").is_some_and(|sub| !sub.is_empty()),
            "it names nobody",
        ),
        (
            second("exp").is_some_and(|exp| exp + SKEW > expected.now),
            "it has expired",
        ),
        (
            second("iat").is_some_and(|iat| iat - SKEW <= expected.now),
            "it is from the future",
        ),
    ];
    match checks.iter().find(|(holds, _)| !holds) {
        Some((_, problem)) => Err(problem),
        None => Ok(()),
    }
}

fn is_signed(key: &Key, signed: &str, signature: &[u8]) -> Result<bool, ErrorStack> {
    let number = |text: &Option<String>| {
        let octets = URL_SAFE_NO_PAD.decode(text.as_deref().unwrap_or_default());
        BigNum::from_slice(&octets.unwrap_or_default())
    };
    let key = PKey::from_rsa(Rsa::from_public_components(
        number(&key.n)?,
        number(&key.e)?,
    )?)?;
    Verifier::new(MessageDigest::sha256(), &key)?.verify_oneshot(signature, signed.as_bytes())
}

fn decoded<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use openssl::pkey::Private;
    use openssl::sign::Signer;
    use serde_json::json;

    use super::*;

    const EXPECTED: Expected<'_> = Expected {
        issuer: "http://gateway.test",
        client_id: "demo",
        nonce: "n",
        now: 1000,
    };

    fn key() -> (PKey<Private>, KeySet) {
        let rsa = Rsa::generate(2048).unwrap();
        let number = |n: &openssl::bn::BigNumRef| Some(URL_SAFE_NO_PAD.encode(n.to_vec()));
        let key = Key {
            kid: Some("k".to_owned()),
            n: number(rsa.n()),
            e: number(rsa.e()),
        };
        (PKey::from_rsa(rsa).unwrap(), KeySet { keys: vec![key] })
    }

    fn token(key: &PKey<Private>, algorithm: &str, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({ "iss": "http://gateway.test", "aud": "demo", "nonce": "n", "sub": "u", "exp": 1300, "iat": 1000 });
        change(&mut claims);
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": algorithm, "kid": "k" }).to_string());
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = Signer::new(MessageDigest::sha256(), key)
            .unwrap()
            .sign_oneshot_to_vec(signed.as_bytes())
            .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn what_is_not_as_it_must_be_is_told() {
        let (key, keys) = key();
        assert!(verified(&token(&key, "RS256", |_| {}), &keys, &EXPECTED).is_ok());
        let problem = |change: fn(&mut Value)| {
            verified(&token(&key, "RS256", change), &keys, &EXPECTED).unwrap_err()
        };
        assert_eq!(
            problem(|claims| claims["iss"] = "x".into()),
            "it is of another issuer"
        );
        assert_eq!(
            problem(|claims| claims["aud"] = "x".into()),
            "it is for another client"
        );
        assert_eq!(
            problem(|claims| claims["nonce"] = "x".into()),
            "it answers another sign-in"
        );
        assert_eq!(
            problem(|claims| claims["exp"] = 900.into()),
            "it has expired"
        );
        assert_eq!(
            problem(|claims| claims["iat"] = 1100.into()),
            "it is from the future"
        );
        assert_eq!(
            problem(|claims| claims["sub"] = "".into()),
            "it names nobody"
        );
    }

    #[test]
    fn a_signature_of_another_key_or_algorithm_is_refused() {
        let ((_, keys), (other, _)) = (key(), key());
        assert_eq!(
            verified(&token(&other, "RS256", |_| {}), &keys, &EXPECTED).unwrap_err(),
            "its signature is wrong"
        );
        let unsigned = token(&other, "none", |_| {});
        assert_eq!(
            verified(&unsigned, &keys, &EXPECTED).unwrap_err(),
            "it is signed by another algorithm than RS256"
        );
    }
}
