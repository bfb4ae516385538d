//! The story of one login, good or bad, as an administrator reads it.

use fedgate_providers::login::Step;
use serde::{Deserialize, Serialize};

/// One login attempt. Redacted by construction: steps hold evidence, never tokens, secrets or assertions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// What the error page shows: `FG-` and eight letters or digits without look-alikes.
    pub reference: String,
    /// The connection, once routing chose one.
    pub connection_id: Option<String>,
    /// Its strategy, for the console's words.
    pub strategy: Option<String>,
    /// Its display name at that time.
    pub connection_name: Option<String>,
    /// The application that asked.
    pub client_id: Option<String>,
    /// The user signed in, if any.
    pub user_id: Option<String>,
    /// The code of the refusal; none for a login that succeeded.
    pub code: Option<String>,
    /// First to last.
    pub steps: Vec<Step>,
    /// Milliseconds since the epoch.
    pub at: i64,
}
