//! One start tag: its attributes, the namespaces it declares, and what its names stand for.

use std::cmp::Ordering;

use super::lexical::{self, Decoded, any_byte, is_white_space, malformed};
use super::parse::{Open, Parser, inside, narrow};
use super::{
    AttributeData, Content, Declaration, Document, ElementData, Index, NO_NAMESPACE, Name, Stretch,
    XML_NAMESPACE,
};
use crate::error::Refusal;
use crate::saml::refusal::SamlRefusal;

const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// How many declarations are looked back at.
const RECENT_DECLARATIONS: usize = 4;

/// How full the arenas are at one moment.
struct Counts {
    attributes: usize,
    declarations: usize,
    scope: usize,
}

impl Counts {
    fn of(parser: &Parser<'_>) -> Self {
        Self {
            attributes: parser.document.attributes.len(),
            declarations: parser.document.declarations.len(),
            scope: parser.scope.len(),
        }
    }
}

impl<'s> Parser<'s> {
    /// A start tag with its angle brackets; `slash` is 1 for an empty element's tag, otherwise 0.
    pub(super) fn start(
        &mut self,
        token: &'s str,
        slash: usize,
        start: usize,
    ) -> Result<(), Refusal> {
        if self.complete {
            return Err(malformed("a second root element", self.position(start)));
        }
        if self.open.len() >= self.limits.depth {
            return Err(self.limit("elements inside one another", self.limits.depth, start));
        }
        let tag = inside(token, 1, 1 + slash);
        let name = self.name(tag, start + 1)?;
        let length = name.qualified.len();
        let outer = Counts::of(self);
        self.attributes(&tag[length..], start + 1 + length, &outer)?;
        let inner = Counts::of(self);
        let name = self.resolve(name, true, start)?;
        self.sort_attributes(outer.attributes, start)?;
        let data = ElementData {
            name,
            attributes: (narrow(outer.attributes), narrow(inner.attributes)),
            declarations: (narrow(outer.declarations), narrow(inner.declarations)),
            tag_end: narrow(self.position(start + token.len())),
            end_tag: None,
        };
        let index = self.add_node(Content::Element(data), start)?;
        self.open.push(Open {
            index,
            scope: outer.scope,
            dropped: None,
        });
        Ok(())
    }

    /// Reads the `name = "value"` pairs (XML 1.0 3.1 [40], [41]) of one start tag.
    fn attributes(&mut self, tail: &'s str, offset: usize, outer: &Counts) -> Result<(), Refusal> {
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
                return Err(self.limit(
                    "attributes of one element",
                    self.limits.attributes,
                    offset,
                ));
            }
            let name_start = here;
            let name = self.name(&tail[name_start..], offset + name_start)?;
            let name_end = name_start + name.qualified.len();
            let equals = skip(bytes, name_end, is_white_space);
            let quote = skip(bytes, equals + 1, is_white_space);
            let broken = || malformed("broken attribute", self.position(offset + name_start));
            if space == name_start || bytes.get(equals) != Some(&b'=') {
                return Err(broken());
            }
            let Some(mark @ (b'"' | b'\'')) = bytes.get(quote) else {
                return Err(broken());
            };
            let value_start = quote + 1;
            let length = tail[value_start..]
                .find(char::from(*mark))
                .ok_or_else(broken)?;
            here = value_start + length + 1;
            let raw = &tail[value_start..value_start + length];
            let spacing = (name_start - space, equals - name_end, quote - equals) == (1, 0, 1);
            let written = if spacing && bytes[space] == b' ' && *mark == b'"' {
                self.stretch(offset + space, offset + here)
            } else {
                Stretch::default()
            };
            self.attribute(name, raw, offset + value_start, written, outer)?;
        }
    }

    fn stretch(&self, start: usize, end: usize) -> Stretch {
        Stretch {
            start: narrow(self.position(start)),
            end: narrow(self.position(end)),
        }
    }

    /// Keeps one attribute or declaration. What was `written` is canonical if nothing in the value is escaped.
    fn attribute(
        &mut self,
        name: Name<'s>,
        raw: &'s str,
        offset: usize,
        written: Stretch,
        outer: &Counts,
    ) -> Result<(), Refusal> {
        let Decoded { value, plain } = lexical::attribute_value(raw, self.position(offset))?;
        let canonical = if plain { written } else { Stretch::default() };
        let prefix = match (name.prefix(), name.qualified) {
            ("xmlns", _) => name.local(),
            (_, "xmlns") => "",
            _ => {
                self.document.attributes.push(AttributeData {
                    name,
                    value,
                    canonical,
                });
                return Ok(());
            }
        };
        self.declare(
            Declaration {
                prefix,
                uri: value,
                canonical,
            },
            offset,
            outer,
        )
    }

    /// Adds a namespace declaration (Namespaces in XML 1.0, 3 and 5).
    fn declare(
        &mut self,
        declaration: Declaration<'s>,
        offset: usize,
        outer: &Counts,
    ) -> Result<(), Refusal> {
        let (prefix, uri) = (declaration.prefix, &*declaration.uri);
        // Shibboleth writes the binding that always holds into its metadata (Namespaces in XML 1.0, 3 allows it).
        if self.mode == super::Mode::Metadata && prefix == "xml" && uri == XML_NAMESPACE {
            return Ok(());
        }
        if self.document.declarations[outer.declarations..]
            .iter()
            .any(|d| d.prefix == prefix)
        {
            return Err(malformed(
                "a namespace declared twice",
                self.position(offset),
            ));
        }
        let undeclared_default = prefix.is_empty() && uri.is_empty();
        let sound = undeclared_default || self.is_known(uri) || is_unreserved_uri(uri);
        if !sound || matches!(prefix, "xml" | "xmlns") {
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
        self.document.declarations.push(declaration);
        Ok(())
    }

    /// Whether a namespace was accepted a moment ago: products declare the same ones on every value.
    fn is_known(&self, uri: &str) -> bool {
        // The first one is that of the prefix `xml`, which nobody may declare.
        let accepted = &self.document.declarations[1..];
        let mut recent = accepted.iter().rev().take(RECENT_DECLARATIONS);
        !uri.is_empty() && recent.any(|declaration| declaration.uri == uri)
    }

    /// Resolves the names of an element's attributes once its declarations are known, refuses a name that
    /// comes twice, and puts the attributes in canonical order.
    fn sort_attributes(&mut self, first: usize, start: usize) -> Result<(), Refusal> {
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
        let order =
            |a: &AttributeData<'s>, b: &AttributeData<'s>| order(declarations, &a.name, &b.name);
        let own = &mut attributes[first..];
        if own.windows(2).all(|pair| order(&pair[0], &pair[1]).is_lt()) {
            return Ok(());
        }
        own.sort_unstable_by(order);
        match own
            .windows(2)
            .find(|pair| order(&pair[0], &pair[1]).is_eq())
        {
            None => Ok(()),
            Some(pair) => {
                let found = format!("attribute {} twice", pair[0].name.qualified);
                Err(malformed(&found, self.position(start)))
            }
        }
    }

    /// Reads the qualified name that a text begins with; its prefix is resolved later.
    fn name(&self, text: &'s str, start: usize) -> Result<Name<'s>, Refusal> {
        match lexical::qualified_name(text) {
            Some((length, prefix)) => Ok(Name {
                qualified: &text[..length],
                prefix_length: narrow(prefix),
                namespace: NO_NAMESPACE,
            }),
            None => Err(malformed(
                "no qualified name of ASCII characters",
                self.position(start),
            )),
        }
    }

    /// Finds the declaration of a name's prefix; an attribute without one is in no namespace.
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

/// Canonical order of attributes: by namespace, then by local name (Canonical XML 1.0, 2.2).
fn order(declarations: &[Declaration<'_>], a: &Name<'_>, b: &Name<'_>) -> Ordering {
    let uri = |i: Index| declarations.get(i as usize).map_or("", |d| &*d.uri);
    let namespaces = if a.namespace == b.namespace {
        Ordering::Equal
    } else {
        uri(a.namespace).cmp(uri(b.namespace))
    };
    namespaces.then_with(|| a.local().cmp(b.local()))
}

fn is_unreserved_uri(uri: &str) -> bool {
    !matches!(uri, XML_NAMESPACE | XMLNS_NAMESPACE) && is_absolute_uri(uri)
}

/// An absolute URI (RFC 3986 3) in the form that every reader stores alike: other implementations fail to
/// canonicalize one that they cannot parse, even where nothing uses it, and store an ampersand differently.
fn is_absolute_uri(uri: &str) -> bool {
    let bytes = uri.as_bytes();
    let scheme = bytes
        .iter()
        .take_while(|b| uri_class(**b) == URI_SCHEME)
        .count();
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(scheme) == Some(&b':')
        && bytes.len() > scheme + 1
        && !any_byte(uri, |b| uri_class(b) == 0)
        && has_sound_authority(&uri[scheme + 1..])
        && uri.split('#').count() <= 2
}

/// Whether what follows `//`, if anything, is a host and perhaps a port; no user, no IPv6 address.
fn has_sound_authority(after_scheme: &str) -> bool {
    let Some(after) = after_scheme.strip_prefix("//") else {
        return true;
    };
    let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let port_sound = port.is_none_or(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'));
    let host_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    !host.is_empty() && host.bytes().all(host_byte) && port_sound
}

/// What a byte may be in a namespace: nothing, anything after the scheme, or also a part of it (RFC 3986 3.1).
const URI_CLASS: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        classes[byte as usize] = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.' => URI_SCHEME,
            // Markup, what RFC 3986 forbids, and escapes, which could be broken.
            b'&' | b'<' | b'>' | b'"' | b'%' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'['
            | b']' => 0,
            _ => URI_REST,
        };
        byte += 1;
    }
    classes
};
const URI_REST: u8 = 1;
const URI_SCHEME: u8 = 2;

fn uri_class(byte: u8) -> u8 {
    URI_CLASS[usize::from(byte)]
}

fn skip(bytes: &[u8], from: usize, pass: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|b| !pass(*b)).unwrap_or(rest.len())
}
