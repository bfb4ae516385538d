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

/// Refused logins of the current second, by ring.
#[derive(Debug, Default)]
struct Rate {
    second: i64,
    counts: HashMap<String, u64>,
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
    /// Logins without a connection share one rate, and so do strangers at all connections.
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
        if let Some(count) = self.counts.get_mut(trace.ring()) {
            *count += 1;
            return *count <= per_second;
        }
        let room = self.counts.len() < RATED_CONNECTIONS && per_second > 0;
        if room {
            self.counts.insert(trace.ring().to_owned(), 1);
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::events::trace::STRANGERS;
    use crate::events::trace::tests::refused;
    use crate::store::testing::TestStore;

    fn limits() -> Limits {
        Limits {
            traces_per_second: 3,
            traces_per_connection: 5,
            traces: 50,
            ..Limits::default()
        }
    }

    #[tokio::test]
    async fn what_was_recorded_is_there_after_a_flush() {
        let store = TestStore::chosen().await;
        let traces = Traces::start((*store).clone(), &limits());
        let trace = refused(1, Some("conn_a"), 0);
        traces.record(trace.clone());
        traces.flush().await;
        assert_eq!(store.trace(&trace.reference).await.unwrap(), Some(trace));
        assert_eq!(traces.dropped(), 0);
    }

    #[tokio::test]
    async fn refused_logins_have_a_rate_per_connection_and_good_ones_have_none() {
        let store = TestStore::chosen().await;
        let traces = Traces::start((*store).clone(), &limits());
        for number in 0..10 {
            traces.record(refused(number, Some("conn_a"), 999));
        }
        traces.record(refused(10, Some("conn_b"), 999));
        for number in 20..25 {
            let mut good = refused(number, Some("conn_c"), 999);
            good.code = None;
            traces.record(good);
        }
        traces.record(refused(30, Some("conn_a"), 1000));
        traces.flush().await;
        assert_eq!(traces.dropped(), 7);
        for (connection, kept) in [("conn_a", 4), ("conn_b", 1), ("conn_c", 5)] {
            assert_eq!(
                store.traces(connection, 99).await.unwrap().len(),
                kept,
                "{connection}"
            );
        }
    }

    #[tokio::test]
    async fn strangers_cost_the_logins_of_a_connection_nothing() {
        let store = TestStore::sqlite().await;
        let traces = Traces::start((*store).clone(), &limits());
        for number in 0..100 {
            let connection = format!("conn_{}", number % 2);
            let mut garbage = refused(number, Some(&connection), 0);
            garbage.of_stranger = true;
            traces.record(garbage);
        }
        traces.record(refused(100, Some("conn_0"), 0));
        traces.flush().await;
        assert_eq!(traces.dropped(), 97);
        assert_eq!(store.traces("conn_0", 99).await.unwrap().len(), 1);
        assert_eq!(store.traces(STRANGERS, 99).await.unwrap().len(), 3);
    }

    #[tokio::test]
    async fn garbage_without_a_connection_shares_one_rate() {
        let store = TestStore::chosen().await;
        let traces = Traces::start((*store).clone(), &limits());
        for number in 0..1000 {
            traces.record(refused(number, None, 0));
        }
        traces.flush().await;
        assert_eq!(traces.dropped(), 997);
    }

    #[tokio::test]
    async fn a_store_that_is_gone_costs_traces_only() {
        let store = TestStore::chosen().await;
        let traces = Traces::start((*store).clone(), &limits());
        store.close().await;
        traces.record(refused(1, None, 0));
        traces.flush().await;
        assert_eq!(traces.dropped(), 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_hundred_thousand_traces_pass_through_quickly_and_leave_a_ring() {
        let store = TestStore::chosen().await;
        let limits = Limits {
            traces_per_second: u64::MAX,
            traces_per_connection: 20,
            traces: 100,
            ..Limits::default()
        };
        let traces = Traces::start((*store).clone(), &limits);
        let began = Instant::now();
        for number in 0..100_000_u32 {
            traces.record(refused(
                number,
                Some(&format!("conn_{}", number % 10)),
                i64::from(number),
            ));
            if number % 2_000 == 0 {
                traces.flush().await;
            }
        }
        traces.flush().await;
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(traces.dropped(), 0);
        let mut kept = 0;
        for ring in 0..10 {
            kept += store
                .traces(&format!("conn_{ring}"), 1000)
                .await
                .unwrap()
                .len();
        }
        assert_eq!(kept, 100);
        assert!(store.trace("FG-00099999").await.unwrap().is_some());
    }
}
