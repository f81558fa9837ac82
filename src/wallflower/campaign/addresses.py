"""Addresses as people write them: with or without https:// in front, and sometimes wrong."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

_NONE = SplitResult("", "", "", "", "")


def parts_of(address: str) -> SplitResult:
    """The parts of an address, or of a name that stands for one; no parts where it can be neither
    (RFC 3986, 3.2.2: brackets around what is no IPv6 address; a port that is no number)."""
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        _ = parts.port
    except ValueError:
        return _NONE
    return parts


def host_of(address: str) -> str:
    """The host of an address, in small letters and in ASCII as IDNA has it, so that one host has
    one name; what is no address stands for itself."""
    name = (parts_of(address).hostname or address).lower()
    try:
        return name.encode("idna").decode("ascii").lower().rstrip(".")
    except UnicodeError:
        return name


def shown(host: str) -> str:
    """A host in its own script where it is in ASCII for IDNA's sake; else as it is."""
    try:  # not by the codec "idna", which takes fewer letters than browsers and registries do
        return ".".join(
            label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label
            for label in host.split(".")
        )
    except UnicodeError:
        return host
