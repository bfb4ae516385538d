//! Writes XML in one of the many ways in which the same elements can be written.

use crate::choices::Choices;
use crate::text::{write_text, write_value};

/// Prefixes that a declaration may take; the empty one is the default namespace.
const PREFIXES: [&str; 14] = [
    "", "saml", "samlp", "ds", "xs", "xsi", "a", "b", "Z", "_u", "n-1", "x.y", "ns0", "saml2p",
];
/// Namespaces of declarations that nobody asked for.
const NAMESPACES: [&str; 8] = [
    "urn:a",
    "urn:b",
    "http://x.test/a",
    "http://x.test/a#b",
    "urn:oasis:names:tc:SAML:2.0:assertion",
    "http://www.w3.org/2001/XMLSchema",
    "http://www.w3.org/2000/09/xmldsig#",
    "urn:Z",
];
/// The most declarations in scope: some below what a verifier takes.
const IN_SCOPE: usize = 48;
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// An attribute to be written.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Empty for none.
    pub namespace: String,
    /// The name without a prefix.
    pub local: String,
    /// Its value.
    pub value: String,
}

impl Attribute {
    /// In no namespace.
    pub fn plain(local: &str, value: &str) -> Self {
        Self::of("", local, value)
    }

    /// In a namespace.
    pub fn of(namespace: &str, local: &str, value: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            local: local.to_owned(),
            value: value.to_owned(),
        }
    }
}

/// What an element holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Text, escaped in some way.
    Text(String),
    /// Elements, with white space between them or none.
    Elements(Vec<Element>),
    /// Texts and elements.
    Mixed(Vec<(String, Element)>),
}

/// An element to be written.
#[derive(Clone, Debug)]
pub struct Element {
    /// Empty for none.
    pub namespace: String,
    /// The name without a prefix.
    pub local: String,
    /// In no order.
    pub attributes: Vec<Attribute>,
    /// What stands in it.
    pub content: Content,
}

impl Element {
    /// An element without attributes.
    pub fn new(namespace: &str, local: &str, content: Content) -> Self {
        Self {
            namespace: namespace.to_owned(),
            local: local.to_owned(),
            attributes: Vec::new(),
            content,
        }
    }

    /// The same with one more attribute in no namespace.
    #[must_use]
    pub fn with(mut self, local: &str, value: &str) -> Self {
        self.attributes.push(Attribute::plain(local, value));
        self
    }
}

/// Writes elements; what is free about it is chosen.
#[derive(Debug)]
pub struct Writer<'c, 'o> {
    choices: &'c mut Choices<'o>,
    out: String,
    /// Prefix and namespace of each declaration in scope, innermost last.
    scope: Vec<(String, String)>,
}

/// The declarations that one element makes, and the prefixes that its names have already used.
#[derive(Default)]
struct Made {
    declared: Vec<(String, String)>,
    used: Vec<String>,
}

impl<'c, 'o> Writer<'c, 'o> {
    /// A document with that root.
    pub fn document(root: &Element, choices: &'c mut Choices<'o>) -> String {
        let mut writer = Self {
            choices,
            out: String::new(),
            scope: Vec::new(),
        };
        let start = [
            "",
            "",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
            "\u{feff}",
            "\n ",
        ];
        writer.out.push_str(writer.choices.pick(&start));
        writer.element(root);
        writer.out
    }

    fn element(&mut self, element: &Element) {
        let outside = self.scope.len();
        let mut made = Made::default();
        let name = self.name(&element.namespace, &element.local, true, &mut made);
        let mut parts = Vec::new();
        for attribute in &element.attributes {
            let name = self.name(&attribute.namespace, &attribute.local, false, &mut made);
            parts.push((name, attribute.value.clone()));
        }
        self.declare_more(&mut made);
        for (prefix, uri) in &made.declared {
            let name = if prefix.is_empty() {
                "xmlns".to_owned()
            } else {
                format!("xmlns:{prefix}")
            };
            parts.push((name, uri.clone()));
        }
        self.scope.append(&mut made.declared);
        self.choices.shuffle(&mut parts);
        self.out.push('<');
        self.out.push_str(&name);
        for (name, value) in &parts {
            self.part(name, value);
        }
        self.space_in_tag(10);
        self.content(element, &name);
        self.scope.truncate(outside);
    }

    fn part(&mut self, name: &str, value: &str) {
        self.out.push_str(
            self.choices
                .pick(&[" ", " ", " ", "\n", "\t", "  ", "\r\n"]),
        );
        self.out.push_str(name);
        self.space_in_tag(20);
        self.out.push('=');
        self.space_in_tag(20);
        if name.starts_with("xmlns") {
            let mark = self.choices.pick(&['"', '\'']);
            self.out.push(mark);
            self.out.push_str(value);
            self.out.push(mark);
        } else {
            write_value(value, self.choices, &mut self.out);
        }
    }

    fn space_in_tag(&mut self, rarity: usize) {
        if self.choices.one_in(rarity) {
            self.out.push_str(self.choices.pick(&[" ", "\n", "\t"]));
        }
    }

    fn content(&mut self, element: &Element, name: &str) {
        let is_empty = match &element.content {
            Content::Text(text) => text.is_empty(),
            Content::Elements(elements) => elements.is_empty(),
            Content::Mixed(parts) => parts.is_empty(),
        };
        if is_empty && self.choices.one_in(2) {
            self.out.push_str("/>");
            return;
        }
        self.out.push('>');
        match &element.content {
            Content::Text(text) => write_text(text, self.choices, &mut self.out),
            Content::Elements(elements) => {
                for element in elements {
                    self.between();
                    self.element(element);
                }
                if !is_empty {
                    self.between();
                }
            }
            Content::Mixed(parts) => {
                for (text, element) in parts {
                    write_text(text, self.choices, &mut self.out);
                    self.element(element);
                }
            }
        }
        self.out.push_str("</");
        self.out.push_str(name);
        self.space_in_tag(30);
        self.out.push('>');
    }

    fn between(&mut self) {
        let spaces = ["", "", "", "\n", " ", "\r\n\t", "\r", "&#13;", "&#x20;"];
        self.out.push_str(self.choices.pick(&spaces));
    }

    /// A qualified name, with a prefix in scope or declared for it.
    fn name(&mut self, namespace: &str, local: &str, is_element: bool, made: &mut Made) -> String {
        if namespace == XML {
            return format!("xml:{local}");
        }
        if namespace.is_empty() && !is_element {
            return local.to_owned();
        }
        let prefix = self.prefix(namespace, is_element, made);
        if !made.used.contains(&prefix) {
            made.used.push(prefix.clone());
        }
        if prefix.is_empty() {
            local.to_owned()
        } else {
            format!("{prefix}:{local}")
        }
    }

    fn prefix(&mut self, namespace: &str, is_element: bool, made: &mut Made) -> String {
        if namespace.is_empty() {
            // Only the absence of a default namespace says so.
            if self.bound("", made).is_some_and(|uri| !uri.is_empty()) {
                made.declared.push((String::new(), String::new()));
            }
            return String::new();
        }
        let usable: Vec<String> = PREFIXES
            .iter()
            .filter(|prefix| is_element || !prefix.is_empty())
            .filter(|prefix| self.bound(prefix, made).as_deref() == Some(namespace))
            .map(|prefix| (*prefix).to_owned())
            .collect();
        if !usable.is_empty() && !self.choices.one_in(8) {
            return usable[self.choices.below(usable.len())].clone();
        }
        let free = |prefix: &&str| {
            (is_element || !prefix.is_empty())
                && !made.used.iter().any(|used| used == prefix)
                && !made.declared.iter().any(|(declared, _)| declared == prefix)
        };
        let free: Vec<&str> = PREFIXES.into_iter().filter(free).collect();
        let prefix = (self.choices.pick(&free)).to_owned();
        made.declared.push((prefix.clone(), namespace.to_owned()));
        prefix
    }

    /// What a prefix stands for on the element whose declarations are being made.
    fn bound(&self, prefix: &str, made: &Made) -> Option<String> {
        let inner = made.declared.iter().rev().chain(self.scope.iter().rev());
        { inner }
            .find(|(declared, _)| declared == prefix)
            .map(|(_, uri)| uri.clone())
    }

    /// Declarations that no name needs, or that say again what is in scope.
    fn declare_more(&mut self, made: &mut Made) {
        while self.scope.len() + made.declared.len() < IN_SCOPE && self.choices.one_in(6) {
            let prefix = (self.choices.pick(&PREFIXES)).to_owned();
            let taken = made.used.contains(&prefix)
                || made
                    .declared
                    .iter()
                    .any(|(declared, _)| *declared == prefix);
            if !taken {
                let uri = (self.choices.pick(&NAMESPACES)).to_owned();
                made.declared.push((prefix, uri));
            }
        }
    }
}
