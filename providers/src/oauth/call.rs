//! Calls with the access token: what a provider's own API tells of the person who signed in.

use fedgate_certs::error::CertError;
use fedgate_certs::hex;
use fedgate_certs::json;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use oauth2::AccessToken;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Map, Value};
use url::Url;

use super::OauthRefusal;
use super::document::{Documents, scalar};
use super::habits::Habits;
use crate::egress::Egress;
use crate::error::Refusal;
use crate::oidc::OidcRefusal;
use crate::spec::oauth::Call;

/// Everything that a call is made with.
pub(super) struct Caller<'a> {
    pub(super) egress: &'a Egress,
    pub(super) habits: &'a Habits,
    pub(super) access_token: &'a AccessToken,
    /// The secret that proves a call, where there is one.
    pub(super) client_secret: Option<&'a str>,
}

impl Caller<'_> {
    /// Makes a call and answers its document.
    ///
    /// # Errors
    /// An `egress` leaf, `oauth.upstream_unavailable`, `oidc.userinfo_refused`, `oidc.userinfo_malformed` or
    /// `oidc.userinfo_subject_mismatch`.
    pub(super) async fn make(&self, call: &Call, documents: &Documents) -> Result<Value, Refusal> {
        let request = self.request(call, documents)?;
        let response = self.egress.send(request).await?;
        let document = document(&response)?;
        check_person(call, &document, documents)?;
        Ok(document)
    }

    fn request(&self, call: &Call, documents: &Documents) -> Result<Request<Vec<u8>>, Refusal> {
        let unusable = || malformed("a call that can be made").detail(&call.name);
        let address = self.habits.fill(&call.url).ok_or_else(unusable)?;
        let address = documents.fill(&address).ok_or_else(unusable)?;
        let mut url = Url::parse(&address).map_err(|_| unusable())?;
        if let (Some(name), Some(secret)) = (&call.proof, self.client_secret) {
            let proof = proof(secret, self.access_token.secret()).ok_or_else(unusable)?;
            url.query_pairs_mut().append_pair(name, &proof);
        }
        let mut request = if call.body.is_some() {
            Request::post(url.as_str()).header(CONTENT_TYPE, "application/json")
        } else {
            Request::get(url.as_str())
        };
        for (name, value) in &call.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| unusable())?;
            let value = self.habits.fill(value).ok_or_else(unusable)?;
            request = request.header(name, value);
        }
        request
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, bearer(self.access_token)?)
            .body(call.body.clone().unwrap_or_default().into_bytes())
            .map_err(|_| unusable())
    }
}

fn check_person(call: &Call, document: &Value, documents: &Documents) -> Result<(), Refusal> {
    let Some(same) = &call.same_person else {
        return Ok(());
    };
    let found = document.pointer(&format!("/{}", same.id)).and_then(scalar);
    let expected = documents.find(&same.of).and_then(scalar);
    if found.is_some() && found == expected {
        return Ok(());
    }
    Err(OidcRefusal::UserinfoSubjectMismatch
        .refuse()
        .expected(expected.as_deref().unwrap_or("an id"))
        .found(found.as_deref().unwrap_or("no id")))
}

/// The access token as a header, marked as a secret.
pub(super) fn bearer(access_token: &AccessToken) -> Result<HeaderValue, Refusal> {
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", access_token.secret()))
        .map_err(|_| malformed("an access token that fits into a header"))?;
    bearer.set_sensitive(true);
    Ok(bearer)
}

/// Reads an answer: an object, or a list. A failure with status 200 (`ok: false`, `error`) is a failure.
pub(super) fn document(response: &Response<Vec<u8>>) -> Result<Value, Refusal> {
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(OauthRefusal::UpstreamUnavailable
            .refuse()
            .found(status.as_u16()));
    }
    let read = value(response.body());
    let told = read.as_ref().ok().and_then(failure);
    if status != StatusCode::OK || told.is_some() {
        let refusal = OidcRefusal::UserinfoRefused
            .refuse()
            .expected(200)
            .found(status.as_u16());
        return Err(match told {
            Some(told) => refusal.detail(told),
            None => refusal,
        });
    }
    read
}

fn value(body: &[u8]) -> Result<Value, Refusal> {
    let body = body.trim_ascii();
    if !body.starts_with(b"[") {
        return json::object(body, CertError::NotAToken)
            .map(Value::Object)
            .map_err(|error| malformed("one JSON object").detail(error));
    }
    // The strict reader reads objects: a list is one's only member.
    let wrapped = [b"{\"items\":", body, b"}"].concat();
    json::object(&wrapped, CertError::NotAToken)
        .ok()
        .and_then(|mut members| members.shift_remove("items"))
        .filter(Value::is_array)
        .ok_or_else(|| malformed("one JSON list"))
}

/// What an answer says of its own failure.
fn failure(document: &Value) -> Option<String> {
    let members: &Map<String, Value> = document.as_object()?;
    let failed = members.get("ok") == Some(&Value::Bool(false));
    let error = members.get("error").filter(|error| !error.is_null());
    if !failed && error.is_none() {
        return None;
    }
    let text = match error {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        None => String::new(),
    };
    Some(text.chars().filter(|c| !c.is_control()).collect())
}

fn proof(secret: &str, access_token: &str) -> Option<String> {
    let key = PKey::hmac(secret.as_bytes()).ok()?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key).ok()?;
    let octets = signer.sign_oneshot_to_vec(access_token.as_bytes()).ok()?;
    Some(hex::with_prefix("", &octets))
}

fn malformed(expected: &str) -> Refusal {
    OidcRefusal::UserinfoMalformed.refuse().expected(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(status: u16, body: &str) -> Result<Value, Refusal> {
        let response = Response::builder().status(status);
        document(&response.body(body.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn an_answer_is_an_object_or_a_list() {
        assert_eq!(read(200, " [{\"a\":1}]\n").unwrap(), json!([{"a": 1}]));
        assert_eq!(read(200, "{\"a\":1}").unwrap(), json!({"a": 1}));
        for (body, leaf) in [
            ("[{\"a\":1,\"a\":2}]", OidcRefusal::UserinfoMalformed),
            ("[],\"items\":[]", OidcRefusal::UserinfoMalformed),
            ("[", OidcRefusal::UserinfoMalformed),
            ("<html>", OidcRefusal::UserinfoMalformed),
            ("", OidcRefusal::UserinfoMalformed),
            ("{\"ok\":false}", OidcRefusal::UserinfoRefused),
            (
                "{\"error\":{\"message\":\"m\"}}",
                OidcRefusal::UserinfoRefused,
            ),
        ] {
            assert_eq!(read(200, body).unwrap_err(), leaf, "{body}");
        }
        assert_eq!(
            read(403, "403 Forbidden").unwrap_err(),
            OidcRefusal::UserinfoRefused
        );
        assert_eq!(
            read(429, "{}").unwrap_err(),
            OauthRefusal::UpstreamUnavailable
        );
    }

    #[test]
    fn a_call_is_proved_as_facebook_describes() {
        // RFC 4231, test case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(
            proof("Jefe", "what do ya want for nothing?").as_deref(),
            Some(expected)
        );
    }
}
