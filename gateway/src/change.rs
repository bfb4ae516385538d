//! What changes, as one replica tells the others.

use fedgate_providers::connection::ConnectionId;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

/// Changes that wait to be told; more are not told, and are seen when the near caches expire.
const WAITING: usize = 1_000;

/// Something that other replicas may hold near. It names what changed and does not say to what: whoever hears it
/// forgets, and reads the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// A connection, its domains or its links.
    Connection(String),
    /// An application.
    Application(String),
    /// The applications of a configuration.
    Applications,
    /// The keys that sign tokens.
    Keys,
}

/// Where changes are told. Cheap to clone; the default one tells nobody.
#[derive(Clone, Debug, Default)]
pub struct Announcer(Option<mpsc::Sender<Change>>);

impl Announcer {
    /// One that tells, and what it was told.
    pub(crate) fn channel() -> (Self, mpsc::Receiver<Change>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(Some(sender)), receiver)
    }

    /// Tells a change that is written, and does not wait.
    pub(crate) fn announce(&self, change: Change) {
        if let Some(sender) = &self.0
            && sender.try_send(change).is_err()
        {
            tracing::warn!(
                "a change is not told to other replicas; they see it when their caches expire"
            );
        }
    }

    /// Tells a change to a connection.
    pub(crate) fn connection(&self, id: &ConnectionId) {
        self.announce(Change::Connection(id.to_string()));
    }
}
