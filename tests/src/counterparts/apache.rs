//! Apache with `mod_auth_openidc` as downstream applications.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::sources;
use crate::gateway::SECRET;
use crate::process::{Process, free_address};

/// Apache protecting `/claims` and `/silent` (which asks with `prompt=none`) as two applications, a port each.
#[derive(Debug)]
pub struct Apache {
    /// `http://127.0.0.1:PORT` of the application `apache-rs256`.
    pub rs256: String,
    /// `http://127.0.0.1:PORT` of the application `apache-es256`.
    pub es256: String,
    _process: Process,
    folder: TempDir,
}

/// Where the two applications will be, before anybody knows them.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    rs256: SocketAddr,
    es256: SocketAddr,
}

impl Addresses {
    /// Free ones.
    pub fn free() -> Self {
        Self {
            rs256: free_address(),
            es256: free_address(),
        }
    }

    /// Lines of the gateway's configuration that register both.
    pub fn registered(&self) -> String {
        [("rs256", self.rs256), ("es256", self.es256)]
            .map(|(name, address)| {
                format!(
                    "[[applications]]\nclient_id = \"apache-{name}\"\nclient_secret = \"{SECRET}\"\n\
                     redirect_uris = [\"http://{address}/claims/callback\"]\n\
                     post_logout_redirect_uris = [\"http://{address}/bye/\"]\n\
                     id_token_signed_response_alg = \"{}\"\n",
                    name.to_uppercase()
                )
            })
            .join("")
    }
}

impl Apache {
    /// Starts it as a client of the gateway with that issuer.
    pub fn start(addresses: Addresses, issuer: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        // Started by root it serves as www-data, which must read what is served.
        std::fs::set_permissions(root, Permissions::from_mode(0o755)).expect("a mode");
        copy(&sources().join("apache/files"), &root.join("files"));
        let mut command = Command::new("apache2");
        command
            // One process, so that its end is the end of all of it.
            .args(["-X", "-f"])
            .arg(sources().join("apache/httpd.conf"))
            .env("RP_WORK", root)
            .env("RP_FILES", root.join("files"))
            .env("RP_ISSUER", issuer)
            .env("RP_CLIENT_SECRET", SECRET)
            .env("RP_RS256_PORT", addresses.rs256.port().to_string())
            .env("RP_ES256_PORT", addresses.es256.port().to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self {
            rs256: format!("http://{}", addresses.rs256),
            es256: format!("http://{}", addresses.es256),
            _process: Process::start(command, addresses.es256),
            folder,
        }
    }

    /// What it logged, for a test that failed.
    pub fn log(&self) -> String {
        let log = self.folder.path().join("error.log");
        std::fs::read_to_string(log).unwrap_or_default()
    }
}

fn copy(from: &Path, to: &PathBuf) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("a copy");
        }
    }
}
