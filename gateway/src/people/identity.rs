//! Identities: their names, and what kind a strategy leads to.

use fedgate_providers::spec::Spec;
use rand::CryptoRng;

use crate::store::identity::IdentityKind;
use fedgate_certs::hex;

/// `identity_` and 32 hex digits.
pub fn new_id(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    hex::with_prefix("identity_", &bytes)
}

/// Enterprise or social: `oauth2:*` providers are open to everybody, but for an organization's own Entra ID
/// and a custom one; the others belong to an organization.
pub fn kind_of(spec: &Spec) -> IdentityKind {
    match spec.strategy.as_str() {
        "oauth2:azure_ad" => IdentityKind::Enterprise,
        strategy if strategy.starts_with("oauth2:") => IdentityKind::Social,
        _ => IdentityKind::Enterprise,
    }
}
