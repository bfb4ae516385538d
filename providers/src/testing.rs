//! A small HTTP server on loopback for tests: it answers exactly what a test tells it to.

pub(crate) mod op;

use std::fmt::{Display, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// One request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Asked {
    /// The value of a header; names are compared without case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }

    /// A field of the form body.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.into_owned())
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Status, headers and body.
    Full(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These very bytes.
    Raw(Vec<u8>),
    /// The head, and then a byte of the body at a time, for ever.
    Drip,
    /// Nothing: the connection is closed.
    Hangup,
}

impl Reply {
    pub(crate) fn json(body: impl Display) -> Self {
        Self::Full(
            200,
            vec![("Content-Type", "application/json".into())],
            body.to_string().into_bytes(),
        )
    }

    pub(crate) fn status(status: u16, body: impl Display) -> Self {
        Self::Full(
            status,
            vec![("Content-Type", "application/json".into())],
            body.to_string().into_bytes(),
        )
    }

    pub(crate) fn redirect(to: impl Display) -> Self {
        Self::Full(302, vec![("Location", to.to_string())], Vec::new())
    }
}

type Answer = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;
type Log = Arc<Mutex<Vec<Asked>>>;

/// A running server; its requests are kept in order.
pub(crate) struct Server {
    address: SocketAddr,
    asked: Log,
}

impl Server {
    /// Starts a server that answers with `answer`, until the test's runtime ends.
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Log = Arc::default();
        let (answer, log): (Answer, Log) = (Arc::new(answer), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&log)));
            }
        });
        Self { address, asked }
    }

    /// The server as an issuer, without a slash at the end.
    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    /// How many requests came for a path.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .filter(|asked| asked.path == path)
            .count()
    }

    /// The last request for a path.
    pub(crate) fn last(&self, path: &str) -> Asked {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .rev()
            .find(|asked| asked.path == path)
            .cloned()
            .unwrap_or_default()
    }
}

async fn serve(mut stream: TcpStream, answer: Answer, log: Log) {
    let Some(asked) = read(&mut stream).await else {
        return;
    };
    log.lock().unwrap().push(asked.clone());
    match answer(&asked) {
        Reply::Hangup => {}
        Reply::Raw(bytes) => drop(stream.write_all(&bytes).await),
        Reply::Drip => {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
                .await;
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
        Reply::Full(status, headers, body) => {
            let mut head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n",
                body.len()
            );
            for (name, value) in headers {
                let _ = write!(head, "{name}: {value}\r\n");
            }
            let _ = stream.write_all(format!("{head}\r\n").as_bytes()).await;
            let _ = stream.write_all(&body).await;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut first = head.split(' ');
            let asked = Asked {
                method: first.next()?.to_owned(),
                path: first.next()?.to_owned(),
                head: head.to_owned(),
                body: body.to_owned(),
            };
            let length = asked
                .header("content-length")
                .and_then(|n| n.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Some(asked);
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&chunk[..n]),
        }
    }
}
