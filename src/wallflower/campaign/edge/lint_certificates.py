"""What the mirrors' certificates say about each other, out of PEM files in `certificates/`.

Certificates are public (RFC 9162): whoever searches the logs for what two of them have in common
finds the second mirror by the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wallflower.campaign.addresses import host_of
from wallflower.campaign.authoring import Authored
from wallflower.errors import Fault

FOLDER: Final = "certificates"
_MOST = 65_536  # bytes of one file; a chain of four has 8,000
_OWN: Final = "Give each mirror a certificate of its own, with a key of its own, on another day."


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the first certificate of a file says: the server's own, before its issuers'."""

    file: str
    names: frozenset[str]
    key: bytes
    issued: tuple[str, str]
    said: tuple[str, ...]


def read_certificates(authored: Authored) -> list[Certificate]:
    """The certificates that lie in the campaign's folder, by the names of their files, or a Fault
    that names the file that is none."""
    paths = sorted((authored.folder / FOLDER).glob("*.pem"))
    return [_read(path) for path in paths if path.is_file()]


def linked(authored: Authored, read: Sequence[Certificate]) -> Iterator[tuple[str, str]]:
    """What in the certificates leads from one mirror to another, or to people."""
    mirrors = _hosts(authored)
    for one in read:
        if len(own := _own_of(one, mirrors)) > 1:
            yield f"{one.file} is one certificate for {' and '.join(sorted(own))}", _OWN
        if one.said:
            yield (
                f"{one.file} says who it is for: {', '.join(one.said)}",
                "Take a certificate that says nothing but the mirror's name.",
            )
    for one, other in combinations(read, 2):
        if one.key == other.key:
            yield f"{one.file} and {other.file} are for one key", _OWN
        elif one.issued == other.issued:
            yield f"{one.file} and {other.file} come from one issuer on one day", _OWN


def not_judged(authored: Authored, read: Sequence[Certificate]) -> Iterator[str]:
    """Mirrors whose certificate nobody put here."""
    mirrors = _hosts(authored)
    known = {host for one in read for host in _own_of(one, mirrors)}
    for host in sorted(mirrors - known):
        if not host.endswith(".onion"):
            yield f"the certificate of {host}: put it into {FOLDER}/ as PEM, and lint again"


def _hosts(authored: Authored) -> set[str]:
    return {host_of(address) for address in authored.mirrors}


def _own_of(one: Certificate, mirrors: set[str]) -> set[str]:
    """The mirrors that a certificate is for; a `*` stands for the first label (RFC 9525, 6.3)."""
    return {host for host in mirrors if {host, f"*.{host.partition('.')[2]}"} & one.names}


def _read(path: Path) -> Certificate:
    with path.open("rb") as file:
        data = file.read(_MOST)
    try:
        found = x509.load_pem_x509_certificates(data)[0]
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        key = found.public_key()
        others = [a for a in found.subject if a.oid != x509.NameOID.COMMON_NAME]
    except x509.ExtensionNotFound:
        raise Fault(f"{path.name} names no host", "Take the certificate of a mirror.") from None
    except (UnsupportedAlgorithm, x509.UnsupportedGeneralNameType) as error:
        raise Fault(
            f"{path.name} has a key or a name of a kind that is not known here",
            "Compare it with the others yourself, and take it out of the folder.",
        ) from error
    except (ValueError, x509.DuplicateExtension) as error:
        raise Fault(f"{path.name} is no certificate", "Copy it again, as PEM.") from error
    return Certificate(
        path.name,
        frozenset(
            str(name).lower()
            for kind in (x509.DNSName, x509.IPAddress)
            for name in names.get_values_for_type(kind)
        ),
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (found.issuer.rfc4514_string(), f"{found.not_valid_before_utc:%F}"),
        tuple(str(attribute.value) for attribute in others),
    )
