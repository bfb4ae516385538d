//! One start tag: its attributes, the namespaces it declares, and what its names stand for.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::lexical::{self, Decoded, is_name_byte, is_white_space, malformed};
use super::parse::{Open, Parser, inside, narrow};
use super::{
    AttributeData, Content, Declaration, Document, ElementData, Index, NO_NAMESPACE, Name,
    XML_NAMESPACE,
};
use crate::error::Refusal;
use crate::saml::refusal::SamlRefusal;

const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

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
        let length = tag.bytes().position(is_white_space).unwrap_or(tag.len());
        let name = self.name(&tag[..length], start)?;
        let outer = Counts::of(self);
        let canonical = self.attributes(&tag[length..], start + 1 + length, &outer)?;
        let inner = Counts::of(self);
        let name = self.resolve(name, true, start)?;
        let sorted = self.sort_attributes(outer.attributes, start)?;
        let data = ElementData {
            name,
            attributes: (narrow(outer.attributes), narrow(inner.attributes)),
            declarations: (narrow(outer.declarations), narrow(inner.declarations)),
            tag_end: narrow(self.position(start + token.len())),
            tag_verbatim: slash == 0
                && canonical
                && sorted
                && outer.declarations == inner.declarations,
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

    /// Reads the `name = "value"` pairs (XML 1.0 3.1 [40], [41]) of one start tag, and says whether they
    /// are written as canonical XML writes them, their order aside.
    fn attributes(
        &mut self,
        tail: &'s str,
        offset: usize,
        outer: &Counts,
    ) -> Result<bool, Refusal> {
        let bytes = tail.as_bytes();
        let mut count = 0;
        let mut here = 0;
        let mut canonical = true;
        loop {
            let space = here;
            here = skip(bytes, here, is_white_space);
            if here == bytes.len() {
                return Ok(canonical && space == here);
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
            let plain = self.attribute(name, raw, offset + value_start, outer)?;
            let spacing = (name_start - space, equals - name_end, quote - equals) == (1, 0, 1);
            canonical &= plain && spacing && bytes[space] == b' ' && *mark == b'"';
        }
    }

    /// Keeps one attribute or declaration, and says whether canonical XML escapes nothing in its value.
    fn attribute(
        &mut self,
        name: Name<'s>,
        raw: &'s str,
        offset: usize,
        outer: &Counts,
    ) -> Result<bool, Refusal> {
        let Decoded { value, plain } = lexical::attribute_value(raw, self.position(offset))?;
        if name.qualified == "xmlns" {
            self.declare("", value, offset, outer)?;
        } else if name.prefix() == "xmlns" {
            self.declare(name.local(), value, offset, outer)?;
        } else {
            self.document
                .attributes
                .push(AttributeData { name, value, plain });
        }
        Ok(plain)
    }

    /// Adds a namespace declaration (Namespaces in XML 1.0, 3 and 5).
    fn declare(
        &mut self,
        prefix: &'s str,
        uri: Cow<'s, str>,
        offset: usize,
        outer: &Counts,
    ) -> Result<(), Refusal> {
        if self.document.declarations[outer.declarations..]
            .iter()
            .any(|d| d.prefix == prefix)
        {
            return Err(malformed(
                "a namespace declared twice",
                self.position(offset),
            ));
        }
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

    /// Resolves the names of an element's attributes once its declarations are known, refuses a name that
    /// comes twice, and says whether the attributes stood in canonical order before they were put in it.
    fn sort_attributes(&mut self, first: usize, start: usize) -> Result<bool, Refusal> {
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
            return Ok(true);
        }
        own.sort_unstable_by(order);
        match own
            .windows(2)
            .find(|pair| order(&pair[0], &pair[1]).is_eq())
        {
            None => Ok(false),
            Some(pair) => {
                let found = format!("attribute {} twice", pair[0].name.qualified);
                Err(malformed(&found, self.position(start)))
            }
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
