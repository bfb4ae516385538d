//! Which names of namespaces are accepted: absolute URIs in the one form that every reader stores alike.

use super::lexical::any_byte;

/// An absolute URI (RFC 3986 3) in the form that every reader stores alike: other implementations fail to
/// canonicalize one that they cannot parse, even where nothing uses it, and store an ampersand differently.
pub(super) fn is_absolute_uri(uri: &str) -> bool {
    let bytes = uri.as_bytes();
    let scheme = bytes
        .iter()
        .take_while(|b| uri_class(**b) == URI_SCHEME)
        .count();
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(scheme) == Some(&b':')
        && bytes.len() > scheme + 1
        && !any_byte(uri, |b| uri_class(b) == 0)
        && has_sound_authority(&uri[scheme + 1..])
        && uri.split('#').count() <= 2
}

/// Whether what follows `//`, if anything, is a host and perhaps a port; no user, no IPv6 address.
fn has_sound_authority(after_scheme: &str) -> bool {
    let Some(after) = after_scheme.strip_prefix("//") else {
        return true;
    };
    let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let port_sound = port.is_none_or(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'));
    let host_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    !host.is_empty() && host.bytes().all(host_byte) && port_sound
}

/// What a byte may be in a namespace: nothing, anything after the scheme, or also a part of it (RFC 3986 3.1).
const URI_CLASS: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        classes[byte as usize] = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.' => URI_SCHEME,
            // Markup, what RFC 3986 forbids, and escapes, which could be broken.
            b'&' | b'<' | b'>' | b'"' | b'%' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'['
            | b']' => 0,
            _ => URI_REST,
        };
        byte += 1;
    }
    classes
};
const URI_REST: u8 = 1;
const URI_SCHEME: u8 = 2;

fn uri_class(byte: u8) -> u8 {
    URI_CLASS[usize::from(byte)]
}
