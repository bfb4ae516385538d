//! What the Management API refuses, beside what is wrong with a connection's options.

use fedgate_providers::refusals;

refusals! {
    /// What the Management API refuses.
    pub enum ApiRefusal in "api" {
        /// The token does not have the scope that this request needs.
        ScopeMissing = "scope_missing", Application,
            says "The access token does not allow this.",
            fix "Ask for a token with one of the scopes named under expected, and add it to the application's scopes.";
        /// The body is larger than is read.
        BodyTooLarge = "body_too_large", Application,
            says "The request is too large.",
            fix "Send a smaller document; the limit is api_body_bytes under [limits].";
        /// The body is not a JSON object, or is nested too deep.
        BodyMalformed = "body_malformed", Application,
            says "The request cannot be read.",
            fix "Send one JSON object in UTF-8.";
        /// A JSON object names a member twice, so that two readers may see two values.
        MemberRepeated = "member_repeated", Application,
            says "The request says one thing twice.",
            fix "Name each member once.";
        /// The request holds a member or a query parameter that does not exist here.
        MemberUnknown = "member_unknown", Application,
            says "The request holds something unknown.",
            fix "Remove it, or write its name as shown under expected.";
        /// A member has the wrong JSON type.
        MemberType = "member_type", Application,
            says "Something in the request is of the wrong type.",
            fix "Send the type named under expected.";
        /// A member must be there and is not.
        MemberMissing = "member_missing", Application,
            says "Something is missing in the request.",
            fix "Add the member that is named.";
        /// A member or a query parameter has a value that it cannot have.
        MemberValue = "member_value", Application,
            says "Something in the request has a value that is not accepted.",
            fix "Send a value as described under expected.";
        /// No connection has this id.
        ConnectionUnknown = "connection_unknown", Application,
            says "There is no such connection.",
            fix "List the connections to find the right id.";
        /// No application has this client id.
        ApplicationUnknown = "application_unknown", Application,
            says "There is no such application.",
            fix "Use the client_id of an application from fedgate.toml or from the Management API.";
        /// The application is described in the configuration file, which alone changes it.
        ApplicationConfigured = "application_configured", Application,
            says "This application is described in the configuration file.",
            fix "Change it in fedgate.toml and restart, or create another one through the Management API.";
        /// The application has, or would get, scopes that the caller does not have: it would raise its own rights.
        ScopeExceeded = "scope_exceeded", Application,
            says "The caller may not give more rights than it has.",
            fix "Let a caller do this that has every scope of the application, those it loses and those it gets.";
        /// The application would be left without anything to prove itself with.
        ApplicationProofless = "application_proofless", Application,
            says "The application could not prove who it is any more.",
            fix "Keep its jwks or jwks_uri, or give it a client secret first; a public application cannot have client_credentials.";
        /// No organization has this code.
        OrganizationUnknown = "organization_unknown", Application,
            says "There is no such organization.",
            fix "Create the organization first; its answer holds the code.";
        /// No user has this id.
        UserUnknown = "user_unknown", Application,
            says "There is no such user.",
            fix "List the users to find the right id.";
        /// No identity has this id, or it belongs to another user.
        IdentityUnknown = "identity_unknown", Application,
            says "There is no such identity.",
            fix "List the identities of the user to find the right id.";
        /// The user is not a member of the organization.
        MembershipUnknown = "membership_unknown", Application,
            says "The user does not belong to this organization.",
            fix "List the users of the organization to find its members.";
        /// The domain of the address is not assigned to the connection, so that its identity provider may not speak for it.
        DomainNotAssigned = "domain_not_assigned", Application,
            says "The domain of this address is not assigned to the connection.",
            fix "Add the domain to the connection's home_realm_domains first, or send an address of one of its domains.";
        /// The connection knows this address or subject already, as this user's or as another's.
        IdentityTaken = "identity_taken", Application,
            says "The connection has an identity with this value already.",
            fix "Delete the other identity first, if it is not meant.";
        /// Another user has this provided_id.
        ProvidedIdTaken = "provided_id_taken", Application,
            says "Another user has this id.",
            fix "Choose another provided_id.";
        /// No trace is kept under this reference: it was never given out, or is older than traces are kept.
        LoginUnknown = "login_unknown", Application,
            says "There is no trace of this sign-in any more.",
            fix "Check the reference; let the person sign in again to get a new one.";
        /// No revision of the connection's metadata has this id or is before the live one, or it is the live one already.
        RevisionUnknown = "revision_unknown", Application,
            says "There is no such revision to take over.",
            fix "Read the connection's /metadata for the revisions that are held or were live before.";
        /// No key of the connection's metadata has this fingerprint.
        FingerprintUnknown = "fingerprint_unknown", Application,
            says "There is no such key.",
            fix "Read the connection's /metadata for its keys; a fingerprint is the SHA-256 of the certificate in hexadecimal.";
        /// The connection is none of SAML that is in use, or its metadata was given as a document, so that there is no address to read it from.
        MetadataUrlMissing = "metadata_url_missing", Application,
            says "There is no metadata address to read.",
            fix "Set saml_idp_metadata_url in place of saml_idp_metadata_xml and saml_idp_certificates, or send the new document.";
        /// Another change came first.
        LostUpdate = "lost_update", Application,
            says "Somebody else changed this in the meantime.",
            fix "Read it again, and send the change with the new ETag in If-Match.";
        /// Users, applications, domains or connections depend on what would be switched off or deleted.
        ConfirmationRequired = "confirmation_required", Application,
            says "Others depend on this.",
            fix "Look at the dependants in the answer; send the request again with confirm=true to go on.";
        /// A connection that was in use cannot become a draft again.
        StatusChange = "status_change", Application,
            says "The connection cannot take this status.",
            fix "Use disabled to switch the connection off.";
        /// The strategy of a connection is part of its people's identities and stays what it is.
        StrategyFixed = "strategy_fixed", Application,
            says "The strategy of a connection cannot be changed.",
            fix "Create another connection with the new strategy.";
        /// Another organization has this handle.
        HandleTaken = "handle_taken", Application,
            says "Another organization has this handle.",
            fix "Choose another handle.";
        /// Connections belong to the organization that would be deleted.
        OrganizationInUse = "organization_in_use", Application,
            says "Connections belong to this organization.",
            fix "Delete the organization's connections first, or move them to another organization.";
        /// The Management API has no such path.
        PathUnknown = "path_unknown", Application,
            says "There is nothing at this address.",
            fix "Check the path: the Management API's are listed in its documentation.";
        /// The path is there, but not for this HTTP method.
        MethodNotAllowed = "method_not_allowed", Application,
            says "This cannot be done with this address.",
            fix "Use one of the methods in the answer's Allow header.";
    }
}
