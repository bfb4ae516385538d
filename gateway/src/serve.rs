//! Opening the gateway's parts and serving them until the process is told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fedgate_certs::error::CertError;
use fedgate_certs::hex;
use fedgate_certs::seal::Sealer;
use fedgate_providers::egress::{Egress, EgressPolicy};
use fedgate_providers::login::Site;
use rand::Rng as _;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::{App, Clock, Randomness, Shared};
use crate::config::{Config, applications};
use crate::ephemeral::Ephemeral;
use crate::events::trace::Traces;
use crate::fanout::{self, Fanout};
use crate::forecast::{self, Forecasts};
use crate::health::Readiness;
use crate::idp_metadata::rescue::Flights;
use crate::key_uses::KeyUses;
use crate::op::client_keys::ClientKeys;
use crate::registry::Registry;
use crate::rotation;
use crate::router::router;
use crate::saml_keys::SamlKeys;
use crate::secrets::{self, SecretsError};
use crate::store::{Store, StoreError, StoreRefusal};
use crate::telemetry::{self, Metrics};
use crate::throttle::Throttle;
use crate::token_keys::{TokenKeys, TokenKeysError};
use crate::{idp_metadata, listener};

/// How often expired rows are removed.
const SWEEP: Duration = Duration::from_mins(1);
/// What tells this database from others that share a Redis or a master key with it.
const INSTALLATION: &str = "installation";

/// Why the gateway did not start, or stopped.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The database.
    #[error("the store cannot be used: {}", told(.0))]
    Store(#[from] StoreError),
    /// The master key.
    #[error("{0}")]
    Secrets(#[from] SecretsError),
    /// The signing keys in the store.
    #[error("{0}")]
    TokenKeys(#[from] TokenKeysError),
    /// What is sealed and hashed with the master key.
    #[error("the master key cannot be used: {0}")]
    Cert(#[from] CertError),
    /// The ephemeral store.
    #[error("{0}")]
    Ephemeral(String),
    /// The address.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The metrics: two of one name.
    #[error("the metrics cannot be made: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The signals that end the process.
    #[error("signals cannot be caught: {0}")]
    Signals(std::io::Error),
}

/// With its code, where an operator can look it up, and with its cause.
fn told(error: &StoreError) -> String {
    match (error, std::error::Error::source(error)) {
        (StoreError::Held, _) => StoreRefusal::Held.refuse().to_string(),
        (StoreError::Unavailable(cause), _) => {
            format!("{} ({cause})", StoreRefusal::Unavailable.refuse())
        }
        (error, Some(cause)) => format!("{error}: {cause}"),
        (error, None) => error.to_string(),
    }
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
    if config.ephemeral.url.is_none() {
        // Codes and counters are in this process's memory: no other one may take part in the same logins.
        store.keep_alone().await?;
    }
    let sealer = Arc::new(secrets::open(&config.secrets, &store, &randomness).await?);
    let ephemeral = ephemeral(&config, &store, &sealer, &randomness).await?;
    let (fanout, announcer) = Fanout::start(&ephemeral, &sealer, &mut randomness.rng());
    let store = store.announcing(announcer.clone());
    let keyring = TokenKeys::open(&store, &sealer, &clock, &randomness).await?;
    let site = config.site();
    let saml_keys = SamlKeys::open(&store, &sealer, host(&site), &clock, &randomness).await?;
    let saml_keys = Arc::new(saml_keys);
    store
        .put_configured_applications(&applications(&config, &sealer)?, clock.now())
        .await?;
    let egress = Egress::new(EgressPolicy {
        allow_private: config.egress.allow_private,
        ..EgressPolicy::default()
    });
    let metrics = Arc::new(Metrics::new(&limits)?);
    let counting = Arc::clone(&metrics);
    let egress =
        egress.watched(move |call| counting.upstream_called(call.asked, call.outcome, call.took));
    let egress = Arc::new(egress);
    Ok(Arc::new(App {
        site,
        traces: Traces::start(store.clone(), &limits),
        metrics,
        throttle: Throttle::new(&limits),
        readiness: Readiness::default(),
        ephemeral,
        fanout,
        rescues: Flights::default(),
        registry: Registry::new(&limits)
            .announcing(announcer)
            .configured(config.metadata)
            .with_saml_keys(Arc::clone(&saml_keys)),
        saml_keys,
        key_uses: KeyUses::new(&limits),
        forecasts: Forecasts::default(),
        client_keys: ClientKeys::new(egress.clone()),
        egress,
        keyring,
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
    let signals = Signals::caught().map_err(ServeError::Signals)?;
    let app = open(config).await?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|e| ServeError::Listen(address, e))?;
    tracing::info!(%address, public_url = app.site.base_url, "serving");
    let stop = stop_in_sight(app.clone(), signals);
    let served = serve_on(app.clone(), listener, stop).await;
    // What a backup finds after an orderly end is one file, with nothing left in a log beside it.
    app.store.close().await;
    served
}

/// Waits to be told to stop. Whoever watches `/readyz` sees that first, and sends no more requests; a second signal ends
/// that wait.
async fn stop_in_sight(app: Shared, mut signals: Signals) {
    signals.next().await;
    if app.readiness.stop(app.clock.now()) {
        tracing::info!(
            seconds = app.limits.unready_seconds,
            "stopping: /readyz says no"
        );
        let seen = Duration::from_secs(app.limits.unready_seconds);
        let _ = tokio::time::timeout(seen, signals.next()).await;
    }
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
    let listening = tokio::spawn(fanout::listen(app.clone()));
    let rereading = tokio::spawn(reread_keys(app.clone()));
    let rotating = tokio::spawn(rotation::run(app.clone()));
    let resealing = tokio::spawn(secrets::run(app.clone()));
    let foreseeing = tokio::spawn(forecast::run(app.clone()));
    let refreshing = tokio::spawn(idp_metadata::run(app.clone()));
    let watched = tokio::spawn(serve_metrics(app.clone(), metrics));
    listener::serve(listener, router(app.clone()), &app.limits, stop).await;
    sweeping.abort();
    listening.abort();
    rereading.abort();
    rotating.abort();
    resealing.abort();
    foreseeing.abort();
    refreshing.abort();
    watched.abort();
    app.traces.flush().await;
    Ok(())
}

/// The ephemeral store that the configuration names.
async fn ephemeral(
    config: &Config,
    store: &Store,
    sealer: &Arc<Sealer>,
    randomness: &Randomness,
) -> Result<Ephemeral, ServeError> {
    let limits = &config.limits;
    let Some(url) = &config.ephemeral.url else {
        return Ok(Ephemeral::embedded(limits));
    };
    let installation = installation(store, randomness).await?;
    let opened = Ephemeral::redis(url.clone(), &installation, Arc::clone(sealer), limits).await;
    opened.map_err(|refusal| {
        let (entry, evidence) = (refusal.entry(), refusal.evidence());
        let at = evidence.found.unwrap_or_default();
        let cause = evidence.detail.unwrap_or_default();
        ServeError::Ephemeral(format!(
            "{at}: {} [{}]\n    cause: {cause}\n    fix: {}",
            entry.meaning, entry.code, entry.fix
        ))
    })
}

/// The host and port that people reach: what certificates are made out to.
pub(crate) fn host(site: &Site) -> &str {
    let (_, host) = site.base_url.split_once("://").unwrap_or_default();
    host.split('/').next().unwrap_or_default()
}

/// The name of this database, which all replicas read there.
async fn installation(store: &Store, randomness: &Randomness) -> Result<String, StoreError> {
    if let Some(name) = store.setting(INSTALLATION).await? {
        return Ok(name);
    }
    let mut octets = [0; 16];
    randomness.rng().fill_bytes(&mut octets);
    store
        .put_setting_once(INSTALLATION, &hex::with_prefix("", &octets))
        .await
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
        app.throttle.sweep(app.clock.now());
        if let Err(error) = app.store.sweep(app.clock.now()).await {
            tracing::warn!(%error, "expired rows could not be removed");
        }
    }
}

/// Sees keys of other replicas of which no message came.
async fn reread_keys(app: Shared) {
    let mut tick = tokio::time::interval(Duration::from_secs(app.limits.cache_seconds));
    tick.tick().await;
    loop {
        tick.tick().await;
        app.reread_keys().await;
    }
}

/// SIGTERM and SIGINT, caught from the first moment on: before that they would end the process where it stands.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn caught() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
