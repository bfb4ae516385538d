//! What is fetched, and what follows from that.

use url::Url;

/// What is fetched, since that decides about redirects and `Accept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// SAML metadata: may redirect to another host, as federations do.
    SamlMetadata,
    /// OpenID Provider configuration: redirects within its host only, for the host is the issuer's.
    Discovery,
    /// A JSON Web Key Set: no redirects.
    Keys,
}

impl Purpose {
    pub(super) fn accept(self) -> &'static str {
        match self {
            Self::SamlMetadata => "application/samlmetadata+xml, application/xml, text/xml",
            Self::Discovery => "application/json",
            Self::Keys => "application/jwk-set+json, application/json",
        }
    }

    pub(super) fn asked(self) -> &'static str {
        match self {
            Self::SamlMetadata => "metadata",
            Self::Discovery => "discovery",
            Self::Keys => "keys",
        }
    }

    pub(super) fn may_redirect(self, from: &Url, to: &Url) -> bool {
        match self {
            Self::SamlMetadata => true,
            Self::Discovery => from.host() == to.host(),
            Self::Keys => false,
        }
    }
}
