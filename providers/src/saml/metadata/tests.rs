use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_certs::certified_key::{CertifiedKey, CertifiedUse};
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::connection::NameIdFormat;
use crate::saml::test_signer::{certificate, ec_key};

const MD: &str = r#"xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#;
const SAML2: &str = r#"protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol urn:oasis:names:tc:SAML:2.0:protocol""#;

fn key_descriptor(usage: &str, certificate: &str) -> String {
    format!(
        "<md:KeyDescriptor {usage}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )
}

fn sound() -> String {
    STANDARD.encode(certificate(&ec_key()).to_der().unwrap())
}

fn weak() -> String {
    let key = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    STANDARD.encode(certificate(&key).to_der().unwrap())
}

fn sso(binding: &str, location: &str) -> String {
    format!(
        r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:{binding}" Location="{location}"/>"#
    )
}

fn role(content: &str) -> String {
    format!("<md:IDPSSODescriptor {SAML2}>{content}</md:IDPSSODescriptor>")
}

fn entity(id: &str, content: &str) -> String {
    format!(r#"<md:EntityDescriptor {MD} entityID="{id}">{content}</md:EntityDescriptor>"#)
}

/// A sound identity provider with more beside its key.
fn idp(id: &str, more: &str) -> String {
    entity(
        id,
        &role(&format!(
            "{}{more}",
            key_descriptor("use=\"signing\"", &sound())
        )),
    )
}

fn read(xml: &str) -> IdpMetadata {
    IdpMetadata::parse(xml.as_bytes(), None).expect("metadata")
}

fn refused(xml: &str) -> Refusal {
    IdpMetadata::parse(xml.as_bytes(), None).expect_err("a refusal")
}

#[test]
fn a_genuine_document_is_read_whole() {
    let more = format!(
        "<md:SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"https://idp.example/slo\"/><md:NameIDFormat>urn:f</md:NameIDFormat>{}{}{}",
        sso("SOAP", "https://idp.example/soap"),
        sso("HTTP-POST", "https://idp.example/post"),
        sso("HTTP-Redirect", "https://idp.example/redirect?a=b&amp;c=d"),
    );
    let xml = format!(
        "<?xml version=\"1.0\"?><!-- exported --><?pi x?>{}",
        idp("https://idp.example", &more)
    )
    .replace(
        "<md:IDPSSODescriptor ",
        "<md:IDPSSODescriptor WantAuthnRequestsSigned=\"1\" cacheDuration=\"PT6H\" ",
    );
    let metadata = read(&xml);
    assert_eq!(metadata.entity_id, "https://idp.example");
    assert_eq!(metadata.trust.keys().len(), 1);
    assert_eq!(
        metadata.sso_for(Binding::Post).unwrap().as_str(),
        "https://idp.example/post"
    );
    assert_eq!(
        metadata.sso_for(Binding::Redirect).unwrap().as_str(),
        "https://idp.example/redirect?a=b&c=d"
    );
    assert_eq!((metadata.sso.len(), metadata.slo.len()), (2, 1));
    assert!(metadata.want_authn_requests_signed);
    assert_eq!(metadata.name_id_formats, ["urn:f"]);
    assert_eq!(metadata.cache_duration, Some(SignedDuration::from_hours(6)));
    assert_eq!(metadata.valid_until, None);
}

#[test]
fn the_prefix_xml_may_be_declared_as_what_it_is() {
    let declared = |uri: &str| {
        idp("urn:a", "").replace(
            "<md:EntityDescriptor ",
            &format!("<md:EntityDescriptor xmlns:xml=\"{uri}\" "),
        )
    };
    assert_eq!(
        read(&declared("http://www.w3.org/XML/1998/namespace")).entity_id,
        "urn:a"
    );
    assert_eq!(refused(&declared("urn:other")), MetadataRefusal::NotXml);
}

#[test]
fn what_is_no_metadata_is_refused() {
    for page in [
        "",
        "<html><body>Sign in<br></body></html>",
        "not xml",
        "<!DOCTYPE x><x/>",
    ] {
        assert_eq!(refused(page), MetadataRefusal::NotXml, "{page}");
    }
    assert_eq!(refused("<x/>"), MetadataRefusal::NotMetadata);
    assert_eq!(
        refused("<EntityDescriptor entityID=\"x\"/>"),
        MetadataRefusal::NotMetadata
    );
    assert_eq!(
        refused(&" ".repeat(4 * 1024 * 1024 + 1)),
        MetadataRefusal::TooLarge
    );
}

#[test]
fn the_metadata_of_a_service_provider_is_told_apart() {
    let ours = ours().to_xml();
    assert_eq!(refused(&ours), MetadataRefusal::NoIdentityProvider);
    let saml1 = idp("urn:a", "").replace(
        SAML2,
        "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:1.1:protocol\"",
    );
    assert_eq!(refused(&saml1), MetadataRefusal::NoIdentityProvider);
}

#[test]
fn of_several_identity_providers_one_is_chosen_by_name() {
    let group =
        |content: &str| format!("<md:EntitiesDescriptor {MD}>{content}</md:EntitiesDescriptor>");
    let two = group(&format!("{}{}", idp("urn:a", ""), group(&idp("urn:b", ""))));
    let chosen = |id| IdpMetadata::parse(two.as_bytes(), Some(id));
    assert_eq!(chosen("urn:b").unwrap().entity_id, "urn:b");
    assert_eq!(
        chosen("urn:c").unwrap_err(),
        MetadataRefusal::NoIdentityProvider
    );
    assert_eq!(refused(&two), MetadataRefusal::SeveralIdentityProviders);
    let one = group(&format!("{}{}", entity("urn:sp", ""), idp("urn:a", "")));
    assert_eq!(read(&one).entity_id, "urn:a");
    let twice = group(&format!("{}{}", idp("urn:a", ""), idp("urn:a", "")));
    let twice = IdpMetadata::parse(twice.as_bytes(), Some("urn:a"));
    assert_eq!(
        twice.unwrap_err(),
        MetadataRefusal::SeveralIdentityProviders
    );
    assert_eq!(refused(&group("")), MetadataRefusal::NoIdentityProvider);
}

#[test]
fn an_identity_provider_has_a_name() {
    assert_eq!(refused(&idp("", "")), MetadataRefusal::EntityIdMissing);
    assert_eq!(
        refused(&idp(&"x".repeat(1025), "")),
        MetadataRefusal::EntityIdMissing
    );
}

#[test]
fn without_a_signing_key_nothing_is_trusted() {
    let with = |keys: &str| refused(&entity("urn:a", &role(keys)));
    assert_eq!(with(""), MetadataRefusal::NoKey);
    assert_eq!(
        with(&key_descriptor("use=\"encryption\"", &sound())),
        MetadataRefusal::NoKey
    );
    assert_eq!(
        with(&key_descriptor("use=\"signing\"", &weak())),
        MetadataRefusal::KeyWeak
    );
    assert_eq!(
        with(&key_descriptor("use=\"signing\"", "AAAA")),
        MetadataRefusal::CertificateUnusable
    );
    assert_eq!(
        with(&key_descriptor("use=\"signing\"", "")),
        MetadataRefusal::CertificateUnusable
    );
    let nine: String = (0..9).map(|_| key_descriptor("", &sound())).collect();
    assert_eq!(with(&nine), MetadataRefusal::TooManyKeys);
}

#[test]
fn a_weak_key_is_passed_over_beside_a_sound_one() {
    let metadata = read(&idp("urn:a", &key_descriptor("", &weak())));
    assert_eq!(metadata.trust.keys().len(), 1);
    assert_eq!(metadata.skipped_keys.len(), 1);
}

#[test]
fn a_key_without_a_use_signs_too_and_a_chain_brings_one_key() {
    assert_eq!(
        read(&entity("urn:a", &role(&key_descriptor("", &sound()))))
            .trust
            .keys()
            .len(),
        1
    );
    let chain = format!(
        "{}</ds:X509Certificate><ds:X509Certificate>{}",
        sound(),
        sound()
    );
    assert_eq!(
        read(&entity("urn:a", &role(&key_descriptor("", &chain))))
            .trust
            .keys()
            .len(),
        1
    );
}

#[test]
fn endpoints_are_https_or_on_loopback() {
    let at = |location: &str| {
        let metadata = read(&idp("urn:a", &sso("HTTP-Redirect", location)));
        metadata.sso_for(Binding::Redirect).map(Url::to_string)
    };
    for sound in [
        "https://idp.example/sso",
        "http://127.0.0.1:8080/sso",
        "http://[::1]/sso",
        "http://localhost/sso",
    ] {
        assert_eq!(at(sound), Ok(sound.to_owned()));
    }
    for insecure in [
        "http://idp.example/sso",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
    ] {
        assert_eq!(
            at(insecure).unwrap_err(),
            MetadataRefusal::SsoInsecure,
            "{insecure}"
        );
    }
    for unusable in ["javascript:alert(1)", "/sso", "", "data:text/html,x"] {
        assert_eq!(
            at(unusable).unwrap_err(),
            MetadataRefusal::SsoMissing,
            "{unusable}"
        );
    }
}

#[test]
fn the_earliest_end_counts() {
    let xml = idp("urn:a", "")
        .replace(
            "<md:EntityDescriptor ",
            "<md:EntityDescriptor validUntil=\"2027-01-01T00:00:00Z\" ",
        )
        .replace(
            "<md:IDPSSODescriptor ",
            "<md:IDPSSODescriptor validUntil=\"2026-06-01T02:00:00+02:00\" cacheDuration=\"PT6H\" ",
        );
    let group = format!(
        "<md:EntitiesDescriptor {MD} validUntil=\"2030-01-01T00:00:00.5Z\" cacheDuration=\"PT1H\">{xml}</md:EntitiesDescriptor>"
    );
    let metadata = read(&group);
    assert_eq!(metadata.valid_until, "2026-06-01T00:00:00Z".parse().ok());
    assert_eq!(metadata.cache_duration, Some(SignedDuration::from_hours(1)));
    assert_eq!(
        metadata
            .valid_at("2026-06-01T00:00:00Z".parse().unwrap())
            .unwrap_err(),
        MetadataRefusal::Expired
    );
    let bad = idp("urn:a", "").replace(
        "<md:EntityDescriptor ",
        "<md:EntityDescriptor validUntil=\"soon\" ",
    );
    assert_eq!(refused(&bad), MetadataRefusal::ValidUntilMalformed);
}

#[test]
fn durations_of_the_field_are_read() {
    for (text, seconds) in [
        ("PT60S", Some(60)),
        ("P1DT", Some(86_400)),
        ("PT1412080378S", Some(1_412_080_378)),
        ("P0Y0M0DT0H15M0.000S", Some(900)),
        ("P1Y2M", Some(425 * 86_400)),
        ("", None),
        ("1D", None),
        ("P1X", None),
        ("-P1D", None),
        ("PT-1S", None),
        ("é", None),
    ] {
        assert_eq!(
            duration(text),
            seconds.map(SignedDuration::from_secs),
            "{text}"
        );
    }
}

fn ours() -> ServiceProvider<'static> {
    ServiceProvider {
        entity_id: "urn:sp:\"<&>",
        acs: "https://sp.example/acs?a=1&b=2",
        slo: Some("https://sp.example/slo"),
        name_id_format: NameIdFormat::Persistent,
        signs_requests: false,
        signing: Vec::new(),
        encryption: Vec::new(),
    }
}

#[test]
fn our_own_metadata_names_our_keys_by_their_use_and_gcm_first() {
    let now = "2026-01-02T03:04:05Z".parse().unwrap();
    let mut rng = StdRng::seed_from_u64(1);
    let mut pair = |usage| CertifiedKey::generate("sp", usage, now, &mut rng).unwrap();
    let signing = pair(CertifiedUse::Signing);
    let xml = ServiceProvider {
        signs_requests: true,
        signing: vec![signing.clone()],
        encryption: vec![pair(CertifiedUse::Decryption)],
        ..ours()
    }
    .to_xml();
    let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
    let role = document.root().child(METADATA, "SPSSODescriptor").unwrap();
    assert_eq!(role.attribute("AuthnRequestsSigned"), Some("true"));
    let keys: Vec<_> = role.children_named(METADATA, "KeyDescriptor").collect();
    let uses: Vec<_> = keys.iter().map(|key| key.attribute("use")).collect();
    assert_eq!(uses, [Some("signing"), Some("encryption")]);
    let first = role.children().next().map(Element::local_name);
    assert_eq!(first, Some("KeyDescriptor"), "before the services");
    let certificate = keys[0].descendants().find_map(Element::leaf).unwrap();
    let trusted = TrustedKey::from_certificate_base64(certificate).unwrap();
    assert!(trusted.public.same_as(signing.public()));
    let methods: Vec<_> = keys[1]
        .children_named(METADATA, "EncryptionMethod")
        .filter_map(|method| method.attribute("Algorithm"))
        .collect();
    assert!(methods[0].ends_with("aes256-gcm"), "{methods:?}");
    assert!(
        methods
            .iter()
            .all(|method| !method.contains("cbc") && !method.contains("rsa-1_5"))
    );
}

#[test]
fn our_own_metadata_says_what_this_gateway_does() {
    let xml = ours().to_xml();
    let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
    let root = document.root();
    assert_eq!(root.attribute("entityID"), Some("urn:sp:\"<&>"));
    let role = root.child(METADATA, "SPSSODescriptor").unwrap();
    assert_eq!(role.attribute("WantAssertionsSigned"), Some("true"));
    assert_eq!(role.attribute("AuthnRequestsSigned"), Some("false"));
    // The order is the schema's (SAML metadata 2.4.2).
    let order: Vec<_> = role.children().map(Element::local_name).collect();
    assert_eq!(
        order,
        [
            "SingleLogoutService",
            "SingleLogoutService",
            "NameIDFormat",
            "AssertionConsumerService"
        ]
    );
    let acs = role.child(METADATA, "AssertionConsumerService").unwrap();
    assert_eq!(
        acs.attribute("Location"),
        Some("https://sp.example/acs?a=1&b=2")
    );
}
