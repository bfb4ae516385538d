//! The lab's identity providers in this process, and connections to them.

use std::sync::Arc;

use axum::Router;
use fedgate::app::Clock;
use fedgate_lab::key::KeyKind;
use fedgate_lab::oidc_op::{OidcOp, OidcOpOptions};
use fedgate_lab::person::{self, Person};
use fedgate_lab::saml_idp::{Dialect, SamlIdp, SamlIdpOptions, Signed};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::gateway::{Remote, SECRET};

/// Who signs in at the lab's SAML identity provider in most tests.
pub const ALICE: &str = "alice@acme.test";
/// Who signs in at the lab's OpenID Provider in most tests.
pub const BOB: &str = "bob@globex.test";

/// A SAML identity provider that answers until the test ends.
#[derive(Debug)]
pub struct SamlUpstream {
    /// Signs responses without HTTP, too.
    pub idp: Arc<SamlIdp>,
    /// Its own clock.
    pub clock: Arc<Clock>,
}

/// An OpenID Provider that answers until the test ends.
#[derive(Debug)]
pub struct OidcUpstream {
    /// Rolls its key without HTTP, too.
    pub op: Arc<OidcOp>,
    /// Its issuer.
    pub issuer: String,
    /// Its own clock.
    pub clock: Arc<Clock>,
}

/// A connection of a gateway.
#[derive(Clone, Debug)]
pub struct Connected {
    /// `conn_…`
    pub id: String,
    /// Where SAML responses go.
    pub acs: String,
    /// The service provider's entityID.
    pub entity_id: String,
    /// Where OpenID Connect callbacks go.
    pub redirect_uri: String,
}

impl SamlUpstream {
    /// The lab's own, with an elliptic key: made much faster than an RSA one.
    pub async fn start() -> Self {
        Self::with(KeyKind::EcP256, person::acme()).await
    }

    /// One with other keys or people.
    pub async fn with(key: KeyKind, people: Vec<Person>) -> Self {
        Self::speaking(Dialect::default(), key, people).await
    }

    /// One that speaks as a product does.
    pub async fn speaking(dialect: Dialect, key: KeyKind, people: Vec<Person>) -> Self {
        let (listener, base_url) = listen().await;
        let clock = Arc::new(Clock::default());
        let options = SamlIdpOptions {
            base_url,
            name: "Acme".to_owned(),
            people,
            key,
            signed: Signed::Assertion,
        };
        let idp = SamlIdp::new(options, Arc::clone(&clock)).expect("keys");
        let idp = Arc::new(idp.speaking(dialect));
        serve(listener, Arc::clone(&idp).router());
        Self { idp, clock }
    }

    /// Connects a gateway to it. Members of `more` replace those of the body, its options those of the options.
    pub async fn connect(&self, gateway: &Remote, more: Value) -> Connected {
        let body = json!({
            "name": "Acme", "strategy": "saml:custom", "status": "active",
            "enabled_applications": ["web", "other", "public"],
            "options": {"saml_idp_metadata_url": self.idp.entity_id(), "is_create_missing_user": true},
        });
        gateway.connect(merged(body, more)).await
    }
}

impl OidcUpstream {
    /// The lab's own.
    pub async fn start() -> Self {
        let (listener, base_url) = listen().await;
        let clock = Arc::new(Clock::default());
        let options = OidcOpOptions {
            base_url: base_url.clone(),
            name: "Globex".to_owned(),
            people: person::globex(),
            client_id: "fedgate".to_owned(),
            client_secret: SECRET.to_owned(),
        };
        let op = Arc::new(OidcOp::new(options, Arc::clone(&clock)).expect("keys"));
        serve(listener, Arc::clone(&op).router());
        Self {
            op,
            issuer: base_url,
            clock,
        }
    }

    /// What creates a connection to it.
    pub fn body(&self, more: Value) -> Value {
        let body = json!({
            "name": "Globex", "strategy": "oidc:custom", "status": "active",
            "enabled_applications": ["web", "other", "public"],
            "options": {"issuer": self.issuer, "client_id": "fedgate", "client_secret": SECRET, "is_create_missing_user": true},
        });
        merged(body, more)
    }

    /// Connects a gateway to it, as [`SamlUpstream::connect`].
    pub async fn connect(&self, gateway: &Remote, more: Value) -> Connected {
        gateway.connect(self.body(more)).await
    }
}

impl Remote {
    /// Creates an active connection.
    pub async fn connect(&self, body: Value) -> Connected {
        let created = self.create_connection(body).await;
        assert_eq!(created["status"], "active", "{created}");
        let value = |name: &str| {
            created["setup"][name]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        Connected {
            id: created["id"].as_str().expect("an id").to_owned(),
            acs: value("acs_url"),
            entity_id: value("sp_entity_id"),
            redirect_uri: value("redirect_uri"),
        }
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, format!("http://{address}"))
}

fn serve(listener: TcpListener, router: Router) {
    tokio::spawn(async move { axum::serve(listener, router).await });
}

fn merged(mut body: Value, more: Value) -> Value {
    let Value::Object(more) = more else {
        panic!("{more} is no object");
    };
    for (name, value) in more {
        match (&mut body[&name], value) {
            (Value::Object(members), Value::Object(others)) => members.extend(others),
            (member, value) => *member = value,
        }
    }
    body
}
