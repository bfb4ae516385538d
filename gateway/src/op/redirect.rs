//! Answers that travel through the browser, and the URIs that they may travel to.

use axum::response::{IntoResponse as _, Response};
use fedgate_providers::login::Site;
use http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};
use url::form_urlencoded;

/// Where the answer to an authorization request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReturnTo {
    /// Registered for the application.
    pub(super) redirect_uri: String,
    /// Returned verbatim.
    pub(super) state: Option<String>,
}

impl ReturnTo {
    /// The redirect URI with `answer`, `state` and `iss` (RFC 9207).
    pub(super) fn location(&self, site: &Site, answer: &[(&str, &str)]) -> String {
        let mut pairs = answer.to_vec();
        pairs.extend(self.state.as_deref().map(|state| ("state", state)));
        pairs.push(("iss", &site.issuer));
        with_query(&self.redirect_uri, &pairs)
    }

    /// 303 to [`ReturnTo::location`].
    pub(super) fn send(&self, site: &Site, answer: &[(&str, &str)]) -> Response {
        redirect(&self.redirect_uri, self.location(site, answer))
    }
}

/// 303 to `uri` with `pairs` added to its query. 303 and not 302, so that a posted form never reaches the application
/// (RFC 9700 4.12).
pub(crate) fn see_other(uri: &str, pairs: &[(&str, &str)]) -> Response {
    redirect(uri, with_query(uri, pairs))
}

/// Whether a browser may be sent to `uri` at all: the last guard, behind the same rule at registration.
pub(super) fn is_usable(uri: &str) -> bool {
    crate::config::uri::redirect_uri(uri).is_ok()
}

/// The URI itself is kept octet for octet (RFC 6749 3.1.2).
fn with_query(uri: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    let joint = match uri.split_once('?') {
        _ if query.is_empty() => "",
        None => "?",
        Some((_, before)) if before.is_empty() || before.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{joint}{query}")
}

fn redirect(uri: &str, location: String) -> Response {
    match HeaderValue::try_from(location) {
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
    fn a_dangerous_uri_is_not_followed_even_if_it_was_registered() {
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
            "https://",
            "",
            "https://app.test/ü",
        ] {
            assert_eq!(
                see_other(uri, &[]).status(),
                StatusCode::INTERNAL_SERVER_ERROR,
                "{uri}"
            );
        }
    }
}
