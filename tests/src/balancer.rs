//! A balancer in front of replicas: they share its address as their public one, and each request goes to the one that
//! the test chose.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use reqwest::StatusCode;
use reqwest::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use tokio::net::TcpListener;

use crate::gateway::{Remote, client};

const BODY_BYTES: usize = 8 * 1024 * 1024;

/// A balancer that answers until the test ends.
#[derive(Clone, Debug)]
pub struct Balancer {
    remote: Remote,
    state: Arc<Choice>,
}

#[derive(Debug, Default)]
struct Choice {
    /// Where each replica is.
    replicas: RwLock<Vec<String>>,
    next: AtomicUsize,
    alternates: AtomicBool,
    client: reqwest::Client,
}

impl Balancer {
    /// One without replicas.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Choice {
            client: client(),
            ..Choice::default()
        });
        let router = Router::new().fallback(forward).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            remote: Remote {
                base: format!("http://{address}"),
            },
            state,
        }
    }

    /// Puts replicas behind it, in this order.
    pub fn serve(&self, replicas: &[&str]) {
        let mut held = self
            .state
            .replicas
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *held = replicas.iter().map(|&base| base.to_owned()).collect();
    }

    /// Sends every request from now on to the replica of that number.
    pub fn choose(&self, replica: usize) -> &Remote {
        self.state.alternates.store(false, Ordering::SeqCst);
        self.state.next.store(replica, Ordering::SeqCst);
        &self.remote
    }

    /// Sends each request to another replica than the one before, beginning with that number.
    pub fn alternate(&self, first: usize) -> &Remote {
        self.state.next.store(first, Ordering::SeqCst);
        self.state.alternates.store(true, Ordering::SeqCst);
        &self.remote
    }
}

async fn forward(State(choice): State<Arc<Choice>>, request: Request) -> Response {
    let number = if choice.alternates.load(Ordering::SeqCst) {
        choice.next.fetch_add(1, Ordering::SeqCst)
    } else {
        choice.next.load(Ordering::SeqCst)
    };
    let base = {
        let replicas = choice
            .replicas
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        replicas[number % replicas.len()].clone()
    };
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let body = to_bytes(body, BODY_BYTES).await.expect("a body");
    let asked = choice
        .client
        .request(head.method, format!("{base}{path}"))
        .headers(head.headers)
        .body(body);
    let Ok(answer) = asked.send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let Ok(body) = answer.bytes().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    for name in [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
        headers.remove(name);
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
