//! One start tag: its attributes, the namespaces it declares, and what its names stand for.

use std::borrow::Cow;
use std::cmp::Ordering;

use memchr::{memchr, memchr3};

use super::arena::{
    AttributeData, Content, Declaration, Document, ElementData, Index, NO_NAMESPACE, Name, Stretch,
    Value,
};
use super::lexical::{self, Reading, any_byte, exceeded, is_white_space, malformed, refuse, skip};
use super::parse::{Open, Parser, narrow, slot};
use super::uri::is_absolute_uri;
use super::{Mode, XML_NAMESPACE};
use crate::error::Refusal;
use crate::saml::refusal::SamlRefusal;

const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// How many declarations are looked back at.
const RECENT_DECLARATIONS: usize = 4;

/// The start tag that is being read, with how full the arenas were before it.
#[derive(Clone, Copy)]
struct Tag {
    start: usize,
    attributes: usize,
    declarations: usize,
    scope: usize,
}

/// Where one `name="value"` stands, the blank before it included.
#[derive(Clone, Copy)]
struct Place {
    space: usize,
    /// The value without its quotes.
    value: usize,
    end: usize,
    /// Canonical XML writes blank, name, equals sign and quotes just so.
    is_canonical: bool,
}

impl<'s> Parser<'s> {
    /// Reads a start tag, and answers what comes behind it.
    pub(super) fn start_tag(&mut self, start: usize) -> Result<usize, Refusal> {
        if self.complete {
            return Err(malformed("a second root element", start));
        }
        if self.open.len() >= self.limits.depth {
            return Err(exceeded(
                "elements inside one another",
                self.limits.depth,
                start,
            ));
        }
        if let Some(data) = self.repeated(start) {
            return self.add_repeated(data, start);
        }
        let tag = Tag {
            start,
            attributes: self.document.attributes.len(),
            declarations: self.document.declarations.len(),
            scope: self.scope.depth(),
        };
        let name = self.name(start + 1)?;
        let (close, end) = self.attributes(start + 1 + name.qualified.len(), &tag)?;
        let name = self.resolve(name, start)?;
        self.sort_attributes(tag.attributes, start)?;
        let data = ElementData {
            name,
            attributes: (
                narrow(tag.attributes),
                narrow(self.document.attributes.len()),
            ),
            declarations: (
                narrow(tag.declarations),
                narrow(self.document.declarations.len()),
            ),
            tag_end: narrow(end),
            end_tag: None,
            verbatim: self.is_verbatim(&tag, name, close),
        };
        self.add_element(data, tag.scope, start, end - close > 1)?;
        Ok(end)
    }

    /// What the element before this one is, if it has the same parent and its start tag the same octets: then all names
    /// in it mean the same. Products repeat the tag of each value.
    fn repeated(&self, start: usize) -> Option<ElementData<'s>> {
        let sibling = self.open.last()?.last_child?;
        let node = self.document.nodes.get(sibling as usize)?;
        let Content::Element(data) = &node.content else {
            return None;
        };
        let bytes = self.source.as_bytes();
        let tag = &bytes[node.position as usize..data.tag_end as usize];
        bytes[start..].starts_with(tag).then(|| ElementData {
            tag_end: narrow(start + tag.len()),
            end_tag: None,
            ..*data
        })
    }

    fn add_repeated(&mut self, data: ElementData<'s>, start: usize) -> Result<usize, Refusal> {
        let scope = self.scope.depth();
        for declaration in data.declarations.0..data.declarations.1 {
            let Declaration { prefix, slot, .. } =
                &self.document.declarations[declaration as usize];
            self.scope
                .declare_at(usize::from(*slot), prefix, declaration);
        }
        let end = data.tag_end as usize;
        let is_empty = self.source.as_bytes()[end - 2] == b'/';
        self.add_element(data, scope, start, is_empty)?;
        Ok(end)
    }

    fn add_element(
        &mut self,
        data: ElementData<'s>,
        scope: usize,
        start: usize,
        is_empty: bool,
    ) -> Result<(), Refusal> {
        let index = self.add_node(Content::Element(data), start)?;
        if let Some(parent) = self.open.last_mut() {
            parent.last_child = Some(index);
        }
        if is_empty {
            self.scope.leave(scope);
            self.complete = self.open.is_empty();
        } else {
            self.open.push(Open {
                index,
                scope,
                last_child: None,
                dropped: None,
            });
        }
        Ok(())
    }

    /// Reads the `name = "value"` pairs (XML 1.0 3.1 [40], [41]) from `at` on. Answers where the `>` or `/>` stands, and
    /// what comes behind it.
    fn attributes(&mut self, mut at: usize, tag: &Tag) -> Result<(usize, usize), Refusal> {
        let bytes = self.source.as_bytes();
        let mut count = 0;
        loop {
            let space = at;
            at = skip(bytes, at, is_white_space);
            match bytes[at..] {
                [b'>', ..] => return Ok((at, at + 1)),
                [b'/', b'>', ..] => return Ok((at, at + 2)),
                [] => return Err(malformed("broken markup", tag.start)),
                _ if space == at => return Err(malformed("broken attribute", at)),
                _ => {}
            }
            count += 1;
            if count > self.limits.attributes {
                let limit = self.limits.attributes;
                return Err(exceeded("attributes of one element", limit, tag.start));
            }
            at = self.name_and_value(space, at, tag)?;
        }
    }

    fn name_and_value(&mut self, space: usize, start: usize, tag: &Tag) -> Result<usize, Refusal> {
        let bytes = self.source.as_bytes();
        let name = self.name(start)?;
        let name_end = start + name.qualified.len();
        let equals = skip(bytes, name_end, is_white_space);
        let quote = skip(bytes, equals + 1, is_white_space);
        let broken = || malformed("broken attribute", start);
        let mark = bytes.get(quote).filter(|mark| matches!(mark, b'"' | b'\''));
        let mark = *mark.ok_or_else(broken)?;
        if bytes[equals] != b'=' {
            return Err(broken());
        }
        let value = quote + 1;
        let rest = &bytes[value..];
        let special = memchr3(mark, b'<', b'&', rest).ok_or_else(broken)?;
        let is_plain = rest[special] == mark;
        let length = if is_plain {
            special
        } else {
            special + memchr(mark, &rest[special..]).ok_or_else(broken)?
        };
        let place = Place {
            space,
            value,
            end: value + length + 1,
            is_canonical: (start - space, equals - name_end, quote - equals) == (1, 0, 1)
                && bytes[space] == b' '
                && mark == b'"',
        };
        self.attribute(name, is_plain, place, tag)?;
        Ok(place.end)
    }

    /// Keeps one attribute or declaration; `is_plain` says that there is neither `&` nor `<` in its value.
    fn attribute(
        &mut self,
        name: Name<'s>,
        is_plain: bool,
        place: Place,
        tag: &Tag,
    ) -> Result<(), Refusal> {
        let so_far = self.document.attributes.len() + self.document.declarations.len();
        if so_far > self.limits.all_attributes {
            let limit = self.limits.all_attributes;
            return Err(exceeded("attributes of all elements", limit, place.value));
        }
        let raw = &self.source[place.value..place.end - 1];
        let before = self.document.decoded.len();
        let reading = if is_plain && !any_byte(raw, |b| b < b' ' || b == b'"' || b == 0xEF) {
            Reading::Verbatim
        } else {
            lexical::attribute_value(raw, place.value, &mut self.document.decoded)?
        };
        let value = self.value(reading, (place.value, place.end - 1), before);
        let canonical = if place.is_canonical && reading == Reading::Verbatim {
            Stretch {
                start: narrow(place.space - tag.start),
                end: narrow(place.end - tag.start),
            }
        } else {
            Stretch::default()
        };
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
        let declaration = Declaration {
            prefix,
            uri: self.uri_of(value),
            canonical,
            tag: narrow(tag.start),
            slot: 0,
        };
        self.declare(declaration, place.value, tag)
    }

    fn uri_of(&self, value: Value) -> Cow<'s, str> {
        if value.decoded {
            Cow::Owned(self.document.value(value).to_owned())
        } else {
            Cow::Borrowed(&self.source[value.start as usize..value.end as usize])
        }
    }

    /// Adds a namespace declaration (Namespaces in XML 1.0, 3 and 5).
    fn declare(
        &mut self,
        mut declaration: Declaration<'s>,
        position: usize,
        tag: &Tag,
    ) -> Result<(), Refusal> {
        let (prefix, uri) = (declaration.prefix, &*declaration.uri);
        // Shibboleth writes the binding that always holds into its metadata (Namespaces in XML 1.0, 3 allows it).
        if self.mode == Mode::Metadata && prefix == "xml" && uri == XML_NAMESPACE {
            return Ok(());
        }
        let bound = self
            .scope
            .find(prefix)
            .filter(|bound| *bound != NO_NAMESPACE);
        if bound.is_some_and(|bound| bound as usize >= tag.declarations) {
            return Err(malformed("a namespace declared twice", position));
        }
        if uri.len() > self.limits.namespace_bytes {
            let limit = self.limits.namespace_bytes;
            return Err(exceeded("bytes of a namespace", limit, position));
        }
        let undeclared_default = prefix.is_empty() && uri.is_empty();
        let sound = undeclared_default || self.is_known(uri) || is_unreserved_uri(uri);
        if !sound || matches!(prefix, "xml" | "xmlns") {
            return Err(refuse(SamlRefusal::XmlNamespace, position)
                .expected("an absolute URI, and no reserved prefix")
                .found(format_args!("{prefix}=\"{uri}\"")));
        }
        // The empty default namespace and that of the prefix `xml` are always in scope.
        if self.scope.depth() - 2 >= self.limits.namespaces {
            let limit = self.limits.namespaces;
            return Err(exceeded("namespace declarations in scope", limit, position));
        }
        let index = narrow(self.document.declarations.len());
        declaration.slot = slot(self.scope.declare(prefix, index));
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
                self.document.attributes[i].name = self.resolve(name, start)?;
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
                Err(malformed(&found, start))
            }
        }
    }

    /// Whether canonical XML writes the tag as it stands, up to namespaces: it declares none, and its attributes stand in
    /// canonical order with nothing between them. `close` is where it ends.
    fn is_verbatim(&self, tag: &Tag, name: Name<'_>, close: usize) -> bool {
        let mut end = tag.start + 1 + name.qualified.len();
        for attribute in &self.document.attributes[tag.attributes..] {
            if attribute.canonical.start as usize != end - tag.start {
                return false;
            }
            end += attribute.canonical.length();
        }
        end == close
            && self.source.as_bytes()[close] == b'>'
            && self.document.declarations.len() == tag.declarations
    }

    /// Reads the qualified name that stands at `start`; its prefix is resolved later.
    fn name(&self, start: usize) -> Result<Name<'s>, Refusal> {
        let text = &self.source[start..];
        match lexical::qualified_name(text) {
            Some((length, prefix)) => Ok(Name {
                qualified: &text[..length],
                prefix_length: narrow(prefix),
                namespace: NO_NAMESPACE,
            }),
            None => Err(malformed("no qualified name of ASCII characters", start)),
        }
    }

    /// Finds the declaration of a name's prefix, of the default namespace where it has none.
    fn resolve(&self, name: Name<'s>, start: usize) -> Result<Name<'s>, Refusal> {
        match self.scope.find(name.prefix()) {
            Some(namespace) => Ok(Name { namespace, ..name }),
            None => Err(refuse(SamlRefusal::XmlNamespace, start)
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
