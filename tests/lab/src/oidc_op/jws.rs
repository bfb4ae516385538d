//! Writing ID tokens (RFC 7515 compact serialization), by construction and with every lie.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Map, Value, json};

use super::{Grant, Lie, OidcOp};
use crate::key::LabKey;

/// How long an ID token is valid, in seconds.
const LIFETIME: i64 = 300;
const HOUR: i64 = 3600;

/// The ID token of a grant.
pub(super) fn id_token(op: &OidcOp, grant: &Grant) -> Result<String, ErrorStack> {
    let honest = op.key();
    let key = match grant.lie {
        Lie::OtherKey
        | Lie::OtherKeySameId
        | Lie::KeyIdIsAPath
        | Lie::KeyByAddress
        | Lie::KeyInHeader => &op.other_key,
        _ => &*honest,
    };
    let header = header(op, grant.lie, key)?.to_string();
    let mut payload = Value::from(claims(op, grant)?).to_string();
    if grant.lie == Lie::DuplicateMember {
        payload = payload.replacen('{', "{\"sub\":\"somebody-else\",", 1);
    }
    let mut signed = format!("{}.{}", encoded(&header), encoded(&payload));
    if grant.lie == Lie::Padded {
        signed = format!(
            "{}.{}",
            encoded(&header),
            URL_SAFE.encode(payload.clone() + padding(&payload))
        );
    }
    let signature = signature(grant.lie, key, &signed)?;
    Ok(match grant.lie {
        Lie::NotAToken => "this is no token".to_owned(),
        // The form of RFC 7516: five parts.
        Lie::Encrypted => format!("{signed}.{signature}.AAAA.AAAA"),
        Lie::Tampered => {
            let other = payload.replacen(&grant.person.given_name, "Mallory", 1);
            format!("{}.{}.{signature}", encoded(&header), encoded(&other))
        }
        _ => format!("{signed}.{signature}"),
    })
}

fn header(op: &OidcOp, lie: Lie, key: &LabKey) -> Result<Value, ErrorStack> {
    let mut header = json!({ "alg": "RS256", "kid": key.id(), "typ": "JWT" });
    match lie {
        Lie::AlgNone => header = json!({ "alg": "none" }),
        Lie::AlgNoneInOtherCase => header = json!({ "alg": "nOnE", "kid": key.id() }),
        Lie::Hs256WithPublicKey => header["alg"] = "HS256".into(),
        Lie::SignatureOfZeros => header["alg"] = "ES256".into(),
        Lie::OtherKeySameId => header["kid"] = op.key().id().into(),
        Lie::KeyIdIsAPath => header["kid"] = "../../../../etc/passwd' OR '1'='1".into(),
        Lie::KeyByAddress => {
            header["jku"] = op.at("/keys-of-the-header").into();
            header["x5u"] = op.at("/keys-of-the-header").into();
        }
        Lie::KeyInHeader => header["jwk"] = public_key(key)?,
        Lie::WrongType => header["typ"] = "at+jwt".into(),
        Lie::CriticalHeader => {
            header["crit"] = json!(["lab"]);
            header["lab"] = true.into();
        }
        _ => {}
    }
    Ok(header)
}

/// Blanks behind a JSON text whose base64 would need no padding.
fn padding(text: &str) -> &'static str {
    if text.len().is_multiple_of(3) {
        " "
    } else {
        ""
    }
}

/// What the provider says of a person beside the subject (OpenID Connect core 5.1).
pub(super) fn profile(grant: &Grant) -> Map<String, Value> {
    let person = &grant.person;
    let mut claims = Map::new();
    if grant.lie != Lie::NoEmail {
        claims.insert("email".into(), person.email.as_str().into());
        let verified = match grant.lie {
            Lie::UnverifiedEmail => Some(json!(false)),
            Lie::VerifiedAsText => Some(json!("true")),
            Lie::UnstatedEmail => None,
            _ => Some(json!(true)),
        };
        claims.extend(verified.map(|verified| ("email_verified".to_owned(), verified)));
    }
    claims.insert("given_name".into(), person.given_name.as_str().into());
    claims.insert("family_name".into(), person.family_name.as_str().into());
    claims.insert("name".into(), person.name().into());
    claims.insert("groups".into(), json!(person.groups));
    claims
}

/// The one honest public key as a JSON Web Key (RFC 7517).
pub(crate) fn public_key(key: &LabKey) -> Result<Value, ErrorStack> {
    let rsa = key.private().rsa()?;
    Ok(json!({
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": key.id(),
        "n": URL_SAFE_NO_PAD.encode(rsa.n().to_vec()),
        "e": URL_SAFE_NO_PAD.encode(rsa.e().to_vec()),
    }))
}

fn claims(op: &OidcOp, grant: &Grant) -> Result<Map<String, Value>, ErrorStack> {
    let now = op.clock.now().as_second();
    let mut claims = Map::new();
    claims.insert("iss".into(), op.issuer().into());
    claims.insert("aud".into(), op.options.client_id.as_str().into());
    claims.insert("sub".into(), grant.person.subject.as_str().into());
    claims.insert("iat".into(), now.into());
    claims.insert("exp".into(), (now + LIFETIME).into());
    claims.insert("auth_time".into(), grant.authenticated_at.into());
    claims.insert("at_hash".into(), half_hash(&grant.access_token)?.into());
    claims.extend(
        grant
            .nonce
            .iter()
            .map(|nonce| ("nonce".to_owned(), nonce.as_str().into())),
    );
    claims.extend(
        grant
            .acr
            .iter()
            .map(|acr| ("acr".to_owned(), acr.as_str().into())),
    );
    // Whoever lies in the userinfo makes everybody ask there.
    if !matches!(
        grant.lie,
        Lie::UserinfoRefused | Lie::UserinfoMalformed | Lie::OtherSubjectInUserinfo
    ) {
        claims.extend(profile(grant));
    }
    mislead(grant.lie, now, &mut claims);
    Ok(claims)
}

fn mislead(lie: Lie, now: i64, claims: &mut Map<String, Value>) {
    let client = claims.get("aud").cloned().unwrap_or_default();
    let mut say = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    match lie {
        Lie::WrongIssuer => say("iss", "https://another-issuer.test".into()),
        Lie::WrongAudience => say("aud", "another-client".into()),
        Lie::SeveralAudiences => say("aud", json!([client, "another-client"])),
        Lie::OtherParty => say("azp", "another-client".into()),
        Lie::ExpiredToken => {
            say("iat", (now - 2 * HOUR).into());
            say("exp", (now - HOUR).into());
        }
        Lie::IssuedInFuture => {
            say("iat", (now + HOUR).into());
            say("exp", (now + HOUR + LIFETIME).into());
        }
        Lie::NotYetValid => say("nbf", (now + HOUR).into()),
        Lie::WrongNonce => say("nonce", "nonce-of-another-login".into()),
        Lie::WrongAtHash => say("at_hash", "AAAAAAAAAAAAAAAAAAAAAA".into()),
        Lie::OldAuthentication => say("auth_time", (now - 24 * HOUR).into()),
        Lie::WeakContext => say("acr", "0".into()),
        Lie::NoNonce => drop(claims.remove("nonce")),
        Lie::MissingSubject => drop(claims.remove("sub")),
        Lie::NoAuthTime => drop(claims.remove("auth_time")),
        _ => {}
    }
}

fn signature(lie: Lie, key: &LabKey, signed: &str) -> Result<String, ErrorStack> {
    let octets = match lie {
        Lie::AlgNone | Lie::AlgNoneInOtherCase => Vec::new(),
        // CVE-2022-21449: r and s are zero.
        Lie::SignatureOfZeros => vec![0; 64],
        // The attack of RFC 8725 2.1: the published key as the secret of an HMAC.
        Lie::Hs256WithPublicKey => {
            let secret = PKey::hmac(&key.private().public_key_to_pem()?)?;
            Signer::new(MessageDigest::sha256(), &secret)?.sign_oneshot_to_vec(signed.as_bytes())?
        }
        _ => key.sign(MessageDigest::sha256(), signed.as_bytes())?,
    };
    Ok(URL_SAFE_NO_PAD.encode(octets))
}

/// The left half of the SHA-256 (OpenID Connect core 3.1.3.6).
fn half_hash(token: &str) -> Result<String, ErrorStack> {
    let digest = hash(MessageDigest::sha256(), token.as_bytes())?;
    Ok(URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2]))
}

fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}
