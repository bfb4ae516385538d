//! What the endpoints work with, as one value: a handler makes it, a test can too.

use std::sync::Arc;

use fedgate_certs::Timestamp;
use fedgate_certs::keyring::Keyring;
use fedgate_certs::seal::Sealer;
use fedgate_providers::error::Refusal;
use fedgate_providers::login::Site;

use super::client_keys::ClientKeys;
use super::issue::Issuer;
use crate::app::App;
use crate::ephemeral::Ephemeral;
use crate::limits::Limits;
use crate::store::Store;
use crate::store::application::Application;

/// The parts of the gateway that an endpoint of the OpenID Provider needs, and the moment of the request.
#[derive(Clone)]
pub(crate) struct Context<'a> {
    pub(crate) site: &'a Site,
    pub(crate) limits: &'a Limits,
    pub(crate) store: &'a Store,
    pub(crate) ephemeral: &'a Ephemeral,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) sealer: &'a Sealer,
    pub(crate) client_keys: &'a ClientKeys,
    pub(crate) now: Timestamp,
}

impl<'a> Context<'a> {
    /// The parts of `app`, now.
    pub(crate) fn of(app: &'a App) -> Self {
        Self {
            site: &app.site,
            limits: &app.limits,
            store: &app.store,
            ephemeral: &app.ephemeral,
            keyring: app.keyring.ring(),
            sealer: &app.sealer,
            client_keys: &app.client_keys,
            now: app.clock.now(),
        }
    }

    /// The application of that `client_id`.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn application(
        &self,
        client_id: &str,
    ) -> Result<Option<Arc<Application>>, Refusal> {
        Ok(self.store.near_application(client_id).await?)
    }

    /// What signs a token that lives for so many seconds.
    pub(crate) fn issuer(&self, seconds: u64) -> Issuer<'_> {
        Issuer {
            keyring: &self.keyring,
            site: self.site,
            seconds,
            now: self.now,
        }
    }
}
