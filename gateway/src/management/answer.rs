//! Answers in Kinde's shapes, and errors: every problem at once.

use axum::Json;
use axum::response::{IntoResponse, Response};
use fedgate_providers::connection::{ConnectionRefusal, Problem};
use fedgate_providers::error::{Blame, Catalogued, Refusal};
use fedgate_providers::spec::Spec;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{ApiRefusal, KeyRefusal};
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

    /// Each problem, with the member that it is in.
    pub(crate) fn problems(&self) -> &[Problem] {
        &self.problems
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
            StoreError::Conflict(_) | StoreError::Raced => Self::whole(ApiRefusal::LostUpdate),
            StoreError::NotFound("connection") => Self::whole(ApiRefusal::ConnectionUnknown),
            StoreError::NotFound("application") => Self::whole(ApiRefusal::ApplicationUnknown),
            StoreError::NotFound("organization") => Self::whole(ApiRefusal::OrganizationUnknown),
            StoreError::NotFound("user") => Self::whole(ApiRefusal::UserUnknown),
            StoreError::NotFound("identity") => Self::whole(ApiRefusal::IdentityUnknown),
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
        let errors: Vec<ProblemView> = self
            .problems
            .iter()
            .map(|problem| ProblemView::of(problem, None))
            .collect();
        let mut body = Map::from_iter([("errors".to_owned(), json!(errors))]);
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

/// One problem.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemView {
    /// Stable; docs/errors.md lists them all.
    #[schema(example = "connection.domain_taken")]
    code: &'static str,
    /// What is wrong, in one sentence, with what was expected and found.
    message: String,
    /// The member or query parameter; absent for the request as a whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false, example = "options.home_realm_domains.0")]
    field: String,
    /// What to do, in the words of that identity provider's console.
    fix: String,
}

impl ProblemView {
    /// The fix is in the words of `spec`, or in general ones.
    pub(super) fn of(problem: &Problem, spec: Option<&'static Spec>) -> Self {
        Self {
            code: problem.code(),
            message: problem.message(),
            field: problem.field.clone(),
            fix: fix(problem.refusal.entry(), spec),
        }
    }
}

/// The fix of a refusal in a console's words, with every word in braces replaced by the general one where it has none.
pub(super) fn fix(entry: &Catalogued, spec: Option<&'static Spec>) -> String {
    let general = ["saml:custom", "oidc:custom"]
        .into_iter()
        .filter_map(Spec::of);
    let fix = spec.map_or(entry.fix, |spec| spec.fix_of(entry));
    spec.into_iter()
        .chain(general)
        .fold(fix.to_owned(), |text, spec| spec.in_console_words(&text))
}

/// `{code: "OK", message}` and the members of `beside`.
pub(super) fn ok(status: StatusCode, message: &str, beside: impl Serialize) -> Response {
    let mut body = json!({ "code": "OK", "message": message });
    if let (Some(body), Value::Object(beside)) = (body.as_object_mut(), json!(beside)) {
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
    } else if is(ApiRefusal::ScopeMissing) || is(ApiRefusal::ScopeExceeded) {
        StatusCode::FORBIDDEN
    } else if is(ApiRefusal::MethodNotAllowed) {
        StatusCode::METHOD_NOT_ALLOWED
    } else if is(ApiRefusal::BodyTooLarge) {
        StatusCode::PAYLOAD_TOO_LARGE
    } else if [
        ApiRefusal::ConnectionUnknown,
        ApiRefusal::ApplicationUnknown,
        ApiRefusal::OrganizationUnknown,
        ApiRefusal::UserUnknown,
        ApiRefusal::IdentityUnknown,
        ApiRefusal::MembershipUnknown,
        ApiRefusal::LoginUnknown,
        ApiRefusal::RevisionUnknown,
        ApiRefusal::FingerprintUnknown,
        ApiRefusal::PathUnknown,
    ]
    .into_iter()
    .any(is)
        || *refusal == KeyRefusal::Unknown
    {
        StatusCode::NOT_FOUND
    } else if [
        ApiRefusal::LostUpdate,
        ApiRefusal::ApplicationConfigured,
        ApiRefusal::ConfirmationRequired,
        ApiRefusal::HandleTaken,
        ApiRefusal::DomainNotAssigned,
        ApiRefusal::IdentityTaken,
        ApiRefusal::ProvidedIdTaken,
        ApiRefusal::OrganizationInUse,
    ]
    .into_iter()
    .any(is)
        || *refusal == ConnectionRefusal::DomainTaken
        || *refusal == ConnectionRefusal::Untested
        || [KeyRefusal::Taken, KeyRefusal::Underway, KeyRefusal::Stage]
            .into_iter()
            .any(|leaf| *refusal == leaf)
    {
        StatusCode::CONFLICT
    } else if *refusal == StoreRefusal::Unavailable {
        StatusCode::SERVICE_UNAVAILABLE
    } else if refusal.entry().blame == Blame::Gateway || refusal.code().starts_with("gateway.") {
        StatusCode::INTERNAL_SERVER_ERROR
    } else if [
        ApiRefusal::BodyMalformed,
        ApiRefusal::MemberRepeated,
        ApiRefusal::MemberUnknown,
        ApiRefusal::MemberType,
        ApiRefusal::MemberMissing,
    ]
    .into_iter()
    .any(is)
    {
        StatusCode::BAD_REQUEST
    } else {
        // The request is as the document describes it, but a value is not one that can be used.
        StatusCode::UNPROCESSABLE_ENTITY
    }
}
