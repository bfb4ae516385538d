//! What operators watch: metrics, one line of the log for each request, and spans for a collector.

mod collector;
mod exposition;
mod label;
pub mod log;
mod metrics;
mod part;
mod reads;
pub mod request;

pub use collector::{Exporting, SPANS};
pub use exposition::routes;
pub use label::UPSTREAMS;
pub use metrics::Metrics;
pub use part::Part;
pub use reads::Reads;
