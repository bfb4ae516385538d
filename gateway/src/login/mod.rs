//! One login, from the application's request to the verified identity: start, pending, callback.

pub mod callback;
pub mod claims;
pub mod continued;
pub mod cookie;
pub mod decryption;
pub mod pending;
pub mod start;
mod stranger;
pub mod way;

use axum::Router;
use axum::routing::{get, post};
use fedgate_providers::refusals;

use crate::app::Shared;

refusals! {
    /// What ends a login before or around the upstream's answer.
    pub enum LoginRefusal in "login" {
        /// The browser is on another loopback name than the gateway's public URL, so that the cookie set here would not come back to the callback.
        WrongHost = "wrong_host", Operator,
            says "This page was opened under another name than the one this service uses.",
            fix "Open the application under the host name of [server] public_url, or change public_url to the name you use.";
        /// The page is shown inside a frame of another page; cookies for a login are set on top-level navigations only.
        Embedded = "embedded", Application,
            says "This sign-in cannot run inside another page.",
            fix "Let the application navigate the whole window to /oauth2/auth instead of loading it in a frame.";
        /// The sealed sign-in request was altered, or it was sealed by another gateway or under another master key.
        RequestUnreadable = "request_unreadable", Browser, kinde 1794,
            says "This sign-in page can no longer be used.",
            fix "Start again from the application.";
        /// The sign-in page was open for longer than it stays usable.
        PageExpired = "page_expired", Browser, kinde 4321,
            says "This sign-in page was open for too long.",
            fix "Start again.";
        /// The callback carried nothing that names a login: no state, no RelayState and no InResponseTo.
        StateMissing = "state_missing", Upstream, kinde 9055,
            says "The identity provider's answer does not belong to a sign-in that began here.",
            fix "Start at the application. Sign-on that begins at the identity provider is not enabled for this connection.";
        /// The state, RelayState or InResponseTo is not one that this gateway writes.
        StateUnknown = "state_unknown", Browser, kinde 1794,
            says "The identity provider's answer does not belong to a sign-in that began here.",
            fix "Start again from the application; an old bookmark or a truncated address cannot be used.";
        /// No pending login of this browser matches: it began in another browser, its cookie was deleted or blocked, or four newer logins took its place.
        OtherBrowser = "other_browser", Browser, kinde 8809,
            says "This sign-in began in another browser or window.",
            fix "Start again in one browser, with cookies allowed for this host.";
        /// The login was completed before: its one-time mark is in the store.
        AlreadyUsed = "already_used", Browser, kinde 4321,
            says "This sign-in was already completed.",
            fix "Go back to the application; if it did not sign the person in, start again.";
        /// The pending login cannot be opened: altered, sealed for another connection, or under another master key.
        PendingUnreadable = "pending_unreadable", Browser, kinde 1794,
            says "This sign-in can no longer be completed.",
            fix "Start again. If it happens to everybody, check that all replicas use the same master key.";
        /// The person stayed at the identity provider for longer than a pending login is kept.
        Expired = "expired", Browser, kinde 4321,
            says "This sign-in took too long.",
            fix "Start again.";
        /// So many large pending logins are stored that another one is not taken.
        TooManyPending = "too_many_pending", Gateway,
            says "Too many people are signing in at this moment.",
            fix "Wait a minute and start again. An operator can raise [limits] stored_pendings.";
        /// The body of the callback is larger than the limit, or was cut off.
        BodyUnreadable = "body_unreadable", Upstream,
            says "The identity provider's answer could not be read.",
            fix "The identity provider's answer must be a form of at most [limits] form_bytes; ask it to release fewer attributes or groups: {attributes}.";
    }
}

/// Where the sign-in page posts.
pub const CONTINUE_PATH: &str = "/login/continue";

/// Routes of the login line towards browsers and upstreams.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route(CONTINUE_PATH, post(continued::by_form))
        .route("/login/again", get(continued::again))
        .route("/saml/{connection_id}/acs", post(callback::saml))
        .route(
            "/login/callback/{connection_id}",
            get(callback::by_query).post(callback::by_form),
        )
}
