//! How our client authenticates at an upstream's token endpoint (RFC 6749 section 2.3).

use oauth2::AuthType;

use super::OauthRefusal;
use crate::connection::ClientAuthMethod;
use crate::error::Refusal;

/// Chooses the method: the connection's own, else what the metadata offers. Metadata without the member means
/// HTTP Basic (OpenID Connect Discovery section 3).
///
/// # Errors
/// `oauth.client_auth_unsupported` when the provider wants a method that is not a client secret.
pub(super) fn choose(
    configured: Option<ClientAuthMethod>,
    offered: Option<&[String]>,
) -> Result<AuthType, Refusal> {
    let offers =
        |name: &str| offered.is_none_or(|methods| methods.iter().any(|method| method == name));
    match configured {
        Some(ClientAuthMethod::Basic) => Ok(AuthType::BasicAuth),
        Some(ClientAuthMethod::Post | ClientAuthMethod::Public) => Ok(AuthType::RequestBody),
        None if offers("client_secret_basic") => Ok(AuthType::BasicAuth),
        None if offers("client_secret_post") => Ok(AuthType::RequestBody),
        None => Err(OauthRefusal::ClientAuthUnsupported
            .refuse()
            .expected("client_secret_basic or client_secret_post")
            .found(offered.unwrap_or_default().join(" "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_connection_decides_and_then_the_metadata() {
        let post = offered(&["private_key_jwt", "client_secret_post"]);
        assert!(matches!(
            choose(Some(ClientAuthMethod::Basic), Some(&post)),
            Ok(AuthType::BasicAuth)
        ));
        assert!(matches!(
            choose(None, Some(&post)),
            Ok(AuthType::RequestBody)
        ));
        assert!(matches!(choose(None, None), Ok(AuthType::BasicAuth)));
    }

    #[test]
    fn a_provider_that_takes_no_secret_is_refused() {
        let refusal = choose(None, Some(&offered(&["private_key_jwt"]))).unwrap_err();
        assert_eq!(refusal, OauthRefusal::ClientAuthUnsupported);
    }
}
