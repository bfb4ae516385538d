use serde_json::{Map, Value, json};

use super::*;

fn spec(strategy: &str) -> &'static Spec {
    Spec::of(strategy).expect("a known strategy")
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else {
        panic!("not an object")
    };
    members
}

fn read(strategy: &str, value: Value) -> Result<Options, Vec<Problem>> {
    Options::from_json(spec(strategy), &object(value))
}

/// Codes and fields of everything that is wrong.
fn problems(strategy: &str, value: Value) -> Vec<(&'static str, String)> {
    read(strategy, value)
        .expect_err("a problem")
        .into_iter()
        .map(|p| (p.code(), p.field))
        .collect()
}

fn one(strategy: &str, value: Value) -> (&'static str, String) {
    let mut found = problems(strategy, value);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn pair() -> (String, String) {
    pair_of(&crate::saml::test_signer::rsa_key())
}

/// A certificate and its key, in PEM.
fn pair_of(key: &openssl::pkey::PKey<openssl::pkey::Private>) -> (String, String) {
    use openssl::{asn1::Asn1Time, hash::MessageDigest, x509::X509Builder};
    let mut certificate = X509Builder::new().unwrap();
    certificate.set_pubkey(key).unwrap();
    certificate
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    certificate
        .set_not_after(&Asn1Time::days_from_now(1).unwrap())
        .unwrap();
    certificate.sign(key, MessageDigest::sha256()).unwrap();
    let certificate = certificate.build().to_pem().unwrap();
    let key = key.private_key_to_pem_pkcs8().unwrap();
    (
        String::from_utf8(certificate).unwrap(),
        String::from_utf8(key).unwrap(),
    )
}

#[test]
fn kindes_names_and_spellings_are_read() {
    let options = read(
        "saml:okta",
        json!({
            "saml_entity_id": "a1b2c3d4e5f6a7b8c9d0",
            "saml_idp_metadata_url": "https://idp.example.com/metadata",
            "saml_sign_in_url": "https://idp.example.com/sso",
            "sign_request_algorithm": "RSA-SHA256",
            "protocol_binding": "HTTP-POST",
            "name_id_format": "Email address",
            "saml_email_key_attr": "mail",
            "home_realm_domains": ["@Example.COM", "münchen.example"],
            "is_create_missing_user": false,
            "is_trusted": true,
            "upstream_params": {"prompt": {"value": "select_account"}, "username": {"alias": "login_hint"}},
        }),
    )
    .unwrap();
    assert_eq!(
        options.common.home_realm_domains,
        ["example.com", "xn--mnchen-3ya.example"]
    );
    assert_eq!(
        options.common.upstream_params["username"],
        UpstreamParam::Alias("login_hint".into())
    );
    let ProtocolOptions::Saml(saml) = &options.protocol else {
        panic!()
    };
    assert_eq!(saml.protocol_binding, Binding::Post);
    assert_eq!(saml.name_id_format, NameIdFormat::EmailAddress);
    assert_eq!(
        saml.sign_request_algorithm,
        Some(SignatureAlgorithm::RsaSha256)
    );
    assert!(options.common.is_trusted && !options.common.is_create_missing_user);
}

#[test]
fn options_survive_json_but_for_their_secrets() {
    let given = json!({
        "issuer": "https://op.example.com", "client_id": "c", "client_secret": "hush",
        "client_auth_method": "client_secret_post", "scopes": ["openid", "email"], "is_use_custom_domain": true,
        "upstream_params": {"hd": {"value": "example.com"}},
    });
    let options = read("oidc:custom", given).unwrap();
    let shown = options.to_json();
    assert!(!Value::from(shown.clone()).to_string().contains("hush"));
    let mut all = shown;
    all.extend(options.secrets());
    assert_eq!(
        Options::from_json(spec("oidc:custom"), &all).unwrap(),
        options
    );
    assert!(!format!("{options:?}").contains("hush"));
}

#[test]
fn nothing_at_all_is_a_sound_draft_with_kindes_defaults() {
    let options = read(
        "saml:custom",
        json!({"saml_entity_id": "", "saml_sign_in_url": null}),
    )
    .unwrap();
    assert_eq!(options.common, CommonOptions::default());
    assert!(options.common.is_create_missing_user);
}

#[test]
fn every_problem_is_told_at_once() {
    let found = problems(
        "saml:custom",
        json!({
            "saml_entity_id": 7,
            "saml_idp_metadata_url": "file:///etc/passwd",
            "protocol_binding": "HTTP-ARTIFACT",
            "is_trusted": "yes",
            "saml_clock_skew_seconds": 301,
            "home_realm_domains": ["com", "example.com", "@EXAMPLE.com."],
            "client_secret": "x",
        }),
    );
    let expected = [
        ("connection.domain", "options.home_realm_domains.0"),
        ("connection.domain_repeated", "options.home_realm_domains.2"),
        ("connection.option_type", "options.is_trusted"),
        ("connection.option_type", "options.saml_entity_id"),
        ("connection.option_url", "options.saml_idp_metadata_url"),
        ("connection.option_value", "options.protocol_binding"),
        ("connection.option_value", "options.saml_clock_skew_seconds"),
        ("connection.option_unknown", "options.client_secret"),
    ];
    assert_eq!(
        found,
        expected.map(|(code, field)| (code, field.to_owned()))
    );
}

#[test]
fn an_unknown_option_is_answered_with_the_nearest_name() {
    let found = read("saml:custom", json!({"saml_entityid": "x"})).unwrap_err();
    assert_eq!(found[0].refusal, ConnectionRefusal::OptionUnknown);
    assert_eq!(
        found[0].refusal.evidence().expected.as_deref(),
        Some("saml_entity_id")
    );
}

#[test]
fn what_is_no_domain_of_two_labels_is_refused() {
    let long = format!("{}.example.com", "a".repeat(64));
    for bad in [
        "com",
        "",
        "@",
        "127.0.0.1",
        "[::1]",
        "exa mple.com",
        "a@b.com",
        "-a.com",
        "a..com",
        "*.example.com",
        "example.com/path",
        "exa\u{0}mple.com",
        "under_score.com",
        "https://example.com",
        "example.com:443",
        "exa%6dple.com",
        "0x7f.1",
        "１２７.0.0.1",
        "＠example.com",
        &long,
    ] {
        let found = one("saml:custom", json!({"home_realm_domains": [bad]}));
        assert_eq!(
            found,
            (
                "connection.domain",
                "options.home_realm_domains.0".to_owned()
            ),
            "{bad:?}"
        );
    }
}

#[test]
fn the_spellings_of_an_international_domain_are_one() {
    for spelling in [
        "MÜNCHEN.example",
        "xn--mnchen-3ya.example",
        "@mu\u{308}nchen.example.",
        "münchen。example",
    ] {
        assert_eq!(
            normalized_domain(spelling).as_deref(),
            Some("xn--mnchen-3ya.example"),
            "{spelling}"
        );
    }
}

#[test]
fn what_is_too_large_is_refused_without_being_walked() {
    let domains: Vec<String> = (0..100_000).map(|n| format!("d{n}.example")).collect();
    let parameters: Map<String, Value> = (0..31)
        .map(|n| (format!("p{n}"), json!({"value": "x"})))
        .collect();
    let found = problems(
        "saml:custom",
        json!({"home_realm_domains": domains, "upstream_params": parameters, "saml_entity_id": "x".repeat(2049)}),
    );
    assert!(
        found
            .iter()
            .all(|(code, _)| *code == "connection.option_too_large"),
        "{found:?}"
    );
    assert_eq!(found.len(), 3);
}

#[test]
fn the_list_of_problems_itself_is_bounded() {
    let members: Map<String, Value> = (0..10_000)
        .map(|n| (format!("unknown{n}"), json!(1)))
        .collect();
    let found = Options::from_json(spec("saml:custom"), &members).unwrap_err();
    assert_eq!(found.len(), 100);
}

#[test]
fn addresses_are_absolute_https_ones() {
    for bad in [
        "http://idp.example.com/",
        "//idp.example.com",
        "javascript:alert(1)",
        "https://user:pw@idp.example.com/",
        "https://idp.example.com/#x",
        "ftp://idp.example.com",
        "https://",
        "idp.example.com",
    ] {
        assert_eq!(
            one("saml:custom", json!({"saml_sign_in_url": bad})).0,
            "connection.option_url",
            "{bad}"
        );
    }
    for good in [
        "https://idp.example.com/a?b=c",
        "http://127.0.0.1:8081/sso",
        "http://[::1]/",
        "http://localhost:1/",
    ] {
        assert!(
            read("saml:custom", json!({"saml_sign_in_url": good})).is_ok(),
            "{good}"
        );
    }
}

#[test]
fn an_issuer_has_no_query() {
    assert_eq!(
        one(
            "oidc:custom",
            json!({"issuer": "https://op.example.com/?a=b"})
        )
        .0,
        "connection.option_url"
    );
}

#[test]
fn control_characters_are_refused_in_one_line_texts() {
    assert_eq!(
        one("saml:custom", json!({"saml_entity_id": "a\u{0}b"})).0,
        "connection.option_text"
    );
    assert_eq!(
        one("oidc:custom", json!({"client_secret": "a\u{0}b"})).0,
        "connection.option_text"
    );
}

#[test]
fn scopes_are_a_list_of_scope_tokens() {
    assert_eq!(
        one("oidc:custom", json!({"scopes": ["openid email"]})).1,
        "options.scopes.0"
    );
    assert_eq!(
        one("oidc:custom", json!({"scopes": "openid"})).0,
        "connection.option_type"
    );
    assert_eq!(
        one("oidc:custom", json!({"scopes": [1]})),
        ("connection.option_type", "options.scopes.0".to_owned())
    );
}

#[test]
fn signatures_with_sha1_are_understood_and_refused() {
    assert_eq!(
        one("saml:custom", json!({"sign_request_algorithm": "RSA-SHA1"})).0,
        "connection.weak_signature"
    );
}

#[test]
fn sha1_has_a_last_day_within_half_a_year() {
    let now = "2026-01-02T23:59:59Z".parse().unwrap();
    for (until, code) in [
        ("2026-01-01", Some("connection.legacy_signature_date")),
        ("2026-01-02", None),
        ("2026-07-01", None),
        ("2026-07-02", Some("connection.legacy_signature_date")),
        ("9999-12-31", Some("connection.legacy_signature_date")),
    ] {
        let given = json!({"sign_request_algorithm": "RSA-SHA1", "saml_legacy_sha1_until": until});
        let options = read("saml:custom", given).unwrap();
        assert_eq!(options.to_json()["saml_legacy_sha1_until"], until);
        let ProtocolOptions::Saml(saml) = &options.protocol else {
            panic!()
        };
        let problem = saml.problem_at(now);
        assert_eq!(problem.map(|problem| problem.code()), code, "{until}");
    }
    for until in ["soon", "2026-13-01", "2026-01-02T00:00:00Z junk", "-1"] {
        let given =
            json!({"sign_request_algorithm": "RSA-SHA256", "saml_legacy_sha1_until": until});
        assert_eq!(
            one("saml:custom", given).0,
            "connection.option_value",
            "{until}"
        );
    }
}

#[test]
fn an_algorithm_goes_with_the_kind_of_key() {
    let given = |algorithm: &str, pair: Option<&(String, String)>| {
        let mut given = json!({"sign_request_algorithm": algorithm});
        if let Some((certificate, key)) = pair {
            given["saml_signing_certificate"] = json!(certificate);
            given["saml_signing_private_key"] = json!(key);
        }
        given
    };
    let (rsa, elliptic) = (pair(), pair_of(&crate::saml::test_signer::ec_key()));
    let refused = |given: Value| one("saml:custom", given);
    let expected = (
        "connection.signing_algorithm",
        "options.sign_request_algorithm".to_owned(),
    );
    assert_eq!(refused(given("ECDSA-SHA256", None)), expected);
    assert_eq!(refused(given("ECDSA-SHA512", Some(&rsa))), expected);
    assert_eq!(refused(given("RSA-SHA256", Some(&elliptic))), expected);
    assert_eq!(refused(given("RSA-SHA1", Some(&elliptic))), expected);
    for (algorithm, pair) in [
        ("RSA-SHA512", None),
        ("RSA-SHA384", Some(&rsa)),
        ("ECDSA-SHA384", Some(&elliptic)),
    ] {
        let options = read("saml:custom", given(algorithm, pair)).unwrap();
        assert_eq!(options.to_json()["sign_request_algorithm"], algorithm);
    }
}

#[test]
fn a_signing_pair_is_checked_when_it_is_saved() {
    let (certificate, key) = pair();
    let (_, stranger) = pair();
    let both = |certificate: &str, key: &str| json!({"saml_signing_certificate": certificate, "saml_signing_private_key": key});
    let options = read("saml:custom", both(&certificate, &key)).unwrap();
    assert!(
        !Value::from(options.to_json())
            .to_string()
            .contains("PRIVATE KEY")
    );
    assert!(!format!("{options:?}").contains("PRIVATE KEY"));
    assert_eq!(options.secrets().len(), 1);

    assert_eq!(
        one("saml:custom", both(&certificate, &stranger)).0,
        "connection.signing_key_mismatch"
    );
    let absent = one(
        "saml:custom",
        json!({"saml_signing_certificate": certificate}),
    );
    assert_eq!(
        absent,
        (
            "connection.signing_key",
            "options.saml_signing_private_key".to_owned()
        )
    );
    let found = read("saml:custom", both("nonsense", "SECRET nonsense")).unwrap_err();
    assert_eq!(found.len(), 2);
    assert!(!format!("{found:?}").contains("SECRET"));
}

#[test]
fn an_encrypted_key_is_refused_without_a_question_at_the_terminal() {
    use openssl::{pkey::PKey, rsa::Rsa, symm::Cipher};
    let (certificate, _) = pair();
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let pem = key
        .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"secret")
        .unwrap();
    let pem = String::from_utf8(pem).unwrap();
    let found = one(
        "saml:custom",
        json!({"saml_signing_certificate": certificate, "saml_signing_private_key": pem}),
    );
    assert_eq!(
        found,
        (
            "connection.signing_key",
            "options.saml_signing_private_key".to_owned()
        )
    );
}

#[test]
fn a_patch_changes_what_it_names_and_keeps_secrets() {
    let spec = spec("oidc:custom");
    let before = read(
        "oidc:custom",
        json!({"client_id": "a", "client_secret": "hush", "scopes": ["openid"]}),
    )
    .unwrap();
    let after = before
        .merged(spec, &object(json!({"client_id": "b", "scopes": null})))
        .unwrap();
    let ProtocolOptions::Oauth(oauth) = &after.protocol else {
        panic!()
    };
    assert_eq!(oauth.client_id.as_deref(), Some("b"));
    assert!(oauth.scopes.is_empty() && oauth.client_secret.is_some());
    let removed = before
        .merged(spec, &object(json!({"client_secret": null})))
        .unwrap();
    assert!(removed.secrets().is_empty());
}

#[test]
fn a_replacement_keeps_only_secrets() {
    let spec = spec("oidc:custom");
    let before = read(
        "oidc:custom",
        json!({"client_id": "a", "client_secret": "hush"}),
    )
    .unwrap();
    let after = before
        .replaced(spec, &object(json!({"issuer": "https://op.example.com"})))
        .unwrap();
    let ProtocolOptions::Oauth(oauth) = &after.protocol else {
        panic!()
    };
    assert!(oauth.client_id.is_none() && oauth.client_secret.is_some());
}

#[test]
fn what_is_missing_is_listed_whole() {
    let missing = |strategy: &str| {
        let connection = Connection {
            id: ConnectionId::parse("conn_0123456789abcdef0123456789abcdef").unwrap(),
            version: 1,
            name: "n".into(),
            display_name: "d".into(),
            spec: spec(strategy),
            status: Status::Draft,
            organization_code: None,
            options: read(strategy, json!({})).unwrap(),
        };
        connection
            .missing()
            .iter()
            .map(Problem::code)
            .collect::<Vec<_>>()
    };
    assert_eq!(missing("saml:custom"), ["connection.metadata_missing"]);
    let oidc = [
        "connection.issuer_missing",
        "connection.client_id_missing",
        "connection.client_secret_missing",
    ];
    assert_eq!(missing("oidc:custom"), oidc);
}

#[test]
fn a_fresh_id_is_a_sound_one() {
    use rand::{SeedableRng, rngs::StdRng};
    let id = ConnectionId::random(&mut StdRng::seed_from_u64(1));
    assert_eq!(ConnectionId::parse(id.as_str()), Some(id));
}
