//! `/metrics`, in Prometheus' text format.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{Error, IntCounter, IntCounterVec, IntGaugeVec, Opts, TEXT_FORMAT, TextEncoder};

use crate::app::{App, Shared};

/// `/metrics`
pub fn routes() -> Router<Shared> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(app): State<Shared>) -> Response {
    let written = read(&app).and_then(|families| TextEncoder::new().encode_to_string(&families));
    match written {
        Ok(text) => {
            let headers = [(CONTENT_TYPE, TEXT_FORMAT), (CACHE_CONTROL, "no-store")];
            (headers, text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What was counted, and what is read now from whoever keeps count anyway.
fn read(app: &App) -> Result<Vec<MetricFamily>, Error> {
    let mut families = app.metrics.families();
    families.extend(caches(app)?);
    families.extend(metadata(app)?);
    families.extend(pools(app)?);
    families.extend(outages(app)?);
    let dropped = IntCounter::new("fedgate_traces_dropped_total", "Traces that were not kept.")?;
    dropped.inc_by(app.traces.dropped());
    families.extend(dropped.collect());
    let build = gauge(
        "fedgate_build_info",
        "The version that runs; always 1.",
        &["version"],
    )?;
    build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    families.extend(build.collect());
    // What has no series yet is left out: the encoder takes it for a mistake.
    families.retain(|family| !family.get_metric().is_empty());
    Ok(families)
}

fn caches(app: &App) -> Result<Vec<MetricFamily>, Error> {
    let options = Opts::new(
        "fedgate_cache_reads_total",
        "Reads of the near caches, by cache and outcome.",
    );
    let reads = IntCounterVec::new(options, &["cache", "outcome"])?;
    let caches = app.registry.reads().into_iter().chain([
        ("client_keys", app.client_keys.reads()),
        ("applications", app.store.application_reads()),
    ]);
    for (cache, counted) in caches {
        let (hits, misses) = counted.hits_and_misses();
        reads.with_label_values(&[cache, "hit"]).inc_by(hits);
        reads.with_label_values(&[cache, "miss"]).inc_by(misses);
    }
    Ok(reads.collect())
}

/// Of the connections that are in use: those whose provider is open at this moment.
fn metadata(app: &App) -> Result<Vec<MetricFamily>, Error> {
    let read_at = gauge(
        "fedgate_metadata_read_timestamp_seconds",
        "When the metadata or discovery document of a connection in use was read, in seconds since 1970.",
        &["connection"],
    )?;
    for (connection, at) in app.registry.metadata_read(app.limits.metric_connections) {
        let connection = read_at.with_label_values(&[connection.as_str()]);
        connection.set(at.as_second());
    }
    Ok(read_at.collect())
}

/// The nearest ones of what ends and nobody replaces by itself.
fn outages(app: &App) -> Result<Vec<MetricFamily>, Error> {
    let outage_at = gauge(
        "fedgate_certificate_outage_timestamp_seconds",
        "From when on people can probably not sign in, if nobody acts, in seconds since 1970.",
        &["kind", "connection", "id"],
    )?;
    for forecast in app
        .forecasts
        .last()
        .iter()
        .take(app.limits.metric_connections)
    {
        let Some(at) = forecast.outage_at else { break };
        let fact = &forecast.fact;
        let labels = [
            fact.kind.as_str(),
            fact.connection.as_deref().unwrap_or("none"),
            &fact.id,
        ];
        outage_at.with_label_values(&labels).set(at.as_second());
    }
    Ok(outage_at.collect())
}

fn pools(app: &App) -> Result<Vec<MetricFamily>, Error> {
    let connections = gauge(
        "fedgate_store_connections",
        "Connections to the database, by pool and state.",
        &["pool", "state"],
    )?;
    for pool in app.store.pool_use() {
        for (state, number) in [("idle", pool.idle), ("used", pool.used)] {
            let connections = connections.with_label_values(&[pool.name, state]);
            connections.set(i64::try_from(number).unwrap_or(i64::MAX));
        }
    }
    Ok(connections.collect())
}

fn gauge(name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, Error> {
    IntGaugeVec::new(Opts::new(name, help), labels)
}
