//! A detour for tests: what the gateway asks of `https://HOST/PATH` goes to `BASE/HOST/PATH`, where the lab plays that host.
//!
//! It is there only where the feature `unproven` is, as in tests alone; the checks before it are the same.

use std::sync::OnceLock;

use http::Request;
use url::{Host, Url};

/// Where to, once a test has said so.
#[derive(Debug, Default)]
pub(super) struct Detour(OnceLock<Url>);

impl Detour {
    pub(super) fn set(&self, base: Url) {
        drop(self.0.set(base));
    }

    /// The request as it is sent: unchanged where no detour is set, and for addresses that need none.
    pub(super) fn taken(&self, mut request: Request<Vec<u8>>) -> Request<Vec<u8>> {
        let from = Url::parse(&request.uri().to_string()).ok();
        let Some((base, from)) = self.0.get().zip(from) else {
            return request;
        };
        let Some(Host::Domain(host)) = from.host() else {
            return request;
        };
        let mut to = base.clone();
        to.set_path(&format!("{host}{}", from.path()));
        to.set_query(from.query());
        if let Ok(to) = to.as_str().parse() {
            *request.uri_mut() = to;
        }
        request
    }
}
