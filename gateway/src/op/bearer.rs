//! Bearer tokens (RFC 6750): where they come from, and how their absence is answered.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use fedgate_providers::error::{Blame, Refusal};
use http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::refusal::{OpRefusal, oauth_description, oauth_error};

/// The token of the `Authorization` header. Forms and queries are not read (RFC 6750 2.2, 2.3): they end up in logs.
///
/// # Errors
/// `op.token_missing` without exactly one `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let missing = || {
        OpRefusal::TokenMissing
            .refuse()
            .expected("Authorization: Bearer")
    };
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(missing());
    };
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .ok_or_else(missing)?;
    let token = token.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        Ok(token)
    } else {
        Err(missing())
    }
}

/// The value of `WWW-Authenticate` for a refused bearer token. A request without a token learns no error code
/// (RFC 6750 3.1).
fn challenge(refusal: &Refusal) -> String {
    if *refusal == OpRefusal::TokenMissing {
        return "Bearer realm=\"fedgate\"".to_owned();
    }
    let (error, description) = (oauth_error(refusal), oauth_description(refusal));
    format!("Bearer realm=\"fedgate\", error=\"{error}\", error_description=\"{description}\"")
}

/// 401 with the challenge, or 503 for a failure on our side.
pub(super) fn refused(refusal: &Refusal) -> Response {
    let body =
        json!({ "error": oauth_error(refusal), "error_description": oauth_description(refusal) });
    let not_stored = [(CACHE_CONTROL, "no-store")];
    if refusal.entry().blame == Blame::Gateway {
        return (StatusCode::SERVICE_UNAVAILABLE, not_stored, Json(body)).into_response();
    }
    let challenge = [(WWW_AUTHENTICATE, challenge(refusal))];
    (StatusCode::UNAUTHORIZED, not_stored, challenge, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn with(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                AUTHORIZATION,
                HeaderValue::from_str(value).expect("a header"),
            );
        }
        headers
    }

    #[test]
    fn the_token_comes_from_one_header() {
        assert_eq!(bearer(&with(&["Bearer a.b.c"])), Ok("a.b.c"));
        assert_eq!(bearer(&with(&["bearer  a.b.c"])), Ok("a.b.c"));
        for values in [
            &[][..],
            &["Basic YTpi"],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a", "Bearer b"],
            &["a.b.c"],
        ] {
            assert_eq!(
                bearer(&with(values)).expect_err("none"),
                OpRefusal::TokenMissing,
                "{values:?}"
            );
        }
    }

    #[test]
    fn the_challenge_names_an_error_only_for_a_token() {
        assert_eq!(
            challenge(&OpRefusal::TokenMissing.into()),
            "Bearer realm=\"fedgate\""
        );
        assert_eq!(
            challenge(&OpRefusal::TokenExpired.into()),
            "Bearer realm=\"fedgate\", error=\"invalid_token\", \
             error_description=\"op.token_expired: The access token has expired.\""
        );
    }
}
