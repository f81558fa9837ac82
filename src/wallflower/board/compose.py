"""How the organisation's signer composes the next epoch record. Spec: record.md 5. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from wallflower.crypto import hpke
from wallflower.errors import Refused
from wallflower.trust.record import ancestors_after
from wallflower.wire.offer import Offer
from wallflower.wire.reading import Reader
from wallflower.wire.record import DeskEntry, Parameters, RecordBody, Way
from wallflower.wire.sizes import DAY_S, KEM_PUBLIC, week_of_day


@dataclass(frozen=True, slots=True)
class DeskKeys:
    """The desk's public keys for one day, as the desk handed them in."""

    day: int
    drop: hpke.PublicKey
    week: int
    desk: hpke.PublicKey


@dataclass(frozen=True, slots=True)
class Fixed:
    """What every record of this organisation shares until somebody changes it."""

    root: bytes
    desk_name: str
    board_verify: bytes
    parameters: Parameters
    ways: tuple[Way, ...]


def parse_desk_keys(data: bytes) -> list[DeskKeys]:
    """Read the desk's key list (day ‖ drop key ‖ week ‖ desk key)*, or Refused (board 1)."""
    reader = Reader(data, "board 1")
    size = 4 + KEM_PUBLIC + 2 + KEM_PUBLIC
    if not data or len(data) % size:
        raise Refused("board 1", "The desk's key list has the wrong length")
    return [_desk_keys(reader) for _ in range(len(data) // size)]


def _desk_keys(reader: Reader) -> DeskKeys:
    try:
        keys = DeskKeys(
            reader.number(4), hpke.PublicKey.from_bytes(reader.take(KEM_PUBLIC)),
            reader.number(2), hpke.PublicKey.from_bytes(reader.take(KEM_PUBLIC)),
        )  # fmt: skip
    except ValueError:
        raise Refused("board 1", "The desk's key list holds something that is no key") from None
    if keys.week != week_of_day(keys.day):
        raise Refused("board 1", "The desk's key list names a wrong week")
    return keys


def compose(
    before: RecordBody | None, day: int, a: Offer, b: Offer, desk: DeskKeys, fixed: Fixed
) -> RecordBody:
    """The draft of the record that both offers are for, with the desk's keys (record 5).

    `before` is the draft with the highest number, be it withdrawn: whoever signed it has to find
    it among the ancestors.
    """
    return RecordBody(
        number=a.number,
        day=day, not_before=day * DAY_S, root=fixed.root,
        ancestors=ancestors_after(before, a.number),
        hop_a=a.hop, hop_b=b.hop, drop_key=desk.drop, drop_verify=b.drop_verify,
        board_verify=fixed.board_verify, parameters=fixed.parameters,
        desks=(DeskEntry(fixed.desk_name, week_of_day(day), desk.desk),), ways=fixed.ways,
    )  # fmt: skip
