//! From bytes to the arena, in one pass: what stands between the tags is read here, start tags in [`super::tag`].
//!
//! There is no tokenizer in between that would know more of XML than this profile has: document types, CDATA and, in
//! messages, comments and processing instructions are refused by their first octets.

use std::borrow::Cow;
use std::num::NonZeroU32;

use memchr::{memchr, memchr3};

use super::arena::{
    Content, Declaration, Document, Index, Node, Stretch, TextData, Value, XML_DECLARATION,
};
use super::lexical::{
    self, Reading, any_byte, at, exceeded, is_rough, is_white_space, malformed, refuse, skip,
};
use super::scope::Scope;
use super::{Limits, Mode, XML_NAMESPACE};
use crate::error::Refusal;
use crate::saml::refusal::SamlRefusal;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The parent of the root.
const NO_ELEMENT: Index = Index::MAX;

/// How many attributes a document has room for without growing.
const USUAL_ATTRIBUTES: usize = 256;

/// Parses a document, or a fragment that inherits declarations.
pub(super) fn parse<'s>(
    bytes: &'s [u8],
    mode: Mode,
    inherited: Vec<Declaration<'s>>,
) -> Result<Document<'s>, Refusal> {
    let limits = mode.limits();
    if bytes.len() > limits.bytes {
        return Err(SamlRefusal::ResponseTooLarge
            .refuse()
            .expected(format_args!("at most {} bytes", limits.bytes))
            .found(format_args!("{} bytes", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        SamlRefusal::XmlEncoding
            .refuse()
            .expected("UTF-8")
            .detail(at(error.valid_up_to()))
    })?;
    let source = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if source.starts_with(BYTE_ORDER_MARK) {
        return Err(SamlRefusal::XmlEncoding
            .refuse()
            .found("two byte order marks"));
    }
    Parser::new(text, text.len() - source.len(), mode, inherited).run()
}

pub(super) struct Parser<'s> {
    pub(super) source: &'s str,
    /// The first byte behind the byte order mark.
    beginning: usize,
    pub(super) mode: Mode,
    pub(super) limits: Limits,
    pub(super) document: Document<'s>,
    /// The declarations in scope.
    pub(super) scope: Scope<'s>,
    pub(super) open: Vec<Open>,
    /// The root was closed.
    pub(super) complete: bool,
    /// Somewhere there are characters to be checked or line ends to be normalized.
    pub(super) is_rough: bool,
}

/// An element whose end tag has not come yet.
pub(super) struct Open {
    pub(super) index: Index,
    /// How many declarations were in scope outside of it.
    pub(super) scope: usize,
    /// Its last child element so far.
    pub(super) last_child: Option<Index>,
    /// The leaf to refuse with if the element turns out to be a leaf with text.
    pub(super) dropped: Option<SamlRefusal>,
}

impl<'s> Parser<'s> {
    fn new(text: &'s str, beginning: usize, mode: Mode, inherited: Vec<Declaration<'s>>) -> Self {
        let xml = Declaration {
            prefix: "xml",
            uri: Cow::Borrowed(XML_NAMESPACE),
            canonical: Stretch::default(),
            tag: 0,
            slot: 0,
        };
        let mut scope = Scope::new();
        let count = narrow(inherited.len());
        let mut declarations: Vec<_> = std::iter::once(xml).chain(inherited).collect();
        for (index, declaration) in (XML_DECLARATION..).zip(&mut declarations) {
            declaration.slot = slot(scope.declare(declaration.prefix, index));
        }
        // About as many as there are: what grows is copied, and takes fresh pages from the kernel each time.
        let limits = mode.limits();
        let nodes = occurrences(text, b'<').min(limits.nodes);
        let attributes = occurrences(text, b'=').min(USUAL_ATTRIBUTES);
        Self {
            source: text,
            beginning,
            mode,
            limits,
            document: Document {
                source: text,
                decoded: String::new(),
                nodes: Vec::with_capacity(nodes),
                attributes: Vec::with_capacity(attributes),
                declarations,
                inherited: count,
                slots: 0,
            },
            scope,
            open: Vec::with_capacity(16),
            complete: false,
            // The first look is the cheaper one, and enough for a document of one line.
            is_rough: any_byte(text, |b| b < b' ' || b == 0xEF) && any_byte(text, is_rough),
        }
    }

    fn run(mut self) -> Result<Document<'s>, Refusal> {
        let mut at = self.beginning;
        while let Some(byte) = self.source.as_bytes().get(at) {
            at = if *byte == b'<' {
                self.markup(at)?
            } else {
                self.text(at)?
            };
        }
        if self.complete {
            self.document.slots = self.scope.most;
            return Ok(self.document);
        }
        let found = match self.open.last() {
            None => "no element".to_owned(),
            Some(open) => format!("<{}> is never closed", self.name_of(open.index)),
        };
        Err(malformed(&found, self.source.len()))
    }

    fn markup(&mut self, start: usize) -> Result<usize, Refusal> {
        match &self.source.as_bytes()[start + 1..] {
            [b'/', ..] => self.end_tag(start),
            [b'?', ..] => self.instruction(start),
            [b'!', b'D' | b'd', ..] => Err(refuse(SamlRefusal::XmlDoctype, start)),
            [b'!', b'[', ..] => Err(refuse(SamlRefusal::XmlCdata, start)),
            [b'!', b'-', ..] => self.comment(start),
            [b'!', ..] => Err(malformed("broken markup", start)),
            _ => self.start_tag(start),
        }
    }

    /// XML 1.0 2.5: no `--` inside.
    fn comment(&mut self, start: usize) -> Result<usize, Refusal> {
        let leaf = SamlRefusal::XmlComment;
        self.drop_if_metadata(leaf, start)?;
        let content = self.source[start..].strip_prefix("<!--");
        let length = content.and_then(|content| content.find("--"));
        match length.map(|length| start + "<!--".len() + length) {
            Some(end) if self.source[end..].starts_with("-->") => Ok(end + "-->".len()),
            _ => Err(refuse(leaf, start)),
        }
    }

    /// A processing instruction, or the XML declaration.
    fn instruction(&mut self, start: usize) -> Result<usize, Refusal> {
        let leaf = SamlRefusal::XmlProcessingInstruction;
        let rest = &self.source[start + "<?".len()..];
        let Some(length) = rest.find("?>") else {
            return Err(refuse(leaf, start));
        };
        let content = rest[..length].strip_prefix("xml");
        let content = content.filter(|rest| rest.bytes().next().is_none_or(is_white_space));
        match content {
            Some(content) if start == self.beginning => declaration(content)?,
            Some(_) => return Err(malformed("XML declaration inside the document", start)),
            None => self.drop_if_metadata(leaf, start)?,
        }
        Ok(start + "<??>".len() + length)
    }

    /// Metadata may have comments and processing instructions, but not in a value.
    fn drop_if_metadata(&mut self, leaf: SamlRefusal, start: usize) -> Result<(), Refusal> {
        if self.mode == Mode::Message {
            return Err(refuse(leaf, start));
        }
        if let Some(open) = self.open.last_mut() {
            open.dropped.get_or_insert(leaf);
        }
        Ok(())
    }

    fn text(&mut self, start: usize) -> Result<usize, Refusal> {
        let rest = &self.source.as_bytes()[start..];
        let special = memchr3(b'<', b'&', b'>', rest).unwrap_or(rest.len());
        let is_plain = matches!(rest.get(special), None | Some(b'<'));
        let length = if is_plain {
            special
        } else {
            memchr(b'<', &rest[special..]).map_or(rest.len(), |more| special + more)
        };
        let (raw, end) = (&self.source[start..start + length], start + length);
        if self.open.is_empty() {
            let dark = raw.bytes().position(|byte| !is_white_space(byte));
            return match dark {
                None => Ok(end),
                Some(offset) => Err(malformed("text outside the root", start + offset)),
            };
        }
        let before = self.document.decoded.len();
        let reading = if is_plain && !self.is_rough {
            Reading::Verbatim
        } else {
            lexical::text(raw, start, &mut self.document.decoded)?
        };
        let value = self.value(reading, (start, end), before);
        let verbatim = reading == Reading::Verbatim;
        if self.mode == Mode::Metadata && self.join(value) {
            return Ok(end);
        }
        let text = TextData { value, verbatim };
        self.add_node(Content::Text(text), start)?;
        Ok(end)
    }

    /// Where a value is: at its place in the source, or at the end of what was decoded from `before` on.
    pub(super) fn value(&self, reading: Reading, place: (usize, usize), before: usize) -> Value {
        let decoded = reading == Reading::Decoded;
        let (start, end) = if decoded {
            (before, self.document.decoded.len())
        } else {
            place
        };
        Value {
            start: narrow(start),
            end: narrow(end),
            decoded,
        }
    }

    /// Appends to the text that stands directly before in the same element, nothing but a comment between.
    fn join(&mut self, more: Value) -> bool {
        let parent = self.open.last().map(|open| open.index);
        let document = &mut self.document;
        let Some(node) = document.nodes.last() else {
            return false;
        };
        let Content::Text(first) = node.content else {
            return false;
        };
        if Some(node.parent) != parent {
            return false;
        }
        let text = document.value(more).to_owned();
        if more.decoded {
            document.decoded.truncate(more.start as usize);
        }
        let mut value = first.value;
        if !value.decoded || value.end as usize != document.decoded.len() {
            let text = document.value(value).to_owned();
            value.start = narrow(document.decoded.len());
            value.decoded = true;
            document.decoded.push_str(&text);
        }
        document.decoded.push_str(&text);
        value.end = narrow(document.decoded.len());
        if let Some(node) = document.nodes.last_mut() {
            node.content = Content::Text(TextData {
                value,
                verbatim: false,
            });
        }
        true
    }

    pub(super) fn add_node(
        &mut self,
        content: Content<'s>,
        start: usize,
    ) -> Result<Index, Refusal> {
        let index = self.document.nodes.len();
        if index >= self.limits.nodes {
            return Err(exceeded("nodes", self.limits.nodes, start));
        }
        let index = narrow(index);
        let parent = self.open.last().map_or(NO_ELEMENT, |open| open.index);
        self.document.nodes.push(Node {
            parent,
            end: index + 1,
            position: narrow(start),
            content,
        });
        Ok(index)
    }

    fn name_of(&self, index: Index) -> &str {
        self.document.element_data(index).name.qualified
    }

    fn end_tag(&mut self, start: usize) -> Result<usize, Refusal> {
        let broken = || malformed("broken markup", start);
        let bytes = self.source.as_bytes();
        let open = self.open.pop().ok_or_else(broken)?;
        let name = self.name_of(open.index);
        let name_start = start + "</".len();
        if !bytes[name_start..].starts_with(name.as_bytes()) {
            return Err(broken());
        }
        let name_end = name_start + name.len();
        let close = skip(bytes, name_end, is_white_space);
        if bytes.get(close) != Some(&b'>') {
            return Err(broken());
        }
        let end = narrow(self.document.nodes.len());
        let node = &mut self.document.nodes[open.index as usize];
        node.end = end;
        if let Content::Element(data) = &mut node.content
            && close == name_end
        {
            data.end_tag = NonZeroU32::new(narrow(start));
        }
        self.scope.leave(open.scope);
        self.complete = self.open.is_empty();
        match open.dropped {
            Some(leaf) if self.is_leaf_with_text(open.index, end) => {
                let position = self.document.nodes[open.index as usize].position;
                Err(leaf.refuse().detail(at(position as usize)))
            }
            _ => Ok(close + 1),
        }
    }

    fn is_leaf_with_text(&self, index: Index, end: Index) -> bool {
        let inner = &self.document.nodes[index as usize + 1..end as usize];
        inner.iter().any(|node| match &node.content {
            Content::Text(text) => !lexical::trim(self.document.value(text.value)).is_empty(),
            Content::Element(_) => false,
        }) && inner
            .iter()
            .all(|node| matches!(node.content, Content::Text(_)))
    }
}

/// The XML declaration (XML 1.0 2.8 [23]) between `<?xml` and `?>`: version 1.0, UTF-8 if it says so.
fn declaration(content: &str) -> Result<(), Refusal> {
    let refuse = || {
        SamlRefusal::XmlEncoding
            .refuse()
            .expected("XML 1.0, UTF-8")
            .found(content)
    };
    let rest = pseudo_attribute(content, "version", |v| v == "1.0").ok_or_else(refuse)?;
    let rest =
        pseudo_attribute(rest, "encoding", |v| v.eq_ignore_ascii_case("utf-8")).unwrap_or(rest);
    let rest = pseudo_attribute(rest, "standalone", |v| v == "yes" || v == "no").unwrap_or(rest);
    if lexical::trim(rest).is_empty() {
        Ok(())
    } else {
        Err(refuse())
    }
}

/// Takes ` name="value"` off the front, if it is there and its value is good.
fn pseudo_attribute<'t>(text: &'t str, name: &str, good: impl Fn(&str) -> bool) -> Option<&'t str> {
    let trim = |t: &'t str| t.trim_start_matches([' ', '\t', '\r', '\n']);
    let rest = trim(text);
    if rest.len() == text.len() {
        return None;
    }
    let rest = trim(trim(rest.strip_prefix(name)?).strip_prefix('=')?);
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, rest) = rest[1..].split_once(quote)?;
    good(value).then_some(rest)
}

fn occurrences(text: &str, wanted: u8) -> usize {
    text.bytes().filter(|byte| *byte == wanted).count()
}

/// Positions and counts are below the limits of every mode, far below 2^32.
#[expect(
    clippy::cast_possible_truncation,
    reason = "documents are at most a few megabytes"
)]
pub(super) fn narrow(value: usize) -> Index {
    value as Index
}

/// Slots are fewer than the namespaces that may be in scope.
#[expect(
    clippy::cast_possible_truncation,
    reason = "at most a hundred declarations are in scope"
)]
pub(super) fn slot(value: usize) -> u8 {
    value as u8
}
