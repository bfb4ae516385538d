//! Every refusal that there is, in one list: for documents, explanations and the tests that want each one produced.

use fedgate_providers::error::Catalogued;
use fedgate_providers::{connection, egress, oauth, oidc, saml};

use crate::config::ConfigRefusal;
use crate::ephemeral::EphemeralRefusal;
use crate::error::GatewayRefusal;
use crate::login::LoginRefusal;
use crate::logout::LogoutRefusal;
use crate::management::{ApiRefusal, KeyRefusal};
use crate::op::OpRefusal;
use crate::people::PeopleRefusal;
use crate::registry::RegistryRefusal;
use crate::routing::RouteRefusal;
use crate::setup::SetupRefusal;
use crate::store::StoreRefusal;

/// Every refusal that exists, area by area: the source of `docs/errors.md`.
pub fn catalogue() -> Vec<&'static Catalogued> {
    let areas: [Vec<&'static Catalogued>; 19] = [
        of(
            connection::ConnectionRefusal::ALL,
            connection::ConnectionRefusal::entry,
        ),
        of(saml::MetadataRefusal::ALL, saml::MetadataRefusal::entry),
        of(saml::SamlRefusal::ALL, saml::SamlRefusal::entry),
        of(oauth::OauthRefusal::ALL, oauth::OauthRefusal::entry),
        of(oidc::OidcRefusal::ALL, oidc::OidcRefusal::entry),
        of(egress::EgressRefusal::ALL, egress::EgressRefusal::entry),
        of(RouteRefusal::ALL, RouteRefusal::entry),
        of(LoginRefusal::ALL, LoginRefusal::entry),
        of(RegistryRefusal::ALL, RegistryRefusal::entry),
        of(PeopleRefusal::ALL, PeopleRefusal::entry),
        of(OpRefusal::ALL, OpRefusal::entry),
        of(LogoutRefusal::ALL, LogoutRefusal::entry),
        of(ApiRefusal::ALL, ApiRefusal::entry),
        of(KeyRefusal::ALL, KeyRefusal::entry),
        of(ConfigRefusal::ALL, ConfigRefusal::entry),
        of(StoreRefusal::ALL, StoreRefusal::entry),
        of(EphemeralRefusal::ALL, EphemeralRefusal::entry),
        of(SetupRefusal::ALL, SetupRefusal::entry),
        of(GatewayRefusal::ALL, GatewayRefusal::entry),
    ];
    areas.concat()
}

fn of<T: Copy>(all: &'static [T], entry: fn(T) -> &'static Catalogued) -> Vec<&'static Catalogued> {
    all.iter().map(|leaf| entry(*leaf)).collect()
}

/// The catalogue entry of a code.
pub fn catalogued(code: &str) -> Option<&'static Catalogued> {
    catalogue().into_iter().find(|entry| entry.code == code)
}
