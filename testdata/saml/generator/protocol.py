"""Entries 92 to 115 as far as a document shows them: the identity provider signs it, and still it must not be used."""

from .message import ADA, GENUINE, MALLORY, response
from .signer import by_xmlsec1

CONFIRMATION = 'InResponseTo="_request" NotOnOrAfter="2026-01-02T03:09:00Z" Recipient="https://sp.example/acs"'
RESTRICTION = "<saml:AudienceRestriction><saml:Audience>urn:sp</saml:Audience></saml:AudienceRestriction>"
CONDITIONS = 'NotBefore="2026-01-02T03:04:00Z" NotOnOrAfter="2026-01-02T03:09:05Z"'
STATUS = '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode>'
FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"


def signed(*edits):
    return by_xmlsec1(response(*edits))


def fixtures():
    yield from addressed()
    yield from audiences()
    yield from times()
    yield from conditions()
    yield from statuses()
    yield from people()


def addressed():
    yield 90, "none", "saml.in_response_to_missing", signed((' InResponseTo="_request" IssueInstant', " IssueInstant"))
    yield 90, "another-request", "saml.in_response_to_mismatch", signed(('InResponseTo="_request" IssueInstant', 'InResponseTo="_other" IssueInstant'))
    yield 92, "another-request", "saml.confirmation_in_response_to", signed(('InResponseTo="_request" Not', 'InResponseTo="_other" Not'))
    yield 92, "none", "saml.confirmation_in_response_to", signed(('InResponseTo="_request" Not', "Not"))
    acs = "https://sp.example/acs"
    for name, put in [("longer", acs + "/"), ("prefix", acs + ".evil.test"), ("host-case", "https://SP.example/acs"), ("http", "http://sp.example/acs"),
                      ("port", "https://sp.example:443/acs"), ("empty", "")]:
        yield 96, f"recipient-{name}", "saml.recipient_mismatch", signed((f'Recipient="{acs}"', f'Recipient="{put}"'))
        yield 96, f"destination-{name}", "saml.destination_mismatch", signed((f'Destination="{acs}"', f'Destination="{put}"'))
    yield 96, "no-recipient", "saml.recipient_missing", signed((f' Recipient="{acs}"', ""))
    yield 96, "no-destination-signed", "saml.destination_missing", by_xmlsec1(response((f' Destination="{acs}"', "")), "r1")
    yield 96, "no-destination-unsigned", "accepted", signed((f' Destination="{acs}"', ""))
    issuer = "<saml:Issuer>https://idp.example</saml:Issuer>"
    yield 97, "wrong", "saml.issuer_mismatch", signed((">https://idp.example<", ">https://other-idp.example<"))
    yield 97, "assertion-of-another", "saml.issuer_mismatch", signed((issuer, issuer.replace("idp", "other-idp")))
    yield 97, "none", "saml.issuer_missing", signed((issuer, "<saml:Issuer></saml:Issuer>"))
    yield 97, "other-format", "saml.issuer_format", signed((issuer, issuer.replace(">h", f' Format="{FORMAT}">h')))


def audiences():
    other = "<saml:AudienceRestriction><saml:Audience>urn:other</saml:Audience></saml:AudienceRestriction>"
    yield 94, "none", "saml.audience_missing", signed((RESTRICTION, ""))
    yield 94, "another-service", "saml.audience_mismatch", signed((RESTRICTION, other))
    yield 94, "longer", "saml.audience_mismatch", signed((">urn:sp<", ">urn:sp/<"))
    yield 94, "other-case", "saml.audience_mismatch", signed((">urn:sp<", ">URN:SP<"))
    yield 94, "one-of-several", "accepted", signed(("<saml:Audience>", "<saml:Audience>urn:other</saml:Audience><saml:Audience>"))
    yield 95, "ours-first", "saml.audience_mismatch", signed((RESTRICTION, RESTRICTION + other))
    yield 95, "ours-last", "saml.audience_mismatch", signed((RESTRICTION, other + RESTRICTION))
    yield 95, "ours-twice", "accepted", signed((RESTRICTION, RESTRICTION + RESTRICTION))


def times():
    yield 98, "expired", "saml.expired", signed(("2026-01-02T03:09:05Z", "2026-01-02T03:03:00Z"))
    yield 98, "not-yet-valid", "saml.not_yet_valid", signed(('NotBefore="2026-01-02T03:04:00Z"', 'NotBefore="2026-01-02T03:07:01Z"'))
    yield 98, "within-the-tolerance", "accepted", signed(('NotBefore="2026-01-02T03:04:00Z"', 'NotBefore="2026-01-02T03:07:00Z"'))
    yield 98, "confirmation-expired", "saml.confirmation_expired", signed(("2026-01-02T03:09:00Z", "2026-01-02T03:03:00Z"))
    yield 98, "confirmation-without-end", "saml.confirmation_end_missing", signed((' NotOnOrAfter="2026-01-02T03:09:00Z"', ""))
    yield 98, "no-conditions", "saml.conditions_missing", signed((f"<saml:Conditions {CONDITIONS}>{RESTRICTION}</saml:Conditions>", ""))
    yield 99, "years", "saml.validity_too_long", signed(("2026-01-02T03:09:05Z", "2036-01-02T03:09:05Z"), ("2026-01-02T03:09:00Z", "2036-01-02T03:09:00Z"))
    yield 99, "made-in-the-future", "saml.issue_instant_future", signed(("03:04:05Z", "03:07:01Z"))
    yield 99, "made-long-ago", "saml.issue_instant_too_old", signed(("03:04:05Z", "02:57:59Z"))
    for name, put in [("no-zone", "2026-01-02T03:09:05"), ("offset", "2026-01-02T04:09:05+01:00"), ("leap-second", "2026-01-02T03:09:60Z"), ("date", "2026-01-02"),
                      ("blank", " 2026-01-02T03:09:05Z"), ("empty-fraction", "2026-01-02T03:09:05.Z"), ("long-fraction", f"2026-01-02T03:09:05.{'9' * 60}Z"),
                      ("year-10000", "10000-01-02T03:09:05Z"), ("negative-year", "-2026-01-02T03:09:05Z"), ("empty", "")]:
        yield 100, name, "saml.time_malformed", signed(("2026-01-02T03:09:05Z", put))
    yield 100, "fraction", "accepted", signed(("2026-01-02T03:09:05Z", "2026-01-02T03:09:05.1234567890123Z"))
    yield 105, "session-over", "saml.session_expired", signed(("2026-01-02T11:04:05Z", "2026-01-02T03:03:00Z"))
    yield 105, "authenticated-in-the-future", "saml.authn_instant_future", signed(('AuthnInstant="2026-01-02T03:04:00Z"', 'AuthnInstant="2026-01-02T03:07:01Z"'))


def conditions():
    method = "urn:oasis:names:tc:SAML:2.0:cm:"
    yield 101, "holder-of-key", "saml.confirmation_missing", signed((f"{method}bearer", f"{method}holder-of-key"))
    yield 101, "sender-vouches", "saml.confirmation_missing", signed((f"{method}bearer", f"{method}sender-vouches"))
    confirmation = f'<saml:SubjectConfirmation Method="{method}bearer"><saml:SubjectConfirmationData {CONFIRMATION}></saml:SubjectConfirmationData></saml:SubjectConfirmation>'
    yield 101, "none", "saml.confirmation_missing", signed((confirmation, ""))
    yield 101, "no-data", "saml.recipient_missing", signed((confirmation, f'<saml:SubjectConfirmation Method="{method}bearer"></saml:SubjectConfirmation>'))
    yield 101, "not-before", "saml.confirmation_not_before", signed(("<saml:SubjectConfirmationData ", '<saml:SubjectConfirmationData NotBefore="2026-01-02T03:04:00Z" '))
    yield 101, "bearer-beside-another", "accepted", signed((confirmation, confirmation.replace("bearer", "holder-of-key") + confirmation))
    yield 102, "one-time-use", "accepted", signed((RESTRICTION, RESTRICTION + "<saml:OneTimeUse></saml:OneTimeUse>"))
    yield 102, "no-proxy", "saml.proxy_restricted", signed((RESTRICTION, RESTRICTION + '<saml:ProxyRestriction Count="0"></saml:ProxyRestriction>'))
    yield 102, "unknown", "saml.condition_unknown", signed((RESTRICTION, RESTRICTION + '<saml:Condition xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="urn:x" xsi:type="x:Delegation"></saml:Condition>'))
    yield 102, "foreign", "saml.condition_unknown", signed((RESTRICTION, RESTRICTION + '<x:Paid xmlns:x="urn:x"></x:Paid>'))


def statuses():
    prefix = "urn:oasis:names:tc:SAML:2.0:status:"

    def status(top, second=None):
        inner = f'<samlp:StatusCode Value="{prefix}{second}"></samlp:StatusCode>' if second else ""
        return f'<samlp:StatusCode Value="{prefix}{top}">{inner}</samlp:StatusCode>'

    yield 103, "denied-with-assertion", "saml.status_request_denied", signed((STATUS, status("Responder", "RequestDenied")))
    yield 103, "responder-with-assertion", "saml.status_responder", signed((STATUS, status("Responder")))
    yield 103, "none", "saml.status_missing", signed((STATUS, ""))
    yield 103, "other-case", "saml.status_other", signed((STATUS, status("success")))
    yield 104, "success-below", "saml.status_responder", signed((STATUS, status("Responder", "Success")))
    yield 104, "success-second", "saml.status_requester", signed((STATUS, status("Requester") + STATUS))
    yield 104, "failure-below-success", "accepted", signed((STATUS, status("Success", "AuthnFailed")))


def people():
    name = f'<saml:NameID Format="{FORMAT}">{ADA}</saml:NameID>'
    nameid = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
    for label, text in [("empty", ""), ("blank", "  "), ("long", "a" * 257)]:
        yield 107, label, "saml.name_id_invalid", signed((name, f"<saml:NameID>{text}</saml:NameID>"))
    yield 107, "of-another-service", "saml.name_qualifier_mismatch", signed((f'Format="{FORMAT}"', f'Format="{nameid}persistent" SPNameQualifier="urn:other"'))
    yield 107, "two-subjects", "saml.assertion_malformed", signed((name, name + name.replace(ADA, MALLORY)))
    two = f"<saml:AttributeValue>{ADA}</saml:AttributeValue>"
    yield 108, "two-addresses", "accepted", signed((two, two + two.replace(ADA, MALLORY)))
    attribute = f'<saml:Attribute Name="email">{two}</saml:Attribute>'
    yield 108, "name-in-another-case", "accepted", signed((attribute, attribute + attribute.replace('"email"', '"EMAIL"').replace(ADA, MALLORY)))
    yield 115, "encrypted-id", "saml.encrypted_id", signed((name, "<saml:EncryptedID></saml:EncryptedID>"))
    yield 115, "encrypted-attribute", "saml.encrypted_attribute", signed((attribute, "<saml:EncryptedAttribute></saml:EncryptedAttribute>"))
