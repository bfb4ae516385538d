//! OAuth 2.0's authorization code flow, and OpenID Connect upon it: the browser's way out and back, the exchange
//! of the code, and the person behind the tokens.

mod call;
mod callback;
mod client_auth;
mod document;
mod flow;
mod habits;
mod minted_secret;
mod pkce;
mod profile;
mod request;
mod token;
mod userinfo;

pub use flow::OauthProvider;

use crate::refusals;

refusals! {
    /// What the OAuth 2.0 part of a login refuses.
    pub enum OauthRefusal in "oauth" {
        /// The provider's token endpoint takes no client secret.
        ClientAuthUnsupported = "client_auth_unsupported", Operator,
            says "This way to sign in is not set up completely.",
            fix "Register the application at {console} as one that authenticates by a client secret, or set client_auth_method on the connection.";
        /// The callback has too many parameters, or one that is too long.
        CallbackMalformed = "callback_malformed", Browser,
            says "The answer of the identity provider could not be read.",
            fix "Start the sign-in again; if it recurs, look for a proxy that rewrites {redirect_uri}.";
        /// code, state, iss or error occurs twice in the callback.
        CallbackDuplicate = "callback_duplicate", Browser,
            says "The answer of the identity provider was not sound.",
            fix "Start the sign-in again from the application; the address of {redirect_uri} must come from the identity provider unchanged.";
        /// The callback carries tokens, as the implicit and hybrid flows do; only a code is accepted.
        CallbackTokens = "callback_tokens", Operator,
            says "The answer of the identity provider was not the one that was asked for.",
            fix "Switch implicit and hybrid grants off for this application at {console}; the authorization code flow is used.";
        /// The callback's state is not the one that this login sent.
        StateMismatch = "state_mismatch", Browser,
            says "This answer belongs to another sign-in.",
            fix "Start the sign-in again in one browser window.";
        /// The callback names another issuer than the one that the browser was sent to (RFC 9207): two providers were mixed up.
        CallbackIssuerMismatch = "callback_issuer_mismatch", Operator,
            says "The answer came from another identity provider than the one that was asked.",
            fix "Compare the connection's issuer with {metadata}; they must be equal to the last character.";
        /// The provider announces that every callback names its issuer (RFC 9207), and this one does not.
        CallbackIssuerMissing = "callback_issuer_missing", Upstream,
            says "The answer of the identity provider was not complete.",
            fix "Start the sign-in again; if it recurs, the identity provider breaks what its metadata announces.";
        /// The callback has neither a code nor an error.
        CallbackEmpty = "callback_empty", Browser, kinde 4034,
            says "The answer of the identity provider was empty.",
            fix "Start the sign-in again; if it recurs, check that {redirect_uri} is entered exactly and that cookies are allowed.";
        /// The person declined, or a policy of the identity provider keeps them out.
        AccessDenied = "access_denied", Browser, kinde 4030,
            says "The sign-in was cancelled or not permitted at the identity provider.",
            fix "Check {assignment} and the sign-in policy at {console}; the detail is the identity provider's own text.";
        /// The provider wants to show a page to the person, and was not free to.
        InteractionRequired = "interaction_required", Browser, kinde 4031,
            says "The identity provider needs you to sign in there first.",
            fix "Start the sign-in again and complete the identity provider's pages.";
        /// The provider says that it is out of order, or answers with a server error.
        UpstreamUnavailable = "upstream_unavailable", Upstream, kinde 4032,
            says "The identity provider is not available at the moment.",
            fix "Wait and try again; look at the identity provider's status page.";
        /// The provider answered with an error of another kind; the evidence has its code and text.
        UpstreamError = "upstream_error", Operator, kinde 4033,
            says "The identity provider refused the sign-in.",
            fix "Look the error code up at {console}; scopes and {redirect_uri} are the usual causes.";
        /// The token endpoint does not accept our client: the secret is wrong or expired, or the method of authentication is another.
        ClientRejected = "client_rejected", Operator, kinde 4179,
            says "The identity provider does not accept this service at the moment.",
            fix "Make a new {client_secret} at {console} and save it on the connection; compare {client_id} and client_auth_method.";
        /// The token endpoint does not accept the code: it was used before, is too old, or belongs to another redirect URI or client.
        CodeRejected = "code_rejected", Browser,
            says "This sign-in took too long or was already used.",
            fix "Start the sign-in again; if it recurs, compare {redirect_uri} with the connection's callback URL.";
        /// The token endpoint's answer holds no tokens that can be read.
        TokenMalformed = "token_malformed", Upstream,
            says "The answer of the identity provider could not be read.",
            fix "Check that the connection's issuer is the one of {metadata}; the token endpoint must answer as RFC 6749 section 5.1 describes.";
    }
}

#[cfg(test)]
mod tests;
