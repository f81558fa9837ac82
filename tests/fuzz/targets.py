"""One target a parser: any bytes are a value or `Refused`, and a value is made of those very bytes.

A target raises when that is broken, and gives whether the bytes were taken otherwise. It knows
nothing of the fuzzer: `fuzz.py` drives it with atheris, `test_corpus.py` with the inputs that were
kept. A structure of one size gets the bytes as they are and once more cut or filled to that size,
since a fuzzer that has to guess a length spends its night on that.

What only opens under a key is sealed here first, so that what lies behind the seal is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from vectors.in_python import HERE, key, link_of, load, record_of

from wallflower.board.compose import parse_desk_keys
from wallflower.board.release import parse_batch
from wallflower.crypto import aead, sign
from wallflower.desk.header import parse_header
from wallflower.errors import Fault, Refused
from wallflower.host.pull import (
    encode_entries,
    make_question,
    parse_entries,
    parse_question,
    parse_share_question,
)
from wallflower.trust.pins import parse_pins
from wallflower.trust.record import EpochRecord
from wallflower.wire import (
    cell,
    cells,
    census,
    chain,
    drop,
    hello,
    hum,
    letter,
    offer,
    parcel,
    receipt,
    record,
    reply,
    segment,
    token,
    withdrawal,
    words,
)
from wallflower.wire.sizes import (
    B_RECORD,
    CELL,
    HEAD,
    KEM_PUBLIC,
    LETTER_PLAIN,
    PARCEL,
    POSITIONS,
    RECEIPT,
    REPLY_PLAIN,
    REPLY_SALT,
    REPLY_SLOT,
    TOKEN_SET,
)

Target = Callable[[bytes], bool]
_E, _SALT = bytes(32), bytes(REPLY_SALT)
_TODAY = record_of("today")
# A batch of one slot and one receipt a period keeps the inputs small.
_SMALL = replace(_TODAY, parameters=replace(_TODAY.parameters, replies=1, receipts=1))
_TRUSTED = EpochRecord(_SMALL, _SMALL.hash(), b"")
_KEPT = link_of({"week": 100, "e": "00" * 32, "x": "00" * 32})
_OFFER_SEED = key("signers", "a")


def _same(one: object, other: object) -> None:
    if one != other:
        raise AssertionError("what was read is not what was there")


def _cell(data: bytes) -> None:
    _same(cell.parse_cell(data).encode(), data)


def _b_record(data: bytes) -> None:
    found = hello.parse_b_record(data)
    # Report, language, stamp class and stamp are not looked at yet (hello 2.4).
    _same(found.encode()[4:20] + bytes([found.kind]), data[4:20] + data[:1])


def _gathering(data: bytes) -> None:
    """Any cells: their ids are there, and only the first of a counter counts (hum 2.1)."""
    gathering = hum.Gathering()
    for at in range(0, len(data), 40):
        found = cell.parse_cell(data[at : at + 40].ljust(CELL, b"\0"))
        _same(len(cells.read_name(found.raw)[2]), 16)
        gathering.add(found)
    if gathering.complete():
        _same({c % POSITIONS for c in gathering.cells}, {0, 1, 2, 3})


def _listed(told: tuple[dict[int, cells.Cells], int]) -> object:
    found, refused = told
    return {n: (c.counters, list(c.names), list(c.starts)) for n, c in found.items()}, refused


def _cells(data: bytes) -> None:
    """Any heads of cells: told at once or one by one, the same comes of it."""
    many = [data[at : at + 24].ljust(CELL, b"\0") for at in range(0, len(data), 24)]
    page = b"".join(many)
    starts = range(0, len(page), CELL)
    at_once, one_by_one = cells.by_record(page, 0, CELL), cells._one_by_one(page, starts)
    _same(_listed(at_once), _listed(one_by_one))


def _parcel(data: bytes) -> None:
    _same(parcel.parse_parcel(data).encode(), data)


def _letter(data: bytes) -> None:
    week = int.from_bytes(data[86:88])
    found = letter.parse_letter(data, week)
    _same(found.encode() if found else letter.FILLER, data)


def _record(data: bytes) -> None:
    found = record.parse_record(data)
    _same(found.body.encode() + b"".join(found.signatures), data)


def _body(data: bytes) -> None:
    _same(record.parse_body(data).encode(), data)


def _offer(data: bytes, *, with_drop: bool) -> None:
    signed = data + sign.sign(_OFFER_SEED, "offer", data)
    found = offer.verify_offer(signed, key("verify", "a"), with_drop=with_drop)
    _same(found.encode(), data)


def _withdrawal(data: bytes) -> None:
    signed = data + sign.sign(_OFFER_SEED, "withdraw", data)
    _same(withdrawal.verify_withdrawal(signed, key("verify", "a")).encode(), data)


def _drop(data: bytes) -> None:
    found = drop.parse_drop(data)
    _same(found.header.encode(), found.head)
    _same(found.signed + found.signature, data)
    _same(len(found.slots), found.header.slots)


def _reply(data: bytes) -> None:
    """The bytes behind the seal of a slot."""
    tag = reply.reply_tag(_E, 0)
    sealed = aead.seal(reply._key(_E, 0, _SALT), 0, tag, data)
    part = reply.open_part(_E, 1, 0, tag + _SALT + sealed)
    _same(reply.seal_part(_E, 0, _SALT, part.part, part.of, part.text), tag + _SALT + sealed)


def _joined(data: bytes) -> None:
    """Parts in any order, of any numbers: index, part, of, and a byte of text each."""
    rows = [data[at : at + 4] for at in range(0, len(data) - 3, 4)]
    parts = [reply.Part(1, i % 64, part, of, bytes([text])) for i, part, of, text in rows]
    for run in reply.whole_runs(parts):
        _same(0 <= reply.joined(run).index < 64, True)


def _receipts(data: bytes) -> None:
    _same(b"".join(receipt.parse_receipts(data)), data)


def _segment(data: bytes) -> None:
    found = segment.parse_segment(data)
    inside = found.header.encode() + b"".join(found.replies) + b"".join(found.receipts)
    _same(inside + found.signature, data)


def _head(data: bytes) -> None:
    found = segment.parse_head(data)
    _same(found.signed + found.signature, data)


def _token_set(data: bytes) -> None:
    found = token.parse_set(data)
    inside = b"".join(sorted(found.entries))
    _same(bytes([1, 0]) + found.week.to_bytes(2) + found.salt + inside, data)


def _census(data: bytes) -> None:
    found = census.parse_census(data)
    _same(found.signed, found.census.encode())
    _same(found.signed + found.signature, data)


def _chain(data: bytes) -> None:
    week, rest = int.from_bytes(data[:2]), data[2:66].ljust(64, b"\0")
    judged = chain.judge(_KEPT, chain.Link(week, rest[:32], rest[32:]))
    # Zeros are nobody's pre-image: only the very same link continues it.
    same = week == _KEPT.week and not any(rest)
    _same(judged is chain.Continuity.CONFIRMED, same)


def _words(data: bytes) -> None:
    # A terminal hands in bytes that are no text as lone surrogates.
    typed = data.decode("utf-8", "surrogateescape")
    secret = words.from_person(typed)
    _same(words.from_person(words.to_digits(secret)), secret)
    _same(words.from_person(" ".join(words.to_words(secret, "en"))), secret)


def _entries(data: bytes) -> None:
    _same(encode_entries(parse_entries(data)), data)


def _question(data: bytes) -> None:
    after, most = parse_question(data)
    _same((after.to_bytes(8), most), (data[:8], min(int.from_bytes(data[8:]), 8192)))


def _share_question(data: bytes) -> None:
    after, most, share = parse_share_question(data)
    _same(parse_share_question(make_question(after, most, share)), (after, most, share))


def _batch(data: bytes) -> None:
    found = parse_batch(data, _TRUSTED)
    inside = b"".join(found.replies) + b"".join(found.receipts)
    _same(found.day.to_bytes(4) + inside, data)


def _desk_keys(data: bytes) -> None:
    rows = (
        k.day.to_bytes(4) + k.drop.raw + k.week.to_bytes(2) + k.desk.raw
        for k in parse_desk_keys(data)
    )
    _same(b"".join(rows), data)


def _pins(data: bytes) -> None:
    found = parse_pins(data)
    _same(parse_pins(found.encode()), found)


def _header(data: bytes) -> None:
    found = parse_header(data)
    _same(parse_header(found.encode()), found)


def target(read: Callable[[bytes], object], pages: set[str], size: int = 0) -> Target:
    """Read the bytes, and again at their one size if there is one; a refusal names a known page."""

    def one(data: bytes) -> bool:
        taken = False
        for shape in {data, data[:size].ljust(size, b"\0")} if size else {data}:
            try:
                read(shape)
                taken = True
            except Refused as refused:
                _same(refused.rule.split()[0] in pages, True)
            except Fault:
                _same(pages, set())
        return taken

    return one


_BATCH = 4 + 6 * (REPLY_SLOT + RECEIPT)
TARGETS: dict[str, Target] = {
    "cell": target(_cell, {"cell"}, CELL),
    "b-record": target(_b_record, {"hello"}, B_RECORD),
    "hum": target(_gathering, {"cell"}),
    "cells": target(_cells, {"cell"}),
    "parcel": target(_parcel, {"parcel"}, PARCEL),
    "letter": target(_letter, {"letter"}, LETTER_PLAIN),
    "record": target(_record, {"record"}),
    "body": target(_body, {"record"}),
    "offer": target(partial(_offer, with_drop=False), {"record"}, 2 + KEM_PUBLIC),
    "offer-of-b": target(partial(_offer, with_drop=True), {"record"}, 2 + KEM_PUBLIC + 32),
    "withdrawal": target(_withdrawal, {"record"}, 4),
    "drop": target(_drop, {"drop"}),
    "reply": target(_reply, {"reply"}, REPLY_PLAIN),
    "joined": target(_joined, {"reply"}),
    "receipt": target(_receipts, {"receipt"}),
    "segment": target(_segment, {"segment", "receipt"}),
    "head": target(_head, {"segment"}, HEAD),
    "census": target(_census, {"census"}),
    "chain": target(_chain, {"chain"}),
    "token": target(_token_set, {"token"}, TOKEN_SET),
    "words": target(_words, {"words"}),
    "entries": target(_entries, {"pull"}),
    "question": target(_question, {"pull"}, 12),
    "share-question": target(_share_question, {"pull"}, 14),
    "batch": target(_batch, {"board"}, _BATCH),
    "desk-keys": target(_desk_keys, {"board"}),
    "pins": target(_pins, set()),
    "header": target(_header, set()),
}


def _of_vectors(name: str) -> Iterator[bytes]:
    """The bytes of every vector of a structure, the refused ones too."""
    for vector in load(f"{name}/hand.json")["vectors"]:
        yield bytes.fromhex(vector.get("bytes", ""))
    for file in sorted((HERE / name / "refused").glob("*.json")):
        yield bytes.fromhex(load(str(file.relative_to(HERE))).get("bytes", ""))


def _seeds_of_letters() -> Iterator[bytes]:
    for vector in load("letter/hand.json")["vectors"]:
        yield bytes.fromhex(vector["fields"]["plain"])


def _seeds_of_words() -> Iterator[bytes]:
    files = [load(str(f.relative_to(HERE))) for f in (HERE / "words" / "refused").glob("*.json")]
    for vector in [*load("words/hand.json")["vectors"], *files]:
        inputs, fields = vector["inputs"], vector.get("fields", {})
        yield str(inputs["typed"] if "typed" in inputs else fields["typed"]).encode("utf-8")


def _seeds_of_keys() -> Iterator[bytes]:
    public = key("publics", "desk")
    yield (20778).to_bytes(4) + public + (150).to_bytes(2) + public


def _plain_seeds() -> dict[str, list[bytes]]:
    """Seeds of what has no vector: made by hand from the spec."""
    public = key("publics", "hop_a")
    entries = b"".join(n.to_bytes(8) + b"\0\1" + (3).to_bytes(4) + b"abc" for n in (1, 2, 9))
    hashes = ", ".join(f'"{n}": "{"ab" * 32}"' for n in ("root", "organisation", "a", "b"))
    header = (
        '{"version": 1, "fresh": true, "memory_kib": 64, "passes": 1, "lanes": 1, '
        f'"salt": "{"00" * 16}", "wrapped": "{"00" * 60}"}}'
    )
    day = census.Census(4, 20778, (census.Row(0, 1, 40), census.Row(2, 0, 25)))
    return {
        "census": [census.make_census(day, _OFFER_SEED)],
        "b-record": [bytes([kind, 0, 0, 0]) + bytes(range(16)) + bytes(16) for kind in range(3)],
        "hum": [b"".join(bytes([1, n, 0, 1]) + bytes(36) for n in range(12))],
        "cells": [b"".join(bytes([1, n, 0, 1]) + bytes(20) for n in range(12))],
        "withdrawal": [b"\0\1\0\4", b"\0\0\0\4", b"\0\2\0\1"],
        "offer": [b"\0\1" + public],
        "offer-of-b": [b"\0\1" + public + bytes(32)],
        "reply": [b"\0\5\1\1hello", b"\0\0\1\1", b"\2\xcc\2\3" + b"x" * 716],
        "joined": [bytes([0, 1, 2, 65, 1, 2, 2, 66]), bytes([5, 1, 1, 200])],
        "chain": [(100).to_bytes(2) + bytes(64), (101).to_bytes(2) + bytes(64), b"\x08\0"],
        "entries": [entries, b""],
        "question": [bytes(8) + (1024).to_bytes(4), b"\xff" * 12],
        "share-question": [bytes(8) + (1024).to_bytes(4) + b"\1\2"],
        "batch": [(20778).to_bytes(4)],
        "pins": [f'{{{hashes}, "desk": "Office"}}'.encode()],
        "header": [header.encode()],
    }


def seeds(name: str) -> list[bytes]:
    """What a target begins with: the vectors, or a few inputs by hand where there are none."""
    made = {"letter": _seeds_of_letters, "words": _seeds_of_words, "desk-keys": _seeds_of_keys}
    if name in made:
        return list(made[name]())
    if name == "body":
        return [data[:-192] for data in _of_vectors("record")]
    if name == "head":
        return [data for data in _of_vectors("segment") if len(data) == HEAD]
    plain = _plain_seeds()
    return plain[name] if name in plain else list(_of_vectors(name))
