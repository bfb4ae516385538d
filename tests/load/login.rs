//! One whole login, as a browser, an upstream and an application do it together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fedgate_lab::person::Person;
use fedgate_lab::saml_idp::{Lie, ResponseParameters, SamlIdp};
use fedgate_providers::login::Handle;
use fedgate_tests::gateway::SECRET;
use reqwest::header::{COOKIE, HOST, LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::Outcome;
use crate::gateway::REDIRECT_URI;
use crate::op::Op;

/// Who answers for people.
#[derive(Clone, Debug)]
pub(crate) enum Upstream {
    /// A SAML identity provider; the service provider is named so.
    Saml {
        idp: Arc<SamlIdp>,
        sp_entity_id: String,
    },
    /// An OpenID Provider.
    Oidc,
}

/// All that one login needs.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) http: Client,
    /// Where the replicas listen: each request of a login goes to the next one.
    pub(crate) bases: Vec<String>,
    /// The host that browsers see.
    pub(crate) host: String,
    pub(crate) client_id: &'static str,
    pub(crate) connection: String,
    /// The ACS or the redirect URI.
    pub(crate) callback: String,
    pub(crate) upstream: Upstream,
    /// Tells this path's people from those of others.
    pub(crate) people: &'static str,
    /// Counts logins over all runs: it makes people distinct.
    pub(crate) counter: AtomicU64,
}

impl Path {
    /// Signs the next person in and answers how long it took.
    pub(crate) async fn login(&self, userinfo: bool) -> Outcome<Duration> {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let person = person(self.people, number);
        let began = Instant::now();
        let (upstream, cookies) = self.authorize(&person, self.base(number)).await?;
        let prepared = self.answer(&upstream, &person, self.base(number + 1))?;
        let callback = sent(prepared.header(COOKIE, cookies)).await?;
        let code = parameter(&location(callback).await?, "code")?;
        let tokens = self.redeem(&code, self.base(number + 2)).await?;
        if userinfo {
            self.userinfo(&tokens, self.base(number + 3)).await?;
        }
        Ok(began.elapsed())
    }

    /// How many people and logins the database must know of this path, if every login ended well.
    pub(crate) fn made(&self) -> (u64, u64) {
        let logins = self.counter.load(Ordering::Relaxed);
        (logins.div_ceil(2), logins)
    }

    /// The replica that a request goes to.
    fn base(&self, request: u64) -> &str {
        let replicas = u64::try_from(self.bases.len()).unwrap_or(1).max(1);
        let index = usize::try_from(request % replicas).unwrap_or_default();
        self.bases.get(index).map_or("", String::as_str)
    }

    /// From the application to the upstream: where the gateway sends the browser, and the cookies it sets.
    async fn authorize(&self, person: &Person, base: &str) -> Outcome<(Url, String)> {
        let query = Serializer::new(String::new())
            .append_pair("client_id", self.client_id)
            .append_pair("response_type", "code")
            .append_pair("scope", "openid email profile")
            .append_pair("redirect_uri", REDIRECT_URI)
            .append_pair("state", &person.subject)
            .append_pair("nonce", &person.subject)
            .append_pair("connection_id", &self.connection)
            .finish();
        let request = self.http.get(format!("{base}/oauth2/auth?{query}"));
        let answer = sent(request.header(HOST, &self.host)).await?;
        let cookies: Vec<_> = answer
            .headers()
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|set| set.to_str().ok()?.split(';').next().map(str::to_owned))
            .collect();
        Ok((location(answer).await?, cookies.join("; ")))
    }

    /// The request by which the browser brings the upstream's answer.
    fn answer(&self, asked: &Url, person: &Person, base: &str) -> Outcome<RequestBuilder> {
        let mut to = Url::parse(base)?;
        to.set_path(Url::parse(&self.callback)?.path());
        match &self.upstream {
            Upstream::Saml { idp, sp_entity_id } => {
                let state = parameter(asked, "RelayState")?;
                let handle = Handle::from_state(&state).ok_or("no handle in RelayState")?;
                let response = idp.response(&ResponseParameters {
                    acs: &self.callback,
                    audience: sp_entity_id,
                    in_response_to: Some(&handle.to_request_id()),
                    person,
                    context: None,
                    lie: Lie::Honest,
                })?;
                Ok(self.form(
                    to.as_str(),
                    &[("SAMLResponse", &response), ("RelayState", &state)],
                ))
            }
            Upstream::Oidc => {
                let code = Op::code(&person.subject, &parameter(asked, "nonce")?);
                let query = Serializer::new(String::new())
                    .append_pair("code", &code)
                    .append_pair("state", &parameter(asked, "state")?)
                    .finish();
                to.set_query(Some(&query));
                Ok(self.http.get(to).header(HOST, &self.host))
            }
        }
    }

    async fn redeem(&self, code: &str, base: &str) -> Outcome<Value> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("client_id", self.client_id),
            ("client_secret", SECRET),
        ];
        let request = self.form(&format!("{base}/oauth2/token"), &fields);
        let text = sent(request).await?.text().await?;
        let tokens: Value = serde_json::from_str(&text)?;
        match tokens["id_token"].as_str() {
            Some(_) => Ok(tokens),
            None => Err(format!("no ID token: {tokens}").into()),
        }
    }

    async fn userinfo(&self, tokens: &Value, base: &str) -> Outcome<()> {
        let token = tokens["access_token"].as_str().ok_or("no access token")?;
        let request = self
            .http
            .get(format!("{base}/oauth2/v2/user_profile"))
            .header(HOST, &self.host)
            .bearer_auth(token);
        sent(request).await?.bytes().await?;
        Ok(())
    }

    fn form(&self, url: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.http
            .post(url)
            .header(HOST, &self.host)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    }
}

/// Every other login is somebody new; the others are people who came long before, and come back.
fn person(people: &str, login: u64) -> Person {
    let number = if login.is_multiple_of(2) {
        login
    } else {
        (login / 2) & !1
    };
    let mut person = Person::new(
        "Ada",
        "Osei",
        "acme.test",
        &["engineering", "admins", "everybody"],
    );
    person.subject = format!("{people}-{number}");
    person.email = format!("{people}-{number}@acme.test");
    person
}

async fn sent(request: RequestBuilder) -> Outcome<Response> {
    let answer = request.send().await?;
    let status = answer.status();
    if status.is_success() || status.is_redirection() {
        return Ok(answer);
    }
    let url = answer.url().clone();
    Err(format!("{url}: {status}: {}", answer.text().await?).into())
}

/// Where a redirect leads. Its body is read to the end, so that the connection is used again.
async fn location(answer: Response) -> Outcome<Url> {
    let to = answer.headers().get(LOCATION).cloned();
    let text = answer.text().await?;
    let to = to.ok_or_else(|| format!("no redirect: {text}"))?;
    Ok(Url::parse(to.to_str()?)?)
}

fn parameter(url: &Url, name: &str) -> Outcome<String> {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found
        .map(|(_, value)| value.into_owned())
        .ok_or_else(|| format!("no {name} in {url}").into())
}
