//! From a verified identity and the user it signed in as to the claims that the application gets.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::Connection;
use fedgate_providers::identity::{EmailClaim, VerifiedIdentity};
use serde_json::{Map, Value, json};

use crate::op::{Claims, ExtProvider};
use crate::people::sign_in::SignedIn;

/// Claims of the ID token and of userinfo. `auth_time`, `acr` and `amr` only as the upstream proved them.
pub fn claims(
    connection: &Connection,
    identity: &VerifiedIdentity,
    signed_in: &SignedIn,
) -> Claims {
    let user = &signed_in.user;
    Claims {
        sub: user.id.clone(),
        sid: signed_in.sid.clone(),
        email: user.email.clone(),
        email_verified: user.email.is_some().then_some(signed_in.email_verified),
        given_name: user.given_name.clone(),
        family_name: user.family_name.clone(),
        name: user.name.clone(),
        picture: user.picture.clone(),
        org_code: signed_in.organization.clone(),
        amr: identity.amr.clone(),
        acr: identity.acr.clone(),
        auth_time: identity.authenticated_at.map(Timestamp::as_second),
        ext_provider: ExtProvider {
            name: connection.display_name.clone(),
            connection_id: connection.id.to_string(),
            strategy: connection.spec.strategy.clone(),
            subject: identity.subject.value.clone(),
            claims: upstream_claims(identity),
        },
    }
}

/// What the upstream said, under normalized names first, then under its own.
fn upstream_claims(identity: &VerifiedIdentity) -> Map<String, Value> {
    let mut claims = Map::new();
    if let Some(email) = &identity.email {
        claims.insert("email".into(), json!(email.address));
        if email.claim != EmailClaim::Unstated {
            claims.insert(
                "email_verified".into(),
                json!(email.claim == EmailClaim::Verified),
            );
        }
    }
    let named = [
        ("given_name", &identity.given_name),
        ("family_name", &identity.family_name),
        ("name", &identity.name),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            claims.insert(name.into(), json!(value));
        }
    }
    claims.insert("groups".into(), json!(identity.groups));
    if !identity.attributes.is_empty() {
        claims.insert("attributes".into(), json!(identity.attributes));
    }
    claims
}
