"""The genuine response, unsigned and in canonical form: what is signed, and what an attack changes."""

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
DSIG = "http://www.w3.org/2000/09/xmldsig#"

# Whom the identity provider means, and whom an attacker would rather be.
ADA = "ada@example.com"
MALLORY = "mallory@example.com"

GENUINE = (
    f'<samlp:Response xmlns:samlp="{PROTOCOL}" Destination="https://sp.example/acs" ID="r1" InResponseTo="_request"'
    ' IssueInstant="2026-01-02T03:04:05Z" Version="2.0">'
    f'<saml:Issuer xmlns:saml="{ASSERTION}">https://idp.example</saml:Issuer>'
    '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>'
    f'<saml:Assertion xmlns:saml="{ASSERTION}" ID="a1" IssueInstant="2026-01-02T03:04:05Z" Version="2.0">'
    "<saml:Issuer>https://idp.example</saml:Issuer>"
    '<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">ada@example.com</saml:NameID>'
    '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData'
    ' InResponseTo="_request" NotOnOrAfter="2026-01-02T03:09:00Z" Recipient="https://sp.example/acs">'
    "</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>"
    '<saml:Conditions NotBefore="2026-01-02T03:04:00Z" NotOnOrAfter="2026-01-02T03:09:05Z">'
    "<saml:AudienceRestriction><saml:Audience>urn:sp</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
    '<saml:AuthnStatement AuthnInstant="2026-01-02T03:04:00Z" SessionIndex="s1" SessionNotOnOrAfter="2026-01-02T11:04:05Z">'
    "<saml:AuthnContext><saml:AuthnContextClassRef>urn:password</saml:AuthnContextClassRef></saml:AuthnContext>"
    "</saml:AuthnStatement>"
    '<saml:AttributeStatement><saml:Attribute Name="email"><saml:AttributeValue>ada@example.com</saml:AttributeValue>'
    '</saml:Attribute><saml:Attribute Name="groups"><saml:AttributeValue>staff</saml:AttributeValue></saml:Attribute>'
    "</saml:AttributeStatement></saml:Assertion></samlp:Response>"
)


def edited(xml, *edits):
    """The text with every edit made; an edit that finds nothing is a mistake."""
    for find, put in edits:
        if find not in xml:
            raise SystemExit(f"nothing to edit: {find}")
        xml = xml.replace(find, put)
    return xml


def response(*edits):
    """The genuine response with edits, unsigned."""
    return edited(GENUINE, *edits)


def element(xml, name):
    """The text of the first element of that name; none of the same name may be in it."""
    start = xml.index(f"<{name}")
    return xml[start:xml.index(f"</{name}>", start) + len(name) + 3]


def evil_assertion(identifier="evil"):
    """The assertion that an attacker would like to be read, unsigned."""
    return edited(element(GENUINE, "saml:Assertion"), ('ID="a1"', f'ID="{identifier}"'), (ADA, MALLORY))


def behind_issuer(xml, inside):
    """The element with something behind its own Issuer."""
    return xml.replace("</saml:Issuer>", "</saml:Issuer>" + inside, 1)
