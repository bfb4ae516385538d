//! Writing XML: the one escape function, and times as SAML wants them.

use std::fmt::{self, Write as _};

use fedgate_certs::Timestamp;

/// Text or an attribute's value, escaped for both places. What XML 1.0 cannot hold comes out as U+FFFD.
pub(super) struct Escaped<'t>(pub(super) &'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&apos;")?,
                // Written raw, these are normalized to a space or a line feed (XML 1.0, 2.11 and 3.3.3).
                '\t' | '\n' | '\r' => write!(f, "&#x{:X};", u32::from(character))?,
                '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}')?,
                _ => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// Text as Exclusive XML Canonicalization writes it (Canonical XML 1.0 2.3). What XML 1.0 cannot hold comes out as U+FFFD.
pub(super) struct CanonicalText<'t>(pub(super) &'t str);

/// An attribute's value, likewise.
pub(super) struct CanonicalAttribute<'t>(pub(super) &'t str);

impl fmt::Display for CanonicalText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        canonical(self.0, f, |character| match character {
            '>' => Some("&gt;"),
            _ => None,
        })
    }
}

impl fmt::Display for CanonicalAttribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        canonical(self.0, f, |character| match character {
            '"' => Some("&quot;"),
            '\t' => Some("&#x9;"),
            '\n' => Some("&#xA;"),
            _ => None,
        })
    }
}

fn canonical(
    text: &str,
    f: &mut fmt::Formatter<'_>,
    replacement: fn(char) -> Option<&'static str>,
) -> fmt::Result {
    for character in text.chars() {
        match character {
            '&' => f.write_str("&amp;")?,
            '<' => f.write_str("&lt;")?,
            '\r' => f.write_str("&#xD;")?,
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                f.write_char('\u{fffd}')?;
            }
            other => match replacement(other) {
                Some(replacement) => f.write_str(replacement)?,
                None => f.write_char(other)?,
            },
        }
    }
    Ok(())
}

/// An xs:dateTime in UTC, whole seconds (SAML core 1.3.3 relies on nothing finer than milliseconds).
pub(super) fn date_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_from_text_or_attribute() {
        assert_eq!(
            Escaped("a\"b'c<d>e&f\u{0}\u{1}\u{ffff}\n\t").to_string(),
            "a&quot;b&apos;c&lt;d&gt;e&amp;f\u{fffd}\u{fffd}\u{fffd}&#xA;&#x9;"
        );
    }

    #[test]
    fn a_time_is_written_in_utc_without_a_fraction() {
        let at: Timestamp = "2026-01-02T03:04:05.987Z".parse().expect("a time");
        assert_eq!(date_time(at), "2026-01-02T03:04:05Z");
    }
}
