//! The userinfo endpoint (OpenID Connect core 5.3).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::{Lie, OidcOp, jws};

pub(super) async fn tell(State(op): State<Arc<OidcOp>>, headers: HeaderMap) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let grant = token.and_then(|token| op.grants.by_access_token(token));
    let Some(grant) = grant.filter(|grant| grant.lie != Lie::UserinfoRefused) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    if grant.lie == Lie::UserinfoMalformed {
        return "<html>".into_response();
    }
    let subject = match grant.lie {
        Lie::OtherSubjectInUserinfo => "somebody-else",
        _ => &grant.person.subject,
    };
    let mut claims = jws::profile(&grant);
    claims.insert("sub".into(), subject.into());
    Json(Value::from(claims)).into_response()
}
