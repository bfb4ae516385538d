//! The user info endpoint (OpenID Connect Core section 5.3), asked when the ID token is thin.

use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use oauth2::AccessToken;
use serde_json::{Map, Value};
use url::Url;

use super::call::{bearer, document};
use crate::egress::Egress;
use crate::error::Refusal;
use crate::oidc::OidcRefusal;

/// Fetches the claims behind an access token that we redeemed ourselves. Only JSON is read, and only when its
/// `sub` is the ID token's: otherwise the access token could be anybody's (section 5.3.2).
///
/// # Errors
/// An `egress` leaf, `oidc.userinfo_refused`, `oidc.userinfo_malformed` or `oidc.userinfo_subject_mismatch`.
pub(super) async fn fetch(
    egress: &Egress,
    endpoint: &Url,
    access_token: &AccessToken,
    subject: &str,
) -> Result<Map<String, Value>, Refusal> {
    let request = Request::get(endpoint.as_str())
        .header(ACCEPT, HeaderValue::from_static("application/json"))
        .header(AUTHORIZATION, bearer(access_token)?)
        .body(Vec::new())
        .map_err(|_| malformed("a valid endpoint"))?;
    let Value::Object(claims) = document(&egress.send(request).await?)? else {
        return Err(malformed("one JSON object"));
    };
    match claims.get("sub").and_then(Value::as_str) {
        Some(found) if found == subject => Ok(claims),
        found => Err(OidcRefusal::UserinfoSubjectMismatch
            .refuse()
            .expected(subject)
            .found(found.unwrap_or("no sub"))),
    }
}

fn malformed(expected: &str) -> Refusal {
    OidcRefusal::UserinfoMalformed.refuse().expected(expected)
}
