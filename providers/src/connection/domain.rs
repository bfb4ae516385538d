//! Home-realm domains: one spelling for each.

use url::Host;

use super::ConnectionRefusal;
use super::reader::Reader;

/// The most domains of one connection.
const DOMAINS_MOST: usize = 500;

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
