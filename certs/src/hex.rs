//! Octets as lower-case hexadecimal digits, the form of ids and fingerprints.

use std::fmt::Write as _;

/// Appends octets to a prefix, two digits each.
pub fn with_prefix(prefix: impl Into<String>, octets: &[u8]) -> String {
    octets.iter().fold(prefix.into(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_is_two_digits() {
        assert_eq!(with_prefix("org_", &[0, 10, 255]), "org_000aff");
    }
}
