//! The exchange of a code for tokens (RFC 6749 section 4.1.3): sent once, and never again, since a code works once.

use std::fmt;

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AccessToken, AuthorizationCode, Client, EndpointNotSet, EndpointSet, ExtraTokenFields,
    PkceCodeVerifier, RequestTokenError, StandardRevocableToken, StandardTokenResponse,
    TokenResponse as _,
};
use serde::{Deserialize, Serialize};

use super::OauthRefusal;
use super::callback::error_response;
use crate::egress::Egress;
use crate::error::Refusal;
use crate::http::TokenHttp;
use crate::login::OauthPending;
use crate::spec::oauth::TokenSpec;

/// Our registration at one provider.
pub(super) type OauthClient = Client<
    BasicErrorResponse,
    StandardTokenResponse<IdTokenField, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What OpenID Connect adds to a token reply, unread.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct IdTokenField {
    id_token: Option<String>,
}

impl fmt::Debug for IdTokenField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdTokenField(…)")
    }
}

impl ExtraTokenFields for IdTokenField {}

/// The tokens that a code stands for. Refresh tokens are not kept.
pub(super) struct Tokens {
    pub(super) access_token: AccessToken,
    pub(super) id_token: Option<String>,
}

/// Redeems a code.
///
/// # Errors
/// An `egress` leaf when the endpoint cannot be asked, the leaf of its error code, or `oauth.token_malformed`.
pub(super) async fn exchange(
    client: &OauthClient,
    egress: &Egress,
    spec: &TokenSpec,
    code: AuthorizationCode,
    pending: &OauthPending,
) -> Result<Tokens, Refusal> {
    let mut request = client
        .exchange_code(code)
        .add_extra_param("redirect_uri", &pending.redirect_uri);
    if let Some(verifier) = &pending.code_verifier {
        request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.clone()));
    }
    let http = TokenHttp::new(egress, &spec.error_members);
    let reply = request.request_async(&http).await;
    let reply = reply.map_err(|error| refusal_of(error, spec))?;
    Ok(Tokens {
        access_token: reply.access_token().clone(),
        id_token: reply.extra_fields().id_token.clone(),
    })
}

/// No reply's text is kept, for it may hold tokens.
fn refusal_of(error: RequestTokenError<Refusal, BasicErrorResponse>, spec: &TokenSpec) -> Refusal {
    match error {
        RequestTokenError::Request(refusal) => refusal,
        RequestTokenError::ServerResponse(reply) => error_response(
            reply.error().as_ref(),
            reply.error_description().map_or("", String::as_str),
            &spec.errors,
        ),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            OauthRefusal::TokenMalformed.refuse()
        }
    }
}
