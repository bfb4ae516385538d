//! Third-party programs that the gateway is tested against, each started on a free port with a folder of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::process::Process;

mod apache;
mod pysaml2;

pub use apache::{Addresses, Apache};
pub use pysaml2::Pysaml2;

/// The folder of the counterparts' own sources.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("counterparts")
}

/// `SimpleSAMLphp` as a SAML identity provider, with the people `alice` and `carol` (their names are their passwords).
#[derive(Debug)]
pub struct SimpleSamlPhp {
    /// `http://127.0.0.1:PORT`
    pub base: String,
    _process: Process,
    folder: TempDir,
}

/// What `SimpleSAMLphp` signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signs {
    /// Response and Assertion: its default.
    Both,
    /// Only the Response, as Keycloak and Shibboleth do.
    Response,
    /// Only the Assertion, as Okta, Entra and Google do.
    Assertion,
}

impl SimpleSamlPhp {
    /// Where its metadata is.
    pub fn metadata_url(address: SocketAddr) -> String {
        format!("http://{address}/simplesaml/saml2/idp/metadata.php")
    }

    /// Starts one that knows one service provider.
    pub fn start(address: SocketAddr, sp_entity_id: &str, acs: &str, signs: Signs) -> Self {
        Self::requiring("", address, sp_entity_id, acs, signs)
    }

    /// The same, which takes requests alone that this certificate's key signed: base64 as in metadata.
    pub fn requiring(
        signer: &str,
        address: SocketAddr,
        sp_entity_id: &str,
        acs: &str,
        signs: Signs,
    ) -> Self {
        Self::registered((signer, ""), address, sp_entity_id, acs, signs)
    }

    /// The same, which takes any request and encrypts assertions to a certificate, with AES-128-CBC.
    pub fn encrypting(
        certificate: &str,
        address: SocketAddr,
        sp_entity_id: &str,
        acs: &str,
        signs: Signs,
    ) -> Self {
        Self::registered(("", certificate), address, sp_entity_id, acs, signs)
    }

    fn registered(
        (signer, encryption): (&str, &str),
        address: SocketAddr,
        sp_entity_id: &str,
        acs: &str,
        signs: Signs,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for name in [
            "config", "cert", "log", "data", "tmp", "metadata", "docroot",
        ] {
            std::fs::create_dir(root.join(name)).expect("a folder");
        }
        let copy = |name: &str, to: &str| {
            let from = sources().join("simplesamlphp").join(name);
            std::fs::copy(from, root.join(to).join(name)).expect("a copy");
        };
        copy("config.php", "config");
        copy("authsources.php", "config");
        copy("saml20-idp-hosted.php", "metadata");
        copy("saml20-sp-remote.php", "metadata");
        std::os::unix::fs::symlink(
            "/usr/share/simplesamlphp/www",
            root.join("docroot/simplesaml"),
        )
        .expect("a link");
        certificate(&root.join("cert"));
        let base = format!("http://{address}");
        let mut command = Command::new("php");
        command
            .arg("-S")
            .arg(address.to_string())
            .arg("-t")
            .arg(root.join("docroot"));
        command
            .env("SIMPLESAMLPHP_CONFIG_DIR", root.join("config"))
            .env("IDP_BASE", &base)
            .env("IDP_WORK", root);
        command
            .env("SP_ENTITY_ID", sp_entity_id)
            .env("SP_ACS", acs)
            .env("SP_CERTIFICATE", signer)
            .env("SP_ENCRYPTION", encryption);
        command.env(
            "IDP_SIGN_RESPONSE",
            if signs == Signs::Assertion {
                "no"
            } else {
                "yes"
            },
        );
        command.env(
            "IDP_SIGN_ASSERTION",
            if signs == Signs::Response {
                "no"
            } else {
                "yes"
            },
        );
        // Its workers would outlive the process that the test ends.
        command
            .env_remove("PHP_CLI_SERVER_WORKERS")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self {
            base,
            _process: Process::start(command, address),
            folder,
        }
    }

    /// Replaces its key while it runs: metadata and responses have the new one from the next request on.
    pub fn replace_key(&self) {
        certificate(&self.folder.path().join("cert"));
    }
}

fn certificate(folder: &Path) {
    let mut command = Command::new("openssl");
    command.args([
        "req",
        "-x509",
        "-nodes",
        "-newkey",
        "rsa:2048",
        "-days",
        "30",
        "-subj",
        "/CN=idp.test",
        "-keyout",
    ]);
    command
        .arg(folder.join("idp.pem"))
        .arg("-out")
        .arg(folder.join("idp.crt"))
        .stderr(Stdio::null());
    assert!(
        command.status().expect("openssl").success(),
        "no certificate"
    );
}

/// panva's oidc-provider as an OpenID Provider; any login name is a person, `bob` and `dora` have claims.
#[derive(Debug)]
pub struct OidcProvider {
    /// Its issuer.
    pub issuer: String,
    _process: Process,
}

/// The client that oidc-provider knows.
pub const OP_CLIENT: (&str, &str) = ("fedgate", "a-client-secret-of-more-than-32-characters");

impl OidcProvider {
    /// Starts one that knows one client; `authentication` is `client_secret_basic` or `client_secret_post`.
    pub fn start(address: SocketAddr, redirect_uri: &str, authentication: &str) -> Self {
        Self::offering("", address, redirect_uri, authentication)
    }

    /// The same, whose metadata offers only the methods named, separated by blanks.
    pub fn offering(
        methods: &str,
        address: SocketAddr,
        redirect_uri: &str,
        authentication: &str,
    ) -> Self {
        let mut command = node("op.mjs");
        command
            .env("OP_PORT", address.port().to_string())
            .env("OP_CLIENT_ID", OP_CLIENT.0)
            .env("OP_CLIENT_SECRET", OP_CLIENT.1);
        command
            .env("OP_REDIRECT_URI", redirect_uri)
            .env("OP_CLIENT_AUTH", authentication)
            .env("OP_OFFERS", methods);
        Self {
            issuer: format!("http://{address}"),
            _process: Process::start(command, address),
        }
    }
}

/// openid-client as the downstream application.
#[derive(Debug)]
pub struct RelyingParty {
    /// Opening it begins a login; its answer after the callback is JSON with `claims` and `userinfo`.
    pub url: String,
    _process: Process,
}

impl RelyingParty {
    /// Starts one for an application of the gateway; `more` is a query string for the authorization request.
    pub fn start(
        address: SocketAddr,
        issuer: &str,
        client: (&str, Option<&str>),
        algorithm: &str,
        more: &str,
    ) -> Self {
        let mut command = node("rp.mjs");
        command
            .env("RP_PORT", address.port().to_string())
            .env("RP_ISSUER", issuer)
            .env("RP_CLIENT_ID", client.0);
        command
            .env("RP_CLIENT_SECRET", client.1.unwrap_or_default())
            .env("RP_AUTH", if client.1.is_some() { "basic" } else { "none" });
        command.env("RP_ALG", algorithm).env("RP_PARAMETERS", more);
        Self {
            url: format!("http://{address}/"),
            _process: Process::start(command, address),
        }
    }
}

/// A script of the counterparts, ready to run.
pub fn node(script: &str) -> Command {
    let folder = sources().join("node");
    assert!(
        folder.join("node_modules").is_dir(),
        "run `npm ci` in tests/counterparts/node first, or tests/all"
    );
    let mut command = Command::new("node");
    command
        .arg(folder.join(script))
        .current_dir(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// A program of the counterparts' Python environment, as `python`, `pip` or `schemathesis`, ready to run in their folder.
pub fn python(program: &str) -> Command {
    let folder = sources().join("python");
    let binaries = folder.join(".venv/bin");
    assert!(
        binaries.join(program).exists(),
        "tests/all makes tests/counterparts/python/.venv; run it first, or see there how"
    );
    let mut command = Command::new(binaries.join(program));
    command
        .current_dir(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
