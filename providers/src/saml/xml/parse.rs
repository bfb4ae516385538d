//! From bytes to the arena: tokens by quick-xml, everything that gives them a meaning by this file.

use std::borrow::Cow;
use std::num::NonZeroU32;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::lexical::{self, at, is_white_space, malformed};
use super::{
    Content, Declaration, Document, Index, Limits, Mode, Node, Stretch, TextData, XML_DECLARATION,
    XML_NAMESPACE,
};
use crate::error::Refusal;
use crate::saml::refusal::SamlRefusal;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The parent of the root.
const NO_ELEMENT: Index = Index::MAX;

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
    Parser::new(text, source, mode, inherited).run()
}

pub(super) struct Parser<'s> {
    source: &'s str,
    /// Bytes before `source`, for positions.
    skipped: usize,
    pub(super) mode: Mode,
    pub(super) limits: Limits,
    pub(super) document: Document<'s>,
    /// The declarations in scope, innermost last.
    pub(super) scope: Vec<Index>,
    pub(super) open: Vec<Open>,
    /// The root was closed.
    pub(super) complete: bool,
}

/// An element whose end tag has not come yet.
pub(super) struct Open {
    pub(super) index: Index,
    /// How many declarations were in scope outside of it.
    pub(super) scope: usize,
    /// The leaf to refuse with if the element turns out to be a leaf with text.
    pub(super) dropped: Option<SamlRefusal>,
}

impl<'s> Parser<'s> {
    fn new(text: &'s str, source: &'s str, mode: Mode, inherited: Vec<Declaration<'s>>) -> Self {
        // What SAML messages have, rounded down; a guess that saves copying.
        let nodes = source.len() / 64 + 1;
        let attributes = source.len() / 128 + 1;
        let xml = Declaration {
            prefix: "xml",
            uri: Cow::Borrowed(XML_NAMESPACE),
            canonical: Stretch::default(),
        };
        let scope = (XML_DECLARATION..=narrow(inherited.len())).collect();
        Self {
            source,
            skipped: text.len() - source.len(),
            mode,
            limits: mode.limits(),
            document: Document {
                source: text,
                nodes: Vec::with_capacity(nodes),
                attributes: Vec::with_capacity(attributes),
                inherited: narrow(inherited.len()),
                declarations: std::iter::once(xml).chain(inherited).collect(),
            },
            scope,
            open: Vec::with_capacity(16),
            complete: false,
        }
    }

    fn run(mut self) -> Result<Document<'s>, Refusal> {
        let mut reader = Reader::from_str(self.source);
        reader.config_mut().check_comments = true;
        let mut start = 0;
        loop {
            let event = reader.read_event();
            let end = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let Ok(event) = event else {
                return Err(self.unreadable(start));
            };
            let token = self.source.get(start..end).unwrap_or_default();
            match event {
                Event::Text(_) => self.text(token, start)?,
                Event::GeneralRef(_) => self.reference(inside(token, 1, 1), start)?,
                Event::Start(_) => self.start(token, 0, start)?,
                Event::Empty(_) => {
                    self.start(token, 1, start)?;
                    self.end("", start)?;
                }
                Event::End(_) => self.end(token, start)?,
                Event::Decl(_) if start == 0 => declaration(inside(token, 5, 2))?,
                Event::Decl(_) => {
                    return Err(malformed(
                        "XML declaration inside the document",
                        self.position(start),
                    ));
                }
                Event::PI(_) => self.droppable(SamlRefusal::XmlProcessingInstruction, start)?,
                Event::Comment(_) => self.droppable(SamlRefusal::XmlComment, start)?,
                Event::CData(_) => return Err(self.refuse(SamlRefusal::XmlCdata, start)),
                Event::DocType(_) => return Err(self.refuse(SamlRefusal::XmlDoctype, start)),
                Event::Eof => return self.finish(),
            }
            start = end;
        }
    }

    fn finish(self) -> Result<Document<'s>, Refusal> {
        if self.complete {
            return Ok(self.document);
        }
        let found = match self.open.last() {
            None => "no element".to_owned(),
            Some(open) => format!(
                "<{}> is never closed",
                self.document.element_data(open.index).name.qualified
            ),
        };
        Err(malformed(&found, self.position(self.source.len())))
    }

    /// What a token was meant to be that the tokenizer could not read.
    fn unreadable(&self, start: usize) -> Refusal {
        let rest = &self.source.as_bytes()[start..];
        let leaf = match rest {
            [b'<', b'!', b'D' | b'd', ..] => SamlRefusal::XmlDoctype,
            [b'<', b'!', b'[', ..] => SamlRefusal::XmlCdata,
            [b'<', b'!', b'-', ..] => SamlRefusal::XmlComment,
            [b'<', b'?', ..] => SamlRefusal::XmlProcessingInstruction,
            _ => return malformed("broken markup", self.position(start)),
        };
        self.refuse(leaf, start)
    }

    pub(super) fn refuse(&self, leaf: SamlRefusal, start: usize) -> Refusal {
        leaf.refuse().detail(at(self.position(start)))
    }

    pub(super) fn position(&self, start: usize) -> usize {
        self.skipped + start
    }

    pub(super) fn limit(&self, name: &str, limit: usize, start: usize) -> Refusal {
        self.refuse(SamlRefusal::XmlLimit, start)
            .expected(format_args!("at most {limit} {name}"))
    }

    /// A comment or a processing instruction.
    fn droppable(&mut self, leaf: SamlRefusal, start: usize) -> Result<(), Refusal> {
        if self.mode == Mode::Message {
            return Err(self.refuse(leaf, start));
        }
        if let Some(open) = self.open.last_mut() {
            open.dropped.get_or_insert(leaf);
        }
        Ok(())
    }

    fn text(&mut self, raw: &'s str, start: usize) -> Result<(), Refusal> {
        if self.open.is_empty() {
            return match raw.bytes().position(|b| !is_white_space(b)) {
                None => Ok(()),
                Some(offset) => Err(malformed(
                    "text outside the root",
                    self.position(start + offset),
                )),
            };
        }
        let decoded = lexical::text(raw, self.position(start))?;
        if let Some(text) = self.text_before() {
            text.value.to_mut().push_str(&decoded.value);
            text.verbatim = false;
            return Ok(());
        }
        self.add_text(
            TextData {
                value: decoded.value,
                verbatim: decoded.plain,
            },
            start,
        )
    }

    fn reference(&mut self, name: &str, start: usize) -> Result<(), Refusal> {
        if self.open.is_empty() {
            return Err(malformed(
                "reference outside the root",
                self.position(start),
            ));
        }
        let character = lexical::reference(name, self.position(start))?;
        if let Some(text) = self.text_before() {
            text.value.to_mut().push(character);
            text.verbatim = false;
            return Ok(());
        }
        self.add_text(
            TextData {
                value: Cow::Owned(character.to_string()),
                verbatim: false,
            },
            start,
        )
    }

    /// The text node that directly precedes in the same element: a text, a reference and a text are one.
    fn text_before(&mut self) -> Option<&mut TextData<'s>> {
        // The last node is the last child of the open element only if it is a text: an element that was
        // closed would have to be followed by a new text node, and an open one has none yet.
        match self.document.nodes.last_mut() {
            Some(Node {
                content: Content::Text(text),
                parent,
                ..
            }) if self.open.last().is_some_and(|open| open.index == *parent) => Some(text),
            _ => None,
        }
    }

    fn add_text(&mut self, text: TextData<'s>, start: usize) -> Result<(), Refusal> {
        self.add_node(Content::Text(text), start).map(|_| ())
    }

    pub(super) fn add_node(
        &mut self,
        content: Content<'s>,
        start: usize,
    ) -> Result<Index, Refusal> {
        let index = self.document.nodes.len();
        if index >= self.limits.nodes {
            return Err(self.limit("nodes", self.limits.nodes, start));
        }
        let index = narrow(index);
        let parent = self.open.last().map_or(NO_ELEMENT, |open| open.index);
        let position = narrow(self.position(start));
        self.document.nodes.push(Node {
            parent,
            end: index + 1,
            position,
            content,
        });
        Ok(index)
    }

    /// An end tag, empty for that of an empty element.
    fn end(&mut self, token: &str, start: usize) -> Result<(), Refusal> {
        // The tokenizer has compared the names, and refuses an end tag without a start tag.
        let Some(open) = self.open.pop() else {
            return Err(malformed(
                "end tag without a start tag",
                self.position(start),
            ));
        };
        let end = narrow(self.document.nodes.len());
        let position = narrow(self.position(start));
        let node = &mut self.document.nodes[open.index as usize];
        node.end = end;
        if let Content::Element(data) = &mut node.content
            && token.len() == data.name.qualified.len() + "</>".len()
        {
            data.end_tag = NonZeroU32::new(position);
        }
        self.scope.truncate(open.scope);
        self.complete = self.open.is_empty();
        match open.dropped {
            Some(leaf) if self.is_leaf_with_text(open.index, end) => {
                let position = self.document.nodes[open.index as usize].position;
                Err(leaf.refuse().detail(at(position as usize)))
            }
            _ => Ok(()),
        }
    }

    fn is_leaf_with_text(&self, index: Index, end: Index) -> bool {
        let inner = &self.document.nodes[index as usize + 1..end as usize];
        inner.iter().any(|node| match &node.content {
            Content::Text(text) => !text.value.trim_matches(lexical::WHITE_SPACE).is_empty(),
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
    if rest.trim_matches(lexical::WHITE_SPACE).is_empty() {
        Ok(())
    } else {
        Err(refuse())
    }
}

/// Takes ` name="value"` off the front, if it is there and its value is good.
fn pseudo_attribute<'t>(text: &'t str, name: &str, good: impl Fn(&str) -> bool) -> Option<&'t str> {
    let trim = |t: &'t str| t.trim_start_matches(lexical::WHITE_SPACE);
    let rest = trim(text);
    if rest.len() == text.len() {
        return None;
    }
    let rest = trim(trim(rest.strip_prefix(name)?).strip_prefix('=')?);
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, rest) = rest[1..].split_once(quote)?;
    good(value).then_some(rest)
}

/// The token without its first and last bytes.
pub(super) fn inside(token: &str, before: usize, after: usize) -> &str {
    token
        .get(before..token.len().saturating_sub(after))
        .unwrap_or_default()
}

/// Positions and counts are below the limits of every mode, far below 2^32.
#[expect(
    clippy::cast_possible_truncation,
    reason = "documents are at most a few megabytes"
)]
pub(super) fn narrow(value: usize) -> Index {
    value as Index
}
