"""Tokens, their sets, and stamps by hand. Spec: token.md, stamp.md."""

from __future__ import annotations

from collections.abc import Iterator

from .cases import Case, Fields, Refusal, put
from .crypto import derive, mac16, sha256
from .keys import SECRETS, drawn
from .records import HASHES

WEEK = 125
ENTRIES = 2048


def token(secret: str, week: int, index: int) -> bytes:
    """token 1.1, 1.2."""
    key = derive(derive(SECRETS[secret], b"conversation", 16), b"token", 32)
    return mac16(key, week.to_bytes(2) + bytes([index]))


def entry(salt: bytes, value: bytes) -> bytes:
    """token 2.2."""
    return sha256(b"wallflower/1 token\0" + salt + value)[:16]


def padding() -> Iterator[bytes]:
    """What a desk draws at random, fixed (README.md)."""
    return (drawn(f"padding {n}", 16) for n in range(ENTRIES))


def make_set(i: Fields) -> bytes:
    """token 2.1-2.3."""
    salt = bytes.fromhex(i["salt"])
    entries = {entry(salt, bytes.fromhex(one)) for one in i["tokens"]}
    for random in padding():
        if len(entries) < ENTRIES:
            entries.add(random)
    return b"\1\0" + i["week"].to_bytes(2) + salt + b"".join(sorted(entries))


def read_set(i: Fields, data: bytes) -> Fields:
    entries = [data[20 + 16 * n : 36 + 16 * n] for n in range(ENTRIES)]
    if len(data) != 20 + 16 * ENTRIES or entries != sorted(set(entries)) or data[:2] != b"\1\0":
        raise ValueError
    salt = data[4:20]
    asked = [bytes.fromhex(one) for one in (*i["tokens"], *i["others"])]
    return {
        "week": int.from_bytes(data[2:4]), "salt": salt.hex(),
        "holds": [entry(salt, one) in entries for one in asked],
    }  # fmt: skip


def good() -> list[Case]:
    return [*_tokens(), *_sets()]


def _tokens() -> list[Case]:
    asked = [("writer", WEEK, 0), ("writer", WEEK, 7), ("writer", WEEK + 1, 0), ("other", WEEK, 0),
             ("writer", 0, 0), ("writer", 2047, 7)]  # fmt: skip
    cases = []
    for secret, week, index in asked:
        i: Fields = {"what": "token", "secret": secret, "week": week, "index": index}
        made = token(secret, week, index)
        cases.append(
            Case(f"{secret}-week-{week}-index-{index}", i, lambda made=made: made,  # type: ignore[misc]
                 lambda data: {"token": data.hex()}, {"token": made.hex()})
        )  # fmt: skip
    return cases


def _sets() -> list[Case]:
    def one(name: str, secrets: list[str]) -> Case:
        i: Fields = {
            "what": "set", "week": WEEK, "salt": drawn(f"salt of {name}", 16).hex(),
            "tokens": [token(s, WEEK, n).hex() for s in secrets for n in range(8)],
            "others": [token("writer", WEEK + 1, 0).hex(), token("other", WEEK, 0).hex()],
        }  # fmt: skip
        wanted = {"week": WEEK, "salt": i["salt"],
                  "holds": [True] * len(i["tokens"]) + [False, "other" in secrets]}  # fmt: skip
        return Case(name, i, lambda: make_set(i), lambda data: read_set(i, data), wanted)

    return [one("set-of-nobody", []), one("set-of-one", ["writer"])]


def refused(good_set: bytes) -> list[Refusal]:
    swapped = good_set[:20] + good_set[36:52] + good_set[20:36] + good_set[52:]
    doubled = good_set[:36] + good_set[20:36] + good_set[52:]
    faults = [
        ("one-byte-short", "token 4.1", good_set[:-1]),
        ("empty", "token 4.1", b""),
        ("version-is-2", "token 4.2", put(good_set, 0, b"\2")),
        ("reserved-byte-is-set", "token 4.2", put(good_set, 1, b"\1")),
        ("entries-are-not-sorted", "token 4.3", swapped),
        ("an-entry-stands-twice", "token 4.3", doubled),
    ]
    return [
        Refusal(name, {}, lambda d=d: d, rule=rule, stage="parse-set")  # type: ignore[misc]
        for name, rule, d in faults
    ]


def bound(record: str, letter: bytes) -> bytes:
    """stamp 1.1."""
    return sha256(b"wallflower/1 stamp\0" + HASHES[record] + sha256(letter))


def stamp_class(record: str, letter: bytes, stamp: bytes) -> int:
    """stamp 1.4."""
    bits = f"{int.from_bytes(sha256(bound(record, letter) + stamp)):0256b}"
    zeros = len(bits) - len(bits.lstrip("0"))
    return sum(zeros >= least for least in (6, 8))


def stamp(record: str, letter: bytes, start: bytes) -> tuple[int, bytes]:
    """stamp 1.2-1.4: (class, stamp)."""
    base = bound(record, letter)
    best = min((start + n.to_bytes(4) for n in range(1024)), key=lambda one: sha256(base + one))
    return stamp_class(record, letter, best), best


def stamps(letters: dict[str, str]) -> list[Case]:
    """`letters`: name -> hex of sealed letters, each made once and then kept."""

    def made(name: str, start: bytes) -> Case:
        letter = bytes.fromhex(letters["filler-for-the-small-record"])
        i: Fields = {"what": "make", "record": "small", "letter": letter.hex(),
                     "start": start.hex()}  # fmt: skip
        number, best = stamp("small", letter, start)
        wanted = {"class": number, "stamp": best.hex()}
        return Case(name, i, lambda: best, lambda data: wanted if data == best else {}, wanted)

    def said(name: str, number: int, number_said: int) -> Case:
        """A stamp of exactly class `number`, said to be of another."""
        letter = bytes.fromhex(letters["filler-for-the-small-record"])
        tries = (drawn(f"stamp {n}", 8) for n in range(1 << 20))
        value = next(v for v in tries if stamp_class("small", letter, v) == number)
        i: Fields = {"what": "check", "record": "small", "letter": letter.hex(),
                     "stamp": value.hex(), "said": number_said}  # fmt: skip
        return Case(name, i, wanted={"class": number_said if number_said <= number else 0})

    return [
        made("start-0", bytes(4)), made("another-start", drawn("start", 4)),
        *(said(f"class-{n}-said-{m}", n, m) for n in range(3) for m in range(3)),
    ]  # fmt: skip
