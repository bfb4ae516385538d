//! Connections: accepted up to a number, given a time for their headers, and let finish at the end.
//!
//! axum's own loop sets no time for the headers of a request: whoever sends them byte by byte would hold a connection
//! for ever.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Layer as _;

use crate::client_address::Peer;
use crate::limits::Limits;

/// How long answers in flight may still take after the process was told to stop.
const DRAIN: Duration = Duration::from_secs(20);
/// How long to wait after the system refused a connection: no file descriptor is free, for one.
const BREATH: Duration = Duration::from_millis(100);

/// Serves until `stop` resolves, then accepts no more and waits for what is in flight.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    stop: impl Future<Output = ()>,
) {
    let mut http = Builder::new(TokioExecutor::new());
    let headers = Duration::from_secs(limits.header_seconds);
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(headers);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(headers)
        .keep_alive_timeout(headers);
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer, place) = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = &mut stop => break,
        };
        let service = TowerToHyperService::new(Extension(peer).layer(router.clone()));
        let connection = http
            .serve_connection_with_upgrades(TokioIo::new(stream), service)
            .into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // How a connection ends is the other side's affair: it broke off, or it was too slow.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
}

/// The next connection, as soon as there is room for one more.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, Peer, Option<OwnedSemaphorePermit>) {
    let place = room.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // An answer is one write: waiting to fill a packet would only delay it.
                let _ = stream.set_nodelay(true);
                return (stream, Peer(peer), place);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}
