//! Names, characters, references and white space of XML 1.0, as far as this profile allows them.

use crate::error::Refusal;
use crate::saml::refusal::SamlRefusal;

/// How the value of a text or of an attribute was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It stands in the source, and canonical XML writes it just so.
    Verbatim,
    /// It stands in the source, and canonical XML escapes something in it.
    AsItStands,
    /// It was decoded.
    Decoded,
}

/// White space of XML 1.0 2.3 [3].
pub(super) fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// What a byte may be in a name of ASCII characters: nothing, a later one, or also the first one.
const NAME_CLASS: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        classes[byte as usize] = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => NAME_START,
            b'0'..=b'9' | b'-' | b'.' => NAME_LATER,
            _ => 0,
        };
        byte += 1;
    }
    classes
};
const NAME_LATER: u8 = 1;
const NAME_START: u8 = 2;

fn name_class(byte: u8) -> u8 {
    NAME_CLASS[usize::from(byte)]
}

/// Whether it is an `NCName` of ASCII characters.
pub(in crate::saml) fn is_ncname(name: &str) -> bool {
    qualified_name(name) == Some((name.len(), 0))
}

/// The qualified name that a text begins with: its length, and that of its prefix (0 without one).
pub(super) fn qualified_name(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let starts = |at: usize| bytes.get(at).is_some_and(|b| name_class(*b) == NAME_START);
    if !starts(0) {
        return None;
    }
    let mut prefix = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if name_class(*byte) != 0 {
            continue;
        }
        if *byte != b':' {
            return Some((at, prefix));
        }
        if prefix != 0 || !starts(at + 1) {
            return None;
        }
        prefix = at;
    }
    Some((bytes.len(), prefix))
}

/// Whether there is such a byte. Without an early exit, so that the compiler can vectorize it.
pub(in crate::saml) fn any_byte(text: &str, pick: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |any, byte| any | pick(byte))
}

/// The text without the white space around it.
pub(super) fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    let dark = |byte: &u8| !is_white_space(*byte);
    match (bytes.iter().position(dark), bytes.iter().rposition(dark)) {
        (Some(first), Some(last)) => &text[first..=last],
        _ => "",
    }
}

/// A byte that a character which XML forbids, or a line end to be normalized, would have.
pub(super) fn is_rough(byte: u8) -> bool {
    (byte < b' ' && byte != b'\n' && byte != b'\t') || byte == 0xEF
}

/// Reads the text between two pieces of markup into `decoded`, unless it stands in the source: references replaced, line
/// ends normalized (XML 1.0 2.11), characters checked (2.2).
pub(super) fn text(raw: &str, position: usize, decoded: &mut String) -> Result<Reading, Refusal> {
    if let Some(at) = raw.find("]]>") {
        return Err(malformed("]]> in text", position + at));
    }
    check_characters(raw, position)?;
    if any_byte(raw, |b| matches!(b, b'&' | b'\r')) {
        decode(raw, position, Some('\n'), decoded)?;
        return Ok(Reading::Decoded);
    }
    Ok(if raw.contains('>') {
        Reading::AsItStands
    } else {
        Reading::Verbatim
    })
}

/// Reads the value of an attribute without its quotes into `decoded`, unless it stands in the source: references replaced,
/// white space normalized (XML 1.0 3.3.3).
pub(super) fn attribute_value(
    raw: &str,
    position: usize,
    decoded: &mut String,
) -> Result<Reading, Refusal> {
    if let Some(at) = raw.find('<') {
        return Err(malformed("< in an attribute value", position + at));
    }
    check_characters(raw, position)?;
    if any_byte(raw, |b| b < b' ' || b == b'&') {
        decode(raw, position, None, decoded)?;
        return Ok(Reading::Decoded);
    }
    Ok(if raw.contains('"') {
        Reading::AsItStands
    } else {
        Reading::Verbatim
    })
}

/// Appends a value with its references replaced and each line end as `line_end`; without one, all white space is a blank.
fn decode(
    raw: &str,
    position: usize,
    line_end: Option<char>,
    decoded: &mut String,
) -> Result<(), Refusal> {
    let bytes = raw.as_bytes();
    let (mut done, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        let (character, length) = match byte {
            b'&' => reference(raw, at, position)?,
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => (line_end.unwrap_or(' '), 2),
            b'\r' => (line_end.unwrap_or(' '), 1),
            b'\n' | b'\t' if line_end.is_none() => (' ', 1),
            _ => {
                at += 1;
                continue;
            }
        };
        if done < at {
            decoded.push_str(&raw[done..at]);
        }
        decoded.push(character);
        at += length;
        done = at;
    }
    decoded.push_str(&raw[done..]);
    Ok(())
}

/// The character that the reference at `start` stands for, and the length of the reference.
fn reference(raw: &str, start: usize, position: usize) -> Result<(char, usize), Refusal> {
    let rest = &raw.as_bytes()[start + 1..];
    let end = rest.iter().position(|b| matches!(b, b';' | b'&' | b'<'));
    let Some(length) = end.filter(|end| rest[*end] == b';') else {
        return Err(malformed("& without ;", position + start));
    };
    let character = match &rest[..length] {
        [b'#', b'x', digits @ ..] => numeric(digits, 16),
        [b'#', digits @ ..] => numeric(digits, 10),
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        _ => None,
    };
    let length = length + "&;".len();
    match character {
        Some(character) => Ok((character, length)),
        None => Err(SamlRefusal::XmlEntity
            .refuse()
            .found(&raw[start..start + length])
            .detail(at(position + start))),
    }
}

fn numeric(digits: &[u8], radix: u32) -> Option<char> {
    if digits.is_empty() {
        return None;
    }
    let mut number: u32 = 0;
    for digit in digits {
        let digit = char::from(*digit).to_digit(radix)?;
        number = number.checked_mul(radix)?.checked_add(digit)?;
    }
    char::from_u32(number).filter(|character| is_character(*character))
}

/// Char of XML 1.0 2.2 [2].
fn is_character(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn check_characters(raw: &str, position: usize) -> Result<(), Refusal> {
    if !any_byte(raw, is_rough) {
        return Ok(());
    }
    match raw.char_indices().find(|(_, c)| !is_character(*c)) {
        None => Ok(()),
        Some((offset, c)) => Err(SamlRefusal::XmlMalformed
            .refuse()
            .found(format_args!("forbidden character U+{:04X}", u32::from(c)))
            .detail(at(position + offset))),
    }
}

/// `xml_malformed` with what was found and where.
pub(super) fn malformed(found: &str, position: usize) -> Refusal {
    SamlRefusal::XmlMalformed
        .refuse()
        .found(found)
        .detail(at(position))
}

/// A refusal that says where.
pub(super) fn refuse(leaf: SamlRefusal, position: usize) -> Refusal {
    leaf.refuse().detail(at(position))
}

/// `xml_limit` with what there is too much of.
pub(super) fn exceeded(name: &str, limit: usize, position: usize) -> Refusal {
    refuse(SamlRefusal::XmlLimit, position).expected(format_args!("at most {limit} {name}"))
}

/// The words for a position in the evidence.
pub(super) fn at(position: usize) -> String {
    format!("at byte {position}")
}

/// The first byte from `from` on that does not pass.
pub(super) fn skip(bytes: &[u8], from: usize, pass: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|b| !pass(*b)).unwrap_or(rest.len())
}
