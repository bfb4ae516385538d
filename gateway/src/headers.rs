//! Security headers of every answer.

use axum::response::Response;
use fedgate_providers::login::Site;
use http::{HeaderName, HeaderValue, header};
use url::Url;

/// Where a page's form may lead in the end: an extension of answers whose form begins a login for an application.
#[derive(Clone, Debug)]
pub struct FormLeadsTo(pub String);

/// What no page of ours uses.
const PERMISSIONS: &str =
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";

/// Adds what the answer does not say itself.
pub fn protect(site: &Site, path: &str, answer: &mut Response) {
    let policy = policy(site, answer.extensions().get::<FormLeadsTo>());
    let cached = answer.headers().contains_key(header::CACHE_CONTROL);
    let headers = answer.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers
            .entry(header::CONTENT_SECURITY_POLICY)
            .or_insert(policy);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The origin alone, also to an identity provider: `same-origin` would make browsers send `Origin: null` with
        // the form that posts itself there, which some refuse.
        (header::REFERRER_POLICY, "strict-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            opener_policy(path),
        ),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if !cached {
        // Whatever does not say that it may be kept is for one person at one moment.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if site.is_https() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
}

/// Applications sign people in in a window that they opened, and wait for it: cutting that tie on the way would leave
/// them waiting. An administrator's page has no opener to keep.
fn opener_policy(path: &str) -> &'static str {
    if path.starts_with("/setup/") {
        "same-origin"
    } else {
        "unsafe-none"
    }
}

/// Browsers apply `form-action` to the redirects after a form as well, and an identity provider may be anywhere: so any
/// https address is allowed (and http, where the site itself is on loopback). Where the person is signed in there already,
/// these redirects run on to the application, which may be a native one.
fn policy(site: &Site, leads_to: Option<&FormLeadsTo>) -> String {
    let plain = if site.is_https() { "" } else { " http:" };
    let application = leads_to
        .and_then(|FormLeadsTo(uri)| form_source(uri))
        .unwrap_or_default();
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
         form-action 'self' https:{plain}{application}; frame-ancestors 'none'; base-uri 'none'"
    )
}

/// The source expression of a native application's redirect URI: its private-use scheme, or its port on loopback
/// (RFC 8252 7.1 and 7.3). None for https.
fn form_source(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    match url.scheme() {
        "https" => None,
        "http" => Some(format!(" {}", url.origin().ascii_serialization())),
        // The characters of a scheme (RFC 3986 3.1) end no source expression.
        scheme => Some(format!(" {scheme}:")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_native_application_is_reached_from_a_form() {
        let site = |base: &str| Site {
            base_url: base.to_owned(),
            issuer: base.to_owned(),
        };
        let https = site("https://login.example.com");
        let form_action = |site: &Site, uri: Option<&str>| {
            let policy = policy(site, uri.map(|uri| FormLeadsTo(uri.to_owned())).as_ref());
            let directives = policy.split("; ").map(str::to_owned);
            directives
                .into_iter()
                .find_map(|directive| directive.strip_prefix("form-action ").map(str::to_owned))
                .unwrap()
        };
        for (uri, expected) in [
            (None, "'self' https:"),
            (Some("https://app.example/cb"), "'self' https:"),
            (
                Some("com.example.app:/cb"),
                "'self' https: com.example.app:",
            ),
            (
                Some("http://127.0.0.1:3366/cb"),
                "'self' https: http://127.0.0.1:3366",
            ),
            (
                Some("http://[::1]:3366/cb"),
                "'self' https: http://[::1]:3366",
            ),
            (Some("not a URL; script-src *"), "'self' https:"),
        ] {
            assert_eq!(form_action(&https, uri), expected);
        }
        let loopback = site("http://127.0.0.1:8080");
        assert_eq!(form_action(&loopback, None), "'self' https: http:");
    }
}
