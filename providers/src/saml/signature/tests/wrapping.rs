//! Signature wrapping, XSW 1 to 8 of Somorovsky et al. 2012 and their kin: a genuine signature stays valid
//! somewhere in the document while something else is offered to be read.

use super::*;

struct Parts {
    trust: Trust,
    key: PKey<Private>,
    /// `response` around the signed assertion.
    signed: String,
    assertion: String,
    signature: String,
}

fn parts() -> Parts {
    let key = ec_key();
    let signed = sign(&response("alice"), "a1", &key);
    let (start, end) = element_range(&signed, "a1");
    let assertion = signed[start..end].to_owned();
    let signature = signature_in(&assertion);
    Parts {
        trust: trust(&key),
        key,
        signed,
        assertion,
        signature,
    }
}

fn signature_in(xml: &str) -> String {
    let start = xml.find("<ds:Signature ").unwrap();
    let end = xml.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    xml[start..end].to_owned()
}

/// The document with something in place of its assertion.
fn in_place(parts: &Parts, content: &str) -> String {
    parts.signed.replace(&parts.assertion, content)
}

fn evil() -> String {
    assertion("evil", "mallory")
}

fn evil_with(inside: &str) -> String {
    evil().replacen("</saml:Issuer>", &format!("</saml:Issuer>{inside}"), 1)
}

fn object(content: &str) -> String {
    format!("<ds:Object>{content}</ds:Object></ds:Signature>")
}

#[test]
fn xsw1_original_response_inside_the_signature() {
    let p = parts();
    let signed = sign(&response("alice"), "r1", &p.key);
    let original = signed.replace(&signature_in(&signed), "");
    let signature = signature_in(&signed).replace("</ds:Signature>", &object(&original));
    let xml = response("mallory")
        .replace("\"r1\"", "\"evil\"")
        .replace("\"a1\"", "\"e2\"");
    let xml = xml.replacen("</saml:Issuer>", &format!("</saml:Issuer>{signature}"), 1);
    assert_eq!(refusal(&xml, &p.trust), SamlRefusal::ResponseNested);
}

#[test]
fn xsw2_original_response_before_the_detached_signature() {
    let p = parts();
    let signed = sign(&response("alice"), "r1", &p.key);
    let signature = signature_in(&signed);
    let original = signed.replace(&signature, "");
    let xml = response("mallory")
        .replace("\"r1\"", "\"evil\"")
        .replace("\"a1\"", "\"e2\"");
    let xml = xml.replacen(
        "</saml:Issuer>",
        &format!("</saml:Issuer>{original}{signature}"),
        1,
    );
    assert_eq!(refusal(&xml, &p.trust), SamlRefusal::ResponseNested);
}

#[test]
fn xsw3_evil_assertion_before_the_signed_one() {
    let p = parts();
    let xml = in_place(&p, &format!("{}{}", evil(), p.assertion));
    assert_eq!(refusal(&xml, &p.trust), SamlRefusal::AssertionsSeveral);
}

#[test]
fn xsw4_signed_assertion_inside_the_evil_one() {
    let p = parts();
    let xml = in_place(&p, &evil_with(&p.assertion));
    assert_eq!(refusal(&xml, &p.trust), SamlRefusal::AssertionMisplaced);
}

#[test]
fn xsw5_evil_assertion_with_the_signature_and_the_original_behind() {
    let p = parts();
    let original = p.assertion.replace(&p.signature, "");
    let xml = in_place(&p, &format!("{}{original}", evil_with(&p.signature)));
    assert_eq!(refusal(&xml, &p.trust), SamlRefusal::AssertionsSeveral);
}

#[test]
fn xsw6_original_inside_the_signature_of_the_evil_one() {
    let p = parts();
    let original = p.assertion.replace(&p.signature, "");
    let signature = p
        .signature
        .replace("</ds:Signature>", &format!("{original}</ds:Signature>"));
    let xml = in_place(&p, &evil_with(&signature));
    assert_eq!(refusal(&xml, &p.trust), SamlRefusal::AssertionMisplaced);
}

#[test]
fn xsw7_evil_assertion_in_extensions() {
    let p = parts();
    let extensions = format!("<samlp:Extensions>{}</samlp:Extensions>", evil());
    let xml = in_place(&p, &format!("{extensions}{}", p.assertion));
    assert_eq!(refusal(&xml, &p.trust), SamlRefusal::AssertionMisplaced);
}

#[test]
fn xsw8_original_in_an_object_of_the_evil_ones_signature() {
    let p = parts();
    let original = p.assertion.replace(&p.signature, "");
    let signature = p.signature.replace("</ds:Signature>", &object(&original));
    let xml = in_place(&p, &evil_with(&signature));
    assert_eq!(refusal(&xml, &p.trust), SamlRefusal::AssertionMisplaced);
}

#[test]
fn the_signature_alone_on_another_assertion_is_refused() {
    let p = parts();
    assert_eq!(
        refusal(&in_place(&p, &evil_with(&p.signature)), &p.trust),
        SamlRefusal::SignatureProfile
    );
    let same_id = evil_with(&p.signature).replace("\"evil\"", "\"a1\"");
    assert_eq!(
        refusal(&in_place(&p, &same_id), &p.trust),
        SamlRefusal::DigestMismatch
    );
}

#[test]
fn the_assertions_signature_on_the_response_is_refused() {
    let p = parts();
    let xml = response("mallory").replacen(
        "</saml:Issuer>",
        &format!("</saml:Issuer>{}", p.signature),
        1,
    );
    assert_eq!(refusal(&xml, &p.trust), SamlRefusal::SignatureProfile);
}

#[test]
fn two_genuine_assertions_are_refused() {
    let p = parts();
    let other = sign(&assertion("a2", "bob"), "a2", &p.key);
    let xml = in_place(&p, &format!("{}{other}", p.assertion));
    assert_eq!(refusal(&xml, &p.trust), SamlRefusal::AssertionsSeveral);
}

#[test]
fn an_assertion_of_a_foreign_namespace_is_not_read() {
    let p = parts();
    let decoy = evil().replace("urn:oasis:names:tc:SAML:2.0:assertion", "urn:evil");
    let xml = in_place(
        &p,
        &format!("{}{}", decoy.replace(" ID=\"evil\"", ""), p.assertion),
    );
    assert_eq!(
        read(&xml, &p.trust, SignaturePolicy::Any).unwrap().0,
        "alice"
    );
    let only = in_place(&p, &decoy);
    assert_eq!(refusal(&only, &p.trust), SamlRefusal::AssertionMissing);
}
