//! Downstream applications.

use std::sync::Arc;

use fedgate_certs::Timestamp;
use fedgate_certs::key::SigningAlgorithm;
use fedgate_providers::connection::ConnectionId;

use super::page::{Page, PageRequest};
use super::query::{execute, fetch_all, fetch_optional};
use super::setting::take_turns;
use super::{Store, StoreError, Transaction, json, time, to_json};
use crate::change::Change;

/// A downstream OAuth client.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// `client_id`
    pub client_id: String,
    /// What people read; `client_id` where nothing else is configured.
    pub name: String,
    /// Keyed hash of the client secret; none for a public client.
    pub secret_hash: Option<Vec<u8>>,
    /// The secret before, while it still counts.
    pub previous_secret: Option<PreviousSecret>,
    /// Compared exactly.
    pub redirect_uris: Vec<String>,
    /// Compared exactly.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where back-channel logout tokens go; empty: nowhere.
    pub backchannel_logout_uri: Option<String>,
    /// Where a login that began at the identity provider is sent.
    pub initiate_login_uri: Option<String>,
    /// Where an unknown e-mail domain goes.
    pub fallback_connection: Option<ConnectionId>,
    /// Signature of its ID tokens.
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// `authorization_code`, `client_credentials`.
    pub grant_types: Vec<String>,
    /// Scopes of the Management API that client credentials may ask for.
    pub scopes: Vec<String>,
    /// Its keys for `private_key_jwt`, as registered.
    pub jwks: Option<serde_json::Value>,
    /// Where its keys are.
    pub jwks_uri: Option<String>,
}

/// A client secret that another one took the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousSecret {
    /// Keyed hash.
    pub hash: Vec<u8>,
    /// From then on it proves nothing.
    pub expires_at: Timestamp,
}

/// An application as it is managed.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    /// What it may do and where it is.
    pub application: Application,
    /// Who describes it.
    pub source: Source,
    /// Grows by one at each change at the Management API.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Where an application was described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// In `fedgate.toml`: read-only at the Management API.
    Config,
    /// At the Management API.
    Api,
}

impl Source {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Api => "api",
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    client_id: String,
    source: String,
    name: String,
    secret_hash: Option<Vec<u8>>,
    previous_secret_hash: Option<Vec<u8>>,
    previous_secret_expires_at: Option<i64>,
    version: i64,
    created_at: i64,
    updated_at: i64,
    redirect_uris: String,
    post_logout_redirect_uris: String,
    backchannel_logout_uri: Option<String>,
    initiate_login_uri: Option<String>,
    fallback_connection: Option<String>,
    id_token_signed_response_alg: String,
    grant_types: String,
    scopes: String,
    jwks: Option<String>,
    jwks_uri: Option<String>,
}

impl Row {
    fn read(self) -> Result<Registered, StoreError> {
        let source = if self.source == Source::Config.as_str() {
            Source::Config
        } else {
            Source::Api
        };
        let (version, created_at, updated_at) =
            (self.version, time(self.created_at)?, time(self.updated_at)?);
        Ok(Registered {
            application: self.application()?,
            source,
            version,
            created_at,
            updated_at,
        })
    }

    fn application(self) -> Result<Application, StoreError> {
        let previous_secret = match (self.previous_secret_hash, self.previous_secret_expires_at) {
            (Some(hash), Some(expires_at)) => Some(PreviousSecret {
                hash,
                expires_at: time(expires_at)?,
            }),
            _ => None,
        };
        Ok(Application {
            client_id: self.client_id,
            name: self.name,
            secret_hash: self.secret_hash,
            previous_secret,
            redirect_uris: json(&self.redirect_uris, "redirect URIs")?,
            post_logout_redirect_uris: json(&self.post_logout_redirect_uris, "redirect URIs")?,
            backchannel_logout_uri: self.backchannel_logout_uri,
            initiate_login_uri: self.initiate_login_uri,
            fallback_connection: self
                .fallback_connection
                .map(|id| super::connection::id(&id))
                .transpose()?,
            id_token_signed_response_alg: SigningAlgorithm::from_name(
                &self.id_token_signed_response_alg,
            )
            .ok_or(StoreError::Corrupt("signature algorithm"))?,
            grant_types: json(&self.grant_types, "grant types")?,
            scopes: json(&self.scopes, "scopes")?,
            jwks: self.jwks.map(|text| json(&text, "JWKS")).transpose()?,
            jwks_uri: self.jwks_uri,
        })
    }
}

impl Store {
    /// Replaces the configured applications by these, and keeps those of the Management API. A configured
    /// one takes the place of one of the API with the same `client_id`. Links to connections stay.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn put_configured_applications(
        &self,
        applications: &[Application],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        // Replicas that start together with different lists would wait for each other in a circle.
        take_turns(&mut transaction, "turn.applications").await?;
        let kept: Vec<&str> = applications
            .iter()
            .map(|application| application.client_id.as_str())
            .collect();
        let configured = fetch_all!(
            transaction,
            (String,),
            "SELECT client_id FROM applications WHERE source = 'config'"
        )?;
        for (client_id,) in configured
            .iter()
            .filter(|(client_id,)| !kept.contains(&client_id.as_str()))
        {
            execute!(
                transaction,
                "DELETE FROM applications WHERE client_id = $1",
                client_id
            )?;
        }
        for application in applications {
            put(&mut transaction, application, Source::Config, now).await?;
        }
        transaction.commit().await?;
        self.forget_applications();
        self.announcer.announce(Change::Applications);
        Ok(())
    }

    /// Adds an application of the Management API.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the `client_id` is taken.
    pub async fn create_application(
        &self,
        application: &Application,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        // Whoever takes the name first has it: the others wait here for the end of that transaction.
        let free = execute!(
            transaction,
            "INSERT INTO applications (client_id, source, name, redirect_uris, post_logout_redirect_uris,
                id_token_signed_response_alg, grant_types, scopes, created_at, updated_at)
             VALUES ($1, 'api', '', '', '', '', '', '', $2, $2) ON CONFLICT DO NOTHING",
            &application.client_id,
            now.as_millisecond()
        )?;
        if free == 0 {
            return Err(StoreError::Conflict("application"));
        }
        put(&mut transaction, application, Source::Api, now).await?;
        transaction.commit().await
    }

    /// Changes an application of the Management API if its version is still `expected`, and answers the new version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the Management API has none of that `client_id`, [`StoreError::Conflict`] for
    /// another version.
    pub async fn update_application(
        &self,
        application: &Application,
        expected: i64,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let mut transaction = self.begin().await?;
        // Nobody else removes or configures it from here on.
        let changed = execute!(
            transaction,
            "UPDATE applications SET version = version + 1 WHERE client_id = $1 AND source = 'api' AND version = $2",
            &application.client_id,
            expected
        )?;
        if changed == 0 {
            return Err(missing_or_changed(&mut transaction, &application.client_id).await?);
        }
        put(&mut transaction, application, Source::Api, now).await?;
        transaction.commit().await?;
        self.application_changed(&application.client_id).await;
        Ok(expected + 1)
    }

    /// Removes an application of the Management API if its version is still `expected`.
    ///
    /// # Errors
    /// As [`Store::update_application`].
    pub async fn delete_application(
        &self,
        client_id: &str,
        expected: i64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = execute!(
            transaction,
            "DELETE FROM applications WHERE client_id = $1 AND source = 'api' AND version = $2",
            client_id,
            expected
        )?;
        if deleted == 0 {
            return Err(missing_or_changed(&mut transaction, client_id).await?);
        }
        transaction.commit().await?;
        self.application_changed(client_id).await;
        Ok(())
    }

    /// Forgets an application that another replica has changed.
    pub(crate) async fn forget_application(&self, client_id: &str) {
        self.near_applications.invalidate(client_id).await;
    }

    /// Forgets all applications, where changes may have been missed.
    pub(crate) fn forget_applications(&self) {
        self.near_applications.invalidate_all();
    }

    async fn application_changed(&self, client_id: &str) {
        self.forget_application(client_id).await;
        self.announcer
            .announce(Change::Application(client_id.to_owned()));
    }

    /// Reads an application with what is needed to manage it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn registered_application(
        &self,
        client_id: &str,
    ) -> Result<Option<Registered>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_optional!(
            reader,
            Row,
            "SELECT * FROM applications WHERE client_id = $1",
            client_id
        )?
        .map(Row::read)
        .transpose()
    }

    /// Reads an application.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn application(
        &self,
        client_id: &str,
    ) -> Result<Option<(Application, Source)>, StoreError> {
        let found = self.registered_application(client_id).await?;
        Ok(found.map(|found| (found.application, found.source)))
    }

    /// The application as it was at most half a minute ago, or as this store has changed it since. A login whose
    /// application is gone meanwhile ends in the sign-in's transaction, which reads its links again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn near_application(
        &self,
        client_id: &str,
    ) -> Result<Option<Arc<Application>>, StoreError> {
        self.application_reads.asked();
        if let Some(kept) = self.near_applications.get(client_id).await {
            return Ok(Some(kept));
        }
        self.application_reads.missed();
        // One that is not there is asked for again: nobody fills the memory with names of their own.
        let Some((application, _)) = self.application(client_id).await? else {
            return Ok(None);
        };
        let application = Arc::new(application);
        self.near_applications
            .insert(client_id.to_owned(), application.clone())
            .await;
        Ok(Some(application))
    }

    /// A page of applications, newest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a cursor that names no application.
    pub async fn applications(
        &self,
        request: PageRequest<'_>,
    ) -> Result<Page<Registered>, StoreError> {
        let mut reader = self.reader().await?;
        let cursor = request.starting_after.or(request.ending_before);
        if let Some(cursor) = cursor
            && fetch_optional!(
                reader,
                (String,),
                "SELECT client_id FROM applications WHERE client_id = $1",
                cursor
            )?
            .is_none()
        {
            return Err(StoreError::NotFound("application"));
        }
        let rows = if request.is_backward() {
            fetch_all!(reader, Row,
                "SELECT * FROM applications
                 WHERE (created_at, client_id) > (SELECT created_at, client_id FROM applications WHERE client_id = $1)
                 ORDER BY created_at, client_id LIMIT $2", request.ending_before, request.limit())
        } else {
            fetch_all!(reader, Row,
                "SELECT * FROM applications WHERE CAST($1 AS TEXT) IS NULL
                    OR (created_at, client_id) < (SELECT created_at, client_id FROM applications WHERE client_id = $1)
                 ORDER BY created_at DESC, client_id DESC LIMIT $2", request.starting_after, request.limit())
        }?;
        Ok(Page::of(
            rows.into_iter().map(Row::read).collect::<Result<_, _>>()?,
            request,
        ))
    }

    /// Whether any application has registered this address for after a sign-out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn is_post_logout_redirect_uri(&self, uri: &str) -> Result<bool, StoreError> {
        let mut reader = self.reader().await?;
        let found = fetch_optional!(
            reader,
            (String,),
            "SELECT client_id FROM post_logout_redirect_uris WHERE uri = $1 LIMIT 1",
            uri
        )?;
        Ok(found.is_some())
    }
}

async fn missing_or_changed(
    transaction: &mut Transaction,
    client_id: &str,
) -> Result<StoreError, StoreError> {
    let found = fetch_optional!(
        *transaction,
        (i64,),
        "SELECT version FROM applications WHERE client_id = $1 AND source = 'api'",
        client_id
    )?;
    Ok(if found.is_some() {
        StoreError::Conflict("application")
    } else {
        StoreError::NotFound("application")
    })
}

async fn put(
    transaction: &mut Transaction,
    application: &Application,
    source: Source,
    now: Timestamp,
) -> Result<(), StoreError> {
    execute!(*transaction,
        "INSERT INTO applications (client_id, source, name, secret_hash, redirect_uris, post_logout_redirect_uris,
            backchannel_logout_uri, initiate_login_uri, fallback_connection, id_token_signed_response_alg,
            grant_types, scopes, jwks, jwks_uri, previous_secret_hash, previous_secret_expires_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)
         ON CONFLICT (client_id) DO UPDATE SET source = excluded.source, name = excluded.name,
            secret_hash = excluded.secret_hash, redirect_uris = excluded.redirect_uris,
            post_logout_redirect_uris = excluded.post_logout_redirect_uris,
            backchannel_logout_uri = excluded.backchannel_logout_uri,
            initiate_login_uri = excluded.initiate_login_uri, fallback_connection = excluded.fallback_connection,
            id_token_signed_response_alg = excluded.id_token_signed_response_alg,
            grant_types = excluded.grant_types, scopes = excluded.scopes, jwks = excluded.jwks,
            jwks_uri = excluded.jwks_uri, previous_secret_hash = excluded.previous_secret_hash,
            previous_secret_expires_at = excluded.previous_secret_expires_at, updated_at = excluded.updated_at",
        &application.client_id,
        source.as_str(),
        &application.name,
        application.secret_hash.as_deref(),
        to_json(&application.redirect_uris, "redirect URIs")?,
        to_json(&application.post_logout_redirect_uris, "redirect URIs")?,
        application.backchannel_logout_uri.as_deref(),
        application.initiate_login_uri.as_deref(),
        application.fallback_connection.as_ref().map(ConnectionId::as_str),
        application.id_token_signed_response_alg.as_str(),
        to_json(&application.grant_types, "grant types")?,
        to_json(&application.scopes, "scopes")?,
        application.jwks.as_ref().map(ToString::to_string),
        application.jwks_uri.as_deref(),
        application.previous_secret.as_ref().map(|previous| previous.hash.as_slice()),
        application.previous_secret.as_ref().map(|previous| previous.expires_at.as_millisecond()),
        now.as_millisecond(),
    )?;
    execute!(
        *transaction,
        "DELETE FROM post_logout_redirect_uris WHERE client_id = $1",
        &application.client_id
    )?;
    for uri in &application.post_logout_redirect_uris {
        execute!(
            *transaction,
            "INSERT INTO post_logout_redirect_uris (uri, client_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            uri,
            &application.client_id
        )?;
    }
    Ok(())
}
