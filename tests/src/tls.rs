//! A TLS terminator as operators run one in front: host names and a certificate here, plain HTTP behind.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use native_tls::Identity;
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};
use tokio::net::{TcpListener, TcpStream};
use tokio_native_tls::TlsAcceptor;

/// One certificate for several host names, all of which lead to loopback in the browser of the test.
#[derive(Clone)]
pub struct Terminator {
    acceptor: TlsAcceptor,
    /// SHA-256 of the certificate's key in base64: what Chromium is told to trust.
    pub key_hash: String,
}

/// A host name with a port that is taken, and nothing behind it yet.
pub struct Front {
    /// `https://NAME:PORT`
    pub origin: String,
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

/// A key with a certificate for some names that it signed itself, both in PEM.
pub struct Pair {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// The private key, PKCS#8.
    pub private: Vec<u8>,
    key: PKey<Private>,
}

impl Pair {
    /// A new one.
    pub fn new(names: &[&str]) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
        let key = EcKey::generate(&group).and_then(PKey::from_ec_key);
        let key = key.expect("a key");
        Self {
            certificate: certificate(&key, names).to_pem().expect("PEM"),
            private: key.private_key_to_pem_pkcs8().expect("PEM"),
            key,
        }
    }
}

impl Terminator {
    /// Makes a key and a certificate for these names.
    pub fn new(names: &[&str]) -> Self {
        let pair = Pair::new(names);
        let identity = Identity::from_pkcs8(&pair.certificate, &pair.private);
        let identity = identity.expect("an identity");
        let acceptor = native_tls::TlsAcceptor::new(identity).expect("an acceptor");
        let public = pair.key.public_key_to_der().expect("DER");
        Self {
            acceptor: acceptor.into(),
            key_hash: STANDARD.encode(sha256(&public)),
        }
    }

    /// Takes a port under one of the names.
    pub async fn front(&self, name: &str) -> Front {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        Front {
            origin: format!("https://{name}:{port}"),
            listener,
            acceptor: self.acceptor.clone(),
        }
    }
}

impl Front {
    /// Passes every connection on to what listens at `behind`, until the test ends.
    pub fn serve(self, behind: SocketAddr) {
        tokio::spawn(async move {
            while let Ok((stream, _)) = self.listener.accept().await {
                tokio::spawn(pass(self.acceptor.clone(), stream, behind));
            }
        });
    }
}

async fn pass(acceptor: TlsAcceptor, stream: TcpStream, behind: SocketAddr) {
    // A browser opens connections that it does not use: what ends early is nobody's fault.
    let (Ok(mut front), Ok(mut back)) = (
        acceptor.accept(stream).await,
        TcpStream::connect(behind).await,
    ) else {
        return;
    };
    let _ = tokio::io::copy_bidirectional(&mut front, &mut back).await;
}

fn certificate(key: &PKey<Private>, names: &[&str]) -> X509 {
    // Of two authorities with one name, OpenSSL asks the first.
    let public = sha256(&key.public_key_to_der().expect("DER"));
    let mut subject = X509NameBuilder::new().expect("a name");
    subject
        .append_entry_by_text(
            "CN",
            &format!("fedgate tests {}", STANDARD.encode(&public[..9])),
        )
        .expect("a name");
    let subject = subject.build();
    let mut builder = X509::builder().expect("a certificate");
    let mut alternative = SubjectAlternativeName::new();
    for name in names {
        alternative.dns(name);
    }
    let alternative = alternative.build(&builder.x509v3_context(None, None));
    let (from, until) = (Asn1Time::days_from_now(0), Asn1Time::days_from_now(30));
    builder.set_version(2).expect("a version");
    builder.set_subject_name(&subject).expect("a subject");
    builder.set_issuer_name(&subject).expect("an issuer");
    builder.set_pubkey(key).expect("a key");
    builder
        .set_not_before(&from.expect("a time"))
        .expect("a time");
    builder
        .set_not_after(&until.expect("a time"))
        .expect("a time");
    builder
        .append_extension(alternative.expect("names"))
        .expect("names");
    builder
        .sign(key, MessageDigest::sha256())
        .expect("a signature");
    builder.build()
}
