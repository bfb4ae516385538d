//! What the sign-in transaction refuses.

fedgate_providers::refusals! {
    /// What the sign-in transaction refuses. Nothing is written in any of these cases.
    pub enum PeopleRefusal in "people" {
        /// This login was finished before: the same callback came twice.
        LoginReplayed = "login_replayed", Browser,
            says "This sign-in was used already.",
            fix "Start again from the application. A double click, a reload or the back button leads here.";
        /// The identity provider's assertion was used for a login before.
        AssertionReplayed = "assertion_replayed", Browser,
            says "This sign-in was used already.",
            fix "Start again from the application. If it happens at every sign-in, the identity provider repeats its assertion IDs: ask its vendor.";
        /// The connection was removed while the person was at the identity provider.
        ConnectionMissing = "connection_missing", Operator,
            says "Signing in this way is not available any more.",
            fix "Choose another way to sign in, or set up the connection again.";
        /// The connection is not active.
        ConnectionDisabled = "connection_disabled", Operator,
            says "Signing in this way is switched off.",
            fix "Activate the connection, if it is meant to be used.";
        /// A key that signed the identity provider's answer was revoked while the person was there.
        KeyRevoked = "key_revoked", Operator,
            says "The sign-in answer is signed with a key that is trusted no longer.",
            fix "Let the identity provider sign with a new key; or trust the old one again at the connection's /metadata/keys in the Management API, if the revocation was not meant.";
        /// The connection is not enabled for the application, and neither a domain nor an organization leads to it.
        ConnectionNotEnabled = "connection_not_enabled", Operator,
            says "This application does not take this way of signing in.",
            fix "Enable the connection for the application, give it the person's e-mail domain, or add it to the organization.";
        /// The application asked for an organization that does not exist.
        OrganizationUnknown = "organization_unknown", Application,
            says "The organization to sign in to does not exist.",
            fix "Send the code of an existing organization in org_code.";
        /// The organization is reached through other connections.
        OrganizationConnectionNotAllowed = "organization_connection_not_allowed", Browser,
            says "This organization asks for another way of signing in.",
            fix "Sign in through a connection of the organization, or add this connection to the organization.";
        /// The person is not a member of the organization, and does not become one by signing in.
        NotAMember = "not_a_member", Operator,
            says "This account has no access to the organization.",
            fix "Add the user to the organization, or switch on is_auto_join_organization_enabled at its connection or is_auto_membership_enabled at the organization.";
        /// The identity is new, and the connection does not make users.
        UserUnknown = "user_unknown", Operator,
            says "This account cannot be used to sign in here.",
            fix "Switch on is_create_missing_user at the connection, or give the user an identity of this connection beforehand. {assignment}";
        /// An identity was entered beforehand for this person's address, and the address's domain is not assigned to the connection any more.
        DomainNotAssigned = "domain_not_assigned", Operator,
            says "This account cannot be used to sign in here.",
            fix "Add the domain to the connection's home_realm_domains again, or delete the identity that waits for the address.";
        /// The operator suspended the user.
        UserSuspended = "user_suspended", Operator,
            says "This account cannot be used to sign in here.",
            fix "Take the suspension back at the user, if it is not meant.";
    }
}
