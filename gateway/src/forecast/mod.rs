//! What will end, and when that keeps people from signing in: looked at every hour, told in time, shown in one table.

mod facts;
mod row;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fedgate_certs::Timestamp;
use fedgate_certs::forecast::Forecast;
use fedgate_providers::error::Refusal;
use jiff::SignedDuration;
use tokio::sync::Mutex;

use crate::app::{App, Shared};
use crate::limits::Limits;
use crate::store::{Store, StoreError};

pub(crate) use row::{ForecastRow, table};

/// What is told of an end that comes.
const EXPIRING: &str = "certificate.expiring";
/// How long it is remembered that something was told, after the end.
const TOLD: SignedDuration = SignedDuration::from_hours(400 * 24);

/// The table as it was made last.
#[derive(Debug, Default)]
pub struct Forecasts {
    last: RwLock<Option<(Timestamp, Arc<Vec<Forecast>>)>>,
    /// One is made at a time.
    making: Mutex<()>,
}

impl Forecasts {
    /// The table as it was made last, the nearest outage first.
    pub fn last(&self) -> Arc<Vec<Forecast>> {
        self.kept().map(|(_, table)| table).unwrap_or_default()
    }

    /// The table of now. Of many that ask at once, those that wait share one that was begun after they asked.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn fresh(&self, app: &App) -> Result<Arc<Vec<Forecast>>, StoreError> {
        let asked = app.clock.now();
        let _turn = self.making.lock().await;
        if let Some((at, table)) = self.kept()
            && at > asked
        {
            return Ok(table);
        }
        let now = app.clock.now();
        let table = Arc::new(make(&app.store, &app.limits, now).await?);
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        *last = Some((now, Arc::clone(&table)));
        Ok(table)
    }

    fn kept(&self) -> Option<(Timestamp, Arc<Vec<Forecast>>)> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }
}

/// The table, the nearest outage first.
///
/// # Errors
/// The store's.
pub async fn make(
    store: &Store,
    limits: &Limits,
    now: Timestamp,
) -> Result<Vec<Forecast>, StoreError> {
    let facts = facts::gather(store, limits).await?;
    let mut table: Vec<Forecast> = facts
        .into_iter()
        .map(|fact| fedgate_certs::forecast::forecast(fact, now))
        .collect();
    table.sort_by(|one, other| {
        let key = |forecast: &Forecast| {
            let far = || forecast.next_at.unwrap_or(Timestamp::MAX);
            (forecast.outage_at.unwrap_or(Timestamp::MAX), far())
        };
        key(one)
            .cmp(&key(other))
            .then_with(|| one.fact.id.cmp(&other.fact.id))
    });
    Ok(table)
}

/// Looks at it as long as the gateway runs.
pub(crate) async fn run(app: Shared) {
    let mut tick = tokio::time::interval(Duration::from_secs(app.limits.forecast_seconds));
    loop {
        tick.tick().await;
        if let Err(error) = look(&app).await {
            let refusal = Refusal::from(error);
            tracing::warn!(code = refusal.code(), "what expires could not be looked at");
        }
    }
}

/// Tells what comes near, each number of days once.
async fn look(app: &App) -> Result<(), StoreError> {
    let table = app.forecasts.fresh(app).await?;
    let now = app.clock.now();
    for forecast in table.iter() {
        let Some(ends_at) = forecast.outage_at else {
            continue;
        };
        let days: Vec<i64> = forecast.told_by(now).collect();
        if days.is_empty() {
            continue;
        }
        let payload = serde_json::json!(ForecastRow::of(forecast, now));
        let subject = (forecast.fact.id.as_str(), ends_at);
        let told = app
            .store
            .tell_expiry(subject, &days, (EXPIRING, &payload), now)
            .await?;
        if told {
            tracing::warn!(
                subject = forecast.fact.id,
                days = forecast.days(now),
                outlook = forecast.outlook.as_str(),
                "something is about to end"
            );
        }
    }
    let old = now.checked_sub(TOLD).unwrap_or(Timestamp::MIN);
    app.store.sweep_expiry_notices(old).await?;
    Ok(())
}
