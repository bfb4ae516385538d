//! The one XML reader of the SAML side: a strict parser into an arena, and the elements read from it.
//!
//! What SAML does not need is refused while reading: document types, comments, processing instructions,
//! CDATA, foreign entities, and namespaces that two readers could take differently. Every consumer reads
//! this one tree, so there is no second parser that could disagree; [`second_reader`] only agrees or refuses.

mod arena;
mod lexical;
mod parse;
mod scope;
pub mod second_reader;
mod tag;
mod uri;

use std::borrow::Cow;

use crate::error::Refusal;

pub use arena::Document;
pub(in crate::saml) use arena::{
    AttributeData, Content, Declaration, ElementData, Index, NO_NAMESPACE, Name, Node, Stretch,
    TextData, XML_DECLARATION,
};
pub(in crate::saml) use lexical::{any_byte, is_ncname};

/// What is being read: decides limits, and whether comments are tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A protocol message from a browser: no comments, no processing instructions, [`MESSAGE_LIMITS`].
    Message,
    /// Metadata from an administrator: comments and processing instructions are dropped outside the text
    /// of leaves and refused inside it, [`METADATA_LIMITS`].
    Metadata,
}

/// How large a document may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The whole document, in bytes.
    pub bytes: usize,
    /// Elements and texts.
    pub nodes: usize,
    /// Open elements at one point, the root included.
    pub depth: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
    /// Attributes of the whole document, namespace declarations included. Elements that repeat the tag of the one before
    /// them count once.
    pub all_attributes: usize,
    /// Namespace declarations in scope at one point, shadowed ones included.
    pub namespaces: usize,
    /// The name of one namespace, in bytes.
    pub namespace_bytes: usize,
}

/// The namespace that the prefix `xml` is bound to.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// The limits of [`Mode::Message`]. What a response may hold for a person, 2,000 values of 256 attributes, stays below
/// them; what costs most to read per byte does not.
pub const MESSAGE_LIMITS: Limits = Limits {
    bytes: 256 * 1024,
    nodes: 10_000,
    depth: 32,
    attributes: 32,
    all_attributes: 10_000,
    namespaces: 32,
    namespace_bytes: 256,
};

/// The limits of [`Mode::Metadata`].
pub const METADATA_LIMITS: Limits = Limits {
    bytes: 4 * 1024 * 1024,
    nodes: 100_000,
    all_attributes: 100_000,
    namespaces: 64,
    ..MESSAGE_LIMITS
};

impl Mode {
    /// The limits of this mode.
    pub fn limits(self) -> Limits {
        match self {
            Self::Message => MESSAGE_LIMITS,
            Self::Metadata => METADATA_LIMITS,
        }
    }
}

impl<'s> Document<'s> {
    /// Reads a whole document.
    ///
    /// # Errors
    /// `saml.response_too_large`, or one of the `saml.xml_…` codes with what was found and at which byte.
    pub fn parse(bytes: &'s [u8], mode: Mode) -> Result<Self, Refusal> {
        parse::parse(bytes, mode, Vec::new())
    }

    /// Reads a fragment that was taken out of another document at `context`, such as the plain text of encrypted data.
    ///
    /// Products cut an element out without the declarations around it. Those count here that `context` and the elements
    /// around it use in their own names: a signature over any of these covers them (Exclusive XML Canonicalization 3),
    /// while a declaration that nothing uses can be put there by anybody.
    ///
    /// # Errors
    /// Those of [`Document::parse`] in [`Mode::Message`].
    pub fn parse_within(bytes: &'s [u8], context: Element<'s>) -> Result<Self, Refusal> {
        parse::parse(bytes, Mode::Message, context.used_declarations())
    }

    /// The document element.
    pub fn root(&self) -> Element<'_> {
        Element {
            document: self,
            index: 0,
        }
    }
}

/// One element of a [`Document`].
#[derive(Clone, Copy, Debug)]
pub struct Element<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) index: Index,
}

/// Two elements are equal when they are the same node of the same document.
impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && std::ptr::eq(self.document, other.document)
    }
}

impl Eq for Element<'_> {}

/// One attribute of an element; namespace declarations are not attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'d> {
    /// The namespace, empty for an attribute without a prefix.
    pub namespace: &'d str,
    /// The name without its prefix.
    pub local_name: &'d str,
    /// The value, references replaced and white space normalized.
    pub value: &'d str,
}

impl<'s> AttributeData<'s> {
    fn read<'d>(&'d self, document: &'d Document<'s>) -> Attribute<'d> {
        Attribute {
            namespace: document.uri(self.name.namespace),
            local_name: self.name.local(),
            value: document.value(self.value),
        }
    }
}

impl<'d> Element<'d> {
    /// Whether this is the element of that namespace and local name.
    #[inline]
    pub fn is(self, namespace: &str, local: &str) -> bool {
        self.local_name() == local && self.namespace() == namespace
    }

    /// The namespace, empty for none.
    #[inline]
    pub fn namespace(self) -> &'d str {
        self.document.uri(self.data().name.namespace)
    }

    /// The name without its prefix.
    #[inline]
    pub fn local_name(self) -> &'d str {
        self.data().name.local()
    }

    /// The value of the attribute of that name in no namespace.
    #[inline]
    pub fn attribute(self, local: &str) -> Option<&'d str> {
        self.attribute_ns("", local)
    }

    /// The value of the attribute of that namespace (empty for none) and local name.
    #[inline]
    pub fn attribute_ns(self, namespace: &str, local: &str) -> Option<&'d str> {
        let document = self.document;
        let is_it =
            |name: &Name<'_>| name.local() == local && document.uri(name.namespace) == namespace;
        let mut own = self.attribute_data().iter();
        own.find(|attribute| is_it(&attribute.name))
            .map(|attribute| document.value(attribute.value))
    }

    /// The attributes, in canonical order: by namespace, then by local name.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'d>> {
        let document = self.document;
        self.attribute_data().iter().map(move |a| a.read(document))
    }

    /// The attributes whose name without its prefix is `ID`, whatever the case of its letters.
    pub(super) fn ids(self) -> impl Iterator<Item = Attribute<'d>> {
        let document = self.document;
        let named = self.attribute_data().iter().filter(|attribute| {
            let name = attribute.name.qualified.as_bytes();
            let last = &name[name.len().saturating_sub("ID".len())..];
            last.eq_ignore_ascii_case(b"id") && attribute.name.local().len() == last.len()
        });
        named.map(move |attribute| attribute.read(document))
    }

    /// The child elements; texts between them are passed over.
    #[inline]
    pub fn children(self) -> impl Iterator<Item = Self> {
        Siblings {
            document: self.document,
            next: self.index + 1,
            end: self.node().end,
        }
    }

    /// How many children there are at most.
    pub(super) fn most_children(self) -> usize {
        (self.node().end - self.index - 1) as usize
    }

    /// The next element with the same parent.
    pub fn next_sibling(self) -> Option<Self> {
        let parent = self.parent()?;
        let after = Siblings {
            document: self.document,
            next: self.node().end,
            end: parent.node().end,
        };
        { after }.next()
    }

    /// The first child element of that namespace and local name.
    #[inline]
    pub fn child(self, namespace: &str, local: &str) -> Option<Self> {
        self.children().find(|c| c.is(namespace, local))
    }

    /// The child elements of that namespace and local name.
    #[inline]
    pub fn children_named(self, namespace: &str, local: &str) -> impl Iterator<Item = Self> {
        self.children().filter(move |c| c.is(namespace, local))
    }

    /// The text of an element that holds nothing else, without the XML white space around it; empty for an
    /// empty element, nothing when there is an element inside.
    pub fn leaf(self) -> Option<&'d str> {
        let (first, end) = (self.index + 1, self.node().end);
        if first == end {
            return Some("");
        }
        let node = &self.document.nodes[first as usize];
        match &node.content {
            Content::Text(text) if node.end == end => {
                Some(lexical::trim(self.document.value(text.value)))
            }
            _ => None,
        }
    }

    /// Whether a text that is not white space stands directly in this element.
    pub fn has_text(self) -> bool {
        let mut next = self.index + 1;
        while next < self.node().end {
            let node = &self.document.nodes[next as usize];
            if let Content::Text(text) = &node.content
                && !lexical::trim(self.document.value(text.value)).is_empty()
            {
                return true;
            }
            next = node.end;
        }
        false
    }

    /// All elements below this one, in document order, without itself.
    pub fn descendants(self) -> impl Iterator<Item = Self> {
        let document = self.document;
        (self.index + 1..self.node().end)
            .filter(move |i| matches!(document.nodes[*i as usize].content, Content::Element(_)))
            .map(move |index| Self { document, index })
    }

    /// The element around this one; none for the root.
    pub fn parent(self) -> Option<Self> {
        (self.index != 0).then(|| Self {
            document: self.document,
            index: self.node().parent,
        })
    }

    /// The namespace that a prefix stands for at this element (empty prefix: the default namespace), to
    /// resolve qualified names in values such as `xsi:type`. None when the prefix is not bound.
    pub fn qualified_name_namespace(self, prefix: &str) -> Option<&'d str> {
        match self.binding(prefix) {
            NO_NAMESPACE => None,
            declaration => Some(self.document.uri(declaration)).filter(|uri| !uri.is_empty()),
        }
    }

    /// The byte at which the element begins, counted from the start of the document.
    pub fn position(self) -> usize {
        self.node().position as usize
    }

    /// The source of the document up to this child of the document element, `other` in its place, and the end.
    pub(super) fn replaced_by(self, other: Element<'_>) -> String {
        let source = &self.document.source;
        let root = &source[self.document.root().position()..];
        let mut names = root[1..].split(|next: char| next.is_ascii_whitespace() || next == '>');
        let name = names.next().unwrap_or_default();
        let other = &other.document.source[other.position()..];
        format!("{}{other}</{name}>", &source[..self.position()])
    }

    /// About how long the element is in the source, in bytes; a hint for buffers.
    pub(super) fn source_length(self) -> usize {
        let nodes = &self.document.nodes;
        let after = nodes
            .get(self.node().end as usize)
            .map(|node| node.position as usize);
        after
            .unwrap_or(self.document.source.len())
            .saturating_sub(self.position())
    }

    /// The declaration in scope for a prefix, found by walking outwards.
    pub(super) fn binding(self, prefix: &str) -> Index {
        let mut element = Some(self);
        while let Some(here) = element {
            if let Some(found) = here
                .declarations()
                .find(|i| here.declaration(*i).prefix == prefix)
            {
                return found;
            }
            element = here.parent();
        }
        if prefix == "xml" {
            return XML_DECLARATION;
        }
        (1..=self.document.inherited)
            .find(|inherited| self.document.prefix(*inherited) == prefix)
            .unwrap_or(NO_NAMESPACE)
    }

    /// The declarations in scope here that this element or one around it uses in its own names.
    fn used_declarations(self) -> Vec<Declaration<'d>> {
        let mut used: Vec<Index> = Vec::new();
        for element in std::iter::successors(Some(self), |element| element.parent()) {
            let prefixed = element.attribute_data().iter();
            let prefixed = prefixed.filter(|attribute| attribute.name.prefix_length > 0);
            let names = prefixed.map(|attribute| attribute.name.namespace);
            for index in names.chain([element.data().name.namespace]) {
                let is_there = index != NO_NAMESPACE && index != XML_DECLARATION;
                let in_scope = || self.binding(self.document.prefix(index)) == index;
                if is_there && !used.contains(&index) && in_scope() {
                    used.push(index);
                }
            }
        }
        let bound = used.into_iter().map(|index| self.declaration(index));
        bound
            .map(|declaration| Declaration {
                prefix: declaration.prefix,
                uri: Cow::Borrowed(&*declaration.uri),
                canonical: Stretch::default(),
                tag: 0,
                slot: 0,
            })
            .collect()
    }

    fn declarations(self) -> std::ops::Range<Index> {
        let (start, end) = self.data().declarations;
        start..end
    }

    fn declaration(self, index: Index) -> &'d Declaration<'d> {
        &self.document.declarations[index as usize]
    }

    fn attribute_data(self) -> &'d [AttributeData<'d>] {
        let (start, end) = self.data().attributes;
        &self.document.attributes[start as usize..end as usize]
    }

    #[inline]
    pub(super) fn node(self) -> &'d Node<'d> {
        &self.document.nodes[self.index as usize]
    }

    #[inline]
    fn data(self) -> &'d ElementData<'d> {
        self.document.element_data(self.index)
    }
}

/// The elements from a node on, up to the end of their parent.
struct Siblings<'d> {
    document: &'d Document<'d>,
    next: Index,
    end: Index,
}

impl<'d> Iterator for Siblings<'d> {
    type Item = Element<'d>;

    fn next(&mut self) -> Option<Element<'d>> {
        while self.next < self.end {
            let index = self.next;
            let node = &self.document.nodes[index as usize];
            self.next = node.end;
            if matches!(node.content, Content::Element(_)) {
                return Some(Element {
                    document: self.document,
                    index,
                });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
