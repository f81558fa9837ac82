"""The pins: the keys that a bundle carries and that everything else is measured against."""

from __future__ import annotations

import json
from dataclasses import dataclass

from wallflower.errors import Fault
from wallflower.wire.sizes import VERIFY_KEY


@dataclass(frozen=True, slots=True)
class Pins:
    """Organisation root (hash), the three record-signing keys, and the desk's name."""

    root: bytes
    organisation: bytes
    a: bytes
    b: bytes
    desk: str

    def encode(self) -> bytes:
        """The JSON of a bundle's pins file."""
        keys = {n: getattr(self, n).hex() for n in ("root", "organisation", "a", "b")}
        return json.dumps({**keys, "desk": self.desk}, indent=1).encode() + b"\n"


def parse_pins(data: bytes) -> Pins:
    """Read a pins file, or raise a Fault that says which file to look at."""
    try:
        fields = json.loads(data)
        keys = [bytes.fromhex(fields[n]) for n in ("root", "organisation", "a", "b")]
        desk = fields["desk"]
    except (ValueError, KeyError, TypeError, RecursionError):
        keys, desk = [], ""
    if [len(k) for k in keys] != [VERIFY_KEY] * 4 or not isinstance(desk, str):
        raise Fault("The pins file is damaged", "Copy pins.json again from the organisation.")
    return Pins(keys[0], keys[1], keys[2], keys[3], desk)
