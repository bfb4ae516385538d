"""Keys and certificates for tests: committed, never used anywhere else, made by openssl where they are missing."""

import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "keys"

RSA = ["-algorithm", "RSA", "-pkeyopt"]
EC = ["-algorithm", "EC", "-pkeyopt"]

# Name → how the key is made, and for how many days its certificate lasts from 2026-01-01.
KEYS = {
    "idp": [*RSA, "rsa_keygen_bits:2048"],
    "idp-ec": [*EC, "ec_paramgen_curve:P-256"],
    "other-idp": [*RSA, "rsa_keygen_bits:2048"],
    "spare-1": [*EC, "ec_paramgen_curve:P-256"],
    "spare-2": [*EC, "ec_paramgen_curve:P-256"],
    "sp": [*RSA, "rsa_keygen_bits:2048"],
    "sp-other": [*RSA, "rsa_keygen_bits:2048"],
    "mallory": [*RSA, "rsa_keygen_bits:2048"],
    "authority": [*RSA, "rsa_keygen_bits:2048"],
    "weak-1024": [*RSA, "rsa_keygen_bits:1024"],
    "exponent-3": [*RSA, "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3"],
    "exponent-large": [*RSA, "rsa_keygen_bits:2048", "-pkeyopt", f"rsa_keygen_pubexp:{2**80 + 13}"],
}


def path(name):
    return FOLDER / name


def make_missing():
    """Makes what is not there. A key that is made anew changes every fixture that it signs."""
    FOLDER.mkdir(exist_ok=True)
    for name, how in KEYS.items():
        if not path(f"{name}.key.pem").exists():
            openssl("genpkey", *how, "-out", f"{name}.key.pem")
        certify(name)
    if not path("dsa.key.pem").exists():
        openssl("genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:2048", "-out", "dsa.parameters.pem")
        openssl("genpkey", "-paramfile", "dsa.parameters.pem", "-out", "dsa.key.pem")
        path("dsa.parameters.pem").unlink()
    certify("dsa")
    huge()
    issued_by_authority()
    expired()


def certify(name):
    if not path(f"{name}.cert.pem").exists():
        self_signed(name, f"{name}.cert.pem", "3650")


def self_signed(key, to, days):
    openssl("req", "-new", "-x509", "-key", f"{key}.key.pem", "-subj", f"/CN={key}.test", "-days", days, "-out", to)


def huge():
    """Only the certificate of a key of 16,384 bits is kept: the key itself signs nothing."""
    if not path("huge-16384.cert.pem").exists():
        openssl("genpkey", *RSA, "rsa_keygen_bits:16384", "-out", "huge-16384.key.pem")
        certify("huge-16384")
        path("huge-16384.key.pem").unlink()


def issued_by_authority():
    """A key that an authority vouches for, which is trusted itself by nobody."""
    if path("issued.cert.pem").exists():
        return
    openssl("genpkey", *RSA, "rsa_keygen_bits:2048", "-out", "issued.key.pem")
    openssl("req", "-new", "-key", "issued.key.pem", "-subj", "/CN=issued.test", "-out", "issued.csr.pem")
    openssl("x509", "-req", "-in", "issued.csr.pem", "-CA", "authority.cert.pem", "-CAkey", "authority.key.pem",
            "-set_serial", "7", "-days", "3650", "-out", "issued.cert.pem")
    path("issued.csr.pem").unlink()


def expired():
    """The identity provider's own key in a certificate that ended long ago."""
    if path("idp-expired.cert.pem").exists():
        return
    openssl("req", "-new", "-key", "idp.key.pem", "-subj", "/CN=expired.test", "-out", "expired.csr.pem")
    (FOLDER / "index.txt").write_text("")
    (FOLDER / "ca.cnf").write_text(
        "[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\nrand_serial=yes\nnew_certs_dir=.\npolicy=p\ndefault_md=sha256\n"
        "[p]\ncommonName=supplied\n"
    )
    openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-selfsign", "-keyfile", "idp.key.pem", "-in", "expired.csr.pem",
            "-startdate", "20150101000000Z", "-enddate", "20160101000000Z", "-out", "idp-expired.cert.pem")
    for left in [*FOLDER.glob("index.txt*"), path("ca.cnf"), path("expired.csr.pem"), *FOLDER.glob("[0-9A-F]*.pem")]:
        left.unlink(missing_ok=True)


def certificate(name):
    """The base64 of a certificate, in one line."""
    lines = path(f"{name}.cert.pem").read_text().splitlines()
    return "".join(lines[lines.index("-----BEGIN CERTIFICATE-----") + 1:lines.index("-----END CERTIFICATE-----")])


def modulus(name):
    """The modulus of an RSA key, as a number."""
    text = openssl("rsa", "-in", f"{name}.key.pem", "-noout", "-modulus").decode()
    return int(text.strip().split("=")[1], 16)


def openssl(*arguments, octets=b""):
    ran = subprocess.run(["openssl", *arguments], cwd=FOLDER, input=octets, capture_output=True)
    if ran.returncode:
        raise SystemExit(f"openssl {' '.join(arguments)}: {ran.stderr.decode()}")
    return ran.stdout
