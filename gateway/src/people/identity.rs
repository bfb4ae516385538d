//! Identities: what kind a strategy leads to.

use fedgate_providers::spec::Spec;

use crate::store::identity::IdentityKind;

/// Enterprise or social: `oauth2:*` providers are open to everybody, but for an organization's own Entra ID
/// and a custom one; the others belong to an organization.
pub fn kind_of(spec: &Spec) -> IdentityKind {
    match spec.strategy.as_str() {
        "oauth2:azure_ad" => IdentityKind::Enterprise,
        strategy if strategy.starts_with("oauth2:") => IdentityKind::Social,
        _ => IdentityKind::Enterprise,
    }
}
