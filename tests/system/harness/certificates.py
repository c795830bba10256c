# SPDX-License-Identifier: ISC
"""Certificates of a test's own, by openssl(1)."""

import pathlib
import shutil
import ssl
import subprocess

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]


def openssl(*arguments, **options):
    done = subprocess.run(["openssl", *map(str, arguments)],
                          capture_output=True, text=True, timeout=60,
                          **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Authority:
    """Signs certificates; its own is in `path`."""

    def __init__(self, home, name="authority"):
        self.home = pathlib.Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.path = self.home / f"{name}.pem"
        self.key = self.home / f"{name}.key"
        openssl("req", "-x509", *CURVE, "-nodes", "-days", 30,
                "-subj", f"/CN={name}", "-keyout", self.key,
                "-out", self.path)

    def issue(self, name, days=30, address=None):
        """A certificate and its key, as paths; those of the same name are
        written over, as a renewal does it."""
        paths = self.home / f"{name}.pem", self.home / f"{name}.key"
        request = self.home / f"{name}.csr"
        extensions = self.home / f"{name}.ext"
        openssl("req", "-new", *CURVE, "-nodes", "-subj", f"/CN={name}",
                "-keyout", paths[1], "-out", request)
        paths[1].chmod(0o600)
        extensions.write_text(f"subjectAltName=DNS:{name}" +
                              (f",IP:{address}" if address else "") + "\n")
        openssl("x509", "-req", "-in", request, "-CA", self.path,
                "-CAkey", self.key, "-CAcreateserial", "-days", days,
                "-extfile", extensions, "-out", paths[0])
        return paths

    def context(self, certificate=None, key=None):
        """For clients that trust it, and show a certificate if given."""
        context = ssl.create_default_context(cafile=self.path)
        context.check_hostname = False
        if certificate is not None:
            context.load_cert_chain(certificate, key)
        return context


class Identity:
    """The certificate and key of a sluice, and how it is told of them."""

    NAME = "registry.test"

    def __init__(self, authority, home, **settings):
        self.authority = authority
        home = pathlib.Path(home)
        home.mkdir(parents=True, exist_ok=True)
        self.certificate = home / "registry.pem"
        self.key = home / "registry.key"
        self.settings = settings
        self.renew()

    def renew(self, **options):
        """Puts a new certificate in the place of the old; its
        fingerprint."""
        certificate, key = self.authority.issue(self.NAME, **options)
        shutil.copy(key, self.key)
        shutil.copy(certificate, self.certificate)
        return fingerprint(self.certificate)

    def conf(self, listen):
        """What stands in the section registration."""
        return "\n\t".join([
            f"listen = {{ }} tls_listen = {{ {listen} }}",
            f'tls_certificate = "{self.certificate}"',
            f'tls_key = "{self.key}"',
            *(f"{key} = {value}" for key, value in self.settings.items())])

    def context(self, *shown):
        return self.authority.context(*shown)


def fingerprint(path):
    """SHA-256 of the first certificate in a file, in hex."""
    text = openssl("x509", "-in", path, "-noout", "-fingerprint", "-sha256")
    return text.strip().partition("=")[2].replace(":", "").lower()
