//! Two replicas in this process, which share a database and a Redis, behind a balancer.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::balancer::Balancer;
use crate::ending::Ending;
use crate::gateway::{Gateway, REDIRECT_URI, Remote, SECRET};
use crate::login::{answer, begin};

/// Looks again after.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Two replicas.
#[derive(Debug)]
pub struct Replicas {
    /// In front of both.
    pub balancer: Balancer,
    /// Number 0.
    pub a: Gateway,
    /// Number 1.
    pub b: Gateway,
}

impl Replicas {
    /// Starts both with that Redis, and more lines of configuration.
    pub async fn start(redis: &str, more: &str) -> Self {
        let balancer = Balancer::start().await;
        let public_url = balancer.choose(0).base.clone();
        let environment = [
            ("FEDGATE_SERVER__PUBLIC_URL", public_url.as_str()),
            ("FEDGATE_EPHEMERAL__URL", redis),
        ];
        let a = Gateway::configured(more, &environment).await;
        let b = a.replica().await;
        balancer.serve(&[&a.base, &b.base]);
        Self { balancer, a, b }
    }

    /// Both, reached through a replica.
    pub fn at(&self, replica: usize) -> &Remote {
        self.balancer.choose(replica)
    }
}

/// A whole login of a person up to the code, wherever the balancer sends its steps.
pub async fn login(gateway: &Remote, connection: &str, person: &str) -> Ending {
    let mut browser = gateway.browser();
    let page = begin(&mut browser, gateway, &[("connection_id", connection)]).await;
    if page.status != StatusCode::OK || page.forms().is_empty() {
        return Ending::of(&page);
    }
    Ending::of(&answer(&mut browser, &page, person, "").await)
}

/// Redeems a code as the application `web`: the status, and the stable code of a refusal.
pub async fn redeem(gateway: &Remote, code: &str) -> (u16, String) {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("client_id", "web"),
        ("client_secret", SECRET),
    ];
    let (status, answer) = gateway.token(&fields).await;
    let description = answer["error_description"].as_str().unwrap_or_default();
    let code = description.split(':').next().unwrap_or_default();
    (status, code.to_owned())
}

/// How long it takes until something is so.
///
/// # Panics
/// If it takes longer than `most`.
pub async fn becomes(most: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    loop {
        let asked = began.elapsed();
        if is_so().await {
            return asked;
        }
        assert!(asked < most, "{what}: not within {most:?}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
