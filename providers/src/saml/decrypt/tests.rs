//! Documents that xmlsec1 signed and encrypted (`testdata/saml/encrypted`), and what an attacker makes of them.

mod attack;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fedgate_certs::trust::{Trust, TrustedKey};
use jiff::SignedDuration;
use openssl::md::Md;
use openssl::pkey::PKey;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::{Padding, Rsa};
use openssl::symm::{self, Cipher, Crypter, encrypt_aead};
use openssl::x509::X509;

use super::*;
use crate::connection::SignaturePolicy;
use crate::login::{Steps, Verdict};
use crate::saml::shape::ResponseShape;
use crate::saml::signature::{Algorithms, Signed};
use crate::saml::verify::{Witnessed, verify_witnessed};
use crate::saml::xml::{Document, Mode};
use crate::saml::{Asserted, Authentication, Expectation, InResponseTo};

/// A file of the fixtures.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../testdata/saml/",
            $name
        ))
    };
}
use fixture;

const GCM: &str = fixture!("encrypted/gcm256-assertion.xml");
const CBC: &str = fixture!("encrypted/cbc256-assertion.xml");
const CBC_RESPONSE: &str = fixture!("encrypted/cbc256-response.xml");
const RESPONSE: &str = fixture!("encrypted/gcm256-response.xml");
const UNSIGNED: &str = fixture!("encrypted/gcm256-unsigned.xml");

const NOW: &str = "2026-01-02T03:05:00Z";

fn key(pem: &str) -> DecryptionKey {
    DecryptionKey::from_pem(pem.as_bytes(), false).unwrap()
}

fn ours() -> DecryptionKey {
    key(fixture!("keys/sp.key.pem"))
}

fn strangers() -> DecryptionKey {
    key(fixture!("keys/sp-other.key.pem"))
}

/// What a document is verified with.
struct Case<'c> {
    keys: &'c [DecryptionKey],
    cbc: Cbc,
    policy: SignaturePolicy,
}

impl<'c> Case<'c> {
    fn with(keys: &'c [DecryptionKey]) -> Self {
        Self {
            keys,
            cbc: Cbc::Refused,
            policy: SignaturePolicy::Any,
        }
    }

    fn verify(&self, xml: &str) -> (Result<Asserted, Refusal>, Steps) {
        let mut steps = Steps::default();
        let witnessed = self.witness(xml, &mut steps);
        (witnessed.map(|witnessed| witnessed.asserted), steps)
    }

    fn witness(&self, xml: &str, steps: &mut Steps) -> Result<Witnessed, Refusal> {
        let trusted =
            TrustedKey::from_certificate_pem(fixture!("keys/idp.cert.pem").as_bytes()).unwrap();
        let trust = Trust::new(trusted).unwrap();
        let expectation = Expectation {
            trust: &trust,
            issuer: Some("https://idp.example"),
            sp_entity_id: "urn:sp",
            audience_prefix: None,
            acs: "https://sp.example/acs",
            in_response_to: InResponseTo::Exactly("_request"),
            skew: SignedDuration::from_secs(120),
            algorithms: Algorithms::default(),
            signature_policy: self.policy,
            decryption: Decryption {
                keys: self.keys,
                cbc: self.cbc,
            },
            authentication: Authentication::default(),
        };
        verify_witnessed(xml.as_bytes(), &expectation, NOW.parse().unwrap(), steps)
    }
}

fn verified(xml: &str, cbc: Cbc) -> Result<Asserted, Refusal> {
    let keys = [ours()];
    Case {
        cbc,
        ..Case::with(&keys)
    }
    .verify(xml)
    .0
}

/// What a connection as it is set up without further ado refuses.
fn refused(xml: &str) -> Refusal {
    verified(xml, Cbc::Refused).expect_err(xml)
}

/// The document with something exchanged that must be there.
fn edited(xml: &str, find: &str, replace: &str) -> String {
    assert!(xml.contains(find), "nothing to edit: {find}");
    xml.replace(find, replace)
}

/// The values of the two CipherValues: the wrapped key and the content.
fn cipher_values(xml: &str) -> [&str; 2] {
    let mut values = xml
        .split("<xenc:CipherValue>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap());
    [values.next().unwrap(), values.next().unwrap()]
}

/// The document with its content altered.
fn with_content(xml: &str, alter: impl FnOnce(&mut Vec<u8>)) -> String {
    let [_, content] = cipher_values(xml);
    let mut octets = STANDARD.decode(content.replace('\n', "")).unwrap();
    alter(&mut octets);
    xml.replace(content, &STANDARD.encode(octets))
}

/// A response without a signature whose plain text anybody could have chosen: our certificate is public.
fn sealed(plain: &[u8], is_cbc: bool) -> String {
    let content_key = [3; 32];
    let content = if is_cbc {
        cbc(&content_key, plain)
    } else {
        gcm(&content_key, plain)
    };
    sealed_with(&content_key, &content, is_cbc)
}

fn sealed_with(content_key: &[u8], content: &[u8], is_cbc: bool) -> String {
    let xml = if is_cbc {
        fixture!("encrypted/cbc256-unsigned.xml")
    } else {
        UNSIGNED
    };
    let [old_key, old_content] = cipher_values(xml);
    xml.replace(old_key, &STANDARD.encode(wrapped(content_key, Md::sha1())))
        .replace(old_content, &STANDARD.encode(content))
}

fn wrapped(content_key: &[u8], digest: &openssl::md::MdRef) -> Vec<u8> {
    let certificate = X509::from_pem(fixture!("keys/sp.cert.pem").as_bytes()).unwrap();
    let mut context = PkeyCtx::new(&certificate.public_key().unwrap()).unwrap();
    context.encrypt_init().unwrap();
    context.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
    context.set_rsa_oaep_md(digest).unwrap();
    context.set_rsa_mgf1_md(digest).unwrap();
    let mut wrapped = Vec::new();
    context.encrypt_to_vec(content_key, &mut wrapped).unwrap();
    wrapped
}

fn gcm(key: &[u8], plain: &[u8]) -> Vec<u8> {
    let (iv, mut tag) = ([9; 12], [0; 16]);
    let cipher = Cipher::aes_256_gcm();
    let sealed = encrypt_aead(cipher, key, Some(&iv), b"", plain, &mut tag).unwrap();
    [&iv[..], &sealed, &tag].concat()
}

fn cbc(key: &[u8], plain: &[u8]) -> Vec<u8> {
    let iv = [9; 16];
    let mut crypter =
        Crypter::new(Cipher::aes_256_cbc(), symm::Mode::Encrypt, key, Some(&iv)).unwrap();
    let mut out = vec![0; plain.len() + 32];
    let mut written = crypter.update(plain, &mut out).unwrap();
    written += crypter.finalize(&mut out[written..]).unwrap();
    [&iv[..], &out[..written]].concat()
}

#[test]
fn what_xmlsec1_encrypts_is_read_whole() {
    for (xml, signed) in [
        (
            fixture!("encrypted/gcm128-assertion.xml"),
            Signed::Assertion,
        ),
        (
            fixture!("encrypted/gcm192-assertion.xml"),
            Signed::Assertion,
        ),
        (GCM, Signed::Assertion),
        (RESPONSE, Signed::Response),
        (fixture!("encrypted/gcm256-both.xml"), Signed::Both),
    ] {
        let asserted = verified(xml, Cbc::Refused).unwrap();
        assert_eq!(asserted.signed, signed);
        assert_eq!(asserted.id, "a1");
        assert_eq!(asserted.name_id.unwrap().value, "ada@example.com");
    }
}

#[test]
fn cbc_is_read_where_the_connection_allows_it_and_nowhere_else() {
    for xml in [
        fixture!("encrypted/cbc128-assertion.xml"),
        fixture!("encrypted/cbc192-assertion.xml"),
        CBC,
        CBC_RESPONSE,
    ] {
        assert!(verified(xml, Cbc::Allowed).is_ok());
        let refusal = refused(xml);
        assert_eq!(refusal, SamlRefusal::EncryptionAlgorithm);
        assert_eq!(refusal.evidence().found.as_deref(), Some("AES-CBC"));
    }
}

#[test]
fn while_cbc_is_paused_a_signed_response_still_comes_through() {
    assert!(verified(CBC_RESPONSE, Cbc::Paused).is_ok());
    assert!(verified(GCM, Cbc::Paused).is_ok());
    assert_eq!(
        verified(CBC, Cbc::Paused).unwrap_err(),
        SamlRefusal::DecryptionPaused
    );
}

#[test]
fn the_key_before_is_tried_too_and_no_third_one() {
    let (ours, other) = (ours(), strangers());
    let keys = [other.clone(), ours.clone()];
    assert!(Case::with(&keys).verify(GCM).0.is_ok());
    assert_eq!((other.operations(), ours.operations()), (1, 1));
    let keys = [other.clone(), other.clone(), ours.clone()];
    assert_eq!(
        Case::with(&keys).verify(GCM).0.unwrap_err(),
        SamlRefusal::DecryptionFailed
    );
    assert_eq!((other.operations(), ours.operations()), (3, 1));
}

/// It cannot have been meant, and does not take the place of one that can.
#[test]
fn a_key_of_another_size_is_passed_over_and_not_used() {
    let small = Rsa::generate(1024).unwrap();
    let small = DecryptionKey::new_legacy(PKey::from_rsa(small).unwrap()).unwrap();
    let keys = [small.clone(), strangers(), ours()];
    assert!(Case::with(&keys).verify(GCM).0.is_ok());
    assert_eq!(small.operations(), 0);
}

#[test]
fn what_was_decrypted_is_not_shown() {
    let document = Document::parse(GCM.as_bytes(), Mode::Message).unwrap();
    let encrypted = ResponseShape::of(&document).unwrap().encrypted.unwrap();
    let decryption = Decryption {
        keys: &[ours()],
        cbc: Cbc::Refused,
    };
    let plaintext = decrypt(encrypted, decryption, false).unwrap();
    let length = plaintext.octets().len();
    assert_eq!(
        format!("{plaintext:?}"),
        format!("Plaintext(AES-256-GCM, {length} octets)")
    );
}

/// A second opinion cannot decrypt: where a signature was encrypted, it sees the document opened.
#[test]
fn a_witness_sees_what_the_signature_covers() {
    let keys = [ours()];
    let opened = |xml: &str| {
        let witnessed = Case::with(&keys).witness(xml, &mut Steps::default());
        let opened = witnessed.unwrap().opened;
        opened.map(|octets| String::from_utf8(octets).unwrap())
    };
    let clear = opened(GCM).unwrap();
    assert!(clear.contains("<saml:Assertion ") && !clear.contains("EncryptedAssertion"));
    assert_eq!(opened(RESPONSE), None);
    assert_eq!(opened(fixture!("encrypted/gcm256-both.xml")), None);
}

#[test]
fn without_a_key_it_is_refused_by_name() {
    let refusal = Case::with(&[]).verify(GCM).0.unwrap_err();
    assert_eq!(refusal, SamlRefusal::EncryptedAssertion);
    let found = refusal.evidence().found;
    assert_eq!(
        found.as_deref(),
        Some("http://www.w3.org/2009/xmlenc11#aes256-gcm")
    );
}

#[test]
fn the_story_tells_the_cipher_and_no_more() {
    let keys = [ours()];
    let (_, steps) = Case::with(&keys).verify(GCM);
    let step = |name: &str| {
        let mut steps = steps.as_slice().iter();
        steps.position(|step| step.name == name).unwrap()
    };
    let decryption = &steps.as_slice()[step("saml.decryption")];
    assert_eq!(decryption.verdict, Verdict::Passed);
    assert_eq!(decryption.note.as_deref(), Some("AES-256-GCM"));
    assert!(step("saml.decryption") < step("saml.signature"));
}

#[test]
fn the_policy_holds_for_what_was_encrypted() {
    let keys = [ours()];
    let refused = |policy, xml| {
        let case = Case {
            policy,
            ..Case::with(&keys)
        };
        case.verify(xml).0.err()
    };
    let both = fixture!("encrypted/gcm256-both.xml");
    for policy in [
        SignaturePolicy::Any,
        SignaturePolicy::Assertion,
        SignaturePolicy::Response,
        SignaturePolicy::Both,
    ] {
        assert_eq!(refused(policy, both), None);
    }
    let before = keys[0].operations();
    for policy in [SignaturePolicy::Response, SignaturePolicy::Both] {
        let refusal = refused(policy, GCM).unwrap();
        assert_eq!(refusal, SamlRefusal::ResponseNotSigned);
    }
    assert_eq!(keys[0].operations(), before, "no private key was used");
    for policy in [SignaturePolicy::Assertion, SignaturePolicy::Both] {
        let refusal = refused(policy, RESPONSE).unwrap();
        assert_eq!(refusal, SamlRefusal::AssertionNotSigned);
    }
}

/// As Okta and OpenSAML place it: the key beside the data, and a pointer from inside.
#[test]
fn the_key_may_stand_beside_the_data_with_a_pointer_at_it() {
    let start = GCM.find("<xenc:EncryptedKey>").unwrap();
    let end = GCM.find("</xenc:EncryptedKey>").unwrap() + "</xenc:EncryptedKey>".len();
    let key = GCM[start..end].replace(
        "<xenc:EncryptedKey>",
        "<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" Id=\"k1\" Recipient=\"urn:sp\">",
    );
    let placed = |inside: &str, beside: &str| {
        let mut xml = GCM.to_owned();
        xml.replace_range(start..end, inside);
        xml.replace(
            "</saml:EncryptedAssertion>",
            &format!("{beside}</saml:EncryptedAssertion>"),
        )
    };
    let pointer = |uri: &str| {
        format!(
            "<ds:RetrievalMethod Type=\"http://www.w3.org/2001/04/xmlenc#EncryptedKey\" URI=\"{uri}\"/>"
        )
    };
    assert!(verified(&placed("", &key), Cbc::Refused).is_ok());
    assert!(verified(&placed(&pointer("#k1"), &key), Cbc::Refused).is_ok());
    for bad in [
        placed(&pointer("#k2"), &key),
        placed(&pointer("http://idp.example/key"), &key),
        placed(&pointer("file:///etc/passwd"), &key),
        placed(&pointer("#xpointer(id('k1'))"), &key),
        placed(&pointer(""), &key),
        placed(&format!("{0}{0}", pointer("#k1")), &key),
        placed(
            &pointer("#k1").replace("/>", "><ds:Transforms/></ds:RetrievalMethod>"),
            &key,
        ),
        placed(&pointer("#k1"), ""),
        placed("", ""),
        placed(&GCM[start..end], &key),
        placed("", &format!("{key}{}", key.replace("k1", "k2"))),
        placed(&format!("{0}{0}", &GCM[start..end]), ""),
        placed("", &key.replace("xenc:EncryptedKey", "xenc:DerivedKey")),
        placed(
            &pointer("#k1").replace("#EncryptedKey", "#DerivedKey"),
            &key,
        ),
    ] {
        assert_eq!(refused(&bad), SamlRefusal::EncryptionProfile, "{bad}");
    }
}

/// What the schema allows beside a wrapped key says nothing that is used.
#[test]
fn hints_about_the_key_are_passed_over() {
    let key_end = "</xenc:EncryptedKey>";
    let hints = "<xenc:ReferenceList><xenc:DataReference URI=\"#d\"/></xenc:ReferenceList>\
        <xenc:CarriedKeyName>k</xenc:CarriedKeyName>";
    let typed = "<xenc:EncryptedKey Type=\"http://www.w3.org/2001/04/xmlenc#EncryptedKey\">";
    for (find, replace) in [
        (key_end, format!("{hints}{key_end}")),
        (
            key_end,
            format!("{key_end}<ds:KeyName>k</ds:KeyName><ds:X509Data/>"),
        ),
        ("<xenc:EncryptedKey>", typed.to_owned()),
    ] {
        assert!(verified(&edited(GCM, find, &replace), Cbc::Refused).is_ok());
    }
}

#[test]
fn each_hash_of_oaep_that_is_accepted_is_used_as_named() {
    let assertion = b"<saml:Assertion ID=\"a1\" Version=\"2.0\"></saml:Assertion>";
    let content_key = [3; 32];
    let xml = sealed_with(&content_key, &gcm(&content_key, assertion), false);
    let [old, _] = cipher_values(&xml);
    let method =
        "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>";
    let with =
        |new: &str, key: Vec<u8>| edited(&xml, method, new).replace(old, &STANDARD.encode(key));
    let sha256 = "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#rsa-oaep\">\
        <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
        <xenc11:MGF xmlns:xenc11=\"http://www.w3.org/2009/xmlenc11#\" Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha256\"/>\
        </xenc:EncryptionMethod>";
    let plain = "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#rsa-oaep\"/>";
    let sha1_key = || wrapped(&content_key, Md::sha1());
    // It opened: what is inside is not signed.
    for good in [
        with(sha256, wrapped(&content_key, Md::sha256())),
        with(plain, sha1_key()),
        with(method, sha1_key()),
    ] {
        assert_eq!(refused(&good), SamlRefusal::SignatureMissing);
    }
    assert_eq!(
        refused(&with(sha256, sha1_key())),
        SamlRefusal::DecryptionFailed
    );
    let sha512 = sha256.replace("xmlenc#sha256", "xmlenc#sha512");
    assert_eq!(
        refused(&with(&sha512, sha1_key())),
        SamlRefusal::EncryptionAlgorithm
    );
    let labelled = sha256.replace(
        "<ds:DigestMethod",
        "<xenc:OAEPparams>AAAA</xenc:OAEPparams><ds:DigestMethod",
    );
    let masked = sha256
        .replace("xmlenc11#rsa-oaep\"", "xmlenc11#rsa-oaep\" ")
        .replace(
            "http://www.w3.org/2009/xmlenc11#rsa-oaep\" ",
            "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"",
        );
    for bad in [labelled, masked] {
        assert_eq!(
            refused(&with(&bad, sha1_key())),
            SamlRefusal::EncryptionProfile
        );
    }
}
