//! Texts with what XML escapes, normalizes and orders, and the ways to write them.

use std::fmt::Write as _;

use crate::choices::Choices;

/// Pieces of text, ordinary and not.
const PIECES: [&str; 24] = [
    "staff", "a", " ", "&", "<", ">", "]]>", "\"", "'", "\n", "\t", "\r", "\r\n", "é", "e\u{301}",
    "漢字", "😀", "ß", "\u{a0}", "&amp;", "x=1", "\u{7f}", "\u{85}", "\u{fffd}",
];

/// A text of a few pieces; `plain` leaves out white space and control characters.
pub fn text(choices: &mut Choices<'_>, plain: bool) -> String {
    let count = 1 + choices.below(6);
    let mut text = String::new();
    for _ in 0..count {
        let piece = choices.pick(&PIECES);
        let left_out = plain
            && piece
                .chars()
                .any(|character| character.is_control() || character.is_whitespace());
        text.push_str(if left_out { "z" } else { piece });
    }
    text
}

/// Writes the text of an element.
pub fn write_text(value: &str, choices: &mut Choices<'_>, out: &mut String) {
    for character in value.chars() {
        match character {
            '&' => out.push_str(choices.pick(&["&amp;", "&#38;", "&#x26;"])),
            '<' => out.push_str(choices.pick(&["&lt;", "&#60;", "&#x3C;", "&#x3c;"])),
            '>' => out.push_str(choices.pick(&["&gt;", "&#62;", "&#x003e;"])),
            '\r' => out.push_str(choices.pick(&["&#13;", "&#xD;", "&#xd;"])),
            '\n' => out.push_str(choices.pick(&["\n", "\r\n", "&#10;", "&#xA;"])),
            other => character_or_reference(other, choices, out),
        }
    }
}

/// Writes the value of an attribute between quotation marks of a kind.
pub fn write_value(value: &str, choices: &mut Choices<'_>, out: &mut String) {
    let mark = choices.pick(&['"', '\'']);
    out.push(mark);
    for character in value.chars() {
        match character {
            '&' => out.push_str(choices.pick(&["&amp;", "&#38;"])),
            '<' => out.push_str(choices.pick(&["&lt;", "&#x3C;"])),
            '>' => out.push_str(choices.pick(&[">", "&gt;"])),
            '"' if mark == '"' => out.push_str(choices.pick(&["&quot;", "&#34;"])),
            '\'' if mark == '\'' => out.push_str(choices.pick(&["&apos;", "&#x27;"])),
            // As they stand, white space other than the blank would be read as blanks.
            '\r' => out.push_str(choices.pick(&["&#13;", "&#xD;"])),
            '\n' => out.push_str(choices.pick(&["&#10;", "&#xA;"])),
            '\t' => out.push_str(choices.pick(&["&#9;", "&#x9;"])),
            ' ' => out.push_str(choices.pick(&[" ", " ", " ", "\n", "\t", "&#32;"])),
            other => character_or_reference(other, choices, out),
        }
    }
    out.push(mark);
}

fn character_or_reference(character: char, choices: &mut Choices<'_>, out: &mut String) {
    match choices.below(40) {
        1 => write!(out, "&#{};", u32::from(character)),
        2 => write!(out, "&#x{:x};", u32::from(character)),
        _ => out.write_char(character),
    }
    .expect("a string takes all");
}
