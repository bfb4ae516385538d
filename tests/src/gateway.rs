//! A gateway of a test's own: in this process on a free port, with its own folder, driven over HTTP alone.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedgate::app::Shared;
use fedgate::config::Config;
use fedgate::serve;
use fedgate_test_servers::postgres::Database;
use fedgate_test_servers::redis::Redis;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::browser::Browser;
use crate::rows::Rows;
use crate::seen;

/// Where the downstream application of most tests receives its codes; nothing listens there.
pub const REDIRECT_URI: &str = "http://127.0.0.1:9/cb";
/// The secret of the confidential application and of the API client.
pub const SECRET: &str = "a-secret-that-is-long-enough-for-tests";
/// Everything that the API client may do.
pub const API_SCOPES: &str = "read:connections create:connections update:connections delete:connections \
    read:organizations create:organizations update:organizations delete:organizations \
    read:application_connections create:application_connections delete:application_connections \
    read:organization_connections create:organization_connections delete:organization_connections \
    read:applications create:applications update:applications delete:applications \
    read:users create:users update:users delete:users read:identities create:identities update:identities delete:identities \
    read:user_identities create:user_identities \
    read:organization_users create:organization_users update:organization_users delete:organization_users \
    read:keys create:keys update:keys read:certificates read:logins";

/// A gateway somewhere, as its callers see it.
#[derive(Clone, Debug)]
pub struct Remote {
    /// `http://127.0.0.1:PORT`
    pub base: String,
}

/// A running gateway in this process.
#[derive(Debug)]
pub struct Gateway {
    /// Its parts, for what HTTP does not show: rows and the clock.
    pub app: Shared,
    remote: Remote,
    folder: Arc<TempDir>,
    place: Arc<Place>,
    file: PathBuf,
    more: String,
    environment: Vec<(String, String)>,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
}

impl Gateway {
    /// A gateway with the applications `web` (secret), `public` (PKCE), `es256` and `ops` (client credentials).
    pub async fn start() -> Self {
        Self::with("").await
    }

    /// The same, with more lines of configuration: whole sections, or further applications.
    pub async fn with(more: &str) -> Self {
        Self::configured(more, &[]).await
    }

    /// The same, with `FEDGATE_SECTION__KEY` variables laid over the configuration.
    pub async fn configured(more: &str, environment: &[(&str, &str)]) -> Self {
        Self::at(Place::fresh(), more, environment).await
    }

    /// The same, with its rows at a place.
    pub async fn at(place: Place, more: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self::in_folder(
            (Arc::new(folder), Arc::new(place)),
            "fedgate.toml",
            more,
            environment.collect(),
        )
        .await
    }

    /// Another one on the same files, at another address: what it changes, this one does not hear of.
    pub async fn replica(&self) -> Self {
        self.replica_with("").await
    }

    /// The same, with more lines of configuration.
    pub async fn replica_with(&self, more: &str) -> Self {
        let more = format!("{}\n{more}", self.more);
        let environment = self.environment.clone();
        let where_it_is = (Arc::clone(&self.folder), Arc::clone(&self.place));
        Self::in_folder(where_it_is, "replica.toml", &more, environment).await
    }

    async fn in_folder(
        (folder, place): (Arc<TempDir>, Arc<Place>),
        file: &str,
        more: &str,
        environment: Vec<(String, String)>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let file = folder.path().join(file);
        let text = configuration_at(&place, &address, REDIRECT_URI, more);
        std::fs::write(&file, text).expect("a file");
        let (app, stop, served) = serve(&file, environment.clone(), listener).await;
        Self {
            app,
            remote: Remote {
                base: format!("http://{address}"),
            },
            folder,
            place,
            file,
            more: more.to_owned(),
            environment,
            stop: Some(stop),
            served: Some(served),
        }
    }

    /// Stops and starts anew over the same folder and address.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.app.store.close().await;
        let address = self.base.trim_start_matches("http://");
        let listener = TcpListener::bind(address).await.expect("the same port");
        let opened = serve(&self.file, self.environment.clone(), listener).await;
        self.app = opened.0;
        self.stop = Some(opened.1);
        self.served = Some(opened.2);
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops accepting, and waits until what is in flight has ended.
    pub async fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(served) = self.served.take() {
            served.await.expect("an orderly end");
        }
    }

    /// The trace behind a reference, once it is written.
    pub async fn trace(&self, reference: &str) -> Option<fedgate::events::trace::Trace> {
        self.app.traces.flush().await;
        self.app.store.trace(reference).await.expect("a store")
    }

    /// What a sign-in leaves in the database.
    pub async fn rows(&self) -> Rows {
        Rows::count(self.folder()).await
    }
}

impl Deref for Gateway {
    type Target = Remote;

    fn deref(&self) -> &Remote {
        &self.remote
    }
}

/// The file of a gateway whose rows are in its folder.
pub fn database(folder: &Path) -> PathBuf {
    folder.join("fedgate.db")
}

/// Where a gateway keeps its rows.
#[derive(Debug)]
pub enum Place {
    /// SQLite, in a file of its folder.
    File,
    /// A database of its own on the run's PostgreSQL.
    Database(Database),
    /// Elsewhere.
    Url(String),
}

impl Place {
    /// An empty one, on the database that the run is about: `FEDGATE_TEST_STORE=postgres`, or else SQLite.
    #[expect(clippy::disallowed_methods, reason = "the choice is the tests'")]
    pub fn fresh() -> Self {
        match std::env::var("FEDGATE_TEST_STORE").as_deref() {
            Ok("postgres") => Self::Database(Database::fresh()),
            _ => Self::File,
        }
    }

    /// `[store] url`
    pub fn url(&self) -> &str {
        match self {
            Self::File => "sqlite:fedgate.db",
            Self::Database(database) => database.url(),
            Self::Url(url) => url,
        }
    }
}

impl Remote {
    /// An access token for the Management API, by client credentials.
    pub async fn api_token(&self) -> String {
        self.api_token_for("").await
    }

    /// The same for some scopes, separated by blanks; all for none.
    pub async fn api_token_for(&self, scopes: &str) -> String {
        let audience = format!("{}/api", self.base);
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", "ops"),
            ("client_secret", SECRET),
            ("audience", &audience),
            ("scope", scopes),
        ];
        let (_, answer) = self.token(&fields).await;
        answer["access_token"]
            .as_str()
            .expect("an access token")
            .to_owned()
    }

    /// Posts to the token endpoint.
    pub async fn token(&self, fields: &[(&str, &str)]) -> (u16, Value) {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = client().post(format!("{}/oauth2/token", self.base));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        read(request).await
    }

    /// Calls the Management API with a token that may do everything.
    pub async fn api(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let token = self.api_token().await;
        let mut request = client()
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(token);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        read(request).await
    }

    /// Creates a connection and answers it as the API does: `id`, `status`, `setup`.
    pub async fn create_connection(&self, body: Value) -> Value {
        let (status, answer) = self
            .api(Method::POST, "/api/v1/connections", Some(body))
            .await;
        assert_eq!(status, 201, "{answer}");
        answer["connection"].clone()
    }

    /// Where the application `web` sends a browser, with further parameters.
    pub fn authorize_url(&self, more: &[(&str, &str)]) -> String {
        let mut url = url::Url::parse(&format!("{}/oauth2/auth", self.base)).expect("a URL");
        let usual = [
            ("client_id", "web"),
            ("response_type", "code"),
            ("scope", "openid email profile"),
            ("redirect_uri", REDIRECT_URI),
            ("state", "s"),
            ("nonce", "n"),
        ];
        for (name, value) in usual
            .iter()
            .filter(|(name, _)| more.iter().all(|(other, _)| other != name))
            .chain(more)
        {
            if !value.is_empty() {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        url.into()
    }

    /// Redeems a code as the application `web` and answers the ID token's claims, unverified.
    pub async fn redeem(&self, code: &str) -> Value {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("client_id", "web"),
            ("client_secret", SECRET),
        ];
        let (status, answer) = self.token(&fields).await;
        assert_eq!(status, 200, "{answer}");
        claims(answer["id_token"].as_str().expect("an ID token"))
    }

    /// A browser of a new person.
    pub fn browser(&self) -> Browser {
        Browser::new()
    }
}

async fn serve(
    file: &Path,
    environment: Vec<(String, String)>,
    listener: TcpListener,
) -> (Shared, oneshot::Sender<()>, JoinHandle<()>) {
    log_to_the_test();
    let config = Config::load(file, environment);
    let app = serve::open(config.unwrap_or_else(|e| panic!("{e}")))
        .await
        .expect("a gateway");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = serve::serve_on(app.clone(), listener, async move {
        let _ = stopped.await;
    });
    let served = tokio::spawn(async move { serving.await.expect("serving") });
    (app, stop, served)
}

/// What a test prints is shown when it fails: a refusal that nobody expected then says why.
fn log_to_the_test() {
    let log = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_test_writer();
    // Other gateways of the same test may have begun it.
    drop(log.try_init());
}

/// The configuration of the tests, for a gateway on `address` with its rows in a file.
pub fn configuration(address: &str, redirect_uri: &str, more: &str) -> String {
    configuration_at(&Place::File, address, redirect_uri, more)
}

/// The same, with its rows at a place.
pub fn configuration_at(place: &Place, address: &str, redirect_uri: &str, more: &str) -> String {
    let store = place.url();
    let ephemeral = ephemeral_section(more);
    let api_scopes: Vec<_> = API_SCOPES.split_whitespace().collect();
    let application = |id: &str, secret: &str, rest: &str| {
        format!(
            "[[applications]]\nclient_id = \"{id}\"\n{secret}redirect_uris = [\"{redirect_uri}\"]\npost_logout_redirect_uris = [\"http://127.0.0.1:9/bye\"]\n{rest}\n"
        )
    };
    let secret = format!("client_secret = \"{SECRET}\"\n");
    [
        format!("[server]\npublic_url = \"http://{address}\"\nlisten = \"{address}\"\n[store]\nurl = \"{store}\"\n"),
        "[secrets]\nmaster_key_file = \"master.key\"\n[egress]\nallow_private = true\n".to_owned(),
        application("web", &secret, ""),
        application("other", &secret, ""),
        application("public", "", ""),
        application("es256", &secret, "id_token_signed_response_alg = \"ES256\""),
        format!("[[applications]]\nclient_id = \"ops\"\n{secret}grant_types = [\"client_credentials\"]\nscopes = {}\n", json!(api_scopes)),
        ephemeral,
        more.to_owned(),
    ]
    .join("\n")
}

/// Where codes are kept: on the Redis that the run is about, `FEDGATE_TEST_EPHEMERAL=redis`, or else in memory.
#[expect(clippy::disallowed_methods, reason = "the choice is the tests'")]
fn ephemeral_section(more: &str) -> String {
    match std::env::var("FEDGATE_TEST_EPHEMERAL").as_deref() {
        Ok("redis") if !more.contains("[ephemeral]") => {
            format!("[ephemeral]\nurl = \"{}\"\n", Redis::shared_url())
        }
        _ => String::new(),
    }
}

/// The claims of a JWT, without a look at its signature.
pub fn claims(token: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

/// A client without cookies and redirects.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's client goes to loopback, not through the gateway's egress"
)]
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client")
}

/// Sends a request and reads its JSON; notes the codes in it.
pub async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    seen::note(&text);
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}
