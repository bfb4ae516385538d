"""Entries 58 to 81: what two readers of XML could take differently, and what costs a reader too much."""

from .message import ADA, ASSERTION, GENUINE, MALLORY, PROTOCOL, element, response
from .signer import by_xmlsec1

NAME = f">{ADA}</saml:NameID>"
STAFF = "<saml:AttributeValue>staff</saml:AttributeValue>"


def fixtures():
    signed = by_xmlsec1(GENUINE)
    yield from doctypes(signed)
    yield from cuts()
    yield from namespaces(signed)
    yield from forms(signed)
    yield from characters(signed)
    yield from limits(signed)


def doctypes(signed):
    def typed(subset, xml=signed):
        return xml.replace("<samlp:Response", f"<!DOCTYPE samlp:Response {subset}>\n<samlp:Response", 1)

    def named(reference):
        return signed.replace(NAME, f">{reference}</saml:NameID>")

    yield 58, "external-entity", "saml.xml_doctype", typed('[<!ENTITY x SYSTEM "file:///etc/passwd">]', named("&x;"))
    yield 59, "parameter-entity", "saml.xml_doctype", typed('[<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd">%x;]')
    yield 59, "remote-dtd", "saml.xml_doctype", typed('SYSTEM "http://127.0.0.1:9/x.dtd"')
    yield 60, "internal-entity", "saml.xml_doctype", typed(f'[<!ENTITY who "{ADA}">]', named("&who;"))
    yield 60, "undeclared-entity", "saml.xml_entity", named("&who;")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    yield 61, "billion-laughs", "saml.xml_doctype", typed(f'[<!ENTITY l0 "ha">{laughs}]', named("&l9;"))
    yield 61, "quadratic", "saml.xml_doctype", typed(f'[<!ENTITY a "{"a" * 5000}">]', named("&a;" * 500))
    yield 62, "defaulted-attribute", "saml.xml_doctype", typed('[<!ATTLIST saml:NameID SPNameQualifier CDATA "urn:other">]')
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"></xi:include>'
    yield 63, "xinclude", "accepted", by_xmlsec1(response((STAFF, f"<saml:AttributeValue>{include}</saml:AttributeValue>")))
    schema = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd"'
    yield 63, "schema-location", "accepted", signed.replace("<samlp:Response ", f"<samlp:Response {schema} ")


def cuts():
    """The signer's canonical form drops comments, so that these verify elsewhere."""
    evil = f"{MALLORY}<!---->.evil.test"
    whole = by_xmlsec1(response((NAME, f">{MALLORY}.evil.test</saml:NameID>")))
    yield 64, "in-the-name", "saml.xml_comment", whole.replace(f"{MALLORY}.evil.test", evil)
    yield 64, "in-a-value", "saml.xml_comment", by_xmlsec1(GENUINE).replace(">staff<", ">sta<!-- x -->ff<")
    yield 64, "before-the-root", "saml.xml_comment", by_xmlsec1(GENUINE).replace("<samlp:Response", "<!-- x --><samlp:Response", 1)
    yield 65, "in-the-name", "saml.xml_processing_instruction", by_xmlsec1(response((NAME, f">{ADA}<?p not-an-?>admin</saml:NameID>")))
    yield 65, "style-sheet", "saml.xml_processing_instruction", by_xmlsec1(GENUINE).replace("<samlp:Response", '<?xml-stylesheet href="http://127.0.0.1:9/"?><samlp:Response', 1)
    yield 66, "in-the-name", "saml.xml_cdata", by_xmlsec1(GENUINE).replace(NAME, f"><![CDATA[{ADA}]]></saml:NameID>")
    yield 67, "element-in-the-name", "saml.name_id_invalid", by_xmlsec1(response((NAME, '>ada@<x xmlns="urn:x"></x>example.com</saml:NameID>')))
    yield 67, "element-in-a-value", "accepted", by_xmlsec1(response((STAFF, '<saml:AttributeValue>st<x xmlns="urn:x">a</x>ff</saml:AttributeValue>')))


def namespaces(signed):
    name = "saml.xml_namespace"
    evil = f'<evil:Assertion xmlns:evil="urn:evil" ID="evil"><evil:Subject><evil:NameID>{MALLORY}</evil:NameID></evil:Subject></evil:Assertion>'
    yield 70, "foreign-assertion", "accepted", signed.replace("<saml:Assertion", evil + "<saml:Assertion", 1)
    yield 70, "prefix-bound-anew", "accepted", signed.replace("<samlp:Response ", '<samlp:Response xmlns:saml="urn:evil" ')
    unknown = signed.replace(f'xmlns:saml="{ASSERTION}" ID="a1"', 'xmlns:saml="urn:evil" ID="a1"')
    yield 70, "only-a-foreign-assertion", "saml.signature_misplaced", unknown
    alike = signed.replace(f'xmlns:saml="{ASSERTION}" ID="a1"', f'xmlns:saml="{ASSERTION.upper()}" ID="a1"')
    yield 70, "other-case", "saml.signature_misplaced", alike
    yield 70, "default-namespace", "accepted", by_xmlsec1(GENUINE).replace("<samlp:Response ", '<samlp:Response xmlns="urn:evil" ')
    yield 71, "unbound", name, signed.replace("<saml:Subject>", "<evil:x/><saml:Subject>")
    yield 71, "unbound-attribute", name, signed.replace("<saml:Subject>", '<saml:Subject evil:x="">')
    yield 71, "undeclared-by-empty", name, signed.replace("<saml:Subject>", '<saml:Subject xmlns:p="">')
    yield 71, "xml-bound-anew", name, signed.replace("<saml:Subject>", '<saml:Subject xmlns:xml="urn:x">')
    yield 71, "xmlns-declared", name, signed.replace("<saml:Subject>", '<saml:Subject xmlns:xmlns="urn:x">')
    yield 71, "xmlns-as-default", name, signed.replace("<saml:Subject>", '<saml:Subject xmlns="http://www.w3.org/2000/xmlns/">')
    for label, uri in [("ampersand", "urn:a&amp;b"), ("control", "urn:a&#9;b"), ("blank", "urn:a b")]:
        yield 72, label, name, signed.replace("<samlp:Response ", f'<samlp:Response xmlns:x="{uri}" ')


def forms(signed):
    malformed = "saml.xml_malformed"
    doctype_in_value = '<!DOCTYPE samlp:Response [<!NOTATION x SYSTEM "][">]>'
    yield 68, "doctype-that-ends-twice", "saml.xml_doctype", signed.replace("<samlp:Response", doctype_in_value + "<samlp:Response", 1)
    yield 68, "attribute-xmlns-with-colon", malformed, signed.replace("<saml:Subject>", '<saml:Subject xmlns:="urn:x">')
    yield 68, "quotes-mixed", "accepted", signed.replace('InResponseTo="_request" IssueInstant', "InResponseTo='_request' IssueInstant")
    yield 68, "end-tag-with-attribute", malformed, signed.replace("</saml:Subject>", '</saml:Subject x="y">')
    for label, tag in [("two-colons", "a:b:c"), ("colon-first", ":a"), ("colon-last", "a:")]:
        yield 69, label, malformed, signed.replace("<saml:Subject>", f"<{tag}/><saml:Subject>")
    yield 69, "apostrophe-and-quote", "accepted", by_xmlsec1(response((">staff<", ">a\"b'c&gt;d<"), ('Name="groups"', 'Name="gro\'ups&gt;"')))
    yield 73, "unclosed-root", malformed, signed.replace("</samlp:Response>", "")
    yield 73, "unclosed-element", malformed, signed.replace("</saml:Subject>", "")
    yield 73, "text-behind", malformed, signed.rstrip() + "x"
    yield 73, "wrong-end", malformed, signed.replace("</saml:Subject>", "</saml:subject>")
    evil = element(signed, "samlp:Response").replace(ADA, MALLORY)
    yield 74, "evil-last", malformed, signed.rstrip() + evil
    yield 74, "evil-first", malformed, signed.replace("<samlp:Response", evil + "<samlp:Response", 1)
    yield 75, "twice", malformed, signed.replace('ID="a1"', 'ID="a1" ID="a2"')
    yield 75, "by-expanded-name", malformed, signed.replace("<saml:Subject>", '<saml:Subject xmlns:p="urn:x" xmlns:q="urn:x" p:a="1" q:a="2">')
    yield 75, "declared-twice", malformed, signed.replace("<saml:Subject>", '<saml:Subject xmlns:p="urn:x" xmlns:p="urn:y">')


def characters(signed):
    encoding = "saml.xml_encoding"
    bare = element(signed, "samlp:Response")
    yield 76, "utf-16", encoding, bare.encode("utf-16")
    yield 76, "utf-16-unmarked", "saml.xml_malformed", bare.encode("utf-16-le")
    yield 76, "utf-7-declared", encoding, f'<?xml version="1.0" encoding="UTF-7"?>{bare}'
    yield 76, "latin-1-declared", encoding, f'<?xml version="1.0" encoding="ISO-8859-1"?>{bare}'
    yield 76, "xml-1-1", encoding, f'<?xml version="1.1" encoding="UTF-8"?>{bare}'
    yield 76, "not-utf-8", encoding, bare.encode().replace(b">staff<", b">st\xe4ff<")
    yield 76, "overlong", encoding, bare.encode().replace(b">staff<", b">st\xc0\xaff<")
    yield 76, "utf-8-marked", "accepted", b"\xef\xbb\xbf" + bare.encode()
    for label, text in [("null", "&#0;"), ("surrogate", "&#xD800;"), ("control", "&#1;"), ("beyond-unicode", "&#x110000;"), ("not-a-character", "&#xFFFE;")]:
        yield 77, f"reference-{label}", "saml.xml_entity", signed.replace(NAME, f">{ADA}{text}</saml:NameID>")
    yield 77, "null", "saml.xml_malformed", signed.replace(NAME, f">{ADA}\0</saml:NameID>")
    yield 77, "control", "saml.xml_malformed", signed.replace(NAME, f">{ADA}\x01</saml:NameID>")
    lines = by_xmlsec1(response(("<saml:AuthnStatement ", "\r\n<saml:AuthnStatement\r\n\t"), (">staff<", ">a\r\nb&#13;c<"), ('Name="groups"', 'Name="a&#9;b\tc"')))
    yield 78, "line-ends", "accepted", lines.replace("\r\n", "\n").replace("\n", "\r\n")
    yield 78, "white-space-in-the-audience", "saml.audience_mismatch", by_xmlsec1(response((">urn:sp<", ">urn:&#9;sp<")))
    for label, text in [("right-to-left", "\u202e"), ("zero-width", "\u200b"), ("soft-hyphen", "\u00ad"), ("byte-order-mark", "\ufeff"), ("tag", "\U000e0041"), ("delete", "\x7f")]:
        yield 81, label, "saml.name_id_invalid", by_xmlsec1(response((NAME, f">ada{text}@example.com</saml:NameID>")))
    yield 81, "look-alike-is-another", "accepted", by_xmlsec1(response((NAME, ">\u0430da@example.com</saml:NameID>")))
    yield 80, "xml-lang-and-space", "accepted", by_xmlsec1(
        response(("<samlp:Response ", '<samlp:Response xml:base="http://127.0.0.1:9/" xml:lang="de" '), ("<saml:Subject>", '<saml:Subject xml:space="preserve">')))


def limits(signed):
    limit = "saml.xml_limit"
    yield 79, "deep", limit, signed.replace("<saml:Subject>", "<a>" * 5000 + "</a>" * 5000 + "<saml:Subject>")
    many = " ".join(f'a{n}=""' for n in range(2000))
    yield 79, "many-attributes", limit, signed.replace("<saml:Subject>", f"<saml:Subject {many}>")
    declared = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(2000))
    yield 79, "many-namespaces", limit, signed.replace("<saml:Subject>", f"<saml:Subject {declared}>")
    opened = "".join("<a " + " ".join(f'xmlns:n{level}x{n}="urn:{n}"' for n in range(30)) + ">" for level in range(3))
    yield 79, "namespaces-in-scope", limit, signed.replace("<saml:Subject>", f"{opened}</a></a></a><saml:Subject>")
    yield 79, "many-elements", limit, signed.replace("<saml:Subject>", "<a/>" * 20_000 + "<saml:Subject>")
    yield 79, "huge-text", "saml.response_too_large", signed.replace(">staff<", f">{'x' * (256 * 1024)}<")
