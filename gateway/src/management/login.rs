//! `/api/v1/logins/{reference}`: the trace of one login, with what to do about it.

use axum::extract::{Path, State};
use axum::response::Response;
use fedgate_providers::spec::Spec;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::ApiRefusal;
use super::answer::{ApiError, fix, ok};
use super::caller::authorize;
use crate::app::Shared;
use crate::catalogue::catalogued;
use crate::events::trace::Trace;

/// The longest reference that is looked up, in bytes.
const REFERENCE_BYTES: usize = 64;

pub(super) async fn read(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(reference): Path<String>,
) -> Result<Response, ApiError> {
    authorize(&app, &headers, &["read:logins"])?;
    let unknown = || ApiError::whole(ApiRefusal::LoginUnknown);
    let reference = reference.trim().to_ascii_uppercase();
    if reference.len() > REFERENCE_BYTES {
        return Err(unknown());
    }
    let trace = app.store.trace(&reference).await?.ok_or_else(unknown)?;
    Ok(ok(
        StatusCode::OK,
        "Login",
        json!({ "login": told(&trace) }),
    ))
}

/// The trace, and of its refusal: who must act, what it means, and the fix in the words of that console.
fn told(trace: &Trace) -> Value {
    let mut login = json!(trace);
    let entry = trace.code.as_deref().and_then(catalogued);
    if let Some(entry) = entry {
        let spec = trace.strategy.as_deref().and_then(Spec::of);
        login["blame"] = entry.blame.as_str().into();
        login["message"] = entry.says.into();
        login["meaning"] = entry.meaning.into();
        login["fix"] = fix(entry, spec).into();
        login["kinde"] = json!(entry.kinde);
    }
    login
}
