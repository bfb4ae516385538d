//! `/api/v1/logins/{reference}`: the trace of one login, with what to do about it.

use axum::extract::{Path, State};
use axum::response::Response;
use fedgate_providers::error::Catalogued;
use fedgate_providers::login::{Step, Verdict};
use fedgate_providers::spec::Spec;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::ApiRefusal;
use super::answer::{ApiError, fix, ok};
use super::api::Api;
use super::operation::{Operation, PathParameter, words};
use crate::app::Shared;
use crate::catalogue::catalogued;
use crate::events::trace::Trace;

/// The longest reference that is looked up, in bytes.
const REFERENCE_BYTES: usize = 64;

const REFERENCE: PathParameter = PathParameter {
    name: "reference",
    says: "What the error page showed, or the log.",
    example: "FG-7KQ2MW4H",
};

/// What a reading answers.
#[derive(Serialize, ToSchema)]
struct LoginRead {
    login: Login,
}

/// The story of one login, good or bad; none of its tokens, secrets and assertions.
#[derive(Serialize, ToSchema)]
struct Login {
    #[schema(example = "FG-7KQ2MW4H")]
    reference: String,
    /// The connection, once routing chose one that exists.
    connection_id: Option<String>,
    strategy: Option<String>,
    /// The connection's display name at that time.
    connection_name: Option<String>,
    /// The application that asked.
    client_id: Option<String>,
    /// The user signed in, if any.
    user_id: Option<String>,
    /// The code of the refusal; none for a login that succeeded.
    code: Option<String>,
    /// First to last.
    steps: Vec<LoginStep>,
    /// Milliseconds since the epoch.
    at: i64,
    #[serde(flatten)]
    refusal: Option<LoginRefused>,
}

/// One thing that was checked.
#[derive(Serialize, ToSchema)]
struct LoginStep {
    /// Stable name.
    #[schema(example = "saml.signature")]
    name: String,
    #[schema(schema_with = verdict_schema)]
    verdict: &'static str,
    /// What was checked, in one line.
    note: Option<String>,
    /// The code of the refusal, on a failed step.
    code: Option<String>,
    expected: Option<String>,
    found: Option<String>,
    /// Milliseconds since the epoch.
    at: i64,
}

/// Of a refused login: who must act, what it means, and the fix in the words of that console.
#[derive(Serialize, ToSchema)]
struct LoginRefused {
    /// Who must act.
    blame: &'static str,
    /// What the person was told.
    message: &'static str,
    meaning: &'static str,
    fix: String,
    /// The field of the identity provider's console that the fix is about, by its exact label.
    field: Option<String>,
    /// Where that field stands in its menus.
    path: Option<String>,
    /// Kinde's number of the same problem, where it has one.
    kinde: Option<u16>,
}

pub(super) fn routes(api: Api) -> Api {
    let operation = Operation::new("GetLogin", "Read the story of one login", &["read:logins"]);
    api.at("/logins/{reference}", &[REFERENCE])
        .get(read, operation.answers::<LoginRead>(StatusCode::OK))
}

/// Whoever may read logins reads those of every connection and application: the scope is an operator's.
async fn read(
    State(app): State<Shared>,
    Path(reference): Path<String>,
) -> Result<Response, ApiError> {
    let unknown = || ApiError::whole(ApiRefusal::LoginUnknown);
    let reference = reference.trim().to_ascii_uppercase();
    if reference.len() > REFERENCE_BYTES {
        return Err(unknown());
    }
    let trace = app.store.trace(&reference).await?.ok_or_else(unknown)?;
    let login = told(trace);
    Ok(ok(StatusCode::OK, "Login", LoginRead { login }))
}

fn told(trace: Trace) -> Login {
    let spec = trace.strategy.as_deref().and_then(Spec::of);
    let entry = trace.code.as_deref().and_then(catalogued);
    Login {
        refusal: entry.map(|entry| refused(entry, spec)),
        steps: trace.steps.into_iter().map(step).collect(),
        reference: trace.reference,
        connection_id: trace.connection_id,
        strategy: trace.strategy,
        connection_name: trace.connection_name,
        client_id: trace.client_id,
        user_id: trace.user_id,
        code: trace.code,
        at: trace.at,
    }
}

fn refused(entry: &'static Catalogued, spec: Option<&'static Spec>) -> LoginRefused {
    let field = spec.and_then(|spec| spec.field(entry));
    LoginRefused {
        blame: entry.blame.as_str(),
        message: entry.says,
        meaning: entry.meaning,
        fix: fix(entry, spec),
        field: field.map(|field| field.label.to_owned()),
        path: field.map(|field| field.path.to_owned()),
        kinde: entry.kinde,
    }
}

fn step(step: Step) -> LoginStep {
    LoginStep {
        verdict: match step.verdict {
            Verdict::Passed => VERDICTS[0],
            Verdict::Failed => VERDICTS[1],
        },
        name: step.name,
        note: step.note,
        code: step.code,
        expected: step.expected,
        found: step.found,
        at: step.at,
    }
}

const VERDICTS: [&str; 2] = ["passed", "failed"];

fn verdict_schema() -> Object {
    words(VERDICTS)
}
