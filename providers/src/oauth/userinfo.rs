//! The user info endpoint (OpenID Connect Core section 5.3), asked when the ID token is thin.

use fedgate_certs::error::CertError;
use fedgate_certs::json;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use http::{Request, StatusCode};
use oauth2::AccessToken;
use serde_json::{Map, Value};
use url::Url;

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
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", access_token.secret()))
        .map_err(|_| malformed("an access token that fits into a header"))?;
    bearer.set_sensitive(true);
    let request = Request::get(endpoint.as_str())
        .header(ACCEPT, HeaderValue::from_static("application/json"))
        .header(AUTHORIZATION, bearer)
        .body(Vec::new())
        .map_err(|_| malformed("a valid endpoint"))?;
    let response = egress.send(request).await?;
    if response.status() != StatusCode::OK {
        return Err(OidcRefusal::UserinfoRefused
            .refuse()
            .expected(200)
            .found(response.status().as_u16()));
    }
    let claims = json::object(response.body(), CertError::NotAToken)
        .map_err(|error| malformed("one JSON object").detail(error))?;
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
