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
    }
}
