"""A certificate authority for localhost with good and bad certificates, made by openssl. Never trusted outside."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import NotStarted, binary

KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
DAY = ("20200101000000Z", "20200102000000Z")


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files, all readable by anyone: they guard nothing."""

    ca: Path
    certificate: Path
    key: Path
    expired: Path  # same key
    other_name: Path  # valid, same key, for elsewhere.test only


def make(directory: Path) -> Certificates:
    """Valid for localhost and 127.0.0.1."""
    directory.mkdir(parents=True, exist_ok=True)
    made = Certificates(*(directory / name for name in ("ca.pem", "server.pem", "key.pem", "expired.pem", "other.pem")))
    ca_key = directory / "ca-key.pem"
    openssl(directory, f"req -x509 {KEY} -days 30 -subj /CN=triaged-tests"
            " -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca-key.pem -out ca.pem")  # fmt: skip
    openssl(directory, f"req {KEY} -subj /CN=localhost -keyout key.pem -out request.pem")
    (directory / "ca.cnf").write_text(CA)
    (directory / "index").write_text("")
    sign(directory, made.certificate, "localhost", "-days", "30")
    sign(directory, made.expired, "localhost", "-startdate", DAY[0], "-enddate", DAY[1])
    sign(directory, made.other_name, "elsewhere", "-days", "30")
    for path in (made.key, ca_key, *directory.glob("*.pem")):
        path.chmod(0o644)
    return made


def sign(directory: Path, target: Path, names: str, *when: str) -> None:
    openssl(directory, f"ca -batch -notext -config ca.cnf -extensions {names} -in request.pem -out {target}", *when)


def openssl(directory: Path, words: str, *more: str) -> None:
    program = binary("openssl", "apt-get install openssl")
    done = subprocess.run([program, *words.split(), *more], cwd=directory, check=False, capture_output=True, text=True)
    if done.returncode:
        raise NotStarted(f"openssl {words}: {done.stderr}")


CA = """
[ca]
default_ca = tests
[tests]
database = index
new_certs_dir = .
certificate = ca.pem
private_key = ca-key.pem
default_md = sha256
policy = any
unique_subject = no
rand_serial = yes
[any]
commonName = supplied
[localhost]
subjectAltName = DNS:localhost, IP:127.0.0.1
authorityKeyIdentifier = keyid
[elsewhere]
subjectAltName = DNS:elsewhere.test
authorityKeyIdentifier = keyid
"""
