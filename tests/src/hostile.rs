//! Servers on loopback that answer as an attacker, or a broken upstream, would.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::{X509, X509NameBuilder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The longest request that is read, in bytes.
const REQUEST_BYTES: usize = 64 * 1024;

/// What comes back.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These octets, then the end.
    Octets(Vec<u8>),
    /// A head, then one octet now and then, for ever.
    Drip,
}

/// A server on loopback; it ends with the value.
#[derive(Debug)]
pub struct Hostile {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Hostile {
    /// Answers each path as `answer` says.
    pub async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::on(([127, 0, 0, 1], 0).into(), answer).await
    }

    /// The same on a chosen address.
    pub async fn on(
        address: SocketAddr,
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (answer, log) = (Arc::new(answer), asked.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, log) = (answer.clone(), log.clone());
                tokio::spawn(async move { serve(stream, &*answer, &log).await });
            }
        });
        Self {
            address,
            asked,
            task,
        }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The paths that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A status and a body whose length is told.
pub fn status(status: u16, body: &[u8]) -> Answer {
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    Answer::Octets([head.as_bytes(), body].concat())
}

/// A document with status 200.
pub fn document(body: impl AsRef<[u8]>) -> Answer {
    status(200, body.as_ref())
}

/// A body of so many octets whose length is not told.
pub fn chunked(octets: usize) -> Answer {
    let body = "x".repeat(octets);
    let text = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{octets:x}\r\n{body}\r\n0\r\n\r\n"
    );
    Answer::Octets(text.into_bytes())
}

/// A redirect.
pub fn redirect(to: &str) -> Answer {
    let text = format!(
        "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    Answer::Octets(text.into_bytes())
}

/// A TLS server whose certificate nobody vouches for. It lives as long as the process.
pub fn self_signed() -> SocketAddr {
    let key = rsa_key(2048);
    let mut acceptor = SslAcceptor::mozilla_intermediate(SslMethod::tls()).expect("TLS");
    acceptor.set_private_key(&key).expect("a key");
    acceptor
        .set_certificate(&certificate(&key))
        .expect("a certificate");
    let acceptor = acceptor.build();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = acceptor.accept(stream);
        }
    });
    address
}

/// A new RSA key.
pub fn rsa_key(bits: u32) -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(bits).expect("a key")).expect("a key")
}

/// A certificate that a key signs for itself.
pub fn certificate(key: &PKey<Private>) -> X509 {
    let build = || {
        let mut name = X509NameBuilder::new()?;
        name.append_entry_by_text("CN", "hostile.test")?;
        let name = name.build();
        let mut certificate = X509::builder()?;
        certificate.set_pubkey(key)?;
        certificate.set_subject_name(&name)?;
        certificate.set_issuer_name(&name)?;
        certificate.set_not_before(&*Asn1Time::days_from_now(0)?)?;
        certificate.set_not_after(&*Asn1Time::days_from_now(30)?)?;
        certificate.sign(key, MessageDigest::sha256())?;
        Ok::<_, openssl::error::ErrorStack>(certificate.build())
    };
    build().expect("a certificate")
}

async fn serve(
    mut stream: TcpStream,
    answer: &(impl Fn(&str) -> Answer + ?Sized),
    log: &Mutex<Vec<String>>,
) {
    let mut request = Vec::new();
    // A TLS handshake has no end that this server would see.
    let ended = |request: &[u8]| {
        request.starts_with(&[0x16]) || request.windows(4).any(|end| end == b"\r\n\r\n")
    };
    while !ended(&request) && request.len() < REQUEST_BYTES {
        match stream.read_buf(&mut request).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    let text = String::from_utf8_lossy(&request);
    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(path.clone());
    match answer(&path) {
        Answer::Octets(octets) => {
            let _ = stream.write_all(&octets).await;
            let _ = stream.shutdown().await;
        }
        Answer::Drip => drip(stream).await,
    }
}

async fn drip(mut stream: TcpStream) {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    let mut alive = stream.write_all(head).await;
    while alive.is_ok() {
        tokio::time::sleep(Duration::from_millis(200)).await;
        alive = stream.write_all(b"x").await;
    }
}
