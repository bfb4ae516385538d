//! Who sends a request: the address at the other end of the connection, or the one that trusted proxies in front name.
//!
//! `X-Forwarded-For`, and RFC 7239's `Forwarded` where that is absent, are read from the right: each entry was written
//! by the hop before it, so an entry counts only as long as that hop is trusted. Whatever a client writes in there
//! itself stands further left. `X-Forwarded-Proto`, `-Host` and `proto=`, `host=` are never read: the public URL is
//! configured.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName, header};

use crate::config::Network;

/// The de-facto header of proxies.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Proxies behind each other that are believed.
const MOST_HOPS: usize = 16;
/// What is read of these headers, in bytes, from the right.
const MOST_BYTES: usize = 4096;

/// The other end of the connection, as the listener saw it: an extension of every request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The address that a request counts for: an extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    /// In canonical form: an IPv4 address never comes in IPv6 clothes. Unspecified where the listener is a test's.
    pub address: IpAddr,
    /// Whether a trusted proxy is at the other end of the connection: then its other headers are believed, too.
    pub through_proxy: bool,
    /// Whether somebody who is not trusted claims to forward: a proxy that is not configured, or a client that makes it up.
    pub claims_forwarding: bool,
}

impl ClientAddress {
    /// Reads the address of a request that came from `peer`.
    pub fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> Self {
        let peer = peer.to_canonical();
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        if !is_trusted(peer) {
            return Self {
                address: peer,
                through_proxy: false,
                claims_forwarding: headers.contains_key(X_FORWARDED_FOR)
                    || headers.contains_key(header::FORWARDED),
            };
        }
        let mut address = peer;
        for entry in hops(headers).into_iter().rev().take(MOST_HOPS) {
            // What is no address hides the client: the proxy that passed it on is the nearest that is known.
            let Some(named) = entry else { break };
            address = named;
            if !is_trusted(address) {
                break;
            }
        }
        Self {
            address,
            through_proxy: true,
            claims_forwarding: false,
        }
    }

    /// What limits count for: the address, or its /64 in IPv6, which one subscriber has whole. None on loopback: that
    /// is the operator, or a proxy on this machine that is not configured, and never one client.
    pub fn counted(&self) -> Option<[u8; 16]> {
        match self.address {
            address if address.is_loopback() || address.is_unspecified() => None,
            IpAddr::V4(address) => Some(address.to_ipv6_mapped().octets()),
            IpAddr::V6(address) => {
                let network = u128::from(address) & (u128::MAX << 64);
                Some(Ipv6Addr::from(network).octets())
            }
        }
    }
}

/// What the proxies wrote, left to right: an address each, or none where an entry is not one.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let forwarded_for = joined(headers, &X_FORWARDED_FOR);
    if !forwarded_for.is_empty() {
        return forwarded_for.split(',').map(node).collect();
    }
    let forwarded = joined(headers, &header::FORWARDED);
    if forwarded.is_empty() {
        return Vec::new();
    }
    outside_quotes(&forwarded, ',')
        .into_iter()
        .map(|element| {
            let pairs = outside_quotes(element, ';');
            let mut named = pairs.into_iter().filter_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                name.trim().eq_ignore_ascii_case("for").then_some(value)
            });
            // RFC 7239 4: a parameter occurs once. Two would leave it to the reader whom to believe.
            match (named.next(), named.next()) {
                (Some(value), None) => node(value.trim().trim_matches('"')),
                _ => None,
            }
        })
        .collect()
}

/// Every line of a header as one list (RFC 9110 5.3), the end of it where it is long. What is no text is an entry that
/// is no address.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|line| line.to_str().unwrap_or("?"))
        .collect();
    let mut list = lines.join(",");
    if list.len() > MOST_BYTES {
        // Visible ASCII alone passes `to_str`, so every octet is a boundary.
        list.drain(..list.len() - MOST_BYTES);
    }
    list
}

/// An entry's address: alone, or with a port, or an IPv6 address in brackets (RFC 7239 6).
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => match text.split_once(':') {
            Some((address, port)) if !port.contains(':') => address,
            _ => text,
        },
    };
    address.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// Parts between separators that stand outside quoted strings.
fn outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(|character: char| {
        let separates = character == separator && !quoted;
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && character == '\\' && !escaped;
        separates
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const PROXIES: [&str; 2] = ["10.0.0.0/8", "2001:db8:ffff::/48"];

    fn read(peer: &str, lines: &[(&'static str, &str)]) -> String {
        let trusted: Vec<_> = PROXIES
            .iter()
            .filter_map(|text| Network::parse(text))
            .collect();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let read = ClientAddress::of(peer.parse().unwrap(), &headers, &trusted);
        read.address.to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        for header in [
            ("x-forwarded-for", "198.51.100.1"),
            ("forwarded", "for=198.51.100.1"),
        ] {
            assert_eq!(read("203.0.113.9", &[header]), "203.0.113.9");
            assert_eq!(read("10.0.0.1", &[header]), "198.51.100.1");
            assert_eq!(read("::ffff:10.0.0.1", &[header]), "198.51.100.1");
        }
    }

    #[test]
    fn what_a_client_wrote_itself_stands_left_of_what_counts() {
        let spoofed = "127.0.0.1, 10.9.9.9, 198.51.100.1, 203.0.113.9";
        assert_eq!(
            read("10.0.0.1", &[("x-forwarded-for", spoofed)]),
            "203.0.113.9"
        );
        let through_two = "198.51.100.1, 203.0.113.9, 10.0.0.2";
        assert_eq!(
            read("10.0.0.1", &[("x-forwarded-for", through_two)]),
            "203.0.113.9"
        );
        let lines = [
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-for", "203.0.113.9"),
        ];
        assert_eq!(read("10.0.0.1", &lines), "203.0.113.9");
        let spoofed = "for=127.0.0.1, for=198.51.100.1, for=203.0.113.9;proto=https";
        assert_eq!(read("10.0.0.1", &[("forwarded", spoofed)]), "203.0.113.9");
    }

    #[test]
    fn the_header_that_proxies_write_goes_before_one_that_passes_through() {
        let both = [
            ("forwarded", "for=198.51.100.1"),
            ("x-forwarded-for", "203.0.113.9"),
        ];
        assert_eq!(read("10.0.0.1", &both), "203.0.113.9");
    }

    #[test]
    fn an_entry_that_is_no_address_ends_the_reading_at_the_proxy() {
        for hidden in [
            "unknown",
            "_secret",
            "",
            "203.0.113.9 , nonsense",
            "é",
            "203.0.113.9, [::1",
        ] {
            assert_eq!(
                read("10.0.0.1", &[("x-forwarded-for", hidden)]),
                "10.0.0.1",
                "{hidden}"
            );
        }
        for hidden in [
            "for=unknown",
            "for=_x",
            "proto=https",
            "for=198.51.100.1;for=203.0.113.9",
            "for",
        ] {
            assert_eq!(
                read("10.0.0.1", &[("forwarded", hidden)]),
                "10.0.0.1",
                "{hidden}"
            );
        }
        assert_eq!(read("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn addresses_are_read_in_every_spelling() {
        for (entry, address) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            assert_eq!(read("10.0.0.1", &[("x-forwarded-for", entry)]), address);
        }
        for element in [
            "For=\"[2001:db8::1]:4711\"",
            "proto=http; for=\"[2001:db8::1]\";by=10.0.0.1",
        ] {
            assert_eq!(read("10.0.0.1", &[("forwarded", element)]), "2001:db8::1");
        }
    }

    #[test]
    fn a_quoted_comma_splits_nothing() {
        let spoofed = "for=\"x, for=198.51.100.1, \\\"\", for=203.0.113.9";
        assert_eq!(read("10.0.0.1", &[("forwarded", spoofed)]), "203.0.113.9");
        let hidden = "for=203.0.113.9, for=\"198.51.100.1, 198.51.100.2\"";
        assert_eq!(read("10.0.0.1", &[("forwarded", hidden)]), "10.0.0.1");
    }

    #[test]
    fn a_long_list_is_read_from_the_right() {
        let long = format!("{}203.0.113.9", "198.51.100.1, ".repeat(100_000));
        assert_eq!(
            read("10.0.0.1", &[("x-forwarded-for", &long)]),
            "203.0.113.9"
        );
        let proxies = format!("203.0.113.9{}", ", 10.0.0.7".repeat(1000));
        assert_eq!(
            read("10.0.0.1", &[("x-forwarded-for", &proxies)]),
            "10.0.0.7"
        );
    }

    #[test]
    fn a_subscriber_of_ipv6_counts_once() {
        let counted = |address: &str| {
            let address = address.parse().unwrap();
            ClientAddress {
                address,
                through_proxy: false,
                claims_forwarding: false,
            }
            .counted()
        };
        assert_eq!(counted("2001:db8:1:2::1"), counted("2001:db8:1:2:ffff::9"));
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"));
        assert_ne!(counted("203.0.113.9"), counted("203.0.113.10"));
        assert_eq!(
            (counted("127.0.0.1"), counted("::1"), counted("0.0.0.0")),
            (None, None, None)
        );
    }
}
