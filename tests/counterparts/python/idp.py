"""pysaml2 as a SAML identity provider for one test: two entities, /rsa and /ec, each with a key of its kind.

Everything is pysaml2's own but the two pages: the login page asks who it is and how to answer, and an empty field of it
leaves that choice to pysaml2's defaults.
"""

import os
import subprocess
from functools import partial, partialmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import saml2.entity
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
from saml2.config import IdPConfig
from saml2.metadata import create_metadata_string
from saml2.saml import NAME_FORMAT_URI, NAMEID_FORMAT_PERSISTENT
from saml2.server import Server
from saml2.sigver import SecurityContext, pre_encryption_part

PORT = int(os.environ["IDP_PORT"])
WORK = Path(os.environ["IDP_WORK"])
BASE = f"http://127.0.0.1:{PORT}"
KEYS = {"rsa": ["rsa:2048"], "ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]}

ALGORITHMS = {
    "": (None, None),
    "rsa-sha256": ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256"),
    "rsa-sha512": ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", "http://www.w3.org/2001/04/xmlenc#sha512"),
    "ecdsa-sha256": ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256"),
}

# With one of these the key is that of the service provider's metadata, otherwise this program's own.
CIPHERS = {
    "gcm": "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "cbc": "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
}
ENCRYPT_ASSERTION = SecurityContext.encrypt_assertion

PEOPLE = {
    "alice": {
        "mail": "alice@acme.test",
        "givenName": "Alice",
        "sn": "Ångström & <Söhne>",
        "displayName": "Alice Ångström & <Söhne>",
        "eduPersonAffiliation": ["staff", "engineering"],
    },
}

PAGE = """<!doctype html><title>pysaml2</title><form method="post" action="/{entity}/login">
<input type="hidden" name="binding" value="{binding}"><input type="hidden" name="request" value="{request}">
<input type="hidden" name="relay_state" value="{relay_state}">
<input type="hidden" name="sigalg" value="{sigalg}"><input type="hidden" name="signature" value="{signature}">
<label>Name <input name="person"></label> <label>Algorithm <input name="algorithm"></label>
<label>Signed <input name="signed" value="assertion"></label> <label>Encrypted <input name="encrypted"></label>
<button>Sign in</button></form>"""


def key(kind):
    """Makes a key and its certificate."""
    files = WORK / f"{kind}.key", WORK / f"{kind}.crt"
    command = ["openssl", "req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=idp.test", "-newkey", *KEYS[kind]]
    subprocess.run([*command, "-keyout", files[0], "-out", files[1]], check=True, stderr=subprocess.DEVNULL)
    return str(files[0]), str(files[1])


def entity(kind):
    """One identity provider, which knows its service providers by their own metadata."""
    key_file, cert_file = key(kind)
    config = IdPConfig().load({
        "entityid": f"{BASE}/{kind}/metadata",
        "key_file": key_file,
        "cert_file": cert_file,
        "xmlsec_binary": "/usr/bin/xmlsec1",
        "metadata": {"remote": [{"url": url} for url in os.environ["SP_METADATA"].split()]},
        "service": {"idp": {
            "want_authn_requests_signed": os.environ.get("WANT_SIGNED") == "yes",
            "endpoints": {"single_sign_on_service": [
                (f"{BASE}/{kind}/sso", BINDING_HTTP_REDIRECT),
                (f"{BASE}/{kind}/sso", BINDING_HTTP_POST),
            ]},
            "name_id_format": [NAMEID_FORMAT_PERSISTENT],
            "policy": {"default": {"name_form": NAME_FORMAT_URI, "nameid_format": NAMEID_FORMAT_PERSISTENT}},
        }},
    })
    return Server(config=config)


def use_cipher(name):
    """Has pysaml2 encrypt with AES of 256 bits, for which it has no setting of its own."""
    saml2.entity.pre_encryption_part = partial(pre_encryption_part, msg_enc=CIPHERS[name])
    SecurityContext.encrypt_assertion = partialmethod(ENCRYPT_ASSERTION, key_type="aes-256")


def answer(server, fields, own_certificate):
    """The auto-post page that carries the response, as the login page asked for it."""
    request = server.parse_authn_request(
        fields["request"],
        fields["binding"],
        relay_state=fields.get("relay_state"),
        sigalg=fields.get("sigalg"),
        signature=fields.get("signature"),
    ).message
    arguments = server.response_args(request, [BINDING_HTTP_POST])
    sign_algorithm, digest_algorithm = ALGORITHMS[fields.get("algorithm", "")]
    if fields.get("encrypted") in CIPHERS:
        use_cipher(fields["encrypted"])
    response = server.create_authn_response(
        PEOPLE[fields["person"]],
        userid=fields["person"],
        authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": BASE},
        sign_response=fields["signed"] in ("response", "both"),
        sign_assertion=fields["signed"] in ("assertion", "both"),
        sign_alg=sign_algorithm,
        digest_alg=digest_algorithm,
        encrypt_assertion="encrypted" in fields,
        encrypt_cert_assertion=own_certificate if fields.get("encrypted") == "yes" else None,
        **arguments,
    )
    form = server.apply_binding(
        BINDING_HTTP_POST, str(response), arguments["destination"], fields.get("relay_state", ""), response=True,
    )
    return form["data"]


class Handler(BaseHTTPRequestHandler):
    """`/{rsa,ec}/metadata`, `/{rsa,ec}/sso` by both bindings, `/{rsa,ec}/login`."""

    def do_GET(self):
        url = urlsplit(self.path)
        _, kind, what = url.path.split("/")
        if what == "metadata":
            self.send(create_metadata_string(None, SERVERS[kind].config).decode(), "application/samlmetadata+xml")
        else:
            self.ask(kind, BINDING_HTTP_REDIRECT, url.query)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        _, kind, what = self.path.split("/")
        if what == "sso":
            self.ask(kind, BINDING_HTTP_POST, body)
        else:
            fields = {name: values[0] for name, values in parse_qs(body).items()}
            self.send(answer(SERVERS[kind], fields, SERVERS["rsa"].sec.my_cert))

    def ask(self, kind, binding, encoded):
        """The login page, which carries the request along."""
        fields = {name: values[0] for name, values in parse_qs(encoded).items()}
        self.send(PAGE.format(
            entity=kind, binding=binding, request=fields["SAMLRequest"], relay_state=fields.get("RelayState", ""),
            sigalg=fields.get("SigAlg", ""), signature=fields.get("Signature", ""),
        ))

    def send(self, text, content_type="text/html; charset=utf-8"):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


SERVERS = {kind: entity(kind) for kind in KEYS}
ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
