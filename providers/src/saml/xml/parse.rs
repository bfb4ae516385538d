//! From bytes to the arena: tokens by quick-xml, everything that gives them a meaning by this file.

use std::borrow::Cow;
use std::cmp::Ordering;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::lexical::{self, at, is_name_byte, is_white_space, malformed};
use super::{
    AttributeData, Content, Declaration, Document, ElementData, Index, Limits, Mode, NO_NAMESPACE,
    Name, Node, TextData, XML_DECLARATION, XML_NAMESPACE,
};
use crate::error::Refusal;
use crate::saml::refusal::SamlRefusal;

const BYTE_ORDER_MARK: &str = "\u{feff}";
const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// The parent of the root.
const NO_ELEMENT: Index = Index::MAX;

pub(super) fn parse(bytes: &[u8], mode: Mode) -> Result<Document<'_>, Refusal> {
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
    Parser::new(source, text.len() - source.len(), mode).run()
}

struct Parser<'s> {
    source: &'s str,
    /// Bytes before `source`, for positions.
    skipped: usize,
    mode: Mode,
    limits: Limits,
    document: Document<'s>,
    /// The declarations in scope, innermost last.
    scope: Vec<Index>,
    open: Vec<Open>,
    /// The root was closed.
    complete: bool,
}

/// An element whose end tag has not come yet.
struct Open {
    index: Index,
    /// How many declarations were in scope outside of it.
    scope: usize,
    /// The leaf to refuse with if the element turns out to be a leaf with text.
    dropped: Option<SamlRefusal>,
}

impl<'s> Parser<'s> {
    fn new(source: &'s str, skipped: usize, mode: Mode) -> Self {
        // One node in forty bytes is what SAML messages have; a guess that saves copying.
        let guess = source.len() / 40 + 1;
        let xml = Declaration {
            prefix: "xml",
            uri: Cow::Borrowed(XML_NAMESPACE),
        };
        Self {
            source,
            skipped,
            mode,
            limits: mode.limits(),
            document: Document {
                nodes: Vec::with_capacity(guess),
                attributes: Vec::with_capacity(guess),
                declarations: vec![xml],
            },
            scope: vec![XML_DECLARATION],
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
                Event::Start(_) => self.start(inside(token, 1, 1), start)?,
                Event::Empty(_) => {
                    self.start(inside(token, 1, 2), start)?;
                    self.end()?;
                }
                Event::End(_) => self.end()?,
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

    fn refuse(&self, leaf: SamlRefusal, start: usize) -> Refusal {
        leaf.refuse().detail(at(self.position(start)))
    }

    fn position(&self, start: usize) -> usize {
        self.skipped + start
    }

    fn limit(&self, name: &str, limit: usize, start: usize) -> Refusal {
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
            text.plain &= decoded.plain;
            return Ok(());
        }
        self.add_text(
            TextData {
                value: decoded.value,
                plain: decoded.plain,
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
            text.plain = false;
            return Ok(());
        }
        self.add_text(
            TextData {
                value: Cow::Owned(character.to_string()),
                plain: false,
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

    fn add_node(&mut self, content: Content<'s>, start: usize) -> Result<Index, Refusal> {
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

    /// A start tag without its angle brackets and slash.
    fn start(&mut self, tag: &'s str, start: usize) -> Result<(), Refusal> {
        if self.complete {
            return Err(malformed("a second root element", self.position(start)));
        }
        if self.open.len() >= self.limits.depth {
            return Err(self.limit("elements inside one another", self.limits.depth, start));
        }
        let length = tag.bytes().position(is_white_space).unwrap_or(tag.len());
        let name = self.name(&tag[..length], start)?;
        let outer_scope = self.scope.len();
        let first_declaration = narrow(self.document.declarations.len());
        let first_attribute = self.document.attributes.len();
        self.attributes(&tag[length..], start + 1 + length, start)?;
        let data = ElementData {
            name: self.resolve(name, true, start)?,
            attributes: (
                narrow(first_attribute),
                narrow(self.document.attributes.len()),
            ),
            declarations: (first_declaration, narrow(self.document.declarations.len())),
        };
        self.finish_attributes(first_attribute, start)?;
        let index = self.add_node(Content::Element(data), start)?;
        self.open.push(Open {
            index,
            scope: outer_scope,
            dropped: None,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        // The tokenizer has compared the names, and refuses an end tag without a start tag.
        let Some(open) = self.open.pop() else {
            return Err(malformed("end tag without a start tag", self.skipped));
        };
        let end = narrow(self.document.nodes.len());
        self.document.nodes[open.index as usize].end = end;
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

    /// Reads `name = "value"` pairs (XML 1.0 3.1 [40], [41]) of one start tag.
    fn attributes(&mut self, tail: &'s str, offset: usize, start: usize) -> Result<(), Refusal> {
        let bytes = tail.as_bytes();
        let mut count = 0;
        let mut here = 0;
        loop {
            let space = here;
            here = skip(bytes, here, is_white_space);
            if here == bytes.len() {
                return Ok(());
            }
            count += 1;
            if count > self.limits.attributes {
                return Err(self.limit("attributes of one element", self.limits.attributes, start));
            }
            let name_start = here;
            here = skip(bytes, here, |b| is_name_byte(b) || b == b':');
            let name_end = here;
            let equals = skip(bytes, here, is_white_space);
            let quote = skip(bytes, equals + 1, is_white_space);
            let broken = || malformed("broken attribute", self.position(offset + name_start));
            if space == name_start || bytes.get(equals) != Some(&b'=') {
                return Err(broken());
            }
            let Some(mark @ (b'"' | b'\'')) = bytes.get(quote) else {
                return Err(broken());
            };
            let value_start = quote + 1;
            let length = bytes[value_start..]
                .iter()
                .position(|b| b == mark)
                .ok_or_else(broken)?;
            here = value_start + length + 1;
            let name = self.name(&tail[name_start..name_end], offset + name_start)?;
            let raw = &tail[value_start..value_start + length];
            self.attribute(name, raw, offset + value_start)?;
        }
    }

    fn attribute(&mut self, name: Name<'s>, raw: &'s str, offset: usize) -> Result<(), Refusal> {
        let decoded = lexical::attribute_value(raw, self.position(offset))?;
        if name.qualified == "xmlns" {
            return self.declare("", decoded.value, offset);
        }
        if name.prefix() == "xmlns" {
            return self.declare(name.local(), decoded.value, offset);
        }
        let (value, plain) = (decoded.value, decoded.plain);
        self.document
            .attributes
            .push(AttributeData { name, value, plain });
        Ok(())
    }

    /// Adds a namespace declaration (Namespaces in XML 1.0, 3 and 5).
    fn declare(
        &mut self,
        prefix: &'s str,
        uri: Cow<'s, str>,
        offset: usize,
    ) -> Result<(), Refusal> {
        let reserved =
            matches!(prefix, "xml" | "xmlns") || matches!(&*uri, XML_NAMESPACE | XMLNS_NAMESPACE);
        let undeclared_default = prefix.is_empty() && uri.is_empty();
        if reserved || !(undeclared_default || is_absolute_uri(&uri)) {
            return Err(self
                .refuse(SamlRefusal::XmlNamespace, offset)
                .expected("an absolute URI, and no reserved prefix")
                .found(format_args!("{prefix}=\"{uri}\"")));
        }
        if self.scope.len() > self.limits.namespaces {
            return Err(self.limit(
                "namespace declarations in scope",
                self.limits.namespaces,
                offset,
            ));
        }
        self.scope.push(narrow(self.document.declarations.len()));
        self.document.declarations.push(Declaration { prefix, uri });
        Ok(())
    }

    /// Resolves, sorts and compares the names of an element's attributes, once its declarations are known.
    fn finish_attributes(&mut self, first: usize, start: usize) -> Result<(), Refusal> {
        for i in first..self.document.attributes.len() {
            let name = self.document.attributes[i].name;
            if name.prefix_length > 0 {
                self.document.attributes[i].name = self.resolve(name, false, start)?;
            }
        }
        let Document {
            attributes,
            declarations,
            ..
        } = &mut self.document;
        let uri = |i: Index| declarations.get(i as usize).map_or("", |d| &*d.uri);
        let order = |a: &AttributeData<'s>, b: &AttributeData<'s>| {
            let (a, b) = (a.name, b.name);
            let same = a.namespace == b.namespace;
            let namespaces = if same {
                Ordering::Equal
            } else {
                uri(a.namespace).cmp(uri(b.namespace))
            };
            namespaces.then_with(|| a.local().cmp(b.local()))
        };
        let own = &mut attributes[first..];
        own.sort_unstable_by(order);
        match own
            .windows(2)
            .find(|pair| order(&pair[0], &pair[1]).is_eq())
        {
            None => Ok(()),
            Some(pair) => Err(malformed(
                &format!("attribute {} twice", pair[0].name.qualified),
                self.skipped + start,
            )),
        }
    }

    /// Checks a qualified name, whose prefix is resolved later.
    fn name(&self, qualified: &'s str, start: usize) -> Result<Name<'s>, Refusal> {
        match lexical::prefix_length(qualified) {
            Some(length) => Ok(Name {
                qualified,
                prefix_length: narrow(length),
                namespace: NO_NAMESPACE,
            }),
            None => Err(malformed(
                "a name that is not ASCII or not qualified",
                self.position(start),
            )),
        }
    }

    fn resolve(&self, name: Name<'s>, element: bool, start: usize) -> Result<Name<'s>, Refusal> {
        let prefix = name.prefix();
        if prefix.is_empty() && !element {
            return Ok(name);
        }
        let declarations = &self.document.declarations;
        let found = self
            .scope
            .iter()
            .rev()
            .find(|i| declarations[**i as usize].prefix == prefix);
        match found {
            Some(namespace) => Ok(Name {
                namespace: *namespace,
                ..name
            }),
            None if prefix.is_empty() => Ok(name),
            None => Err(self
                .refuse(SamlRefusal::XmlNamespace, start)
                .expected("a declared prefix")
                .found(name.qualified)),
        }
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

/// An absolute URI of printable ASCII, in the form that every reader stores alike: a relative one makes
/// other implementations' canonicalization fail, an ampersand is stored differently by them.
fn is_absolute_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else {
        return false;
    };
    let scheme = scheme.as_bytes();
    scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        && !rest.is_empty()
        && rest
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'&' | b'<' | b'>' | b'"'))
}

fn skip(bytes: &[u8], from: usize, pass: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|b| !pass(*b)).unwrap_or(rest.len())
}

/// The token without its first and last bytes.
fn inside(token: &str, before: usize, after: usize) -> &str {
    token
        .get(before..token.len().saturating_sub(after))
        .unwrap_or_default()
}

/// Positions and counts are below the limits of every mode, far below 2^32.
#[expect(
    clippy::cast_possible_truncation,
    reason = "documents are at most a few megabytes"
)]
fn narrow(value: usize) -> Index {
    value as Index
}
