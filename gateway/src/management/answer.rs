//! Answers in Kinde's shapes, and errors: every problem at once.

use axum::Json;
use axum::response::{IntoResponse, Response};
use fedgate_providers::connection::{ConnectionRefusal, Problem};
use fedgate_providers::error::{Blame, Catalogued, Refusal};
use fedgate_providers::spec::Spec;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use super::ApiRefusal;
use crate::store::{StoreError, StoreRefusal};

/// Why a request is turned down: each problem, and what the answer tells beside them.
#[derive(Debug)]
pub(crate) struct ApiError {
    problems: Vec<Problem>,
    beside: Map<String, Value>,
}

impl ApiError {
    /// One problem of the request as a whole.
    pub(super) fn whole(refusal: impl Into<Refusal>) -> Self {
        Self::from(vec![Problem::new(refusal, "")])
    }

    /// One problem of one member.
    pub(super) fn of(refusal: impl Into<Refusal>, field: &str) -> Self {
        Self::from(vec![Problem::new(refusal, field)])
    }

    /// Adds a member to the answer.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.beside.insert(name.to_owned(), value);
        self
    }

    fn status(&self) -> StatusCode {
        self.problems
            .iter()
            .map(|problem| status(&problem.refusal))
            .max()
            .unwrap_or(StatusCode::BAD_REQUEST)
    }
}

impl From<Vec<Problem>> for ApiError {
    fn from(problems: Vec<Problem>) -> Self {
        Self {
            problems,
            beside: Map::new(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::DomainsTaken(taken) => taken
                .into_iter()
                .map(|taken| {
                    let field = format!("options.home_realm_domains.{}", taken.index);
                    Problem::new(
                        ConnectionRefusal::DomainTaken.refuse().found(taken.domain),
                        field,
                    )
                })
                .collect::<Vec<_>>()
                .into(),
            StoreError::Conflict(_) => Self::whole(ApiRefusal::LostUpdate),
            StoreError::NotFound("connection") => Self::whole(ApiRefusal::ConnectionUnknown),
            StoreError::NotFound("application") => Self::whole(ApiRefusal::ApplicationUnknown),
            StoreError::NotFound("organization") => Self::whole(ApiRefusal::OrganizationUnknown),
            other => {
                // The caller learns the code; the cause goes to the log, once, here.
                let refusal = Refusal::from(other);
                tracing::error!(
                    code = refusal.code(),
                    detail = refusal.evidence().detail,
                    "the store failed"
                );
                Self::whole(Refusal::new(refusal.entry()))
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let errors: Vec<Value> = self
            .problems
            .iter()
            .map(|problem| problem_json(problem, None))
            .collect();
        let mut body = Map::from_iter([("errors".to_owned(), Value::from(errors))]);
        body.extend(self.beside);
        let mut response = (status, no_store(), Json(Value::Object(body))).into_response();
        // RFC 6750 3
        let challenge = match status {
            StatusCode::UNAUTHORIZED => Some("Bearer"),
            StatusCode::FORBIDDEN => Some("Bearer error=\"insufficient_scope\""),
            _ => None,
        };
        if let Some(challenge) = challenge {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        response
    }
}

/// `{code, message, field, fix}`; no field for the request as a whole. The fix is in the words of that identity
/// provider's console, or in general ones.
pub(super) fn problem_json(problem: &Problem, spec: Option<&'static Spec>) -> Value {
    let mut error = json!({ "code": problem.code(), "message": problem.message() });
    if !problem.field.is_empty() {
        error["field"] = Value::from(problem.field.as_str());
    }
    error["fix"] = Value::from(fix(problem.refusal.entry(), spec));
    error
}

/// The fix of a catalogue entry, with every word in braces replaced.
pub(super) fn fix(entry: &Catalogued, spec: Option<&'static Spec>) -> String {
    let general = ["saml:custom", "oidc:custom"]
        .into_iter()
        .filter_map(Spec::of);
    spec.into_iter()
        .chain(general)
        .fold(entry.fix.to_owned(), |text, spec| {
            spec.in_console_words(&text)
        })
}

/// `{code: "OK", message}` and the members of `beside`.
pub(super) fn ok(status: StatusCode, message: &str, beside: Value) -> Response {
    let mut body = json!({ "code": "OK", "message": message });
    if let (Some(body), Value::Object(beside)) = (body.as_object_mut(), beside) {
        body.extend(beside);
    }
    (status, no_store(), Json(body)).into_response()
}

fn no_store() -> [(header::HeaderName, HeaderValue); 1] {
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]
}

/// Statuses are compared by number where several problems meet, so that a conflict is not told as a slip.
fn status(refusal: &Refusal) -> StatusCode {
    let is = |leaf: ApiRefusal| refusal.code() == leaf.entry().code;
    if refusal.code().starts_with("op.token_") {
        StatusCode::UNAUTHORIZED
    } else if is(ApiRefusal::ScopeMissing) {
        StatusCode::FORBIDDEN
    } else if is(ApiRefusal::MethodNotAllowed) {
        StatusCode::METHOD_NOT_ALLOWED
    } else if is(ApiRefusal::BodyTooLarge) {
        StatusCode::PAYLOAD_TOO_LARGE
    } else if [
        ApiRefusal::ConnectionUnknown,
        ApiRefusal::ApplicationUnknown,
        ApiRefusal::OrganizationUnknown,
        ApiRefusal::LoginUnknown,
        ApiRefusal::PathUnknown,
    ]
    .into_iter()
    .any(is)
    {
        StatusCode::NOT_FOUND
    } else if [
        ApiRefusal::LostUpdate,
        ApiRefusal::ConfirmationRequired,
        ApiRefusal::HandleTaken,
        ApiRefusal::OrganizationInUse,
    ]
    .into_iter()
    .any(is)
        || *refusal == ConnectionRefusal::DomainTaken
    {
        StatusCode::CONFLICT
    } else if *refusal == StoreRefusal::Unavailable {
        StatusCode::SERVICE_UNAVAILABLE
    } else if refusal.entry().blame == Blame::Gateway {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::BAD_REQUEST
    }
}
