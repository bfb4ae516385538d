//! Signatures that a trusted key has made, in a form or by an algorithm that is not accepted.

use super::*;

const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// What a genuine signature over a changed SignedInfo is refused with.
fn edited(edit: fn(&str) -> String) -> Refusal {
    let key = ec_key();
    let xml = sign_as(
        &response("alice"),
        "a1",
        &key,
        &Form {
            edit,
            ..Form::default()
        },
    );
    refusal(&xml, &trust(&key))
}

fn assert_form_refused(edits: &[fn(&str) -> String]) {
    for (i, edit) in edits.iter().enumerate() {
        assert_eq!(edited(*edit), SamlRefusal::SignatureProfile, "edit {i}");
    }
}

/// What a document is refused with whose finished signature is changed outside of SignedInfo.
fn altered(alter: impl Fn(&str) -> String) -> Refusal {
    let key = ec_key();
    refusal(&alter(&sign(&response("alice"), "a1", &key)), &trust(&key))
}

#[test]
fn references_elsewhere_are_refused() {
    assert_form_refused(&[
        |s| s.replace("URI=\"#a1\"", "URI=\"\""),
        |s| s.replace(" URI=\"#a1\"", ""),
        |s| s.replace("#a1", "#r1"),
        |s| s.replace("#a1", "a1"),
        |s| s.replace("#a1", "#"),
        |s| s.replace("#a1", "##a1"),
        |s| s.replace("#a1", "http://127.0.0.1:9/x#a1"),
        |s| s.replace("#a1", "file:///etc/passwd"),
        |s| s.replace("#a1", "#xpointer(id('a1'))"),
        |s| s.replace("#a1", "#xpointer(/)"),
        |s| s.replace("#a1", "#element(/1/2)"),
        |s| s.replace("#a1", "cid:a1"),
        |s| s.replace("#a1", "#%61 1"),
    ]);
}

#[test]
fn the_reference_is_one() {
    assert_form_refused(&[
        |s| {
            let (start, end) = (
                s.find("<ds:Reference").unwrap(),
                s.find("</ds:SignedInfo>").unwrap(),
            );
            format!("{}{}", &s[..start], &s[end..])
        },
        |s| {
            let (start, end) = (
                s.find("<ds:Reference").unwrap(),
                s.find("</ds:SignedInfo>").unwrap(),
            );
            format!("{}{}{}", &s[..end], &s[start..end], &s[end..])
        },
    ]);
}

#[test]
fn transforms_are_exactly_two() {
    assert_form_refused(&[
        |s| s.replace("enveloped-signature", "base64"),
        |s| {
            s.replace(
                "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
                "http://www.w3.org/TR/1999/REC-xslt-19991116",
            )
        },
        |s| {
            s.replace(
                "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
                "http://www.w3.org/TR/1999/REC-xpath-19991116",
            )
        },
        |s| {
            s.replace(
                "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
                "http://www.w3.org/2002/06/xmldsig-filter2",
            )
        },
        |s| {
            s.replace(
                &format!("<ds:Transform Algorithm=\"{EXCLUSIVE}\"></ds:Transform>"),
                "",
            )
        },
        |s| {
            s.replace("<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>", "")
        },
        |s| {
            s.replace(
                "</ds:Transforms>",
                "<ds:Transform Algorithm=\"u:x\"></ds:Transform></ds:Transforms>",
            )
        },
    ]);
}

#[test]
fn transforms_are_in_order_and_of_the_exclusive_form() {
    assert_form_refused(&[
        |s| {
            let swapped = s.replace("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "?");
            let at = swapped.find("<ds:Transforms>").unwrap();
            let (head, tail) = swapped.split_at(at);
            format!(
                "{head}{}",
                tail.replacen(
                    EXCLUSIVE,
                    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
                    1
                )
                .replacen('?', EXCLUSIVE, 1)
            )
        },
        |s| {
            let at = s.find("<ds:Transforms>").unwrap();
            let (head, tail) = s.split_at(at);
            format!(
                "{head}{}",
                tail.replace(
                    EXCLUSIVE,
                    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
                )
            )
        },
        |s| {
            let at = s.find("<ds:Transforms>").unwrap();
            let (head, tail) = s.split_at(at);
            format!(
                "{head}{}",
                tail.replace(EXCLUSIVE, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")
            )
        },
        |s| {
            s.replace(
                "enveloped-signature\">",
                "enveloped-signature\"><ds:XPath>1</ds:XPath>",
            )
        },
    ]);
}

#[test]
fn unknown_parts_are_refused() {
    assert_form_refused(&[
        |s| s.replace("<ds:Reference ", "<ds:Reference Type=\"u:x\" "),
        |s| s.replace("<ds:SignedInfo ", "<ds:SignedInfo x=\"y\" "),
        |s| s.replace("<ds:DigestValue>", "<ds:DigestValue Id=\"x\">"),
        |s| s.replace("</ds:DigestValue>", "*</ds:DigestValue>"),
        |s| s.replace("<ds:DigestValue>", "<ds:DigestValue><ds:x></ds:x>"),
        |s| s.replace("</ds:Reference>", "x</ds:Reference>"),
        |s| {
            s.replace(
                "</ds:Reference>",
                "<ds:DigestValue></ds:DigestValue></ds:Reference>",
            )
        },
        |s| s.replace("<ds:SignatureMethod ", "<ds:SignatureMethod x=\"y\" "),
        |s| s.replace("<ds:DigestMethod ", "<ds:DigestMethod x=\"y\" "),
        |s| {
            s.replace(
                "</ds:SignatureMethod>",
                "<ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>",
            )
        },
        |s| s.replace("</ds:DigestMethod>", "x</ds:DigestMethod>"),
        |s| s.replace(" Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"", ""),
        |s| s.replace("ds:Reference", "ds:Manifest"),
        |_| {
            "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"></ds:SignedInfo>"
                .to_owned()
        },
    ]);
}

#[test]
fn the_signature_has_exactly_its_children() {
    for refused in [
        altered(|s| s.replace("</ds:Signature>", "<ds:Object>x</ds:Object></ds:Signature>")),
        altered(|s| {
            s.replace(
                "</ds:Signature>",
                "<ds:KeyInfo></ds:KeyInfo><ds:KeyInfo></ds:KeyInfo></ds:Signature>",
            )
        }),
        altered(|s| s.replace("<ds:SignatureValue>", "<ds:SignatureValue><ds:x></ds:x>")),
        altered(|s| s.replace("<ds:SignatureValue>", "<ds:SignatureValue>*")),
        altered(|s| s.replace("<ds:SignatureValue>", "<ds:SignatureValue Encoding=\"x\">")),
        altered(|s| s.replace("<ds:SignatureValue>", "x<ds:SignatureValue>")),
        altered(|s| {
            let (start, end) = (
                s.find("<ds:SignedInfo").unwrap(),
                s.find("<ds:SignatureValue>").unwrap(),
            );
            format!("{}{}{}", &s[..start], &s[start..end], &s[start..])
        }),
        altered(|s| {
            let (start, end) = (
                s.find("<ds:SignedInfo").unwrap(),
                s.find("</ds:Signature>").unwrap(),
            );
            format!("{}{}", &s[..start], &s[end..])
        }),
    ] {
        assert_eq!(refused, SamlRefusal::SignatureProfile, "{refused:?}");
    }
}

#[test]
fn outdated_and_foreign_algorithms_are_refused_by_name() {
    let key = rsa_key();
    let trust = trust(&key);
    let refused = |form: &Form<'_>| {
        let refusal = refusal(&sign_as(&response("alice"), "a1", &key, form), &trust);
        assert_eq!(refusal, SamlRefusal::AlgorithmForbidden);
        refusal.evidence().found.unwrap()
    };
    for method in [
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    ] {
        assert_eq!(
            refused(&Form {
                signature_method: Some(method),
                ..Form::default()
            }),
            method
        );
    }
    let sha1 = "http://www.w3.org/2000/09/xmldsig#sha1";
    assert_eq!(
        refused(&Form {
            digest_method: sha1,
            ..Form::default()
        }),
        sha1
    );
    let inclusive = |s: &str| {
        s.replacen(
            EXCLUSIVE,
            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
            1,
        )
    };
    refused(&Form {
        edit: inclusive,
        ..Form::default()
    });
}

#[test]
fn sha1_is_read_only_where_it_is_asked_for() {
    let key = rsa_key();
    let form = Form {
        signature_method: Some("http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        digest_method: "http://www.w3.org/2000/09/xmldsig#sha1",
        hash: MessageDigest::sha1(),
        ..Form::default()
    };
    let xml = sign_as(&response("alice"), "a1", &key, &form);
    let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
    let shape = ResponseShape::of(&document).unwrap();
    let check = |sha1| {
        verify(
            &shape,
            &trust(&key),
            SignaturePolicy::Any,
            Algorithms { sha1 },
        )
    };
    assert_eq!(check(false).unwrap_err(), SamlRefusal::AlgorithmForbidden);
    assert!(check(true).is_ok());
}

#[test]
fn stronger_digests_are_accepted_from_keys_of_either_kind() {
    for (family, key) in [("rsa", rsa_key()), ("ecdsa", ec_key())] {
        every_digest_is_accepted(family, &key);
    }
}

fn every_digest_is_accepted(family: &str, key: &PKey<Private>) {
    let trust = trust(key);
    for (bits, hash, digest_method) in [
        ("256", MessageDigest::sha256(), SHA256),
        (
            "384",
            MessageDigest::sha384(),
            "http://www.w3.org/2001/04/xmldsig-more#sha384",
        ),
        (
            "512",
            MessageDigest::sha512(),
            "http://www.w3.org/2001/04/xmlenc#sha512",
        ),
    ] {
        let method = format!("http://www.w3.org/2001/04/xmldsig-more#{family}-sha{bits}");
        let form = Form {
            signature_method: Some(&method),
            digest_method,
            hash,
            ..Form::default()
        };
        let xml = sign_as(&response("alice"), "r1", key, &form);
        assert!(read(&xml, &trust, SignaturePolicy::Any).is_ok(), "{method}");
    }
}

#[test]
fn the_key_must_be_of_the_algorithms_kind() {
    let key = ec_key();
    let form = Form {
        signature_method: Some("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
        ..Form::default()
    };
    let xml = sign_as(&response("alice"), "a1", &key, &form);
    assert_eq!(refusal(&xml, &trust(&key)), SamlRefusal::SignatureInvalid);
}

#[test]
fn prefix_lists_are_honoured_and_bounded() {
    let key = ec_key();
    let with_list = |list: &str| {
        let parameters = format!(
            "<ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE}\" PrefixList=\"{list}\"></ec:InclusiveNamespaces>"
        );
        // By construction: "saml" is declared on the assertion, nothing else of the list is in scope.
        let element = assertion("a1", "alice");
        let signature = signature_for(&element, "a1", &key, &Form::default());
        let plain = format!("<ds:Transform Algorithm=\"{EXCLUSIVE}\">");
        let signature = signature.replace(
            "<ds:SignedInfo>",
            "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">",
        );
        let info_start = signature.find("<ds:SignedInfo").unwrap();
        let info_end = signature.find("<ds:SignatureValue>").unwrap();
        let info = signature[info_start..info_end].replace(&plain, &format!("{plain}{parameters}"));
        resigned(&info, &key)
    };
    let trust = trust(&key);
    let sixteen = (0..16)
        .map(|i| format!("p{i}"))
        .collect::<Vec<_>>()
        .join(" ");
    for list in ["saml", "saml xs #default", "", &sixteen] {
        assert!(
            read(&with_list(list), &trust, SignaturePolicy::Any).is_ok(),
            "{list}"
        );
    }
    for list in [&format!("{sixteen} q"), "a:b", "é", "#other", "a,b"] {
        assert_eq!(
            refusal(&with_list(list), &trust),
            SamlRefusal::SignatureProfile,
            "{list}"
        );
    }
}

#[test]
fn a_canonicalization_has_one_prefix_list_and_no_more_parameters() {
    const ONE: &str = "<ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"x\"></ec:InclusiveNamespaces>";
    let key = ec_key();
    let with = |edit| {
        let form = Form {
            edit,
            ..Form::default()
        };
        sign_as(&response("alice"), "a1", &key, &form)
    };
    let one = with(|s| s.replacen("#\"></ds:", &format!("#\">{ONE}</ds:"), 1));
    assert!(read(&one, &trust(&key), SignaturePolicy::Any).is_ok());
    assert_form_refused(&[
        |s| s.replacen("#\"></ds:", &format!("#\">{ONE}{ONE}</ds:"), 1),
        |s| s.replacen("#\"></ds:", &format!("#\">{ONE}<ds:x></ds:x></ds:"), 1),
        |s| s.replacen("#\"></ds:", "#\"><ds:x></ds:x></ds:", 1),
        |s| {
            let more = ONE.replace("PrefixList", "Id=\"x\" PrefixList");
            s.replacen("#\"></ds:", &format!("#\">{more}</ds:"), 1)
        },
        |s| {
            let text = ONE.replace("></", ">x</");
            s.replacen("#\"></ds:", &format!("#\">{text}</ds:"), 1)
        },
    ]);
}

/// SignedInfo of that length, as it stands in the document: without the declaration that it inherits there.
fn filled<const LENGTH: usize>(info: &str) -> String {
    let inherited = " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"".len();
    let room = "\n".repeat(LENGTH + inherited - info.len());
    info.replace("</ds:DigestValue>", &format!("{room}</ds:DigestValue>"))
}

#[test]
fn a_signature_is_no_longer_than_anybody_needs() {
    let key = ec_key();
    let trust = trust(&key);
    let info = |edit| {
        let form = Form {
            edit,
            ..Form::default()
        };
        sign_as(&response("alice"), "a1", &key, &form)
    };
    let value = |length| {
        let room = "\n".repeat(length);
        let signed = sign(&response("alice"), "a1", &key);
        signed.replace("<ds:SignatureValue>", &format!("<ds:SignatureValue>{room}"))
    };
    for longest in [info(filled::<16_384>), value(16_000)] {
        assert!(read(&longest, &trust, SignaturePolicy::Any).is_ok());
    }
    for longer in [info(filled::<16_385>), value(16_384)] {
        let refused = refusal(&longer, &trust);
        assert_eq!(refused, SamlRefusal::SignatureProfile);
        let expected = refused.evidence().expected;
        assert_eq!(expected.as_deref(), Some("at most 16384 bytes"));
    }
}

/// A response whose assertion is signed with the given SignedInfo.
fn resigned(info: &str, key: &PKey<Private>) -> String {
    use base64::Engine as _;
    let digest = openssl::hash::hash(MessageDigest::sha256(), info.as_bytes()).unwrap();
    let signature = openssl::ecdsa::EcdsaSig::sign(&digest, &key.ec_key().unwrap()).unwrap();
    let mut value = signature.r().to_vec_padded(32).unwrap();
    value.extend(signature.s().to_vec_padded(32).unwrap());
    let value = base64::engine::general_purpose::STANDARD.encode(value);
    let signature = format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
    );
    response("alice").replace("<saml:Subject>", &format!("{signature}<saml:Subject>"))
}
