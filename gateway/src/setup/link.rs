//! The one-time link: a GET shows a button, since scanners and previews of messages open links; the POST burns it.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::error::Refusal;
use fedgate_providers::login::Site;
use http::HeaderMap;

use super::session::{Session, check_origin};
use super::{SetupRefusal, reply};
use crate::app::{App, Shared};
use crate::error;
use crate::login::start::check_browser;
use crate::page;
use crate::store::setup_link::TokenHash;

const TOKEN_BYTES: usize = 32;
/// What the hash of a token is made for.
const PURPOSE: &str = "setup link";

/// A fresh token's address and what is kept of it.
///
/// # Errors
/// `setup.link_unknown` where no hash can be made.
pub(crate) fn fresh(app: &App, site: &Site) -> Result<(String, TokenHash), Refusal> {
    use rand::Rng as _;
    let mut token = [0; TOKEN_BYTES];
    app.randomness.rng().fill_bytes(&mut token);
    let text = URL_SAFE_NO_PAD.encode(token);
    let hash = hash(app, &text)?;
    Ok((site.url(&format!("/setup/link/{text}")), hash))
}

/// `GET /setup/link/{token}`: what it opens, and a button. Nothing is burnt.
pub(super) async fn show(
    State(app): State<Shared>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let language = error::language(&headers, None);
    match usable(&app, &token, app.clock.now()).await {
        Ok(_) => page::setup_begin(&format!("/setup/link/{token}"), language),
        Err(refusal) => reply::closed(&headers, &refusal),
    }
}

/// `POST /setup/link/{token}`: burns it and opens the session.
pub(super) async fn begin(
    State(app): State<Shared>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let site = app.site.clone();
    match opened(&app, &site, &token, &headers).await {
        Ok(response) => response,
        Err(refusal) => reply::closed(&headers, &refusal),
    }
}

async fn opened(
    app: &App,
    site: &Site,
    token: &str,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let now = app.clock.now();
    check_origin(site, headers)?;
    check_browser(site, headers)?;
    let (id, hash) = usable(app, token, now).await?;
    // Of two that press the button at once, one gets the session.
    if app.store.burn_setup_link(&hash, now).await? != Some(id.clone()) {
        return Err(SetupRefusal::LinkUsed.into());
    }
    let mut cookies = HeaderMap::new();
    Session::open(app, site, (headers, &mut cookies), (&id, hash), now)?;
    let mut answer = Redirect::to(&format!("/setup/{id}")).into_response();
    answer.headers_mut().extend(cookies);
    Ok(answer)
}

/// The connection of a link that can still be used.
async fn usable(
    app: &App,
    token: &str,
    now: Timestamp,
) -> Result<(ConnectionId, TokenHash), Refusal> {
    let octets = URL_SAFE_NO_PAD.decode(token).ok();
    if octets.is_none_or(|octets| octets.len() != TOKEN_BYTES) {
        return Err(SetupRefusal::LinkUnknown.into());
    }
    let hash = hash(app, token)?;
    let link = app.store.setup_link(&hash).await?;
    let link = link.ok_or(SetupRefusal::LinkUnknown)?;
    if link.used_at.is_some() {
        Err(SetupRefusal::LinkUsed.into())
    } else if link.expires_at <= now {
        Err(SetupRefusal::LinkExpired.into())
    } else {
        Ok((link.connection_id, hash))
    }
}

fn hash(app: &App, token: &str) -> Result<TokenHash, Refusal> {
    let hash = app.sealer.mac(PURPOSE, token.as_bytes());
    hash.map_err(|_| SetupRefusal::LinkUnknown.refuse())
}
