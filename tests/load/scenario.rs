//! What is measured: an upstream, an application, and runs of many logins.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fedgate::app::Clock;
use fedgate_lab::key::KeyKind;
use fedgate_lab::saml_idp::{SamlIdp, SamlIdpOptions, Signed};
use fedgate_tests::gateway::client;
use serde_json::{Value, json};

use crate::gateway::{Gateway, Memory};
use crate::login::{Path, Upstream};
use crate::op::{CLIENT, Op};
use crate::{Options, Outcome};

/// One kind of login.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    path: Arc<Path>,
}

/// What one run of a scenario showed.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) logins: u32,
    /// CPU time of the gateway for one login, in milliseconds.
    pub(crate) cpu: f64,
    pub(crate) seconds: f64,
    /// Of whole logins, sorted.
    pub(crate) durations: Vec<Duration>,
}

/// A scenario's runs.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) runs: Vec<Run>,
    /// After the last run.
    pub(crate) memory: Memory,
}

impl Scenario {
    /// All scenarios, their connections created.
    pub(crate) async fn prepared(gateway: &Gateway) -> Outcome<Vec<Self>> {
        let (saml, acs) = saml(gateway).await?;
        let (oidc, redirect_uri) = oidc(gateway).await?;
        let kinds = [
            ("SAML, ES256", "es256", &saml, &acs),
            ("SAML, RS256", "web", &saml, &acs),
            ("OIDC, ES256", "es256", &oidc, &redirect_uri),
            ("OIDC, RS256", "web", &oidc, &redirect_uri),
        ];
        Ok(kinds
            .into_iter()
            .map(|(name, client_id, (connection, upstream), callback)| {
                let path = Path {
                    http: client(),
                    base: gateway.base.clone(),
                    client_id,
                    connection: connection.clone(),
                    callback: callback.clone(),
                    upstream: upstream.clone(),
                    counter: AtomicU64::new(0),
                };
                Self {
                    name,
                    path: Arc::new(path),
                }
            })
            .collect())
    }

    /// Warms up, then measures every run.
    pub(crate) async fn row(&self, gateway: &mut Gateway, options: &Options) -> Outcome<Row> {
        self.run(gateway, options.logins.div_ceil(4), options)
            .await?;
        let mut runs = Vec::new();
        for _ in 0..options.runs {
            runs.push(self.run(gateway, options.logins, options).await?);
        }
        Ok(Row {
            name: self.name,
            runs,
            memory: gateway.memory()?,
        })
    }

    async fn run(&self, gateway: &Gateway, logins: u32, options: &Options) -> Outcome<Run> {
        let left = Arc::new(AtomicU64::new(u64::from(logins)));
        let (cpu, began) = (gateway.cpu_milliseconds()?, Instant::now());
        let until = began + Duration::from_secs(options.seconds);
        let people: Vec<_> = (0..options.concurrency)
            .map(|_| {
                tokio::spawn(sign_in(
                    self.path.clone(),
                    left.clone(),
                    until,
                    options.userinfo,
                ))
            })
            .collect();
        let mut durations = Vec::with_capacity(logins as usize);
        for person in people {
            durations.extend(person.await??);
        }
        let (cpu, elapsed) = (gateway.cpu_milliseconds()? - cpu, began.elapsed());
        durations.sort_unstable();
        let logins = u32::try_from(durations.len())?;
        Ok(Run {
            logins,
            cpu: cpu / f64::from(logins.max(1)),
            seconds: elapsed.as_secs_f64(),
            durations,
        })
    }
}

/// Signs one person in after another, until none is left or time is up.
async fn sign_in(
    path: Arc<Path>,
    left: Arc<AtomicU64>,
    until: Instant,
    userinfo: bool,
) -> Outcome<Vec<Duration>> {
    let mut durations = Vec::new();
    let take = |left: u64| left.checked_sub(1);
    while Instant::now() < until
        && left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    {
        durations.push(path.login(userinfo).await?);
    }
    Ok(durations)
}

/// A SAML connection, with its ACS.
async fn saml(gateway: &Gateway) -> Outcome<((String, Upstream), String)> {
    let options = SamlIdpOptions {
        base_url: "http://127.0.0.1:9".to_owned(),
        name: "Acme".to_owned(),
        people: Vec::new(),
        key: KeyKind::Rsa2048,
        signed: Signed::Assertion,
    };
    let idp = Arc::new(SamlIdp::new(options, Arc::new(Clock::default()))?);
    let protocol = json!({"saml_idp_metadata_xml": idp.metadata()?});
    let (id, setup) = connection(gateway, "Acme", "saml:custom", protocol).await?;
    let sp_entity_id = value(&setup, "sp_entity_id")?;
    let acs = value(&setup, "acs_url")?;
    Ok(((id, Upstream::Saml { idp, sp_entity_id }), acs))
}

/// An OpenID Connect connection, with its redirect URI.
async fn oidc(gateway: &Gateway) -> Outcome<((String, Upstream), String)> {
    let op = Op::start().await?;
    let protocol = json!({"issuer": op.issuer, "client_id": CLIENT.0, "client_secret": CLIENT.1});
    let (id, setup) = connection(gateway, "Globex", "oidc:custom", protocol).await?;
    Ok(((id, Upstream::Oidc), value(&setup, "redirect_uri")?))
}

async fn connection(
    gateway: &Gateway,
    name: &str,
    strategy: &str,
    protocol: Value,
) -> Outcome<(String, Value)> {
    let mut body = json!({
        "name": name, "display_name": name, "strategy": strategy, "enabled_applications": ["web", "es256"],
        "options": {"is_create_missing_user": true},
    });
    if let (Some(options), Value::Object(protocol)) = (body["options"].as_object_mut(), protocol) {
        options.extend(protocol);
    }
    let created = gateway.create_connection(body).await?;
    Ok((value(&created, "id")?, created["setup"].clone()))
}

fn value(object: &Value, name: &str) -> Outcome<String> {
    let value = object[name].as_str().map(str::to_owned);
    value.ok_or_else(|| format!("no {name} in {object}").into())
}
