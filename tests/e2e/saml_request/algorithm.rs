//! Keys and algorithms of requests: what an operator may bring, what verifies, and what is told at once.

use fedgate_test_servers::xmlsec;

use super::*;

const CURVES: [Nid; 3] = [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1];

/// Every kind of pair with every algorithm that goes with it.
fn combinations() -> Vec<(Pair, &'static str)> {
    let rsa = ["RSA-SHA256", "RSA-SHA384", "RSA-SHA512"];
    let elliptic = ["ECDSA-SHA256", "ECDSA-SHA384", "ECDSA-SHA512"];
    let mut all: Vec<_> = rsa.map(|algorithm| (Pair::rsa(2048), algorithm)).into();
    for curve in CURVES {
        all.extend(elliptic.map(|algorithm| (Pair::elliptic(curve), algorithm)));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_pair_of_every_kind_signs_with_every_algorithm_of_its_family() {
    let (gateway, upstream, connection) = scene().await;
    for (pair, algorithm) in combinations() {
        let known = upstream.idp.require_requests_signed_by(&pair.certificate);
        known.expect("a certificate");
        for binding in BINDINGS {
            let mut options = pair.options(algorithm);
            options["protocol_binding"] = json!(binding);
            let (status, answer) = change(&gateway, &connection, options).await;
            assert_eq!(status, 200, "{algorithm}: {answer}");
            signs_in(&gateway, &connection).await;
        }
    }
    // The pair of now, and eight of those that it has replaced.
    let url = metadata_url(&gateway, &connection);
    let shown = metadata(&url).await;
    assert_eq!(shown.matches("use=\"signing\"").count(), 9);
    assert!(!signing_certificate(&url).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn xmlsec1_verifies_what_a_form_carries() {
    let (gateway, _upstream, connection) = scene().await;
    for (pair, algorithm) in combinations() {
        let mut options = pair.options(algorithm);
        options["protocol_binding"] = json!("HTTP-POST");
        options["name_id_format"] = json!("Persistent");
        change(&gateway, &connection, options).await;
        let request = [
            ("connection_id", connection.id.as_str()),
            ("acr_values", "urn:a urn:b"),
        ];
        let mut browser = gateway.browser();
        let form = browser.open(&gateway.authorize_url(&request)).await.form();
        let xml = request_of(&form);
        for (xml, holds) in [(xml.clone(), true), (xml.replace("urn:b", "urn:c"), false)] {
            let found = xmlsec::verifies(xml.as_bytes(), "AuthnRequest", &pair.certificate);
            assert_eq!(found, holds, "{algorithm}");
        }
    }
}

fn day(gateway: &Gateway, days: i64) -> String {
    let at = gateway.app.clock.now() + jiff::SignedDuration::from_hours(24 * days);
    at.strftime("%Y-%m-%d").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn sha1_goes_on_until_its_last_day_and_the_login_is_refused_after_it() {
    let (gateway, _upstream, connection) = scene().await;
    let until = day(&gateway, 1);
    let options = json!({"sign_request_algorithm": "RSA-SHA1", "saml_legacy_sha1_until": until});
    for binding in BINDINGS {
        let mut options = options.clone();
        options["protocol_binding"] = json!(binding);
        let (status, answer) = change(&gateway, &connection, options).await;
        assert_eq!(status, 200, "{answer}");
        signs_in(&gateway, &connection).await;
    }
    gateway.app.clock.step(2 * 24 * 3600);
    let (_, page) = to_the_upstream(&gateway, &connection).await;
    let refused = check_refusal(&gateway, &page, "saml.request_signature_expired").await;
    refused.expect("refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_sign_is_told_when_it_is_saved() {
    let (gateway, _upstream, connection) = scene().await;
    let (rsa, elliptic) = (Pair::rsa(2048), Pair::elliptic(Nid::X9_62_PRIME256V1));
    let sha1 = |until: &str| json!({"sign_request_algorithm": "RSA-SHA1", "saml_legacy_sha1_until": until});
    let (late, past) = (day(&gateway, 182), day(&gateway, -1));
    let mixed = Pair {
        certificate: rsa.certificate.clone(),
        key: elliptic.key.clone(),
    };
    let algorithm = "options.sign_request_algorithm";
    let until = "options.saml_legacy_sha1_until";
    let key = "options.saml_signing_private_key";
    #[rustfmt::skip]
    let cases = [
        (json!({"sign_request_algorithm": "ECDSA-SHA256"}), "connection.signing_algorithm", algorithm),
        (elliptic.options("RSA-SHA256"), "connection.signing_algorithm", algorithm),
        (rsa.options("ECDSA-SHA512"), "connection.signing_algorithm", algorithm),
        (rsa.options("RSA-MD5"), "connection.option_value", algorithm),
        (json!({"sign_request_algorithm": "RSA-SHA1"}), "connection.weak_signature", algorithm),
        (sha1(&late), "connection.legacy_signature_date", until),
        (sha1(&past), "connection.legacy_signature_date", until),
        (sha1("soon"), "connection.option_value", until),
        (mixed.options("RSA-SHA256"), "connection.signing_key_mismatch", "options.saml_signing_certificate"),
        (Pair::rsa(1024).options("RSA-SHA256"), "connection.signing_key", key),
        (Pair::elliptic(Nid::SECP256K1).options("ECDSA-SHA256"), "connection.signing_key", key),
        (json!({"saml_sign_requests": "yes"}), "connection.option_type", "options.saml_sign_requests"),
        (json!({"upstream_params": {"Signature": {"value": "x"}}}), "connection.reserved_parameter", "options.upstream_params.Signature"),
        (json!({"upstream_params": {"relaystate": {"alias": "login_hint"}}}), "connection.reserved_parameter", "options.upstream_params.relaystate"),
    ];
    for (options, code, field) in cases {
        let (status, answer) = change(&gateway, &connection, options).await;
        let error = &answer["errors"][0];
        assert_eq!(
            (status, &error["code"], &error["field"]),
            (422, &json!(code), &json!(field)),
            "{answer}"
        );
    }
    // Nothing of it was kept.
    signs_in(&gateway, &connection).await;
}
