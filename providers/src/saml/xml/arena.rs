//! A parsed document as it lies in memory: nodes, attributes and declarations, each in one list.

use std::borrow::Cow;
use std::num::NonZeroU32;

use super::scope::DEFAULT_SLOT;

/// A place in one of the arenas.
pub(in crate::saml) type Index = u32;

/// In place of the index of a declaration: no namespace.
pub(in crate::saml) const NO_NAMESPACE: Index = Index::MAX;

/// The index of the binding of `xml`, which canonical XML never declares.
pub(in crate::saml) const XML_DECLARATION: Index = 0;

/// A parsed document. Nodes lie in document order, so that a subtree is one contiguous range.
#[derive(Debug)]
pub struct Document<'s> {
    /// The whole text, a byte order mark included; positions count from its start.
    pub(in crate::saml) source: &'s str,
    /// All values that are not in the source as they stand, one behind the other.
    pub(super) decoded: String,
    pub(in crate::saml) nodes: Vec<Node<'s>>,
    pub(in crate::saml) attributes: Vec<AttributeData<'s>>,
    /// The first one is the binding of `xml`; those that a fragment inherits follow.
    pub(in crate::saml) declarations: Vec<Declaration<'s>>,
    /// How many declarations are inherited.
    pub(super) inherited: Index,
    /// How many prefixes were in scope at one point, at most: a bound of [`Declaration::slot`].
    pub(in crate::saml) slots: usize,
}

#[derive(Debug)]
pub(in crate::saml) struct Node<'s> {
    pub(super) parent: Index,
    /// One past the last node of the subtree.
    pub(in crate::saml) end: Index,
    pub(in crate::saml) position: u32,
    pub(in crate::saml) content: Content<'s>,
}

#[derive(Debug)]
pub(in crate::saml) enum Content<'s> {
    Element(ElementData<'s>),
    Text(TextData),
}

#[derive(Clone, Copy, Debug)]
pub(in crate::saml) struct ElementData<'s> {
    pub(in crate::saml) name: Name<'s>,
    /// Elements with the same tag below the same parent share their attributes and declarations.
    pub(in crate::saml) attributes: (Index, Index),
    pub(in crate::saml) declarations: (Index, Index),
    /// One past the `>` of the start tag in the source.
    pub(in crate::saml) tag_end: u32,
    /// Where the end tag begins in the source, if canonical XML copies it as it stands.
    pub(in crate::saml) end_tag: Option<NonZeroU32>,
    /// Canonical XML copies the start tag as it stands, unless a namespace must be declared there.
    pub(in crate::saml) verbatim: bool,
}

/// What a text has in place of an element's data; no handle on a text is ever given out.
pub(super) static NAMELESS: ElementData<'static> = ElementData {
    name: Name {
        qualified: "",
        prefix_length: 0,
        namespace: NO_NAMESPACE,
    },
    attributes: (0, 0),
    declarations: (0, 0),
    tag_end: 0,
    end_tag: None,
    verbatim: false,
};

#[derive(Clone, Copy, Debug)]
pub(in crate::saml) struct TextData {
    pub(in crate::saml) value: Value,
    /// Canonical XML copies the source of the text as it stands.
    pub(in crate::saml) verbatim: bool,
}

/// Where a text or the value of an attribute is: in the source, or among the decoded ones.
#[derive(Clone, Copy, Debug)]
pub(in crate::saml) struct Value {
    pub(in crate::saml) start: u32,
    pub(in crate::saml) end: u32,
    pub(super) decoded: bool,
}

/// A qualified name as written, with the declaration that its prefix stands for.
#[derive(Clone, Copy, Debug)]
pub(in crate::saml) struct Name<'s> {
    pub(in crate::saml) qualified: &'s str,
    pub(in crate::saml) prefix_length: u32,
    pub(in crate::saml) namespace: Index,
}

impl<'s> Name<'s> {
    pub(super) fn prefix(&self) -> &'s str {
        &self.qualified[..self.prefix_length as usize]
    }

    pub(super) fn local(&self) -> &'s str {
        match self.prefix_length as usize {
            0 => self.qualified,
            length => &self.qualified[length + 1..],
        }
    }
}

#[derive(Debug)]
pub(in crate::saml) struct AttributeData<'s> {
    pub(in crate::saml) name: Name<'s>,
    pub(in crate::saml) value: Value,
    /// ` name="value"`, counted from the start of the tag.
    pub(in crate::saml) canonical: Stretch,
}

/// A stretch of a start tag that canonical XML copies as it stands; empty where it does not.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::saml) struct Stretch {
    pub(in crate::saml) start: u32,
    pub(in crate::saml) end: u32,
}

impl Stretch {
    pub(super) fn length(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// `xmlns="uri"` (empty prefix) or `xmlns:prefix="uri"`.
#[derive(Debug)]
pub(in crate::saml) struct Declaration<'s> {
    pub(in crate::saml) prefix: &'s str,
    pub(in crate::saml) uri: Cow<'s, str>,
    /// The declaration with the blank before it, counted from the start of its tag.
    pub(in crate::saml) canonical: Stretch,
    /// Where that tag begins: of several with the same declaration, the first.
    pub(in crate::saml) tag: u32,
    /// The number of the prefix among those in scope: the same for all declarations of it that enclose one another.
    pub(in crate::saml) slot: u8,
}

impl Document<'_> {
    pub(super) fn element_data(&self, index: Index) -> &ElementData<'_> {
        match &self.nodes[index as usize].content {
            Content::Element(data) => data,
            Content::Text(_) => &NAMELESS,
        }
    }

    pub(in crate::saml) fn value(&self, value: Value) -> &str {
        let text = if value.decoded {
            &self.decoded
        } else {
            self.source
        };
        &text[value.start as usize..value.end as usize]
    }

    pub(in crate::saml) fn prefix(&self, declaration: Index) -> &str {
        self.declarations
            .get(declaration as usize)
            .map_or("", |d| d.prefix)
    }

    pub(in crate::saml) fn uri(&self, declaration: Index) -> &str {
        self.declarations
            .get(declaration as usize)
            .map_or("", |d| &d.uri)
    }

    /// The slot of a declaration's prefix; no namespace is the default one.
    pub(in crate::saml) fn slot(&self, declaration: Index) -> usize {
        let found = self.declarations.get(declaration as usize);
        found.map_or(DEFAULT_SLOT, |found| usize::from(found.slot))
    }
}
