//! From replica to replica: what changed on one is forgotten by the others within a second.
//!
//! Messages go through a channel of the installation and are authenticated. Whoever else can write there can drop or
//! repeat them: then a near cache keeps what it has until it expires (`cache_seconds`), or reads it once more.

use std::sync::Arc;
use std::time::Duration;

use fedgate_certs::seal::Sealer;
use fedgate_providers::connection::ConnectionId;
use futures_util::StreamExt as _;
use rand::CryptoRng;
use redis::aio::PubSub;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tokio::time::{interval, sleep, timeout};

use crate::app::{App, Shared};
use crate::change::{Announcer, Change};
use crate::ephemeral::Ephemeral;

/// What messages are authenticated for.
const PURPOSE: &str = "fanout";
const MAC_BYTES: usize = 32;
/// The longest message that is read.
const MESSAGE_BYTES: usize = 1024;
/// Between two attempts to listen.
const AGAIN: Duration = Duration::from_millis(200);
/// How often the server must show that the channel is still open: a connection can be dead without a word.
const BEAT: Duration = Duration::from_secs(2);

/// This replica's part in the fan-out.
#[derive(Debug)]
pub struct Fanout {
    /// Tells its messages from those of the others.
    name: [u8; 8],
}

#[derive(Serialize, Deserialize)]
struct Message {
    from: [u8; 8],
    change: Change,
}

impl Fanout {
    /// Begins to tell what is announced. With an ephemeral store that nobody shares nothing is told.
    pub(crate) fn start(
        ephemeral: &Ephemeral,
        sealer: &Arc<Sealer>,
        rng: &mut dyn CryptoRng,
    ) -> (Self, Announcer) {
        let mut name = [0; 8];
        rng.fill_bytes(&mut name);
        if !ephemeral.is_shared() {
            return (Self { name }, Announcer::default());
        }
        let (announcer, mut changes) = Announcer::channel();
        let (ephemeral, sealer) = (ephemeral.clone(), Arc::clone(sealer));
        tokio::spawn(async move {
            // It ends with the last announcer.
            while let Some(change) = changes.recv().await {
                let message = Message { from: name, change };
                let told = match sealed(&sealer, &message) {
                    Some(message) => ephemeral.publish(&message).await.is_ok(),
                    None => false,
                };
                if !told {
                    tracing::warn!(change = ?message.change, "a change was not told to other replicas; they see it when their caches expire");
                }
            }
        });
        (Self { name }, announcer)
    }
}

/// Hears what the other replicas tell, as long as the gateway runs.
pub(crate) async fn listen(app: Shared) {
    let mut deaf = false;
    while let Some(subscriber) = app.ephemeral.subscriber().await {
        match subscriber {
            Ok(subscriber) => {
                // Whatever was told while nobody listened is lost.
                forget_all(&app).await;
                deaf = false;
                hear(&app, subscriber).await;
                tracing::warn!("the channel of changes is closed");
            }
            Err(error) if !deaf => {
                tracing::warn!(%error, "changes on other replicas are not heard");
                deaf = true;
            }
            Err(_) => {}
        }
        sleep(AGAIN).await;
    }
}

async fn hear(app: &App, subscriber: PubSub) {
    let (mut server, mut messages) = subscriber.split();
    let mut beat = interval(BEAT);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => take(app, message.get_payload_bytes()).await,
                None => return,
            },
            _ = beat.tick() => match timeout(BEAT, server.ping::<redis::Value>()).await {
                Ok(Ok(_)) => {}
                _ => return,
            },
        }
    }
}

async fn take(app: &App, octets: &[u8]) {
    match opened(&app.sealer, octets) {
        Some(message) if message.from == app.fanout.name => {}
        Some(message) => forget(app, message.change).await,
        None => {
            tracing::warn!("a message in the channel of changes is none of this installation's");
        }
    }
}

async fn forget(app: &App, change: Change) {
    match change {
        Change::Connection(id) => {
            if let Some(id) = ConnectionId::parse(&id) {
                app.registry.forget_near(&id).await;
            }
        }
        Change::Application(client_id) => app.store.forget_application(&client_id).await,
        Change::Applications => app.store.forget_applications(),
        Change::Keys => app.reread_keys().await,
    }
}

async fn forget_all(app: &App) {
    app.registry.forget_all();
    app.store.forget_applications();
    app.reread_keys().await;
}

fn sealed(sealer: &Sealer, message: &Message) -> Option<Vec<u8>> {
    let octets = postcard::to_stdvec(message).ok()?;
    let mac = sealer.mac(PURPOSE, &octets).ok()?;
    Some([&mac[..], &octets].concat())
}

fn opened(sealer: &Sealer, octets: &[u8]) -> Option<Message> {
    let (mac, octets) = octets
        .split_at_checked(MAC_BYTES)
        .filter(|_| octets.len() <= MESSAGE_BYTES)?;
    let expected = sealer.mac(PURPOSE, octets).ok()?;
    bool::from(expected[..].ct_eq(mac)).then_some(())?;
    postcard::from_bytes(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::testing::sealer;

    #[test]
    fn a_message_is_believed_as_it_was_sealed_and_no_other() {
        let sealer = sealer();
        let message = Message {
            from: [1; 8],
            change: Change::Application("web".into()),
        };
        let octets = sealed(&sealer, &message).unwrap();
        assert_eq!(opened(&sealer, &octets).unwrap().change, message.change);
        for index in 0..octets.len() {
            let mut altered = octets.clone();
            altered[index] ^= 1;
            assert!(opened(&sealer, &altered).is_none(), "{index}");
            assert!(opened(&sealer, &octets[..index]).is_none(), "{index}");
        }
        assert!(opened(&sealer, &vec![0; MESSAGE_BYTES + 1]).is_none());
    }
}
