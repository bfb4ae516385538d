//! ID tokens, key sets and metadata of those that have them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use serde_json::{Map, Value, json};

use super::api::{number, uuid};
use super::{Grant, Lie, Social};
use crate::key::LabKey;
use crate::oidc_op::public_key;

/// How long an ID token is valid, in seconds.
const LIFETIME: i64 = 300;
/// The tenant of the lab's organization, and another one.
const TENANT: &str = "1c2d3e4f-0000-4aaa-8bbb-123456789abc";
const OTHER_TENANT: &str = "deadbeef-0000-4000-8000-000000000666";
/// The tenant of personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

pub(super) fn id_token(lab: &Social, grant: &Grant) -> Result<String, ErrorStack> {
    let roblox = grant.personality.name == "Roblox";
    let key = match grant.lie {
        Lie::OtherKey => &lab.client_key,
        Lie::KeyOfAnotherTenant => &lab.other_key,
        _ if roblox => &lab.elliptic,
        _ => &lab.key,
    };
    let algorithm = if key.is_elliptic() { "ES256" } else { "RS256" };
    let algorithm = if grant.lie == Lie::OtherKey && !roblox {
        "RS256"
    } else {
        algorithm
    };
    let header = json!({ "alg": algorithm, "kid": key.id(), "typ": "JWT" });
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!(
        "{}.{}",
        encoded(&header),
        encoded(&claims(lab, grant).into())
    );
    let signature = key.sign(MessageDigest::sha256(), input.as_bytes())?;
    Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The key set. Microsoft's alone say which tenant each key is for.
pub(super) fn published(lab: &Social, for_tenants: bool) -> Response {
    let keys = || {
        let mut own = public_key(&lab.key)?;
        let mut other = public_key(&lab.other_key)?;
        if for_tenants {
            let issuer = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
            own["issuer"] = issuer("{tenantid}").into();
            other["issuer"] = issuer(OTHER_TENANT).into();
        }
        Ok::<_, ErrorStack>(vec![own, other, elliptic(&lab.elliptic)?])
    };
    match keys() {
        Ok(keys) => Json(json!({ "keys": keys })).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Entra ID alone is discovered.
pub(super) fn metadata(at: &str) -> Option<Response> {
    let tenant = at
        .strip_prefix("login.microsoftonline.com/")?
        .strip_suffix("/v2.0/.well-known/openid-configuration")?;
    let base = format!("https://login.microsoftonline.com/{tenant}");
    let named = if tenant == "common" {
        "{tenantid}"
    } else {
        TENANT
    };
    Some(
        Json(json!({
            "issuer": format!("https://login.microsoftonline.com/{named}/v2.0"),
            "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{base}/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "jwks_uri": format!("{base}/discovery/v2.0/keys"),
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "id_token_signing_alg_values_supported": ["RS256"],
        }))
        .into_response(),
    )
}

fn claims(lab: &Social, grant: &Grant) -> Map<String, Value> {
    let now = lab.clock.now().as_second();
    let mut claims = Map::new();
    let mut say = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    say("iss", grant.personality.issuer.into());
    say("aud", lab.options.client_id.as_str().into());
    say("iat", now.into());
    say("exp", (now + LIFETIME).into());
    say("sub", number(&grant.person).to_string().into());
    if let Some(nonce) = grant
        .nonce
        .as_ref()
        .filter(|_| grant.personality.echoes_nonce)
    {
        say("nonce", nonce.as_str().into());
    }
    for (name, value) in own(lab, grant) {
        claims.insert(name, value);
    }
    match grant.lie {
        Lie::WrongIssuer => drop(claims.insert("iss".into(), "https://another-issuer.test".into())),
        Lie::WrongNonce => drop(claims.insert("nonce".into(), "of-another-login".into())),
        Lie::NoEmail => drop(claims.remove("email")),
        Lie::NoSubject => {
            for name in ["sub", "oid", "xero_userid", "multi_role_user_id"] {
                claims.remove(name);
            }
        }
        Lie::Unverified => {
            for name in ["email_verified", "xms_edov"] {
                if claims.contains_key(name) {
                    claims.insert(name.into(), false.into());
                }
            }
        }
        _ => {}
    }
    claims
}

/// What the provider alone says.
fn own(lab: &Social, grant: &Grant) -> Map<String, Value> {
    let person = &grant.person;
    let other = grant.lie == Lie::OtherTenant;
    let standard = |verified: Value| {
        json!({ "email": person.email, "email_verified": verified, "name": person.name(),
            "given_name": person.given_name, "family_name": person.family_name })
    };
    let value = match grant.personality.name {
        "Google" => {
            let mut claims = standard(true.into());
            if !other {
                claims["hd"] = lab.options.organization.as_str().into();
            }
            claims
        }
        "Apple" => {
            json!({ "email": person.email, "email_verified": "true", "nonce_supported": true })
        }
        "Microsoft" => microsoft(grant),
        "GitLab" | "GitLab of Globex" => json!({ "email": person.email, "email_verified": true }),
        "Clever" => json!({ "multi_role_user_id": number(person).to_string(), "user_id": "old",
            "email": person.email, "email_verified": false }),
        "LinkedIn" => {
            let mut claims = standard("true".into());
            claims["locale"] = "en_US".into();
            claims
        }
        "Roblox" => json!({ "name": person.name(), "preferred_username": person.given_name }),
        "Slack" => {
            let mut claims = standard(true.into());
            claims["https://slack.com/team_id"] = if other { "T0OTHER" } else { "T0GLOBEX" }.into();
            claims["https://slack.com/user_id"] = claims["sub"].clone();
            claims
        }
        "Twitch" => {
            json!({ "email": person.email, "email_verified": true, "preferred_username": person.given_name,
            "updated_at": "2026-10-01T16:00:00Z" })
        }
        "Xero" => {
            let mut claims = standard(Value::Null);
            claims["email_verified"] = Value::Null;
            claims["xero_userid"] = if other {
                "00000000-0000-0000-0000-000000000000".into()
            } else {
                uuid(person).into()
            };
            claims
        }
        _ => json!({}),
    };
    value.as_object().cloned().unwrap_or_default()
}

fn microsoft(grant: &Grant) -> Value {
    let personal =
        grant.personality.authorize.contains("/consumers/") != (grant.lie == Lie::OtherTenant);
    let specific = grant.personality.authorize.contains("globex.test");
    let tenant = match (personal && !specific, grant.lie) {
        (_, Lie::OtherTenant) if specific => OTHER_TENANT,
        (true, _) => PERSONAL,
        (false, _) => TENANT,
    };
    let mut claims = json!({
        "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"), "tid": tenant, "oid": uuid(&grant.person),
        "email": grant.person.email, "name": grant.person.name(), "ver": "2.0",
        "preferred_username": grant.person.email,
        "_claim_names": { "groups": "src1" },
        "_claim_sources": { "src1": { "endpoint": "https://graph.windows.net/retired" } },
    });
    if tenant == TENANT {
        claims["xms_edov"] = "1".into();
    }
    claims
}

fn elliptic(key: &LabKey) -> Result<Value, ErrorStack> {
    let ec = key.private().ec_key()?;
    let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
    let mut context = BigNumContext::new()?;
    ec.public_key()
        .affine_coordinates(ec.group(), &mut x, &mut y, &mut context)?;
    Ok(json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.id(),
        "x": URL_SAFE_NO_PAD.encode(x.to_vec_padded(32)?), "y": URL_SAFE_NO_PAD.encode(y.to_vec_padded(32)?),
    }))
}
