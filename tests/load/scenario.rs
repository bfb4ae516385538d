//! What is measured: an upstream, an application, and runs of many logins.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fedgate::app::Clock;
use fedgate_lab::key::KeyKind;
use fedgate_lab::saml_idp::{SamlIdp, SamlIdpOptions, Signed};
use fedgate_tests::gateway::client;
use serde_json::{Value, json};

use crate::arrangement::{Arrangement, Counts, Cpu};
use crate::gateway::Gateway;
use crate::login::{Path, Upstream};
use crate::op::{CLIENT, Op};
use crate::process::Memory;
use crate::{LoginOptions, Outcome};

/// One kind of login.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) path: Arc<Path>,
}

/// What one run of a scenario showed.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) logins: u32,
    /// CPU time for one login.
    pub(crate) cpu: Cpu,
    /// What servers counted for one login.
    pub(crate) counts: Option<Counts>,
    pub(crate) seconds: f64,
    /// Of whole logins, sorted.
    pub(crate) durations: Vec<Duration>,
}

/// A scenario's runs.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The arrangement, the upstream and the ID token's algorithm.
    pub(crate) name: String,
    pub(crate) runs: Vec<Run>,
    /// After the last run.
    pub(crate) memory: Memory,
}

impl Scenario {
    /// All scenarios, their connections created.
    pub(crate) async fn prepared(arrangement: &Arrangement) -> Outcome<Vec<Self>> {
        let gateway = arrangement.gateways.first().ok_or("no gateway")?;
        let (saml, acs) = saml(gateway).await?;
        let (oidc, redirect_uri) = oidc(gateway).await?;
        let kinds = [
            ("SAML, ES256", "es256", &saml, &acs, "saml-es256"),
            ("SAML, RS256", "web", &saml, &acs, "saml-rs256"),
            ("OIDC, ES256", "es256", &oidc, &redirect_uri, "oidc-es256"),
            ("OIDC, RS256", "web", &oidc, &redirect_uri, "oidc-rs256"),
        ];
        let bases = arrangement.gateways.iter().map(|one| one.base.clone());
        let bases: Vec<_> = bases.collect();
        let scenario =
            |(name, client_id, upstream, callback, people): (_, _, &(_, _), &String, _)| {
                let (connection, upstream): &(String, Upstream) = upstream;
                let path = Path {
                    http: client(),
                    bases: bases.clone(),
                    host: arrangement.place.public.to_string(),
                    client_id,
                    connection: connection.clone(),
                    callback: callback.clone(),
                    upstream: upstream.clone(),
                    people,
                    counter: AtomicU64::new(0),
                };
                Self {
                    name,
                    path: Arc::new(path),
                }
            };
        Ok(kinds.into_iter().map(scenario).collect())
    }

    /// Warms up, then measures every run.
    pub(crate) async fn row(
        &self,
        arrangement: &Arrangement,
        name: &str,
        options: &LoginOptions,
    ) -> Outcome<Row> {
        self.run(arrangement, options.logins.div_ceil(4), options)
            .await?;
        let mut runs = Vec::new();
        for _ in 0..options.runs {
            runs.push(self.run(arrangement, options.logins, options).await?);
        }
        Ok(Row {
            name: format!("{name}: {}", self.name),
            runs,
            memory: arrangement.memory()?,
        })
    }

    async fn run(
        &self,
        arrangement: &Arrangement,
        logins: u32,
        options: &LoginOptions,
    ) -> Outcome<Run> {
        let counts = arrangement.counts().await?;
        let (cpu, began) = (arrangement.cpu()?, Instant::now());
        let durations = self.load(logins, options).await?;
        let (elapsed, cpu) = (began.elapsed(), arrangement.cpu()?.since(cpu));
        let counts = arrangement.counts().await?.zip(counts);
        let logins = u32::try_from(durations.len())?;
        let each = f64::from(logins.max(1));
        Ok(Run {
            logins,
            cpu: cpu.per(each),
            counts: counts.map(|(after, before)| after.since(before).per(each)),
            seconds: elapsed.as_secs_f64(),
            durations,
        })
    }

    /// So many logins; how long each took, sorted.
    pub(crate) async fn load(&self, logins: u32, options: &LoginOptions) -> Outcome<Vec<Duration>> {
        let left = Arc::new(AtomicU64::new(u64::from(logins)));
        let until = Instant::now() + Duration::from_secs(options.seconds);
        let person = || sign_in(self.path.clone(), left.clone(), until, options.userinfo);
        let people: Vec<_> = (0..options.concurrency)
            .map(|_| tokio::spawn(person()))
            .collect();
        let mut durations = Vec::with_capacity(logins as usize);
        for person in people {
            durations.extend(person.await??);
        }
        durations.sort_unstable();
        Ok(durations)
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
pub(crate) async fn saml(gateway: &Gateway) -> Outcome<((String, Upstream), String)> {
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

pub(crate) async fn connection(
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
