"""The census: who reports, and the file of a day. Spec: census.md."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.trust.made import body as record_body
from tests.trust.made import record as made_record
from tests.wire.drawn import Draw, flip

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.lab.host import SeededEntropy
from wallflower.trust.census import verify_census
from wallflower.wire.census import (
    CENSUS_MAX,
    CHANNELS,
    LANGUAGES,
    ONE_IN,
    THRESHOLD,
    Census,
    Row,
    make_census,
    parse_census,
    places,
    published,
    report_of,
)
from wallflower.wire.hello import SILENT, BRecord, Kind, Report, parse_b_record

DAY = Census(7, 20778, (Row(0, 1, 20), Row(0, 2, 400), Row(254, 5, 21)))
SEED = b"d" * 32


def test_each_eighth_value_of_the_coin_reports() -> None:
    for value in range(256):
        report = report_of(Kind.COVER, 4, 2, lambda n, v=value: bytes([v]) * n)  # type: ignore[misc]
        assert report == (Report(5, 2) if value % ONE_IN == 0 else SILENT)


def test_about_one_cover_in_eight_reports() -> None:
    draw = SeededEntropy(b"coins").draw
    spoken = sum(report_of(Kind.COVER, 0, 1, draw) != SILENT for _ in range(8000))
    assert 1000 - 4 * 30 <= spoken <= 1000 + 4 * 30  # binomial: four standard deviations


@pytest.mark.parametrize("kind", [Kind.LETTER, Kind.LOOP])
def test_letters_and_loops_never_report_and_throw_the_same_coin(kind: Kind) -> None:
    one, other = Draw("coin"), Draw("coin")
    for _ in range(256):
        assert report_of(kind, 4, 2, one) == SILENT
        report_of(Kind.COVER, 4, 2, other)
    assert one(8) == other(8)


def test_a_report_is_read_by_b_and_moves_no_other_byte() -> None:
    silent, spoken = (
        BRecord(Kind.COVER, b"t" * 16),
        BRecord(Kind.COVER, b"t" * 16, report=Report(255, 5)),
    )
    assert parse_b_record(spoken.encode()) == spoken
    differ = [i for i in range(36) if silent.encode()[i] != spoken.encode()[i]]
    assert differ == [1, 2]


def test_a_census_is_read_back_as_it_was() -> None:
    data = make_census(DAY, SEED)
    assert parse_census(data).census == DAY
    assert data[:14] == b"\1\0\0\7" + (20778).to_bytes(4) + b"\x03\xe8\0\x14\0\3"
    everything = replace(DAY, rows=published([10**6] * len(places())))
    assert len(everything.rows) == CHANNELS * LANGUAGES
    assert len(make_census(everything, SEED)) == CENSUS_MAX


def test_a_cell_below_the_threshold_is_not_published() -> None:
    noisy = [0, THRESHOLD - 1, THRESHOLD, -5] + [0] * (len(places()) - 4)
    assert published(noisy) == (Row(*places()[2], THRESHOLD),)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda d: d[:-1], "census 5.1"), (lambda d: d + b"\0", "census 5.1"),
        (lambda d: b"\2" + d[1:], "census 5.2"), (lambda d: flip(d, 1), "census 5.2"),
        (lambda d: flip(d, 9), "census 5.2"), (lambda d: flip(d, 11), "census 5.2"),
        (lambda d: d[:14] + d[20:26] + d[14:20] + d[26:], "census 5.3"),  # not in order
        (lambda d: d[:19] + b"\x13" + d[20:], "census 5.3"),  # below the threshold
        (lambda d: d[:27] + b"\6" + d[28:], "census 5.3"),  # an unknown language, in order
        (lambda d: d[:26] + b"\xff" + d[27:], "census 5.3"),  # channel 255
        (lambda d: flip(d, 17), "census 5.4"), (lambda d: flip(d, len(d) - 1), "census 5.4"),
    ],
)  # fmt: skip
def test_a_damaged_census_is_refused_by_its_rule(change, rule: str) -> None:  # type: ignore[no-untyped-def]
    under = made_record(replace(record_body(), drop_verify=sign.verify_key(SEED)))
    good = make_census(DAY, SEED)
    assert verify_census(good, under) == DAY
    with pytest.raises(Refused) as refusal:
        verify_census(change(good), under)
    assert refusal.value.rule == rule
