"""Entries 21 to 57: signatures that a general XML-DSig library may take, in a form that this profile has not."""

import base64
import hmac

from . import keys
from .message import ADA, DSIG, GENUINE, MALLORY, edited, element, evil_assertion, response
from .signer import (
    ENVELOPED, EXCLUSIVE, INCLUSIVE, MORE, RSA_SHA256, SHA256, STANDARD, by_openssl, by_xmlsec1, digest, fixed_width,
    insert, reference, signature, signed_info, transform, x509,
)

XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
PROFILE, FORBIDDEN, INVALID = "saml.signature_profile", "saml.algorithm_forbidden", "saml.signature_invalid"


def fixtures():
    yield from void()
    yield from references()
    yield from transforms()
    yield from canonicalizations()
    yield from objects()
    yield from algorithms()
    yield from values()
    yield from key_infos()


def by_profile(references, **more):
    """A value that verifies, over a SignedInfo of another form: nothing but the form stands against it."""
    return by_openssl(GENUINE, signed_info(references), **more)


def void():
    yield 21, "unsigned", "saml.signature_missing", GENUINE
    yield 22, "empty-signature", PROFILE, insert(GENUINE, "a1", f'<ds:Signature xmlns:ds="{DSIG}"></ds:Signature>')
    yield 22, "empty-signed-info", PROFILE, by_openssl(GENUINE, "<ds:SignedInfo></ds:SignedInfo>")
    whole = by_xmlsec1(GENUINE, "r1")
    yield 23, "response-signed-assertion-swapped", "saml.digest_mismatch", whole.replace(element(whole, "saml:Assertion"), evil_assertion("a1"))
    single = by_xmlsec1(GENUINE)
    yield 23, "signed-assertion-swapped", "saml.signature_missing", single.replace(element(single, "saml:Assertion"), evil_assertion("a1"))
    broken = by_xmlsec1(by_xmlsec1(GENUINE), "r1")
    yield 23, "response-changed-assertion-intact", "saml.digest_mismatch", broken.replace("<samlp:Status>", "<samlp:Status> ")


def references():
    good = reference("#a1", digest="DIGEST")
    yield 24, "no-reference", PROFILE, by_profile("")
    yield 25, "second-is-bad", PROFILE, by_profile(good + reference("#a1", digest=digest(b"x")))
    yield 25, "first-is-bad", PROFILE, by_profile(reference("#a1", digest=digest(b"x")) + good)
    single = by_xmlsec1(GENUINE)
    info = element(single, "ds:SignedInfo")
    yield 26, "evil-first", PROFILE, single.replace(info, info.replace("#a1", "#r1") + info)
    yield 26, "evil-last", PROFILE, single.replace(info, info + info.replace("#a1", "#r1"))
    yield 27, "comment-in-digest", "saml.xml_comment", single.replace("</ds:DigestValue>", "<!-- x --></ds:DigestValue>")
    changed = single.replace(ADA, MALLORY)
    bare = element(GENUINE, "saml:Assertion").replace(ADA, MALLORY)
    smuggled = f'<samlp:StatusDetail><ds:DigestValue xmlns:ds="{DSIG}">{digest(bare.encode())}</ds:DigestValue></samlp:StatusDetail>'
    yield 28, "in-status-detail", "saml.digest_mismatch", changed.replace("</samlp:Status>", smuggled + "</samlp:Status>")
    for number, name, uri in [
        (29, "empty", ""), (30, "http", "http://127.0.0.1:9/x#a1"), (30, "ftp", "ftp://127.0.0.1/x"), (31, "file", "file:///etc/passwd"),
        (31, "relative", "a1"), (31, "parent-folder", "../../etc/passwd"), (32, "xpointer-id", "#xpointer(id('a1'))"),
        (32, "xpointer-root", "#xpointer(/)"), (32, "element", "#element(/1/3)"), (33, "cid", "cid:a1"), (33, "unknown-scheme", "x:a1"),
    ]:
        yield number, name, PROFILE, by_profile(reference(uri, digest="DIGEST"))
    yield 29, "absent", PROFILE, by_profile(good.replace(' URI="#a1"', ""))


def transforms():
    xslt = (
        '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"><xsl:template match="/">'
        '<xsl:value-of select="document(\'http://127.0.0.1:9/\')"></xsl:value-of></xsl:template></xsl:stylesheet>'
    )
    without_name = (
        f'<ds:XPath xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">not(ancestor-or-self::saml:NameID)</ds:XPath>'
    )
    by_xpath = signed_info(reference("#a1", transform(ENVELOPED) + transform(XPATH, without_name) + transform(EXCLUSIVE)))
    yield 35, "name-not-covered", PROFILE, by_xmlsec1(GENUINE, info=by_xpath).replace(f">{ADA}</saml:NameID>", f">{MALLORY}</saml:NameID>")
    costly = "<ds:XPath>count(//*[count(//*) = count(//@*)]) = 0</ds:XPath>"
    filter2 = '<f:XPath xmlns:f="http://www.w3.org/2002/06/xmldsig-filter2" Filter="subtract">//*[local-name()="NameID"]</f:XPath>'
    for number, name, inserted in [
        (34, "xslt", transform("http://www.w3.org/TR/1999/REC-xslt-19991116", xslt)),
        (35, "costly", transform(XPATH, costly)),
        (35, "filter-2", transform("http://www.w3.org/2002/06/xmldsig-filter2", filter2)),
        (36, "base64", transform(f"{DSIG}base64")),
        (36, "decrypt", transform("http://www.w3.org/2002/07/decrypt#XML")),
    ]:
        yield number, name, PROFILE, by_profile(reference("#a1", transform(ENVELOPED) + inserted, digest="DIGEST"))
    for name, chain in [
        ("none", ""), ("enveloped-only", transform(ENVELOPED)), ("no-enveloped", transform(EXCLUSIVE)),
        ("reversed", transform(EXCLUSIVE) + transform(ENVELOPED)), ("repeated", STANDARD + transform(EXCLUSIVE)),
        ("enveloped-twice", transform(ENVELOPED) + STANDARD),
    ]:
        yield 37, name, PROFILE, by_profile(reference("#a1", chain, digest="DIGEST"))


def canonicalizations():
    def second(uri, inside=""):
        return signed_info(reference("#a1", transform(ENVELOPED) + transform(uri, inside)))

    def prefixes(text):
        return f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="{text}"></ec:InclusiveNamespaces>'

    for name, uri in [("with-comments", f"{EXCLUSIVE}WithComments"), ("inclusive", INCLUSIVE), ("inclusive-1-1", "http://www.w3.org/2006/12/xml-c14n11")]:
        yield 38, f"transform-{name}", PROFILE, by_xmlsec1(GENUINE, info=second(uri))
        yield 38, f"method-{name}", FORBIDDEN, by_xmlsec1(GENUINE, info=signed_info(reference("#a1"), canonicalization=uri))
    sixteen = " ".join(f"p{n}" for n in range(16))
    yield 39, "seventeen-prefixes", PROFILE, by_xmlsec1(GENUINE, info=second(EXCLUSIVE, prefixes(f"{sixteen} q")))
    yield 39, "no-prefix", PROFILE, by_openssl(GENUINE, second(EXCLUSIVE, prefixes("../x")).replace("></ds:DigestValue>", ">DIGEST</ds:DigestValue>"))
    yield 39, "sixteen-prefixes", "accepted", by_xmlsec1(GENUINE, info=second(EXCLUSIVE, prefixes(sixteen)))
    yield 39, "usual-prefixes", "accepted", by_xmlsec1(GENUINE, info=second(EXCLUSIVE, prefixes("#default samlp saml xs")))
    void_octets = signed_info(reference("#a1", digest=digest(b"")))
    yield 40, "relative-namespace", "saml.xml_namespace", by_openssl(GENUINE, void_octets).replace("<samlp:Response ", '<samlp:Response xmlns:v="1:x" ')
    yield 40, "relative-namespace-inside", "saml.xml_namespace", by_openssl(GENUINE, void_octets).replace("<saml:Subject>", '<saml:Subject xmlns:v="x">')
    yield 41, "digest-of-nothing", "saml.digest_mismatch", by_openssl(GENUINE, void_octets)
    yield 41, "signature-of-nothing", INVALID, by_openssl(
        GENUINE, signed_info(reference("#a1", digest="DIGEST")), value=lambda _: keys.openssl("dgst", "-sha256", "-sign", "idp.key.pem", octets=b""))


def objects():
    hidden = f'<ds:Signature xmlns:ds="{DSIG}"><ds:Object>{MALLORY}</ds:Object></ds:Signature>'
    single = by_xmlsec1(GENUINE)
    yield 42, "in-a-value", "saml.signature_misplaced", single.replace("<saml:AttributeValue>staff", f"<saml:AttributeValue>{hidden}staff")
    yield 42, "in-the-signature", "saml.signature_misplaced", single.replace("</ds:Signature>", f"<ds:Object>{hidden}</ds:Object></ds:Signature>")
    manifest = f'<ds:Manifest Id="m">{reference("#a1", digest=digest(b"x"))}</ds:Manifest>'
    indirect = signed_info(reference("#m", transform(EXCLUSIVE), digest=digest(manifest.encode())).replace("<ds:Reference ", f'<ds:Reference Type="{DSIG}Manifest" '))
    yield 43, "manifest", PROFILE, by_openssl(GENUINE, indirect).replace("</ds:Signature>", f"<ds:Object>{manifest}</ds:Object></ds:Signature>")
    for name, inside in [("object", "x"), ("properties", '<ds:SignatureProperties><ds:SignatureProperty Target="#a1"></ds:SignatureProperty></ds:SignatureProperties>')]:
        yield 43, name, PROFILE, single.replace("</ds:Signature>", f"<ds:Object>{inside}</ds:Object></ds:Signature>")


def algorithms():
    standard = reference("#a1", digest="DIGEST")
    yield 44, "rsa-sha1", FORBIDDEN, by_xmlsec1(GENUINE, info=signed_info(reference("#a1"), method=f"{DSIG}rsa-sha1"))
    yield 44, "digest-sha1", FORBIDDEN, by_xmlsec1(GENUINE, info=signed_info(reference("#a1", digest_method=f"{DSIG}sha1")))
    for name, method in [("md5", f"{MORE}rsa-md5"), ("ripemd160", f"{MORE}rsa-ripemd160")]:
        yield 44, f"rsa-{name}", FORBIDDEN, by_openssl(GENUINE, signed_info(standard, method=method), hash_name="md5" if name == "md5" else "sha1")
        yield 44, f"digest-{name}", FORBIDDEN, by_openssl(GENUINE, signed_info(reference("#a1", digest_method=f"{MORE}{name}", digest=digest(b"x"))))
    public = keys.openssl("x509", "-in", "idp.cert.pem", "-noout", "-pubkey")

    def mac(octets):
        return hmac.digest(public, octets, "sha256")

    yield 45, "hmac-with-the-public-key", FORBIDDEN, by_openssl(GENUINE, signed_info(standard, method=f"{MORE}hmac-sha256"), value=mac)
    yield 45, "ecdsa-name-on-rsa", INVALID, by_openssl(GENUINE, signed_info(standard, method=f"{MORE}ecdsa-sha256"))
    length = "<ds:HMACOutputLength>8</ds:HMACOutputLength>"
    yield 46, "one-octet", PROFILE, by_openssl(GENUINE, signed_info(standard, method=f"{DSIG}hmac-sha1", parameters=length), value=lambda octets: mac(octets)[:1])
    yield 46, "no-octet", PROFILE, by_openssl(GENUINE, signed_info(standard, method=f"{MORE}hmac-sha256", parameters=length.replace("8", "0")), value=lambda _: b"")
    yield 47, "dsa", FORBIDDEN, by_openssl(GENUINE, signed_info(standard, method="http://www.w3.org/2009/xmldsig11#dsa-sha256"), key="dsa")
    yield 50, "pss", FORBIDDEN, by_openssl(
        GENUINE, signed_info(standard, method="http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"), options=["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:0"])
    yield 50, "pss-under-another-name", INVALID, by_openssl(GENUINE, signed_info(standard), options=["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:0"])


def values():
    standard = signed_info(reference("#a1", digest="DIGEST"))
    yield 48, "cube-root", INVALID, by_openssl(GENUINE, standard, value=cube_root)
    yield 48, "exponent-3-honest", "accepted", by_openssl(GENUINE, standard, key="exponent-3")
    by_curve = standard.replace(RSA_SHA256, f"{MORE}ecdsa-sha256")

    def point(change):
        return by_openssl(GENUINE, by_curve, value=lambda octets: change(keys.openssl("dgst", "-sha256", "-sign", "idp-ec.key.pem", octets=octets)))

    yield 49, "honest", "accepted", point(fixed_width)
    yield 49, "der", INVALID, point(lambda der: der)
    yield 49, "too-wide", INVALID, point(lambda der: fixed_width(der, 33))
    yield 49, "too-narrow", INVALID, point(lambda der: fixed_width(der)[:63])
    yield 49, "zeros", INVALID, point(lambda der: bytes(64))
    yield 49, "zero-r", INVALID, point(lambda der: bytes(32) + fixed_width(der)[32:])
    yield 49, "zero-s", INVALID, point(lambda der: fixed_width(der)[:32] + bytes(32))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    yield 49, "order", INVALID, point(lambda der: order.to_bytes(32, "big") * 2)
    signed = by_xmlsec1(GENUINE)
    text = element(signed, "ds:SignatureValue")[len("<ds:SignatureValue>"):-len("</ds:SignatureValue>")]
    dense = text.replace("\n", "")
    spaced = "\n\t " + "\r\n".join(dense[at:at + 7] for at in range(0, len(dense), 7)) + " "
    last = dense.rstrip("=")[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    trailing = dense.rstrip("=")[:-1] + alphabet[alphabet.index(last) | 1] + "=" * dense.count("=")
    for name, code, put in [
        ("white-space", "accepted", spaced), ("no-padding", PROFILE, dense.rstrip("=")), ("more-padding", PROFILE, dense + "="),
        ("trailing-bits", PROFILE, trailing), ("inner-padding", PROFILE, dense[:4] + "==" + dense[4:]), ("url-alphabet", PROFILE, "-_" + dense[2:]),
    ]:
        yield 56, name, code, signed.replace(text, put)


def cube_root(octets):
    """Bleichenbacher's forgery for an exponent of 3: right octets in front, the rest is whatever a cube leaves."""
    info = bytes.fromhex("3031300d060960864801650304020105000420") + base64.b64decode(digest(octets))
    front = bytes.fromhex("0001ffffffffffffffff00") + info
    goal = int.from_bytes(front + b"\xff" * (256 - len(front)), "big")
    low, high = 0, 1 << 700
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= goal else (low, middle - 1)
    if not (low**3).to_bytes(256, "big").startswith(front):
        raise SystemExit("no cube begins so")
    return low.to_bytes(256, "big")


def key_infos():
    def by_mallory(key_info):
        return by_xmlsec1(response((ADA, MALLORY)), key="mallory", key_info=key_info)

    number = keys.modulus("mallory").to_bytes(256, "big")
    key_value = f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{base64.b64encode(number).decode()}</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    yield 51, "self-signed-certificate", "saml.key_unknown", by_mallory(x509("mallory"))
    yield 51, "key-value", INVALID, by_mallory(key_value)
    genuine = by_xmlsec1(GENUINE)
    for name, inside in [
        ("retrieval-method", f'<ds:RetrievalMethod URI="http://127.0.0.1:9/key" Type="{DSIG}X509Data"></ds:RetrievalMethod>'),
        ("key-info-reference", '<d:KeyInfoReference xmlns:d="http://www.w3.org/2009/xmldsig11#" URI="file:///etc/passwd"></d:KeyInfoReference>'),
        ("mallorys-certificate", x509("mallory")),
    ]:
        yield 52, name, "accepted", genuine.replace("</ds:Signature>", f"<ds:KeyInfo>{inside}</ds:KeyInfo></ds:Signature>")
    yield 53, "genuine-certificate-evil-key-value", INVALID, by_mallory(x509("idp") + key_value)
    yield 53, "evil-key-value-genuine-certificate", INVALID, by_mallory(key_value + x509("idp"))
    yield 53, "evil-certificate-genuine-certificate", "saml.key_unknown", by_mallory(x509("mallory", "idp"))
    yield 54, "another-idp", "saml.key_unknown", by_xmlsec1(GENUINE, key="other-idp", key_info=x509("other-idp"))
    yield 54, "another-idp-no-certificate", INVALID, by_xmlsec1(GENUINE, key="other-idp")
    yield 55, "expired-certificate-carried", "accepted", by_xmlsec1(GENUINE, key_info=x509("idp-expired"))
    yield 57, "issued-by-an-authority", "saml.key_unknown", by_xmlsec1(GENUINE, key="issued", key_info=x509("issued", "authority"))
