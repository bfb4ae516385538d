//! The one way out: every outbound HTTP call, with the same guard in front.
//!
//! URLs come from tenants, so each is a chance to reach an inner network (server-side request forgery). Names
//! are resolved by our own resolver, which hands the connector permitted addresses only, so that nothing can
//! change between the check and the connection. Literal addresses skip a resolver and are checked beforehand;
//! redirects are followed by hand, each with the same checks; system proxies are not used.

mod address;
#[cfg(feature = "unproven")]
mod detour;
mod purpose;
mod watch;

use std::error::Error as StdError;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderName,
    IF_NONE_MATCH, LOCATION,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::error::Refusal;
use crate::refusals;
use address::{Reach, reach};
pub use purpose::Purpose;
use watch::Watcher;
pub use watch::{Call, SPANS};

refusals! {
    /// Why an outbound call was not made, or its answer not used.
    pub enum EgressRefusal in "egress" {
        /// The host is, or resolves to, an address that outbound calls may not reach.
        AddressForbidden = "address_forbidden", Operator,
            says "The identity provider's address cannot be reached from here.",
            fix "Use a public host name in the connection's URLs, or set allow_private under [egress] in fedgate.toml where the identity provider is in a private network.";
        /// The URL is not a plain https one. http is accepted for this very machine alone, and only with allow_private; a user name in a URL never is.
        SchemeForbidden = "scheme_forbidden", Operator,
            says "The identity provider's address is not a secure one.",
            fix "Use an https URL without a user name for {metadata} and for every endpoint that the identity provider announces.";
        /// No connection: the name does not resolve, nothing listens there, or the connection broke.
        Unreachable = "unreachable", Upstream,
            says "The identity provider does not answer.",
            fix "Check that the host of {metadata} resolves and answers from the gateway's network.";
        /// The answer was not complete in time.
        Timeout = "timeout", Upstream,
            says "The identity provider took too long to answer.",
            fix "Check the identity provider's status page; the answer must be complete within ten seconds.";
        /// The answer is larger than is read.
        TooLarge = "too_large", Upstream,
            says "The identity provider sent more data than is accepted.",
            fix "Check that {metadata} points to the right document; at most one mebibyte is read.";
        /// The answer is a redirect where none is followed: at token, user info and key endpoints, to another host, or too many of them.
        RedirectForbidden = "redirect_forbidden", Operator,
            says "The identity provider's address has moved.",
            fix "Put the final URL in place of the one that redirects; the detail names it.";
        /// The answer has another status than 200.
        Status = "status", Upstream,
            says "The identity provider answered with an error.",
            fix "Open {metadata} in a browser: it must answer with status 200.";
        /// The TLS handshake failed: the certificate is expired, for another host, or not from a known authority.
        Tls = "tls", Upstream,
            says "A secure connection to the identity provider could not be made.",
            fix "Renew the TLS certificate of the identity provider's host, and send the whole chain.";
    }
}

/// Limits of outbound calls.
#[derive(Clone, Copy, Debug)]
pub struct EgressPolicy {
    /// Whether loopback and private networks may be reached, and loopback over plain http.
    pub allow_private: bool,
    /// Name resolution, TCP and TLS together.
    pub connect_timeout: Duration,
    /// From the first packet to the last byte of the body, redirects included.
    pub total_timeout: Duration,
    /// The longest body, in bytes.
    pub body_bytes: usize,
}

impl Default for EgressPolicy {
    fn default() -> Self {
        Self {
            allow_private: false,
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(10),
            body_bytes: 1024 * 1024,
        }
    }
}

/// The most redirects that are followed.
const REDIRECTS_MOST: usize = 3;

/// A document with status 200.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The body, at most [`EgressPolicy::body_bytes`] long.
    pub body: Vec<u8>,
    /// `Content-Type`
    pub content_type: Option<String>,
    /// `ETag`
    pub etag: Option<String>,
    /// `Cache-Control`
    pub cache_control: Option<String>,
}

/// The guarded HTTP client. One per process; cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Egress {
    /// Made when it is first needed: it reads every certificate authority of the system, which takes longer than
    /// all else at a start.
    client: OnceLock<reqwest::Client>,
    policy: EgressPolicy,
    watcher: Watcher,
    #[cfg(feature = "unproven")]
    detour: detour::Detour,
}

impl Egress {
    /// A client under `policy`.
    pub fn new(policy: EgressPolicy) -> Self {
        Self {
            client: OnceLock::new(),
            policy,
            watcher: Watcher::default(),
            #[cfg(feature = "unproven")]
            detour: detour::Detour::default(),
        }
    }

    /// Sends every call to a host by name to `base` from now on, for tests against the lab. No release build has this.
    #[cfg(feature = "unproven")]
    pub fn detour(&self, base: Url) {
        self.detour.set(base);
    }

    /// The same client, which tells of every call. `watch` must not block.
    #[must_use]
    pub fn watched(mut self, watch: impl Fn(Call) + Send + Sync + 'static) -> Self {
        self.watcher = Watcher::new(watch);
        self
    }

    /// Fetches a document, following redirects as `purpose` allows.
    ///
    /// # Errors
    /// Any [`EgressRefusal`].
    pub async fn get(&self, url: &Url, purpose: Purpose) -> Result<Fetched, Refusal> {
        let call = self.in_time(self.get_following(url, purpose));
        self.watcher.told((purpose.asked(), url), call).await
    }

    /// Fetches a document again, unless it still has this entity tag (RFC 9110 section 13.1.2): then none comes back.
    ///
    /// # Errors
    /// Any [`EgressRefusal`].
    pub async fn get_changed(
        &self,
        url: &Url,
        purpose: Purpose,
        etag: Option<&str>,
    ) -> Result<Option<Fetched>, Refusal> {
        let call = self.in_time(self.get_conditional(url, purpose, etag));
        self.watcher.told((purpose.asked(), url), call).await
    }

    /// Sends one request, once: no redirect is followed and nothing is repeated. Any status but a redirect's
    /// is handed back.
    ///
    /// # Errors
    /// Any [`EgressRefusal`] but `status`.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Refusal> {
        let url = request_url(&request)?;
        // Of the two that are sent and not fetched, tokens alone are asked for with a body.
        let asked = if request.method() == Method::POST {
            "token"
        } else {
            "userinfo"
        };
        let call = async {
            let response = self.in_time(self.exchange(request)).await?;
            if response.status().is_redirection() {
                return Err(redirect_refusal(response.headers()));
            }
            Ok(response)
        };
        self.watcher.told((asked, &url), call).await
    }

    /// Checks a URL as far as that is possible without the network: scheme, user name, literal address.
    ///
    /// # Errors
    /// `egress.scheme_forbidden` or `egress.address_forbidden`.
    pub fn check(&self, url: &Url) -> Result<(), Refusal> {
        let host = url
            .host()
            .ok_or_else(|| EgressRefusal::SchemeForbidden.refuse().found(url.scheme()))?;
        let plain_accepted = self.policy.allow_private && is_loopback(&host);
        let scheme_accepted = url.scheme() == "https" || (url.scheme() == "http" && plain_accepted);
        if !scheme_accepted || !url.username().is_empty() || url.password().is_some() {
            return Err(EgressRefusal::SchemeForbidden
                .refuse()
                .expected("https")
                .found(origin(url)));
        }
        match host {
            Host::Domain(_) => Ok(()),
            Host::Ipv4(v4) => permit(v4.into(), self.policy.allow_private).map_err(Refusal::from),
            Host::Ipv6(v6) => permit(v6.into(), self.policy.allow_private).map_err(Refusal::from),
        }
    }

    /// Fails when TLS cannot be initialized.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the guard that every outbound call goes through"
    )]
    fn client(&self) -> Result<&reqwest::Client, reqwest::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = reqwest::Client::builder()
            .user_agent(concat!("fedgate/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(self.policy.connect_timeout)
            .dns_resolver(Resolver {
                allow_private: self.policy.allow_private,
            })
            .build()?;
        Ok(self.client.get_or_init(|| client))
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        // The upstream does not answer for what the first call of all takes here.
        let _ = self.client();
        let most = self.policy.total_timeout;
        match tokio::time::timeout(most, work).await {
            Ok(result) => result,
            Err(_) => Err(EgressRefusal::Timeout
                .refuse()
                .expected(format!("an answer within {most:?}"))),
        }
    }

    async fn get_following(&self, url: &Url, purpose: Purpose) -> Result<Fetched, Refusal> {
        let fetched = self.get_conditional(url, purpose, None).await?;
        // Nobody asked for less than the whole.
        fetched.ok_or_else(|| status_refusal(StatusCode::NOT_MODIFIED))
    }

    async fn get_conditional(
        &self,
        url: &Url,
        purpose: Purpose,
        etag: Option<&str>,
    ) -> Result<Option<Fetched>, Refusal> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS_MOST {
            let request = get_request(&url, purpose.accept(), etag)?;
            let response = self.exchange(request).await?;
            if etag.is_some() && response.status() == StatusCode::NOT_MODIFIED {
                return Ok(None);
            }
            if !response.status().is_redirection() {
                return document(response).map(Some);
            }
            let next =
                location(&url, response.headers()).filter(|next| purpose.may_redirect(&url, next));
            url = next.ok_or_else(|| redirect_refusal(response.headers()))?;
        }
        Err(EgressRefusal::RedirectForbidden
            .refuse()
            .expected(format!("at most {REDIRECTS_MOST} redirects"))
            .found(origin(&url)))
    }

    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Refusal> {
        let url = request_url(&request)?;
        self.check(&url)?;
        #[cfg(feature = "unproven")]
        let request = self.detour.taken(request);
        let request =
            reqwest::Request::try_from(request).map_err(|error| refusal_of(&error, &url))?;
        let client = self.client().map_err(|error| refusal_of(&error, &url))?;
        let mut answer = client
            .execute(request)
            .await
            .map_err(|error| refusal_of(&error, &url))?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let body = if status.is_redirection() {
            Vec::new()
        } else {
            self.body(answer, &headers, &url).await?
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    async fn body(
        &self,
        mut answer: reqwest::Response,
        headers: &HeaderMap,
        url: &Url,
    ) -> Result<Vec<u8>, Refusal> {
        let most = self.policy.body_bytes;
        let too_large = || {
            EgressRefusal::TooLarge
                .refuse()
                .expected(format!("at most {most} bytes"))
                .detail(origin(url))
        };
        let announced =
            text(headers, &CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
        if announced.is_some_and(|length| length > most) {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(announced.unwrap_or_default());
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| refusal_of(&error, url))?
        {
            if body.len() + chunk.len() > most {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Resolves a name and drops every address that may not be reached, before the connector sees any.
struct Resolver {
    allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            permitted(found, allow_private)
        })
    }
}

/// Keeps the permitted addresses; an error when there were addresses and all are forbidden.
fn permitted(
    found: impl Iterator<Item = SocketAddr>,
    allow_private: bool,
) -> Result<Addrs, Box<dyn StdError + Send + Sync>> {
    let mut refused = None;
    let mut kept = Vec::new();
    for socket in found {
        match permit(socket.ip(), allow_private) {
            Ok(()) => kept.push(socket),
            Err(forbidden) => refused = Some(forbidden),
        }
    }
    match refused {
        Some(forbidden) if kept.is_empty() => Err(Box::new(forbidden)),
        _ => Ok(Box::new(kept.into_iter())),
    }
}

fn permit(address: IpAddr, allow_private: bool) -> Result<(), Forbidden> {
    match reach(address) {
        Reach::Public => Ok(()),
        Reach::Private if allow_private => Ok(()),
        Reach::Private | Reach::Never => Err(Forbidden(address)),
    }
}

/// A forbidden address, on its way through reqwest's chain of errors.
#[derive(Debug)]
struct Forbidden(IpAddr);

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the address {} may not be reached", self.0)
    }
}

impl StdError for Forbidden {}

impl From<Forbidden> for Refusal {
    fn from(forbidden: Forbidden) -> Self {
        EgressRefusal::AddressForbidden
            .refuse()
            .expected("a public address")
            .found(forbidden.0)
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(v4) => v4.is_loopback(),
        Host::Ipv6(v6) => v6.is_loopback(),
    }
}

fn request_url(request: &Request<Vec<u8>>) -> Result<Url, Refusal> {
    Url::parse(&request.uri().to_string()).map_err(|_| EgressRefusal::SchemeForbidden.into())
}

fn get_request(
    url: &Url,
    accept: &'static str,
    etag: Option<&str>,
) -> Result<Request<Vec<u8>>, Refusal> {
    let request = Request::get(url.as_str()).header(ACCEPT, HeaderValue::from_static(accept));
    let request = match etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
        Some(etag) => request.header(IF_NONE_MATCH, etag),
        None => request,
    };
    request
        .body(Vec::new())
        .map_err(|error| EgressRefusal::SchemeForbidden.refuse().detail(error))
}

fn document(response: Response<Vec<u8>>) -> Result<Fetched, Refusal> {
    if response.status() != StatusCode::OK {
        return Err(status_refusal(response.status()));
    }
    let headers = response.headers();
    Ok(Fetched {
        content_type: text(headers, &CONTENT_TYPE),
        etag: text(headers, &ETAG),
        cache_control: text(headers, &CACHE_CONTROL),
        body: response.into_body(),
    })
}

fn status_refusal(status: StatusCode) -> Refusal {
    EgressRefusal::Status
        .refuse()
        .expected(200)
        .found(status.as_u16())
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn location(from: &Url, headers: &HeaderMap) -> Option<Url> {
    from.join(&text(headers, &LOCATION)?).ok()
}

/// Where a redirect leads, without query and fragment, which can hold a secret.
fn redirect_refusal(headers: &HeaderMap) -> Refusal {
    let location = text(headers, &LOCATION).unwrap_or_default();
    let shown = location.split(['?', '#']).next().unwrap_or_default();
    EgressRefusal::RedirectForbidden.refuse().detail(shown)
}

/// Scheme, host and port: what may be shown of a URL, whose path or query can hold a secret.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Finds the cause in the chain: reqwest, hyper and the connector each wrap the one below. The outermost text
/// names the whole URL and is not kept.
fn refusal_of(error: &reqwest::Error, url: &Url) -> Refusal {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(Forbidden(address)) = inner.downcast_ref() {
            return Forbidden(*address).into();
        }
        if inner.is::<openssl::error::ErrorStack>() {
            return EgressRefusal::Tls.refuse().found(origin(url)).detail(inner);
        }
        text = inner.to_string();
        cause = inner.source();
    }
    let leaf = if error.is_timeout() {
        EgressRefusal::Timeout
    } else {
        EgressRefusal::Unreachable
    };
    leaf.refuse().found(origin(url)).detail(text)
}

#[cfg(test)]
mod tests;
