use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::json;

use super::*;
use crate::keyring::Stage;
use crate::samples;

const NOW: i64 = 1_800_000_000;
const RS_ES: [JwsAlgorithm; 2] = [JwsAlgorithm::Rs256, JwsAlgorithm::Es256];

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn accepted(algorithms: &[JwsAlgorithm]) -> Accepted<'_> {
    Accepted {
        algorithms,
        types: &["JWT"],
        skew: SignedDuration::from_secs(60),
    }
}

fn ring(key: &SigningKey) -> Keyring {
    Keyring::new(vec![(key.clone(), Stage::Active)]).unwrap()
}

fn jwks(key: &SigningKey) -> Jwks {
    Jwks::parse(ring(key).jwks().as_bytes()).unwrap()
}

/// Signs arbitrary header and claims text with a real key.
fn forge(key: &SigningKey, header: &str, claims: &str) -> String {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn header(key: &SigningKey, more: &str) -> String {
    format!(
        r#"{{"alg":"{}","kid":"{}"{more}}}"#,
        key.algorithm().as_str(),
        key.id()
    )
}

fn refusal(key: &SigningKey, token: &str) -> CertError {
    verify(token, &ring(key), "JWT", now()).unwrap_err()
}

#[test]
fn our_tokens_come_back_whole_under_both_algorithms() {
    for key in [samples::rsa(), samples::p256()] {
        let claims = json!({ "sub": "a", "exp": NOW + 1, "groups": ["ä", null, 1.5, -1, true] });
        let token = sign(&key, "at+jwt", &claims).unwrap();
        let verified = verify(&token, &ring(&key), "at+jwt", now()).unwrap();
        assert_eq!(Value::Object(verified), claims);
        let head = json::base64url(token.split('.').next().unwrap()).unwrap();
        let head = json::object(&head, CertError::NotAToken).unwrap();
        let expected = json!({ "typ": "at+jwt", "alg": key.algorithm().as_str(), "kid": key.id() });
        assert_eq!(Value::Object(head), expected);
    }
}

#[test]
fn an_es256_signature_is_64_octets_wide_however_small_its_numbers() {
    let key = samples::p256();
    for round in 0..600_u32 {
        assert_eq!(key.sign(&round.to_be_bytes()).unwrap().len(), 64);
    }
}

#[test]
fn the_type_is_exact() {
    let key = samples::p256();
    let token = sign(&key, "at+jwt", &json!({ "exp": NOW + 1 })).unwrap();
    for typ in ["JWT", "at+JWT", "application/at+jwt", ""] {
        assert_eq!(
            verify(&token, &ring(&key), typ, now()).unwrap_err(),
            CertError::TypeRefused
        );
    }
    let untyped = forge(&key, &header(&key, ""), r#"{"exp":1800000001}"#);
    assert_eq!(refusal(&key, &untyped), CertError::TypeRefused);
}

#[test]
fn dates_are_compared_with_the_argument() {
    let key = samples::p256();
    let at = |claims: Value| {
        verify(
            &sign(&key, "JWT", &claims).unwrap(),
            &ring(&key),
            "JWT",
            now(),
        )
    };
    assert!(at(json!({ "exp": NOW + 1 })).is_ok());
    assert!(at(json!({ "exp": 1_800_000_001.9 })).is_ok());
    assert_eq!(at(json!({ "exp": NOW })).unwrap_err(), CertError::Expired);
    assert_eq!(at(json!({ "exp": -1 })).unwrap_err(), CertError::Expired);
    assert_eq!(
        at(json!({ "exp": NOW + 9, "nbf": NOW + 1 })).unwrap_err(),
        CertError::NotYetValid
    );
    for odd in [
        json!({}),
        json!({ "exp": "9" }),
        json!({ "exp": u64::MAX }),
        json!({ "exp": 1e300 }),
        json!({ "exp": null }),
    ] {
        assert_eq!(at(odd).unwrap_err(), CertError::DateMalformed);
    }
}

#[test]
fn the_largest_date_and_the_skew_do_not_overflow() {
    let key = samples::p256();
    let token = sign(&key, "JWT", &json!({ "exp": i64::MAX, "nbf": i64::MIN })).unwrap();
    assert!(verify_with_jwks(&token, &jwks(&key), &accepted(&RS_ES), now()).is_ok());
}

#[test]
fn a_changed_octet_anywhere_is_refused() {
    let key = samples::p256();
    let ring = ring(&key);
    let token = sign(&key, "JWT", &json!({ "exp": NOW + 1, "sub": "a" })).unwrap();
    for at in 0..token.len() {
        for replacement in ["A", "B", ".", "=", " ", "+"] {
            let mut changed = token.clone();
            changed.replace_range(at..=at, replacement);
            if changed != token {
                assert!(
                    verify(&changed, &ring, "JWT", now()).is_err(),
                    "position {at}"
                );
            }
        }
    }
}

#[test]
fn padding_extra_parts_and_stray_bits_are_not_a_token() {
    let key = samples::p256();
    let token = sign(&key, "JWT", &json!({ "exp": NOW + 1 })).unwrap();
    let shapes = [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "{}",
        &format!("{token}."),
        &format!("{token}=="),
        &format!("{token}\n"),
    ];
    for shape in shapes {
        assert_eq!(refusal(&key, shape), CertError::NotAToken, "{shape}");
    }
    let (input, _) = token.rsplit_once('.').unwrap();
    assert_eq!(
        refusal(&key, &format!("{input}.")),
        CertError::SignatureMalformed
    );
    assert_eq!(
        refusal(&key, &"a".repeat(TOKEN_BYTES + 1)),
        CertError::TokenTooLarge
    );
}

#[test]
fn hmac_with_the_public_key_none_and_odd_spellings_are_refused() {
    let key = samples::rsa();
    let claims = URL_SAFE_NO_PAD.encode(r#"{"exp":1800000001}"#);
    for name in [
        "none", "None", "NONE", "nOnE", "HS256", "hs256", "rs256", "RS256 ", "EdDSA", "",
    ] {
        let head = format!(r#"{{"alg":"{name}","kid":"{}","typ":"JWT"}}"#, key.id());
        let input = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(head));
        let pem = PKey::hmac(&key.public().pkey().public_key_to_pem().unwrap()).unwrap();
        let code = Signer::new(MessageDigest::sha256(), &pem)
            .unwrap()
            .sign_oneshot_to_vec(input.as_bytes())
            .unwrap();
        for signature in [URL_SAFE_NO_PAD.encode(code), String::new()] {
            assert_eq!(
                refusal(&key, &format!("{input}.{signature}")),
                CertError::AlgorithmRefused,
                "{name}"
            );
        }
    }
    for head in [
        r#"{"kid":"a","typ":"JWT"}"#,
        r#"{"alg":["RS256"]}"#,
        r#"{"alg":null}"#,
    ] {
        assert_eq!(
            refusal(&key, &forge(&key, head, "{}")),
            CertError::AlgorithmRefused
        );
    }
}

#[test]
fn the_algorithm_must_be_that_of_the_named_key() {
    let (rsa, ec) = (samples::rsa(), samples::p256());
    let ring = Keyring::new(vec![
        (rsa.clone(), Stage::Active),
        (ec.clone(), Stage::Active),
    ])
    .unwrap();
    for (alg, named, signer) in [
        ("ES256", &rsa, &ec),
        ("RS256", &ec, &rsa),
        ("RS512", &rsa, &rsa),
        ("PS256", &rsa, &rsa),
    ] {
        let head = format!(r#"{{"alg":"{alg}","kid":"{}","typ":"JWT"}}"#, named.id());
        let token = forge(signer, &head, r#"{"exp":1800000001}"#);
        assert_eq!(
            verify(&token, &ring, "JWT", now()).unwrap_err(),
            CertError::AlgorithmRefused
        );
    }
}

#[test]
fn the_key_must_be_named_and_published() {
    let (key, other) = (samples::p256(), samples::p256());
    let claims = r#"{"exp":1800000001}"#;
    for head in [
        r#"{"alg":"ES256","typ":"JWT"}"#,
        r#"{"alg":"ES256","typ":"JWT","kid":"../../etc/passwd"}"#,
    ] {
        assert_eq!(
            refusal(&key, &forge(&key, head, claims)),
            CertError::KeyUnknown
        );
    }
    assert_eq!(
        refusal(&key, &forge(&key, r#"{"alg":"ES256","kid":1}"#, claims)),
        CertError::NotAToken
    );
    let confused = forge(&other, &header(&key, r#","typ":"JWT""#), claims);
    assert_eq!(refusal(&key, &confused), CertError::SignatureInvalid);
    let retired = Keyring::new(vec![(key.clone(), Stage::Retired)]).unwrap();
    let token = sign(&key, "JWT", &json!({ "exp": NOW + 1 })).unwrap();
    assert_eq!(
        verify(&token, &retired, "JWT", now()).unwrap_err(),
        CertError::KeyUnknown
    );
}

#[test]
fn a_key_inside_the_header_is_not_used() {
    let (key, attacker) = (samples::p256(), samples::p256());
    let more = format!(
        r#","typ":"JWT","jwk":{},"jku":"https://a.test/""#,
        attacker.public_jwk()
    );
    let token = forge(&attacker, &header(&key, &more), r#"{"exp":1800000001}"#);
    assert_eq!(refusal(&key, &token), CertError::SignatureInvalid);
}

#[test]
fn repeated_members_are_refused_at_any_depth() {
    let key = samples::p256();
    let good = r#"{"exp":1800000001}"#;
    let repeated = forge(&key, &header(&key, r#","typ":"JWT","alg":"ES256""#), good);
    assert_eq!(refusal(&key, &repeated), CertError::DuplicateMember);
    let typed = header(&key, r#","typ":"JWT""#);
    for claims in [
        r#"{"exp":1,"exp":1800000001}"#,
        r#"{"exp":1800000001,"a":[{"b":1,"\u0062":2}]}"#,
    ] {
        assert_eq!(
            refusal(&key, &forge(&key, &typed, claims)),
            CertError::DuplicateMember
        );
    }
    for claims in [
        "[]",
        "1",
        "",
        "{",
        "{}{}",
        "\u{feff}{}",
        &"[".repeat(4000),
        &r#"{"a":"#.repeat(2000),
    ] {
        assert_eq!(
            refusal(&key, &forge(&key, &typed, claims)),
            CertError::NotAToken
        );
    }
}

#[test]
fn critical_parameters_are_refused_whatever_they_say() {
    let key = samples::p256();
    for crit in [r#"["exp"]"#, r#"["b64"]"#, "[]", "null"] {
        let more = format!(r#","typ":"JWT","crit":{crit},"b64":true"#);
        let token = forge(&key, &header(&key, &more), r#"{"exp":1800000001}"#);
        assert_eq!(refusal(&key, &token), CertError::CriticalHeader);
    }
}

#[test]
fn an_assertion_verifies_within_the_skew_and_the_allowed_algorithms() {
    for key in [samples::rsa(), samples::p256()] {
        let signed =
            |exp: i64, nbf: i64| sign(&key, "JWT", &json!({ "exp": exp, "nbf": nbf })).unwrap();
        let at = |token: &str, allowed: &[JwsAlgorithm]| {
            verify_with_jwks(token, &jwks(&key), &accepted(allowed), now()).map(|_| ())
        };
        assert_eq!(at(&signed(NOW - 59, NOW + 60), &RS_ES), Ok(()));
        assert_eq!(at(&signed(NOW - 60, NOW), &RS_ES), Err(CertError::Expired));
        assert_eq!(
            at(&signed(NOW + 9, NOW + 61), &RS_ES),
            Err(CertError::NotYetValid)
        );
        assert_eq!(
            at(&signed(NOW + 9, NOW), &[JwsAlgorithm::Ps256]),
            Err(CertError::AlgorithmRefused)
        );
        assert_eq!(
            at(&signed(NOW + 9, NOW), &[]),
            Err(CertError::AlgorithmRefused)
        );
    }
}

#[test]
fn an_assertion_may_leave_out_type_and_key_id() {
    let key = samples::p256();
    let with = |head: &str| {
        let token = forge(&key, head, r#"{"exp":1800000001}"#);
        verify_with_jwks(&token, &jwks(&key), &accepted(&RS_ES), now()).map(|_| ())
    };
    assert_eq!(with(r#"{"alg":"ES256"}"#), Ok(()));
    assert_eq!(with(r#"{"alg":"ES256","typ":"application/jwt"}"#), Ok(()));
    assert_eq!(
        with(r#"{"alg":"ES256","typ":"at+jwt"}"#),
        Err(CertError::TypeRefused)
    );
    assert_eq!(
        with(r#"{"alg":"ES256","typ":7}"#),
        Err(CertError::NotAToken)
    );
    assert_eq!(
        with(r#"{"alg":"ES256","kid":"another"}"#),
        Err(CertError::KeyUnknown)
    );
    assert_eq!(with(r#"{"alg":"RS256"}"#), Err(CertError::KeyUnknown));
}

#[test]
fn claims_that_json_cannot_hold_are_not_signed() {
    let claims = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert_eq!(
        sign(&samples::p256(), "JWT", &claims).unwrap_err(),
        CertError::NotSigned
    );
}

/// Their keys name an algorithm that the token does not use, or one that does not exist (`ES521`); RFC 7517 §4.4
/// lets a key be bound to its algorithm, and here it is.
const STRICTER_THAN_WYCHEPROOF: [u64; 4] = [346, 347, 350, 351];

#[test]
fn wycheproof_signatures_get_the_verdict_they_name() {
    let Some(suite) = wycheproof("json_web_signature_test.json") else {
        return;
    };
    let mut asked = 0;
    for group in suite["testGroups"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|group| group["public"].is_object())
    {
        let set = json!({ "keys": [group["public"]] }).to_string();
        let jwks = Jwks::parse(set.as_bytes()).unwrap();
        for case in group["tests"].as_array().unwrap() {
            let (id, token) = (
                case["tcId"].as_u64().unwrap(),
                case["jws"].as_str().unwrap(),
            );
            let verdict = signed_by_one_of(token, &jwks, &accepted(&JwsAlgorithm::ALL));
            let payload = verdict
                .as_ref()
                .ok()
                .and_then(|parsed| json::base64url(parsed.payload));
            let valid = case["result"] == "valid" && !STRICTER_THAN_WYCHEPROOF.contains(&id);
            assert_eq!(payload.is_some(), valid, "case {id}: {:?}", verdict.err());
            asked += 1;
        }
    }
    assert!(asked > 300, "{asked} cases");
}

#[test]
fn wycheproof_key_sets_with_private_or_ambiguous_keys_are_refused() {
    let Some(suite) = wycheproof("json_web_key_test.json") else {
        return;
    };
    for group in suite["testGroups"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|group| group["public"].is_object())
    {
        let jwks = Jwks::parse(group["public"].to_string().as_bytes());
        for case in group["tests"].as_array().unwrap() {
            let token = case["jws"].as_str().unwrap();
            let verdict = jwks.as_ref().map_err(Clone::clone).and_then(|jwks| {
                signed_by_one_of(token, jwks, &accepted(&JwsAlgorithm::ALL)).map(|_| ())
            });
            assert_eq!(
                verdict.is_ok(),
                case["result"] == "valid",
                "case {}: {verdict:?}",
                case["tcId"]
            );
        }
    }
}

/// The corpora lie beside the workspace, where they are present at all.
#[expect(clippy::print_stderr, reason = "a test that proves nothing says so")]
fn wycheproof(name: &str) -> Option<Value> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/corpora"));
    let file = beside
        .map(|corpora| corpora.join("C2SP__wycheproof/testvectors_v1").join(name))
        .find(|file| file.exists());
    let Some(file) = file else {
        eprintln!("no corpora beside the workspace: {name} is not run");
        return None;
    };
    Some(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
}
