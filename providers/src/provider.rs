//! A connection, opened and ready: the one face of every upstream.

use std::sync::Arc;

use fedgate_certs::Timestamp;
use rand::CryptoRng;

use crate::connection::{Connection, ProtocolOptions};
use crate::egress::Egress;
use crate::error::Refusal;
use crate::identity::VerifiedIdentity;
use crate::login::{Begun, Callback, Handle, Login, Pending, Steps};
use crate::oauth::OauthProvider;
use crate::refusals;
use crate::saml::SamlProvider;

refusals! {
    /// What no provider can work with.
    pub enum ProviderRefusal in "provider" {
        /// The sealed part of this login belongs to a connection of another kind: the connection changed meanwhile.
        PendingMismatch = "pending_mismatch", Browser,
            says "This way to sign in changed meanwhile.",
            fix "Start the sign-in again.";
        /// The connection has no metadata of its identity provider yet: none was pasted, and none could be fetched.
        MetadataMissing = "metadata_missing", Operator,
            says "This way to sign in is not set up completely.",
            fix "Paste the XML of {metadata} into the connection, or check that its URL answers.";
    }
}

/// What a connection is opened with.
#[derive(Debug)]
pub struct Opening<'a> {
    /// The connection, with its typed options.
    pub connection: &'a Connection,
    /// SAML: the live revision of the identity provider's metadata.
    pub metadata: Option<&'a [u8]>,
    /// The way out.
    pub egress: &'a Arc<Egress>,
    /// The time.
    pub now: Timestamp,
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
            egress,
            ..
        } = opening;
        match &connection.options.protocol {
            ProtocolOptions::Oauth(options) => {
                let provider = OauthProvider::open(connection, options, egress).await?;
                Ok(Self::Oauth(Box::new(provider)))
            }
            ProtocolOptions::Saml(_) => {
                let metadata = metadata.ok_or(ProviderRefusal::MetadataMissing)?;
                Ok(Self::Saml(Box::new(SamlProvider::open(
                    connection, metadata,
                )?)))
            }
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
            Self::Oauth(provider) => provider.begin(login, now, rng),
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
                provider.complete(handle, pending, callback, now, steps)
            }
            (Self::Oauth(provider), Pending::Oauth(pending)) => {
                provider
                    .complete(handle, pending, callback, now, steps)
                    .await
            }
            (Self::Saml(_), Pending::Oauth(_)) | (Self::Oauth(_), Pending::Saml(_)) => {
                let refusal = ProviderRefusal::PendingMismatch.refuse();
                steps.fail("provider.pending", &refusal, now);
                Err(refusal)
            }
        }
    }
}
