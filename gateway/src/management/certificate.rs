//! `/api/v1/certificates`: everything that ends, ours and the identity providers', and when that is an outage.

use axum::extract::{Extension, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{ApiError, ok};
use super::api::Api;
use super::operation::{Kind, Operation, QueryParameter};
use super::query::Query;
use crate::app::Shared;
use crate::forecast::ForecastRow;

/// The most rows of one answer.
const ROWS_MOST: usize = 10_000;

const WITHIN: QueryParameter = QueryParameter {
    name: "within_days",
    says: "Only what is an outage within so many days, or is one already.",
    kind: Kind::Count,
};

/// What a reading answers.
#[derive(Serialize, ToSchema)]
struct CertificateList {
    /// The nearest outage first.
    certificates: Vec<ForecastRow>,
    /// Whether there are more than are shown.
    has_more: bool,
}

pub(super) fn routes(api: Api) -> Api {
    api.at("/certificates", &[]).get(
        list,
        Operation::new(
            "GetCertificates",
            "List what ends, with the days to an outage",
            &["read:certificates"],
        )
        .query(&[WITHIN])
        .answers::<CertificateList>(StatusCode::OK),
    )
}

async fn list(
    State(app): State<Shared>,
    Extension(query): Extension<Query>,
) -> Result<Response, ApiError> {
    let within = query.count(WITHIN.name);
    let table = app.forecasts.fresh(&app).await?;
    let now = app.clock.now();
    let near = |days: Option<i64>| match within {
        None => true,
        Some(within) => days.is_some_and(|days| days <= i64::try_from(within).unwrap_or(i64::MAX)),
    };
    let mut shown = table.iter().filter(|forecast| near(forecast.days(now)));
    let rows = shown.by_ref().take(ROWS_MOST);
    let certificates = rows
        .map(|forecast| ForecastRow::of(forecast, now))
        .collect();
    let list = CertificateList {
        certificates,
        has_more: shown.next().is_some(),
    };
    Ok(ok(StatusCode::OK, "Certificates", list))
}
