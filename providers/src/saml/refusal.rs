//! Every way in which the SAML side turns a message down, in the order of the checks.

crate::refusals! {
    /// What the SAML service provider refuses.
    pub enum SamlRefusal in "saml" {
        // The form and its encoding.
        /// The form has no SAMLResponse field.
        ResponseMissing = "response_missing", Upstream,
            says "The sign-in answer from your organization's identity provider did not arrive.",
            fix "The identity provider must answer with the HTTP-POST binding at {acs}: one form field named SAMLResponse.";
        /// A field of the form came twice, so that two readers could take different values.
        FieldRepeated = "field_repeated", Upstream,
            says "The sign-in answer from your organization's identity provider arrived in a damaged form.",
            fix "Each of SAMLResponse and RelayState may be sent once. Look for a proxy or an extension that repeats form fields.";
        /// RelayState is longer than this service ever sends.
        RelayStateTooLong = "relay_state_too_long", Upstream,
            says "The sign-in answer from your organization's identity provider arrived in a damaged form.",
            fix "The identity provider must return RelayState as it was sent; a default RelayState set at the identity provider must be shorter than 2,048 bytes.";
        /// SAMLResponse is not base64 of the standard alphabet.
        Base64Invalid = "base64_invalid", Upstream,
            says "The sign-in answer from your organization's identity provider arrived in a damaged form.",
            fix "SAMLResponse must be standard base64, form-encoded once. A plus sign that became a blank points to a missing form encoding.";
        /// The base64 of SAMLResponse ends in the middle of a group: the field was cut off on its way.
        Base64Truncated = "base64_truncated", Upstream,
            says "The sign-in answer from your organization's identity provider was cut off on its way.",
            fix "Look for a proxy, a firewall or a form limit between browser and service that cuts long fields.";
        /// The decoded message is larger than the limit.
        ResponseTooLarge = "response_too_large", Upstream,
            says "The sign-in answer from your organization's identity provider is too large.",
            fix "Send fewer values: restrict {attributes} at the identity provider, groups above all, to those that this service needs.";

        // The XML.
        /// The document is not UTF-8, has another byte order mark, or declares another encoding or XML version.
        XmlEncoding = "xml_encoding", Upstream,
            says "The sign-in answer from your organization's identity provider could not be read.",
            fix "The document must be XML 1.0 in UTF-8.";
        /// The document has a document type declaration, the door to entity attacks.
        XmlDoctype = "xml_doctype", Upstream,
            says "The sign-in answer from your organization's identity provider could not be read.",
            fix "No SAML product writes a DOCTYPE: find out who changed the message on its way.";
        /// The document has a processing instruction, which two readers may take for different text.
        XmlProcessingInstruction = "xml_processing_instruction", Upstream,
            says "The sign-in answer from your organization's identity provider could not be read.",
            fix "The identity provider must not write processing instructions into its messages.";
        /// The document has a comment where a value could be cut in two by it.
        XmlComment = "xml_comment", Upstream,
            says "The sign-in answer from your organization's identity provider could not be read.",
            fix "The identity provider must not write XML comments into its messages: a comment inside a name is a known attack.";
        /// The document has a CDATA section.
        XmlCdata = "xml_cdata", Upstream,
            says "The sign-in answer from your organization's identity provider could not be read.",
            fix "The identity provider must write plain escaped text instead of CDATA sections.";
        /// The document refers to an entity other than the five of XML, or to a character that XML forbids.
        XmlEntity = "xml_entity", Upstream,
            says "The sign-in answer from your organization's identity provider could not be read.",
            fix "Only the five entities of XML and references to legal characters may be used.";
        /// The document is not well-formed XML.
        XmlMalformed = "xml_malformed", Upstream,
            says "The sign-in answer from your organization's identity provider could not be read.",
            fix "The message was cut off or changed on its way, or its writer has a defect; the position is in the evidence.";
        /// A prefix is not declared, or a namespace declaration is not one that every reader takes alike.
        XmlNamespace = "xml_namespace", Upstream,
            says "The sign-in answer from your organization's identity provider could not be read.",
            fix "Every prefix must be declared, and every namespace must be an absolute URI.";
        /// The document goes beyond a limit on depth, nodes, attributes or namespaces.
        XmlLimit = "xml_limit", Upstream,
            says "The sign-in answer from your organization's identity provider is too large.",
            fix "Send fewer values: restrict {attributes} at the identity provider, groups above all, to those that this service needs.";

        // The shape of the message.
        /// The message is not a SAML 2.0 protocol Response.
        ResponseExpected = "response_expected", Upstream,
            says "Your organization's identity provider sent something other than a sign-in answer.",
            fix "Set up SAML 2.0 at the identity provider, with the Response sent to {acs}; SAML 1.1 and WS-Federation answers are not read here.";
        /// The Version of the message or of the assertion is not 2.0.
        VersionUnsupported = "version_unsupported", Upstream,
            says "Your organization's identity provider sent an answer in a version that is not supported.",
            fix "Set up SAML 2.0 at the identity provider.";
        /// A Response stands inside the Response: the shape of a signature wrapping attack.
        ResponseNested = "response_nested", Upstream,
            says "The sign-in answer from your organization's identity provider was changed on its way.",
            fix "Treat this as an attack unless the identity provider is known to write such messages; nothing here can be changed to accept it.";
        /// More than one assertion: two readers could take different ones.
        AssertionsSeveral = "assertions_several", Upstream,
            says "The sign-in answer from your organization's identity provider held several identities.",
            fix "The identity provider must send exactly one assertion in a response.";
        /// An assertion stands elsewhere than directly in the Response: the shape of a signature wrapping attack.
        AssertionMisplaced = "assertion_misplaced", Upstream,
            says "The sign-in answer from your organization's identity provider was changed on its way.",
            fix "The one assertion must be a child of the Response. Assertions in Advice and in other places are not read: switch them off at the identity provider.";
        /// A signature stands elsewhere than directly in the Response or its assertion.
        SignatureMisplaced = "signature_misplaced", Upstream,
            says "The sign-in answer from your organization's identity provider was changed on its way.",
            fix "A signature must be enveloped in the element that it signs: the Response or the assertion.";
        /// One element has more than one signature.
        SignaturesSeveral = "signatures_several", Upstream,
            says "The sign-in answer from your organization's identity provider was changed on its way.",
            fix "The identity provider must sign the Response once and the assertion once at most.";
        /// An attribute that other readers take for an ID stands where SAML gives the element none.
        IdPolluted = "id_polluted", Upstream,
            says "The sign-in answer from your organization's identity provider was changed on its way.",
            fix "Only the plain ID attribute of the Response and the assertion may be there.";
        /// Two elements have the same ID, so that a signature could mean either.
        IdRepeated = "id_repeated", Upstream,
            says "The sign-in answer from your organization's identity provider was changed on its way.",
            fix "Every ID of a message must be unique.";
        /// The Response or the assertion has no ID.
        IdMissing = "id_missing", Upstream,
            says "The sign-in answer from your organization's identity provider is incomplete.",
            fix "The identity provider must give the Response and the assertion an ID (SAML core 2.3.3 and 3.2.2).";

        // The signature.
        /// The assertion is encrypted, which this connection cannot read.
        EncryptedAssertion = "encrypted_assertion", Upstream,
            says "Your organization's identity provider sent an encrypted sign-in, which cannot be read here.",
            fix "Switch assertion encryption off for this application at the identity provider; the connection to the browser is encrypted already.";
        /// A Response that reports success holds no assertion.
        AssertionMissing = "assertion_missing", Upstream,
            says "The sign-in answer from your organization's identity provider is incomplete.",
            fix "The identity provider must send one assertion in its Response.";
        /// Neither the Response nor the assertion is signed.
        SignatureMissing = "signature_missing", Upstream,
            says "The sign-in answer from your organization's identity provider is not signed.",
            fix "Set {signing} at the identity provider so that the assertion or the response is signed.";
        /// The connection demands a signed assertion, and only the Response is signed.
        AssertionNotSigned = "assertion_not_signed", Upstream,
            says "The sign-in answer from your organization's identity provider is not signed as agreed.",
            fix "Set {signing} at the identity provider so that the assertion is signed, or loosen saml_signature_policy of the connection.";
        /// The connection demands a signed Response, and only the assertion is signed.
        ResponseNotSigned = "response_not_signed", Upstream,
            says "The sign-in answer from your organization's identity provider is not signed as agreed.",
            fix "Set {signing} at the identity provider so that the response is signed, or loosen saml_signature_policy of the connection.";
        /// The signature is not of the accepted form: one reference to its parent, enveloped, exclusive canonicalization.
        SignatureProfile = "signature_profile", Upstream,
            says "The sign-in answer from your organization's identity provider is not signed in an accepted way.",
            fix "The signature must be enveloped, with one Reference to the ID of its parent and exclusive canonicalization. Products do this by default; an XML gateway in between may not.";
        /// The signature uses an algorithm that is not accepted, such as SHA-1.
        AlgorithmForbidden = "algorithm_forbidden", Upstream,
            says "The sign-in answer from your organization's identity provider is signed with an outdated method.",
            fix "Set {signing} at the identity provider to RSA with SHA-256 (or stronger, or ECDSA) and exclusive canonicalization.";
        /// The message carries a certificate that is not among those of this connection.
        KeyUnknown = "key_unknown", Upstream,
            says "The sign-in answer is signed with a key that is not registered for your organization.",
            fix "Compare the fingerprints: if the identity provider has a new {certificate}, load its current {metadata} into the connection.";
        /// No key of this connection made the signature.
        SignatureInvalid = "signature_invalid", Upstream,
            says "The signature of the sign-in answer from your organization's identity provider is not valid.",
            fix "Load the current {metadata} or {certificate} of the identity provider into the connection. If it is current, the message was changed on its way.";
        /// The signature is genuine, and what it covers was changed after signing.
        DigestMismatch = "digest_mismatch", Upstream,
            says "The sign-in answer from your organization's identity provider was changed on its way.",
            fix "Look for a proxy that rewrites pages or forms, and for software that reformats the XML after signing.";
    }
}
