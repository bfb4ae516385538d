//! Names, characters, references and white space of XML 1.0, as far as this profile allows them.

use std::borrow::Cow;

use crate::error::Refusal;
use crate::saml::refusal::SamlRefusal;

/// White space of XML 1.0 2.3 [3].
pub(super) const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A decoded value, and whether canonical XML writes it exactly as it stands in the source.
pub(super) struct Decoded<'s> {
    pub(super) value: Cow<'s, str>,
    pub(super) plain: bool,
}

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

/// The text between two pieces of markup: line ends normalized (XML 1.0 2.11), characters checked (2.2).
pub(super) fn text(raw: &str, position: usize) -> Result<Decoded<'_>, Refusal> {
    // Most texts need no more than this look.
    let special = any_byte(raw, |b| {
        (b < b' ' && b != b'\n' && b != b'\t') || b == b'>' || b == 0xEF
    });
    if !special {
        return Ok(Decoded {
            value: Cow::Borrowed(raw),
            plain: true,
        });
    }
    if let Some(at) = raw.find("]]>") {
        return Err(malformed("]]> in text", position + at));
    }
    check_characters(raw, position)?;
    let value = normalize_line_ends(raw);
    Ok(Decoded {
        plain: matches!(value, Cow::Borrowed(_)) && !value.contains('>'),
        value,
    })
}

/// The value of an attribute without its quotes: references replaced, white space normalized (XML 1.0 3.3.3).
pub(super) fn attribute_value(raw: &str, position: usize) -> Result<Decoded<'_>, Refusal> {
    let special = any_byte(raw, |b| {
        b < b' ' || b == b'&' || b == b'<' || b == b'"' || b == 0xEF
    });
    if !special {
        return Ok(Decoded {
            value: Cow::Borrowed(raw),
            plain: true,
        });
    }
    if let Some(at) = raw.find('<') {
        return Err(malformed("< in an attribute value", position + at));
    }
    check_characters(raw, position)?;
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
        value.push_str(&rest[..at]);
        let offset = position + raw.len() - rest.len() + at;
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('&') {
            let end = after
                .find(';')
                .ok_or_else(|| malformed("& without ;", offset))?;
            value.push(reference(&after[..end], offset)?);
            rest = &after[end + 1..];
        } else {
            value.push(' ');
            rest = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
        }
    }
    value.push_str(rest);
    Ok(Decoded {
        value: Cow::Owned(value),
        plain: false,
    })
}

/// The character that a reference stands for; `name` is what stands between `&` and `;`.
pub(super) fn reference(name: &str, position: usize) -> Result<char, Refusal> {
    let character = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => numeric_reference(name),
    };
    character.ok_or_else(|| {
        SamlRefusal::XmlEntity
            .refuse()
            .found(format_args!("&{name};"))
            .detail(at(position))
    })
}

fn numeric_reference(name: &str) -> Option<char> {
    let number = name.strip_prefix('#')?;
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // from_str_radix would also take a sign.
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let character = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
    is_character(character).then_some(character)
}

/// Char of XML 1.0 2.2 [2].
fn is_character(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn check_characters(raw: &str, position: usize) -> Result<(), Refusal> {
    match raw.char_indices().find(|(_, c)| !is_character(*c)) {
        None => Ok(()),
        Some((offset, c)) => Err(SamlRefusal::XmlMalformed
            .refuse()
            .found(format_args!("forbidden character U+{:04X}", u32::from(c)))
            .detail(at(position + offset))),
    }
}

fn normalize_line_ends(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\r') {
        return Cow::Borrowed(raw);
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(cut) = rest.find('\r') {
        value.push_str(&rest[..cut]);
        value.push('\n');
        rest = &rest[cut + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    value.push_str(rest);
    Cow::Owned(value)
}

/// `xml_malformed` with what was found and where.
pub(super) fn malformed(found: &str, position: usize) -> Refusal {
    SamlRefusal::XmlMalformed
        .refuse()
        .found(found)
        .detail(at(position))
}

/// The words for a position in the evidence.
pub(super) fn at(position: usize) -> String {
    format!("at byte {position}")
}
