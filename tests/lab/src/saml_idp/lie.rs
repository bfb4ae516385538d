//! The lies of a SAML identity provider, and how each changes a response.

use super::Signed;
use super::write::{doubled, without_attribute, without_element};

crate::lies::lies! {
    /// How the identity provider misbehaves for one login.
    pub enum Lie {
        #[default] Honest = "No: tell the truth",

        WrongAudience = "Audience of another service",
        NoAudience = "No audience",
        WrongRecipient = "Recipient of another service",
        NoRecipient = "No recipient",
        WrongDestination = "Destination of another service",
        NoDestination = "Signed response without a destination",
        WrongIssuer = "Issuer of another identity provider",
        NoIssuer = "Assertion without an issuer",
        IssuerFormat = "Issuer of another format",

        Unsigned = "Not signed",
        ResponseSignedOnly = "Only the response signed",
        AssertionSignedOnly = "Only the assertion signed",
        RolledKey = "Signed with a key that is not in the metadata",
        TamperedAfterSigning = "Changed after signing",
        TamperedSignature = "Signature value changed",
        Sha1 = "Signed with SHA-1",
        ExtraTransform = "Signature with a transform too many",
        SignatureMisplaced = "Signature in another place",
        TwoSignatures = "Signature twice",
        Encrypted = "Assertion encrypted for another service",
        EncryptedCbc = "Assertion encrypted with AES-CBC",

        Expired = "Assertion expired",
        NotYetValid = "Assertion not valid yet",
        ConfirmationExpired = "Confirmation expired",
        ClockSkew = "Clock seven minutes ahead",
        OldIssueInstant = "Issued half an hour ago",
        LongValidity = "Valid for a year",
        MalformedTime = "Time without a zone",
        SessionExpired = "Session already ended",
        FutureAuthnInstant = "Authenticated in the future",
        OldAuthnInstant = "Authenticated yesterday",

        LostInResponseTo = "Answer to another request",
        NoInResponseTo = "Answer to no request",
        ConfirmationInResponseTo = "Confirmation for another request",
        NoRelayState = "RelayState lost",
        ForeignRelayState = "RelayState of somebody else",

        Cancelled = "Cancelled by the person",
        AuthnFailed = "Status: authentication failed",
        UnknownPrincipal = "Status: person not assigned",
        NoPassive = "Status: would have to ask",
        NoAuthnContext = "Status: context not offered",
        InvalidNameIdPolicy = "Status: NameID format not offered",
        RequestUnsupported = "Status: request unsupported",
        Requester = "Status: request at fault",
        Responder = "Status: own fault",
        OtherStatus = "Status of its own making",
        NoStatus = "No status",

        NoAssertion = "No assertion",
        TwoAssertions = "Two assertions",
        MisplacedAssertion = "Assertion in another place",
        NestedResponse = "Response inside the response",
        OtherMessage = "Another kind of message",
        OldVersion = "Version 1.1",
        RepeatedId = "Same ID twice",
        ReusedId = "Assertion ID of every other sign-in",
        NoId = "Assertion without an ID",
        PollutedId = "Second kind of ID",

        NoConditions = "No conditions",
        TwoConditions = "Conditions twice",
        UnknownCondition = "Condition of its own making",
        ProxyRestriction = "Not to be passed on",
        NoSubject = "No subject",
        HolderOfKey = "Confirmation by holder of key",
        ConfirmationNotBefore = "Confirmation with a beginning",
        NoConfirmationEnd = "Confirmation without an end",
        NoStatement = "No authentication statement",
        WeakContext = "Weaker authentication than asked for",

        NoNameId = "No NameID",
        EmptyNameId = "Empty NameID",
        TransientNameId = "NameID for one time only",
        WrongQualifier = "NameID for another service",
        EncryptedId = "NameID encrypted",
        EncryptedAttribute = "Attribute encrypted",
        ManyAttributes = "Three hundred attributes",
        NoAttributes = "No attributes",
        TwoAddresses = "Two e-mail addresses",

        CommentInNameId = "Comment inside the NameID",
        Doctype = "DOCTYPE",
        ProcessingInstruction = "Processing instruction",
        Cdata = "CDATA section",
        UnknownEntity = "Unknown entity",
        UnboundPrefix = "Undeclared prefix",
        Malformed = "XML cut off",
        Utf16 = "Encoded as UTF-16",
        Deep = "Nested too deep",

        AnswerByRedirect = "Answer in the address",
        NoField = "Form without the response",
        FieldTwice = "Response twice in the form",
        LongRelayState = "RelayState of four thousand letters",
        BrokenBase64 = "Base64 broken",
        CutBase64 = "Base64 cut off",
        Huge = "Response of three hundred kilobytes",

        SpnAudience = "Audience with spn: in front of it",
        SpnOfAnother = "Audience of another service with spn: in front of it",
        CapitalAudience = "Audience in capitals",
        SlashInDestination = "Destination with a slash too many",
        SlashInRecipient = "Recipient with a slash too many",
        EmptyAddress = "E-mail address without a value",
        CapitalNames = "Attribute names in capitals",
        GroupsOverage = "A link instead of too many groups",
        HostileMessage = "Status message that attacks its reader",
        HostileIssuer = "Issuer that attacks its reader",
        HostileAttributes = "Attribute names that attack their reader",
    }
}

const STATUS: &str = "urn:oasis:names:tc:SAML:2.0:status:";

impl Lie {
    /// Top-level and second-level status code.
    pub(super) fn status(self) -> (String, Option<String>) {
        let (top, second) = match self {
            Self::Cancelled | Self::HostileMessage => ("Responder", Some("RequestDenied")),
            Self::AuthnFailed => ("Responder", Some("AuthnFailed")),
            Self::UnknownPrincipal => ("Responder", Some("UnknownPrincipal")),
            Self::NoPassive => ("Responder", Some("NoPassive")),
            Self::NoAuthnContext => ("Responder", Some("NoAuthnContext")),
            Self::InvalidNameIdPolicy => ("Requester", Some("InvalidNameIDPolicy")),
            Self::RequestUnsupported => ("Responder", Some("RequestUnsupported")),
            Self::Requester => ("Requester", None),
            Self::Responder => ("Responder", None),
            Self::OtherStatus => return ("urn:lab.test:status:Tired".to_owned(), None),
            _ => ("Success", None),
        };
        (
            format!("{STATUS}{top}"),
            second.map(|second| format!("{STATUS}{second}")),
        )
    }

    /// What is signed: of response and assertion.
    pub(super) fn signs(self, honest: Signed) -> (bool, bool) {
        match self {
            Self::Unsigned => (false, false),
            Self::ResponseSignedOnly => (true, false),
            Self::AssertionSignedOnly => (false, true),
            Self::NoDestination => (true, true),
            _ => (honest != Signed::Assertion, honest != Signed::Response),
        }
    }
}

/// Changes the assertion before it is signed.
pub(super) fn in_assertion(lie: Lie, xml: String) -> String {
    match lie {
        Lie::NoIssuer => without_element(&xml, "saml:Issuer"),
        Lie::IssuerFormat => xml.replacen(
            "<saml:Issuer>",
            "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">",
            1,
        ),
        Lie::NoId => without_attribute(&xml, "ID"),
        Lie::NoAudience => without_element(&xml, "saml:AudienceRestriction"),
        Lie::NoConditions => without_element(&xml, "saml:Conditions"),
        Lie::TwoConditions => doubled(&xml, "saml:Conditions"),
        Lie::UnknownCondition => before(
            &xml,
            "</saml:Conditions>",
            "<lab:Condition xmlns:lab=\"urn:lab.test:condition\"></lab:Condition>",
        ),
        Lie::ProxyRestriction => before(
            &xml,
            "</saml:Conditions>",
            "<saml:ProxyRestriction Count=\"0\"></saml:ProxyRestriction>",
        ),
        Lie::NoSubject => without_element(&xml, "saml:Subject"),
        Lie::HolderOfKey => xml.replacen("cm:bearer", "cm:holder-of-key", 1),
        Lie::NoRecipient => without_attribute(&xml, "Recipient"),
        Lie::NoConfirmationEnd => without_attribute(&xml, "NotOnOrAfter"),
        Lie::NoStatement => without_element(&xml, "saml:AuthnStatement"),
        Lie::NoNameId => without_element(&xml, "saml:NameID"),
        Lie::EncryptedId => before(
            &without_element(&xml, "saml:NameID"),
            "<saml:SubjectConfirmation ",
            "<saml:EncryptedID><xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">\
             </xenc:EncryptedData></saml:EncryptedID>",
        ),
        Lie::EncryptedAttribute => before(
            &xml,
            "</saml:AttributeStatement>",
            "<saml:EncryptedAttribute><xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">\
             </xenc:EncryptedData></saml:EncryptedAttribute>",
        ),
        Lie::NoAttributes => without_element(&xml, "saml:AttributeStatement"),
        Lie::MalformedTime => xml.replacen("Z\" NotOnOrAfter=", "\" NotOnOrAfter=", 1),
        _ => xml,
    }
}

/// Changes the response around the assertion before it is signed.
pub(super) fn in_response(lie: Lie, xml: String) -> String {
    match lie {
        Lie::NoStatus => without_element(&xml, "samlp:Status"),
        Lie::NoDestination => without_attribute(&xml, "Destination"),
        Lie::NoInResponseTo => without_attribute(&xml, "InResponseTo"),
        Lie::OldVersion => xml.replacen("Version=\"2.0\"", "Version=\"1.1\"", 1),
        Lie::OtherMessage => xml.replace("samlp:Response", "samlp:LogoutResponse"),
        Lie::TwoAssertions => doubled(&xml, "saml:Assertion"),
        Lie::TwoSignatures => doubled(&xml, "ds:Signature"),
        Lie::MisplacedAssertion => xml
            .replacen("<saml:Assertion ", "<samlp:Extensions><saml:Assertion ", 1)
            .replacen(
                "</saml:Assertion>",
                "</saml:Assertion></samlp:Extensions>",
                1,
            ),
        Lie::NestedResponse => before(
            &xml,
            "<samlp:Status>",
            &format!("<samlp:Extensions>{xml}</samlp:Extensions>"),
        ),
        _ => xml,
    }
}

/// Changes the message after everything is signed.
pub(super) fn after_signing(lie: Lie, xml: String) -> Vec<u8> {
    let xml = match lie {
        Lie::TamperedAfterSigning => xml.replacen("</saml:NameID>", "x</saml:NameID>", 1),
        Lie::TamperedSignature => flipped(&xml, "<ds:SignatureValue>"),
        Lie::SignatureMisplaced => moved_signature(&xml),
        Lie::PollutedId => xml.replacen(" ID=", " samlp:ID=\"_lab\" ID=", 1),
        Lie::CommentInNameId => before(&xml, "</saml:NameID>", "<!-- lab -->"),
        Lie::Doctype => format!("<!DOCTYPE lab [<!ENTITY lab \"lab\">]>{xml}"),
        Lie::ProcessingInstruction => before(&xml, "</saml:NameID>", "<?lab lab?>"),
        Lie::Cdata => before(&xml, "</saml:NameID>", "<![CDATA[lab]]>"),
        Lie::UnknownEntity => before(&xml, "</saml:NameID>", "&nbsp;"),
        Lie::UnboundPrefix => before(&xml, "</saml:NameID>", "<lab:x></lab:x>"),
        Lie::Malformed => xml[..xml.len() / 2]
            .trim_end_matches(|c: char| !c.is_ascii())
            .to_owned(),
        Lie::Deep => before(
            &xml,
            "<samlp:Status>",
            &format!(
                "{}{}",
                "<samlp:Extensions>".repeat(64),
                "</samlp:Extensions>".repeat(64)
            ),
        ),
        Lie::Huge => before(
            &xml,
            "</saml:AttributeStatement>",
            &"<!-- lab -->".repeat(25_000),
        ),
        Lie::Utf16 => return utf16(&xml),
        _ => xml,
    };
    xml.into_bytes()
}

fn before(xml: &str, anchor: &str, insertion: &str) -> String {
    xml.replacen(anchor, &format!("{insertion}{anchor}"), 1)
}

/// Another letter in place of the first one behind `anchor`.
fn flipped(xml: &str, anchor: &str) -> String {
    let Some((head, tail)) = xml.split_once(anchor) else {
        return xml.to_owned();
    };
    let other = if tail.starts_with('B') { 'C' } else { 'B' };
    let rest: String = tail.chars().skip(1).collect();
    format!("{head}{anchor}{other}{rest}")
}

fn moved_signature(xml: &str) -> String {
    let rest = without_element(xml, "ds:Signature");
    let found = xml.find("<ds:Signature ").zip(xml.find("</ds:Signature>"));
    let signature = found.and_then(|(start, end)| xml.get(start..end + "</ds:Signature>".len()));
    before(&rest, "</saml:Subject>", signature.unwrap_or_default())
}

fn utf16(xml: &str) -> Vec<u8> {
    std::iter::once(0xfeff)
        .chain(xml.encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect()
}
