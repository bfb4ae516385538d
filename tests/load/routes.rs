//! From a domain to its connection: by the registry alone, and by whole authorization requests.

use std::time::{Duration, Instant};

use fedgate::limits::Limits;
use fedgate::registry::Registry;
use fedgate::store::Store;
use url::form_urlencoded::Serializer;

use crate::Outcome;
use crate::database::Database;
use crate::gateway::{Gateway, REDIRECT_URI};

/// Domains asked for before anything is timed: connections are opened, statements prepared.
const WARM_UP: usize = 200;
/// How many routes are timed at least.
const TIMED: usize = 5_000;
/// How often each domain is asked for again.
const AGAIN: usize = 20;

/// Times of `Registry::route`, sorted.
#[derive(Debug)]
pub(crate) struct Routes {
    /// The near cache has it.
    pub(crate) warm: Vec<Duration>,
    /// The near cache is empty; the database's is as it is.
    pub(crate) cold: Vec<Duration>,
}

/// Times of `GET /oauth2/auth` with a `login_hint`, sorted.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) warm: Vec<Duration>,
    /// The first login of a connection: its route is looked up, its provider opened.
    pub(crate) cold: Vec<Duration>,
    /// Resident before and after the cold ones, in MiB.
    pub(crate) before: f64,
    pub(crate) after: f64,
    /// How many cold ones there were.
    pub(crate) opened: f64,
}

/// Times routes in this very process, one after another.
pub(crate) async fn measure(database: &Database, domains: &[String]) -> Outcome<Routes> {
    let store = Store::open(&database.url()).await?;
    for domain in domains.iter().cycle().take(WARM_UP) {
        store.route(domain).await?;
    }
    let (mut warm, mut cold) = (Vec::new(), Vec::new());
    while cold.len() < TIMED && !domains.is_empty() {
        let registry = Registry::new(&Limits::default());
        for domain in domains {
            cold.push(route(&registry, &store, domain).await?);
        }
        for domain in domains.iter().cycle().take(domains.len() * AGAIN) {
            warm.push(route(&registry, &store, domain).await?);
        }
    }
    store.close().await;
    warm.sort_unstable();
    cold.sort_unstable();
    Ok(Routes { warm, cold })
}

async fn route(registry: &Registry, store: &Store, domain: &str) -> Outcome<Duration> {
    let began = Instant::now();
    let found = registry.route(store, domain).await;
    let took = began.elapsed();
    match found {
        Ok(Some(_)) => Ok(took),
        Ok(None) => Err(format!("{domain} leads nowhere").into()),
        Err(refusal) => Err(format!("{domain}: {}", refusal.code()).into()),
    }
}

/// Begins a login at each domain, then again; one after another.
pub(crate) async fn begin_logins(gateway: &Gateway, domains: &[String]) -> Outcome<Begun> {
    let (first, rest) = domains.split_at(WARM_UP.min(domains.len() / 2));
    for domain in first {
        begin(gateway, domain).await?;
    }
    let before = gateway.memory()?.resident;
    let (mut warm, mut cold) = (Vec::new(), Vec::new());
    for domain in rest {
        cold.push(begin(gateway, domain).await?);
    }
    let after = gateway.memory()?.resident;
    for domain in rest {
        warm.push(begin(gateway, domain).await?);
    }
    warm.sort_unstable();
    cold.sort_unstable();
    Ok(Begun {
        warm,
        cold,
        before,
        after,
        opened: f64::from(u32::try_from(rest.len())?),
    })
}

async fn begin(gateway: &Gateway, domain: &str) -> Outcome<Duration> {
    let query = Serializer::new(String::new())
        .append_pair("client_id", "web")
        .append_pair("response_type", "code")
        .append_pair("scope", "openid")
        .append_pair("redirect_uri", REDIRECT_URI)
        .append_pair("state", "s")
        .append_pair("nonce", "n")
        .append_pair("login_hint", &format!("somebody@{domain}"))
        .finish();
    let request = gateway
        .http
        .get(format!("{}/oauth2/auth?{query}", gateway.base));
    let began = Instant::now();
    let answer = request.send().await?;
    let (status, length) = (answer.status(), answer.text().await?.len());
    let took = began.elapsed();
    if status.is_redirection() {
        Ok(took)
    } else {
        Err(format!("{domain}: {status}, {length} octets").into())
    }
}
