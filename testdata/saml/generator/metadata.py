"""Metadata of identity providers: the trusted one, and those that must lead to nobody's trust.

Each document of an attack is what the administrator configured; the genuine response is then judged by it.
"""

from . import keys
from .message import DSIG, GENUINE

MD = "urn:oasis:names:tc:SAML:2.0:metadata"
ENTITY = "https://idp.example"
NINE = ["idp", "idp-ec", "other-idp", "mallory", "authority", "issued", "exponent-3", "spare-1", "spare-2"]


def descriptor(*names, entity=ENTITY, attributes="", use=' use="signing"', inside="", raw=()):
    found = [keys.certificate(name) for name in names] + list(raw)
    described = "".join(
        f'<md:KeyDescriptor{use}><ds:KeyInfo xmlns:ds="{DSIG}"><ds:X509Data><ds:X509Certificate>{text}</ds:X509Certificate>'
        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for text in found
    )
    return (
        f'<md:EntityDescriptor xmlns:md="{MD}" entityID="{entity}"{attributes}>{inside}<md:IDPSSODescriptor'
        f' protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{described}<md:SingleSignOnService'
        ' Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/>'
        "</md:IDPSSODescriptor></md:EntityDescriptor>\n"
    )


def trusted():
    """What all responses of the catalogue are judged by."""
    return descriptor("idp", "idp-ec")


def fixtures():
    genuine = descriptor("idp").strip()
    # The genuine descriptor is moved to where a resolver of references still finds it; the evil one is the root.
    for name, wrapped in [
        ("moved-to-extensions", f"<md:Extensions>{genuine}</md:Extensions>"),
        ("moved-to-object", f'<ds:Signature xmlns:ds="{DSIG}"><ds:Object>{genuine}</ds:Object></ds:Signature>'),
    ]:
        yield 11, name, "saml.key_unknown", descriptor("mallory", inside=wrapped)
    beside = f'<md:EntitiesDescriptor xmlns:md="{MD}">{genuine}{descriptor("mallory").strip()}</md:EntitiesDescriptor>\n'
    yield 11, "evil-beside", "metadata.several_identity_providers", beside
    for name in ["weak-1024", "exponent-large", "huge-16384", "dsa"]:
        code = "metadata.key_weak" if name == "weak-1024" else "metadata.certificate_unusable"
        yield 47, name, code, descriptor(name)
    yield 47, "weak-beside-sound", "accepted", descriptor("weak-1024", "idp")
    yield 55, "key-withdrawn", "saml.key_unknown", descriptor("other-idp")
    yield 55, "expired-certificate", "accepted", descriptor("idp-expired")
    yield 57, "authority-only", "saml.key_unknown", descriptor("authority")
    yield 97, "another-issuer", "saml.issuer_mismatch", descriptor("idp", entity="https://other-idp.example")
    yield 121, "ended", "metadata.expired", descriptor("idp", attributes=' validUntil="2026-01-02T03:04:59Z"')
    yield 121, "end-unreadable", "metadata.valid_until_malformed", descriptor("idp", attributes=' validUntil="soon"')
    yield 121, "nine-keys", "metadata.too_many_keys", descriptor(*NINE)
    doctype = f'<!DOCTYPE md:EntityDescriptor [<!ENTITY key SYSTEM "file:///etc/passwd">]>{genuine}\n'
    yield 121, "doctype", "metadata.not_xml", doctype
    yield 121, "no-metadata", "metadata.not_metadata", GENUINE
    yield 124, "no-key", "metadata.no_key", descriptor()
    yield 124, "encryption-key-only", "metadata.no_key", descriptor("idp", use=' use="encryption"')
    yield 124, "no-certificate", "metadata.certificate_unusable", descriptor(raw=[""])
    yield 124, "null-certificate", "metadata.certificate_unusable", descriptor(raw=["AAAA"])

