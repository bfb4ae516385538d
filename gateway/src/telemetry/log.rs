//! The log on stderr, and spans to a collector where one is configured.

use std::io::IsTerminal as _;

use tracing::Metadata;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt};

use super::{Exporting, SPANS};
use crate::config::{LogFormat, TelemetryConfig};

/// Starts both, for the whole process. `filter` is what `RUST_LOG` says. Where no collector is configured, nobody is
/// interested in spans, and making one costs a look at a flag.
///
/// # Errors
/// A filter that cannot be read, a collector's client that cannot be made, or a second start.
pub fn start(config: &TelemetryConfig, filter: &str) -> Result<Option<Exporting>, String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG: {error}"))?;
    let exporting = config
        .otlp_endpoint
        .as_ref()
        .map(Exporting::start)
        .transpose()?;
    let lines = fmt::layer::<Registry>()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // Events go to the log and spans to the collector: neither carries what the other is for.
    let is_event = |metadata: &Metadata<'_>| metadata.is_event();
    let events = filter.and(filter_fn(is_event));
    let mut layers = vec![lines.with_filter(events).boxed()];
    if let Some(exporting) = &exporting {
        let ours = |metadata: &Metadata<'_>| metadata.is_span() && metadata.target() == SPANS;
        let spans = tracing_opentelemetry::layer()
            .with_tracer(exporting.tracer())
            .with_location(false)
            .with_threads(false)
            .with_target(false);
        layers.push(spans.with_filter(filter_fn(ours)).boxed());
    }
    let started = tracing_subscriber::registry().with(layers).try_init();
    started.map_err(|error| error.to_string())?;
    Ok(exporting)
}
