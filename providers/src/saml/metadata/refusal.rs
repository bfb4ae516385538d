//! Every way in which an identity provider's metadata is turned down, in the order of the checks.

crate::refusals! {
    /// What is refused in the metadata of an identity provider.
    pub enum MetadataRefusal in "metadata" {
        /// The document is larger than 4 MiB.
        TooLarge = "too_large", Operator,
            says "Sign-in with your organization is not set up correctly.",
            fix "Use the {metadata} of the one identity provider, not of a whole federation.";
        /// The document is not XML that can be read: an HTML page, a download cut short, or with a document type.
        NotXml = "not_xml", Operator,
            says "Sign-in with your organization is not set up correctly.",
            fix "Open the {metadata} address in a browser: it must show XML, not a sign-in page.";
        /// The document is XML, but neither an EntityDescriptor nor an EntitiesDescriptor.
        NotMetadata = "not_metadata", Operator,
            says "Sign-in with your organization is not set up correctly.",
            fix "Use the SAML 2.0 {metadata} of the identity provider.";
        /// No entity in the document has an IDPSSODescriptor for SAML 2.0; often it is a service provider's metadata.
        NoIdentityProvider = "no_identity_provider", Operator,
            says "Sign-in with your organization is not set up correctly.",
            fix "Import the {metadata} of the identity provider, not of a service provider.";
        /// The document holds several identity providers.
        SeveralIdentityProviders = "several_identity_providers", Operator,
            says "Sign-in with your organization is not set up correctly.",
            fix "Import the {metadata} of one identity provider alone.";
        /// The identity provider has no entityID, or one longer than 1,024 characters.
        EntityIdMissing = "entity_id_missing", Upstream,
            says "Sign-in with your organization is not set up correctly.",
            fix "Export the {metadata} again; its EntityDescriptor must have an entityID (SAML metadata 2.3.2).";
        /// The identity provider publishes no certificate for signing, so nothing it sends could be trusted.
        NoKey = "no_key", Upstream,
            says "Sign-in with your organization is not set up correctly.",
            fix "Set up {certificate} in {console} and export the {metadata} again: a KeyDescriptor for signing with an X509Certificate is required.";
        /// All its signing keys are RSA keys below 2048 bits.
        KeyWeak = "key_weak", Upstream,
            says "Sign-in with your organization is not set up correctly.",
            fix "Create a new {certificate} in {console} with an RSA key of at least 2048 bits, and export the {metadata} again.";
        /// None of its signing certificates can be read, or their kind of key is not supported.
        CertificateUnusable = "certificate_unusable", Upstream,
            says "Sign-in with your organization is not set up correctly.",
            fix "Create a new {certificate} in {console} with an RSA (2048 to 8192 bits) or P-256, P-384 or P-521 key, and export the {metadata} again.";
        /// It publishes more than eight different signing keys.
        TooManyKeys = "too_many_keys", Upstream,
            says "Sign-in with your organization is not set up correctly.",
            fix "Remove retired signing certificates from the {metadata}.";
        /// A validUntil is not a time.
        ValidUntilMalformed = "valid_until_malformed", Upstream,
            says "Sign-in with your organization is not set up correctly.",
            fix "Export the {metadata} again; validUntil is written as 2026-01-31T12:00:00Z.";
        /// The identity provider has no SingleSignOnService for the binding that this connection uses.
        SsoMissing = "sso_missing", Operator,
            says "Sign-in with your organization is not set up correctly.",
            fix "Set protocol_binding to one that was found, or give saml_sign_in_url.";
        /// The SingleSignOnService is not an https address (http is for loopback only).
        SsoInsecure = "sso_insecure", Upstream,
            says "Sign-in with your organization is not set up correctly.",
            fix "Serve the identity provider over https and export its {metadata} again.";
        /// The metadata's validUntil has passed.
        Expired = "expired", Operator,
            says "Sign-in with your organization is out of date and must be renewed.",
            fix "Import the current {metadata} of the identity provider, or configure its URL so that it renews itself.";
        /// Every signing key of the identity provider's metadata was revoked by a person.
        KeysRevoked = "keys_revoked", Operator,
            says "Sign-in with your organization is suspended.",
            fix "Trust a key again at the connection's /metadata/keys in the Management API, or load {metadata} that holds a new one.";
    }
}
