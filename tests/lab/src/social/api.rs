//! The interfaces behind access tokens: user infos and profiles, each in its provider's own shape.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use fedgate_certs::hex;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Value, json};

use super::{Grant, Lie, Social};
use crate::person::Person;

pub(super) fn tell(lab: &Social, at: &str, query: &str, headers: &HeaderMap) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some(grant) = token.and_then(|token| lab.grants.by_access_token(token)) else {
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "message": "Bad credentials" })),
        )
            .into_response();
    };
    match grant.lie {
        Lie::Forbidden => return (StatusCode::FORBIDDEN, "403 Forbidden").into_response(),
        Lie::Overloaded => return StatusCode::TOO_MANY_REQUESTS.into_response(),
        _ => {}
    }
    let client = headers
        .get("client-id")
        .and_then(|value| value.to_str().ok());
    let amiss = (at == "graph.facebook.com/me" && !is_proved(lab, &grant, query))
        || (at == "api.twitch.tv/helix/users" && client != Some(&lab.options.client_id))
        || !headers.contains_key(header::USER_AGENT);
    if amiss {
        let error = json!({ "error": { "message": "the call is not proved", "code": 100 } });
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    match document(at, &grant) {
        Some(document) => Json(document).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A whole number for a person, the same each time.
pub fn number(person: &Person) -> u64 {
    let octets = person.subject.bytes();
    octets.fold(20_102_200, |sum, octet| {
        sum * 31 % 900_000_007 + u64::from(octet)
    })
}

/// A UUID for a person, the same each time.
pub fn uuid(person: &Person) -> String {
    format!("690222be-ff1a-4d56-abd1-{:012x}", number(person))
}

fn document(at: &str, grant: &Grant) -> Option<Value> {
    let person = &grant.person;
    let verified = grant.lie != Lie::Unverified;
    let email = (grant.lie != Lie::NoEmail).then_some(person.email.as_str());
    let id = match grant.lie {
        Lie::NoSubject => Value::Null,
        Lie::OtherPerson => 1.into(),
        _ => number(person).into(),
    };
    let text_id = id.as_u64().map(|id| id.to_string());
    let name = person.name();
    Some(match at {
        "graph.facebook.com/me" => {
            json!({ "id": text_id, "name": name, "first_name": person.given_name,
            "last_name": person.family_name, "email": email, "picture": { "data": { "url": "https://fbsbx.test/p" } } })
        }
        "api.github.com/user" | "github.globex.test/api/v3/user" => {
            json!({ "login": person.given_name, "id": id, "name": null,
            "email": "public@anybody.test", "avatar_url": "https://avatars.test/u" })
        }
        "api.github.com/user/emails" | "github.globex.test/api/v3/user/emails" => json!([
            { "email": "old@unverified.test", "primary": false, "verified": false },
            { "email": email, "primary": true, "verified": verified },
        ]),
        "gitlab.com/oauth/userinfo" | "gitlab.globex.test/oauth/userinfo" => {
            json!({ "sub": text_id, "name": name,
            "email": email, "email_verified": verified, "groups": person.groups })
        }
        "api.bitbucket.org/2.0/user" => {
            json!({ "uuid": text_id.map(|_| format!("{{{}}}", uuid(person).to_uppercase())),
            "display_name": name, "username": person.given_name, "links": { "avatar": { "href": "https://gravatar.test/a" } } })
        }
        "api.bitbucket.org/2.0/user/emails" => json!({ "values": [
            { "email": "old@unverified.test", "is_primary": false, "is_confirmed": false },
            { "email": email, "is_primary": true, "is_confirmed": verified },
        ] }),
        "api.clever.com/userinfo" => {
            json!({ "sub": text_id, "multi_role_user_id": text_id, "email": email,
            "email_verified": false, "name": { "first": person.given_name, "last": person.family_name, "middle": "" },
            "given_name": person.given_name, "family_name": person.family_name })
        }
        "discord.com/api/v10/users/@me" => {
            json!({ "id": text_id, "username": person.given_name, "global_name": name,
            "avatar": "a_8342", "email": email, "verified": verified })
        }
        "api.linkedin.com/v2/userinfo"
        | "slack.com/api/openid.connect.userInfo"
        | "apis.roblox.com/oauth/v1/userinfo"
        | "identity.xero.com/connect/userinfo"
        | "openidconnect.googleapis.com/v1/userinfo" => {
            json!({ "ok": true, "sub": text_id, "name": name })
        }
        "api.x.com/2/users/me" => {
            json!({ "data": { "id": text_id, "name": name, "username": person.given_name,
            "confirmed_email": email.filter(|_| verified) } })
        }
        "graph.microsoft.com/v1.0/me/getMemberObjects" => json!({ "value": person.groups }),
        "graph.microsoft.com/v1.0/me" => {
            json!({ "id": if grant.lie == Lie::OtherPerson { "somebody-else".into() } else { uuid(person) },
            "givenName": person.given_name, "surname": person.family_name, "jobTitle": "Analyst", "mail": "mail@anybody.test" })
        }
        "api.twitch.tv/helix/users" => {
            json!({ "data": [{ "id": text_id, "display_name": name, "email": email }] })
        }
        "idp.globex.test/api/me" => json!({ "status": "success", "data": { "user": { "uid": id,
            "profile": { "first": person.given_name, "last": person.family_name },
            "contacts": [{ "value": "+6421000000" }, { "value": email, "confirmed": u8::from(verified) }] } } }),
        _ => return None,
    })
}

/// Facebook: HMAC-SHA256 of the access token under the app's secret.
fn is_proved(lab: &Social, grant: &Grant, query: &str) -> bool {
    let sent = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "appsecret_proof")
        .map(|(_, value)| value.into_owned());
    let made = || {
        let key = PKey::hmac(lab.options.client_secret.as_bytes()).ok()?;
        let mut signer = Signer::new(MessageDigest::sha256(), &key).ok()?;
        let octets = signer
            .sign_oneshot_to_vec(grant.access_token.as_bytes())
            .ok()?;
        Some(hex::with_prefix("", &octets))
    };
    sent.is_some() && sent == made()
}
