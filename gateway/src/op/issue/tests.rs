use serde_json::json;

use super::*;
use crate::op::testing::{grant, key, keyring, now, rng, site};

fn tokens(grant: &Grant, algorithm: SigningAlgorithm) -> UserTokens {
    let (keyring, site) = (keyring(), site());
    let issuer = Issuer {
        keyring: &keyring,
        site: &site,
        seconds: 3600,
        now: now(),
    };
    user_tokens(&issuer, grant, algorithm, &mut rng()).expect("signed")
}

fn api(scopes: &[&str]) -> String {
    let (keyring, site) = (keyring(), site());
    let issuer = Issuer {
        keyring: &keyring,
        site: &site,
        seconds: 3600,
        now: now(),
    };
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    api_token(&issuer, "ops", &scopes, &mut rng()).expect("signed")
}

fn part(token: &str, index: usize) -> Value {
    let octets = URL_SAFE_NO_PAD
        .decode(token.split('.').nth(index).expect("three parts"))
        .expect("base64url");
    serde_json::from_slice(&octets).expect("JSON")
}

fn after(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() + seconds).expect("in range")
}

#[test]
fn an_id_token_tells_who_signed_in_where_and_to_whom() {
    let tokens = tokens(&grant(), SigningAlgorithm::Rs256);
    let (header, claims) = (part(&tokens.id_token, 0), part(&tokens.id_token, 1));
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("RS256"), &json!("JWT"))
    );
    assert_eq!(header["kid"], key(SigningAlgorithm::Rs256).id());
    for (name, expected) in [
        ("iss", json!("https://login.test")),
        ("aud", json!("web")),
        ("sub", json!("kp_1")),
        ("sid", json!("sid_1")),
        ("nonce", json!("n-1")),
        ("email", json!("ada@acme.test")),
        ("org_code", json!("org_1")),
        ("exp", json!(now().as_second() + 3600)),
        ("at_hash", json!(half_hash(&tokens.access_token))),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
    assert_eq!(claims["ext_provider"]["strategy"], "saml:okta");
    assert!(claims.get("auth_time").is_none(), "not proved, not told");
}

#[test]
fn at_hash_is_the_example_of_the_standard() {
    // OpenID Connect Core A.3.
    assert_eq!(
        half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
        "77QmUPtjPfzWtF2AnpK9RQ"
    );
}

#[test]
fn an_application_may_choose_es256() {
    let tokens = tokens(&grant(), SigningAlgorithm::Es256);
    assert_eq!(part(&tokens.id_token, 0)["alg"], "ES256");
}

#[test]
fn scopes_release_claims() {
    let mut grant = grant();
    grant.request.scope = vec!["openid".into()];
    let claims = part(&tokens(&grant, SigningAlgorithm::Es256).id_token, 1);
    for name in ["email", "email_verified", "name", "given_name"] {
        assert!(claims.get(name).is_none(), "{name}");
    }
    assert_eq!(claims["ext_provider"]["subject"], "ada");
}

#[test]
fn an_access_token_is_for_userinfo_and_names_no_address() {
    let tokens = tokens(&grant(), SigningAlgorithm::Rs256);
    let (header, claims) = (part(&tokens.access_token, 0), part(&tokens.access_token, 1));
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("ES256"), &json!("at+jwt"))
    );
    assert_eq!(claims["aud"], "https://login.test/oauth2/v2/user_profile");
    assert_eq!(claims["client_id"], "web");
    assert!(claims.get("email").is_none());
    let token = verify_user_token(&keyring(), &site(), &tokens.access_token, now()).expect("ours");
    assert_eq!((token.sub.as_str(), token.sid.as_str()), ("kp_1", "sid_1"));
    assert_eq!(token.scope, ["openid", "profile", "email"]);
}

#[test]
fn an_api_token_names_its_application_and_scopes() {
    let token = api(&["read:users", "create:connections"]);
    assert_eq!(part(&token, 1)["aud"], json!(["https://login.test/api"]));
    let caller = verify_api_token(&keyring(), &site(), &token, now()).expect("ours");
    assert_eq!(caller.client_id, "ops");
    assert_eq!(caller.scopes, ["read:users", "create:connections"]);
    assert!(
        verify_api_token(&keyring(), &site(), &api(&[]), now())
            .expect("ours")
            .scopes
            .is_empty()
    );
}

#[test]
fn every_token_is_different() {
    let (keyring, site, mut rng) = (keyring(), site(), rng());
    let issuer = Issuer {
        keyring: &keyring,
        site: &site,
        seconds: 60,
        now: now(),
    };
    let mut jti = || {
        part(
            &api_token(&issuer, "ops", &[], &mut rng).expect("signed"),
            1,
        )["jti"]
            .clone()
    };
    assert_ne!(jti(), jti());
}

#[test]
fn a_persons_token_never_passes_at_the_management_api_nor_the_other_way() {
    let user = tokens(&grant(), SigningAlgorithm::Rs256).access_token;
    let refusal = verify_api_token(&keyring(), &site(), &user, now()).expect_err("a person's");
    assert_eq!(refusal, OpRefusal::TokenAudience);
    let refusal =
        verify_user_token(&keyring(), &site(), &api(&["read:users"]), now()).expect_err("an API's");
    assert_eq!(refusal, OpRefusal::TokenAudience);
}

#[test]
fn an_id_token_is_no_access_token() {
    for algorithm in SigningAlgorithm::ALL {
        let id_token = tokens(&grant(), algorithm).id_token;
        assert_eq!(
            verify_api_token(&keyring(), &site(), &id_token, now()).expect_err("ID"),
            OpRefusal::TokenInvalid
        );
        assert_eq!(
            verify_user_token(&keyring(), &site(), &id_token, now()).expect_err("ID"),
            OpRefusal::TokenInvalid
        );
    }
}

#[test]
fn an_access_token_expires() {
    let token = api(&[]);
    assert!(verify_api_token(&keyring(), &site(), &token, after(3599)).is_ok());
    let refusal = verify_api_token(&keyring(), &site(), &token, after(3600)).expect_err("expired");
    assert_eq!(refusal, OpRefusal::TokenExpired);
}

#[test]
fn another_sites_token_is_refused_although_the_keys_are_the_same() {
    let other = Site {
        base_url: "https://other.test".into(),
        issuer: "https://other.test".into(),
    };
    let refusal =
        verify_api_token(&keyring(), &other, &api(&[]), now()).expect_err("another site's");
    assert_eq!(refusal, OpRefusal::TokenInvalid);
}

#[test]
fn a_token_signed_otherwise_is_refused() {
    let token = api(&["read:users"]);
    let (payload, kid) = (
        token.split('.').nth(1).expect("a payload"),
        key(SigningAlgorithm::Es256).id(),
    );
    for alg in ["none", "None", "HS256", "RS256"] {
        let header = json!({ "typ": "at+jwt", "alg": alg, "kid": kid }).to_string();
        let forged = format!(
            "{}.{payload}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode([0; 64])
        );
        let refusal = verify_api_token(&keyring(), &site(), &forged, now()).expect_err(alg);
        assert_eq!(refusal, OpRefusal::TokenInvalid, "{alg}");
    }
    for forged in ["", "a.b", "a.b.c", &token[1..], &format!("{token}A")] {
        let refusal = verify_api_token(&keyring(), &site(), forged, now()).expect_err(forged);
        assert_eq!(refusal, OpRefusal::TokenInvalid, "{forged}");
    }
}

#[test]
fn a_hint_may_be_expired_and_must_be_an_id_token_of_this_site() {
    let tokens = tokens(&grant(), SigningAlgorithm::Rs256);
    assert_eq!(
        verify_hint(&keyring(), &site(), &tokens.id_token).expect("ours")["sid"],
        "sid_1"
    );
    for hint in [tokens.access_token.as_str(), "x", ""] {
        assert_eq!(
            verify_hint(&keyring(), &site(), hint).expect_err(hint),
            OpRefusal::LogoutHintInvalid
        );
    }
}

#[test]
fn without_a_key_nothing_is_signed() {
    let (keyring, site) = (Keyring::new(vec![]).expect("empty"), site());
    let issuer = Issuer {
        keyring: &keyring,
        site: &site,
        seconds: 60,
        now: now(),
    };
    let refusal = api_token(&issuer, "ops", &[], &mut rng()).expect_err("no key");
    assert_eq!(refusal, OpRefusal::SigningFailed);
}
