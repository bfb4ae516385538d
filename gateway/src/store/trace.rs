//! Traces as rows, in rings: bounded by count per connection, by count in all, and by age.

use super::query::{batch, execute, fetch_all, fetch_optional, insert_all};
use super::{Store, StoreError, decided, json, to_json};
use crate::events::trace::{STRANGERS, Trace};
use crate::limits::Limits;

/// Rows of one `INSERT`, so that its arguments stay below every database's bound.
const ROWS_AT_ONCE: usize = 100;
const MILLISECONDS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

impl Store {
    /// Adds traces and lets the oldest of each ring go.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn insert_traces(&self, traces: &[Trace], limits: &Limits) -> Result<(), StoreError> {
        let bodies = traces
            .iter()
            .map(|trace| Ok((trace, to_json(trace, "trace")?)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        decided(|| self.write_traces(traces, &bodies, limits)).await
    }

    async fn write_traces(
        &self,
        traces: &[Trace],
        bodies: &[(&Trace, String)],
        limits: &Limits,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for rows in bodies.chunks(ROWS_AT_ONCE) {
            insert_all!(
                transaction,
                "INSERT INTO traces (reference, ring, at, body) ",
                rows,
                " ON CONFLICT DO NOTHING",
                |mut row, (trace, body)| {
                    row.push_bind(trace.reference.as_str())
                        .push_bind(trace.ring())
                        .push_bind(trace.at)
                        .push_bind(body.as_str());
                }
            )?;
        }
        let mut rings: Vec<&str> = traces.iter().map(Trace::ring).collect();
        rings.sort_unstable();
        rings.dedup();
        for ring in rings {
            execute!(transaction,
                "DELETE FROM traces WHERE ring = $1
                    AND id <= (SELECT id FROM traces WHERE ring = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
                ring, bound(most(ring, limits)))?;
        }
        let newest = traces.iter().map(|trace| trace.at).max().unwrap_or(0);
        batch!(
            transaction,
            [
                "DELETE FROM traces WHERE at < $1",
                "DELETE FROM traces WHERE (at, id) < (SELECT at, id FROM traces ORDER BY at DESC, id DESC LIMIT 1 OFFSET $2)",
            ],
            newest.saturating_sub(bound(limits.trace_days).saturating_mul(MILLISECONDS_PER_DAY)),
            bound(limits.traces.saturating_sub(1))
        )?;
        transaction.commit().await
    }

    /// The trace behind a reference.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn trace(&self, reference: &str) -> Result<Option<Trace>, StoreError> {
        let mut reader = self.reader().await?;
        let row = fetch_optional!(
            reader,
            (String,),
            "SELECT body FROM traces WHERE reference = $1",
            reference
        )?;
        row.map(|(body,)| json(&body, "trace")).transpose()
    }

    /// The newest traces of a connection; of logins without one for an empty id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn traces(&self, connection_id: &str, most: u32) -> Result<Vec<Trace>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_all!(
            reader,
            (String,),
            "SELECT body FROM traces WHERE ring = $1 ORDER BY id DESC LIMIT $2",
            connection_id,
            i64::from(most)
        )?;
        rows.iter().map(|(body,)| json(body, "trace")).collect()
    }
}

/// The traces that a ring keeps.
fn most(ring: &str, limits: &Limits) -> u64 {
    if ring == STRANGERS {
        limits.stranger_traces
    } else {
        limits.traces_per_connection
    }
}

fn bound(limit: u64) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
