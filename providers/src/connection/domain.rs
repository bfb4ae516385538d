//! Home-realm domains: one spelling for each.

use url::Host;

use super::ConnectionRefusal;
use super::reader::Reader;

/// The most domains of one connection.
const DOMAINS_MOST: usize = 500;
/// The longest address that is looked at (RFC 5321 4.5.3.1: 64 octets, `@`, 255 octets).
const ADDRESS_BYTES: usize = 320;

/// The one spelling of a domain: lower-case, in ASCII (RFC 5891), without a leading `@` and a trailing dot.
/// `None` unless it is a name of two labels or more: a lone top-level domain would take everybody's addresses.
pub fn normalized_domain(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix('@').unwrap_or(text);
    let text = text.strip_suffix('.').unwrap_or(text);
    // The host parser reads percent-escapes, which no e-mail domain has.
    if text.is_empty() || text.len() > 253 || text.contains('%') {
        return None;
    }
    let Ok(Host::Domain(name)) = Host::parse(text) else {
        return None;
    };
    let sound = name.len() <= 253 && name.contains('.') && name.split('.').all(is_label);
    sound.then_some(name)
}

/// The domain of an e-mail address, in that one spelling; `None` for what is no plain address. A quoted local part
/// with an `@` in it (RFC 5321 4.1.2) is refused: two readers would find two domains.
pub fn domain_of_address(address: &str) -> Option<String> {
    if address.len() > ADDRESS_BYTES || address.chars().any(|c| c.is_control() || c.is_whitespace())
    {
        return None;
    }
    let (local, domain) = address.rsplit_once('@')?;
    let plain = !local.is_empty() && !local.contains('@');
    plain.then(|| normalized_domain(domain)).flatten()
}

/// The one spelling of a plain e-mail address: its domain as [`domain_of_address`] writes it, and the ASCII letters of
/// its local part in lower case. Nothing else is folded, since no more than that is common to all mail systems:
/// `ann+tag`, `a.nn`, other alphabets and other compositions of the same letter are other people.
pub fn normalized_address(address: &str) -> Option<String> {
    let domain = domain_of_address(address)?;
    let (local, _) = address.rsplit_once('@')?;
    Some(format!("{}@{domain}", local.to_ascii_lowercase()))
}

/// RFC 1123 2.1: letters, digits and inner hyphens.
fn is_label(label: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

pub(super) fn home_realm_domains(reader: &mut Reader<'_>) -> Vec<String> {
    let name = "home_realm_domains";
    let mut seen = std::collections::HashSet::new();
    let mut domains = Vec::new();
    for (index, text) in reader.texts(name, DOMAINS_MOST) {
        match normalized_domain(text) {
            None => {
                let refusal = ConnectionRefusal::Domain
                    .refuse()
                    .expected("example.com")
                    .found(text);
                reader.problem(refusal, &format!("{name}.{index}"));
            }
            Some(domain) if seen.insert(domain.clone()) => domains.push(domain),
            Some(domain) => {
                let refusal = ConnectionRefusal::DomainRepeated.refuse().found(domain);
                reader.problem(refusal, &format!("{name}.{index}"));
            }
        }
    }
    domains
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_of_an_address_has_one_spelling() {
        for (address, domain) in [
            ("alice@acme.test", "acme.test"),
            ("alice@ACME.test", "acme.test"),
            ("alice@acme.test.", "acme.test"),
            ("alice@bücher.example", "xn--bcher-kva.example"),
            ("a+b@sub.acme.test", "sub.acme.test"),
        ] {
            assert_eq!(
                domain_of_address(address).as_deref(),
                Some(domain),
                "{address}"
            );
        }
    }

    #[test]
    fn what_is_no_plain_address_has_no_domain() {
        for bad in [
            "",
            "@",
            "alice",
            "alice@",
            "@acme.test",
            "a@b@acme.test",
            "\"ann@example.com\"@evil.test",
            "alice@127.0.0.1",
            "alice@[::1]",
            "a b@acme.test",
            "alice@acme.test ",
            "alice@localhost",
            "alice@acme.test/evil",
            "alice@acme.test:80",
            "alice@a\u{0}cme.test",
        ] {
            assert_eq!(domain_of_address(bad), None, "{bad:?}");
        }
        assert_eq!(
            domain_of_address(&format!("{}@acme.test", "a".repeat(400))),
            None
        );
    }

    #[test]
    fn an_address_has_one_spelling_and_no_more_than_one() {
        let ann = Some("ann@acme.test");
        for same in ["ann@acme.test", "Ann@ACME.test", "ann@acme.test."] {
            assert_eq!(normalized_address(same).as_deref(), ann, "{same}");
        }
        let umlaut = Some("ann@xn--bcher-kva.example".to_owned());
        assert_eq!(normalized_address("Ann@BÜCHER.example"), umlaut);
        assert_eq!(normalized_address("ann@xn--bcher-kva.example"), umlaut);
        for other in [
            "ann+tag@acme.test",
            "a.nn@acme.test",
            "аnn@acme.test",
            "ａnn@acme.test",
            "ann\u{301}@acme.test",
            "ann\u{200b}@acme.test",
            "ann@аcme.test",
            "ann@acme.test..",
            "\"ann\"@acme.test",
            " ann@acme.test",
        ] {
            assert_ne!(normalized_address(other).as_deref(), ann, "{other:?}");
        }
        // KELVIN SIGN: Unicode would fold it to k.
        assert_eq!(
            normalized_address("\u{212a}im@acme.test").as_deref(),
            Some("\u{212a}im@acme.test")
        );
    }
}
