use super::*;
use crate::saml::refusal::SamlRefusal;

fn refusal(xml: &[u8]) -> Refusal {
    Document::parse(xml, Mode::Message).expect_err(&String::from_utf8_lossy(xml))
}

fn assert_refused(leaf: SamlRefusal, documents: &[&str]) {
    for xml in documents {
        assert_eq!(refusal(xml.as_bytes()), leaf, "{xml}");
    }
}

fn leaf_of(xml: &str) -> String {
    let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
    document.root().leaf().unwrap().to_owned()
}

fn attribute_of(xml: &str) -> String {
    let document = Document::parse(xml.as_bytes(), Mode::Message).unwrap();
    document.root().attribute("a").unwrap().to_owned()
}

#[test]
fn document_types_are_refused() {
    assert_refused(
        SamlRefusal::XmlDoctype,
        &[
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>",
            "<!DOCTYPE a [<!ATTLIST a b ID #IMPLIED>]><a/>",
            "<!doctype a><a/>",
            "<!DOCTYPE",
        ],
    );
}

#[test]
fn processing_instructions_are_refused() {
    assert_refused(
        SamlRefusal::XmlProcessingInstruction,
        &[
            "<?x y?><a/>",
            "<a>u<?p not-an-?>admin</a>",
            "<a/><?x?>",
            "<a><?xml-x?></a>",
            "<a><?",
        ],
    );
}

#[test]
fn comments_are_refused() {
    assert_refused(
        SamlRefusal::XmlComment,
        &[
            "<!-- --><a/>",
            "<a>admin<!-- -->.evil</a>",
            "<a/><!-- -->",
            "<a><!-- -- --></a>",
            "<a><!--",
        ],
    );
}

#[test]
fn cdata_is_refused() {
    assert_refused(
        SamlRefusal::XmlCdata,
        &[
            "<a><![CDATA[b]]></a>",
            "<a>b<![CDATA[]]>c</a>",
            "<a><![CDATA[",
        ],
    );
}

#[test]
fn foreign_entities_and_forbidden_characters_are_refused() {
    assert_refused(
        SamlRefusal::XmlEntity,
        &[
            "<a>&e;</a>",
            "<a>&;</a>",
            "<a>&nbsp;</a>",
            "<a>&AMP;</a>",
            "<a b='&e;'/>",
            "<a>&#0;</a>",
            "<a>&#xB;</a>",
            "<a>&#xD800;</a>",
            "<a>&#xFFFE;</a>",
            "<a>&#x110000;</a>",
            "<a>&#99999999999;</a>",
            "<a>&#X41;</a>",
            "<a>&#+65;</a>",
            "<a>&#;</a>",
            "<a>&#x;</a>",
            "<a>&#6 5;</a>",
        ],
    );
}

#[test]
fn what_is_not_well_formed_is_refused() {
    assert_refused(
        SamlRefusal::XmlMalformed,
        &[
            "",
            " ",
            "text",
            "<a>",
            "<a><b></a></b>",
            "<a></b>",
            "</a>",
            "<a/></a>",
            "<a/><b/>",
            "<a/>text",
            "<a/>&#32;",
            "<a>&amp</a>",
            "<a>& b</a>",
            "<a b/>",
            "<a b=c/>",
            "<a b='c'd='e'/>",
            "<a b='c/>",
            "<a b='<'/>",
            "<a b='&amp'/>",
            "<a b='1' b='2'/>",
            "<a xmlns:p='u:1' xmlns:q='u:1' p:b='1' q:b='2'/>",
            "<a xmlns='u:1' xmlns='u:1'/>",
            "<a xmlns:p='u:1' xmlns:p='u:2'/>",
            "<a>]]></a>",
            "<a>\u{1}</a>",
            "<a b='\u{1}'/>",
            "<a>\0</a>",
            "<a>\u{ffff}</a>",
            "<é/>",
            "<a é='1'/>",
            "<1a/>",
            "<a:b:c xmlns:a='u:1'/>",
            "<:a/>",
            "<a:/>",
            "< a/>",
            "<a / >",
            "<a/ >",
            "<a></a b='c'>",
            "<a><?xml version='1.0'?></a>",
            " <?xml version='1.0'?><a/>",
            "<a",
            "<",
            "<>",
        ],
    );
}

#[test]
fn encodings_other_than_utf8_are_refused() {
    assert_refused(
        SamlRefusal::XmlEncoding,
        &[
            "<?xml version='1.0' encoding='UTF-16'?><a/>",
            "<?xml version='1.0' encoding='UTF-7'?><a/>",
            "<?xml version='1.1'?><a/>",
            "<?xml encoding='UTF-8'?><a/>",
            "<?xml version='1.0' standalone='maybe'?><a/>",
            "<?xml version='1.0'encoding='UTF-8'?><a/>",
            "<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>",
            "<?xml?><a/>",
            "\u{feff}\u{feff}<a/>",
        ],
    );
    assert_eq!(refusal(b"<a>\xff</a>"), SamlRefusal::XmlEncoding);
    assert_eq!(refusal(b"\xfe\xff\0<\0a\0/\0>"), SamlRefusal::XmlEncoding);
    assert_eq!(refusal(b"<a>\xc0\x80</a>"), SamlRefusal::XmlEncoding);
    assert_eq!(refusal(b"<a>\xed\xa0\x80</a>"), SamlRefusal::XmlEncoding);
}

#[test]
fn ordinary_beginnings_are_read() {
    for start in [
        "",
        "\u{feff}",
        "\n ",
        "<?xml version='1.0'?>",
        "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\" ?>\r\n",
        "\u{feff}<?xml version = '1.0'\n encoding='UTF-8'?>",
    ] {
        let xml = format!("{start}<a>b</a>\n");
        let document = Document::parse(xml.as_bytes(), Mode::Message).expect(start);
        assert_eq!(document.root().leaf(), Some("b"));
        assert_eq!(document.root().position(), start.len());
    }
}

#[test]
fn namespaces_that_readers_take_differently_are_refused() {
    assert_refused(
        SamlRefusal::XmlNamespace,
        &[
            "<p:a/>",
            "<a p:b='1'/>",
            "<a><b xmlns:p='u:1'/><p:c/></a>",
            "<a xmlns:p=''/>",
            "<a xmlns:p='u:1'><b xmlns:p=''/></a>",
            "<a xmlns='1:x'/>",
            "<a xmlns='relative'/>",
            "<a xmlns='/path'/>",
            "<a xmlns='u:'/>",
            "<a xmlns='u:a&amp;b'/>",
            "<a xmlns='u:a b'/>",
            "<a xmlns='u:a&#10;b'/>",
            "<a xmlns='u:&#xe9;'/>",
            "<a xmlns='u:&quot;'/>",
            "<a xmlns='u:a%zz'/>",
            "<a xmlns='u:a#b#c'/>",
            "<a xmlns='u:a{b}'/>",
            "<a xmlns='u:a[b]'/>",
            "<a xmlns='http://p:www.example/'/>",
            "<a xmlns='http://'/>",
            "<a xmlns='http:///x'/>",
            "<a xmlns='http://u@h/'/>",
            "<a xmlns='http://[::1]/'/>",
            "<a xmlns='http://h:1:2/'/>",
            "<a xmlns='http://h:/'/>",
            "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
            "<a xmlns:xml='u:1'/>",
            "<a xmlns:xmlns='u:1'/>",
            "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
            "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
            "<xmlns:a/>",
        ],
    );
}

#[test]
fn ordinary_namespaces_are_read() {
    for uri in [
        "urn:oasis:names:tc:SAML:2.0:assertion",
        "http://www.w3.org/2000/09/xmldsig#",
        "http://h:8080/a?b=c#d",
        "https://h",
        "http://schemas.xmlsoap.org/ws/2005/02/trust",
        "tag:example.com,2026:x",
        "u:x",
    ] {
        let xml = format!("<a xmlns='{uri}'/>");
        let document = Document::parse(xml.as_bytes(), Mode::Message).expect(uri);
        assert_eq!(document.root().namespace(), uri);
    }
}

#[test]
fn every_limit_holds_at_its_edge() {
    let repeat =
        |n: usize, make: fn(usize) -> String| (0..n).map(make).collect::<Vec<_>>().concat();
    let depth = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
    let nodes = |n: usize| format!("<a>{}</a>", "<b/>".repeat(n - 1));
    let attributes = |n: usize| format!("<a {}/>", repeat(n, |i| format!("b{i}='' ")));
    let namespaces = |n: usize| {
        let half = repeat(n / 2, |i| format!(" xmlns:p{i}='u:{i}'"));
        let rest = repeat(n - n / 2, |i| format!(" xmlns:p{i}='u:{i}'"));
        let (first, last) = rest.split_at(rest.rfind(" xmlns").unwrap());
        format!("<a{half}><b{first}><c{last}/></b></a>")
    };
    let limits = MESSAGE_LIMITS;
    let cases: [(&dyn Fn(usize) -> String, usize); 4] = [
        (&depth, limits.depth),
        (&nodes, limits.nodes),
        (&attributes, limits.attributes),
        (&namespaces, limits.namespaces),
    ];
    for (make, limit) in cases {
        assert!(Document::parse(make(limit).as_bytes(), Mode::Message).is_ok());
        assert_eq!(refusal(make(limit + 1).as_bytes()), SamlRefusal::XmlLimit);
    }
    let large = format!("<a>{}</a>", "b".repeat(limits.bytes - 7));
    assert!(Document::parse(large.as_bytes(), Mode::Message).is_ok());
    assert_eq!(
        refusal(format!("{large} ").as_bytes()),
        SamlRefusal::ResponseTooLarge
    );
}

#[test]
fn texts_and_references_are_one_text() {
    assert_eq!(
        leaf_of("<a>x &amp; y &lt;&gt;&quot;&apos;&#65;&#x42;</a>"),
        "x & y <>\"'AB"
    );
    assert_eq!(leaf_of("<a>&amp;amp;</a>"), "&amp;");
    assert_eq!(leaf_of("<a/>"), "");
    assert_eq!(leaf_of("<a> \r\n\t x y \n</a>"), "x y");
    assert_eq!(leaf_of("<a>\u{a0}x\u{2003}</a>"), "\u{a0}x\u{2003}");
}

#[test]
fn line_ends_are_normalized_unless_written_as_references() {
    assert_eq!(leaf_of("<a>1\r\n2\r3\n4</a>"), "1\n2\n3\n4");
    assert_eq!(
        leaf_of("<a>1&#13;\n2&#xD;&#xA;3\r\r\n4</a>"),
        "1\r\n2\r\n3\n\n4"
    );
    assert_eq!(attribute_of("<a a='1\r\n2\r3\n4\t5'/>"), "1 2 3 4 5");
    assert_eq!(
        attribute_of("<a a='1&#13;&#10;2&#9;3\r\r\n4'/>"),
        "1\r\n2\t3  4"
    );
    assert_eq!(attribute_of("<a a='  x &lt;&amp;lt; \"'/>"), "  x <&lt; \"");
}

#[test]
fn a_leaf_has_no_element_inside() {
    let document = Document::parse(b"<a>x<b/>y</a>", Mode::Message).unwrap();
    assert_eq!(document.root().leaf(), None);
    let document = Document::parse(b"<a><b/></a>", Mode::Message).unwrap();
    assert_eq!(document.root().leaf(), None);
    let document = Document::parse(b"<a>x<b/></a>", Mode::Message).unwrap();
    assert_eq!(document.root().leaf(), None);
}

#[test]
fn elements_are_found_by_expanded_name() {
    let xml = b"<p:a xmlns:p='u:1' xmlns='u:2'><b p:i='1' i='2' xml:lang='en'/><p:b>t</p:b><b xmlns=''/></p:a>";
    let document = Document::parse(xml, Mode::Message).unwrap();
    let root = document.root();
    assert!(root.is("u:1", "a"));
    assert_eq!(
        root.children().map(Element::namespace).collect::<Vec<_>>(),
        ["u:2", "u:1", ""]
    );
    let b = root.child("u:2", "b").unwrap();
    assert_eq!(b.attribute("i"), Some("2"));
    assert_eq!(b.attribute_ns("u:1", "i"), Some("1"));
    assert_eq!(b.attribute_ns(XML_NAMESPACE, "lang"), Some("en"));
    assert_eq!(b.attribute("lang"), None);
    assert_eq!(b.next_sibling(), root.child("u:1", "b"));
    assert_eq!(b.parent(), Some(root));
    assert_eq!(root.parent(), None);
    assert_eq!(root.next_sibling(), None);
    assert_eq!(root.descendants().count(), 3);
}

#[test]
fn prefixes_in_values_are_resolved_where_they_stand() {
    let xml = b"<a xmlns:p='u:1' xmlns='u:d'><b xmlns:p='u:2'><c xmlns=''/></b></a>";
    let document = Document::parse(xml, Mode::Message).unwrap();
    let b = document.root().children().next().unwrap();
    let c = b.children().next().unwrap();
    assert_eq!(document.root().qualified_name_namespace("p"), Some("u:1"));
    assert_eq!(c.qualified_name_namespace("p"), Some("u:2"));
    assert_eq!(b.qualified_name_namespace(""), Some("u:d"));
    assert_eq!(c.qualified_name_namespace(""), None);
    assert_eq!(c.qualified_name_namespace("q"), None);
    assert_eq!(c.qualified_name_namespace("xml"), Some(XML_NAMESPACE));
}

#[test]
fn metadata_may_have_comments_outside_values() {
    let xml = b"<!-- x --><?y?><a><!-- x -->\n<b>v</b><?y?></a><!-- x -->";
    let document = Document::parse(xml, Mode::Metadata).unwrap();
    assert_eq!(document.root().children().next().unwrap().leaf(), Some("v"));
}

#[test]
fn metadata_may_not_have_them_inside_values() {
    let refusal = |xml: &str| Document::parse(xml.as_bytes(), Mode::Metadata).unwrap_err();
    for xml in ["<a>v<!-- -->w</a>", "<a><!-- -->w</a>", "<a>v<!-- --></a>"] {
        assert_eq!(refusal(xml), SamlRefusal::XmlComment, "{xml}");
    }
    assert_eq!(
        refusal("<a>v<?p w?></a>"),
        SamlRefusal::XmlProcessingInstruction
    );
    assert_eq!(refusal("<!DOCTYPE a><a/>"), SamlRefusal::XmlDoctype);
}

#[test]
fn the_evidence_says_where() {
    let refusal = refusal(b"<a>\n<b>&e;</b></a>");
    assert_eq!(refusal.evidence().found.as_deref(), Some("&e;"));
    assert_eq!(refusal.evidence().detail.as_deref(), Some("at byte 7"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = Document::parse(&bytes, Mode::Message);
        let _ = Document::parse(&bytes, Mode::Metadata);
    }

    #[test]
    fn no_markup_makes_the_parser_panic(xml in "[<>/a-c:=\"' &;#x!?\\-\\[\\]\r\né]{0,60}") {
        let _ = Document::parse(xml.as_bytes(), Mode::Message);
        let _ = Document::parse(format!("<a>{xml}</a>").as_bytes(), Mode::Metadata);
    }
}
