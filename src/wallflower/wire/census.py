"""The census: what one hum in eight reports, and the day's file of it. Spec: census.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.wire.hello import SILENT, Kind, Report
from wallflower.wire.letter import Language
from wallflower.wire.reading import Reader
from wallflower.wire.sizes import SIGNATURE, VERSION

ONE_IN: Final = 8
CHANNELS: Final = 255
LANGUAGES: Final = max(Language) + 1
EPSILON: Final = 1.0  # of one hum that reports; the noise has scale 1 / EPSILON
THRESHOLD: Final = 20  # a noisy count below it is not published
_ROW: Final = 6
_HEADER: Final = 14
CENSUS_MAX: Final = _HEADER + CHANNELS * LANGUAGES * _ROW + SIGNATURE
_PARTS: Final = 1000  # epsilon is written in thousandths


def report_of(kind: Kind, channel: int, language: int, draw: Callable[[int], bytes]) -> Report:
    """What this page load's hum reports (census 1). The coin is thrown whatever the hum holds."""
    chosen = draw(1)[0] % ONE_IN == 0
    return Report(channel + 1, language) if chosen and kind is Kind.COVER else SILENT


@dataclass(frozen=True, slots=True)
class Row:
    """The noisy count of one channel and language."""

    channel: int
    language: int
    reports: int


@dataclass(frozen=True, slots=True)
class Census:
    """One day's census, as B publishes it."""

    record: int
    day: int
    rows: tuple[Row, ...]

    def encode(self) -> bytes:
        """The bytes that are signed (census 4.1)."""
        numbers = self.record.to_bytes(2) + self.day.to_bytes(4)
        terms = round(EPSILON * _PARTS).to_bytes(2) + THRESHOLD.to_bytes(2)
        rows = b"".join(bytes([r.channel, r.language]) + r.reports.to_bytes(4) for r in self.rows)
        return bytes([VERSION, 0]) + numbers + terms + len(self.rows).to_bytes(2) + rows


@dataclass(frozen=True, slots=True)
class SignedCensus:
    """A parsed census; its signature is checked by trust."""

    census: Census
    signed: bytes
    signature: bytes


def make_census(census: Census, signing_seed: bytes) -> bytes:
    """Sign one day's census with B's drop signing key (census 4.2)."""
    body = census.encode()
    return body + sign.sign(signing_seed, "census", body)


def parse_census(data: bytes) -> SignedCensus:
    """Read a census, or Refused (census 5.1-5.3)."""
    reader = Reader(data, "census 5.1")
    if reader.number(1) != VERSION or reader.number(1):
        raise Refused("census 5.2", "A census has an unknown version")
    record, day = reader.number(2), reader.number(4)
    terms = (reader.number(2), reader.number(2))
    if terms != (round(EPSILON * _PARTS), THRESHOLD):
        raise Refused("census 5.2", "A census was made on other terms")
    rows = tuple(
        Row(reader.number(1), reader.number(1), reader.number(4)) for _ in range(reader.number(2))
    )
    signature = reader.take(SIGNATURE)
    reader.end()
    places = [(r.channel, r.language) for r in rows]
    if places != sorted(set(places)) or any(
        r.channel >= CHANNELS or r.language >= LANGUAGES or r.reports < THRESHOLD for r in rows
    ):
        raise Refused("census 5.3", "A census has a row that it may not have")
    return SignedCensus(Census(record, day, rows), data[:-SIGNATURE], signature)


def places() -> list[tuple[int, int]]:
    """Every (channel, language) that a census counts, in its order; none is left out (census 3)."""
    return [(c, n) for c in range(CHANNELS) for n in range(LANGUAGES)]


def published(noisy: list[int]) -> tuple[Row, ...]:
    """The rows that may be shown, of one noisy count for each of `places` (census 3.3)."""
    return tuple(
        Row(channel, language, count)
        for (channel, language), count in zip(places(), noisy, strict=True)
        if count >= THRESHOLD
    )
