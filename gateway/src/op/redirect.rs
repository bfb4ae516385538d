//! Answers that travel through the browser, and the URIs that they may travel to.

use axum::response::{IntoResponse as _, Response};
use fedgate_providers::login::Site;
use http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};
use url::{Url, form_urlencoded};

/// Schemes that run or show what the URI itself holds, in the origin of the page before.
const ACTIVE_SCHEMES: [&str; 7] = [
    "javascript",
    "data",
    "vbscript",
    "blob",
    "file",
    "about",
    "view-source",
];

/// Where the answer to an authorization request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReturnTo {
    /// Registered for the application.
    pub(super) redirect_uri: String,
    /// Returned verbatim.
    pub(super) state: Option<String>,
}

impl ReturnTo {
    /// 303 to the redirect URI with `answer`, `state` and `iss` (RFC 9207).
    pub(super) fn send(&self, site: &Site, answer: &[(&str, &str)]) -> Response {
        let mut pairs = answer.to_vec();
        pairs.extend(self.state.as_deref().map(|state| ("state", state)));
        pairs.push(("iss", &site.issuer));
        see_other(&self.redirect_uri, &pairs)
    }
}

/// 303 to `uri` with `pairs` added to its query. The URI itself is kept octet for octet (RFC 6749 3.1.2).
/// 303 and not 302, so that a posted form never reaches the application (RFC 9700 4.12).
pub(crate) fn see_other(uri: &str, pairs: &[(&str, &str)]) -> Response {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    let joint = match uri.split_once('?') {
        _ if query.is_empty() => "",
        None => "?",
        Some((_, before)) if before.is_empty() || before.ends_with('&') => "",
        Some(_) => "&",
    };
    match HeaderValue::try_from(format!("{uri}{joint}{query}")) {
        Ok(location) if is_usable(uri) => {
            // The pages before this one are the identity provider's and ours: their addresses are nobody's business.
            let privacy = [
                (CACHE_CONTROL, "no-store"),
                (REFERRER_POLICY, "no-referrer"),
            ];
            (StatusCode::SEE_OTHER, privacy, [(LOCATION, location)]).into_response()
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether a browser may be sent to `uri` at all: the last guard, behind [`redirect_uri_problem`] at registration.
pub(super) fn is_usable(uri: &str) -> bool {
    redirect_uri_problem(uri).is_none()
}

/// Why `uri` may not be registered as a redirect URI or post-logout redirect URI; none where it may.
/// `http` is for loopback only (RFC 8252 8.3); other schemes are those of native applications.
pub fn redirect_uri_problem(uri: &str) -> Option<&'static str> {
    if uri.bytes().any(|b| {
        !matches!(b, b'!'..=b'~')
            || matches!(
                b,
                b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}'
            )
    }) {
        return Some("it holds characters that a URI cannot hold");
    }
    if uri.contains('#') {
        return Some("it has a fragment (RFC 6749 3.1.2)");
    }
    if uri.contains('*') {
        return Some("it has a wildcard; redirect URIs are compared exactly");
    }
    let Ok(url) = Url::parse(uri) else {
        return Some("it is not an absolute URI");
    };
    if ACTIVE_SCHEMES.contains(&url.scheme()) {
        return Some("its scheme runs or shows what the URI holds");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("it holds a user name or a password");
    }
    match url.scheme() {
        "http" if !is_loopback(&url) => Some("it is http on a host that is not loopback"),
        "http" | "https" if !uri.contains("://") => Some("its scheme is not followed by `//`"),
        _ => None,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(response: &Response) -> &str {
        response.headers()[LOCATION].to_str().expect("ASCII")
    }

    #[test]
    fn an_answer_keeps_the_query_that_the_redirect_uri_has() {
        let pairs = [("code", "c"), ("state", "a&b=c")];
        for (uri, expected) in [
            (
                "https://app.test/cb",
                "https://app.test/cb?code=c&state=a%26b%3Dc",
            ),
            (
                "https://app.test/cb?",
                "https://app.test/cb?code=c&state=a%26b%3Dc",
            ),
            (
                "https://app.test/cb?tenant=1",
                "https://app.test/cb?tenant=1&code=c&state=a%26b%3Dc",
            ),
            (
                "com.example.app:/cb",
                "com.example.app:/cb?code=c&state=a%26b%3Dc",
            ),
        ] {
            assert_eq!(location(&see_other(uri, &pairs)), expected);
        }
    }

    #[test]
    fn a_line_break_in_state_cannot_split_the_response() {
        let response = see_other("https://app.test/cb", &[("state", "x\r\nSet-Cookie: a=b")]);
        assert_eq!(
            location(&response),
            "https://app.test/cb?state=x%0D%0ASet-Cookie%3A+a%3Db"
        );
        assert!(!response.headers().contains_key("set-cookie"));
    }

    #[test]
    fn the_browser_is_told_to_name_no_referrer_and_to_store_nothing() {
        let response = see_other("https://app.test/cb", &[]);
        assert_eq!(response.headers()[REFERRER_POLICY], "no-referrer");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
    }

    #[test]
    fn a_dangerous_uri_is_neither_registered_nor_followed() {
        for uri in [
            "javascript:alert(1)",
            "JavaScript://app.test/%0aalert(1)",
            "data:text/html,x",
            "https://app.test/cb#x",
            "https://user:pw@app.test/cb",
            "http://app.test/cb",
            "http://127.0.0.1.evil.test/cb",
            "/cb",
            "//app.test/cb",
            "https://app.test/cb\r\nX: y",
            "https://app.test\\@evil.test/",
            "https://*.app.test/cb",
            "https:app.test/cb",
            "https://",
            "",
            "https://app.test/ü",
        ] {
            assert!(redirect_uri_problem(uri).is_some(), "{uri}");
            assert_eq!(
                see_other(uri, &[]).status(),
                StatusCode::INTERNAL_SERVER_ERROR,
                "{uri}"
            );
        }
    }

    #[test]
    fn uris_of_web_loopback_and_native_applications_may_be_registered() {
        for uri in [
            "https://app.test/cb?a=b",
            "http://127.0.0.1:3366/cb",
            "http://[::1]/cb",
            "http://localhost:3000/cb",
            "com.example.app:/oauth",
            "myapp://callback",
        ] {
            assert_eq!(redirect_uri_problem(uri), None, "{uri}");
        }
    }
}
