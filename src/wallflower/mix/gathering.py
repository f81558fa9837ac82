"""A's view of the cells that came: which hums are whole, which are junk. Spec: hum.md 2."""

from __future__ import annotations

from dataclasses import dataclass, field

from wallflower.crypto import hpke
from wallflower.errors import Refused
from wallflower.wire.hum import Gathering, open_hum
from wallflower.wire.parcel import Parcel


@dataclass(slots=True)
class Outcome:
    """What became of a gathering: a parcel, junk for ever, or some copies to drop and wait on.

    `key_a` is hum key A once the hello opened: by it A knows a loop of its own (loop 2.1).
    """

    parcel: Parcel | None
    junk: bool
    broken: list[int]
    key_a: bytes | None = field(default=b"", compare=False)


def judge_gathering(gathering: Gathering, private: hpke.PrivateKey, record_hash: bytes) -> Outcome:
    """Open a complete gathering once (hum 2.2-2.4); a partial one is left alone."""
    if not gathering.complete():
        return Outcome(None, junk=False, broken=[])
    if gathering.key_a is None:
        return Outcome(None, junk=True, broken=[])
    try:
        parcel, broken = open_hum(gathering, private, record_hash)
    except Refused:
        return Outcome(None, junk=True, broken=[])
    return Outcome(parcel, junk=False, broken=broken, key_a=gathering.key_a)
