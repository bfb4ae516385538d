//! A browser without scripts: cookies by host, redirects one by one, forms filled in and sent.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, StatusCode};
use scraper::{ElementRef, Html, Selector};
use url::Url;

use crate::seen;

/// Where the applications of most tests wait for their codes: nothing listens there, so that the browser stops.
const APPLICATION_PORT: u16 = 9;
/// The most redirects that one navigation follows.
const REDIRECTS: usize = 20;

/// What divides the parts of a form.
const PARTS: &str = "----part7d29f1";
/// The type of a form without parts.
const FORM: &str = "application/x-www-form-urlencoded";

/// The type of what is posted, and its octets.
type Body = (String, Vec<u8>);

/// Keeps cookies as a browser does: by host, whatever the port (RFC 6265 8.5).
#[derive(Clone, Debug, Default)]
pub struct Browser {
    client: Client,
    cookies: BTreeMap<(String, String), String>,
    headers: Vec<(&'static str, String)>,
}

/// A page as it was shown.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where the browser is.
    pub url: Url,
    /// The status of the last answer.
    pub status: StatusCode,
    /// Its headers.
    pub headers: reqwest::header::HeaderMap,
    /// Its text.
    pub body: String,
    /// Every address on the way, the last included.
    pub visited: Vec<Url>,
}

/// A form of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Where it goes, absolute.
    pub action: Url,
    /// `GET` or `POST`.
    pub post: bool,
    /// Its inputs, in order; buttons are left out.
    pub fields: Vec<(String, String)>,
}

impl Browser {
    /// A browser without cookies.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's browser goes to loopback, not through the gateway's egress"
    )]
    pub fn new() -> Self {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build();
        Self {
            client: client.expect("a client"),
            cookies: BTreeMap::new(),
            headers: vec![("sec-fetch-dest", "document".to_owned())],
        }
    }

    /// Sends a header with every request from now on, in place of the one of that name.
    pub fn set_header(&mut self, name: &'static str, value: &str) {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.to_owned()));
    }

    /// Opens an address and follows redirects.
    pub async fn open(&mut self, url: &str) -> Page {
        let page = self.try_open(url).await;
        page.unwrap_or_else(|e| panic!("{url}: {e}"))
    }

    /// Opens an address and follows redirects.
    ///
    /// # Errors
    /// The server went away instead of answering.
    pub async fn try_open(&mut self, url: &str) -> Result<Page, reqwest::Error> {
        let parsed = Url::parse(url).expect("a URL");
        self.navigate(Method::GET, parsed, None, REDIRECTS).await
    }

    /// Opens an address and stops at the first answer.
    pub async fn step(&mut self, url: &str) -> Page {
        let parsed = Url::parse(url).expect("a URL");
        let page = self.navigate(Method::GET, parsed, None, 0).await;
        page.unwrap_or_else(|e| panic!("{url}: {e}"))
    }

    /// Sends a form, with some fields replaced or added, and follows redirects.
    pub async fn submit(&mut self, form: &Form, values: &[(&str, &str)]) -> Page {
        self.send(form, values, REDIRECTS).await
    }

    /// Sends a form and stops at the first answer.
    pub async fn submit_step(&mut self, form: &Form, values: &[(&str, &str)]) -> Page {
        self.send(form, values, 0).await
    }

    /// Forgets every cookie.
    pub fn forget(&mut self) {
        self.cookies.clear();
    }

    /// Every cookie held, as a thief or a backup copies them.
    pub fn cookies(&self) -> BTreeMap<(String, String), String> {
        self.cookies.clone()
    }

    /// Puts cookies in place of all that are held.
    pub fn set_cookies(&mut self, cookies: BTreeMap<(String, String), String>) {
        self.cookies = cookies;
    }

    /// Names of the cookies held for a host.
    pub fn cookie_names(&self, host: &str) -> Vec<String> {
        self.cookies
            .keys()
            .filter(|(h, _)| h == host)
            .map(|(_, name)| name.clone())
            .collect()
    }

    /// Sends a form and follows redirects; none where the server went away instead of answering.
    pub async fn try_submit(&mut self, form: &Form, values: &[(&str, &str)]) -> Option<Page> {
        self.send_form(form, values, REDIRECTS).await.ok()
    }

    /// Sends a form with parts, one of them a file, and follows redirects.
    pub async fn upload(
        &mut self,
        form: &Form,
        values: &[(&str, &str)],
        (field, file): (&str, &[u8]),
    ) -> Page {
        let mut body = Vec::new();
        let mut fields: Vec<(&str, &[u8])> = Vec::new();
        for (name, value) in &form.fields {
            let given = values.iter().find(|(key, _)| key == name);
            let value = given.map_or(value.as_str(), |(_, value)| value);
            let is_file = name == field;
            fields.push((name, if is_file { file } else { value.as_bytes() }));
        }
        for (name, value) in fields {
            let of_file = if name == field {
                "; filename=\"idp.xml\""
            } else {
                ""
            };
            let head = format!(
                "--{PARTS}\r\nContent-Disposition: form-data; name=\"{name}\"{of_file}\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(value);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{PARTS}--\r\n").as_bytes());
        let sent = (format!("multipart/form-data; boundary={PARTS}"), body);
        let page = self.navigate(Method::POST, form.action.clone(), Some(sent), REDIRECTS);
        page.await
            .unwrap_or_else(|e| panic!("{}: {e}", form.action))
    }

    async fn send(&mut self, form: &Form, values: &[(&str, &str)], redirects: usize) -> Page {
        let sent = self.send_form(form, values, redirects).await;
        sent.unwrap_or_else(|e| panic!("{}: {e}", form.action))
    }

    async fn send_form(
        &mut self,
        form: &Form,
        values: &[(&str, &str)],
        redirects: usize,
    ) -> Result<Page, reqwest::Error> {
        let mut fields = form.fields.clone();
        for (name, value) in values {
            fields.retain(|(key, _)| key != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let encoded = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&fields)
            .finish();
        if form.post {
            let sent = (FORM.to_owned(), encoded.into_bytes());
            return self
                .navigate(Method::POST, form.action.clone(), Some(sent), redirects)
                .await;
        }
        let mut action = form.action.clone();
        action.set_query(Some(&encoded));
        self.navigate(Method::GET, action, None, redirects).await
    }

    async fn navigate(
        &mut self,
        method: Method,
        url: Url,
        body: Option<Body>,
        redirects: usize,
    ) -> Result<Page, reqwest::Error> {
        let (mut method, mut url, mut body) = (method, url, body);
        let mut visited = vec![url.clone()];
        loop {
            let page = self
                .request(method.clone(), &url, body.take(), &visited)
                .await?;
            let next = page
                .headers
                .get(LOCATION)
                .filter(|_| page.status.is_redirection());
            let Some(next) = next.filter(|_| visited.len() <= redirects) else {
                return Ok(page);
            };
            url = url
                .join(next.to_str().expect("an ASCII location"))
                .expect("a URL");
            if url.port_or_known_default() == Some(APPLICATION_PORT) {
                return Ok(page);
            }
            visited.push(url.clone());
            if page.status != StatusCode::TEMPORARY_REDIRECT
                && page.status != StatusCode::PERMANENT_REDIRECT
            {
                method = Method::GET;
            }
        }
    }

    async fn request(
        &mut self,
        method: Method,
        url: &Url,
        body: Option<Body>,
        visited: &[Url],
    ) -> Result<Page, reqwest::Error> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let held = self.cookies.iter().filter(|((h, _), _)| *h == host);
        let cookies: Vec<_> = held
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let mut request = self.client.request(method, url.clone());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body);
        }
        let answer = request.send().await?;
        for set in answer.headers().get_all(SET_COOKIE) {
            self.keep(&host, set.to_str().expect("an ASCII cookie"));
        }
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.text().await?;
        seen::note(&body);
        if let Some(location) = headers
            .get(LOCATION)
            .and_then(|location| location.to_str().ok())
        {
            seen::note(&percent_encoding::percent_decode_str(location).decode_utf8_lossy());
        }
        Ok(Page {
            url: url.clone(),
            status,
            headers,
            body,
            visited: visited.to_vec(),
        })
    }

    fn keep(&mut self, host: &str, set_cookie: &str) {
        let mut parts = set_cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let key = (host.to_owned(), name.to_owned());
        let expired = parts.any(|part| {
            let part = part.to_ascii_lowercase();
            // Not in the path: an id may hold these digits.
            part == "max-age=0" || part.starts_with("expires=") && part.contains("1970")
        });
        if expired {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, value.to_owned());
        }
    }
}

impl Page {
    /// The only form, or the first.
    pub fn form(&self) -> Form {
        self.forms()
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no form on {}: {}", self.url, self.body))
    }

    /// The form that goes to this path.
    pub fn form_to(&self, path: &str) -> Form {
        self.forms()
            .into_iter()
            .find(|form| form.action.path() == path)
            .unwrap_or_else(|| panic!("no form to {path} on {}: {}", self.url, self.body))
    }

    /// Every form of the page.
    pub fn forms(&self) -> Vec<Form> {
        let document = Html::parse_document(&self.body);
        document
            .select(&selector("form"))
            .map(|form| self.read_form(form))
            .collect()
    }

    /// The text of the first element that a CSS selector finds.
    pub fn text(&self, css: &str) -> Option<String> {
        let document = Html::parse_document(&self.body);
        let found = document.select(&selector(css)).next()?;
        Some(found.text().collect::<String>().trim().to_owned())
    }

    /// An attribute of the first element that a CSS selector finds.
    pub fn attribute(&self, css: &str, name: &str) -> Option<String> {
        let document = Html::parse_document(&self.body);
        document
            .select(&selector(css))
            .next()?
            .value()
            .attr(name)
            .map(str::to_owned)
    }

    /// Where the answer redirects to, if it does.
    pub fn location(&self) -> Option<Url> {
        let location = self.headers.get(LOCATION)?.to_str().ok()?;
        self.url.join(location).ok()
    }

    /// The value of a query parameter of the address.
    pub fn query(&self, name: &str) -> Option<String> {
        self.url
            .query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    fn read_form(&self, form: ElementRef<'_>) -> Form {
        let action = form.value().attr("action").unwrap_or_default();
        let inputs = selector("input, textarea");
        let fields = form.select(&inputs).filter_map(|input| {
            let name = input.value().attr("name")?;
            let kept = !matches!(
                input.value().attr("type"),
                Some("submit" | "button" | "reset")
            );
            kept.then(|| {
                (
                    name.to_owned(),
                    input.value().attr("value").unwrap_or_default().to_owned(),
                )
            })
        });
        Form {
            action: self.url.join(action).expect("a form's action"),
            post: form
                .value()
                .attr("method")
                .is_some_and(|method| method.eq_ignore_ascii_case("post")),
            fields: fields.collect(),
        }
    }
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).unwrap_or_else(|e| panic!("{css}: {e}"))
}
