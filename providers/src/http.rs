//! Between the oauth2 crate and the guarded client: sends one token request, and writes the odd replies that
//! providers give as the one reply that RFC 6749 section 5 describes.

use std::pin::Pin;

use fedgate_certs::error::CertError;
use fedgate_certs::json;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use serde_json::{Map, Value};

use crate::egress::Egress;
use crate::error::Refusal;
use crate::oauth::OauthRefusal;

/// Sends token requests through the guarded client.
#[derive(Debug)]
pub(crate) struct TokenHttp<'e> {
    egress: &'e Egress,
    /// Members that tell an error where `error` is missing.
    error_members: &'e [String],
}

impl<'e> TokenHttp<'e> {
    pub(crate) fn new(egress: &'e Egress, error_members: &'e [String]) -> Self {
        Self {
            egress,
            error_members,
        }
    }
}

impl<'c> AsyncHttpClient<'c> for TokenHttp<'_> {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Refusal>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { normalized(&self.egress.send(request).await?, self.error_members) })
    }
}

/// Rewrites a token reply as JSON with status 200, or as an error with status 400.
///
/// # Errors
/// `oauth.upstream_unavailable` for an outage, `oauth.client_rejected` for a bare 401, `oauth.token_malformed`
/// for everything that is neither tokens nor an error.
pub(crate) fn normalized(
    reply: &HttpResponse,
    error_members: &[String],
) -> Result<HttpResponse, Refusal> {
    let read = members(reply.body());
    if let Ok(members) = &read
        && let Some(error) = error_of(members).or_else(|| own_error(members, error_members))
    {
        return Ok(response(StatusCode::BAD_REQUEST, &error));
    }
    match reply.status() {
        status if status.is_success() => Ok(response(StatusCode::OK, &tokens(&read?)?)),
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Err(OauthRefusal::UpstreamUnavailable
                .refuse()
                .found(status.as_u16()))
        }
        StatusCode::UNAUTHORIZED => Err(OauthRefusal::ClientRejected.refuse().found(401)),
        status => Err(OauthRefusal::TokenMalformed
            .refuse()
            .expected(200)
            .found(status.as_u16())),
    }
}

/// JSON, or the form that GitHub and older servers send, whatever the content type says.
fn members(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.trim_ascii_start().starts_with(b"{") {
        return json::object(body, CertError::NotAToken)
            .map_err(|error| malformed("not one JSON object").detail(error));
    }
    let mut members = Map::new();
    for (name, value) in url::form_urlencoded::parse(body).into_owned() {
        if members.insert(name, Value::String(value)).is_some() {
            return Err(malformed("a field occurs twice"));
        }
    }
    Ok(members)
}

/// An error, also one that comes with status 200 (GitHub), or as `ok: false` (Slack).
fn error_of(members: &Map<String, Value>) -> Option<Value> {
    let failed = members.get("ok") == Some(&Value::Bool(false));
    let error = match members.get("error") {
        None | Some(Value::Null) if !failed => return None,
        Some(Value::String(code)) => code.clone(),
        Some(other) => other
            .get("code")
            .or(other.get("type"))
            .and_then(Value::as_str)
            .unwrap_or("unknown")
            .to_owned(),
        None => "unknown".to_owned(),
    };
    let description = members
        .get("error_description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Some(serde_json::json!({ "error": error, "error_description": description }))
}

/// An error in a member of the provider's own (Twitch: `message`), in a reply that holds no token.
fn own_error(members: &Map<String, Value>, names: &[String]) -> Option<Value> {
    let names = names
        .iter()
        .filter(|_| !members.contains_key("access_token"));
    let mut told = names.filter_map(|name| members.get(name)?.as_str());
    Some(serde_json::json!({ "error": told.next()?, "error_description": "" }))
}

fn tokens(members: &Map<String, Value>) -> Result<Value, Refusal> {
    let text = |name: &str| {
        members
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let access_token = text("access_token").ok_or_else(|| malformed("access_token is missing"))?;
    let token_type = text("token_type").unwrap_or("bearer");
    if !token_type.eq_ignore_ascii_case("bearer") {
        return Err(malformed("token_type is not Bearer").found(token_type));
    }
    let mut tokens = serde_json::json!({ "access_token": access_token, "token_type": "bearer" });
    if let Some(id_token) = text("id_token") {
        tokens["id_token"] = id_token.into();
    }
    if let Some(seconds) = seconds(members.get("expires_in")) {
        tokens["expires_in"] = seconds.into();
    }
    if let Some(scope) = members
        .get("scope")
        .or(members.get("scopes"))
        .and_then(scope)
    {
        tokens["scope"] = scope.into();
    }
    Ok(tokens)
}

/// A number or a numeric string; anything else is as good as absent.
fn seconds(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A list, or a string divided by blanks or commas.
fn scope(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.replace(',', " ")),
        Value::Array(items) => Some(
            items
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(" "),
        ),
        _ => None,
    }
}

fn malformed(detail: &str) -> Refusal {
    OauthRefusal::TokenMalformed.refuse().detail(detail)
}

fn response(status: StatusCode, body: &Value) -> HttpResponse {
    let mut response = Response::new(body.to_string().into_bytes());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Result<(u16, Value), Refusal> {
        let reply = Response::builder()
            .status(status)
            .body(body.as_bytes().to_vec())
            .unwrap();
        normalized(&reply, &["message".to_owned()]).map(|r| {
            (
                r.status().as_u16(),
                serde_json::from_slice(r.body()).unwrap(),
            )
        })
    }

    #[test]
    fn replies_in_every_dress_are_the_same_reply() {
        let plain = serde_json::json!({"access_token":"a","token_type":"bearer","expires_in":3600,"scope":"openid email"});
        for body in [
            r#"{"access_token":"a","token_type":"Bearer","expires_in":3600,"scope":"openid email","refresh_token":"r"}"#,
            r#" {"access_token":"a","expires_in":"3600","scope":["openid","email"],"ok":true}"#,
            r#"{"access_token":"a","token_type":"BEARER","expires_in":3600,"scopes":"openid,email","error":null}"#,
            "access_token=a&token_type=bearer&expires_in=3600&scope=openid%2Cemail",
        ] {
            assert_eq!(reply(200, body).unwrap(), (200, plain.clone()), "{body}");
        }
    }

    #[test]
    fn a_failure_dressed_as_success_is_a_failure() {
        for (status, body, error) in [
            (
                200,
                r#"{"error":"bad_verification_code","access_token":"a"}"#,
                "bad_verification_code",
            ),
            (
                200,
                "error=bad_verification_code&error_description=x",
                "bad_verification_code",
            ),
            (
                200,
                r#"{"ok":false,"error":"invalid_code"}"#,
                "invalid_code",
            ),
            (200, r#"{"ok":false}"#, "unknown"),
            (400, r#"{"error":{"code":"190","message":"m"}}"#, "190"),
            (401, r#"{"error":"invalid_client"}"#, "invalid_client"),
            (503, r#"{"error":"server_error"}"#, "server_error"),
            (
                400,
                r#"{"status":400,"message":"Invalid authorization code"}"#,
                "Invalid authorization code",
            ),
        ] {
            let (status, body) = reply(status, body).unwrap();
            assert_eq!((status, body["error"].as_str()), (400, Some(error)));
        }
    }

    #[test]
    fn what_is_neither_tokens_nor_an_error_is_refused_by_its_status() {
        for (status, body, leaf) in [
            (200, "", OauthRefusal::TokenMalformed),
            (200, r#"{"access_token":"a""#, OauthRefusal::TokenMalformed),
            (
                200,
                r#"{"access_token":"a","access_token":"b"}"#,
                OauthRefusal::TokenMalformed,
            ),
            (
                200,
                "access_token=a&access_token=b",
                OauthRefusal::TokenMalformed,
            ),
            (200, r#"{"access_token":1}"#, OauthRefusal::TokenMalformed),
            (
                200,
                r#"{"access_token":"a","token_type":"DPoP"}"#,
                OauthRefusal::TokenMalformed,
            ),
            (404, "<html>", OauthRefusal::TokenMalformed),
            (401, "<html>", OauthRefusal::ClientRejected),
            (502, "<html>", OauthRefusal::UpstreamUnavailable),
            (429, "{}", OauthRefusal::UpstreamUnavailable),
        ] {
            assert_eq!(reply(status, body).unwrap_err(), leaf, "{status} {body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_body_ends_in_a_reply_or_a_refusal(status in 100u16..600, body in "[{}\\[\\]\":,=&a-z0-9 ]{0,80}") {
            if let Ok((status, body)) = reply(status, &body) {
                proptest::prop_assert!(status == 400 && body["error"].is_string() || body["access_token"].is_string());
            }
        }
    }
}
