use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_certs::certified_key::{CertifiedKey, CertifiedUse};
use fedgate_certs::keyring::Stage;
use fedgate_certs::sp_keys::SpKeys;
use fedgate_certs::trust::{SignatureAlgorithm, TrustedKey, verify_signature};
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::connection::{Binding, SamlOptions, Secret, UpstreamParam, is_reserved_parameter};
use crate::login::{Handle, Redirect, Site};
use crate::saml::c14n::canonicalize;
use crate::saml::refusal::SamlRefusal;
use crate::saml::test_signer::certificate;
use crate::saml::xml::{Document, Element, Mode};

fn login() -> Login {
    let base = "https://login.example.com".to_owned();
    Login {
        site: Site {
            base_url: base.clone(),
            issuer: base,
        },
        handle: Handle::random(&mut StdRng::seed_from_u64(7)),
        hint: Some("a&b@example.com".to_owned()),
        prompt: None,
        max_age: None,
        acr_values: Vec::new(),
        ui_locales: None,
    }
}

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("a time")
}

fn of(login: &Login, format: NameIdFormat, subject: Option<&str>, contexts: &[String]) -> Written {
    let destination = Url::parse("https://idp.example.com/sso?a=1&b='2'").expect("a URL");
    let request = AuthnRequest {
        login,
        sp_entity_id: "urn:sp:<&>'\"\u{1}\t",
        acs: "https://login.example.com/saml/conn/acs?a='1'&b=\">",
        destination: &destination,
        name_id_format: format,
        subject,
        contexts,
    };
    request.written(now())
}

fn written(login: &Login, format: NameIdFormat) -> String {
    of(login, format, None, &[]).to_xml()
}

fn sent(endpoint: &str, parameters: &[(String, String)], binding: Binding) -> Redirect {
    let written = Written {
        head: "<xml>".to_owned(),
        tail: "</xml>".to_owned(),
        id: "_1".to_owned(),
    };
    let endpoint = Url::parse(endpoint).expect("a URL");
    let message = Message {
        written: &written,
        relay_state: "relay".to_owned(),
        endpoint: &endpoint,
        parameters,
    };
    message.send(binding, None).expect("a redirect")
}

/// Options with a pair of that kind.
fn with_pair(key: &PKey<openssl::pkey::Private>, algorithm: SignatureAlgorithm) -> SamlOptions {
    let pem = |octets: Vec<u8>| String::from_utf8(octets).expect("PEM");
    SamlOptions {
        sign_request_algorithm: Some(algorithm),
        legacy_sha1_until: Some("2026-01-31".parse().expect("a date")),
        signing_certificate: Some(pem(certificate(key).to_pem().expect("PEM"))),
        signing_private_key: Some(Secret::new(pem(key
            .private_key_to_pem_pkcs8()
            .expect("PEM")))),
        ..SamlOptions::default()
    }
}

fn signers() -> Vec<(RequestSigner, TrustedKey, SignatureAlgorithm)> {
    use SignatureAlgorithm::{
        EcdsaSha256, EcdsaSha384, EcdsaSha512, RsaSha1, RsaSha256, RsaSha384, RsaSha512,
    };
    let ec = |curve| {
        let group = EcGroup::from_curve_name(curve).expect("a curve");
        PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key")
    };
    let rsa = crate::saml::test_signer::rsa_key();
    let mut all: Vec<_> = [RsaSha1, RsaSha256, RsaSha384, RsaSha512]
        .map(|algorithm| (rsa.clone(), algorithm))
        .into();
    for curve in [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1] {
        let key = ec(curve);
        all.extend([EcdsaSha256, EcdsaSha384, EcdsaSha512].map(|each| (key.clone(), each)));
    }
    let signer = |(key, algorithm)| {
        let options = with_pair(&key, algorithm);
        let signing = Signing::of(&options, false, &SpKeys::default());
        let signer = signing.signer(now()).expect("a signer").cloned();
        let trusted = TrustedKey::from_certificate_der(&certificate(&key).to_der().expect("DER"));
        (signer.expect("signed"), trusted.expect("a key"), algorithm)
    };
    all.into_iter().map(signer).collect()
}

#[test]
fn what_is_written_is_its_own_canonical_form_whatever_it_holds() {
    let contexts = ["urn:a".to_owned(), "<b>&'\"\r\n\t\u{ffff}".to_owned()];
    let login = Login {
        max_age: Some(60),
        ..login()
    };
    for format in [NameIdFormat::Persistent, NameIdFormat::Unspecified] {
        let xml = of(&login, format, Some("a<b>&\"'@c"), &contexts).to_xml();
        let document = Document::parse(xml.as_bytes(), Mode::Message).expect("XML");
        let mut octets = Vec::new();
        canonicalize(document.root(), None, &[], &mut octets);
        assert_eq!(String::from_utf8(octets).expect("UTF-8"), xml);
        let order: Vec<_> = document
            .root()
            .children()
            .map(Element::local_name)
            .collect();
        let policy = (format == NameIdFormat::Persistent).then_some("NameIDPolicy");
        let expected: Vec<_> = [
            Some("Issuer"),
            Some("Subject"),
            policy,
            Some("RequestedAuthnContext"),
        ]
        .into_iter()
        .flatten()
        .collect();
        assert_eq!(order, expected, "the order of SAML core 3.2.1 and 3.4.1");
    }
}

#[test]
fn an_unspecified_format_asks_for_nothing() {
    let xml = written(&login(), NameIdFormat::Unspecified);
    assert!(!xml.contains("NameIDPolicy"), "{xml}");
    assert!(!xml.contains("ForceAuthn"), "{xml}");
    assert!(!xml.contains("Subject"), "{xml}");
}

#[test]
fn a_persistent_format_may_be_created_and_a_transient_one_not() {
    let persistent = written(&login(), NameIdFormat::Persistent);
    let expected = r#"<samlp:NameIDPolicy AllowCreate="true" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">"#;
    assert!(persistent.contains(expected), "{persistent}");
    let transient = written(&login(), NameIdFormat::Transient);
    assert!(!transient.contains("AllowCreate"), "{transient}");
    assert!(transient.contains("nameid-format:transient"), "{transient}");
}

#[test]
fn prompt_login_and_every_max_age_force_an_authentication() {
    for (prompt, max_age, forced) in [
        (Some("login"), None, true),
        (Some("consent login"), None, true),
        (Some("select_account"), None, false),
        (None, Some(0), true),
        (None, Some(3600), true),
        (None, None, false),
    ] {
        let login = Login {
            prompt: prompt.map(str::to_owned),
            max_age,
            ..login()
        };
        let xml = written(&login, NameIdFormat::EmailAddress);
        assert_eq!(
            xml.contains(r#" ForceAuthn="true""#),
            forced,
            "{prompt:?} {max_age:?}"
        );
    }
}

#[test]
fn the_request_id_is_the_handle() {
    let login = login();
    let xml = written(&login, NameIdFormat::Unspecified);
    let id = login.handle.to_request_id();
    assert!(xml.contains(&format!(r#" ID="{id}""#)), "{xml}");
}

#[test]
fn a_redirect_keeps_the_endpoints_query_and_inflates_to_the_request() {
    let Redirect::Get(url) = sent(
        "https://idp.example.com/sso?idpid=C0%2f1",
        &[],
        Binding::Redirect,
    ) else {
        panic!("a redirect")
    };
    let query = url.query().expect("a query");
    assert!(query.starts_with("idpid=C0%2f1&SAMLRequest="), "{url}");
    let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    let deflated = STANDARD.decode(&pairs["SAMLRequest"]).expect("base64");
    let xml = miniz_oxide::inflate::decompress_to_vec(&deflated).expect("DEFLATE");
    assert_eq!(xml, b"<xml></xml>");
    assert_eq!(pairs["RelayState"], "relay");
}

#[test]
fn a_form_carries_plain_base64_and_parameters_travel_in_the_action() {
    let parameters = [("domain".to_owned(), "x y".to_owned())];
    let Redirect::Post { action, fields } =
        sent("https://idp.example.com/sso", &parameters, Binding::Post)
    else {
        panic!("a form")
    };
    assert_eq!(action.as_str(), "https://idp.example.com/sso?domain=x+y");
    let request = ("SAMLRequest".to_owned(), STANDARD.encode("<xml></xml>"));
    assert_eq!(fields[0], request);
    assert_eq!(fields[1], ("RelayState".to_owned(), "relay".to_owned()));
}

#[test]
fn a_query_is_signed_as_it_stands_and_nothing_else_of_it() {
    for (signer, key, algorithm) in signers() {
        let request = of(&login(), NameIdFormat::Persistent, None, &[]);
        let message = Message {
            written: &request,
            relay_state: "a+b/c=".to_owned(),
            endpoint: &Url::parse("https://idp.example/sso?tenant=1&Signature=evil")
                .expect("a URL"),
            parameters: &[("hint".to_owned(), "é&SigAlg=evil".to_owned())],
        };
        let sent = message
            .send(Binding::Redirect, Some(&signer))
            .expect("a redirect");
        let Redirect::Get(url) = sent else {
            panic!("a redirect")
        };
        let query = url.query().expect("a query");
        let names: Vec<_> = query
            .split('&')
            .map(|pair| pair.split('=').next())
            .collect();
        let expected = [
            "tenant",
            "SAMLRequest",
            "RelayState",
            "SigAlg",
            "Signature",
            "hint",
        ];
        assert_eq!(names, expected.map(Some), "{query}");
        let start = query.find("SAMLRequest").expect("a request");
        let end = query.find("&Signature=").expect("a signature");
        let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        let signature = STANDARD.decode(&pairs["Signature"]).expect("base64");
        let octets = &query.as_bytes()[start..end];
        let verified = |octets: &[u8]| verify_signature(&key, algorithm, octets, &signature);
        assert_eq!(verified(octets), Ok(()), "{algorithm:?}");
        let re_encoded = query[start..end].replace("%2B", "%2b");
        assert!(re_encoded.as_bytes() == octets || verified(re_encoded.as_bytes()).is_err());
        assert!(
            pairs["SigAlg"].starts_with("http://www.w3.org/200"),
            "{query}"
        );
    }
}

#[test]
fn an_enveloped_signature_stands_behind_the_issuer_and_covers_the_request() {
    for (signer, key, algorithm) in signers() {
        let request = of(
            &login(),
            NameIdFormat::Persistent,
            Some("a@b.c"),
            &["urn:a".to_owned()],
        );
        let xml = signer.enveloped(&request).expect("signed");
        let document = Document::parse(xml.as_bytes(), Mode::Message).expect("XML");
        let children: Vec<_> = document.root().children().collect();
        assert_eq!(children[0].local_name(), "Issuer");
        let signature = children[1];
        let parts: Vec<_> = signature.children().map(Element::local_name).collect();
        assert_eq!(parts, ["SignedInfo", "SignatureValue", "KeyInfo"]);
        let signed_info = signature.children().next().expect("SignedInfo");
        let mut octets = Vec::new();
        canonicalize(signed_info, None, &[], &mut octets);
        let value = signature
            .children()
            .nth(1)
            .and_then(Element::leaf)
            .expect("a value");
        let value = STANDARD.decode(value).expect("base64");
        assert_eq!(
            verify_signature(&key, algorithm, &octets, &value),
            Ok(()),
            "{algorithm:?}"
        );
        let mut covered = Vec::new();
        canonicalize(document.root(), Some(signature), &[], &mut covered);
        let digest = STANDARD.encode(algorithm.scheme().digest().of(&covered));
        assert!(xml.contains(&format!("<ds:DigestValue>{digest}</ds:DigestValue>")));
        assert!(xml.contains(&format!(r##"<ds:Reference URI="#{}">"##, request.id)));
    }
}

/// The connection's switch, its algorithm, a pair, and what the identity provider's metadata wants.
#[test]
fn who_decides_whether_requests_are_signed() {
    let pair = CertifiedKey::generate(
        "sp",
        CertifiedUse::Signing,
        now(),
        &mut StdRng::seed_from_u64(1),
    );
    let keys = SpKeys::new(vec![(pair.expect("a pair"), Stage::Active)], Vec::new()).expect("keys");
    for (switch, is_named, is_wanted, is_signed) in [
        (None, false, false, false),
        (None, false, true, true),
        (None, true, false, true),
        (Some(true), false, false, true),
        (Some(false), true, true, false),
    ] {
        let options = SamlOptions {
            sign_requests: switch,
            sign_request_algorithm: is_named.then_some(SignatureAlgorithm::RsaSha512),
            ..SamlOptions::default()
        };
        let signing = Signing::of(&options, is_wanted, &keys);
        let signer = signing.signer(now()).expect("a decision");
        assert_eq!(
            signer.is_some(),
            is_signed,
            "{switch:?} {is_named} {is_wanted}"
        );
        let nothing = Signing::of(&options, is_wanted, &SpKeys::default());
        let refused = nothing.signer(now()).err();
        assert_eq!(
            refused.is_some_and(|r| r == SamlRefusal::RequestUnsigned),
            is_signed
        );
    }
}

#[test]
fn sha1_ends_with_its_last_day() {
    let key = crate::saml::test_signer::rsa_key();
    let options = with_pair(&key, SignatureAlgorithm::RsaSha1);
    let signing = Signing::of(&options, false, &SpKeys::default());
    let at = |text: &str| signing.signer(text.parse().expect("a time"));
    assert!(at("2026-01-31T23:59:59Z").is_ok());
    let refused = at("2026-02-01T00:00:00Z").expect_err("refused");
    assert!(
        refused == SamlRefusal::RequestSignatureExpired,
        "{refused:?}"
    );
}

#[test]
fn reserved_names_come_from_nowhere_else() {
    let Redirect::Get(url) = sent(
        "https://idp.example.com/sso?x=1&RelayState=evil&samlrequest=evil",
        &[],
        Binding::Redirect,
    ) else {
        panic!("a redirect")
    };
    let reserved = url
        .query_pairs()
        .filter(|(name, _)| is_reserved_parameter("saml", name));
    assert_eq!(reserved.count(), 2, "{url}");
    assert!(!url.as_str().contains("evil"), "{url}");

    let value = |text: &str| UpstreamParam::Value(text.to_owned());
    let alias = |text: &str| UpstreamParam::Alias(text.to_owned());
    let configured = BTreeMap::from([
        ("Signature".to_owned(), value("evil")),
        ("sigalg".to_owned(), value("evil")),
        ("login_hint".to_owned(), alias("login_hint")),
        ("nothing".to_owned(), alias("prompt")),
        ("unknown".to_owned(), alias("password")),
    ]);
    let resolved = Parameters::resolved(&configured, &login());
    let hint = ("login_hint".to_owned(), "a&b@example.com".to_owned());
    assert_eq!(resolved.query, [hint]);
    assert_eq!(resolved.subject, None);
}

#[test]
fn the_subject_is_a_parameter_that_goes_into_the_request() {
    let of = |param: UpstreamParam, login: &Login| {
        let configured = BTreeMap::from([(SUBJECT_PARAMETER.to_owned(), param)]);
        let resolved = Parameters::resolved(&configured, login);
        assert_eq!(resolved.query, []);
        resolved.subject
    };
    let hint = || UpstreamParam::Alias("login_hint".to_owned());
    assert_eq!(of(hint(), &login()).as_deref(), Some("a&b@example.com"));
    for bad in ["", &"a".repeat(257), "a\u{7}b"] {
        let login = Login {
            hint: Some(bad.to_owned()),
            ..login()
        };
        assert_eq!(of(hint(), &login), None, "{bad:?}");
    }
}
