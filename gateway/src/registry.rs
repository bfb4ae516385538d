//! The near cache: opened providers, the applications that may use them, and domain routes. Every entry has a bounded life, every change forgets what it
//! touches, and the sign-in transaction reads again what must not be stale.

use std::sync::Arc;
use std::time::Duration;

use fedgate_certs::Timestamp;
use fedgate_certs::seal::Sealer;
use fedgate_providers::connection::{Connection, ConnectionId, Options, Status};
use fedgate_providers::egress::Egress;
use fedgate_providers::error::Refusal;
use fedgate_providers::provider::{Opening, Provider, Trusting};
use fedgate_providers::refetch::RefetchBudget;
use fedgate_providers::refusals;
use fedgate_providers::saml::metadata::beside::KeysBeside;
use fedgate_providers::spec::Spec;
use jiff::SignedDuration;
use moka::future::Cache;

use crate::change::Announcer;
use crate::config::MetadataConfig;
use crate::error::GatewayRefusal;
use crate::limits::Limits;
use crate::saml_keys::SamlKeys;
use crate::store::connection::StoredConnection;
use crate::store::{Store, StoreRefusal};
use crate::telemetry::Reads;

/// How long an OpenID Provider's metadata is used before it is read again: as long as its keys are.
const DISCOVERED: Duration = Duration::from_hours(1);
/// How long an upstream that could not be opened is not asked again: else whoever begins logins at a connection whose
/// upstream hangs makes the gateway wait for it each time.
const REFUSED: Duration = Duration::from_secs(2);
/// What sealed connection secrets are sealed for.
pub const SECRET_PURPOSE: &str = "connection";

refusals! {
    /// Why a connection leads nowhere.
    pub enum RegistryRefusal in "login" {
        /// The connection was disabled or deleted, or it is still a draft.
        ConnectionUnavailable = "connection_unavailable", Operator, kinde 1004,
            says "This way to sign in is not available.",
            fix "Activate the connection, or let the application offer another one.";
    }
}

/// A connection with its provider, ready for logins.
#[derive(Debug)]
pub struct Ready {
    /// The connection at the version that was opened.
    pub connection: Connection,
    /// Its provider.
    pub provider: Provider,
    /// When its upstream's metadata or discovery document was read.
    pub metadata_read: Option<Timestamp>,
}

/// Opened providers by connection, and routes by domain.
#[derive(Debug)]
pub struct Registry {
    providers: Cache<ConnectionId, Arc<Ready>>,
    /// Those whose opening called an upstream, by version: `providers` forgets within seconds what may have changed
    /// here, and nothing says that the upstream has changed with it.
    discovered: Cache<(ConnectionId, i64), Arc<Ready>>,
    /// What an upstream was refused for just now, by version.
    refused: Cache<(ConnectionId, i64), Refusal>,
    applications: Cache<ConnectionId, Arc<Vec<String>>>,
    routes: Cache<String, Option<ConnectionId>>,
    announcer: Announcer,
    saml_keys: Arc<SamlKeys>,
    /// How long expired metadata serves.
    grace: SignedDuration,
    refetches: Arc<RefetchBudget>,
    reads: Counted,
}

/// How often each cache was asked.
#[derive(Debug, Default)]
struct Counted {
    providers: Reads,
    applications: Reads,
    routes: Reads,
}

impl Registry {
    /// An empty registry.
    pub fn new(limits: &Limits) -> Self {
        let life = Duration::from_secs(limits.cache_seconds);
        Self {
            providers: Cache::builder()
                .max_capacity(limits.cached_providers)
                .time_to_live(life)
                .build(),
            discovered: Cache::builder()
                .max_capacity(limits.cached_providers)
                .time_to_live(DISCOVERED)
                .build(),
            refused: Cache::builder()
                .max_capacity(limits.cached_providers)
                .time_to_live(REFUSED)
                .build(),
            applications: Cache::builder()
                .max_capacity(limits.cached_providers)
                .time_to_live(life)
                .build(),
            routes: Cache::builder()
                .max_capacity(limits.cached_routes)
                .time_to_live(life)
                .build(),
            announcer: Announcer::default(),
            saml_keys: Arc::default(),
            grace: SignedDuration::ZERO,
            refetches: Arc::new(RefetchBudget::new(
                limits.login_fetches_per_connection,
                limits.login_fetches,
            )),
            reads: Counted::default(),
        }
    }

    /// The same registry, which tells its changes through `announcer`.
    #[must_use]
    pub(crate) fn announcing(mut self, announcer: Announcer) -> Self {
        self.announcer = announcer;
        self
    }

    /// The same registry, which opens SAML connections with these keys of ours.
    #[must_use]
    pub(crate) fn with_saml_keys(mut self, saml_keys: Arc<SamlKeys>) -> Self {
        self.saml_keys = saml_keys;
        self
    }

    /// The same registry, under these settings.
    #[must_use]
    pub(crate) fn configured(mut self, metadata: MetadataConfig) -> Self {
        self.grace = metadata.grace();
        if !metadata.rescue {
            self.refetches = Arc::new(RefetchBudget::new(0, 0));
        }
        self
    }

    /// The budget of fetches that logins cause.
    pub(crate) fn refetches(&self) -> &RefetchBudget {
        &self.refetches
    }

    /// What is trusted beside a connection's upstream.
    pub(crate) fn trusting(&self, beside: KeysBeside) -> Trusting {
        Trusting {
            beside,
            grace: self.grace,
            refetches: Arc::clone(&self.refetches),
        }
    }

    /// The provider of an active connection. Opened once, however many logins wait for it.
    ///
    /// # Errors
    /// `login.connection_unavailable`, those of the store, and what its upstream's metadata is refused for.
    pub async fn provider(
        &self,
        store: &Store,
        sealer: &Sealer,
        egress: &Arc<Egress>,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Arc<Ready>, Refusal> {
        self.reads.providers.asked();
        let opening = async {
            self.reads.providers.missed();
            self.open(store, sealer, egress, id, now).await
        };
        self.providers
            .try_get_with_by_ref(id, opening)
            .await
            .map_err(|refusal| (*refusal).clone())
    }

    /// The provider of an active connection as it is in the store now, whatever is near or being opened: whoever has
    /// just changed it does not wait for an opening that began before.
    ///
    /// # Errors
    /// Those of [`Registry::provider`].
    pub(crate) async fn reopened(
        &self,
        store: &Store,
        sealer: &Sealer,
        egress: &Arc<Egress>,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Arc<Ready>, Refusal> {
        let ready = self.open(store, sealer, egress, id, now).await?;
        self.providers.insert(id.clone(), Arc::clone(&ready)).await;
        Ok(ready)
    }

    /// The applications that a connection is enabled for.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn applications(
        &self,
        store: &Store,
        id: &ConnectionId,
    ) -> Result<Arc<Vec<String>>, Refusal> {
        self.reads.applications.asked();
        let read = async {
            self.reads.applications.missed();
            let applications = store.connection_applications(id).await?;
            Ok::<_, Refusal>(Arc::new(applications))
        };
        self.applications
            .try_get_with_by_ref(id, read)
            .await
            .map_err(|refusal| (*refusal).clone())
    }

    /// The connection that a domain routes to. `domain` is normalized.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn route(
        &self,
        store: &Store,
        domain: &str,
    ) -> Result<Option<ConnectionId>, Refusal> {
        self.reads.routes.asked();
        let looked_up = async {
            self.reads.routes.missed();
            let route = store.route(domain).await?;
            Ok::<_, Refusal>(route.map(|route| route.connection_id))
        };
        self.routes
            .try_get_with_by_ref(domain, looked_up)
            .await
            .map_err(|refusal| (*refusal).clone())
    }

    /// How often each cache was asked, by its name.
    pub fn reads(&self) -> [(&'static str, &Reads); 3] {
        [
            ("providers", &self.reads.providers),
            ("connection_applications", &self.reads.applications),
            ("routes", &self.reads.routes),
        ]
    }

    /// When the metadata of connections in use was read, of so many at most.
    pub fn metadata_read(&self, most: usize) -> Vec<(ConnectionId, Timestamp)> {
        let ready = self.providers.iter();
        ready
            .filter_map(|(id, ready)| Some(((*id).clone(), ready.metadata_read?)))
            .take(most)
            .collect()
    }

    /// Forgets a connection and all routes, after a change that was written here, and tells the other replicas.
    pub async fn forget(&self, id: &ConnectionId) {
        self.forget_near(id).await;
        self.announcer.connection(id);
    }

    /// Forgets everything, where changes may have been missed. What upstreams said of themselves stays: it goes with a
    /// connection's version, which is read anew.
    pub fn forget_all(&self) {
        self.providers.invalidate_all();
        self.applications.invalidate_all();
        self.routes.invalidate_all();
    }

    /// Forgets a connection and all routes, after a change on another replica.
    pub(crate) async fn forget_near(&self, id: &ConnectionId) {
        self.providers.invalidate(id).await;
        self.applications.invalidate(id).await;
        self.routes.invalidate_all();
    }

    async fn open(
        &self,
        store: &Store,
        sealer: &Sealer,
        egress: &Arc<Egress>,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Arc<Ready>, Refusal> {
        let unavailable = || RegistryRefusal::ConnectionUnavailable.refuse().found(id);
        let stored = store.connection(id).await?.ok_or_else(unavailable)?;
        if stored.status != Status::Active {
            return Err(unavailable().detail(stored.status.as_str()));
        }
        let version = (id.clone(), stored.version);
        if let Some(ready) = self.discovered.get(&version).await {
            return Ok(ready);
        }
        if let Some(refusal) = self.refused.get(&version).await {
            return Err(refusal);
        }
        let connection = from_row(&stored, sealer)?;
        let (metadata, beside) = store.live_trust(id).await?.unzip();
        let opening = Opening {
            connection: &connection,
            metadata: metadata
                .as_ref()
                .map(|revision| revision.document.as_bytes()),
            keys: &self.saml_keys.keys(),
            trusting: &self.trusting(beside.unwrap_or_default()),
            egress,
            now,
        };
        let provider = match Box::pin(Provider::open(opening)).await {
            Ok(provider) => provider,
            Err(refusal) => {
                self.refused.insert(version, refusal.clone()).await;
                return Err(refusal);
            }
        };
        let metadata_read = match &provider {
            Provider::Oauth(_) => Some(now),
            Provider::Saml(_) => metadata.map(|revision| revision.fetched_at),
        };
        let ready = Arc::new(Ready {
            connection,
            provider,
            metadata_read,
        });
        if matches!(ready.provider, Provider::Oauth(_)) {
            self.discovered.insert(version, Arc::clone(&ready)).await;
        }
        Ok(ready)
    }
}

/// A connection from its row, with its secrets opened.
///
/// # Errors
/// `store.corrupt`, `gateway.secret_unreadable`
pub fn from_row(stored: &StoredConnection, sealer: &Sealer) -> Result<Connection, Refusal> {
    let broken = |detail: &str| {
        StoreRefusal::Corrupt
            .refuse()
            .found(&stored.id)
            .detail(detail)
    };
    let spec = Spec::of(&stored.strategy)
        .ok_or_else(|| broken("its strategy is unknown to this version"))?;
    let mut options = stored
        .options
        .as_object()
        .cloned()
        .ok_or_else(|| broken("its options are no object"))?;
    if let Some(sealed) = &stored.secrets {
        let opened = sealer.open_secret(SECRET_PURPOSE, stored.id.as_str(), sealed);
        let plain =
            opened.map_err(|_| GatewayRefusal::SecretUnreadable.refuse().found(&stored.id))?;
        let secrets: serde_json::Map<_, _> =
            serde_json::from_slice(&plain).map_err(|_| broken("its secrets are no object"))?;
        options.extend(secrets);
    }
    let options = Options::from_json(spec, &options)
        .map_err(|_| broken("its options are not valid any more"))?;
    Ok(Connection {
        id: stored.id.clone(),
        version: stored.version,
        name: stored.name.clone(),
        display_name: stored.display_name.clone(),
        spec,
        status: stored.status,
        organization_code: stored.organization_code.clone(),
        options,
    })
}
