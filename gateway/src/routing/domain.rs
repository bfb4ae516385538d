//! From an e-mail address to its domain, in the one form that routes are stored in.

/// The longest address that is looked at (RFC 5321 4.5.3.1: 64 octets, `@`, 255 octets).
const ADDRESS_BYTES: usize = 320;

/// The domain of an address, lower-case and in ASCII (IDNA); `None` for what is no address.
pub fn of_address(address: &str) -> Option<String> {
    let address = address.trim();
    if address.len() > ADDRESS_BYTES || address.chars().any(|c| c.is_control() || c.is_whitespace())
    {
        return None;
    }
    let (local, domain) = address.rsplit_once('@')?;
    if local.is_empty() || local.contains('@') {
        return None;
    }
    normalized(domain)
}

/// A domain in the form that routes are stored in; `None` for an IP address or what is no domain.
pub fn normalized(domain: &str) -> Option<String> {
    fedgate_providers::connection::normalized_domain(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_one_form() {
        for (address, domain) in [
            ("alice@acme.test", "acme.test"),
            (" alice@ACME.test ", "acme.test"),
            ("alice@acme.test.", "acme.test"),
            ("alice@bücher.example", "xn--bcher-kva.example"),
            ("a+b@sub.acme.test", "sub.acme.test"),
        ] {
            assert_eq!(of_address(address).as_deref(), Some(domain), "{address}");
        }
    }

    #[test]
    fn what_is_no_address_has_no_domain() {
        for bad in [
            "",
            "@",
            "alice",
            "alice@",
            "@acme.test",
            "a@b@acme.test",
            "alice@127.0.0.1",
            "alice@[::1]",
            "a b@acme.test",
            "alice@localhost",
            "alice@acme.test/evil",
            "alice@acme.test:80",
            "alice@a\u{0}cme.test",
            "alice@acm%65.test",
        ] {
            assert_eq!(of_address(bad), None, "{bad:?}");
        }
        assert_eq!(of_address(&format!("{}@acme.test", "a".repeat(400))), None);
    }
}
