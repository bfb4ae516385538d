//! A draft as elements: what is between the lines is chosen too.

use jiff::SignedDuration;

use crate::choices::Choices;
use crate::draft::{Draft, Signed, now};
use crate::text::text;
use crate::writer::{Attribute, Content, Element, Writer};

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// Tokens of prefix lists: bound ones, unbound ones, and the default namespace.
const TOKENS: [&str; 9] = [
    "saml", "samlp", "ds", "xs", "xsi", "#default", "nobody", "a", "xml",
];

/// What stands in place of a digest until the document is signed.
pub const DIGEST: [&str; 2] = ["ZGlnZXN0YQ==", "ZGlnZXN0cg=="];
/// The same for the signature's value: of the assertion, and of the Response.
pub const VALUE: [&str; 2] = ["dmFsdWVh", "dmFsdWVy"];

/// The identifier of the assertion, and of the Response.
pub const IDS: [&str; 2] = ["_a1", "_r1"];

/// The template of a response: everything but digests and signatures.
///
/// `method` is the `SignatureMethod` of the key that will sign.
pub fn template(draft: &Draft, method: &'static str, choices: &mut Choices<'_>) -> String {
    let response = response(draft, method, choices);
    Writer::document(&response, choices)
}

fn response(draft: &Draft, method: &'static str, choices: &mut Choices<'_>) -> Element {
    let mut response = Element::new(PROTOCOL, "Response", Content::Text(String::new()))
        .with("ID", IDS[1])
        .with("Version", "2.0")
        .with("IssueInstant", &time(draft.times.issued));
    for (name, value) in [
        ("Destination", draft.destination),
        ("InResponseTo", draft.in_response_to),
    ] {
        if let Some(value) = value {
            response = response.with(name, value);
        }
    }
    let mut children = Vec::new();
    if let Some(issuer) = draft.response_issuer {
        children.push(leaf(ASSERTION, "Issuer", issuer));
    }
    if draft.signed != Signed::Assertion {
        children.push(signature(1, method, choices));
    }
    if choices.one_in(8) {
        children.push(Element::new(
            PROTOCOL,
            "Extensions",
            Content::Elements(vec![foreign(choices, 2)]),
        ));
    }
    let code = Element::new(PROTOCOL, "StatusCode", Content::Text(String::new()))
        .with("Value", draft.status);
    children.push(Element::new(
        PROTOCOL,
        "Status",
        Content::Elements(vec![code]),
    ));
    children.push(assertion(draft, method, choices));
    response.content = Content::Elements(children);
    response
}

fn assertion(draft: &Draft, method: &'static str, choices: &mut Choices<'_>) -> Element {
    let mut children = vec![leaf(ASSERTION, "Issuer", draft.issuer)];
    if draft.signed != Signed::Response {
        children.push(signature(0, method, choices));
    }
    children.push(subject(draft));
    if choices.one_in(12) {
        children.push(Element::new(
            ASSERTION,
            "Advice",
            Content::Elements(vec![foreign(choices, 3)]),
        ));
    }
    children.push(conditions(draft));
    children.push(statement(draft));
    if !draft.attributes.is_empty() {
        let attributes = draft.attributes.iter();
        let attributes = attributes.map(|(name, values)| attribute(name, values, choices));
        let attributes = attributes.collect();
        children.push(Element::new(
            ASSERTION,
            "AttributeStatement",
            Content::Elements(attributes),
        ));
    }
    Element::new(ASSERTION, "Assertion", Content::Elements(children))
        .with("ID", IDS[0])
        .with("Version", "2.0")
        .with("IssueInstant", &time(draft.times.issued))
}

fn subject(draft: &Draft) -> Element {
    let mut data = Element::new(
        ASSERTION,
        "SubjectConfirmationData",
        Content::Text(String::new()),
    )
    .with("NotOnOrAfter", &time(draft.times.confirmed_until));
    for (name, value) in [
        ("Recipient", draft.recipient),
        ("InResponseTo", draft.confirmed),
    ] {
        if let Some(value) = value {
            data = data.with(name, value);
        }
    }
    let confirmation = Element::new(
        ASSERTION,
        "SubjectConfirmation",
        Content::Elements(vec![data]),
    )
    .with("Method", draft.method);
    let name_id = leaf(ASSERTION, "NameID", &draft.name_id);
    Element::new(
        ASSERTION,
        "Subject",
        Content::Elements(vec![name_id, confirmation]),
    )
}

fn conditions(draft: &Draft) -> Element {
    let restriction = |audiences: &Vec<&'static str>| {
        let audiences = audiences
            .iter()
            .map(|audience| leaf(ASSERTION, "Audience", audience));
        Element::new(
            ASSERTION,
            "AudienceRestriction",
            Content::Elements(audiences.collect()),
        )
    };
    let restrictions = draft.audiences.iter().map(restriction).collect();
    Element::new(ASSERTION, "Conditions", Content::Elements(restrictions))
        .with("NotBefore", &time(draft.times.not_before))
        .with("NotOnOrAfter", &time(draft.times.not_on_or_after))
}

fn statement(draft: &Draft) -> Element {
    let class = leaf(ASSERTION, "AuthnContextClassRef", "urn:password");
    let context = Element::new(ASSERTION, "AuthnContext", Content::Elements(vec![class]));
    Element::new(
        ASSERTION,
        "AuthnStatement",
        Content::Elements(vec![context]),
    )
    .with("AuthnInstant", &time(draft.times.authenticated))
    .with("SessionNotOnOrAfter", &time(draft.times.session_end))
    .with("SessionIndex", "s1")
}

fn attribute(name: &str, values: &[String], choices: &mut Choices<'_>) -> Element {
    let values = values.iter().map(|value| {
        let mut element = leaf(ASSERTION, "AttributeValue", value);
        if choices.one_in(3) {
            element
                .attributes
                .push(Attribute::of(XSI, "type", "xs:string"));
        }
        element
    });
    let mut elements: Vec<Element> = values.collect();
    // A structured value has no text: nothing of it is read.
    if choices.one_in(5) {
        let inside = Content::Elements(vec![foreign(choices, 4)]);
        elements.push(Element::new(ASSERTION, "AttributeValue", inside));
    }
    Element::new(ASSERTION, "Attribute", Content::Elements(elements))
        .with("Name", name)
        .with(
            "NameFormat",
            "urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
        )
}

/// Elements of other vocabularies: namespaces that come and go, attributes to be put in order, mixed content.
pub fn foreign(choices: &mut Choices<'_>, depth: usize) -> Element {
    const NAMESPACES: [&str; 6] = [
        "",
        "urn:a",
        "urn:b",
        "http://x.test/a",
        "http://x.test/a#b",
        "urn:Z",
    ];
    const NAMES: [&str; 6] = ["x", "Y", "id2", "a-b", "_", "Z.z"];
    let namespace = choices.pick(&NAMESPACES);
    let local = choices.pick(&NAMES);
    let mut element = Element::new(namespace, local, Content::Text(String::new()));
    for _ in 0..choices.below(5) {
        let (namespace, local) = match choices.below(9) {
            1 => (
                "http://www.w3.org/XML/1998/namespace",
                choices.pick(&["lang", "space", "base"]),
            ),
            _ => (choices.pick(&NAMESPACES), choices.pick(&NAMES)),
        };
        let is_new = |a: &Attribute| a.namespace != namespace || a.local != local;
        if element.attributes.iter().all(is_new) {
            element
                .attributes
                .push(Attribute::of(namespace, local, &text(choices, false)));
        }
    }
    let count = if depth == 0 { 0 } else { choices.below(4) };
    element.content = match (count, choices.below(3)) {
        (0, _) => Content::Text(text(choices, false)),
        (_, 0) => Content::Elements((0..count).map(|_| foreign(choices, depth - 1)).collect()),
        _ => Content::Mixed(
            (0..count)
                .map(|_| (text(choices, false), foreign(choices, depth - 1)))
                .collect(),
        ),
    };
    element
}

fn signature(of: usize, method: &'static str, choices: &mut Choices<'_>) -> Element {
    let canonicalization = canonicalization("CanonicalizationMethod", choices);
    let signature_method = algorithm("SignatureMethod", method);
    let transforms = vec![
        algorithm("Transform", ENVELOPED),
        self::canonicalization("Transform", choices),
    ];
    let digest = choices.pick(&DIGESTS);
    let reference = vec![
        Element::new(DS, "Transforms", Content::Elements(transforms)),
        algorithm("DigestMethod", digest),
        leaf(DS, "DigestValue", DIGEST[of]),
    ];
    // Now and then it points elsewhere: at the other element, at everything, at nothing.
    let uri = match choices.below(40) {
        1 => format!("#{}", IDS[1 - of]),
        2 => String::new(),
        3 => "#_nowhere".to_owned(),
        _ => format!("#{}", IDS[of]),
    };
    let reference = Element::new(DS, "Reference", Content::Elements(reference)).with("URI", &uri);
    let signed_info = Content::Elements(vec![canonicalization, signature_method, reference]);
    let mut children = vec![
        Element::new(DS, "SignedInfo", signed_info),
        leaf(DS, "SignatureValue", VALUE[of]),
    ];
    if choices.one_in(4) {
        let name = leaf(DS, "KeyName", &text(choices, false));
        children.push(Element::new(DS, "KeyInfo", Content::Elements(vec![name])));
    }
    Element::new(DS, "Signature", Content::Elements(children))
}

/// Digest methods that a verifier takes.
pub const DIGESTS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];

fn canonicalization(local: &str, choices: &mut Choices<'_>) -> Element {
    let mut element = algorithm(local, EXCLUSIVE);
    if choices.one_in(3) {
        let tokens = (0..choices.below(5)).map(|_| choices.pick(&TOKENS));
        let list = tokens.collect::<Vec<_>>().join(" ");
        let namespaces = Element::new(
            EXCLUSIVE,
            "InclusiveNamespaces",
            Content::Text(String::new()),
        );
        element.content = Content::Elements(vec![namespaces.with("PrefixList", &list)]);
    }
    element
}

fn algorithm(local: &str, uri: &str) -> Element {
    Element::new(DS, local, Content::Text(String::new())).with("Algorithm", uri)
}

fn leaf(namespace: &str, local: &str, text: &str) -> Element {
    Element::new(namespace, local, Content::Text(text.to_owned()))
}

/// An xs:dateTime in UTC, so many seconds from now.
fn time(seconds: i64) -> String {
    (now() + SignedDuration::from_secs(seconds)).to_string()
}
