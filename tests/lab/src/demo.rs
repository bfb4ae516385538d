//! Everything in one process: the gateway, two identity providers and the application, each on a port of its own.

use std::fmt::Write as _;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use fedgate::app::{Clock, Shared};
use fedgate::config::Config;
use fedgate::serve;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::application::{Application, ApplicationOptions};
use crate::error::LabError;
use crate::key::KeyKind;
use crate::management::Management;
use crate::oidc_op::{OidcOp, OidcOpOptions, random_text};
use crate::person::{self, PASSWORD};
use crate::saml_idp::{SamlIdp, SamlIdpOptions, Signed};
use crate::wrong::{self, Stage};

/// The application's client id.
const CLIENT_ID: &str = "demo";
/// The client id of whoever sets everything up.
const OPERATOR_ID: &str = "ops";
/// The gateway's client id at the OpenID Provider.
const UPSTREAM_CLIENT_ID: &str = "fedgate";

/// The running demo. Its parts end when it is dropped; [`Demo::stop`] lets them finish.
#[derive(Debug)]
pub struct Demo {
    /// The gateway.
    pub app: Shared,
    /// Acme's identity provider.
    pub saml_idp: Arc<SamlIdp>,
    /// Globex's identity provider.
    pub oidc_op: Arc<OidcOp>,
    /// The application.
    pub application: Arc<Application>,
    /// The clock of everything but the gateway, whose own is in `app`.
    pub clock: Arc<Clock>,
    /// The Management API, with every scope.
    pub management: Management,
    /// The id of Acme's connection.
    pub acme: String,
    /// The id of Globex's connection.
    pub globex: String,
    /// The one-time link to the setup page of a connection that is a draft yet.
    pub setup_link: String,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    folder: TempDir,
}

/// Listeners, bound before anything is told where the others are.
struct Ports {
    gateway: TcpListener,
    saml_idp: TcpListener,
    oidc_op: TcpListener,
    application: TcpListener,
}

/// What only the parts themselves know.
struct Secrets {
    application: String,
    operator: String,
    upstream: String,
}

impl Demo {
    /// Starts everything in a new folder, and sets up both connections through the Management API. The gateway gets
    /// `listen`; the others the ports behind it, or any that are free.
    ///
    /// # Errors
    /// A port is taken, or a part does not start.
    pub async fn start(listen: SocketAddr) -> Result<Self, LabError> {
        let ports = Ports::bind(listen).await?;
        let secrets = Secrets {
            application: random_text(),
            operator: random_text(),
            upstream: random_text(),
        };
        let folder =
            TempDir::with_prefix("fedgate-demo-").map_err(LabError::io("a temporary folder"))?;
        let clock = Arc::new(Clock::default());
        let application = Arc::new(Application::new(
            application_options(&ports, &secrets)?,
            clock.clone(),
        )?);
        let app = serve::open(config(&ports, &secrets, &application, &folder)?).await?;
        let saml_idp = Arc::new(SamlIdp::new(saml_options(&ports)?, clock.clone())?);
        let oidc_op = Arc::new(OidcOp::new(oidc_options(&ports, &secrets)?, clock.clone())?);
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_gateway(
            app.clone(),
            ports.gateway,
            stopping(stopped.clone()),
        ));
        tasks.spawn(serve_part(
            ports.saml_idp,
            saml_idp.clone().router(),
            stopped.clone(),
        ));
        tasks.spawn(serve_part(
            ports.oidc_op,
            oidc_op.clone().router(),
            stopped.clone(),
        ));
        let management =
            Management::open(&app.site.base_url, OPERATOR_ID, &secrets.operator).await?;
        let acme = connect_acme(&management, &saml_idp).await?;
        let globex = connect_globex(&management, &oidc_op, &secrets).await?;
        let setup_link = management.create_draft(&initech()).await?;
        let stage = Stage {
            app: app.clone(),
            application: application.clone(),
            acme: acme.clone(),
            globex: globex.clone(),
        };
        let pages = application
            .clone()
            .router()
            .merge(wrong::router(Arc::new(stage)));
        tasks.spawn(serve_part(ports.application, pages, stopped));
        Ok(Self {
            app,
            saml_idp,
            oidc_op,
            application,
            clock,
            management,
            acme,
            globex,
            setup_link,
            stop,
            tasks,
            folder,
        })
    }

    /// Where everything is and who can sign in, for a terminal.
    pub fn greeting(&self) -> String {
        let mut text = format!(
            "fedgate demo\n\n  Demo application     {application}\n  What goes wrong      {application}/wrong\n  \
             Gateway              {}\n  Acme (SAML)          {}\n  Globex (OIDC)        {}\n\n  \
             Set up a connection  {}\n  (opens once; the metadata URL to bring back is Acme's)\n\n  \
             People, each with the password “{PASSWORD}”:\n",
            self.app.site.base_url,
            self.saml_idp.entity_id(),
            self.oidc_op.issuer(),
            self.setup_link,
            application = self.application.options().base_url,
        );
        for (provider, people) in [
            ("Acme", self.saml_idp.people()),
            ("Globex", self.oidc_op.people()),
        ] {
            for person in people {
                let _ = writeln!(
                    text,
                    "    {provider:<7} {:<19} {}",
                    person.email,
                    person.name()
                );
            }
        }
        text + "\n  Ctrl-C ends everything; nothing is kept."
    }

    /// Lets every part finish what is in flight, and removes the folder.
    ///
    /// # Errors
    /// The folder cannot be removed.
    pub async fn stop(mut self) -> Result<(), LabError> {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
        self.folder
            .close()
            .map_err(LabError::io("the temporary folder"))
    }
}

impl Ports {
    async fn bind(listen: SocketAddr) -> Result<Self, LabError> {
        let gateway = TcpListener::bind(listen)
            .await
            .map_err(LabError::io(format!(
                "cannot listen on {listen} (--listen names another address)"
            )))?;
        Ok(Self {
            saml_idp: near(&gateway, 1).await?,
            oidc_op: near(&gateway, 2).await?,
            application: near(&gateway, 3).await?,
            gateway,
        })
    }
}

/// The port so far behind the gateway's, or any.
async fn near(gateway: &TcpListener, distance: u16) -> Result<TcpListener, LabError> {
    let address = gateway.local_addr().map_err(LabError::io("a listener"))?;
    let port = address.port().checked_add(distance).unwrap_or_default();
    let ip = loopback(address).ip();
    match TcpListener::bind((ip, port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind((ip, 0))
            .await
            .map_err(LabError::io(format!("cannot listen on {ip}"))),
    }
}

/// Where this machine reaches a listener.
fn loopback(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        ip if ip.is_unspecified() => {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port())
        }
        _ => address,
    }
}

fn base_url(listener: &TcpListener) -> Result<String, LabError> {
    let address = listener.local_addr().map_err(LabError::io("a listener"))?;
    Ok(format!("http://{}", loopback(address)))
}

fn application_options(ports: &Ports, secrets: &Secrets) -> Result<ApplicationOptions, LabError> {
    Ok(ApplicationOptions {
        base_url: base_url(&ports.application)?,
        gateway: base_url(&ports.gateway)?,
        client_id: CLIENT_ID.to_owned(),
        client_secret: secrets.application.clone(),
    })
}

fn saml_options(ports: &Ports) -> Result<SamlIdpOptions, LabError> {
    Ok(SamlIdpOptions {
        base_url: base_url(&ports.saml_idp)?,
        name: "Acme".to_owned(),
        people: person::acme(),
        key: KeyKind::Rsa2048,
        signed: Signed::Assertion,
    })
}

fn oidc_options(ports: &Ports, secrets: &Secrets) -> Result<OidcOpOptions, LabError> {
    Ok(OidcOpOptions {
        base_url: base_url(&ports.oidc_op)?,
        name: "Globex".to_owned(),
        people: person::globex(),
        client_id: UPSTREAM_CLIENT_ID.to_owned(),
        client_secret: secrets.upstream.clone(),
    })
}

/// The configuration that an operator would write, with everything in the folder.
fn config(
    ports: &Ports,
    secrets: &Secrets,
    application: &Application,
    folder: &TempDir,
) -> Result<Config, LabError> {
    let listen = ports
        .gateway
        .local_addr()
        .map_err(LabError::io("a listener"))?;
    let scopes: Vec<String> = fedgate::management::scope::all().collect();
    let text = format!(
        r#"
[server]
public_url = "{}"
listen = "{listen}"
[store]
url = "sqlite:fedgate.db"
[secrets]
master_key_file = "master.key"
[egress]
allow_private = true
[[applications]]
client_id = "{CLIENT_ID}"
name = "Demo application"
client_secret = "{}"
redirect_uris = ["{}"]
post_logout_redirect_uris = ["{}"]
[[applications]]
client_id = "{OPERATOR_ID}"
client_secret = "{}"
grant_types = ["client_credentials"]
scopes = {scopes:?}
"#,
        base_url(&ports.gateway)?,
        secrets.application,
        application.options().redirect_uri(),
        application.options().post_logout_redirect_uri(),
        secrets.operator,
    );
    Ok(Config::parse(
        &text,
        &folder.path().join("fedgate.toml"),
        [],
    )?)
}

async fn connect_acme(management: &Management, idp: &SamlIdp) -> Result<String, LabError> {
    let organization = management.create_organization("Acme").await?;
    let connection = json!({
        "name": "acme",
        "display_name": "Acme",
        "strategy": "saml:custom",
        "organization_code": organization,
        "enabled_applications": [CLIENT_ID],
        "options": {
            "saml_idp_metadata_url": idp.entity_id(),
            "home_realm_domains": ["acme.test"],
            "is_create_missing_user": true,
            "is_auto_join_organization_enabled": true,
            "is_force_show_sso_button": true,
            "is_trusted": true,
        },
    });
    management.create_connection(&connection).await
}

async fn connect_globex(
    management: &Management,
    op: &OidcOp,
    secrets: &Secrets,
) -> Result<String, LabError> {
    let organization = management.create_organization("Globex").await?;
    let connection = json!({
        "name": "globex",
        "display_name": "Globex",
        "strategy": "oidc:custom",
        "organization_code": organization,
        "enabled_applications": [CLIENT_ID],
        "options": {
            "issuer": op.issuer(),
            "client_id": UPSTREAM_CLIENT_ID,
            "client_secret": secrets.upstream,
            "home_realm_domains": ["globex.test"],
            "is_create_missing_user": true,
            "is_auto_join_organization_enabled": true,
            "is_force_show_sso_button": true,
            "is_trusted": true,
        },
    });
    management.create_connection(&connection).await
}

/// A connection that waits for the administrator of its identity provider.
fn initech() -> Value {
    json!({
        "name": "initech", "display_name": "Initech", "strategy": "saml:custom", "status": "draft",
        "enabled_applications": [CLIENT_ID],
    })
}

async fn serve_gateway(
    app: Shared,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    if let Err(error) = serve::serve_on(app, listener, stop).await {
        tracing::error!(%error, "the gateway ended");
    }
}

async fn serve_part(listener: TcpListener, router: Router, stopped: watch::Receiver<bool>) {
    let served = axum::serve(listener, router).with_graceful_shutdown(stopping(stopped));
    if let Err(error) = served.await {
        tracing::error!(%error, "a part of the lab ended");
    }
}

/// Resolves when the demo is told to stop, or is dropped.
async fn stopping(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
mod tests;
