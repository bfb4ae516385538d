//! One OAuth 2.0 or OpenID Connect upstream, opened: begin and complete.

use std::collections::BTreeMap;
use std::sync::Arc;

use fedgate_certs::Timestamp;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, Scope,
    TokenUrl,
};
use rand::CryptoRng;
use serde_json::Value;
use url::Url;

use super::call::Caller;
use super::document::Documents;
use super::habits::Habits;
use super::token::{OauthClient, Tokens};
use super::{
    OauthRefusal, callback, client_auth, minted_secret, pkce, profile, request, token, userinfo,
};
use crate::connection::{
    ClientAuthMethod, Connection, ConnectionId, ConnectionRefusal, OauthOptions, Secret,
    UpstreamParam,
};
use crate::egress::Egress;
use crate::error::Refusal;
use crate::identity::VerifiedIdentity;
use crate::login::{Begun, Callback, Handle, Login, OauthPending, Pending, Redirect, Steps};
use crate::oidc::OidcRefusal;
use crate::oidc::claims::{Claims, check_unproved};
use crate::oidc::discovery::{Metadata, StatedEndpoints};
use crate::oidc::id_token::{self, Expected};
use crate::oidc::keys::KeySet;
use crate::oidc::mapping::{self, Profile};
use crate::refetch::RefetchBudget;
use crate::spec::Spec;
use crate::spec::oauth::{Nonce, OauthSpec, UserinfoUse};

/// An OAuth 2.0 or OpenID Connect connection, opened and ready.
#[derive(Debug)]
pub struct OauthProvider {
    connection: ConnectionId,
    habits: Habits,
    client: OauthClient,
    client_secret: Option<Secret>,
    previous_client_secret: Option<Secret>,
    private_key: Option<Secret>,
    scopes: Vec<String>,
    upstream_params: BTreeMap<String, UpstreamParam>,
    metadata: Metadata,
    /// Whom an ID token may be from.
    issuers: Vec<String>,
    /// Absent where no ID token is expected.
    keys: Option<KeySet>,
    egress: Arc<Egress>,
}

impl OauthProvider {
    /// Reads the issuer's metadata, unless the spec states the endpoints. Its keys are fetched with the first login.
    ///
    /// # Errors
    /// `connection.issuer_missing`, `connection.client_id_missing`, `oauth.client_auth_unsupported`, `oidc.discovery_*`, and `egress` leaves.
    pub async fn open(
        connection: &Connection,
        options: &OauthOptions,
        egress: &Arc<Egress>,
    ) -> Result<Self, Refusal> {
        let habits = Habits::of(connection, options);
        let client_id = options
            .client_id
            .clone()
            .filter(|id| !id.is_empty())
            .ok_or(ConnectionRefusal::ClientIdMissing)?;
        let metadata = metadata(&habits, options, egress).await?;
        let keys = metadata.jwks_uri.clone();
        Ok(Self {
            connection: connection.id.clone(),
            client: client(client_id, options, &metadata, habits.spec())?,
            scopes: scopes(options, connection.spec),
            upstream_params: connection.options.common.upstream_params.clone(),
            private_key: options.private_key.clone(),
            client_secret: options.client_secret.clone(),
            previous_client_secret: options.previous_client_secret.clone(),
            issuers: habits.issuers(&metadata.issuer),
            keys: keys.map(|url| KeySet::new(url, Arc::clone(egress), connection.id.clone())),
            egress: Arc::clone(egress),
            habits,
            metadata,
        })
    }

    /// The same provider, whose logins cause fetches of keys within this budget.
    #[must_use]
    pub fn within(mut self, budget: Arc<RefetchBudget>) -> Self {
        self.keys = self.keys.map(|keys| keys.within(budget));
        self
    }

    /// Writes the authorization request.
    pub fn begin(&self, login: &Login, now: Timestamp, rng: &mut dyn CryptoRng) -> Begun {
        let spec = self.habits.spec();
        let redirect_uri = login
            .site
            .url(&format!("/login/callback/{}", self.connection));
        let (verifier, challenge) = pkce::proof_key(rng);
        let nonce = (spec.id_token.expected && spec.id_token.nonce != Nonce::Never)
            .then(|| pkce::nonce(rng));
        let mut request = self
            .client
            .authorize_url(|| CsrfToken::new(login.handle.to_state()))
            .add_scopes(self.scopes.iter().cloned().map(Scope::new))
            .add_extra_param("redirect_uri", redirect_uri.clone());
        if !spec.authorize.without_pkce {
            request = request.set_pkce_challenge(challenge);
        }
        if let Some(nonce) = &nonce {
            request = request.add_extra_param("nonce", nonce.clone());
        }
        for (name, value) in request::parameters(login, &self.upstream_params, &self.habits) {
            request = request.add_extra_param(name, value);
        }
        let pending = OauthPending {
            redirect_uri,
            nonce,
            code_verifier: (!spec.authorize.without_pkce).then(|| verifier.into_secret()),
            issued_at: now.as_second(),
            force: login.force(),
            max_age: login.max_age,
            acr_values: login.acr_values.clone(),
        };
        Begun {
            redirect: Redirect::Get(with_plain_blanks(request.url().0)),
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
        let spec = self.habits.spec();
        let code = story.tell("oauth.callback", self.code(handle, callback), |_| {
            "state, one code".into()
        })?;
        let exchanged = Box::pin(self.exchange(code, pending, now)).await;
        let tokens = story.tell("oauth.token", exchanged, |_| {
            format!("from {}", self.metadata.token_endpoint)
        })?;
        let mut documents = Documents::default();
        documents.insert("callback", self.unsigned(callback));
        let signed = if spec.id_token.expected {
            let claims = Box::pin(self.signed(&tokens, pending, &mut story)).await?;
            documents.insert("claims", Value::Object(claims.members.clone()));
            Some(Profile::from(claims))
        } else {
            let proved = check_unproved(pending, now);
            story.tell("oauth.demands", proved, |()| {
                "nothing that is not proved".into()
            })?;
            None
        };
        Box::pin(self.call(&tokens, &mut documents, &mut story)).await?;
        let profile = profile::profile(&self.habits, &documents, signed, &self.metadata.issuer);
        let identity = profile.map(|profile| mapping::identity(&self.connection, profile));
        story.tell("oidc.mapping", identity, described)
    }

    fn code(&self, handle: Handle, callback: &Callback) -> Result<AuthorizationCode, Refusal> {
        let spec = self.habits.spec();
        // A template that the connection does not fill: the redirect URI, which is this connection's own, is what keeps
        // two providers apart then (RFC 9700 section 4.4.2.2).
        let issuer = match &spec.callback_issuer {
            Some(template) => self.habits.fill(template),
            None => Some(self.metadata.issuer.clone()),
        };
        let expected = callback::Expected {
            state: &handle.to_state(),
            issuer: issuer.as_deref(),
            issuer_announced: self.metadata.names_itself_in_callbacks,
            errors: &spec.token.errors,
        };
        callback::code(callback, &expected)
    }

    /// What the callback says beside the code, which nobody signed.
    fn unsigned(&self, callback: &Callback) -> Value {
        let names = self.habits.spec().callback_json.iter();
        let members =
            names.filter_map(|name| Some((name.clone(), callback::json_member(callback, name)?)));
        Value::Object(members.collect())
    }

    /// The keys are fetched, if they are not at hand, while the token endpoint works; a failure there is told
    /// by the verification, which needs them.
    async fn exchange(
        &self,
        code: AuthorizationCode,
        pending: &OauthPending,
        now: Timestamp,
    ) -> Result<Tokens, Refusal> {
        let spec = &self.habits.spec().token;
        let mut client = self.client.clone();
        if let (Some(described), Some(key)) = (&spec.minted_secret, &self.private_key) {
            let id = self.client.client_id();
            let secret = minted_secret::mint(described, &self.habits, id, key, now)?;
            client = client
                .set_client_secret(ClientSecret::new(secret))
                .set_auth_type(AuthType::RequestBody);
        }
        let warming = async {
            if let Some(keys) = &self.keys {
                keys.warm(now).await;
            }
        };
        let exchange = self.exchange_by_either(&client, code, pending);
        let (tokens, ()) = tokio::join!(exchange, warming);
        tokens
    }

    /// Where the provider does not take our secret, the one before it is tried once. The code is not spent by then: a
    /// client is authenticated before its code is looked at (RFC 6749 sections 3.2.1 and 5.2).
    async fn exchange_by_either(
        &self,
        client: &OauthClient,
        code: AuthorizationCode,
        pending: &OauthPending,
    ) -> Result<Tokens, Refusal> {
        let spec = &self.habits.spec().token;
        let previous = self.previous_client_secret.as_ref();
        let previous =
            previous.filter(|_| spec.minted_secret.is_none() && self.client_secret.is_some());
        let Some(previous) = previous else {
            return token::exchange(client, &self.egress, spec, code, pending).await;
        };
        let again = code.clone();
        match token::exchange(client, &self.egress, spec, code, pending).await {
            Err(refusal) if refusal == OauthRefusal::ClientRejected => {
                let secret = ClientSecret::new(previous.reveal().to_owned());
                let client = client.clone().set_client_secret(secret);
                token::exchange(&client, &self.egress, spec, again, pending).await
            }
            other => other,
        }
    }

    /// The claims of the ID token, completed by the user info where the spec asks it.
    async fn signed(
        &self,
        tokens: &Tokens,
        pending: &OauthPending,
        story: &mut Story<'_>,
    ) -> Result<Claims, Refusal> {
        let verified = self.verified(tokens, pending, story.now).await;
        let mut claims = story.tell("oidc.id_token", verified, |claims| {
            format!("{}, key {}", claims.algorithm.as_str(), claims.key_id)
        })?;
        let asks = match self.habits.spec().userinfo {
            UserinfoUse::Always => true,
            UserinfoUse::WhenThin => claims.is_thin(),
            UserinfoUse::Never => false,
        };
        let endpoint = self.metadata.userinfo_endpoint.as_ref().filter(|_| asks);
        if let Some(endpoint) = endpoint {
            let access_token = &tokens.access_token;
            let fetched =
                userinfo::fetch(&self.egress, endpoint, access_token, &claims.subject).await;
            let fetched = story.tell("oidc.userinfo", fetched, |_| "the same subject".into())?;
            claims.complete_with(fetched);
        }
        Ok(claims)
    }

    async fn verified(
        &self,
        tokens: &Tokens,
        pending: &OauthPending,
        now: Timestamp,
    ) -> Result<Claims, Refusal> {
        let token = tokens.id_token.as_deref();
        let (Some(token), Some(keys)) = (token, &self.keys) else {
            return Err(OidcRefusal::IdTokenMissing.into());
        };
        let expected = Expected {
            issuers: &self.issuers,
            client_id: self.client.client_id(),
            algorithms: &self.metadata.algorithms,
            access_token: tokens.access_token.secret(),
            nonce: self.habits.spec().id_token.nonce,
            pending,
        };
        id_token::verify(token, &expected, keys, now).await
    }

    /// Makes the spec's calls, one after another: a later one may need what an earlier one told.
    async fn call(
        &self,
        tokens: &Tokens,
        documents: &mut Documents,
        story: &mut Story<'_>,
    ) -> Result<(), Refusal> {
        let caller = Caller {
            egress: &self.egress,
            habits: &self.habits,
            access_token: &tokens.access_token,
            client_secret: self.client_secret.as_ref().map(Secret::reveal),
        };
        for call in &self.habits.spec().calls {
            let holds = |condition| self.habits.holds(condition, documents);
            if call.when.iter().all(holds) {
                let answered = caller.make(call, documents).await;
                let answer = story.tell("oauth.call", answered, |_| call.name.clone())?;
                documents.insert(&call.name, answer);
            }
        }
        Ok(())
    }
}

/// What is known beforehand, or else discovered.
async fn metadata(
    habits: &Habits,
    options: &OauthOptions,
    egress: &Egress,
) -> Result<Metadata, Refusal> {
    let spec = habits.spec();
    let issuer = options
        .issuer
        .clone()
        .or_else(|| habits.issuer())
        .ok_or(ConnectionRefusal::IssuerMissing)?;
    if let Some(endpoints) = &spec.endpoints {
        let optional = |text: &Option<String>| text.as_deref().and_then(|text| habits.fill(text));
        let stated = StatedEndpoints {
            authorize: habits.fill(&endpoints.authorize),
            token: habits.fill(&endpoints.token),
            keys: optional(&endpoints.keys),
            userinfo: optional(&endpoints.userinfo),
        };
        return Metadata::stated(issuer, &stated, &spec.id_token.algorithms, egress);
    }
    match spec.discovery.as_deref().and_then(|text| habits.fill(text)) {
        Some(address) => Metadata::discover_at(&address, &issuer, egress).await,
        None => Metadata::discover(&issuer, egress).await,
    }
}

/// `%20` in place of `+`: both are a blank in a form, but not every provider reads its query as one (Apple).
fn with_plain_blanks(mut url: Url) -> Url {
    if let Some(query) = url.query().filter(|query| query.contains('+')) {
        let query = query.replace('+', "%20");
        url.set_query(Some(&query));
    }
    url
}

fn described(identity: &VerifiedIdentity) -> String {
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
}

fn client(
    client_id: String,
    options: &OauthOptions,
    metadata: &Metadata,
    spec: &OauthSpec,
) -> Result<OauthClient, Refusal> {
    let client = Client::new(ClientId::new(client_id))
        .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
        .set_token_uri(TokenUrl::from_url(metadata.token_endpoint.clone()));
    let public = options.client_auth_method == Some(ClientAuthMethod::Public);
    let Some(secret) = options.client_secret.as_ref().filter(|_| !public) else {
        return Ok(client.set_auth_type(AuthType::RequestBody));
    };
    // The first that the spec names is the provider's usual one.
    let usual: &[String] = spec.token.methods.get(..1).unwrap_or_default();
    let offered = match usual {
        [] => metadata.token_auth_methods.as_deref(),
        usual => Some(usual),
    };
    let method = client_auth::choose(options.client_auth_method, offered)?;
    Ok(client
        .set_client_secret(ClientSecret::new(secret.reveal().to_owned()))
        .set_auth_type(method))
}

/// The connection's scopes, else the spec's; with `openid` where an ID token is expected.
fn scopes(options: &OauthOptions, spec: &Spec) -> Vec<String> {
    let chosen = if options.scopes.is_empty() {
        &spec.scopes
    } else {
        &options.scopes
    };
    let others = chosen.iter().filter(|scope| *scope != "openid").cloned();
    let openid = spec.oauth.id_token.expected && !spec.oauth.id_token.without_scope;
    let all: Vec<String> = openid
        .then(|| "openid".to_owned())
        .into_iter()
        .chain(others)
        .collect();
    if spec.oauth.authorize.comma_scopes && !all.is_empty() {
        vec![all.join(",")]
    } else {
        all
    }
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
