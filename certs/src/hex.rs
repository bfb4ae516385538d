//! Octets as lower-case hexadecimal digits, the form of ids and fingerprints.

use std::fmt::Write as _;

/// Appends octets to a prefix, two digits each.
pub fn with_prefix(prefix: impl Into<String>, octets: &[u8]) -> String {
    octets.iter().fold(prefix.into(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// The octets of hexadecimal digits; none where the text is anything else.
pub fn octets(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: &u8| {
        char::from(*octet)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_is_two_digits() {
        assert_eq!(with_prefix("org_", &[0, 10, 255]), "org_000aff");
        assert_eq!(octets("000aFf"), Some(vec![0, 10, 255]));
        for text in ["0", "0g", "é", "+1"] {
            assert_eq!(octets(text), None, "{text}");
        }
    }
}
