//! One OpenID Connect upstream, opened: begin and complete.

use std::collections::BTreeMap;
use std::sync::Arc;

use fedgate_certs::Timestamp;
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, Scope, TokenUrl,
};
use rand::CryptoRng;

use super::token::{OauthClient, Tokens};
use super::{callback, client_auth, pkce, token, userinfo};
use crate::connection::{
    Connection, ConnectionId, ConnectionRefusal, OauthOptions, UpstreamParam, is_reserved_parameter,
};
use crate::egress::Egress;
use crate::error::Refusal;
use crate::identity::VerifiedIdentity;
use crate::login::{Begun, Callback, Handle, Login, OauthPending, Pending, Redirect, Steps};
use crate::oidc::OidcRefusal;
use crate::oidc::claims::Claims;
use crate::oidc::discovery::Metadata;
use crate::oidc::id_token::{self, Expected};
use crate::oidc::keys::KeySet;
use crate::oidc::mapping;

/// An OpenID Connect connection, opened and ready.
#[derive(Debug)]
pub struct OauthProvider {
    connection: ConnectionId,
    client: OauthClient,
    scopes: Vec<String>,
    upstream_params: BTreeMap<String, UpstreamParam>,
    metadata: Metadata,
    keys: KeySet,
    egress: Arc<Egress>,
}

impl OauthProvider {
    /// Reads the issuer's metadata. Its keys are fetched with the first login.
    ///
    /// # Errors
    /// `connection.issuer_missing`, `connection.client_id_missing`, `oauth.client_auth_unsupported`, `oidc.discovery_*`, and `egress` leaves.
    pub async fn open(
        connection: &Connection,
        options: &OauthOptions,
        egress: &Arc<Egress>,
    ) -> Result<Self, Refusal> {
        let issuer = options
            .issuer
            .as_deref()
            .or(connection.spec.issuer.as_deref())
            .ok_or(ConnectionRefusal::IssuerMissing)?;
        let client_id = options
            .client_id
            .clone()
            .filter(|id| !id.is_empty())
            .ok_or(ConnectionRefusal::ClientIdMissing)?;
        let metadata = Metadata::discover(issuer, egress).await?;
        Ok(Self {
            connection: connection.id.clone(),
            client: client(client_id, options, &metadata)?,
            scopes: scopes(options, &connection.spec.scopes),
            upstream_params: connection.options.common.upstream_params.clone(),
            keys: KeySet::new(metadata.jwks_uri.clone(), Arc::clone(egress)),
            egress: Arc::clone(egress),
            metadata,
        })
    }

    /// Writes the authorization request.
    pub fn begin(&self, login: &Login, now: Timestamp, rng: &mut dyn CryptoRng) -> Begun {
        let redirect_uri = login
            .site
            .url(&format!("/login/callback/{}", self.connection));
        let (verifier, challenge) = pkce::proof_key(rng);
        let nonce = pkce::nonce(rng);
        let mut request = self
            .client
            .authorize_url(|| CsrfToken::new(login.handle.to_state()))
            .add_scopes(self.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .add_extra_param("redirect_uri", redirect_uri.clone())
            .add_extra_param("nonce", nonce.clone());
        for (name, value) in self.parameters(login) {
            request = request.add_extra_param(name, value);
        }
        let pending = OauthPending {
            redirect_uri,
            nonce: Some(nonce),
            code_verifier: Some(verifier.into_secret()),
            issued_at: now.as_second(),
            force: login.force(),
            max_age: login.max_age,
            acr_values: login.acr_values.clone(),
        };
        Begun {
            redirect: Redirect::Get(request.url().0),
            pending: Pending::Oauth(pending),
        }
    }

    /// Verifies what the browser brought back and learns who signed in.
    ///
    /// # Errors
    /// The refusal, also recorded as the last of `steps`.
    pub async fn complete(
        &self,
        handle: Handle,
        pending: &OauthPending,
        callback: &Callback,
        now: Timestamp,
        steps: &mut Steps,
    ) -> Result<VerifiedIdentity, Refusal> {
        let mut story = Story { steps, now };
        let code = story.tell("oauth.callback", self.code(handle, callback), |_| {
            "state, one code".into()
        })?;
        let exchanged = self.exchange(code, pending, now).await;
        let tokens = story.tell("oauth.token", exchanged, |_| {
            format!("from {}", self.metadata.token_endpoint)
        })?;
        let verified = self.verified(&tokens, pending, now).await;
        let mut claims = story.tell("oidc.id_token", verified, |claims| {
            format!("{}, key {}", claims.algorithm.as_str(), claims.key_id)
        })?;
        if let Some(endpoint) = self
            .metadata
            .userinfo_endpoint
            .as_ref()
            .filter(|_| claims.is_thin())
        {
            let fetched = userinfo::fetch(
                &self.egress,
                endpoint,
                &tokens.access_token,
                &claims.subject,
            )
            .await;
            let fetched = story.tell("oidc.userinfo", fetched, |_| "the same subject".into())?;
            claims.complete_with(fetched);
        }
        let identity = mapping::identity(&self.connection, claims);
        story.tell("oidc.mapping", Ok(identity), |identity| {
            let email = identity
                .email
                .as_ref()
                .map_or("no address".to_owned(), |email| {
                    format!("address {:?}", email.claim)
                });
            format!(
                "{email}, {} groups, {} other claims",
                identity.groups.len(),
                identity.attributes.len()
            )
        })
    }

    fn code(&self, handle: Handle, callback: &Callback) -> Result<AuthorizationCode, Refusal> {
        let expected = callback::Expected {
            state: &handle.to_state(),
            issuer: &self.metadata.issuer,
            issuer_announced: self.metadata.names_itself_in_callbacks,
        };
        callback::code(callback, &expected)
    }

    /// The keys are fetched, if they are not at hand, while the token endpoint works; a failure there is told
    /// by the verification, which needs them.
    async fn exchange(
        &self,
        code: AuthorizationCode,
        pending: &OauthPending,
        now: Timestamp,
    ) -> Result<Tokens, Refusal> {
        let (tokens, ()) = tokio::join!(
            token::exchange(&self.client, &self.egress, code, pending),
            self.keys.warm(now)
        );
        tokens
    }

    async fn verified(
        &self,
        tokens: &Tokens,
        pending: &OauthPending,
        now: Timestamp,
    ) -> Result<Claims, Refusal> {
        let token = tokens
            .id_token
            .as_deref()
            .ok_or(OidcRefusal::IdTokenMissing)?;
        let expected = Expected {
            issuer: &self.metadata.issuer,
            client_id: self.client.client_id(),
            algorithms: &self.metadata.algorithms,
            access_token: tokens.access_token.secret(),
            pending,
        };
        id_token::verify(token, &expected, &self.keys, now).await
    }

    /// What the application asked, and then what the connection adds where nothing was asked.
    fn parameters(&self, login: &Login) -> BTreeMap<String, String> {
        let asked = [
            "login_hint",
            "prompt",
            "max_age",
            "acr_values",
            "ui_locales",
        ];
        let mut parameters: BTreeMap<String, String> = asked
            .iter()
            .filter_map(|&name| Some((name.to_owned(), asked_value(login, name)?)))
            .collect();
        for (name, source) in &self.upstream_params {
            let value = match source {
                UpstreamParam::Value(value) => Some(value.clone()),
                UpstreamParam::Alias(alias) => asked_value(login, alias),
            };
            let value = if name == "prompt" {
                value.and_then(|prompt| prompt_without(&prompt, &["none"]))
            } else {
                value
            };
            if let Some(value) = value.filter(|_| !is_reserved_parameter("oidc", name)) {
                parameters.entry(name.clone()).or_insert(value);
            }
        }
        parameters
    }
}

/// The login's own value of a parameter. Forced authentication also asks for `max_age=0`, for only then must the
/// provider prove when it happened (OpenID Connect Core 3.1.2.1, `auth_time` in section 2).
fn asked_value(login: &Login, name: &str) -> Option<String> {
    match name {
        "login_hint" => login.hint.clone(),
        "prompt" => login
            .prompt
            .as_deref()
            .and_then(|prompt| prompt_without(prompt, &["none", "create"])),
        "max_age" => login
            .max_age
            .or(login.force().then_some(0))
            .map(|seconds| seconds.to_string()),
        "acr_values" => Some(login.acr_values.join(" ")).filter(|values| !values.is_empty()),
        "ui_locales" => login.ui_locales.clone(),
        _ => None,
    }
}

/// A prompt without what is between the application and the gateway: whether a page may be shown (`none`), and whether
/// the person is new here (`create`), which most providers answer with an error.
fn prompt_without(prompt: &str, withheld: &[&str]) -> Option<String> {
    let words: Vec<&str> = prompt
        .split(' ')
        .filter(|word| !word.is_empty() && !withheld.contains(word))
        .collect();
    Some(words.join(" ")).filter(|prompt| !prompt.is_empty())
}

fn client(
    client_id: String,
    options: &OauthOptions,
    metadata: &Metadata,
) -> Result<OauthClient, Refusal> {
    let client = Client::new(ClientId::new(client_id))
        .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
        .set_token_uri(TokenUrl::from_url(metadata.token_endpoint.clone()));
    let Some(secret) = &options.client_secret else {
        return Ok(client);
    };
    let method = client_auth::choose(
        options.client_auth_method,
        metadata.token_auth_methods.as_deref(),
    )?;
    Ok(client
        .set_client_secret(ClientSecret::new(secret.reveal().to_owned()))
        .set_auth_type(method))
}

/// The connection's scopes, else the spec's; always with `openid`.
fn scopes(options: &OauthOptions, default: &[String]) -> Vec<String> {
    let chosen = if options.scopes.is_empty() {
        default
    } else {
        &options.scopes
    };
    let others = chosen.iter().filter(|scope| *scope != "openid").cloned();
    std::iter::once("openid".to_owned()).chain(others).collect()
}

/// Records each stage of a login as it ends.
struct Story<'s> {
    steps: &'s mut Steps,
    now: Timestamp,
}

impl Story<'_> {
    fn tell<T>(
        &mut self,
        name: &str,
        result: Result<T, Refusal>,
        note: impl FnOnce(&T) -> String,
    ) -> Result<T, Refusal> {
        match &result {
            Ok(value) => self.steps.pass(name, note(value), self.now),
            Err(refusal) => self.steps.fail(name, refusal, self.now),
        }
        result
    }
}
