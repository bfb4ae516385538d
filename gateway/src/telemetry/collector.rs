//! Spans to an OpenTelemetry collector: OTLP over HTTP, in protobuf.
//!
//! The collector is the operator's own, often in a private network and on plain http, so that its client is not the
//! guarded one of upstream calls. Spans wait in a bounded queue; what does not fit, or is not taken, is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
pub use fedgate_providers::egress::SPANS;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider,
};
use tokio::runtime::Handle;
use url::Url;

/// Spans that wait to be sent.
const QUEUE: usize = 8192;
/// Spans of one request to the collector.
const BATCH: usize = 1024;
/// The longest that a span waits for others.
const BATCH_TIME: Duration = Duration::from_secs(2);
/// How long the collector may take for a batch.
const ANSWER: Duration = Duration::from_secs(5);
/// How long the last spans may take when the process ends.
const FLUSH: Duration = Duration::from_secs(5);
/// Where OTLP over HTTP takes traces, below the endpoint.
const TRACES_PATH: &str = "v1/traces";

/// Spans on their way to the collector.
#[derive(Debug)]
pub struct Exporting(SdkTracerProvider);

impl Exporting {
    /// Starts sending to the collector at `endpoint`. Needs the runtime that the calls will run on.
    ///
    /// # Errors
    /// A client that cannot be made.
    pub fn start(endpoint: &Url) -> Result<Self, String> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new()?)
            .with_endpoint(traces_url(endpoint))
            .with_timeout(ANSWER)
            .build()
            .map_err(|error| error.to_string())?;
        let bounds = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(BATCH_TIME)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(bounds)
            .build();
        let resource = Resource::builder().with_service_name("fedgate").build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// What makes the spans.
    pub fn tracer(&self) -> SdkTracer {
        self.0.tracer("fedgate")
    }

    /// Sends what waits, and stops.
    pub async fn flush(self) {
        let stopped = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(FLUSH));
        if let Ok(Err(error)) = stopped.await {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// OTLP Exporter specification: the endpoint is a base, unless it names the path itself.
fn traces_url(endpoint: &Url) -> String {
    let base = endpoint.as_str().trim_end_matches('/');
    if base.ends_with(TRACES_PATH) {
        base.to_owned()
    } else {
        format!("{base}/{TRACES_PATH}")
    }
}

/// The batches come from a thread of their own, outside the runtime that the connection lives in.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
    is_failing: Arc<AtomicBool>,
}

impl Client {
    #[expect(
        clippy::disallowed_methods,
        reason = "the collector is the operator's, not a tenant's: no URL of anybody else is called"
    )]
    fn new() -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            http: client,
            runtime: Handle::try_current().map_err(|error| error.to_string())?,
            is_failing: Arc::default(),
        })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.http.clone();
        let sent = self.runtime.spawn(async move {
            let request = reqwest::Request::try_from(request)?;
            let answer = client.execute(request).await?.error_for_status()?;
            // What the collector has to say is not read: it took the batch.
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = answer.status();
            Ok::<_, reqwest::Error>(response)
        });
        let outcome = sent.await?;
        // Told once when it begins and once when it ends, not with every batch.
        let fails = outcome.is_err();
        if self.is_failing.swap(fails, Ordering::Relaxed) != fails {
            match &outcome {
                Ok(_) => tracing::info!("spans are sent to the collector again"),
                Err(error) => {
                    tracing::warn!(%error, "spans are not sent to the collector, and dropped");
                }
            }
        }
        Ok(outcome?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_base_or_the_whole_address() {
        for endpoint in [
            "http://127.0.0.1:4318",
            "http://127.0.0.1:4318/",
            "http://127.0.0.1:4318/v1/traces",
        ] {
            let url = Url::parse(endpoint).unwrap();
            assert_eq!(traces_url(&url), "http://127.0.0.1:4318/v1/traces");
        }
        let below = Url::parse("https://collector.example/otlp").unwrap();
        assert_eq!(
            traces_url(&below),
            "https://collector.example/otlp/v1/traces"
        );
    }
}
