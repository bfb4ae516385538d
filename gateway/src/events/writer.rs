//! The background task that writes traces, outside every login's transaction.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::trace::Trace;
use crate::limits::Limits;
use crate::store::Store;

/// Traces that wait to be written; more are dropped and counted.
const WAITING_TRACES: usize = 4096;
/// Traces of one transaction.
const BATCH: usize = 500;
/// The longest that a trace waits for others.
const BATCH_TIME: Duration = Duration::from_millis(200);
/// Connections told apart by the rate limit within one second.
const RATED_CONNECTIONS: usize = 10_000;

/// Takes traces and never blocks. Cheap to clone; the task ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Traces(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: mpsc::Sender<Message>,
    dropped: Arc<AtomicU64>,
    rate: Mutex<Rate>,
    per_second: u64,
    trace_bytes: usize,
}

#[derive(Debug)]
enum Message {
    Write(Box<Trace>),
    Flush(oneshot::Sender<()>),
}

/// Refused logins of the current second, by connection.
#[derive(Debug, Default)]
struct Rate {
    second: i64,
    counts: HashMap<Option<String>, u64>,
}

impl Traces {
    /// Starts the task.
    pub fn start(store: Store, limits: &Limits) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING_TRACES);
        let dropped = Arc::new(AtomicU64::new(0));
        tokio::spawn(write_all(
            waiting,
            store,
            limits.clone(),
            Arc::clone(&dropped),
        ));
        Self(Arc::new(Shared {
            queue,
            dropped,
            rate: Mutex::default(),
            per_second: limits.traces_per_second,
            trace_bytes: limits.trace_bytes,
        }))
    }

    /// Keeps a trace, if its connection's rate of refused logins and the queue allow; counts it as dropped otherwise.
    /// Logins without a connection share one rate.
    pub fn record(&self, mut trace: Trace) {
        let shared = &self.0;
        let within = trace.code.is_none() || shared.rate().admits(&trace, shared.per_second);
        if within {
            trace.cut_to(shared.trace_bytes);
        }
        if !within
            || shared
                .queue
                .try_send(Message::Write(Box::new(trace)))
                .is_err()
        {
            shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Traces that were not kept since the start.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Waits until all that was recorded before is written.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.0.queue.send(Message::Flush(done)).await.is_ok() {
            let _ = written.await;
        }
    }
}

impl Shared {
    fn rate(&self) -> std::sync::MutexGuard<'_, Rate> {
        self.rate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rate {
    fn admits(&mut self, trace: &Trace, per_second: u64) -> bool {
        let second = trace.at.div_euclid(1000);
        if second != self.second {
            self.second = second;
            self.counts.clear();
        }
        if let Some(count) = self.counts.get_mut(&trace.connection_id) {
            *count += 1;
            return *count <= per_second;
        }
        let room = self.counts.len() < RATED_CONNECTIONS && per_second > 0;
        if room {
            self.counts.insert(trace.connection_id.clone(), 1);
        }
        room
    }
}

async fn write_all(
    mut waiting: mpsc::Receiver<Message>,
    store: Store,
    limits: Limits,
    dropped: Arc<AtomicU64>,
) {
    while let Some(first) = waiting.recv().await {
        let (traces, flushes) = gather(first, &mut waiting).await;
        if !traces.is_empty()
            && let Err(error) = store.insert_traces(&traces, &limits).await
        {
            dropped.fetch_add(traces.len() as u64, Ordering::Relaxed);
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                traces = traces.len(),
                "traces were not written"
            );
        }
        for done in flushes {
            let _ = done.send(());
        }
    }
}

/// What comes within [`BATCH_TIME`], up to [`BATCH`]; at once where someone waits for it.
async fn gather(
    first: Message,
    waiting: &mut mpsc::Receiver<Message>,
) -> (Vec<Trace>, Vec<oneshot::Sender<()>>) {
    let (mut traces, mut flushes) = (Vec::new(), Vec::new());
    let until = Instant::now() + BATCH_TIME;
    let mut next = Some(first);
    while let Some(message) = next {
        match message {
            Message::Write(trace) => traces.push(*trace),
            Message::Flush(done) => flushes.push(done),
        }
        next = if traces.len() >= BATCH {
            None
        } else if flushes.is_empty() {
            tokio::time::timeout_at(until, waiting.recv())
                .await
                .ok()
                .flatten()
        } else {
            waiting.try_recv().ok()
        };
    }
    (traces, flushes)
}
