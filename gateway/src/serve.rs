//! Opening the gateway's parts and serving them until the process is told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fedgate_certs::error::CertError;
use fedgate_certs::key::{SigningAlgorithm, SigningKey};
use fedgate_certs::keyring::{KeyPurpose, Keyring, Stage};
use fedgate_certs::seal::Sealer;
use fedgate_providers::egress::{Egress, EgressPolicy};
use thiserror::Error;
use tokio::net::TcpListener;

use crate::app::{App, Clock, Randomness, Shared};
use crate::config::{Config, applications, load_or_create_master_key};
use crate::ephemeral::Ephemeral;
use crate::events::trace::Traces;
use crate::listener;
use crate::op::client_keys::ClientKeys;
use crate::registry::Registry;
use crate::router::router;
use crate::store::key::StoredKey;
use crate::store::{Store, StoreError};
use crate::telemetry::{self, Metrics};

/// How often expired rows are removed.
const SWEEP: Duration = Duration::from_mins(1);
/// What token-signing keys are sealed for.
const KEY_PURPOSE: &str = KeyPurpose::Tokens.as_str();

/// Why the gateway did not start, or stopped.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The database.
    #[error("the store cannot be used: {0}")]
    Store(#[from] StoreError),
    /// The master key.
    #[error("{0}")]
    MasterKey(String),
    /// The signing keys in the store: they cannot be opened with this master key, or not made.
    #[error("the signing keys in the store cannot be used with this master key: {0}")]
    Keys(#[from] CertError),
    /// The address.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The outbound HTTP client.
    #[error("the outbound HTTP client cannot be made: {0}")]
    Egress(String),
}

/// Opens every part that the configuration names.
///
/// # Errors
/// The part that cannot be opened.
pub async fn open(config: Config) -> Result<Shared, ServeError> {
    let clock = Clock::default();
    let randomness = Randomness;
    let limits = config.limits.clone();
    let store = Store::open(&config.store.url).await?;
    let holds_secrets = store.holds_sealed().await?;
    let master = load_or_create_master_key(
        &config.secrets.master_key_file,
        holds_secrets,
        &mut randomness.rng(),
    )
    .map_err(|problem| ServeError::MasterKey(problem.to_string()))?;
    let sealer = Sealer::new(master);
    let keyring = keyring(&store, &sealer, &clock, &randomness).await?;
    store
        .put_configured_applications(&applications(&config, &sealer)?, clock.now())
        .await?;
    let egress = Egress::new(EgressPolicy {
        allow_private: config.egress.allow_private,
        ..EgressPolicy::default()
    });
    let egress = Arc::new(egress.map_err(|e| ServeError::Egress(e.to_string()))?);
    Ok(Arc::new(App {
        site: config.site(),
        traces: Traces::start(store.clone(), &limits),
        metrics: Metrics::default(),
        ephemeral: Ephemeral::embedded(&limits),
        registry: Registry::new(&limits),
        client_keys: ClientKeys::new(egress.clone()),
        egress,
        keyring: Arc::new(keyring),
        clock,
        randomness,
        limits,
        sealer,
        store,
        config,
    }))
}

/// Serves until the process gets SIGTERM or SIGINT, then finishes what is in flight.
///
/// # Errors
/// Those of [`open`]; [`ServeError::Listen`].
pub async fn serve(config: Config) -> Result<(), ServeError> {
    let address = config.server.listen;
    let app = open(config).await?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|e| ServeError::Listen(address, e))?;
    tracing::info!(%address, public_url = app.site.base_url, "serving");
    serve_on(app, listener, stop_signal()).await
}

/// Serves an opened gateway on a listener until `stop` resolves.
///
/// # Errors
/// [`ServeError::Listen`] for `metrics_listen`.
pub async fn serve_on(
    app: Shared,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let metrics = metrics_listener(&app).await?;
    let sweeping = tokio::spawn(sweep(app.clone()));
    let watched = tokio::spawn(serve_metrics(app.clone(), metrics));
    listener::serve(listener, router(app.clone()), &app.limits, stop).await;
    sweeping.abort();
    watched.abort();
    app.traces.flush().await;
    Ok(())
}

/// `metrics_listen`, bound.
async fn metrics_listener(app: &Shared) -> Result<Option<TcpListener>, ServeError> {
    let Some(address) = app.config.telemetry.metrics_listen else {
        return Ok(None);
    };
    let bound = TcpListener::bind(address).await;
    bound.map(Some).map_err(|e| ServeError::Listen(address, e))
}

async fn serve_metrics(app: Shared, listener: Option<TcpListener>) {
    let Some(listener) = listener else { return };
    let router = telemetry::routes().with_state(app);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "metrics are not served any more");
    }
}

/// Removes what has served its time, as long as the gateway runs.
async fn sweep(app: Shared) {
    let mut tick = tokio::time::interval(SWEEP);
    loop {
        tick.tick().await;
        if let Err(error) = app.store.sweep(app.clock.now()).await {
            tracing::warn!(%error, "expired rows could not be removed");
        }
    }
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// The token-signing keys; a store that has none gets one for each algorithm.
pub(crate) async fn keyring(
    store: &Store,
    sealer: &Sealer,
    clock: &Clock,
    randomness: &Randomness,
) -> Result<Keyring, ServeError> {
    let mut kept = token_keys(store).await?;
    if kept.is_empty() {
        for algorithm in SigningAlgorithm::ALL {
            let key = SigningKey::generate(algorithm)?;
            let private_key = sealer.seal_secret(
                KEY_PURPOSE,
                key.id(),
                &key.to_pkcs8_der()?,
                &mut randomness.rng(),
            )?;
            let now = clock.now();
            let row = StoredKey {
                id: key.id().to_owned(),
                purpose: KEY_PURPOSE.to_owned(),
                algorithm: algorithm.as_str().to_owned(),
                stage: Stage::Active.as_str().to_owned(),
                private_key,
                certificate: None,
                created_at: now,
                stage_at: now,
            };
            store.insert_key(&row).await?;
        }
        kept = token_keys(store).await?;
    }
    let mut keys = Vec::with_capacity(kept.len());
    for row in kept {
        let plain = sealer.open_secret(KEY_PURPOSE, &row.id, &row.private_key)?;
        let stage = Stage::from_name(&row.stage).ok_or(StoreError::Corrupt("key"))?;
        keys.push((SigningKey::from_pkcs8_der(&plain)?, stage));
    }
    Ok(Keyring::new(keys)?)
}

async fn token_keys(store: &Store) -> Result<Vec<StoredKey>, StoreError> {
    let keys = store.keys().await?;
    Ok(keys
        .into_iter()
        .filter(|key| key.purpose == KEY_PURPOSE)
        .collect())
}
