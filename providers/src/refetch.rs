//! The budget of fetches that logins cause: whoever can begin a login can also answer it with an unknown key.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use fedgate_certs::Timestamp;

use crate::connection::ConnectionId;

/// A fetch that is newer than this counts as the one that a login would cause, in seconds.
pub const RECENT_SECONDS: i64 = 3;
const WINDOW_SECONDS: i64 = 60;

/// How many fetches logins may cause in a minute. One budget for metadata and for key sets.
#[derive(Debug)]
pub struct RefetchBudget {
    per_connection: u64,
    in_all: u64,
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    number: i64,
    in_all: u64,
    by_connection: HashMap<ConnectionId, u64>,
}

impl Default for RefetchBudget {
    fn default() -> Self {
        Self::new(10, 600)
    }
}

impl RefetchBudget {
    /// A budget per minute; of nothing, logins cause no fetch at all.
    pub fn new(per_connection: u64, in_all: u64) -> Self {
        Self {
            per_connection,
            in_all,
            window: Mutex::default(),
        }
    }

    /// Whether a login of the connection may cause a fetch now, which is counted.
    pub fn take(&self, connection: &ConnectionId, now: Timestamp) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.as_second().div_euclid(WINDOW_SECONDS);
        if window.number != number {
            *window = Window {
                number,
                ..Window::default()
            };
        }
        if window.in_all >= self.in_all {
            return false;
        }
        let taken = window.by_connection.entry(connection.clone()).or_default();
        if *taken >= self.per_connection {
            return false;
        }
        *taken += 1;
        window.in_all += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_connection_does_not_use_up_what_all_have() {
        let connection = |n: u32| ConnectionId::parse(&format!("conn_{n:032x}")).unwrap();
        let at = |second: i64| Timestamp::from_second(1_767_000_000 + second).unwrap();
        let budget = RefetchBudget::new(2, 3);
        let took = [1, 1, 1, 2, 2].map(|n| budget.take(&connection(n), at(0)));
        assert_eq!(took, [true, true, false, true, false]);
        assert!(budget.take(&connection(1), at(60)), "the next minute");
        assert!(!RefetchBudget::new(0, 9).take(&connection(1), at(0)));
    }
}
