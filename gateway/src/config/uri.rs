//! Addresses that an operator registers. The same rules hold for the Management API.

use fedgate_providers::error::Refusal;
use url::{Host, Url};

use super::ConfigRefusal;

/// The longest address, in bytes.
const URI_BYTES: usize = 2048;

/// An origin over https, or over http on loopback, without a trailing slash.
///
/// # Errors
/// `config.public_url`
pub fn public_url(text: &str) -> Result<String, Refusal> {
    let refused = || {
        ConfigRefusal::PublicUrl
            .refuse()
            .expected("https://login.example.com")
            .found(text)
    };
    let url = Url::parse(text).map_err(|_| refused())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if text.len() > URI_BYTES || !bare || !is_web(&url) {
        return Err(refused());
    }
    Ok(url.origin().ascii_serialization())
}

/// A redirect URI (RFC 6749 3.1.2, RFC 8252 7): absolute, without a fragment; https, http on loopback, or a
/// private-use scheme with a dot in it. Compared exactly at a login, hence no wildcard.
///
/// # Errors
/// `config.redirect_uri`
pub fn redirect_uri(text: &str) -> Result<(), Refusal> {
    let sound =
        Url::parse(text).is_ok_and(|url| is_web(&url) || is_private_use(&url)) && is_plain(text);
    if sound { Ok(()) } else { Err(refused(text)) }
}

/// An address that the gateway or a browser calls: https, or http on loopback.
///
/// # Errors
/// `config.redirect_uri`
pub fn web_uri(text: &str) -> Result<(), Refusal> {
    let sound = Url::parse(text).is_ok_and(|url| is_web(&url)) && is_plain(text);
    if sound { Ok(()) } else { Err(refused(text)) }
}

fn refused(text: &str) -> Refusal {
    ConfigRefusal::RedirectUri
        .refuse()
        .expected("https://app.example.com/callback")
        .found(text)
}

/// The parser drops blanks and line breaks and reads a backslash as a slash; an exact comparison does not. A URI is ASCII
/// (RFC 3986 2): in another spelling it would pass here and be refused at every login.
fn is_plain(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '*' | '#' | '\\');
    text.len() <= URI_BYTES && text.is_ascii() && !text.contains(odd)
}

fn is_web(url: &Url) -> bool {
    let scheme = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(url),
        _ => false,
    };
    scheme && url.username().is_empty() && url.password().is_none()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// RFC 8252 7.1: a domain name under the app's control, in reverse order, so that there is a dot in it.
fn is_private_use(url: &Url) -> bool {
    url.scheme().contains('.')
}
