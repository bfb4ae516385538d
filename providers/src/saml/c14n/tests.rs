use std::path::PathBuf;

use super::*;
use crate::saml::refusal::SamlRefusal;
use crate::saml::xml::Mode;

fn canonical(xml: &str) -> String {
    canonical_of(xml, |root| root, &[])
}

fn canonical_of(xml: &str, apex: fn(Element<'_>) -> Element<'_>, prefixes: &[&str]) -> String {
    let document = Document::parse(xml.as_bytes(), Mode::Metadata).unwrap();
    let mut out = Vec::new();
    canonicalize(apex(document.root()), None, prefixes, &mut out);
    String::from_utf8(out).unwrap()
}

fn first_child(root: Element<'_>) -> Element<'_> {
    root.children().next().unwrap()
}

#[test]
fn tags_are_written_in_one_way() {
    let cases = [
        ("<a/>", "<a></a>"),
        ("<a  b='1'\n c = \"2\" ></a >", "<a b=\"1\" c=\"2\"></a>"),
        ("<a c='2' b='1'>t</a>", "<a b=\"1\" c=\"2\">t</a>"),
        ("<a><b/>t<c>u</c\n></a>", "<a><b></b>t<c>u</c></a>"),
        ("<?xml version='1.0'?>\n<a>\n</a>\n", "<a>\n</a>"),
        ("<a b=\"\" c=\"x>y\"></a>", "<a b=\"\" c=\"x>y\"></a>"),
    ];
    for (xml, expected) in cases {
        assert_eq!(canonical(xml), expected, "{xml}");
    }
}

#[test]
fn characters_are_escaped_in_one_way() {
    let cases = [
        (
            "<a>&amp;&lt;&gt;&quot;&apos;&#xD;&#9;&#10;</a>",
            "<a>&amp;&lt;&gt;\"'&#xD;\t\n</a>",
        ),
        ("<a>x > y\r\nz\rw</a>", "<a>x &gt; y\nz\nw</a>"),
        (
            "<a b='&amp;&lt;&gt;&quot;&apos;&#xD;&#9;&#10;\t'/>",
            "<a b=\"&amp;&lt;>&quot;'&#xD;&#x9;&#xA; \"></a>",
        ),
        ("<a b='\"'>é\u{1F600}</a>", "<a b=\"&quot;\">é\u{1F600}</a>"),
    ];
    for (xml, expected) in cases {
        assert_eq!(canonical(xml), expected, "{xml}");
    }
}

#[test]
fn only_used_prefixes_are_declared_where_they_are_used() {
    let cases = [
        (
            "<p:a xmlns:q='u:2' xmlns:p='u:1'><q:b/><q:c/></p:a>",
            "<p:a xmlns:p=\"u:1\"><q:b xmlns:q=\"u:2\"></q:b><q:c xmlns:q=\"u:2\"></q:c></p:a>",
        ),
        (
            "<a xmlns:p='u:1'><p:b><p:c p:d=''/></p:b></a>",
            "<a><p:b xmlns:p=\"u:1\"><p:c p:d=\"\"></p:c></p:b></a>",
        ),
        (
            "<p:a xmlns:p='u:1'><p:b xmlns:p='u:1'/><p:b xmlns:p='u:2'/><p:b/></p:a>",
            "<p:a xmlns:p=\"u:1\"><p:b></p:b><p:b xmlns:p=\"u:2\"></p:b><p:b></p:b></p:a>",
        ),
        (
            "<a xmlns='u:1'><b xmlns=''><c xmlns=''/></b><d/></a>",
            "<a xmlns=\"u:1\"><b xmlns=\"\"><c></c></b><d></d></a>",
        ),
        (
            "<p:a xmlns:p='u:1' xmlns='u:2'><b/><p:c><d/></p:c></p:a>",
            "<p:a xmlns:p=\"u:1\"><b xmlns=\"u:2\"></b><p:c><d xmlns=\"u:2\"></d></p:c></p:a>",
        ),
        ("<a xmlns=''/>", "<a></a>"),
        // An attribute without a prefix is in no namespace, and declares none.
        (
            "<a xmlns='u:1' xmlns:p='u:2'><p:b c='1'/></a>",
            "<a xmlns=\"u:1\"><p:b xmlns:p=\"u:2\" c=\"1\"></p:b></a>",
        ),
        (
            "<a b='1' xml:lang='en' xmlns='u:1'/>",
            "<a xmlns=\"u:1\" b=\"1\" xml:lang=\"en\"></a>",
        ),
        (
            "<b:a c:x='1' b:x='2' x='3' xmlns:b='u:9' xmlns:c='u:1'/>",
            "<b:a xmlns:b=\"u:9\" xmlns:c=\"u:1\" x=\"3\" c:x=\"1\" b:x=\"2\"></b:a>",
        ),
    ];
    for (xml, expected) in cases {
        assert_eq!(canonical(xml), expected, "{xml}");
    }
}

#[test]
fn a_subtree_takes_its_namespaces_along() {
    let xml = "<p:a xmlns:p='u:1' xmlns='u:2' xmlns:q='u:3'><b><p:c/></b></p:a>";
    let expected = "<b xmlns=\"u:2\"><p:c xmlns:p=\"u:1\"></p:c></b>";
    assert_eq!(canonical_of(xml, first_child, &[]), expected);
}

#[test]
fn listed_prefixes_are_declared_at_the_top() {
    let xml = "<p:a xmlns:p='u:1' xmlns='u:2' xmlns:q='u:3'><p:b><c xmlns:q='u:4'/><c xmlns:q='u:3' xmlns=''/></p:b></p:a>";
    let cases: [(&[&str], &str); 4] = [
        (
            &["q"],
            "<p:b xmlns:p=\"u:1\" xmlns:q=\"u:3\"><c xmlns=\"u:2\" xmlns:q=\"u:4\"></c><c></c></p:b>",
        ),
        (
            &["#default"],
            "<p:b xmlns=\"u:2\" xmlns:p=\"u:1\"><c></c><c xmlns=\"\"></c></p:b>",
        ),
        (
            &["p", "none"],
            "<p:b xmlns:p=\"u:1\"><c xmlns=\"u:2\"></c><c></c></p:b>",
        ),
        (
            &["xml"],
            "<p:b xmlns:p=\"u:1\"><c xmlns=\"u:2\"></c><c></c></p:b>",
        ),
    ];
    for (prefixes, expected) in cases {
        assert_eq!(
            canonical_of(xml, first_child, prefixes),
            expected,
            "{prefixes:?}"
        );
    }
}

#[test]
fn a_listed_default_namespace_is_declared_where_it_changes() {
    let cases = [
        (
            "<r><p:a xmlns:p='u:1'><p:b xmlns='u:2'/></p:a></r>",
            "<p:a xmlns:p=\"u:1\"><p:b xmlns=\"u:2\"></p:b></p:a>",
        ),
        (
            "<r><p:a xmlns:p='u:1' xmlns='u:2'><p:b xmlns=''/></p:a></r>",
            "<p:a xmlns=\"u:2\" xmlns:p=\"u:1\"><p:b xmlns=\"\"></p:b></p:a>",
        ),
    ];
    for (xml, expected) in cases {
        let listed = canonical_of(xml, first_child, &["#default"]);
        assert_eq!(listed, expected, "{xml}");
    }
}

#[test]
fn a_skipped_element_leaves_nothing_behind() {
    for xml in [
        "<a>x<s><t/></s>y<b/></a>",
        "<a>x<s/>y<b/></a>",
        "<a>x<s>z</s>y<b></b></a>",
    ] {
        let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
        let mut out = Vec::new();
        canonicalize(
            document.root(),
            document.root().child("", "s"),
            &[],
            &mut out,
        );
        assert_eq!(String::from_utf8(out).unwrap(), "<a>xy<b></b></a>", "{xml}");
    }
}

#[test]
fn dropped_comments_leave_nothing_behind() {
    assert_eq!(
        canonical("<a> <!-- x --> <b>y</b><!-- z --></a>"),
        "<a>  <b>y</b></a>"
    );
}

/// Where shared vectors lie, when they are there.
fn corpus(path: &str) -> Option<PathBuf> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora"));
    let path = root.join(path);
    path.exists().then_some(path)
}

/// The Canonical XML 2.0 vectors with default parameters, which are those of the exclusive form without
/// comments. The others of the set ask for what exclusive canonicalization has not: rewritten prefixes,
/// trimmed text, qualified names in values.
#[test]
fn the_vectors_of_canonical_xml_2_are_met() {
    let Some(folder) = corpus("lxml__lxml/src/lxml/tests/c14n-20") else {
        return;
    };
    let read = |name: String| std::fs::read_to_string(folder.join(name)).unwrap();
    for name in [
        "NsContent",
        "NsDefault",
        "NsPushdown",
        "NsRedecl",
        "NsSort",
        "NsSuperfluous",
        "NsXml",
    ] {
        let expected = read(format!("out_in{name}_c14nDefault.xml"));
        assert_eq!(
            canonical(&read(format!("in{name}.xml"))),
            expected,
            "{name}"
        );
    }
    let refused = [
        ("C14N1", SamlRefusal::XmlDoctype),
        ("C14N3", SamlRefusal::XmlDoctype),
        ("C14N4", SamlRefusal::XmlDoctype),
        ("C14N5", SamlRefusal::XmlDoctype),
        ("C14N6", SamlRefusal::XmlEncoding),
    ];
    for (name, leaf) in refused {
        let xml = read(format!("in{name}.xml"));
        assert_eq!(
            Document::parse(xml.as_bytes(), Mode::Metadata).unwrap_err(),
            leaf,
            "{name}"
        );
    }
    // Names with other characters than ASCII letters aside, the second one is plain.
    let xml = read("inC14N2.xml".to_owned());
    assert_eq!(
        canonical(&xml),
        read("out_inC14N2_c14nDefault.xml".to_owned())
    );
}

fn last_of_first_child(root: Element<'_>) -> Element<'_> {
    first_child(root).children().last().unwrap()
}

/// Two digests of merlin's exclusive canonicalization example; the other two are with comments.
#[test]
fn the_digests_of_the_exclusive_example_are_met() {
    let Some(file) = corpus("lsh123__xmlsec/tests/merlin-exc-c14n-one/exc-signature.xml") else {
        return;
    };
    let xml = std::fs::read_to_string(file).unwrap();
    for (prefixes, digest) in [
        (&[][..], "7yOTjUu+9oEhShgyIIXDLjQ08aY="),
        (&["bar", "#default"][..], "09xMy0RTQM1Q91demYe/0F6AGXo="),
    ] {
        let document = Document::parse(xml.as_bytes(), Mode::Metadata).unwrap();
        let mut out = Vec::new();
        canonicalize(
            last_of_first_child(document.root()),
            None,
            prefixes,
            &mut out,
        );
        let found = openssl::base64::encode_block(&openssl::sha::sha1(&out));
        assert_eq!(found, digest, "{}", String::from_utf8_lossy(&out));
    }
}

proptest::proptest! {
    /// Canonical XML is its own canonical form, whichever way it came about.
    #[test]
    fn the_canonical_form_is_stable(xml in "(<[abp:]{1,3}( [abx:]{1,3}=['\"][<>&;#ab\r\n\t ]{0,4}['\"]){0,2}/?>|[a> \r\n]|&(amp|lt|gt|#13);|</[abp:]{1,3}>){0,14}") {
        let xml = format!("<p:r xmlns:p='u:1' xmlns:a='u:2' xmlns='u:3'>{xml}</p:r>");
        if let Ok(document) = Document::parse(xml.as_bytes(), Mode::Message) {
            let mut once = Vec::new();
            canonicalize(document.root(), None, &[], &mut once);
            let again = Document::parse(&once, Mode::Message).unwrap();
            let mut twice = Vec::new();
            canonicalize(again.root(), None, &[], &mut twice);
            proptest::prop_assert_eq!(once, twice);
        }
    }
}
