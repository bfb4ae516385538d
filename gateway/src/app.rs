//! The running gateway: everything a handler can reach, and the only sources of time and randomness.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use fedgate_certs::Timestamp;
use fedgate_certs::seal::Sealer;
use fedgate_providers::egress::Egress;
use fedgate_providers::login::Site;
use jiff::SignedDuration;
use rand::CryptoRng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::config::Config;
use crate::ephemeral::Ephemeral;
use crate::events::trace::Traces;
use crate::fanout::Fanout;
use crate::forecast::Forecasts;
use crate::health::Readiness;
use crate::idp_metadata::rescue::Flights;
use crate::key_uses::KeyUses;
use crate::limits::Limits;
use crate::op::client_keys::ClientKeys;
use crate::registry::Registry;
use crate::saml_keys::SamlKeys;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::throttle::Throttle;
use crate::token_keys::TokenKeys;

/// The one clock. Tests set it forward; nothing below a handler asks the system.
#[derive(Debug, Default)]
pub struct Clock {
    offset_milliseconds: AtomicI64,
}

impl Clock {
    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    pub fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_millis(self.offset_milliseconds.load(Ordering::Relaxed));
        let now = Timestamp::now();
        now.checked_add(offset).unwrap_or(now)
    }

    /// Sets the clock forward (or back) by so many seconds, for tests.
    pub fn step(&self, seconds: i64) {
        self.offset_milliseconds
            .fetch_add(seconds.saturating_mul(1000), Ordering::Relaxed);
    }
}

/// `now` and so many seconds, or the end of time.
pub(crate) fn later(now: Timestamp, seconds: u64) -> Timestamp {
    let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    now.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// The one source of randomness: the operating system's.
#[derive(Debug, Default)]
pub struct Randomness;

impl Randomness {
    /// A generator for one request.
    pub fn rng(&self) -> impl CryptoRng + use<> {
        UnwrapErr(SysRng)
    }
}

/// Shared by every handler.
pub type Shared = Arc<App>;

/// The running gateway.
#[derive(Debug)]
pub struct App {
    /// What the operator configured.
    pub config: Config,
    /// Every bound.
    pub limits: Limits,
    /// The public face; it travels as a value.
    pub site: Site,
    /// The one clock.
    pub clock: Clock,
    /// The one source of randomness.
    pub randomness: Randomness,
    /// Seals secrets, pending logins and sign-in requests.
    pub sealer: Arc<Sealer>,
    /// Signs tokens.
    pub keyring: TokenKeys,
    /// Signs requests to SAML identity providers, and decrypts what they encrypt.
    pub saml_keys: Arc<SamlKeys>,
    /// Which of these pairs identity providers encrypt for.
    pub key_uses: KeyUses,
    /// What ends, and when that is an outage.
    pub forecasts: Forecasts,
    /// The one way out.
    pub egress: Arc<Egress>,
    /// Rows.
    pub store: Store,
    /// Codes, counters, large pending logins.
    pub ephemeral: Ephemeral,
    /// Keys that applications publish.
    pub client_keys: ClientKeys,
    /// What other replicas are told, and tell.
    pub fanout: Fanout,
    /// Opened providers and routes.
    pub registry: Registry,
    /// Logins that read an identity provider's keys anew.
    pub rescues: Flights,
    /// Writes traces behind the requests.
    pub traces: Traces,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Who was refused too often.
    pub throttle: Throttle,
    /// Whether requests should be sent here.
    pub readiness: Readiness,
}

impl App {
    /// Reads our own keys anew. What was opened with others is forgotten.
    pub(crate) async fn reread_keys(&self) {
        self.keyring.reread(&self.store, &self.sealer).await;
        if self.saml_keys.reread(&self.store, &self.sealer).await {
            self.registry.forget_all();
        }
    }
}
