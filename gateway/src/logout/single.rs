//! Single logout's address. It stands in the values that an operator copies, so that it need not be entered twice;
//! this version answers it with what it does not do.

use axum::extract::State;
use axum::response::Response;
use fedgate_providers::refusals;
use http::HeaderMap;

use crate::app::Shared;
use crate::error::{self, Ways};
use crate::events::trace::new_reference;

refusals! {
    /// What a sign-out cannot do.
    pub enum LogoutRefusal in "logout" {
        /// The identity provider asked for single logout, which this version does not take part in.
        SingleLogoutUnsupported = "single_logout_unsupported", Operator,
            says "Signing out of everything at once is not available here.",
            fix "Switch single logout off for this application in {console}. Applications sign people out through /logout.";
    }
}

/// `GET,POST /saml/{connection_id}/slo`
pub(super) async fn unsupported(State(app): State<Shared>, headers: HeaderMap) -> Response {
    let reference = new_reference(&mut app.randomness.rng());
    let refusal = LogoutRefusal::SingleLogoutUnsupported.refuse();
    error::page(&headers, &refusal, &reference, &Ways::default())
}
