//! Documents that cost a verifier as much as they can before it refuses them, up to the longest that it reads.

use fedgate_certs::trust::Trust;
use fedgate_providers::error::Refusal;
use fedgate_providers::saml::decode;
use fedgate_providers::saml::xml::MESSAGE_LIMITS;

use crate::choices::Choices;
use crate::document::template;
use crate::draft::Draft;
use crate::sign::{RSA, Signer};
use crate::verdict::judged;

/// Kinds of pieces that a document is filled with.
const KINDS: usize = 16;
/// The most declarations around the filling: with those of the document itself below the limit in scope.
const DECLARED: usize = 52;
/// What stays free behind the filling for the end of the document and its signatures, in bytes.
const TAIL: usize = 6 * 1024;

/// What a document was made of: the ten that are kept differ in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// Who signed, and when.
    pub signing: Signing,
    /// Where the filling stands.
    pub place: Place,
    /// The kind of the first piece.
    pub kind: usize,
}

/// Who signed, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signing {
    /// Nobody.
    Nobody,
    /// The signature value is of something else.
    Forged,
    /// A genuine signature, and then the filling: `SignedInfo` verifies, the digest does not.
    Replayed,
    /// The identity provider itself, with an audience that is another's.
    Own,
}

/// Where the filling stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In an attribute's value.
    Value,
    /// Beside the values of an attribute.
    Attribute,
    /// Beside the assertion, outside of its signature.
    Extensions,
    /// Between the elements of the signature.
    SignedInfo,
    /// In the value of the digest.
    Digest,
}

/// The document that octets describe.
pub fn document(octets: &[u8], signer: &Signer) -> (Shape, Vec<u8>) {
    let mut choices = Choices::new(octets);
    let signing = choices.pick(&[
        Signing::Replayed,
        Signing::Own,
        Signing::Forged,
        Signing::Nobody,
    ]);
    let place = choices.pick(&[
        Place::Value,
        Place::Value,
        Place::Attribute,
        Place::Extensions,
        Place::SignedInfo,
        Place::Digest,
    ]);
    let mut draft = Draft::of(&mut Choices::new(&[]));
    draft.attributes = vec![("groups".to_owned(), vec!["staff".to_owned()])];
    if signing == Signing::Own {
        draft.audiences = vec![vec!["urn:other"]];
    }
    let mut plain = template(&draft, RSA[0], &mut Choices::new(&[]));
    if signing == Signing::Nobody {
        plain = plain
            .replace("Signature>", "Signed>")
            .replace("Signature ", "Signed ");
    }
    let first = choices.clone().below(KINDS);
    let shape = Shape {
        signing,
        place,
        kind: first,
    };
    let filled = |xml: &str, choices: &mut Choices<'_>| fill(xml, place, choices);
    let mut xml = match signing {
        Signing::Own => signer.sign(&filled(&plain, &mut choices)),
        Signing::Replayed => filled(&signer.sign(&plain), &mut choices),
        Signing::Forged | Signing::Nobody => filled(&plain, &mut choices),
    };
    spoil(&mut xml, &mut choices);
    xml.truncate(MESSAGE_LIMITS.bytes);
    (shape, xml.into_bytes())
}

/// What is done with a form's field that holds the document in base64.
///
/// # Errors
/// The verifier's, which is what such a document is for.
pub fn answered(field: &str, trust: &Trust) -> Result<(), Refusal> {
    let xml = decode::base64(field)?;
    judged(&xml, trust).1.map(|_| ())
}

/// The octets of a document as the search prints them.
pub fn octets(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(std::str::from_utf8);
    pairs
        .map(|pair| u8::from_str_radix(pair.ok()?, 16).ok())
        .collect()
}

/// Puts pieces in their place until the document is as long as may be.
fn fill(xml: &str, place: Place, choices: &mut Choices<'_>) -> String {
    let (before, after) = match place {
        Place::Value => ("AttributeValue>staff", ""),
        Place::Attribute => ("AttributeValue>staff</", ">"),
        Place::Extensions => ("Status>", ""),
        Place::SignedInfo => ("SignedInfo>", ""),
        Place::Digest => ("DigestValue>", ""),
    };
    let Some(found) = xml.find(before).map(|at| at + before.len()) else {
        return xml.to_owned();
    };
    let at = match after {
        "" => found,
        end => xml[found..]
            .find(end)
            .map_or(found, |more| found + more + end.len()),
    };
    let room = MESSAGE_LIMITS.bytes.saturating_sub(xml.len() + TAIL);
    let filling = if matches!(place, Place::SignedInfo | Place::Digest) {
        [" ", "\n", "&#32;", "\r"][choices.below(4)].repeat(room)[..room / 5 * 5].to_owned()
    } else {
        filling(room, choices)
    };
    format!("{}{filling}{}", &xml[..at], &xml[at..])
}

/// Pieces inside an element that declares prefixes for them.
fn filling(room: usize, choices: &mut Choices<'_>) -> String {
    let kinds: Vec<usize> = (0..=choices.below(3))
        .map(|_| choices.below(KINDS))
        .collect();
    let scope = Scope {
        declared: choices.below(DECLARED),
        uri_length: [1, 8, 64, 512, 2048][choices.below(5)],
    };
    let sizes: Vec<[usize; 3]> = kinds
        .iter()
        .map(|_| [choices.below(256), choices.below(256), choices.below(256)])
        .collect();
    let mut out = scope.begin();
    let mut number = 0;
    'full: loop {
        for (kind, size) in kinds.iter().zip(&sizes) {
            let piece = piece(*kind, *size, &scope, number);
            number += 1;
            if out.len() + piece.len() + "</w>".len() > room || piece.is_empty() || number > 19_000
            {
                break 'full;
            }
            out.push_str(&piece);
        }
    }
    out.push_str("</w>");
    out
}

struct Scope {
    declared: usize,
    uri_length: usize,
}

impl Scope {
    fn begin(&self) -> String {
        let declaration = |number| {
            format!(
                " xmlns:p{number}=\"urn:{}{number}\"",
                "u".repeat(self.uri_length)
            )
        };
        let declarations: String = (0..self.declared).map(declaration).collect();
        format!("<w{declarations}>")
    }

    /// A prefix with its colon, or nothing where none is declared.
    fn prefix(&self, number: usize) -> String {
        match self.declared {
            0 => String::new(),
            declared => format!("p{}:", number % declared),
        }
    }
}

fn piece(kind: usize, [a, b, c]: [usize; 3], scope: &Scope, number: usize) -> String {
    let name = "n".repeat(1 + a % 64);
    let attributes = |count: usize, name: &dyn Fn(usize) -> String, value: &str| -> String {
        let each: Vec<_> = (0..count)
            .map(|i| format!(" {}=\"{value}\"", name(i)))
            .collect();
        each.concat()
    };
    match kind {
        0 => format!("<{name}/>"),
        1 => format!("<{name}>{}</{name}>", "t".repeat(b)),
        2 => format!(
            "<x{}/>",
            attributes(
                b % 32,
                &|i| format!("{name}{}", 99 - i),
                &"v".repeat(c % 16)
            )
        ),
        3 => format!(
            "<x{}/>",
            attributes(
                b % 32,
                &|i| format!("{}{name}", scope.prefix(number + c * i)),
                ""
            )
        ),
        4 => "&#x41;".repeat(1 + b * 8),
        5 => "\r".repeat(1 + b * 8),
        6 => "t".repeat(1 + b * 64),
        7 => format!("{}{}", "<a>".repeat(b % 24), "</a>".repeat(b % 24)),
        8 => {
            let (depth, each) = (1 + b % 6, c % 4);
            let begin = |level: usize| {
                let declared = (0..each).map(|i| format!(" xmlns:q{i}=\"urn:{level}\""));
                format!("<a{}>", declared.collect::<String>())
            };
            let begins: String = (0..depth).map(begin).collect();
            format!("{begins}{}", "</a>".repeat(depth))
        }
        9 => format!("<a b=\"{}\"/>", "&lt;".repeat(b * 4)),
        10 => "<a xmlns=\"urn:a\"><b xmlns=\"urn:b\"/></a>".to_owned(),
        11 => format!("<x ID=\"{}{number}\"/>", "i".repeat(1 + b)),
        12 => "漢".repeat(1 + b * 8),
        13 => format!("<{}x/>", scope.prefix(b)),
        14 => {
            let prefix = scope.prefix(number);
            format!(
                "<{prefix}x{}></{prefix}x>",
                attributes(
                    b % 32,
                    &|i| format!("{}a", scope.prefix(i)),
                    &"&#13;".repeat(c % 8)
                )
            )
        }
        _ => format!("<x a='{}'>\r\n</x>", "\"".repeat(b)),
    }
}

/// What is wrong with the end of the document, if anything.
fn spoil(xml: &mut String, choices: &mut Choices<'_>) {
    match choices.below(5) {
        1 => xml.truncate(xml.rfind('<').unwrap_or(0)),
        2 => xml.push_str("<x/>"),
        3 => {
            if let Some(at) = xml.rfind("</") {
                xml.insert_str(at, "&x;");
            }
        }
        4 => {
            if let Some(at) = xml.rfind("</") {
                xml.insert_str(at, "<x a='1' a='2'/>");
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// Code and octets of each, as the search found them.
    const COSTLIEST: &str = include_str!("../../../testdata/saml/costliest.txt");

    #[test]
    fn the_costliest_documents_are_refused_by_their_codes() {
        let signer = Signer::fresh();
        let lines = COSTLIEST.lines().filter(|line| !line.starts_with('#'));
        let mut count = 0;
        for line in lines {
            let (code, text) = line.split_once(' ').unwrap();
            let (_, xml) = document(&octets(text).unwrap(), &signer);
            let refusal = answered(&STANDARD.encode(xml), &signer.trust).unwrap_err();
            assert_eq!(refusal.code(), code, "{text}");
            count += 1;
        }
        assert_eq!(count, 10);
    }
}
