//! Values of labels: each comes from a closed set, so that nobody outside can make up a series.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use http::{Method, StatusCode};

/// The label of connections beyond the limit.
const OTHER: &str = "other";
/// The label where there is no connection.
const NONE: &str = "none";
/// What is asked of upstreams.
pub const UPSTREAMS: [&str; 5] = ["metadata", "discovery", "keys", "token", "userinfo"];

/// The connections that have series of their own: the first so many that are met.
#[derive(Debug)]
pub(super) struct Connections {
    known: RwLock<HashSet<String>>,
    most: usize,
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        Self {
            known: RwLock::default(),
            most,
        }
    }

    /// The label of a connection that exists.
    pub(super) fn label<'c>(&self, connection: Option<&'c str>) -> &'c str {
        let Some(id) = connection else { return NONE };
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.contains(id) {
            return id;
        }
        if known.len() >= self.most {
            return OTHER;
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < self.most || known.contains(id) {
            known.insert(id.to_owned());
            id
        } else {
            OTHER
        }
    }
}

/// Methods beyond those that any path answers share one label.
pub(super) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => OTHER,
    }
}

/// `2xx` and the like.
pub(super) fn status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_beyond_the_limit_share_a_label() {
        let connections = Connections::new(2);
        for _ in 0..2 {
            assert_eq!(connections.label(Some("conn_a")), "conn_a");
            assert_eq!(connections.label(Some("conn_b")), "conn_b");
            assert_eq!(connections.label(Some("conn_c")), "other");
            assert_eq!(connections.label(None), "none");
        }
    }
}
