//! The setup session: sealed into the browser that burnt the link, for one connection, and checked against that link at
//! every request, so that a newer link, a revocation or the connection's end is its end as well.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::error::Refusal;
use fedgate_providers::login::Site;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};

use super::{SESSION_SECONDS, SESSIONS, SetupRefusal};
use crate::app::{App, later};
use crate::store::setup_link::TokenHash;

/// Says in the seal what it is for.
const PURPOSE: &str = "setup session";
const FORMAT: &[u8] = &[1];
/// What the token in a form is made for.
const FORM_PURPOSE: &str = "setup form";

/// A setup session, as it is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    /// The link that opened it.
    pub(super) link: TokenHash,
    nonce: [u8; 16],
}

impl Session {
    /// Opens a session in this browser: sets its cookie.
    ///
    /// # Errors
    /// `setup.form_unreadable` where the session cannot be sealed.
    pub(super) fn open(
        app: &App,
        site: &Site,
        (request, answer): (&HeaderMap, &mut HeaderMap),
        (id, link): (&ConnectionId, TokenHash),
        now: Timestamp,
    ) -> Result<(), Refusal> {
        use rand::Rng as _;
        let mut nonce = [0; 16];
        let mut rng = app.randomness.rng();
        rng.fill_bytes(&mut nonce);
        let plain = postcard::to_stdvec(&Self { link, nonce })
            .map_err(|_| SetupRefusal::FormUnreadable.refuse())?;
        let associated = [FORMAT, id.as_str().as_bytes()];
        let until = later(now, SESSION_SECONDS);
        let sealed = app
            .sealer
            .seal_for_day(PURPOSE, &associated, &plain, until, now, &mut rng)
            .map_err(|_| SetupRefusal::FormUnreadable.refuse())?;
        let own = name(site, id);
        let others = names(request, site).filter(|name| *name != own);
        for surplus in others.skip(SESSIONS - 1) {
            append(
                answer,
                &format!("{surplus}=; Path=/; Max-Age=0; HttpOnly{}", secure(site)),
            );
        }
        append(answer, &cookie(site, id, &sealed));
        Ok(())
    }

    /// The session that this browser holds for a connection.
    ///
    /// # Errors
    /// `setup.session_missing`, `setup.session_ended`, and those of the store.
    pub(super) async fn of(
        app: &App,
        site: &Site,
        headers: &HeaderMap,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let own = name(site, id);
        let sealed = cookies(headers)
            .find(|(name, _)| *name == own)
            .map(|(_, value)| value)
            .ok_or(SetupRefusal::SessionMissing)?;
        let associated = [FORMAT, id.as_str().as_bytes()];
        let opened = app
            .sealer
            .open_for_day(PURPOSE, &associated, sealed, now)
            .map_err(|_| SetupRefusal::SessionMissing)?;
        let session: Self =
            postcard::from_bytes(&opened.plain).map_err(|_| SetupRefusal::SessionMissing)?;
        if opened.expired || !app.store.setup_is_open(id, &session.link).await? {
            return Err(SetupRefusal::SessionEnded.into());
        }
        Ok(session)
    }

    /// What a form of this session carries.
    pub(super) fn form_token(&self, app: &App, id: &ConnectionId) -> String {
        let code = app.sealer.mac(FORM_PURPOSE, &self.form_data(id));
        code.map(|code| URL_SAFE_NO_PAD.encode(code))
            .unwrap_or_default()
    }

    /// Whether a form belongs to this session.
    ///
    /// # Errors
    /// `setup.form_unreadable`
    pub(super) fn check_form(
        &self,
        app: &App,
        id: &ConnectionId,
        token: Option<&str>,
    ) -> Result<(), Refusal> {
        let code = token.and_then(|token| URL_SAFE_NO_PAD.decode(token).ok());
        let matches = code.is_some_and(|code| {
            app.sealer
                .mac_matches(FORM_PURPOSE, &self.form_data(id), &code)
                .unwrap_or(false)
        });
        if matches {
            Ok(())
        } else {
            Err(SetupRefusal::FormUnreadable.into())
        }
    }

    fn form_data(&self, id: &ConnectionId) -> Vec<u8> {
        [&self.link[..], &self.nonce[..], id.as_str().as_bytes()].concat()
    }
}

/// A form comes from a page of this very site: browsers say so (Fetch Metadata, or the Origin header where they do not
/// know that yet), and one that says neither is not believed.
///
/// # Errors
/// `setup.cross_site`
pub(super) fn check_origin(site: &Site, headers: &HeaderMap) -> Result<(), Refusal> {
    let sent = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let (expected, found) = match (sent("sec-fetch-site"), sent("origin")) {
        (Some(found), _) => ("same-origin", found),
        (None, Some(found)) => (site.base_url.as_str(), found),
        (None, None) => ("same-origin", ""),
    };
    if found == expected {
        Ok(())
    } else {
        Err(SetupRefusal::CrossSite
            .refuse()
            .expected(expected)
            .found(found))
    }
}

fn prefix(site: &Site) -> &'static str {
    if site.is_https() {
        "__Host-fedgate-setup-"
    } else {
        "fedgate-setup-"
    }
}

/// One cookie a connection, so that two setups do not meet in one browser.
fn name(site: &Site, id: &ConnectionId) -> String {
    let digits = id.as_str().trim_start_matches("conn_");
    format!("{}{}", prefix(site), digits.get(..16).unwrap_or(digits))
}

fn cookie(site: &Site, id: &ConnectionId, sealed: &str) -> String {
    // `__Host-` wants the whole host (RFC 6265bis 4.1.3.2); the seal holds the connection in any case.
    let path = if site.is_https() {
        "/".to_owned()
    } else {
        format!("/setup/{id}")
    };
    // Lax, not Strict: a test login comes back from the identity provider's site.
    format!(
        "{}={sealed}; Path={path}; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Lax{}",
        name(site, id),
        secure(site)
    )
}

fn secure(site: &Site) -> &'static str {
    if site.is_https() { "; Secure" } else { "" }
}

fn names<'h>(headers: &'h HeaderMap, site: &Site) -> impl Iterator<Item = &'h str> {
    let prefix = prefix(site);
    cookies(headers)
        .map(|(name, _)| name)
        .filter(move |name| name.starts_with(prefix))
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .filter_map(|pair| pair.trim().split_once('='))
}

fn append(answer: &mut HeaderMap, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        answer.append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::id;

    fn site(base_url: &str) -> Site {
        Site {
            base_url: base_url.into(),
            issuer: base_url.into(),
        }
    }

    #[test]
    fn the_cookie_is_bound_as_closely_as_its_scheme_allows() {
        let https = cookie(&site("https://login.example"), &id(1), "x");
        assert_eq!(
            https,
            "__Host-fedgate-setup-0000000000000000=x; Path=/; Max-Age=28800; HttpOnly; SameSite=Lax; Secure"
        );
        let http = cookie(&site("http://127.0.0.1:8080"), &id(1), "x");
        assert_eq!(
            http,
            format!(
                "fedgate-setup-0000000000000000=x; Path=/setup/{}; Max-Age=28800; HttpOnly; SameSite=Lax",
                id(1)
            )
        );
    }

    #[test]
    fn a_form_is_believed_by_what_the_browser_says_of_its_site() {
        let site = site("https://login.example");
        let check = |named: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in named {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            check_origin(&site, &headers).is_ok()
        };
        assert!(check(&[
            ("sec-fetch-site", "same-origin"),
            ("origin", "null")
        ]));
        assert!(check(&[("origin", "https://login.example")]));
        for bad in [
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://login.example"),
            ][..],
            &[("sec-fetch-site", "")],
            &[("origin", "https://login.example.evil")],
            &[("origin", "http://login.example")],
            &[("origin", "null")],
            &[],
        ] {
            assert!(!check(bad), "{bad:?}");
        }
    }
}
