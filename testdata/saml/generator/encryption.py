"""Entries 9 and 111 to 115: what encryption hides. All is encrypted by xmlsec1, to a key of the gateway's side."""

import base64
import os
import re
import subprocess
import tempfile

from . import keys
from .message import ADA, ASSERTION, DSIG, GENUINE, MALLORY, edited, element
from .signer import by_xmlsec1

XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
OAEP = f"{XENC}rsa-oaep-mgf1p"
# Cipher by name: its identifier, and the session key that xmlsec1 draws for it.
CIPHERS = {
    **{f"gcm{bits}": (f"{XENC11}aes{bits}-gcm", f"aes-{bits}") for bits in (128, 192, 256)},
    **{f"cbc{bits}": (f"{XENC}aes{bits}-cbc", f"aes-{bits}") for bits in (128, 192, 256)},
    "des": (f"{XENC}tripledes-cbc", "des-192"),
}

# What is cut out to be encrypted has no declarations of its own: saml is declared above it.
DECLARATION = f' xmlns:saml="{ASSERTION}"'
PLAIN = GENUINE.replace(DECLARATION, "").replace("<samlp:Response", f"<samlp:Response{DECLARATION}", 1)


def template(cipher, transport=OAEP):
    return (
        f'<xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}Element"><xenc:EncryptionMethod Algorithm="{CIPHERS[cipher][0]}"/>'
        f'<ds:KeyInfo xmlns:ds="{DSIG}"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{transport}"/>'
        "<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>"
        "<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>"
    )


def encrypted(xml, cipher="gcm256", transport=OAEP):
    """The response with its assertion encrypted, whatever is signed inside."""
    wrapped = xml.replace("<saml:Assertion", "<saml:EncryptedAssertion><saml:Assertion", 1)
    wrapped = "</saml:Assertion></saml:EncryptedAssertion>".join(wrapped.rsplit("</saml:Assertion>", 1))
    with tempfile.TemporaryDirectory() as folder:
        data, form, after = (os.path.join(folder, name) for name in ("data.xml", "template.xml", "out.xml"))
        for path, text in [(data, wrapped), (form, template(cipher, transport))]:
            with open(path, "w", newline="", encoding="utf-8") as file:
                file.write(text)
        ran = subprocess.run(
            ["xmlsec1", "--encrypt", "--pubkey-cert-pem", keys.path("sp.cert.pem"), "--session-key", CIPHERS[cipher][1],
             "--xml-data", data, "--node-xpath", "//*[local-name()='EncryptedAssertion']/*", "--output", after, form],
            capture_output=True,
        )
        if ran.returncode:
            raise SystemExit(f"xmlsec1: {ran.stderr.decode()}")
        with open(after, "rb") as file:
            text = file.read().decode()
    return text.removeprefix('<?xml version="1.0"?>\n').rstrip("\n")


def both(xml, cipher="gcm256"):
    """Signed inside, encrypted, and signed around that."""
    return by_xmlsec1(encrypted(by_xmlsec1(xml), cipher), "r1")


def with_content(xml, change):
    """The octets of the cipher text changed: initialization vector, text and tag."""
    values = list(re.finditer(r"<xenc:CipherValue>([^<]*)</xenc:CipherValue>", xml))
    place = values[-1]
    octets = change(base64.b64decode(place.group(1)))
    return xml[:place.start(1)] + base64.b64encode(octets).decode() + xml[place.end(1):]


def two_keys(xml):
    key = (
        f'<xenc:EncryptedKey xmlns:xenc="{XENC}"><xenc:EncryptionMethod Algorithm="{OAEP}"/>'
        "<xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>"
    )
    return edited(xml, ("</saml:EncryptedAssertion>", key + "</saml:EncryptedAssertion>"))


def wrapped_inside():
    """An assertion of the attacker's, which holds the signed one."""
    genuine = element(by_xmlsec1(PLAIN), "saml:Assertion")
    evil = edited(element(PLAIN, "saml:Assertion"), ('ID="a1"', 'ID="evil"'), (ADA, MALLORY))
    evil = edited(evil, ("</saml:Conditions>", f"</saml:Conditions><saml:Advice>{genuine}</saml:Advice>"))
    return encrypted(PLAIN.replace(element(PLAIN, "saml:Assertion"), evil))


def encrypted_id():
    start, end = PLAIN.index("<saml:NameID"), PLAIN.index("</saml:NameID>") + len("</saml:NameID>")
    return encrypted(by_xmlsec1(PLAIN[:start] + "<saml:EncryptedID></saml:EncryptedID>" + PLAIN[end:]))


def encrypted_attribute():
    more = "<saml:EncryptedAttribute></saml:EncryptedAttribute></saml:AttributeStatement>"
    return encrypted(by_xmlsec1(edited(PLAIN, ("</saml:AttributeStatement>", more))))


def fixtures():
    """The catalogue's. Each holds a key for the gateway's side, which the tests have."""
    genuine = by_xmlsec1(PLAIN)
    gcm = encrypted(genuine)
    yield 9, "wrapping-inside", "saml.assertion_misplaced", wrapped_inside()
    yield 111, "unsigned", "saml.signature_missing", encrypted(PLAIN)
    yield 112, "cbc", "saml.encryption_algorithm", encrypted(genuine, "cbc256")
    yield 112, "gcm-as-cbc", "saml.encryption_algorithm", edited(gcm, (CIPHERS["gcm256"][0], CIPHERS["cbc256"][0]))
    yield 112, "altered", "saml.decryption_failed", with_content(gcm, lambda octets: octets[:40] + bytes([octets[40] ^ 1]) + octets[41:])
    yield 113, "rsa-1_5", "saml.encryption_algorithm", encrypted(genuine, transport=f"{XENC}rsa-1_5")
    yield 113, "triple-des", "saml.encryption_algorithm", encrypted(genuine, "des")
    yield 114, "short-tag", "saml.decryption_failed", with_content(gcm, lambda octets: octets[:-4])
    yield 114, "short-nonce", "saml.decryption_failed", with_content(gcm, lambda octets: octets[4:])
    yield 114, "no-text", "saml.decryption_failed", with_content(gcm, lambda octets: octets[:27])
    longer = edited(encrypted(genuine, "gcm128"), (CIPHERS["gcm128"][0], CIPHERS["gcm256"][0]))
    yield 114, "key-of-another-length", "saml.decryption_failed", longer
    yield 115, "id-inside", "saml.encrypted_id", encrypted_id()
    yield 115, "attribute-inside", "saml.encrypted_attribute", encrypted_attribute()


def documents():
    """Genuine and other documents for the unit tests, by name."""
    genuine, around = by_xmlsec1(PLAIN), PLAIN
    made = {f"{cipher}-assertion": encrypted(genuine, cipher) for cipher in CIPHERS}
    for cipher in ("gcm256", "cbc256"):
        made[f"{cipher}-response"] = by_xmlsec1(encrypted(around, cipher), "r1")
        made[f"{cipher}-unsigned"] = encrypted(around, cipher)
    made["gcm256-both"] = both(PLAIN)
    made["gcm256-wrapped"] = wrapped_inside()
    made["gcm256-encrypted-id"] = encrypted_id()
    made["gcm256-encrypted-attribute"] = encrypted_attribute()
    made["gcm256-two-keys"] = two_keys(made["gcm256-assertion"])
    made["rsa15-assertion"] = encrypted(genuine, transport=f"{XENC}rsa-1_5")
    return {f"{name}.xml": text.encode() for name, text in made.items()}
