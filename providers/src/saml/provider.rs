//! A SAML connection, opened and ready.

use std::collections::BTreeMap;

use fedgate_certs::Timestamp;
use fedgate_certs::certified_key::CertifiedKey;
use fedgate_certs::decryption::DecryptionKey;
use fedgate_certs::sp_keys::SpKeys;
use fedgate_certs::trust::Trust;
use jiff::SignedDuration;
use openssl::sha::Sha256;
use rand::CryptoRng;
use url::Url;

use super::assertion::Asserted;
use super::conditions::MAX_SKEW;
use super::decode;
use super::decrypt::{Cbc, Decryption};
use super::metadata::beside::KeysBeside;
use super::metadata::{IdpMetadata, MetadataRefusal, is_secure};
use super::methods;
use super::refusal::SamlRefusal;
use super::request::{AuthnRequest, MAX_CONTEXTS, Message, Parameters, Signing};
use super::rescue;
use super::second_opinion::Witness;
use super::signature::Algorithms;
use super::verify::{Authentication, Expectation, InResponseTo, Story, verify_witnessed};
use crate::connection::{Connection, ConnectionId, SamlOptions, UpstreamParam};
use crate::error::Refusal;
use crate::identity::{Email, EmailClaim, ReplayMark, Subject, UpstreamSession, VerifiedIdentity};
use crate::login::{Begun, Callback, Handle, Login, Pending, SamlPending, Steps};
use crate::mapping::{self, Profile};
use crate::spec::Spec;

/// Where responses of a connection arrive, below the site's base URL.
pub fn acs_path(connection: &ConnectionId) -> String {
    format!("/saml/{connection}/acs")
}

/// A SAML connection with its identity provider's metadata read.
#[derive(Clone, Debug)]
pub struct SamlProvider {
    connection: ConnectionId,
    options: SamlOptions,
    upstream_params: BTreeMap<String, UpstreamParam>,
    spec: &'static Spec,
    metadata: IdpMetadata,
    beside: KeysBeside,
    /// How long expired metadata still serves.
    grace: SignedDuration,
    sign_in: Url,
    decryption_keys: Vec<DecryptionKey>,
    is_cbc_paused: bool,
    signing: Signing,
}

impl SamlProvider {
    /// Opens a connection with the metadata of its identity provider and our own keys.
    ///
    /// # Errors
    /// The codes of [`MetadataRefusal`].
    pub fn open(
        connection: &Connection,
        options: &SamlOptions,
        metadata: &[u8],
        keys: &SpKeys,
    ) -> Result<Self, Refusal> {
        let metadata = IdpMetadata::parse(metadata, None)?;
        let sign_in = match options.sign_in_url.as_deref().filter(|url| !url.is_empty()) {
            Some(text) => Url::parse(text).ok().filter(is_secure).ok_or_else(|| {
                MetadataRefusal::SsoInsecure
                    .refuse()
                    .found(text)
                    .detail("saml_sign_in_url")
            })?,
            None => metadata.sso_for(options.protocol_binding)?.clone(),
        };
        Ok(Self {
            connection: connection.id.clone(),
            signing: Signing::of(options, metadata.want_authn_requests_signed, keys),
            options: options.clone(),
            upstream_params: connection.options.common.upstream_params.clone(),
            spec: connection.spec,
            metadata,
            beside: KeysBeside::default(),
            grace: SignedDuration::ZERO,
            sign_in,
            decryption_keys: decryption_keys(keys),
            is_cbc_paused: false,
        })
    }

    /// The same provider, which trusts these keys beside its metadata and none that was revoked, and serves for `grace`
    /// after its metadata has expired.
    ///
    /// # Errors
    /// `metadata.keys_revoked`
    pub fn trusting(mut self, beside: KeysBeside, grace: SignedDuration) -> Result<Self, Refusal> {
        self.metadata.trust = beside.sound(&self.metadata.trust)?;
        self.beside = beside;
        self.grace = grace;
        Ok(self)
    }

    /// The keys that may sign at this time.
    pub fn trust_at(&self, now: Timestamp) -> Trust {
        self.beside.at(&self.metadata.trust, now)
    }

    /// Whether a response that was refused for this would be verified again with keys that were read just now: it
    /// answers the pending login in all that it says of itself, and its key is none of this connection's.
    pub fn is_for_fresh_keys(
        &self,
        refusal: &Refusal,
        (handle, pending): (Handle, &SamlPending),
        callback: &Callback,
        now: Timestamp,
    ) -> bool {
        if !rescue::is_unknown_key(refusal) {
            return false;
        }
        let answered = rescue::Answered {
            issuer: &self.metadata.entity_id,
            acs: &pending.acs,
            request_id: &handle.to_request_id(),
        };
        let fields = form(callback).and_then(decode::response_bytes);
        fields.is_ok_and(|xml| answered.by(&xml, &self.trust_at(now)))
    }

    /// How often private keys decrypted something for this connection since it was opened.
    pub fn private_operations(&self) -> u64 {
        let keys = self.decryption_keys.iter();
        keys.map(DecryptionKey::operations).sum()
    }

    /// Whether this connection decrypts AES-CBC (`saml_allow_aes_cbc`).
    pub fn is_cbc_allowed(&self) -> bool {
        self.options.allow_aes_cbc
    }

    /// The same provider, which decrypts AES-CBC only where a signature of the Response covers it.
    #[must_use]
    pub fn with_cbc_paused(&self) -> Self {
        Self {
            is_cbc_paused: true,
            ..self.clone()
        }
    }

    /// The identity provider's metadata.
    pub fn metadata(&self) -> &IdpMetadata {
        &self.metadata
    }

    /// Whether every request is signed.
    pub fn signs_requests(&self) -> bool {
        !matches!(self.signing, Signing::Unsigned)
    }

    /// Sends the browser to the identity provider. Nothing here is random: the login's handle names the request.
    ///
    /// # Errors
    /// `metadata.expired`, `saml.request_unsigned`, `saml.request_signature_expired`.
    pub fn begin(
        &self,
        login: &Login,
        now: Timestamp,
        _rng: &mut dyn CryptoRng,
    ) -> Result<Begun, Refusal> {
        self.metadata.valid_within(self.grace, now)?;
        let signer = self.signing.signer(now)?;
        let acs = login.site.url(&acs_path(&self.connection));
        let contexts: Vec<String> = login
            .acr_values
            .iter()
            .take(MAX_CONTEXTS)
            .cloned()
            .collect();
        let parameters = Parameters::resolved(&self.upstream_params, login);
        let request = AuthnRequest {
            login,
            sp_entity_id: &self.options.entity_id,
            acs: &acs,
            destination: &self.sign_in,
            name_id_format: self.options.name_id_format,
            subject: parameters.subject.as_deref(),
            contexts: &contexts,
        };
        let message = Message {
            written: &request.written(now),
            relay_state: login.handle.to_state(),
            endpoint: &self.sign_in,
            parameters: &parameters.query,
        };
        let redirect = message.send(self.options.protocol_binding, signer)?;
        let pending = SamlPending {
            acs,
            sp_entity_id: self.options.entity_id.clone(),
            issued_at: now.as_second(),
            force: login.force(),
            max_age: login.max_age,
            acr_values: contexts,
        };
        Ok(Begun {
            redirect,
            pending: Pending::Saml(pending),
        })
    }

    /// Verifies the response to a pending login and reads the identity from it.
    ///
    /// # Errors
    /// The codes of [`SamlRefusal`] and `metadata.expired`; the failing step is the last one in `steps`.
    pub fn complete(
        &self,
        handle: Handle,
        pending: &SamlPending,
        callback: &Callback,
        now: Timestamp,
        steps: &mut Steps,
    ) -> Result<VerifiedIdentity, Refusal> {
        self.complete_witnessed(handle, pending, callback, now, steps)
            .map(|(identity, _)| identity)
    }

    /// The same, with what another implementation can judge it by.
    pub(crate) fn complete_witnessed(
        &self,
        handle: Handle,
        pending: &SamlPending,
        callback: &Callback,
        now: Timestamp,
        steps: &mut Steps,
    ) -> Result<(VerifiedIdentity, Witness), Refusal> {
        let mut story = Story {
            steps,
            now,
            decrypted_with: None,
        };
        let late = story.held("saml.metadata", self.metadata.valid_within(self.grace, now))?;
        if let Some(late) = late {
            let hours = late.as_hours();
            let note = format!("expired {hours} hours ago, and serves within the grace");
            tracing::warn!(connection = %self.connection, hours, "metadata has expired and still serves");
            story.passed("saml.metadata", Some(note));
        }
        let xml = story.held(
            "saml.decode",
            form(callback).and_then(decode::response_bytes),
        )?;
        story.passed("saml.decode", Some(format!("{} bytes", xml.len())));
        let request_id = handle.to_request_id();
        let trust = self.trust_at(now);
        let expectation = Expectation {
            trust: &trust,
            issuer: Some(&self.metadata.entity_id),
            sp_entity_id: &pending.sp_entity_id,
            audience_prefix: self
                .spec
                .saml
                .as_ref()
                .and_then(|saml| saml.audience_prefix.as_deref()),
            acs: &pending.acs,
            in_response_to: InResponseTo::Exactly(&request_id),
            skew: SignedDuration::from_secs(self.options.clock_skew_seconds.into()).min(MAX_SKEW),
            algorithms: Algorithms::default(),
            signature_policy: self.options.signature_policy,
            decryption: Decryption {
                keys: &self.decryption_keys,
                cbc: self.cbc(),
            },
            authentication: Authentication {
                forced_since: Timestamp::from_second(pending.issued_at)
                    .ok()
                    .filter(|_| pending.force),
                // An age of 0 was asked for as ForceAuthn; people need time to sign in.
                max_age: pending.max_age.filter(|seconds| *seconds > 0),
                contexts: &pending.acr_values,
            },
        };
        let witnessed = verify_witnessed(&xml, &expectation, now, steps)?;
        let mut story = Story {
            steps,
            now,
            decrypted_with: None,
        };
        let profile = story.held(
            "saml.mapping",
            mapping::profile(&witnessed.asserted, self.spec, &self.options),
        )?;
        story.passed("saml.mapping", Some(profile.note.clone()));
        let witness = Witness {
            document: witnessed.opened.unwrap_or(xml),
            octets: witnessed.octets,
            trust,
        };
        let mut identity = self.identity(witnessed.asserted, profile);
        identity.signed_by = witnessed.keys;
        Ok((identity, witness))
    }

    fn cbc(&self) -> Cbc {
        match (self.options.allow_aes_cbc, self.is_cbc_paused) {
            (false, _) => Cbc::Refused,
            (true, false) => Cbc::Allowed,
            (true, true) => Cbc::Paused,
        }
    }

    fn identity(&self, asserted: Asserted, profile: Profile) -> VerifiedIdentity {
        let replay = replay_mark(&self.connection, &asserted);
        let (name_id, name_id_format) = match asserted.name_id {
            Some(name_id) => (Some(name_id.value), name_id.format),
            None => (None, None),
        };
        VerifiedIdentity {
            connection: self.connection.clone(),
            subject: Subject {
                issuer: asserted.issuer,
                value: profile.subject,
            },
            // SAML says nothing about how an address was verified; who owns its domain is the gateway's question.
            email: profile.email.map(|address| Email {
                address,
                claim: EmailClaim::Unstated,
                authoritative: false,
            }),
            given_name: profile.given_name,
            family_name: profile.family_name,
            name: profile.name,
            picture: None,
            groups: profile.groups,
            attributes: asserted.attributes,
            authenticated_at: Some(asserted.authenticated_at),
            amr: methods::of(asserted.context.as_deref()),
            acr: asserted.context,
            upstream_session: Some(UpstreamSession {
                name_id,
                name_id_format,
                session: asserted.session_index,
            }),
            replay: Some(replay),
            decrypted_with: asserted.decrypted_with,
            signed_by: Vec::new(),
        }
    }
}

/// The keys that decrypt, the one that identity providers should encrypt for first. One that is no RSA key cannot.
fn decryption_keys(keys: &SpKeys) -> Vec<DecryptionKey> {
    let current: Vec<_> = keys.encryption().map(CertifiedKey::id).collect();
    let mut all: Vec<_> = keys.decryption().collect();
    all.sort_by_key(|key| !current.contains(&key.id()));
    all.into_iter()
        .filter_map(|key| DecryptionKey::new(key.private().to_owned()).ok())
        .collect()
}

/// A response comes as a form only (SAML profiles 4.1.2: HTTP-Redirect must not be used for it).
fn form(callback: &Callback) -> Result<&[(String, String)], Refusal> {
    match callback {
        Callback::Form(fields) => Ok(fields),
        Callback::Query(_) => Err(SamlRefusal::WrongBinding
            .refuse()
            .expected("HTTP-POST")
            .found("a query")),
    }
}

/// The mark of an assertion: kept for as long as any tolerance could let it in again.
fn replay_mark(connection: &ConnectionId, asserted: &Asserted) -> ReplayMark {
    let mut hash = Sha256::new();
    for part in [connection.as_str(), &asserted.issuer, &asserted.id] {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let until = asserted
        .valid_until
        .saturating_add(MAX_SKEW)
        .unwrap_or(Timestamp::MAX);
    ReplayMark {
        key: hash.finish(),
        until,
    }
}

#[cfg(test)]
mod tests;
