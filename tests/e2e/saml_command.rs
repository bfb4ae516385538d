//! `fedgate saml` as a process: the JSON, the exit codes, the ways in.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what does not hold panics"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_tests::process::fedgate;
use fedgate_tests::seen;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sha::sha256;
use openssl::sign::Signer;
use openssl::x509::{X509, X509NameBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
const AT: &str = "2026-01-02T03:05:00Z";

/// An identity provider on disk: `cert.pem`, `idp.xml` and `response.xml`.
struct Idp {
    folder: TempDir,
    key: PKey<Private>,
}

impl Idp {
    fn new(bits: u32) -> Self {
        let key = PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let idp = Self { folder, key };
        let certificate = idp.certificate();
        idp.write("cert.pem", &certificate.to_pem().unwrap());
        idp.write(
            "idp.xml",
            metadata(&STANDARD.encode(certificate.to_der().unwrap())).as_bytes(),
        );
        idp.write("response.xml", idp.response("urn:sp").as_bytes());
        idp
    }

    fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    fn certificate(&self) -> X509 {
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "idp.example").unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_pubkey(&self.key).unwrap();
        builder
            .set_not_before(&Asn1Time::from_unix(1_700_000_000).unwrap())
            .unwrap();
        builder
            .set_not_after(&Asn1Time::from_unix(2_000_000_000).unwrap())
            .unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        builder.build()
    }

    /// A response whose assertion is signed: written in canonical form, so that the text is what is digested.
    fn response(&self, audience: &str) -> String {
        let (before, after) = assertion(audience);
        let digest = STANDARD.encode(sha256(format!("{before}{after}").as_bytes()));
        let c14n = "http://www.w3.org/2001/10/xml-exc-c14n#";
        let signed_info = format!(
            "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:CanonicalizationMethod Algorithm=\"{c14n}\"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></ds:SignatureMethod><ds:Reference URI=\"#a1\"><ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform><ds:Transform Algorithm=\"{c14n}\"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        );
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).unwrap();
        let value = STANDARD.encode(signer.sign_oneshot_to_vec(signed_info.as_bytes()).unwrap());
        format!(
            "<samlp:Response xmlns:samlp=\"{PROTOCOL}\" ID=\"r1\" InResponseTo=\"_req\" IssueInstant=\"2026-01-02T03:04:05Z\" Version=\"2.0\"><samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>{before}<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{signed_info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>{after}</samlp:Response>"
        )
    }

    /// Runs `fedgate saml verify` in the folder, with the usual arguments and more.
    fn verify(&self, more: &[&str]) -> (i32, Value) {
        let usual = [
            "--sp-entity-id",
            "urn:sp",
            "--acs",
            "https://sp.example/acs",
            "--at",
            AT,
        ];
        let output = run(
            self.folder.path(),
            &[&["saml", "verify"], &usual[..], more].concat(),
            b"",
        );
        let json = serde_json::from_slice(&output.stdout).expect("one JSON object");
        (output.status.code().unwrap(), json)
    }
}

/// What stands before and after the place of the signature.
fn assertion(audience: &str) -> (String, String) {
    (
        format!(
            "<saml:Assertion xmlns:saml=\"{ASSERTION}\" ID=\"a1\" IssueInstant=\"2026-01-02T03:04:05Z\" Version=\"2.0\"><saml:Issuer>https://idp.example</saml:Issuer>"
        ),
        format!(
            "<saml:Subject><saml:NameID Format=\"{EMAIL}\">ada@example.com</saml:NameID><saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData InResponseTo=\"_req\" NotOnOrAfter=\"2026-01-02T03:09:05Z\" Recipient=\"https://sp.example/acs\"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions><saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant=\"2026-01-02T03:04:00Z\" SessionIndex=\"s1\"></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name=\"groups\"><saml:AttributeValue>staff</saml:AttributeValue><saml:AttributeValue>admins</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>"
        ),
    )
}

fn metadata(certificate: &str) -> String {
    format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"https://idp.example\"><IDPSSODescriptor protocolSupportEnumeration=\"{PROTOCOL}\"><KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"https://idp.example/sso\"/></IDPSSODescriptor></EntityDescriptor>"
    )
}

fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(fedgate())
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

const BY_METADATA: [&str; 3] = ["--metadata", "idp.xml", "response.xml"];
const BY_CERTIFICATE: [&str; 3] = ["--idp-cert", "cert.pem", "response.xml"];

#[test]
fn an_accepted_response_is_answered_as_the_contract_says() {
    let idp = Idp::new(2048);
    let expected = json!({
        "ok": true,
        "signed": "assertion",
        "identity": {
            "issuer": "https://idp.example",
            "subject": "ada@example.com",
            "name_id_format": EMAIL,
            "email": "ada@example.com",
            "attributes": {"groups": ["staff", "admins"]},
            "session_index": "s1",
            "valid_until": "2026-01-02T03:09:05Z",
        },
    });
    assert_eq!(idp.verify(&BY_METADATA), (0, expected.clone()));
    assert_eq!(idp.verify(&BY_CERTIFICATE), (0, expected.clone()));
    idp.write(
        "response.b64",
        STANDARD.encode(idp.response("urn:sp")).as_bytes(),
    );
    assert_eq!(
        idp.verify(&[
            "--idp-cert",
            "cert.pem",
            "--in-response-to",
            "_req",
            "response.b64"
        ]),
        (0, expected)
    );
}

#[test]
fn a_refused_response_is_answered_with_evidence_and_a_fix() {
    let idp = Idp::new(2048);
    idp.write("response.xml", idp.response("urn:other").as_bytes());
    let (exit, answer) = idp.verify(&BY_METADATA);
    assert_eq!(exit, 1);
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["code"], "saml.audience_mismatch");
    assert_eq!(
        (&answer["expected"], &answer["found"]),
        (&json!("urn:sp"), &json!("urn:other"))
    );
    let fix = answer["fix"].as_str().unwrap();
    assert!(!fix.contains('{') && fix.contains("Audience"), "{fix}");
    let keys: Vec<_> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["ok", "code", "message", "expected", "found", "fix"]);
    // The signature alone is sound.
    let (exit, answer) = idp.verify(&[&["--signature-only"], &BY_METADATA[..]].concat());
    assert_eq!(
        (exit, &answer["identity"]["subject"]),
        (0, &json!("ada@example.com"))
    );
}

#[test]
fn each_expectation_on_the_command_line_is_compared() {
    let idp = Idp::new(2048);
    let code = |more: &[&str]| idp.verify(&[more, &BY_METADATA[..]].concat()).1["code"].clone();
    assert_eq!(
        code(&["--in-response-to", "_other"]),
        "saml.in_response_to_mismatch"
    );
    assert_eq!(code(&["--unsolicited"]), "saml.in_response_to_unexpected");
    let at = |at| {
        let arguments = [
            "saml",
            "verify",
            "--sp-entity-id",
            "urn:sp",
            "--acs",
            "https://sp.example/acs",
            "--at",
            at,
        ];
        let output = run(
            idp.folder.path(),
            &[&arguments[..], &BY_METADATA].concat(),
            b"",
        );
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["code"].clone()
    };
    assert_eq!(at("2026-01-02T03:15:00Z"), "saml.issue_instant_too_old");
    assert_eq!(at("2026-01-02T03:00:00Z"), "saml.issue_instant_future");
}

#[test]
fn another_key_and_a_weak_key_are_refused() {
    let (idp, other) = (Idp::new(2048), Idp::new(2048));
    idp.write("cert.pem", &other.certificate().to_pem().unwrap());
    assert_eq!(
        idp.verify(&BY_CERTIFICATE).1["code"],
        "saml.signature_invalid"
    );
    let weak = Idp::new(1024);
    assert_eq!(weak.verify(&BY_CERTIFICATE).1["code"], "metadata.key_weak");
    assert_eq!(weak.verify(&BY_METADATA).1["code"], "metadata.key_weak");
    // Old documents can be looked at, with the flag that says so.
    assert_eq!(
        weak.verify(&[&["--allow-sha1"], &BY_CERTIFICATE[..]].concat())
            .0,
        0
    );
}

#[test]
fn repetitions_are_timed() {
    let (exit, answer) = Idp::new(2048).verify(&[&["--repeat", "50"], &BY_METADATA[..]].concat());
    assert_eq!((exit, &answer["timing"]["iterations"]), (0, &json!(50)));
    for figure in ["mean_us", "p50_us", "p99_us"] {
        assert!(answer["timing"][figure].as_f64().unwrap() > 0.0, "{figure}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_an_empty_stdout() {
    let idp = Idp::new(2048);
    let usual = [
        "saml",
        "verify",
        "--sp-entity-id",
        "urn:sp",
        "--acs",
        "https://sp.example/acs",
    ];
    for wrong in [
        &["response.xml"][..],
        &["--metadata", "idp.xml"],
        &[
            "--metadata",
            "idp.xml",
            "--idp-cert",
            "cert.pem",
            "response.xml",
        ],
        &[
            "--metadata",
            "idp.xml",
            "--in-response-to",
            "x",
            "--unsolicited",
            "response.xml",
        ],
        &["--metadata", "idp.xml", "--skew", "301", "response.xml"],
        &["--metadata", "idp.xml", "--at", "yesterday", "response.xml"],
        &["--metadata", "idp.xml", "--repeat", "0", "response.xml"],
        &["--metadata", "absent.xml", "response.xml"],
        &["--metadata", "idp.xml", "absent.xml"],
        &[
            "--metadata",
            "idp.xml",
            "--sp-key",
            "absent.pem",
            "response.xml",
        ],
        &["--metadata", ".", "response.xml"],
    ] {
        let output = run(idp.folder.path(), &[&usual[..], wrong].concat(), b"");
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{wrong:?}"
        );
        assert!(!output.stderr.is_empty(), "{wrong:?}");
    }
}

#[test]
fn garbage_is_refused_and_not_a_crash() {
    let idp = Idp::new(2048);
    for garbage in [
        &b""[..],
        b"<",
        b"\xff\xfe\x00",
        b"AAAA",
        b"PGEvPg==",
        b"{}",
        &vec![b'A'; 1_000_000],
    ] {
        idp.write("response.xml", garbage);
        let (exit, answer) = idp.verify(&BY_METADATA);
        assert_eq!((exit, &answer["ok"]), (1, &json!(false)), "{garbage:?}");
    }
}

#[test]
fn a_response_is_read_from_standard_input() {
    let idp = Idp::new(2048);
    let arguments = [
        "saml",
        "verify",
        "--metadata",
        "idp.xml",
        "--sp-entity-id",
        "urn:sp",
        "--acs",
        "https://sp.example/acs",
        "--at",
        AT,
        "-",
    ];
    let output = run(
        idp.folder.path(),
        &arguments,
        idp.response("urn:sp").as_bytes(),
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_document_is_explained_for_people_and_for_programs() {
    let idp = Idp::new(2048);
    let explain = |arguments: &[&str]| {
        let output = run(
            idp.folder.path(),
            &[&["saml", "inspect"], arguments].concat(),
            b"",
        );
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = explain(&["idp.xml"]);
    for fact in [
        "https://idp.example",
        "identity provider",
        "HTTP-Redirect",
        "CN=idp.example",
        "RSA, 2048 bits",
        "2033-05-18T03:33:20Z",
    ] {
        assert!(text.contains(fact), "{fact} in {text}");
    }
    let answer: Value = serde_json::from_str(&explain(&["--json", "response.xml"])).unwrap();
    assert_eq!(answer["signed"], "the assertion");
    assert_eq!(answer["assertions"][0]["audiences"], json!(["urn:sp"]));
    assert_eq!(
        answer["assertions"][0]["signature"]["algorithm"],
        "rsa-sha256"
    );
}

/// Signs what `xpath` selects in `from` with `xmlsec1`.
fn sign_by_xmlsec1(folder: &Path, xpath: &str, from: &Path, to: &str) {
    let signed = Command::new("xmlsec1")
        .args([
            "--sign",
            "--privkey-pem",
            "key.pem,cert.pem",
            "--node-xpath",
            xpath,
            "--output",
            to,
        ])
        .args(["--id-attr:ID", &format!("{ASSERTION}:Assertion")])
        .args(["--id-attr:ID", &format!("{PROTOCOL}:Response")])
        .arg(from)
        .current_dir(folder)
        .status();
    assert!(signed.expect("xmlsec1 is installed").success(), "{xpath}");
}

#[test]
fn a_response_signed_twice_by_another_implementation_is_accepted_whole() {
    let idp = Idp::new(2048);
    let folder = idp.folder.path();
    idp.write("key.pem", &idp.key.private_key_to_pem_pkcs8().unwrap());
    let template =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/saml/response.template.xml");
    let assertion = "//*[local-name()='Assertion']/*[local-name()='Signature']";
    sign_by_xmlsec1(folder, assertion, &template, "once.xml");
    let response = "/*/*[local-name()='Signature']";
    sign_by_xmlsec1(folder, response, Path::new("once.xml"), "response.xml");
    let (exit, answer) = idp.verify(&[&["--in-response-to", "_req"], &BY_METADATA[..]].concat());
    assert_eq!((exit, &answer["signed"]), (0, &json!("both")), "{answer}");
    assert_eq!(answer["identity"]["subject"], "abc");
    assert_eq!(
        answer["identity"]["attributes"]["groups"],
        json!(["Grüße & <x>\r😀", "b\t\"c\""])
    );
}

/// What xmlsec1 signed and encrypted (`testdata/saml/encrypted`), verified with these keys and switches.
fn encrypted(name: &str, more: &[&str]) -> (i32, Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/saml/encrypted");
    let usual = [
        "saml",
        "verify",
        "--sp-entity-id",
        "urn:sp",
        "--acs",
        "https://sp.example/acs",
        "--at",
        AT,
        "--idp-cert",
        "../keys/idp.cert.pem",
        "--in-response-to",
        "_request",
    ];
    let output = run(&folder, &[&usual[..], more, &[name]].concat(), b"");
    seen::note(&String::from_utf8_lossy(&output.stdout));
    let json = serde_json::from_slice(&output.stdout).expect("one JSON object");
    (output.status.code().unwrap(), json)
}

#[test]
fn an_encrypted_assertion_is_decrypted_with_a_key_of_ours() {
    let both_keys = [
        "--sp-key",
        "../keys/sp-other.key.pem",
        "--sp-key",
        "../keys/sp.key.pem",
    ];
    for (name, more, signed) in [
        ("gcm256-assertion.xml", &both_keys[..], "assertion"),
        ("gcm256-response.xml", &both_keys[2..], "response"),
        ("gcm256-both.xml", &both_keys[2..], "both"),
        (
            "cbc256-assertion.xml",
            &["--sp-key", "../keys/sp.key.pem", "--allow-cbc"],
            "assertion",
        ),
    ] {
        let (exit, answer) = encrypted(name, more);
        assert_eq!((exit, &answer["signed"]), (0, &json!(signed)), "{answer}");
        assert_eq!(answer["identity"]["subject"], "ada@example.com");
        let (exit, answer) = encrypted(name, &[more, &["--signature-only"]].concat());
        assert_eq!((exit, &answer["signed"]), (0, &json!(signed)), "{answer}");
    }
}

#[test]
fn what_does_not_decrypt_is_refused_by_name() {
    let key = ["--sp-key", "../keys/sp.key.pem"];
    let cbc = ["--sp-key", "../keys/sp.key.pem", "--allow-cbc"];
    for (name, more, code) in [
        ("gcm256-assertion.xml", &[][..], "saml.encrypted_assertion"),
        (
            "gcm256-assertion.xml",
            &["--sp-key", "../keys/sp-other.key.pem"],
            "saml.decryption_failed",
        ),
        ("cbc256-assertion.xml", &key, "saml.encryption_algorithm"),
        ("rsa15-assertion.xml", &cbc, "saml.encryption_algorithm"),
        ("des-assertion.xml", &cbc, "saml.encryption_algorithm"),
        ("gcm256-unsigned.xml", &key, "saml.signature_missing"),
        ("cbc256-unsigned.xml", &cbc, "saml.decryption_failed"),
        ("gcm256-wrapped.xml", &key, "saml.assertion_misplaced"),
        ("gcm256-encrypted-id.xml", &key, "saml.encrypted_id"),
        (
            "gcm256-encrypted-attribute.xml",
            &key,
            "saml.encrypted_attribute",
        ),
        ("gcm256-two-keys.xml", &key, "saml.encryption_profile"),
    ] {
        let (exit, answer) = encrypted(name, more);
        assert_eq!((exit, &answer["code"]), (1, &json!(code)), "{name}");
    }
}
