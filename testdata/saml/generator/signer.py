"""Signatures by tools that are not ours: whole documents by xmlsec1; what it declines to make, octet by octet by openssl."""

import base64
import hashlib
import os
import subprocess
import tempfile

from . import keys
from .message import ASSERTION, DSIG, PROTOCOL, element

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = f"{DSIG}enveloped-signature"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256 = f"{MORE}rsa-sha256"


def transform(uri, inside=""):
    return f'<ds:Transform Algorithm="{uri}">{inside}</ds:Transform>'


STANDARD = transform(ENVELOPED) + transform(EXCLUSIVE)


def reference(uri, transforms=STANDARD, digest_method=SHA256, digest=""):
    return (
        f'<ds:Reference URI="{uri}"><ds:Transforms>{transforms}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{digest_method}"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>'
    )


def signed_info(references, method=RSA_SHA256, canonicalization=EXCLUSIVE, parameters="", inside=""):
    return (
        f'<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{canonicalization}">{inside}</ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{method}">{parameters}</ds:SignatureMethod>{references}</ds:SignedInfo>'
    )


def x509(*names):
    """KeyInfo with certificates."""
    return "".join(
        f"<ds:X509Data><ds:X509Certificate>{keys.certificate(name)}</ds:X509Certificate></ds:X509Data>" for name in names
    )


def signature(info, value="", key_info=""):
    key_info = key_info and f"<ds:KeyInfo>{key_info}</ds:KeyInfo>"
    return f'<ds:Signature xmlns:ds="{DSIG}">{info}<ds:SignatureValue>{value}</ds:SignatureValue>{key_info}</ds:Signature>'


def insert(xml, identifier, inside):
    """Puts a signature behind the Issuer of the element with that ID."""
    at = xml.index(f' ID="{identifier}"')
    at = xml.index("</saml:Issuer>", at) + len("</saml:Issuer>")
    return xml[:at] + inside + xml[at:]


def by_xmlsec1(xml, identifier="a1", key="idp", info=None, key_info=""):
    """Signs the element with that ID by xmlsec1, which computes the digests and the value of the template."""
    template = insert(xml, identifier, signature(info or signed_info(reference(f"#{identifier}"))))
    place = f"//*[@ID='{identifier}']/*[local-name()='Signature']"
    with tempfile.TemporaryDirectory() as folder:
        before, after = os.path.join(folder, "in.xml"), os.path.join(folder, "out.xml")
        with open(before, "w", newline="", encoding="utf-8") as file:
            file.write(template)
        ran = subprocess.run(
            ["xmlsec1", "--sign", "--privkey-pem", keys.path(f"{key}.key.pem"), "--node-xpath", place,
             "--id-attr:ID", f"{ASSERTION}:Assertion", "--id-attr:ID", f"{PROTOCOL}:Response", "--output", after, before],
            capture_output=True,
        )
        if ran.returncode:
            raise SystemExit(f"xmlsec1: {ran.stderr.decode()}\n{template}")
        with open(after, "rb") as file:
            signed = file.read().decode()
    # KeyInfo is not signed: xmlsec1 would write its own into the template.
    at = signed.index("</ds:Signature>", signed.index(f' ID="{identifier}"'))
    return signed[:at] + (key_info and f"<ds:KeyInfo>{key_info}</ds:KeyInfo>") + signed[at:]


def digest(octets, name="sha256"):
    return base64.b64encode(hashlib.new(name, octets).digest()).decode()


def by_openssl(xml, info, identifier="a1", key="idp", hash_name="sha256", options=(), key_info="", value=None):
    """Signs a SignedInfo that is written in canonical form already. DIGEST in it stands for the true one."""
    name = "samlp:Response" if identifier == "r1" else "saml:Assertion"
    info = info.replace("DIGEST", digest(element(xml, name).encode()))
    octets = info.replace("<ds:SignedInfo>", f'<ds:SignedInfo xmlns:ds="{DSIG}">', 1).encode()
    made = value(octets) if value else keys.openssl("dgst", f"-{hash_name}", *options, "-sign", f"{key}.key.pem", octets=octets)
    return insert(xml, identifier, signature(info, base64.b64encode(made).decode(), key_info))


def fixed_width(der, width=32):
    """r‖s of an ECDSA signature (XML Signature 1.1 section 6.4.3)."""
    numbers, at = [], 2
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(width, "big"))
        at += 2 + length
    return b"".join(numbers)
