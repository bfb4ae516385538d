//! A browser without scripts: cookies, redirects, forms. It plays a person over real HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response};
use url::{Url, form_urlencoded};

use crate::error::LabError;
use crate::markup::{self, Form};

/// The most redirects that one navigation follows.
const REDIRECTS: usize = 12;
/// The largest page, in bytes.
const PAGE_BYTES: usize = 1024 * 1024;
/// The longest that one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Keeps cookies by host, whatever the port (RFC 6265 8.5).
#[derive(Clone, Debug)]
pub struct Browser {
    client: Client,
    cookies: BTreeMap<(String, String), String>,
}

/// A page as it arrived.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where the browser is.
    pub url: Url,
    /// The status of the answer.
    pub status: u16,
    /// Its text.
    pub html: String,
}

/// A client for loopback: no proxy, no redirects, a timeout.
///
/// # Errors
/// Those of TLS.
#[expect(
    clippy::disallowed_methods,
    reason = "the lab's calls go over loopback, not through the gateway's egress"
)]
pub(crate) fn client() -> Result<Client, LabError> {
    let policy = reqwest::redirect::Policy::none();
    Ok(Client::builder()
        .redirect(policy)
        .no_proxy()
        .timeout(TIMEOUT)
        .build()?)
}

/// The body as text, up to [`PAGE_BYTES`].
pub(crate) async fn text(mut response: Response) -> Result<String, LabError> {
    let mut octets = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if octets.len() + chunk.len() > PAGE_BYTES {
            return Err(LabError::unexpected(
                "an answer is too large",
                response.url(),
            ));
        }
        octets.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

impl Browser {
    /// A browser without cookies.
    ///
    /// # Errors
    /// Those of TLS.
    pub fn new() -> Result<Self, LabError> {
        Ok(Self {
            client: client()?,
            cookies: BTreeMap::new(),
        })
    }

    /// Opens an address and follows redirects.
    ///
    /// # Errors
    /// What the network says; too many redirects.
    pub async fn open(&mut self, url: &Url) -> Result<Page, LabError> {
        self.navigate(url.clone(), None).await
    }

    /// Posts a form of a page and follows redirects.
    ///
    /// # Errors
    /// What the network says; an action that is no address; too many redirects.
    pub async fn submit(&mut self, page: &Page, form: &Form) -> Result<Page, LabError> {
        let action = page.url.join(&form.action);
        let action =
            action.map_err(|error| LabError::unexpected("the form leads nowhere", error))?;
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&form.fields)
            .finish();
        self.navigate(action, Some(body)).await
    }

    /// The cookie of that name for the host of an address.
    pub fn cookie(&self, url: &Url, name: &str) -> Option<&str> {
        let key = (
            url.host_str().unwrap_or_default().to_owned(),
            name.to_owned(),
        );
        self.cookies.get(&key).map(String::as_str)
    }

    async fn navigate(&mut self, mut url: Url, mut body: Option<String>) -> Result<Page, LabError> {
        for _ in 0..REDIRECTS {
            let response = self.send(&url, body.take()).await?;
            self.keep_cookies(&url, &response);
            let location = response
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok());
            match location.and_then(|location| url.join(location).ok()) {
                Some(next) if response.status().is_redirection() => url = next,
                _ => {
                    let status = response.status().as_u16();
                    return Ok(Page {
                        url,
                        status,
                        html: text(response).await?,
                    });
                }
            }
        }
        Err(LabError::unexpected("too many redirects", url))
    }

    async fn send(&self, url: &Url, body: Option<String>) -> Result<Response, LabError> {
        let request = match body {
            None => self.client.get(url.clone()),
            Some(body) => self
                .client
                .post(url.clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body),
        };
        let host = url.host_str().unwrap_or_default();
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .filter(|((of, _), _)| of == host)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let request = if cookies.is_empty() {
            request
        } else {
            request.header(COOKIE, cookies.join("; "))
        };
        Ok(request.send().await?)
    }

    fn keep_cookies(&mut self, url: &Url, response: &Response) {
        for value in response.headers().get_all(SET_COOKIE) {
            let text = value.to_str().unwrap_or_default();
            let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let key = (
                url.host_str().unwrap_or_default().to_owned(),
                name.trim().to_owned(),
            );
            let gone = attributes
                .split(';')
                .any(|part| part.trim().eq_ignore_ascii_case("max-age=0"));
            if gone {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.trim().to_owned());
            }
        }
    }
}

impl Page {
    /// The first form of the page.
    ///
    /// # Errors
    /// None is there.
    pub fn form(&self) -> Result<Form, LabError> {
        markup::form(&self.html)
            .ok_or_else(|| LabError::unexpected("a page without a form", &self.url))
    }

    /// The code of a refusal that the page shows: `area.reason`.
    pub fn code(&self) -> Option<String> {
        let mut tags = markup::tags(&self.html).into_iter();
        tags.find(|tag| tag.name == "code" && tag.text.contains('.'))
            .map(|tag| tag.text)
    }

    /// The reference that the page shows: `FG-…`.
    pub fn reference(&self) -> Option<&str> {
        let start = self.html.find(">FG-")? + 1;
        let rest = self.html.get(start..)?;
        rest.get(..rest.find('<')?)
    }
}
