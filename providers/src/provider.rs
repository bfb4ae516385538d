//! A connection, opened and ready: the one face of every upstream.

use std::sync::Arc;

use fedgate_certs::Timestamp;
use fedgate_certs::sp_keys::SpKeys;
use jiff::SignedDuration;
use rand::CryptoRng;

use crate::connection::{Connection, ProtocolOptions};
use crate::egress::Egress;
use crate::error::Refusal;
use crate::identity::VerifiedIdentity;
use crate::login::{Begun, Callback, Handle, Login, Pending, Steps};
use crate::oauth::{OauthProvider, OauthRefusal};
use crate::refetch::RefetchBudget;
use crate::saml::metadata::beside::KeysBeside;
use crate::saml::{SamlProvider, SamlRefusal, second_opinion};

/// What a connection is opened with.
#[derive(Debug)]
pub struct Opening<'a> {
    /// The connection, with its typed options.
    pub connection: &'a Connection,
    /// SAML: the live revision of the identity provider's metadata.
    pub metadata: Option<&'a [u8]>,
    /// SAML: our own pairs.
    pub keys: &'a SpKeys,
    /// SAML: the keys beside the metadata; all: the budget of fetches that logins cause.
    pub trusting: &'a Trusting,
    /// The way out.
    pub egress: &'a Arc<Egress>,
    /// The time.
    pub now: Timestamp,
}

/// What is trusted beside what an upstream says at this moment.
#[derive(Clone, Debug, Default)]
pub struct Trusting {
    /// SAML: keys beside the live metadata, and revoked ones.
    pub beside: KeysBeside,
    /// SAML: how long expired metadata still serves.
    pub grace: SignedDuration,
    /// The budget of fetches that logins cause.
    pub refetches: Arc<RefetchBudget>,
}

/// A closed set: every kind of upstream that there is.
#[derive(Debug)]
pub enum Provider {
    /// SAML 2.0.
    Saml(Box<SamlProvider>),
    /// OpenID Connect.
    Oauth(Box<OauthProvider>),
}

impl Provider {
    /// Opens a connection: reads what its upstream says about itself. The result is good until the connection
    /// changes, and worth keeping; an OpenID Provider's metadata is read here only, its keys whenever needed.
    ///
    /// # Errors
    /// What is wrong with the settings or with the upstream's metadata.
    pub async fn open(opening: Opening<'_>) -> Result<Self, Refusal> {
        let Opening {
            connection,
            metadata,
            keys,
            trusting,
            egress,
            ..
        } = opening;
        match &connection.options.protocol {
            ProtocolOptions::Oauth(options) => {
                let provider = OauthProvider::open(connection, options, egress).await?;
                let provider = provider.within(Arc::clone(&trusting.refetches));
                Ok(Self::Oauth(Box::new(provider)))
            }
            // An active connection has metadata; none at all reads as an empty document.
            ProtocolOptions::Saml(options) => {
                let metadata = metadata.unwrap_or_default();
                let provider = SamlProvider::open(connection, options, metadata, keys)?;
                let provider = provider.trusting(trusting.beside.clone(), trusting.grace)?;
                Ok(Self::Saml(Box::new(provider)))
            }
        }
    }

    /// Whether this connection decrypts AES-CBC, of which too many failures must not be told.
    pub fn is_cbc_allowed(&self) -> bool {
        matches!(self, Self::Saml(provider) if provider.is_cbc_allowed())
    }

    /// The same provider, which decrypts AES-CBC only where a signature covers it.
    #[must_use]
    pub fn with_cbc_paused(&self) -> Option<Self> {
        match self {
            Self::Saml(provider) => Some(Self::Saml(Box::new(provider.with_cbc_paused()))),
            Self::Oauth(_) => None,
        }
    }

    /// Whether a callback that was refused for this may be verified again once the upstream's metadata has been read
    /// anew. An OpenID Provider's keys are read anew within [`Provider::complete`], which redeems a code once.
    pub fn is_for_fresh_keys(
        &self,
        refusal: &Refusal,
        (handle, pending): (Handle, &Pending),
        callback: &Callback,
        now: Timestamp,
    ) -> bool {
        match (self, pending) {
            (Self::Saml(provider), Pending::Saml(pending)) => {
                provider.is_for_fresh_keys(refusal, (handle, pending), callback, now)
            }
            _ => false,
        }
    }

    /// Writes the request that the browser takes upstream. No I/O.
    ///
    /// # Errors
    /// What keeps the request from being written.
    pub fn begin(
        &self,
        login: &Login,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Begun, Refusal> {
        match self {
            Self::Saml(provider) => provider.begin(login, now, rng),
            Self::Oauth(provider) => Ok(provider.begin(login, now, rng)),
        }
    }

    /// Verifies what the browser brought back. `handle` and `pending` are those of `begin`, from the same browser.
    ///
    /// # Errors
    /// The first check that does not hold; it is also the last of `steps`, recorded as failed.
    pub async fn complete(
        &self,
        handle: Handle,
        pending: &Pending,
        callback: &Callback,
        now: Timestamp,
        steps: &mut Steps,
    ) -> Result<VerifiedIdentity, Refusal> {
        match (self, pending) {
            (Self::Saml(provider), Pending::Saml(pending)) => {
                let (identity, witness) =
                    provider.complete_witnessed(handle, pending, callback, now, steps)?;
                second_opinion::agree(witness, now, steps).await?;
                Ok(identity)
            }
            (Self::Oauth(provider), Pending::Oauth(pending)) => {
                provider
                    .complete(handle, pending, callback, now, steps)
                    .await
            }
            // A strategy never changes, so that what a connection sealed is of its own kind.
            (Self::Saml(_), Pending::Oauth(_)) => Err(stranger(
                SamlRefusal::InResponseToMismatch.refuse(),
                now,
                steps,
            )),
            (Self::Oauth(_), Pending::Saml(_)) => {
                Err(stranger(OauthRefusal::StateMismatch.refuse(), now, steps))
            }
        }
    }
}

fn stranger(refusal: Refusal, now: Timestamp, steps: &mut Steps) -> Refusal {
    steps.fail("provider.pending", &refusal, now);
    refusal
}
