//! Metadata that was brought back wrongly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fedgate_tests::hostile;
use fedgate_tests::upstream::SamlUpstream;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::x509::{X509, X509NameBuilder};

const CERTIFICATE: (&str, &str) = ("<ds:X509Certificate>", "</ds:X509Certificate>");

/// What an administrator pastes, honest without a mistake.
pub(super) fn document(upstream: &SamlUpstream, mistake: Option<&str>) -> String {
    let own = upstream.idp.metadata().expect("metadata");
    match mistake {
        None => own,
        Some("other-application") => {
            let key = hostile::rsa_key(2048);
            let other = hostile::certificate(&key).to_der().expect("DER");
            with_certificate(&own, &STANDARD.encode(other))
        }
        Some("expired-certificate") => with_certificate(&own, &expired(upstream)),
        Some("expired") => own.replacen(
            " entityID=",
            " validUntil=\"2020-01-01T00:00:00Z\" entityID=",
            1,
        ),
        Some("no-key") => own.replace("use=\"signing\"", "use=\"encryption\""),
        Some("redirect-only") => own.replace("bindings:HTTP-POST", "bindings:SOAP"),
        Some("page") => "<!DOCTYPE html><html><body>Sign in to continue</body></html>".to_owned(),
        Some("service-provider") => own
            .replace("IDPSSODescriptor", "SPSSODescriptor")
            .replace("SingleSignOnService", "SingleLogoutService"),
        Some(other) => panic!("no mistake {other}"),
    }
}

fn with_certificate(xml: &str, certificate: &str) -> String {
    let (start, end) = CERTIFICATE;
    let (head, rest) = xml.split_once(start).expect("a certificate");
    let (_, tail) = rest.split_once(end).expect("a certificate");
    format!("{head}{start}{certificate}{end}{tail}")
}

/// The identity provider's own key in a certificate that ended yesterday.
fn expired(upstream: &SamlUpstream) -> String {
    let key = upstream.idp.current_key();
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", "expired").expect("a name");
    let name = name.build();
    let mut builder = X509::builder().expect("a certificate");
    builder.set_subject_name(&name).expect("a name");
    builder.set_issuer_name(&name).expect("a name");
    builder.set_pubkey(key.private()).expect("a key");
    let time = |seconds: i64| Asn1Time::from_unix(seconds).expect("a time");
    builder
        .set_not_before(&time(1_500_000_000))
        .expect("a time");
    builder.set_not_after(&time(1_600_000_000)).expect("a time");
    builder
        .sign(key.private(), MessageDigest::sha256())
        .expect("a signature");
    STANDARD.encode(builder.build().to_der().expect("DER"))
}
