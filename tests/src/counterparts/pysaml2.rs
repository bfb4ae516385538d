//! pysaml2 as a SAML identity provider.

use std::net::SocketAddr;

use tempfile::TempDir;

use super::python;
use crate::process::Process;

/// pysaml2 as two SAML identity providers, one with an RSA key and one with an elliptic one; `alice` signs in there.
#[derive(Debug)]
pub struct Pysaml2 {
    _process: Process,
    _folder: TempDir,
}

impl Pysaml2 {
    /// Where the metadata is of the one whose key is `rsa` or `ec`.
    pub fn metadata_url(address: SocketAddr, kind: &str) -> String {
        format!("http://{address}/{kind}/metadata")
    }

    /// Starts one that reads its service providers from their metadata.
    pub fn start(address: SocketAddr, service_providers: &[String]) -> Self {
        Self::taking("", address, service_providers)
    }

    /// The same, which takes signed requests alone, and says so in its metadata.
    pub fn requiring_signed_requests(address: SocketAddr, service_providers: &[String]) -> Self {
        Self::taking("yes", address, service_providers)
    }

    fn taking(signed: &str, address: SocketAddr, service_providers: &[String]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = python("python");
        command
            .arg("idp.py")
            .env("IDP_PORT", address.port().to_string())
            .env("IDP_WORK", folder.path())
            .env("WANT_SIGNED", signed)
            .env("SP_METADATA", service_providers.join(" "));
        Self {
            _process: Process::start(command, address),
            _folder: folder,
        }
    }
}
