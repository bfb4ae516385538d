mod keys;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use openssl::pkey::{PKey, Private};
use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::connection::{
    Binding, CommonOptions, Options, ProtocolOptions, SignaturePolicy, Status,
};
use crate::login::{Redirect, Site};
use crate::saml::test_response::genuine_response;
use crate::saml::test_signer::{certificate, ec_key, sign};
use crate::spec::Spec;

const NOW: &str = "2026-01-02T03:05:00Z";

fn options() -> SamlOptions {
    SamlOptions {
        entity_id: "urn:sp".to_owned(),
        clock_skew_seconds: 120,
        ..SamlOptions::default()
    }
}

fn connection(protocol: ProtocolOptions) -> Connection {
    Connection {
        id: ConnectionId::parse(&format!("conn_{}", "0".repeat(32))).unwrap(),
        version: 1,
        name: "test".to_owned(),
        display_name: "Test".to_owned(),
        spec: Spec::of("saml:custom").unwrap(),
        status: Status::Active,
        organization_code: None,
        options: Options {
            common: CommonOptions::default(),
            protocol,
        },
    }
}

fn metadata(key: &PKey<Private>, attributes: &str) -> String {
    let der = STANDARD.encode(certificate(key).to_der().unwrap());
    format!(
        r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example" {attributes}><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>"#
    )
}

fn open(options: &SamlOptions, key: &PKey<Private>) -> Result<SamlProvider, Refusal> {
    SamlProvider::open(
        &connection(ProtocolOptions::Saml(options.clone())),
        options,
        metadata(key, "").as_bytes(),
        &SpKeys::default(),
    )
}

fn login() -> Login {
    let base = "https://login.example.com".to_owned();
    Login {
        site: Site {
            base_url: base.clone(),
            issuer: base,
        },
        handle: Handle::random(&mut StdRng::seed_from_u64(3)),
        hint: None,
        prompt: None,
        max_age: None,
        acr_values: Vec::new(),
        ui_locales: None,
    }
}

fn step_names(steps: &Steps) -> Vec<&str> {
    steps
        .as_slice()
        .iter()
        .map(|step| step.name.as_str())
        .collect()
}

fn begin(provider: &SamlProvider, login: &Login) -> (Redirect, SamlPending) {
    let begun = provider
        .begin(login, NOW.parse().unwrap(), &mut StdRng::seed_from_u64(4))
        .unwrap();
    match begun.pending {
        Pending::Saml(pending) => (begun.redirect, pending),
        Pending::Oauth(_) => panic!("a SAML pending"),
    }
}

/// The answer of the identity provider to a pending login, signed.
fn answer(pending: &SamlPending, handle: Handle, key: &PKey<Private>) -> Callback {
    let xml = genuine_response()
        .replace("https://sp.example/acs", &pending.acs)
        .replace("_request", &handle.to_request_id());
    Callback::Form(vec![(
        "SAMLResponse".to_owned(),
        STANDARD.encode(sign(&xml, "a1", key)),
    )])
}

#[test]
fn a_login_goes_out_and_comes_back_as_an_identity() {
    let key = ec_key();
    let provider = open(&options(), &key).unwrap();
    let login = login();
    let (redirect, pending) = begin(&provider, &login);
    let Redirect::Get(url) = redirect else {
        panic!("a redirect")
    };
    assert!(
        url.as_str()
            .starts_with("https://idp.example/sso?SAMLRequest="),
        "{url}"
    );
    assert_eq!(
        pending.acs,
        format!("https://login.example.com/saml/conn_{}/acs", "0".repeat(32))
    );

    let mut steps = Steps::default();
    let callback = answer(&pending, login.handle, &key);
    let identity = provider
        .complete(
            login.handle,
            &pending,
            &callback,
            NOW.parse().unwrap(),
            &mut steps,
        )
        .unwrap();
    assert_eq!(
        identity.subject,
        Subject {
            issuer: "https://idp.example".to_owned(),
            value: "ada@example.com".to_owned()
        }
    );
    let email = identity.email.unwrap();
    assert_eq!(
        (email.address.as_str(), email.claim, email.authoritative),
        ("ada@example.com", EmailClaim::Unstated, false)
    );
    assert_eq!(identity.groups, ["staff", "admins"]);
    assert_eq!(
        identity.upstream_session.unwrap().session.as_deref(),
        Some("s1")
    );
    assert_eq!(
        identity.replay.unwrap().until,
        "2026-01-02T03:14:00Z".parse().unwrap()
    );
    assert_eq!(step_names(&steps).len(), 12);
}

#[test]
fn a_good_login_tells_each_step_once() {
    let key = ec_key();
    let provider = open(&options(), &key).unwrap();
    let login = login();
    let (_, pending) = begin(&provider, &login);
    let callback = answer(&pending, login.handle, &key);
    let mut steps = Steps::default();
    let now = NOW.parse().unwrap();
    provider
        .complete(login.handle, &pending, &callback, now, &mut steps)
        .unwrap();
    assert!(!steps.has_failed());
    assert_eq!(
        step_names(&steps),
        [
            "saml.decode",
            "saml.shape",
            "saml.status",
            "saml.signature",
            "saml.issuer",
            "saml.destination",
            "saml.in_response_to",
            "saml.audience",
            "saml.times",
            "saml.confirmation",
            "saml.statement",
            "saml.mapping",
        ]
    );
}

#[test]
fn the_answer_to_another_login_is_refused() {
    let key = ec_key();
    let provider = open(&options(), &key).unwrap();
    let login = login();
    let (_, pending) = begin(&provider, &login);
    let other = Handle::random(&mut StdRng::seed_from_u64(99));
    let callback = answer(&pending, other, &key);
    let refusal = provider.complete(
        login.handle,
        &pending,
        &callback,
        NOW.parse().unwrap(),
        &mut Steps::default(),
    );
    assert_eq!(refusal.unwrap_err(), SamlRefusal::InResponseToMismatch);
}

#[test]
fn the_keys_of_another_connection_do_not_count() {
    let provider = open(&options(), &ec_key()).unwrap();
    let login = login();
    let (_, pending) = begin(&provider, &login);
    let callback = answer(&pending, login.handle, &ec_key());
    let mut steps = Steps::default();
    let refusal = provider.complete(
        login.handle,
        &pending,
        &callback,
        NOW.parse().unwrap(),
        &mut steps,
    );
    assert_eq!(refusal.unwrap_err(), SamlRefusal::SignatureInvalid);
    assert_eq!(steps.as_slice().last().unwrap().name, "saml.signature");
}

#[test]
fn a_response_in_a_query_is_refused() {
    let provider = open(&options(), &ec_key()).unwrap();
    let login = login();
    let (_, pending) = begin(&provider, &login);
    let callback = Callback::Query("SAMLResponse=PGEvPg%3D%3D".to_owned());
    let mut steps = Steps::default();
    let refusal = provider.complete(
        login.handle,
        &pending,
        &callback,
        NOW.parse().unwrap(),
        &mut steps,
    );
    assert_eq!(refusal.unwrap_err(), SamlRefusal::WrongBinding);
    assert!(steps.has_failed());
}

#[test]
fn a_forced_login_is_remembered_with_what_was_asked() {
    let provider = open(&options(), &ec_key()).unwrap();
    let login = Login {
        prompt: Some("login".to_owned()),
        max_age: Some(60),
        acr_values: (0..20).map(|n| format!("urn:{n}")).collect(),
        ..login()
    };
    let (_, pending) = begin(&provider, &login);
    assert!(pending.force);
    assert_eq!(pending.max_age, Some(60));
    assert_eq!(pending.acr_values.len(), MAX_CONTEXTS);
}

#[test]
fn a_sign_in_url_of_the_connection_wins() {
    let url = |text: &str| SamlOptions {
        sign_in_url: Some(text.to_owned()),
        ..options()
    };
    let provider = open(&url("https://idp.example/special?tenant=1"), &ec_key()).unwrap();
    let (redirect, _) = begin(&provider, &login());
    let Redirect::Get(sent) = redirect else {
        panic!("a redirect")
    };
    assert!(
        sent.as_str()
            .starts_with("https://idp.example/special?tenant=1&SAMLRequest="),
        "{sent}"
    );
    for insecure in [
        "http://idp.example/sso",
        "javascript:alert(1)",
        "idp.example",
    ] {
        assert_eq!(
            open(&url(insecure), &ec_key()).unwrap_err(),
            MetadataRefusal::SsoInsecure,
            "{insecure}"
        );
    }
    assert!(open(&url(""), &ec_key()).is_ok());
}

#[test]
fn a_binding_that_the_identity_provider_lacks_is_told_at_opening() {
    let post = SamlOptions {
        protocol_binding: Binding::Post,
        ..options()
    };
    let refusal = open(&post, &ec_key()).unwrap_err();
    assert_eq!(refusal, MetadataRefusal::SsoMissing);
    assert_eq!(refusal.evidence().found.as_deref(), Some("HTTP-Redirect"));
}

#[test]
fn expired_metadata_lets_nobody_in() {
    let key = ec_key();
    let expired = metadata(&key, r#"validUntil="2026-01-02T03:05:00Z""#);
    let provider = SamlProvider::open(
        &connection(ProtocolOptions::Saml(options())),
        &options(),
        expired.as_bytes(),
        &SpKeys::default(),
    )
    .unwrap();
    let now = NOW.parse().unwrap();
    let begun = provider.begin(&login(), now, &mut StdRng::seed_from_u64(1));
    assert_eq!(begun.unwrap_err(), MetadataRefusal::Expired);
    assert_eq!(
        provider
            .metadata()
            .valid_at("2026-01-02T03:04:59Z".parse().unwrap()),
        Ok(())
    );
}

#[test]
fn metadata_that_expires_during_a_login_ends_it() {
    let key = ec_key();
    let xml = metadata(&key, r#"validUntil="2026-01-02T03:06:00Z""#);
    let connection = connection(ProtocolOptions::Saml(options()));
    let provider =
        SamlProvider::open(&connection, &options(), xml.as_bytes(), &SpKeys::default()).unwrap();
    let login = login();
    let (_, pending) = begin(&provider, &login);
    let callback = answer(&pending, login.handle, &key);
    let (mut before, mut steps) = (Steps::default(), Steps::default());
    let complete = |at: &str, steps| {
        provider.complete(
            login.handle,
            &pending,
            &callback,
            at.parse().unwrap(),
            steps,
        )
    };
    assert!(complete("2026-01-02T03:05:59Z", &mut before).is_ok());
    assert_eq!(
        complete("2026-01-02T03:06:00Z", &mut steps).unwrap_err(),
        MetadataRefusal::Expired
    );
    assert_eq!(step_names(&steps), ["saml.metadata"]);
}

#[test]
fn no_setting_stretches_the_tolerance_beyond_its_limit() {
    let key = ec_key();
    let loose = SamlOptions {
        clock_skew_seconds: u32::MAX,
        ..options()
    };
    let provider = open(&loose, &key).unwrap();
    let login = login();
    let (_, pending) = begin(&provider, &login);
    let callback = answer(&pending, login.handle, &key);
    let complete = |at: &str| {
        provider.complete(
            login.handle,
            &pending,
            &callback,
            at.parse().unwrap(),
            &mut Steps::default(),
        )
    };
    // The assertion ends at 03:09:00 by its confirmation and at 03:09:05 by its conditions.
    assert!(complete("2026-01-02T03:13:59Z").is_ok());
    assert_eq!(
        complete("2026-01-02T03:14:05Z").unwrap_err(),
        SamlRefusal::Expired
    );
}

/// Completes a genuine login after `ask` changed what was pending and `edit` what the IdP answered.
fn completed(
    options: &SamlOptions,
    ask: impl Fn(&mut SamlPending),
    edit: (&str, &str),
) -> Result<VerifiedIdentity, Refusal> {
    let key = ec_key();
    let provider = open(options, &key).unwrap();
    let login = login();
    let (_, mut pending) = begin(&provider, &login);
    ask(&mut pending);
    let xml = genuine_response()
        .replace("https://sp.example/acs", &pending.acs)
        .replace("_request", &login.handle.to_request_id())
        .replace(edit.0, edit.1);
    let form = vec![(
        "SAMLResponse".to_owned(),
        STANDARD.encode(sign(&xml, "a1", &key)),
    )];
    let now = NOW.parse().unwrap();
    provider.complete(
        login.handle,
        &pending,
        &Callback::Form(form),
        now,
        &mut Steps::default(),
    )
}

#[test]
fn what_was_asked_is_what_is_checked() {
    let as_it_is = ("urn:sp", "urn:sp");
    let old = (
        "AuthnInstant=\"2026-01-02T03:04:00Z\"",
        "AuthnInstant=\"2026-01-02T02:00:00Z\"",
    );
    let refused = |ask: fn(&mut SamlPending), edit| completed(&options(), ask, edit).unwrap_err();
    assert!(completed(&options(), |_| (), old).is_ok());
    assert_eq!(
        refused(|pending| pending.force = true, old),
        SamlRefusal::AuthnTooOld
    );
    assert_eq!(
        refused(|pending| pending.max_age = Some(60), old),
        SamlRefusal::AuthnTooOld
    );
    let asked = |pending: &mut SamlPending| pending.acr_values = vec!["urn:mfa".to_owned()];
    assert_eq!(refused(asked, as_it_is), SamlRefusal::AuthnContextMismatch);
    assert_eq!(
        refused(
            |pending| pending.sp_entity_id = "urn:x".to_owned(),
            as_it_is
        ),
        SamlRefusal::AudienceMismatch
    );
    assert_eq!(
        refused(|_| (), ("https://idp.example", "https://evil.example")),
        SamlRefusal::IssuerMismatch
    );
    let strict = SamlOptions {
        signature_policy: SignaturePolicy::Response,
        ..options()
    };
    assert_eq!(
        completed(&strict, |_| (), as_it_is).unwrap_err(),
        SamlRefusal::ResponseNotSigned
    );
}

#[test]
fn an_age_of_zero_leaves_time_to_sign_in() {
    let ask = |pending: &mut SamlPending| {
        pending.force = true;
        pending.max_age = Some(0);
        pending.issued_at -= 1_000;
    };
    let edit = (
        "AuthnInstant=\"2026-01-02T03:04:00Z\"",
        "AuthnInstant=\"2026-01-02T02:50:00Z\"",
    );
    assert!(completed(&options(), ask, edit).is_ok());
}

#[test]
fn a_replay_mark_is_made_of_connection_issuer_and_assertion() {
    let mark = |connection: char, issuer: &str, id: &str| {
        let asserted = Asserted {
            signed: crate::saml::signature::Signed::Assertion,
            id: id.to_owned(),
            issuer: issuer.to_owned(),
            name_id: None,
            attributes: crate::released::Released::default(),
            authenticated_at: NOW.parse().unwrap(),
            context: None,
            session_index: None,
            valid_until: NOW.parse().unwrap(),
            decrypted_with: None,
        };
        let connection =
            ConnectionId::parse(&format!("conn_{}", connection.to_string().repeat(32)));
        replay_mark(&connection.unwrap(), &asserted).key
    };
    let marks = [
        mark('0', "ab", "c"),
        mark('1', "ab", "c"),
        mark('0', "a", "bc"),
        mark('0', "ab", "d"),
        mark('0', "x", "c"),
    ];
    let distinct: std::collections::BTreeSet<_> = marks.iter().collect();
    assert_eq!(distinct.len(), marks.len());
    assert_eq!(mark('0', "ab", "c"), marks[0]);
}
