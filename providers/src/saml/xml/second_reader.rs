//! Another reader's opinion of a document: quick-xml finds the same elements, attributes and texts, in the same places.
//!
//! Two readers that take one document differently are how signatures were bypassed. Metadata, from which all keys come, is
//! read seldom enough to be read twice; messages are held against this reader in the tests and by the fuzzers.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use super::lexical::trim;
use super::{Document, Element};

/// Namespace, local name, value.
type Value = (String, String, String);

/// Reads the source of a document again, and compares.
///
/// # Errors
/// What the other reader cannot read, or reads differently, in plain words for the log.
pub fn reads_alike(source: &str, document: &Document<'_>) -> Result<(), String> {
    let mut reader = NsReader::from_str(source);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_end_names = true;
    let root = document.root();
    let mut ours = std::iter::once(root).chain(root.descendants());
    let mut open: Vec<Open<'_>> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(start) => {
                let element = ours.next().ok_or("an element more")?;
                same_tag(&reader, &start, element)?;
                if let Some(outer) = open.last_mut() {
                    outer.is_leaf = false;
                }
                open.push(Open::new(element));
            }
            Event::End(_) => open.pop().ok_or("an end more")?.same_text()?,
            Event::Text(text) => push(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => push(&mut open, &replacement(&reference)?),
            Event::CData(_) | Event::DocType(_) => return Err("markup that is none".to_owned()),
            Event::Eof => break,
            _ => {}
        }
    }
    match ours.next() {
        Some(left) => Err(format!("no element at byte {}", left.position())),
        None => Ok(()),
    }
}

struct Open<'d> {
    element: Element<'d>,
    text: String,
    is_leaf: bool,
}

impl<'d> Open<'d> {
    fn new(element: Element<'d>) -> Self {
        Self {
            element,
            text: String::new(),
            is_leaf: true,
        }
    }

    fn same_text(&self) -> Result<(), String> {
        let other = self.is_leaf.then(|| trim(&self.text));
        if self.element.leaf() == other {
            return Ok(());
        }
        Err(format!("another text at byte {}", self.element.position()))
    }
}

fn push(open: &mut [Open<'_>], text: &str) {
    if let Some(innermost) = open.last_mut() {
        innermost.text.push_str(text);
    }
}

fn same_tag(
    reader: &NsReader<&[u8]>,
    start: &BytesStart<'_>,
    element: Element<'_>,
) -> Result<(), String> {
    let (namespace, local) = reader.resolver().resolve_element(start.name());
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
        let value = attribute.normalized_value(XmlVersion::Explicit1_0);
        let value = value.map_err(|error| error.to_string())?.into_owned();
        attributes.push((bound(&namespace)?, local.into_inner().to_owned(), value));
    }
    attributes.sort();
    let name = (bound(&namespace)?, local.into_inner().to_owned());
    let same =
        name == (
            element.namespace().to_owned(),
            element.local_name().to_owned(),
        ) && attributes == own_attributes(element);
    same.then_some(())
        .ok_or_else(|| format!("another tag at byte {}", element.position()))
}

fn own_attributes(element: Element<'_>) -> Vec<Value> {
    let owned = element.attributes().map(|attribute| {
        let (namespace, local) = (attribute.namespace, attribute.local_name);
        (
            namespace.to_owned(),
            local.to_owned(),
            attribute.value.to_owned(),
        )
    });
    let mut owned: Vec<_> = owned.collect();
    owned.sort();
    owned
}

fn bound(namespace: &ResolveResult<'_>) -> Result<String, String> {
    match namespace {
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Bound(namespace) => unescape(namespace.0)
            .map(Cow::into_owned)
            .map_err(|error| error.to_string()),
        ResolveResult::Unknown(prefix) => Err(format!("no namespace for {prefix}")),
    }
}

/// What a reference stands for: there are no entities but the predefined ones (XML 1.0 section 4.6).
fn replacement(reference: &BytesRef<'_>) -> Result<String, String> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.to_string()),
        Ok(None) => resolve_predefined_entity(reference)
            .map(str::to_owned)
            .ok_or_else(|| "an entity that is not predefined".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::xml::Mode;

    fn alike(read: &str, again: &str) -> Result<(), String> {
        let document = Document::parse(read.as_bytes(), Mode::Metadata).expect("a document");
        reads_alike(again, &document)
    }

    #[test]
    fn a_document_is_read_alike_however_it_is_written() {
        for xml in [
            "<a/>",
            "<?xml version='1.0'?><a  b = 'c'\n d=\"&#x41;&amp;&#10;\"><!-- x --><b>\r\nt&lt;\u{e9} </b ></a >\n",
            "<p:a xmlns:p='urn:&#112;' xmlns='urn:d'><b p:c='1' c='2' xml:lang='de'/><p:b xmlns:p='urn:q'/></p:a>",
            "<a><?target x?><b> </b><c>1<d/>2</c></a>",
        ] {
            assert_eq!(alike(xml, xml), Ok(()), "{xml}");
        }
    }

    #[test]
    fn whatever_differs_is_told_by_its_place() {
        for (read, again, told) in [
            ("<a><b/></a>", "<a><c/></a>", "another tag at byte 3"),
            ("<a b='1'/>", "<a b='2'/>", "another tag at byte 0"),
            ("<a b='1'/>", "<a b='1' c='1'/>", "another tag at byte 0"),
            (
                "<a xmlns='urn:x'/>",
                "<a xmlns='urn:y'/>",
                "another tag at byte 0",
            ),
            ("<a>x</a>", "<a>y</a>", "another text at byte 0"),
            ("<a>x</a>", "<a>x<b/></a>", "an element more"),
            ("<r><a/><b/></r>", "<r><a/></r>", "no element at byte 7"),
            ("<a/>", "<!DOCTYPE a><a/>", "markup that is none"),
            ("<a>x</a>", "<a>&x;</a>", "an entity that is not predefined"),
        ] {
            assert_eq!(alike(read, again), Err(told.to_owned()), "{read} {again}");
        }
    }
}
