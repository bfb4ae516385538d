//! xmlsec1's opinion of a signature.

use std::process::Command;

const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";

/// Whether the signature right below the element of that local name holds with a certificate (PEM).
///
/// # Panics
/// Where xmlsec1 is not installed.
pub fn verifies(xml: &[u8], element: &str, certificate: &str) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let [document, key] = ["document.xml", "certificate.pem"].map(|name| folder.path().join(name));
    std::fs::write(&document, xml).expect("a file");
    std::fs::write(&key, certificate).expect("a file");
    let mut command = Command::new("xmlsec1");
    command.args(["--verify", "--enabled-key-data", "key-name"]);
    command.arg("--pubkey-cert-pem").arg(key);
    for id in [
        format!("{ASSERTION}:Assertion"),
        format!("{PROTOCOL}:Response"),
        format!("{PROTOCOL}:AuthnRequest"),
    ] {
        command.arg("--id-attr:ID").arg(id);
    }
    let place = format!("//*[local-name()='{element}']/*[local-name()='Signature']");
    command.arg("--node-xpath").arg(place).arg(document);
    let ran = command.output().expect("xmlsec1 is installed");
    ran.status.success()
}
