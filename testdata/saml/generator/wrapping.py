"""Entries 1 to 20: a genuine signature stays valid somewhere while something else is offered to be read."""

from .message import ADA, ASSERTION, DSIG, GENUINE, MALLORY, behind_issuer, edited, element, evil_assertion, response
from .signer import by_xmlsec1, reference, signature, signed_info


def of_response():
    """Signature and unsigned rest of a response that is signed whole, and an evil response."""
    signed = by_xmlsec1(GENUINE, "r1")
    made = element(signed, "ds:Signature")
    original = element(signed, "samlp:Response").replace(made, "")
    evil = edited(GENUINE, ('"r1"', '"evil"'), ('"a1"', '"evil-assertion"'), (ADA, MALLORY))
    return made, original, evil


def with_object(made, content):
    return made.replace("</ds:Signature>", f"<ds:Object>{content}</ds:Object></ds:Signature>")


def fixtures():
    made, original, evil = of_response()
    yield 1, "xsw1", "saml.response_nested", behind_issuer(evil, with_object(made, original))
    yield 2, "xsw2", "saml.response_nested", behind_issuer(evil, original + made)
    yield from around_the_assertion()
    yield from elsewhere()
    yield from identifiers()


def around_the_assertion():
    signed = by_xmlsec1(GENUINE)
    assertion = element(signed, "saml:Assertion")
    made = element(assertion, "ds:Signature")
    original = assertion.replace(made, "")

    def put(content):
        return signed.replace(assertion, content)

    evil = evil_assertion()
    yield 3, "xsw3", "saml.assertions_several", put(evil + assertion)
    yield 3, "xsw3-behind", "saml.assertions_several", put(assertion + evil)
    yield 4, "xsw4", "saml.assertion_misplaced", put(behind_issuer(evil, assertion))
    yield 5, "xsw5", "saml.assertions_several", put(behind_issuer(evil, made) + original)
    inside = made.replace("</ds:Signature>", original + "</ds:Signature>")
    yield 6, "xsw6", "saml.assertion_misplaced", put(behind_issuer(evil, inside))
    extensions = f"<samlp:Extensions>{evil}</samlp:Extensions>"
    yield 7, "xsw7", "saml.assertion_misplaced", signed.replace("<samlp:Status>", extensions + "<samlp:Status>")
    yield 8, "xsw8", "saml.assertion_misplaced", put(behind_issuer(evil, with_object(made, original)))


def elsewhere():
    evil = evil_assertion()
    advice = by_xmlsec1(response(("</saml:Conditions>", f"</saml:Conditions><saml:Advice>{evil}</saml:Advice>")))
    yield 12, "advice", "saml.assertion_misplaced", advice
    detail = f"</samlp:StatusCode><samlp:StatusDetail>{evil}</samlp:StatusDetail>"
    yield 13, "status-detail", "saml.assertion_misplaced", by_xmlsec1(GENUINE).replace("</samlp:Status>", f"<samlp:StatusDetail>{evil}</samlp:StatusDetail></samlp:Status>")
    yield 13, "confirmation-data", "saml.assertion_misplaced", by_xmlsec1(
        response(("</saml:SubjectConfirmationData>", f"{evil}</saml:SubjectConfirmationData>")))
    yield 13, "attribute-value", "saml.assertion_misplaced", by_xmlsec1(
        response(("<saml:AttributeValue>staff", f"<saml:AttributeValue>{evil}")))
    first = element(by_xmlsec1(GENUINE), "saml:Assertion")
    second = by_xmlsec1(response(('"a1"', '"a2"'), (ADA, "bruno@example.com")), "a2")
    yield 14, "two-genuine", "saml.assertions_several", second.replace("<saml:Assertion", first + "<saml:Assertion", 1)
    made = element(first, "ds:Signature")
    bare = first.replace(made, "")
    signed = by_xmlsec1(GENUINE).replace(first, bare)
    yield 15, "in-extensions", "saml.signature_misplaced", signed.replace("<samlp:Status>", f"<samlp:Extensions>{made}</samlp:Extensions><samlp:Status>")
    yield 15, "in-subject", "saml.signature_misplaced", signed.replace("<saml:Subject>", f"<saml:Subject>{made}")
    yield 16, "two-signatures", "saml.signatures_several", behind_issuer(by_xmlsec1(GENUINE).replace(first, "ASSERTION"), "").replace(
        "ASSERTION", behind_issuer(first, made))
    yield 20, "detached", "saml.signature_profile", behind_issuer(signed, made)
    template = signature(signed_info(reference("#object")), "AAAA")
    enveloping = template.replace("</ds:Signature>", f'<ds:Object Id="object">{bare}</ds:Object></ds:Signature>')
    yield 20, "enveloping", "saml.assertion_misplaced", behind_issuer(GENUINE.replace(element(GENUINE, "saml:Assertion"), ""), enveloping)


def identifiers():
    alike = by_xmlsec1(response(('ID="r1"', 'ID="a1"')).replace('ID="a1"', 'ID="other"', 1), "a1")
    yield 17, "response-and-assertion", "saml.id_repeated", alike.replace('ID="other"', 'ID="a1"')
    signed = by_xmlsec1(GENUINE)
    yield 17, "signature", "saml.id_repeated", signed.replace("<ds:Signature ", '<ds:Signature Id="a1" ')
    for name, attribute in [("prefixed", 'samlp:ID="x"'), ("mixed-case", 'Id="x"'), ("lower-case", 'id="x"'), ("xml-id", 'xml:id="a1"')]:
        yield 18, f"response-{name}", "saml.id_polluted", signed.replace("<samlp:Response ", f"<samlp:Response {attribute} ")
    yield 18, "subject", "saml.id_polluted", by_xmlsec1(response(("<saml:Subject>", '<saml:Subject ID="x">')))
    yield 18, "assertion-signed", "saml.id_polluted", by_xmlsec1(response(("<saml:Assertion ", '<saml:Assertion xml:id="x1" ')))
    foreign = f'<saml:AttributeValue><f xmlns="urn:foreign" id="x"></f></saml:AttributeValue>'
    yield 18, "foreign-data", "accepted", by_xmlsec1(response(("<saml:AttributeValue>staff</saml:AttributeValue>", foreign)))
    declared = f"<!DOCTYPE samlp:Response [<!ATTLIST saml:Assertion AssertionID ID #IMPLIED>]>"
    yield 19, "attlist", "saml.xml_doctype", by_xmlsec1(GENUINE).replace("<samlp:Response", declared + "<samlp:Response", 1)
