//! Home realm discovery: which connection a login goes to.

pub mod button;
pub mod route;

use fedgate_providers::refusals;
use serde::{Deserialize, Serialize};

refusals! {
    /// Why a login could not be routed.
    pub enum RouteRefusal in "route" {
        /// No connection has this e-mail domain, and the application names no fall-back connection.
        UnknownDomain = "unknown_domain", Operator,
            says "There is no company sign-in for this e-mail address here.",
            fix "Add the domain to home_realm_domains of a connection, set fallback_connection on the application, or choose another way to sign in.";
        /// What was typed is not an e-mail address.
        EmailInvalid = "email_invalid", Browser,
            says "Enter a complete e-mail address, such as name@company.com.",
            fix "Enter an address with one @ and a domain.";
        /// `connection_id` names no connection, or one that is not enabled for this application.
        ConnectionNotEnabled = "connection_not_enabled", Application,
            says "The application asked for a way to sign in that it may not use.",
            fix "Enable the connection for this application, or send another connection_id.";
        /// `org_code` names no organization, or one without an active connection.
        OrganizationUnknown = "organization_unknown", Application,
            says "The application asked for an organization that has no way to sign in here.",
            fix "Send the code of an organization that has an active connection.";
    }
}

/// How a connection was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The application named it.
    ConnectionId,
    /// The domain of the address belongs to it.
    Domain,
    /// It is the only one of the organization that was asked for.
    Organization,
    /// The person pressed its button.
    Button,
    /// The domain is unknown and the application names this one for that case.
    Fallback,
}

impl Reason {
    /// One line for the trace.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionId => "the application named the connection",
            Self::Domain => "the e-mail domain belongs to the connection",
            Self::Organization => "the organization has this one connection",
            Self::Button => "the person chose the connection",
            Self::Fallback => {
                "the domain is unknown; this is the application's fall-back connection"
            }
        }
    }
}
