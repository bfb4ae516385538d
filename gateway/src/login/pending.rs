//! A pending login: sealed into the browser that began it, or, if it is large, kept in the ephemeral store and
//! opened only by a secret which that browser holds.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::error::Refusal;
use fedgate_providers::login::{Handle, Pending, Site, Steps};
use http::HeaderMap;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{LoginRefusal, continued, cookie};
use crate::app::{App, later};
use crate::op::AuthorizeRequest;
use crate::routing::Reason;
use crate::store::setup_link::TokenHash;
use crate::store::setup_test::Tested;

/// Says in the seal what it is for: a seal made for one purpose opens for no other.
const PURPOSE: &str = "pending login";
const FORMAT: &[u8] = &[2];
/// Marks a cookie that holds a browser secret in place of the sealed login.
const STORED: char = '~';
/// Marks a cookie whose login was completed: it holds the sealed request alone.
pub(super) const COMPLETED: char = '!';
const SECRET_BYTES: usize = 32;

/// All that the callback needs, from this browser alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLogin {
    /// What the application asked.
    pub request: AuthorizeRequest,
    /// How the connection was chosen.
    pub reason: Reason,
    /// What the provider compares the answer with.
    pub provider: Pending,
    /// The story so far.
    pub steps: Steps,
}

/// What the callback of a test login needs. It names no application: nothing can be issued from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingTest {
    /// Exactly what is tested of the connection.
    pub tested: Tested,
    /// The link that opened the setup session which asks.
    pub link: TokenHash,
    /// What the provider compares the answer with.
    pub provider: Pending,
    /// The story so far.
    pub steps: Steps,
}

/// What is sealed for a login. Which of the two it is stands inside the seal, so that no browser makes one of the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kept {
    /// An application waits for the person.
    Login(Box<PendingLogin>),
    /// A setup page waits for the verdict.
    Test(Box<PendingTest>),
}

/// What a browser holds for a login.
#[derive(Debug)]
pub enum Held {
    /// The login, to be completed.
    Pending(Box<Opened<PendingLogin>>),
    /// A test login, to be ended without anything coming of it.
    Test(Box<Opened<PendingTest>>),
    /// It was completed here: only its request is left, for the ways on.
    Completed(Box<AuthorizeRequest>),
}

/// A pending login, opened.
#[derive(Debug)]
pub struct Opened<T> {
    /// The login.
    pub login: T,
    /// Authentic, but too old to be completed: good for "start again" only.
    pub expired: bool,
}

/// Seals a login into the answer's cookies.
///
/// # Errors
/// `login.too_many_pending`, `ephemeral.unavailable`
pub async fn keep(
    app: &App,
    site: &Site,
    (request, answer): (&HeaderMap, &mut HeaderMap),
    (handle, connection): (Handle, &ConnectionId),
    kept: &Kept,
    now: Timestamp,
) -> Result<(), Refusal> {
    let plain = postcard::to_stdvec(kept).map_err(|_| LoginRefusal::PendingUnreadable.refuse())?;
    let expires_at = later(now, app.limits.pending_seconds);
    let most = app
        .limits
        .pending_cookie_bytes
        .saturating_sub(SEAL_CHARACTERS);
    let mut rng = app.randomness.rng();
    let secret = (plain.len() * 4 / 3 > most).then(|| browser_secret(&mut rng));
    let associated = associated(handle, connection, secret.as_deref());
    let sealed = app
        .sealer
        .seal_for_day(
            PURPOSE,
            &associated.each(),
            &plain,
            expires_at,
            now,
            &mut rng,
        )
        .map_err(|_| LoginRefusal::PendingUnreadable.refuse())?;
    let value = match secret {
        None => sealed,
        Some(secret) => {
            let stored = app.ephemeral.put_pending(
                (connection.as_str(), handle.as_bytes()),
                sealed.into_bytes(),
                expires_at,
                now,
                &mut rng,
            );
            stored
                .await
                .map_err(|error| error.refusal(LoginRefusal::TooManyPending))?;
            format!("{STORED}{}", URL_SAFE_NO_PAD.encode(secret))
        }
    };
    cookie::set(
        answer,
        request,
        site,
        handle,
        &value,
        now.as_second(),
        app.limits.pending_cookies,
    );
    Ok(())
}

/// Whether this browser holds anything for a handle, sound or not.
pub fn is_held(headers: &HeaderMap, site: &Site, handle: Handle) -> bool {
    cookie::read(headers, site, handle).is_some()
}

/// Opens the login that this browser holds for a handle. It must have been sealed for this very connection.
///
/// # Errors
/// `login.other_browser`, `login.already_used`, `login.pending_unreadable`, `login.expired`, `ephemeral.unavailable`
pub async fn open(
    app: &App,
    site: &Site,
    headers: &HeaderMap,
    (handle, connection): (Handle, &ConnectionId),
    now: Timestamp,
) -> Result<Held, Refusal> {
    let Some(value) = cookie::read(headers, site, handle) else {
        return Err(if app.store.login_is_marked(handle).await? {
            LoginRefusal::AlreadyUsed
        } else {
            LoginRefusal::OtherBrowser
        }
        .into());
    };
    let unreadable = || LoginRefusal::PendingUnreadable.refuse();
    if let Some(sealed) = value.strip_prefix(COMPLETED) {
        let request = match continued::open(app, sealed) {
            Ok(request) => Box::new(request),
            Err((_, request)) => request.ok_or(LoginRefusal::AlreadyUsed)?,
        };
        return Ok(Held::Completed(request));
    }
    let (sealed, secret) = match value.strip_prefix(STORED) {
        None => (value.to_owned(), None),
        Some(secret) => {
            let secret = URL_SAFE_NO_PAD.decode(secret).map_err(|_| unreadable())?;
            let stored = app
                .ephemeral
                .pending((connection.as_str(), handle.as_bytes()), now)
                .await
                .map_err(|error| error.refusal(LoginRefusal::TooManyPending))?
                .ok_or(LoginRefusal::Expired)?;
            (
                String::from_utf8(stored).map_err(|_| unreadable())?,
                Some(secret),
            )
        }
    };
    let associated = associated(handle, connection, secret.as_deref());
    let opened = app
        .sealer
        .open_for_day(PURPOSE, &associated.each(), &sealed, now)
        .map_err(|_| unreadable())?;
    let expired = opened.expired;
    Ok(
        match postcard::from_bytes(&opened.plain).map_err(|_| unreadable())? {
            Kept::Login(login) => Held::Pending(Box::new(Opened {
                login: *login,
                expired,
            })),
            Kept::Test(login) => Held::Test(Box::new(Opened {
                login: *login,
                expired,
            })),
        },
    )
}

/// Leaves the request of a completed login in the browser, so that whoever comes back to it finds a way on. The login's
/// mark in the store, not this cookie, is what keeps it from being completed twice.
pub async fn completed(
    app: &App,
    site: &Site,
    (headers, answer): (&HeaderMap, &mut HeaderMap),
    (handle, connection): (Handle, &ConnectionId),
    request: &AuthorizeRequest,
    now: Timestamp,
) {
    make_room(app, site, headers, (handle, connection), now).await;
    match continued::seal(app, request) {
        Ok(sealed) if sealed.len() < app.limits.pending_cookie_bytes => {
            cookie::replace(
                answer,
                site,
                handle,
                &format!("{COMPLETED}{sealed}"),
                now.as_second(),
            );
        }
        _ => cookie::clear(answer, site, handle),
    }
}

/// Leaves nothing of a test login that has ended in its browser.
pub async fn ended(
    app: &App,
    site: &Site,
    (headers, answer): (&HeaderMap, &mut HeaderMap),
    of: (Handle, &ConnectionId),
    now: Timestamp,
) {
    make_room(app, site, headers, of, now).await;
    cookie::clear(answer, site, of.0);
}

async fn make_room(
    app: &App,
    site: &Site,
    headers: &HeaderMap,
    (handle, connection): (Handle, &ConnectionId),
    now: Timestamp,
) {
    let held = cookie::read(headers, site, handle);
    if held.is_some_and(|value| value.starts_with(STORED)) {
        // It makes room for another one; where that fails, it goes by itself.
        let stored = (connection.as_str(), &handle.as_bytes()[..]);
        let _ = app.ephemeral.drop_pending(stored, now).await;
    }
}

/// Room for nonce, tag, day, expiry and the cookie's own clock, in base64 characters.
const SEAL_CHARACTERS: usize = 96;

struct Associated {
    handle: [u8; 16],
    connection: String,
    secret: Vec<u8>,
}

impl Associated {
    fn each(&self) -> [&[u8]; 4] {
        [
            FORMAT,
            &self.handle,
            self.connection.as_bytes(),
            &self.secret,
        ]
    }
}

fn associated(handle: Handle, connection: &ConnectionId, secret: Option<&[u8]>) -> Associated {
    Associated {
        handle: *handle.as_bytes(),
        connection: connection.as_str().to_owned(),
        secret: secret.unwrap_or_default().to_vec(),
    }
}

fn browser_secret(rng: &mut dyn CryptoRng) -> Vec<u8> {
    let mut secret = vec![0; SECRET_BYTES];
    rng.fill_bytes(&mut secret);
    secret
}
