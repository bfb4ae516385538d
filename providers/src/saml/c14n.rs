//! Exclusive XML canonicalization 1.0 without comments.
//!
//! It cannot fail: the parser refused everything that has no canonical form. Canonical stretches of the
//! source are copied as they stand; the parser marked the tags and texts that may be.

use super::xml::{
    AttributeData, Content, Document, Element, ElementData, Index, NO_NAMESPACE, Stretch, TextData,
    XML_DECLARATION,
};

/// The token for the default namespace in a `PrefixList` (Exclusive XML Canonicalization 3).
const DEFAULT_TOKEN: &str = "#default";

/// Appends the canonical form of an element, leaving out the subtree `skip`.
///
/// `inclusive_prefixes` are the tokens of the `PrefixList`, with `#default` for the default namespace.
pub fn canonicalize(
    element: Element<'_>,
    skip: Option<Element<'_>>,
    inclusive_prefixes: &[&str],
    out: &mut Vec<u8>,
) {
    let document = element.document;
    let mut writer = Writer {
        document,
        source: document.source.as_bytes(),
        inclusive_prefixes,
        out,
        run: (0, 0),
        rendered: vec![NO_NAMESPACE; document.slots],
        before: Vec::with_capacity(16),
        fresh: Vec::with_capacity(16),
        open: Vec::with_capacity(16),
    };
    writer.subtree(element, skip.map_or(Index::MAX, |skip| skip.index));
}

struct Writer<'d, 'o> {
    document: &'d Document<'d>,
    source: &'d [u8],
    inclusive_prefixes: &'o [&'o str],
    out: &'o mut Vec<u8>,
    /// The stretch of the source that is to be copied next.
    run: (usize, usize),
    /// By slot of its prefix, the declaration written last in the open elements.
    rendered: Vec<Index>,
    /// Slots, innermost last, with what was written there before.
    before: Vec<(usize, Index)>,
    /// The declarations that the current element must write.
    fresh: Vec<Index>,
    open: Vec<Open<'d>>,
}

struct Open<'d> {
    end: Index,
    data: &'d ElementData<'d>,
    /// How many declarations were written outside of it.
    written: usize,
}

impl<'d> Writer<'d, '_> {
    fn subtree(&mut self, apex: Element<'d>, skip: Index) {
        let nodes = &self.document.nodes;
        let end = apex.node().end;
        let mut next = apex.index;
        while next < end {
            while self.open.last().is_some_and(|open| open.end <= next) {
                self.close();
            }
            let node = &nodes[next as usize];
            if next == skip {
                next = node.end;
                continue;
            }
            match &node.content {
                Content::Text(text) => self.text(*text),
                Content::Element(data) => {
                    let written = self.before.len();
                    self.namespaces(data, (next == apex.index).then_some(apex));
                    self.start(data, node.position as usize);
                    self.open.push(Open {
                        end: node.end,
                        data,
                        written,
                    });
                }
            }
            next += 1;
        }
        while !self.open.is_empty() {
            self.close();
        }
        self.flush();
    }

    fn text(&mut self, text: TextData) {
        let value = text.value;
        if text.verbatim {
            self.copy(value.start as usize, value.end as usize);
        } else {
            self.flush();
            escape(self.document.value(value), self.out, text_escape);
        }
    }

    fn start(&mut self, data: &ElementData<'_>, position: usize) {
        let tag_end = data.tag_end as usize;
        if data.verbatim && self.fresh.is_empty() {
            self.copy(position, tag_end);
            return;
        }
        self.copy(position, position + "<".len() + data.name.qualified.len());
        self.declarations(data, position);
        let (first, end) = data.attributes;
        for attribute in &self.document.attributes[first as usize..end as usize] {
            self.attribute(attribute, position);
        }
        self.copy(tag_end - ">".len(), tag_end);
    }

    fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        for (slot, before) in self.before.drain(open.written..).rev() {
            self.rendered[slot] = before;
        }
        let name = open.data.name.qualified;
        if let Some(position) = open.data.end_tag {
            let position = position.get() as usize;
            self.copy(position, position + name.len() + "</>".len());
        } else {
            self.write("</");
            self.write(name);
            self.write(">");
        }
    }

    /// Writes an attribute of the tag that begins at `position`.
    fn attribute(&mut self, attribute: &AttributeData<'_>, position: usize) {
        if self.copied(attribute.canonical, position) {
            return;
        }
        self.write(" ");
        self.write(attribute.name.qualified);
        self.write("=\"");
        escape(
            self.document.value(attribute.value),
            self.out,
            attribute_escape,
        );
        self.write("\"");
    }

    /// Writes the fresh declarations, the default one first, then by prefix. Their URIs need no escape: the
    /// parser takes graphic ASCII without the characters of markup.
    fn declarations(&mut self, data: &ElementData<'_>, position: usize) {
        let document = self.document;
        if self.fresh.len() > 1 {
            self.fresh
                .sort_unstable_by_key(|declaration| document.prefix(*declaration));
        }
        for i in 0..self.fresh.len() {
            let declaration = self.fresh[i];
            if let Some(written) = document.declarations.get(declaration as usize) {
                let own = data.declarations.0..data.declarations.1;
                let tag = if own.contains(&declaration) {
                    position
                } else {
                    written.tag as usize
                };
                if self.copied(written.canonical, tag) {
                    continue;
                }
            }
            let prefix = document.prefix(declaration);
            self.write(if prefix.is_empty() {
                " xmlns"
            } else {
                " xmlns:"
            });
            self.write(prefix);
            self.write("=\"");
            self.write(document.uri(declaration));
            self.write("\"");
        }
    }

    fn copied(&mut self, stretch: Stretch, tag: usize) -> bool {
        let (start, end) = (stretch.start as usize, stretch.end as usize);
        self.copy(tag + start, tag + end);
        end > 0
    }

    /// Collects what this element must declare: the prefixes that it uses itself, and of the listed ones
    /// those that it declares, or, at the apex, those that are in scope.
    fn namespaces(&mut self, data: &ElementData<'_>, apex: Option<Element<'_>>) {
        self.fresh.clear();
        self.use_declaration(data.name.namespace);
        let (first, end) = data.attributes;
        for attribute in &self.document.attributes[first as usize..end as usize] {
            if attribute.name.prefix_length > 0 {
                self.use_declaration(attribute.name.namespace);
            }
        }
        if self.inclusive_prefixes.is_empty() {
            return;
        }
        if let Some(apex) = apex {
            for token in self.inclusive_prefixes {
                let prefix = if *token == DEFAULT_TOKEN { "" } else { token };
                self.use_bound(apex.binding(prefix));
            }
            return;
        }
        let (first, end) = data.declarations;
        for declaration in first..end {
            if self.is_inclusive(self.document.prefix(declaration)) {
                self.use_declaration(declaration);
            }
        }
    }

    fn use_bound(&mut self, declaration: Index) {
        if declaration != NO_NAMESPACE {
            self.use_declaration(declaration);
        }
    }

    fn is_inclusive(&self, prefix: &str) -> bool {
        let token = if prefix.is_empty() {
            DEFAULT_TOKEN
        } else {
            prefix
        };
        self.inclusive_prefixes.contains(&token)
    }

    /// Notes a declaration unless an open element has written the same one for its prefix. None at all,
    /// which stands for an empty default namespace, matters only inside a written default one.
    fn use_declaration(&mut self, declaration: Index) {
        let document = self.document;
        let slot = document.slot(declaration);
        let written = self.rendered[slot];
        if declaration == XML_DECLARATION || written == declaration {
            return;
        }
        if document.uri(written) != document.uri(declaration) {
            self.fresh.push(declaration);
            self.before.push((slot, written));
            self.rendered[slot] = declaration;
        }
    }

    fn copy(&mut self, start: usize, end: usize) {
        if start == end {
            return;
        }
        if self.run.1 != start {
            self.flush();
            self.run.0 = start;
        }
        self.run.1 = end;
    }

    fn write(&mut self, text: &str) {
        self.flush();
        self.out.extend_from_slice(text.as_bytes());
    }

    fn flush(&mut self) {
        let (start, end) = self.run;
        if start != end {
            self.out.extend_from_slice(&self.source[start..end]);
            self.run = (end, end);
        }
    }
}

/// Appends a text with the bytes that have a replacement replaced.
fn escape(text: &str, out: &mut Vec<u8>, replacement: fn(u8) -> Option<&'static str>) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for (i, byte) in bytes.iter().enumerate() {
        if let Some(replacement) = replacement(*byte) {
            out.extend_from_slice(&bytes[done..i]);
            out.extend_from_slice(replacement.as_bytes());
            done = i + 1;
        }
    }
    out.extend_from_slice(&bytes[done..]);
}

/// Canonical XML 1.0 2.3, text nodes.
fn text_escape(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    }
}

/// Canonical XML 1.0 2.3, attribute nodes.
fn attribute_escape(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#x9;"),
        b'\n' => Some("&#xA;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
