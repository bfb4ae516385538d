//! Every way in which the SAML side turns a message down, in the order of the checks.

crate::refusals! {
    /// What the SAML service provider refuses.
    pub enum SamlRefusal in "saml" {
        // The request.
        /// The connection's requests are to be signed, and no key signs them: all of this gateway's are retired, or OpenSSL refuses the algorithm on this host.
        RequestUnsigned = "request_unsigned", Operator, kinde 9364,
            says "This way to sign in is not available.",
            fix "Give the connection a pair of its own (saml_signing_certificate, saml_signing_private_key), or keep one of the gateway's keys for SAML active.";
        /// The connection signs its requests with SHA-1, and the last day for that has passed.
        RequestSignatureExpired = "request_signature_expired", Operator, kinde 9364,
            says "Signing in this way is not available any more.",
            fix "Set sign_request_algorithm to RSA-SHA256 and let the identity provider verify it; or move saml_legacy_sha1_until, at most 180 days ahead.";

        // The binding.
        /// The response came in the address instead of a form; SAML profiles 4.1.2 forbids that.
        WrongBinding = "wrong_binding", Upstream,
            says "Your organization's identity provider answered in a way that is not supported.",
            fix "Make the identity provider answer by HTTP-POST at {acs}.";

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
        /// The Response or the assertion has no ID, or one that is no name of ASCII characters.
        IdMissing = "id_missing", Upstream,
            says "The sign-in answer from your organization's identity provider is incomplete.",
            fix "The identity provider must give the Response and the assertion an ID that begins with a letter or an underscore (SAML core 1.3.4, 2.3.3 and 3.2.2).";

        // Status (SAML core 3.2.2).
        /// The response has no Status or no StatusCode, which SAML core 3.2.2 requires.
        StatusMissing = "status_missing", Upstream,
            says "Your organization's identity provider sent an incomplete answer.",
            fix "Report this to the vendor of the identity provider: every Response must carry a Status (SAML core 3.2.2).";
        /// The identity provider could not authenticate the person: a wrong password, a cancelled prompt or a failed second factor.
        StatusAuthnFailed = "status_authn_failed", Browser,
            says "Your organization's identity provider did not sign you in.",
            fix "Try again and finish the sign-in there. If it fails for everybody, look at the sign-in log of {console}.";
        /// The identity provider refused to answer: the person declined, or a policy there forbids this sign-in.
        StatusRequestDenied = "status_request_denied", Upstream,
            says "Your organization's identity provider refused this sign-in.",
            fix "Check {assignment} and the access policies of this application in {console}.";
        /// The identity provider does not know the person, or the person is not assigned to this application.
        StatusUnknownPrincipal = "status_unknown_principal", Upstream,
            says "Your organization's identity provider does not let this account use this application.",
            fix "Give the person access under {assignment} in {console}.";
        /// The identity provider would have to show a page, and the request forbade that.
        StatusNoPassive = "status_no_passive", Browser,
            says "Your organization's identity provider needs to ask you something first.",
            fix "Start the sign-in again, without asking for a silent one.";
        /// The identity provider cannot reach the authentication context that the application asked for.
        StatusNoAuthnContext = "status_no_authn_context", Application,
            says "Your organization's identity provider cannot sign you in as strongly as this application asks.",
            fix "Ask for an acr_values that this identity provider offers, or set up the stronger method there.";
        /// The identity provider cannot issue the NameID Format that this connection asks for.
        StatusInvalidNameIdPolicy = "status_invalid_name_id_policy", Operator,
            says "Sign-in with your organization is not set up correctly.",
            fix "Set name_id_format of the connection to the one under {name_id} in {console}, or to Unspecified.";
        /// The identity provider does not support the request, its binding or its version.
        StatusUnsupported = "status_unsupported", Operator,
            says "Sign-in with your organization is not set up correctly.",
            fix "Set protocol_binding of the connection to a binding that the identity provider's metadata lists.";
        /// The identity provider says that the request was at fault: often an unknown entityID, an unregistered ACS URL or a signature it wanted.
        StatusRequester = "status_requester", Operator,
            says "Sign-in with your organization is not set up correctly.",
            fix "Compare {audience} and {acs} in {console} with this connection's values; its log names the exact reason.";
        /// The identity provider failed on its own side.
        StatusResponder = "status_responder", Upstream,
            says "Your organization's identity provider reported a problem of its own.",
            fix "Look for this sign-in in the log of {console}; {assignment} and missing {attributes} are frequent reasons.";
        /// The identity provider answered with a status that is neither Success nor one that SAML core 3.2.2.2 defines.
        StatusOther = "status_other", Upstream,
            says "Your organization's identity provider refused this sign-in.",
            fix "Look for this sign-in in the log of {console}; the status it sent is shown as found.";

        // The signature.
        /// The assertion is encrypted, and this connection has no key to decrypt it.
        EncryptedAssertion = "encrypted_assertion", Upstream,
            says "Your organization's identity provider sent an encrypted sign-in, which cannot be read here.",
            fix "Load this connection's current metadata into {console}, so that it encrypts to the key there, or switch assertion encryption off for this application; the connection to the browser is encrypted already.";
        /// The encryption is not of the accepted form: one EncryptedData with its cipher text, and one EncryptedKey inside or beside it.
        EncryptionProfile = "encryption_profile", Upstream,
            says "Your organization's identity provider encrypted the sign-in in a way that cannot be read here.",
            fix "The identity provider must encrypt the assertion to one key, and send that key inside or beside the encrypted data (SAML core 2.3.4). Products do this by default.";
        /// The assertion is encrypted with an algorithm that is not accepted: RSA 1.5, Triple DES, or AES-CBC where the connection does not allow it.
        EncryptionAlgorithm = "encryption_algorithm", Upstream,
            says "Your organization's identity provider encrypted the sign-in with an outdated method.",
            fix "Set {encryption} to AES-GCM with RSA-OAEP. If only AES-CBC is offered, have the response signed as well and set saml_allow_aes_cbc of the connection, or switch encryption off.";
        /// So many encrypted answers of this connection could not be decrypted that AES-CBC is not tried until the minute ends.
        DecryptionPaused = "decryption_paused", Upstream,
            says "Too many sign-ins of your organization could not be read. Try again in a minute.",
            fix "Set {encryption} to AES-GCM, or have the response signed: neither is ever paused.";
        /// The assertion does not decrypt. On purpose nothing says why: another key, or cipher text that was altered.
        DecryptionFailed = "decryption_failed", Upstream,
            says "The encrypted sign-in from your organization's identity provider cannot be read.",
            fix "Load this connection's current metadata into {console}: it may encrypt to an older key or to that of another service. With AES-CBC no more can be told; with AES-GCM ({encryption}) it can.";
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
        /// The message carries a certificate that is not among those of this connection; nor does the metadata have it that was read anew for this login, where the connection has its address.
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

        // Issuer (SAML profiles 4.1.4.2).
        /// The assertion, or a signed response, names no Issuer.
        IssuerMissing = "issuer_missing", Upstream,
            says "Your organization's identity provider sent an incomplete answer.",
            fix "Report this to the vendor of the identity provider: the Issuer is required (SAML profiles 4.1.4.2).";
        /// The Issuer is not the entityID of the identity provider that this connection trusts.
        IssuerMismatch = "issuer_mismatch", Operator,
            says "The sign-in came from another identity provider than the one set up for your organization.",
            fix "Import the {metadata} of the identity provider that really answers; the entityID there must equal the Issuer it sends.";
        /// The Issuer carries a Format other than entity, which SAML profiles 4.1.4.2 forbids.
        IssuerFormat = "issuer_format", Upstream,
            says "Your organization's identity provider sent an answer that cannot be used.",
            fix "Make the identity provider send its Issuer without a Format, or with urn:oasis:names:tc:SAML:2.0:nameid-format:entity.";

        // Destination (SAML core 3.2.2, bindings 3.5.5.2).
        /// The response is signed but has no Destination, which SAML bindings 3.5.5.2 requires.
        DestinationMissing = "destination_missing", Upstream,
            says "Your organization's identity provider sent an incomplete answer.",
            fix "Make the identity provider send a Destination: enter {acs} in {console}.";
        /// The Destination is not this connection's ACS URL, octet for octet.
        DestinationMismatch = "destination_mismatch", Upstream, kinde 578,
            says "Your organization's identity provider sent the sign-in to another address.",
            fix "Set {acs} in {console} to the value expected here, exactly: no slash more, no other case.";

        // InResponseTo (SAML profiles 4.1.4.3).
        /// The response does not say which request it answers.
        InResponseToMissing = "in_response_to_missing", Browser,
            says "This sign-in was not started here.",
            fix "Start at the application's own sign-in page; a tile in the identity provider's portal sends a response that nobody asked for.";
        /// The response answers another request: an old tab, another browser, or a response captured elsewhere.
        InResponseToMismatch = "in_response_to_mismatch", Browser,
            says "This sign-in belongs to another attempt.",
            fix "Close other sign-in tabs and start again.";
        /// A response that should be unsolicited names a request.
        InResponseToUnexpected = "in_response_to_unexpected", Browser,
            says "This sign-in belongs to another attempt.",
            fix "Start again at the application's own sign-in page.";

        // Conditions (SAML core 2.5.1).
        /// The assertion breaks the SAML schema: something required is missing, repeated or not readable.
        AssertionMalformed = "assertion_malformed", Upstream,
            says "Your organization's identity provider sent an answer that cannot be used.",
            fix "Report this to the vendor of the identity provider; the detail names the element (SAML core 2.3.3).";
        /// A time is not an xs:dateTime in UTC (SAML core 1.3.3).
        TimeMalformed = "time_malformed", Upstream,
            says "Your organization's identity provider sent an answer that cannot be used.",
            fix "Report this to the vendor of the identity provider: times are written as 2026-01-31T12:00:00Z (SAML core 1.3.3).";
        /// The assertion has no Conditions, so it names neither an audience nor a time.
        ConditionsMissing = "conditions_missing", Upstream,
            says "Your organization's identity provider sent an incomplete answer.",
            fix "Make the identity provider send Conditions with an AudienceRestriction (SAML profiles 4.1.4.2).";
        /// The Conditions hold one that this gateway does not know; such an assertion must not be used (SAML core 2.5.1).
        ConditionUnknown = "condition_unknown", Upstream,
            says "Your organization's identity provider sent a sign-in with a condition that is not supported here.",
            fix "Remove the condition named here from this application's settings in {console}.";
        /// The identity provider limits who may pass this identity on, and passing it on is what this gateway does (SAML core 2.5.1.6).
        ProxyRestricted = "proxy_restricted", Upstream,
            says "Your organization's identity provider does not allow this sign-in to be passed on.",
            fix "Remove the ProxyRestriction for this application in {console}, or allow a count of at least one without an audience.";
        /// The assertion names no audience (SAML profiles 4.1.4.2 requires one).
        AudienceMissing = "audience_missing", Upstream, kinde 578,
            says "Your organization's identity provider sent an incomplete answer.",
            fix "Set {audience} in {console} to the value expected here.";
        /// An AudienceRestriction does not hold this connection's entityID, character for character.
        AudienceMismatch = "audience_mismatch", Upstream, kinde 578,
            says "Your organization's identity provider sent a sign-in meant for another service.",
            fix "Set {audience} in {console} to the value expected here, exactly.";
        /// The Conditions' NotBefore is in the future, beyond the tolerance for clocks.
        NotYetValid = "not_yet_valid", Upstream,
            says "Your organization's identity provider sent a sign-in that is not valid yet.",
            fix "Set the identity provider's {clock} right, or raise saml_clock_skew_seconds (at most 300).";
        /// The Conditions' NotOnOrAfter has passed.
        Expired = "expired", Browser, kinde 578,
            says "This sign-in took too long and has expired.",
            fix "Start again. If it happens every time, set the identity provider's {clock} right.";
        /// The response or assertion claims to be made in the future, beyond the tolerance for clocks.
        IssueInstantFuture = "issue_instant_future", Upstream,
            says "Your organization's identity provider sent a sign-in that is not valid yet.",
            fix "Set the identity provider's {clock} right, or raise saml_clock_skew_seconds (at most 300).";
        /// The response or assertion was made more than five minutes ago.
        IssueInstantTooOld = "issue_instant_too_old", Browser,
            says "This sign-in took too long and has expired.",
            fix "Start again. If it happens every time, set the identity provider's {clock} right.";
        /// The assertion would stay valid for more than a week.
        ValidityTooLong = "validity_too_long", Upstream,
            says "Your organization's identity provider sent an answer that cannot be used.",
            fix "Shorten the assertion's lifetime in {console}; minutes are usual (SAML profiles 4.1.4.2).";

        // The second opinion (builds with the feature `second-opinion`).
        /// Another implementation refused the response that was accepted here, or found other octets signed: one of them is wrong.
        SecondOpinionDiffers = "second_opinion_differs", Gateway,
            says "Your sign-in could not be confirmed.",
            fix "Report it as docs/SECURITY.md says, with the reference and the response if it can be had again; a build without the feature second-opinion does not ask.";
        /// Another implementation did not say in time what it makes of the response that was accepted here.
        SecondOpinionUnavailable = "second_opinion_unavailable", Gateway,
            says "Your sign-in could not be confirmed in time.",
            fix "Start again. If it happens every time, look at the processor's load; a build without the feature second-opinion does not ask.";

        // Subject and confirmation (SAML profiles 4.1.4.2 and 4.1.4.3).
        /// The assertion has no Subject.
        SubjectMissing = "subject_missing", Upstream,
            says "Your organization's identity provider did not say who signed in.",
            fix "Make the identity provider send a Subject with a bearer confirmation (SAML profiles 4.1.4.2).";
        /// The identifier is encrypted (EncryptedID), which this version does not read.
        EncryptedId = "encrypted_id", Upstream,
            says "Your organization's identity provider sent an encrypted answer, which cannot be read here.",
            fix "Switch the encryption of {name_id} off in {console}; the connection is protected by TLS.";
        /// No SubjectConfirmation uses the bearer method.
        ConfirmationMissing = "confirmation_missing", Upstream,
            says "Your organization's identity provider sent an incomplete answer.",
            fix "Make the identity provider confirm the subject by urn:oasis:names:tc:SAML:2.0:cm:bearer (SAML profiles 4.1.4.2).";
        /// The bearer confirmation has no Recipient.
        RecipientMissing = "recipient_missing", Upstream,
            says "Your organization's identity provider sent an incomplete answer.",
            fix "Enter {acs} in {console}: the bearer confirmation must carry it as Recipient (SAML profiles 4.1.4.2).";
        /// The bearer confirmation's Recipient is not this connection's ACS URL, octet for octet.
        RecipientMismatch = "recipient_mismatch", Upstream, kinde 578,
            says "Your organization's identity provider sent a sign-in meant for another address.",
            fix "Set {acs} in {console} to the value expected here, exactly: no slash more, no other case.";
        /// The bearer confirmation has a NotBefore, which SAML profiles 4.1.4.2 forbids.
        ConfirmationNotBefore = "confirmation_not_before", Upstream,
            says "Your organization's identity provider sent an answer that cannot be used.",
            fix "Report this to the vendor of the identity provider: a bearer SubjectConfirmationData must not have a NotBefore.";
        /// The bearer confirmation does not say until when it holds (NotOnOrAfter).
        ConfirmationEndMissing = "confirmation_end_missing", Upstream,
            says "Your organization's identity provider sent an incomplete answer.",
            fix "Report this to the vendor of the identity provider: a bearer SubjectConfirmationData must have a NotOnOrAfter (SAML profiles 4.1.4.2).";
        /// The bearer confirmation's NotOnOrAfter has passed.
        ConfirmationExpired = "confirmation_expired", Browser,
            says "This sign-in took too long and has expired.",
            fix "Start again. If it happens every time, set the identity provider's {clock} right.";
        /// The bearer confirmation answers another request than this one, or none.
        ConfirmationInResponseTo = "confirmation_in_response_to", Upstream,
            says "This sign-in belongs to another attempt.",
            fix "Start again. If it happens every time, the identity provider must copy the request's ID into SubjectConfirmationData (SAML profiles 4.1.4.2).";

        // Statement (SAML core 2.7.2).
        /// The assertion has no AuthnStatement: it does not say that anybody authenticated.
        StatementMissing = "statement_missing", Upstream,
            says "Your organization's identity provider did not say that you signed in.",
            fix "Make the identity provider send an AuthnStatement (SAML profiles 4.1.4.2).";
        /// The identity provider's own session has ended (SessionNotOnOrAfter).
        SessionExpired = "session_expired", Browser,
            says "Your session at your organization's identity provider has ended.",
            fix "Sign out there, then start again.";
        /// The person authenticated in the future, beyond the tolerance for clocks.
        AuthnInstantFuture = "authn_instant_future", Upstream,
            says "Your organization's identity provider sent a sign-in that is not valid yet.",
            fix "Set the identity provider's {clock} right, or raise saml_clock_skew_seconds (at most 300).";
        /// The application asked for a fresh authentication, and the identity provider used an older one.
        AuthnTooOld = "authn_too_old", Upstream,
            says "This application asks you to sign in afresh, and your organization's identity provider did not ask you.",
            fix "Make the identity provider honour ForceAuthn for this application (SAML core 3.4.1), or drop prompt=login and max_age.";
        /// The authentication context is none of those that the application asked for.
        AuthnContextMismatch = "authn_context_mismatch", Upstream,
            says "Your organization's identity provider signed you in less strongly than this application asks.",
            fix "Set up the requested method at the identity provider, or ask for another acr_values.";

        // NameID and attributes (SAML core 2.2.2, 2.7.3, 8.3).
        /// There is no NameID, and no attribute is configured to name the subject instead.
        NameIdMissing = "name_id_missing", Upstream,
            says "Your organization's identity provider did not say who signed in.",
            fix "Set {name_id} in {console}, or name an attribute by saml_user_id_key_attr.";
        /// The NameID is empty, longer than 256 characters, or holds control, zero-width or text-direction characters.
        NameIdInvalid = "name_id_invalid", Upstream,
            says "Your organization's identity provider did not say clearly who signed in.",
            fix "Choose another source for {name_id} in {console}.";
        /// A persistent or transient NameID was made for another service provider (SAML core 8.3.7).
        NameQualifierMismatch = "name_qualifier_mismatch", Upstream,
            says "Your organization's identity provider sent a sign-in meant for another service.",
            fix "Make the identity provider qualify {name_id} with the value expected here, or leave SPNameQualifier out.";
        /// The NameID is transient: it is another one at each sign-in, so nobody can be recognized by it (SAML core 8.3.8).
        NameIdTransient = "name_id_transient", Upstream,
            says "Your organization's identity provider sent an identifier that changes at each sign-in.",
            fix "Set {name_id} in {console} to persistent or e-mail address, or name a stable attribute by saml_user_id_key_attr.";
        /// The attribute that this connection takes the subject from is missing or empty.
        SubjectAttributeMissing = "subject_attribute_missing", Upstream,
            says "Your organization's identity provider did not say who signed in.",
            fix "Release the attribute expected here under {attributes} in {console}, or correct saml_user_id_key_attr.";
        /// The attribute that this connection takes the subject from holds several different values, or one that cannot be an identifier.
        SubjectAttributeInvalid = "subject_attribute_invalid", Upstream,
            says "Your organization's identity provider did not say clearly who signed in.",
            fix "Release exactly one plain value of the attribute named here under {attributes} in {console}.";
        /// An attribute is encrypted (EncryptedAttribute), which this version does not read.
        EncryptedAttribute = "encrypted_attribute", Upstream,
            says "Your organization's identity provider sent an encrypted answer, which cannot be read here.",
            fix "Switch the encryption of {attributes} off in {console}; the connection is protected by TLS.";
        /// There are more attributes or values than anybody releases on purpose: 256 names, 2,000 values, 256 KiB.
        TooManyAttributes = "too_many_attributes", Upstream,
            says "Your organization's identity provider sent more about you than can be taken in.",
            fix "Filter what is released under {attributes} in {console}: groups that this application uses, not all.";
    }
}
