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
    let first = simple_name(bytes)?;
    if bytes.get(first) != Some(&b':') {
        return Some((first, 0));
    }
    let local = simple_name(&bytes[first + 1..])?;
    let end = first + 1 + local;
    (bytes.get(end) != Some(&b':')).then_some((end, first))
}

/// The length of the name without a colon that the bytes begin with.
fn simple_name(bytes: &[u8]) -> Option<usize> {
    let (first, rest) = bytes.split_first()?;
    if name_class(*first) != NAME_START {
        return None;
    }
    let later = rest.iter().position(|byte| name_class(*byte) == 0);
    Some(1 + later.unwrap_or(rest.len()))
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
    let rest = &raw.as_bytes()[start..];
    let found = match rest {
        [_, b'#', b'x', ..] => numeric(rest, "&#x".len(), 16),
        [_, b'#', ..] => numeric(rest, "&#".len(), 10),
        [_, b'l', b't', b';', ..] => Some(('<', "&lt;".len())),
        [_, b'g', b't', b';', ..] => Some(('>', "&gt;".len())),
        [_, b'a', b'm', b'p', b';', ..] => Some(('&', "&amp;".len())),
        [_, b'q', b'u', b'o', b't', b';', ..] => Some(('"', "&quot;".len())),
        [_, b'a', b'p', b'o', b's', b';', ..] => Some(('\'', "&apos;".len())),
        _ => None,
    };
    found.ok_or_else(|| foreign(raw, start, position))
}

/// A reference by number: the character and the length of the reference.
fn numeric(reference: &[u8], digits: usize, radix: u32) -> Option<(char, usize)> {
    let (mut number, mut end) = (0_u32, digits);
    let digit = |at: usize| char::from(*reference.get(at)?).to_digit(radix);
    while let Some(digit) = digit(end) {
        number = number.saturating_mul(radix).saturating_add(digit);
        end += 1;
    }
    let is_whole = end > digits && reference.get(end) == Some(&b';');
    let character = char::from_u32(number).filter(|character| is_character(*character))?;
    is_whole.then_some((character, end + 1))
}

/// Refuses a reference that is none, or to an entity that this profile does not have.
fn foreign(raw: &str, start: usize, position: usize) -> Refusal {
    let rest = &raw[start + 1..];
    match rest.find([';', '&', '<']) {
        Some(end) if rest[end..].starts_with(';') => {
            refuse(SamlRefusal::XmlEntity, position + start).found(&raw[start..=start + 1 + end])
        }
        _ => malformed("& without ;", position + start),
    }
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
