//! What the OpenID Provider refuses, and the OAuth error that each refusal is answered with.

use fedgate_providers::error::Refusal;

use crate::ephemeral::EphemeralRefusal;
use fedgate_providers::refusals;

refusals! {
    /// What the OpenID Provider refuses: authorization and token requests, tokens, sign-outs.
    pub enum OpRefusal in "op" {
        /// The request is larger than the gateway reads.
        RequestTooLarge = "request_too_large", Application,
            says "The application sent a sign-in request that is too large.",
            fix "Send a shorter request: keep `state` small and leave out parameters that the gateway does not read.";
        /// The request is not `application/x-www-form-urlencoded` text in UTF-8.
        RequestMalformed = "request_malformed", Application,
            says "The application sent a request that cannot be read.",
            fix "Encode the parameters as application/x-www-form-urlencoded, in UTF-8.";
        /// No application is registered under this `client_id`.
        ClientUnknown = "client_unknown", Application,
            says "The application that sent you here is not registered.",
            fix "Send the `client_id` of a registered application, or register the application.";
        /// The `redirect_uri` is not one of those registered for the application; they are compared character by character.
        RedirectUriMismatch = "redirect_uri_mismatch", Application,
            says "The application asked to send you back to an address that is not registered.",
            fix "Register the exact redirect URI for the application, or send one that is registered.";
        /// A parameter that must be there is absent or empty.
        ParameterMissing = "parameter_missing", Application,
            says "The application left something out of its request.",
            fix "Send the parameter named here.";
        /// A parameter occurs more than once (RFC 6749 3.1).
        ParameterRepeated = "parameter_repeated", Application,
            says "The application sent the same thing twice in its request.",
            fix "Send the parameter named here once.";
        /// A parameter is longer than the gateway reads.
        ParameterTooLong = "parameter_too_long", Application,
            says "The application sent something too long in its request.",
            fix "Shorten the parameter named here.";
        /// A parameter's value is outside its syntax.
        ParameterMalformed = "parameter_malformed", Application,
            says "The application sent something that cannot be read in its request.",
            fix "Correct the parameter named here.";
        /// Only `response_type=code` is offered: implicit and hybrid answers put tokens into the browser (RFC 9700 2.1.2).
        ResponseTypeUnsupported = "response_type_unsupported", Application,
            says "The application asked for a kind of sign-in that is not offered.",
            fix "Use the authorization code flow: `response_type=code`.";
        /// Only `response_mode=query` is offered, the default of the code flow.
        ResponseModeUnsupported = "response_mode_unsupported", Application,
            says "The application asked for an answer in a form that is not offered.",
            fix "Leave `response_mode` out, or send `query`.";
        /// A public client sent no `code_challenge`: nothing else binds the code to it (RFC 9700 2.1.1).
        PkceRequired = "pkce_required", Application,
            says "The application left out a protection that this sign-in requires.",
            fix "Send `code_challenge` and `code_challenge_method=S256` (RFC 7636).";
        /// The code challenge method is not S256; an absent method means `plain` (RFC 7636 4.3), which protects nothing.
        PkceMethodUnsupported = "pkce_method_unsupported", Application,
            says "The application asked for a protection that is not strong enough.",
            fix "Send `code_challenge_method=S256`.";
        /// The code challenge is not the base64url form of a SHA-256 digest: 43 characters.
        PkceChallengeMalformed = "pkce_challenge_malformed", Application,
            says "The application sent a protection that cannot be read.",
            fix "Send the base64url form of SHA-256(code_verifier), without padding, as `code_challenge`.";
        /// The scope `openid` is absent, so the request is not one of OpenID Connect (Core 3.1.2.1).
        OpenidScopeMissing = "openid_scope_missing", Application,
            says "The application did not ask to identify you.",
            fix "Add `openid` to `scope`.";
        /// `prompt=none` forbids pages, and the gateway holds no session of its own that could answer.
        LoginRequired = "login_required", Application,
            says "You have to sign in to continue.",
            fix "Send the person to sign in without `prompt=none`.";
        /// Request objects (`request`) are not read.
        RequestObjectUnsupported = "request_object_unsupported", Application,
            says "The application sent its request in a form that is not offered.",
            fix "Send the parameters themselves in place of `request`.";
        /// Request objects by reference (`request_uri`) are not fetched.
        RequestUriUnsupported = "request_uri_unsupported", Application,
            says "The application sent its request in a form that is not offered.",
            fix "Send the parameters themselves in place of `request_uri`.";
        /// Self-issued registration (`registration`) is not read.
        RegistrationUnsupported = "registration_unsupported", Application,
            says "The application sent its request in a form that is not offered.",
            fix "Register the application beforehand and leave out `registration`.";
        /// The application is not registered for this grant type; client credentials are for confidential clients only (RFC 6749 4.4).
        GrantTypeNotAllowed = "grant_type_not_allowed", Application,
            says "The application is not set up for this kind of sign-in.",
            fix "Add the grant type to the application's `grant_types`, and a client secret or keys for client credentials.";
        /// The token endpoint offers `authorization_code` and `client_credentials`.
        GrantTypeUnsupported = "grant_type_unsupported", Application,
            says "The application asked for a kind of access that is not offered.",
            fix "Use `authorization_code` or `client_credentials`; there are no refresh tokens.";
        /// The application must authenticate and sent nothing to authenticate with.
        ClientAuthenticationMissing = "client_authentication_missing", Application,
            says "The application did not prove its identity.",
            fix "Send the client secret by HTTP Basic or as `client_secret`, or a `client_assertion`.";
        /// More than one way of client authentication was used at once (RFC 6749 2.3).
        ClientAuthenticationAmbiguous = "client_authentication_ambiguous", Application,
            says "The application tried to prove its identity in several ways at once.",
            fix "Use one of HTTP Basic, `client_secret` and `client_assertion`, with one `client_id`.";
        /// The `Authorization` header is not HTTP Basic with form-encoded client id and secret (RFC 6749 2.3.1).
        ClientAuthenticationMalformed = "client_authentication_malformed", Application,
            says "The application's proof of identity cannot be read.",
            fix "Form-encode client id and secret, join them with a colon, encode that in base64 after `Basic `.";
        /// The client secret is not the registered one, or none is registered.
        ClientSecretWrong = "client_secret_wrong", Application,
            says "The application could not prove its identity.",
            fix "Configure the registered client secret; with HTTP Basic, form-encode it first (RFC 6749 2.3.1).";
        /// The client assertion is not a signed JWT with the claims of OpenID Connect Core 9.
        ClientAssertionMalformed = "client_assertion_malformed", Application,
            says "The application's proof of identity cannot be read.",
            fix "Send a signed JWT with iss, sub, aud, exp and jti as `client_assertion`, and its type as `client_assertion_type`.";
        /// No key registered for the application verifies the client assertion.
        ClientAssertionSignature = "client_assertion_signature", Application,
            says "The application could not prove its identity.",
            fix "Sign with a key of the application's `jwks` or `jwks_uri`, with RS256, PS256 or ES256 and that key's `kid`.";
        /// The keys at the application's `jwks_uri` could not be read.
        ClientKeysUnavailable = "client_keys_unavailable", Application,
            says "The application's keys cannot be read at the moment.",
            fix "Serve a JWK Set at the application's `jwks_uri`, reachable for the gateway over https.";
        /// `iss` and `sub` of the client assertion must both be the client id (OpenID Connect Core 9).
        ClientAssertionSubject = "client_assertion_subject", Application,
            says "The application could not prove its identity.",
            fix "Set `iss` and `sub` of the client assertion to the client id.";
        /// The client assertion is meant for another server: `aud` is this issuer or this token endpoint, and nothing else.
        ClientAssertionAudience = "client_assertion_audience", Application,
            says "The application could not prove its identity.",
            fix "Set `aud` of the client assertion to the issuer.";
        /// The client assertion is expired, not valid yet, or valid for longer than ten minutes.
        ClientAssertionTime = "client_assertion_time", Application,
            says "The application's proof of identity is out of date.",
            fix "Make a fresh client assertion for each request, valid for at most ten minutes, and check the clock.";
        /// A client assertion with this `jti` was used before.
        ClientAssertionReplayed = "client_assertion_replayed", Application,
            says "The application's proof of identity was used before.",
            fix "Make a fresh client assertion with its own `jti` for each request.";
        /// The authorization code is unknown or has expired.
        CodeUnknown = "code_unknown", Application,
            says "This sign-in has expired.",
            fix "Redeem the code once, within a minute of receiving it.";
        /// The authorization code was redeemed before (RFC 6749 4.1.2).
        CodeReplayed = "code_replayed", Application,
            says "This sign-in was already completed.",
            fix "Redeem each code once. If the application did so, somebody else has seen the code: look into it.";
        /// The authorization code was issued to another application.
        CodeOfAnotherClient = "code_of_another_client", Application,
            says "This sign-in belongs to another application.",
            fix "Redeem only codes that answer this application's own requests.";
        /// The `redirect_uri` differs from the one in the authorization request (RFC 6749 4.1.3).
        RedirectUriDiffers = "redirect_uri_differs", Application,
            says "The application asked to complete this sign-in for another address.",
            fix "Send the same `redirect_uri` as in the authorization request.";
        /// The authorization request carried a code challenge and the token request no `code_verifier`.
        CodeVerifierMissing = "code_verifier_missing", Application,
            says "The application left out a proof that this sign-in requires.",
            fix "Send the `code_verifier` whose digest was sent as `code_challenge`.";
        /// The `code_verifier` does not match the code challenge: another request's, or an injected code.
        CodeVerifierWrong = "code_verifier_wrong", Application,
            says "This sign-in was not begun by this application in this browser.",
            fix "Keep one `code_verifier` for each authorization request and send that one.";
        /// A `code_verifier` came for a request without a code challenge: somebody removed it (RFC 9700 4.8.2).
        CodeVerifierUnexpected = "code_verifier_unexpected", Application,
            says "This sign-in was changed on its way.",
            fix "Send `code_challenge` and `code_challenge_method=S256` in the authorization request.";
        /// `audience` is not the Management API of this gateway.
        AudienceInvalid = "audience_invalid", Application,
            says "The application asked for access to something that is not here.",
            fix "Send the value expected here as `audience`.";
        /// A scope was asked that the application does not have.
        ScopeNotAllowed = "scope_not_allowed", Application,
            says "The application asked for more access than it has.",
            fix "Ask for scopes in the application's `scopes`, or add the scope to them.";
        /// No bearer token came in the `Authorization` header; it is read nowhere else (RFC 6750 2.2 and 2.3 leak it into logs).
        TokenMissing = "token_missing", Application,
            says "The application did not send an access token.",
            fix "Send `Authorization: Bearer` and the access token.";
        /// The bearer token is not an access token of this gateway: not a JWT, not of type at+jwt, not signed by its keys.
        TokenInvalid = "token_invalid", Application,
            says "The access token is not valid.",
            fix "Send the `access_token` from this gateway's token endpoint, unchanged; an ID token is none.";
        /// The access token has expired.
        TokenExpired = "token_expired", Application,
            says "The access token has expired.",
            fix "Get a new access token.";
        /// The access token is meant for something else: a person's never passes at the Management API, nor the other way.
        TokenAudience = "token_audience", Application,
            says "The access token is meant for something else.",
            fix "Get a token whose `aud` is the value expected here.";
        /// The person signed out, or was removed, after the access token was issued.
        SessionEnded = "session_ended", Application,
            says "This session has ended.",
            fix "Send the person to sign in again.";
        /// `id_token_hint` is not an ID token of this gateway for the application that is named.
        LogoutHintInvalid = "logout_hint_invalid", Application,
            says "The application could not say which session to end.",
            fix "Send the ID token of the session as `id_token_hint`; it may be expired.";
        /// The address to return to after signing out is not registered for the application.
        LogoutRedirectMismatch = "logout_redirect_mismatch", Application,
            says "The application asked to send you to an address that is not registered.",
            fix "Register the exact address in `post_logout_redirect_uris`, and send `id_token_hint` or `client_id` with it.";
        /// As many authorization codes wait to be redeemed as may at once, in all or of one connection.
        EphemeralFull = "ephemeral_full", Gateway,
            says "Too many people are signing in at this moment.",
            fix "Raise `waiting_codes` or `waiting_codes_per_connection` under [limits], or the memory of Redis, or find out who begins so many sign-ins.";
        /// A token could not be signed with the gateway's keys.
        SigningFailed = "signing_failed", Gateway,
            says "This sign-in could not be completed on our side.",
            fix "Read the gateway's log; check the signing keys in its store.";
    }
}

/// The OAuth 2.0 error code that answers `refusal` (RFC 6749 4.1.2.1 and 5.2, OpenID Connect Core 3.1.2.6,
/// RFC 8707 for `invalid_target`, RFC 6750 3.1 for `invalid_token`).
pub fn oauth_error(refusal: &Refusal) -> &'static str {
    OpRefusal::ALL
        .iter()
        .find(|leaf| *refusal == **leaf)
        .map_or_else(|| error_of_other(refusal), |leaf| error_of(*leaf))
}

/// A store that does not answer may do so in a moment (RFC 6749 4.1.2.1).
fn error_of_other(refusal: &Refusal) -> &'static str {
    if *refusal == EphemeralRefusal::Unavailable {
        "temporarily_unavailable"
    } else {
        "server_error"
    }
}

/// `error_description`: the stable code, then the sentence.
pub fn oauth_description(refusal: &Refusal) -> String {
    describable(&format!("{}: {}", refusal.code(), refusal.entry().says))
}

/// Only characters that an `error_description` may hold (RFC 6749 4.1.2.1 and 5.2): no quotation mark and no backslash
/// either, so that it fits between quotation marks in a header.
pub(super) fn describable(text: &str) -> String {
    text.chars()
        .filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'))
        .collect()
}

fn error_of(leaf: OpRefusal) -> &'static str {
    use OpRefusal as R;
    match leaf {
        R::ClientUnknown
        | R::ClientAuthenticationMissing
        | R::ClientAuthenticationMalformed
        | R::ClientSecretWrong
        | R::ClientAssertionMalformed
        | R::ClientAssertionSignature
        | R::ClientKeysUnavailable
        | R::ClientAssertionSubject
        | R::ClientAssertionAudience
        | R::ClientAssertionTime
        | R::ClientAssertionReplayed => "invalid_client",
        R::CodeUnknown
        | R::CodeReplayed
        | R::CodeOfAnotherClient
        | R::RedirectUriDiffers
        | R::CodeVerifierMissing
        | R::CodeVerifierWrong
        | R::CodeVerifierUnexpected => "invalid_grant",
        R::TokenMissing
        | R::TokenInvalid
        | R::TokenExpired
        | R::TokenAudience
        | R::SessionEnded => "invalid_token",
        R::GrantTypeNotAllowed => "unauthorized_client",
        R::GrantTypeUnsupported => "unsupported_grant_type",
        R::ResponseTypeUnsupported => "unsupported_response_type",
        R::OpenidScopeMissing | R::ScopeNotAllowed => "invalid_scope",
        R::AudienceInvalid => "invalid_target",
        R::LoginRequired => "login_required",
        R::RequestObjectUnsupported => "request_not_supported",
        R::RequestUriUnsupported => "request_uri_not_supported",
        R::RegistrationUnsupported => "registration_not_supported",
        R::SigningFailed => "server_error",
        R::EphemeralFull => "temporarily_unavailable",
        R::RequestTooLarge
        | R::RequestMalformed
        | R::RedirectUriMismatch
        | R::ParameterMissing
        | R::ParameterRepeated
        | R::ParameterTooLong
        | R::ParameterMalformed
        | R::ResponseModeUnsupported
        | R::PkceRequired
        | R::PkceMethodUnsupported
        | R::PkceChallengeMalformed
        | R::ClientAuthenticationAmbiguous
        | R::LogoutHintInvalid
        | R::LogoutRedirectMismatch => "invalid_request",
    }
}
