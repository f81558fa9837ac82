"""What the spec says in words and numbers and no vector holds: bounds, loops, languages.

Each row names its rule and quotes it, so neither the rule nor the code changes alone.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re

import pytest
from tests.claims.edits import ROOT
from tests.claims.rules import parts, read_pages

from wallflower.campaign import repository, verify
from wallflower.campaign.edge import verify_fetch, verify_metadata
from wallflower.crypto.derive import derive
from wallflower.host import log, pull
from wallflower.host.pull import parse_question
from wallflower.mix import decide, signing, times
from wallflower.mix.edge import first, loops, waiting
from wallflower.trust import ahead
from wallflower.wire import census, loop, segment
from wallflower.wire.letter import Language
from wallflower.wire.record import MOST_SEGMENTS
from wallflower.wire.sizes import HUM_CELLS, POSITIONS

RULES = {rule.number: rule.text for page in read_pages() for rule in parts(page)[0]}


def _of_page(file: str, name: str) -> int:
    text = (ROOT / "page" / "src" / file).read_text("utf-8")
    return int(re.findall(rf"const {name} = ([\d_]+);", text)[0].replace("_", ""))


BOUNDS = [
    ("hum 2.6", "At most 262,144 cells", waiting.MOST_WAITING, 262_144),
    ("hum 2.9", "the last six ticks", decide.FLUSH_TICKS, 6),
    ("hum 2.7", "holds 524,288 whole hums", first.MOST_HELD, 524_288),
    ("loop 2.3", "at most 4,096 of them", loops.MOST_TOLD, 4_096),
    ("loop 1.1", "steps of 60 s", loop.STEP_S, 60),
    ("loop 1.1", "`per_day` (1…360", loop.MOST_A_DAY, 360),
    ("loop 1.4", "could not begin within 600 s", loop.LATE_S, 600),
    ("loop 3", "Of the newest 96 loops", loop.WINDOW, 96),
    ("loop 3", "p = 0.02", loop.TOLERATED, 0.02),
    ("loop 3", "< 10⁻⁶", loop.FALSE_ALARM, 1e-6),
    ("census 1", "0 modulo 8", census.ONE_IN, 8),
    ("census 1", "0 modulo 8", _of_page("wire/census.ts", "ONE_IN"), 8),
    ("census 1", "(0…254)", census.CHANNELS, 255),
    ("census 1", "(0…254)", _of_page("wire/census.ts", "CHANNELS"), 255),
    ("census 3.2", "with ε = 1", census.EPSILON, 1.0),
    ("pull 2.2", "at most 8,192", parse_question(bytes(8) + b"\xff" * 4)[1], 8_192),
    ("pull 2.2", "over 20 MiB", log.READ_BYTES, 20 << 20),
    ("pull 3.1", "above 2^62", pull._LAST, 2**62),
    ("pull 3.1", "more than 2^40 above", pull._JUMP, 2**40),
    ("record 2.7", "segments 1…512", MOST_SEGMENTS, 512),
    ("record 5.4", "a seventh body of one day", signing.MOST_OF_A_DAY, 6),
    ("record 5.4", "an hour is allowed", signing.EARLY_S, 3_600),
    ("record 5.5", "signed three days ahead", ahead.AHEAD, 3),
    ("record 5.5", "within 24 hours", ahead.ALARM_S, 86_400),
    ("record 7", "more than two hours", times.JUMP_S, 7_200),
    ("record 7", "at most a day", times.MOST_HELD_S, 86_400),
    ("segment 4", "four times as many", segment.STEP, 4),
    ("store 3.1", "every 60 s", _of_page("store/keeper.ts", "EVERY_MS"), 60_000),
    ("store 1.1", "4 places", _of_page("store/image.ts", "SLOTS"), 4),
    ("store 6.2", "at most 644 signs", _of_page("store/carrying.ts", "PIECE"), 644),
    ("store 6.2", "n ≤ 99", _of_page("store/carrying.ts", "MOST_PIECES"), 99),
    ("bundle 4", "Root counts 730 days", repository.DAYS["root"], 730),
    ("bundle 4", "targets and delegated roles 365", repository.DAYS["targets"], 365),
    ("bundle 4", "snapshot 30", repository.DAYS["snapshot"], 30),
    ("bundle 4", "timestamp 14", repository.DAYS["timestamp"], 14),
    ("bundle 4", "an alarm 90, 60, 60, 7 and 4 days", [*repository.WARN.values()], [90, 60, 7, 4]),
    ("bundle 6.8", "root 64 KiB", verify_metadata.ROOT_MAX, 64 << 10),
    ("bundle 6.8", "other metadata 4 MiB", verify.METADATA_MAX, 4 << 20),
    ("bundle 6.8", "a file 1 GiB", verify.FILE_MAX, 1 << 30),
    ("bundle 6.8", "10,000 files", verify.FILES_MAX, 10_000),
    ("bundle 6.9", "no head within 60 s", verify_fetch.HEAD_S, 60),
    ("bundle 6.9", "no byte for 20 s", verify_fetch.GAP_S, 20),
    ("bundle 6.9", "after 30 s", verify_fetch.GRACE_S, 30),
    ("bundle 6.9", "1,000 bytes a second", verify_fetch.SLOWEST, 1_000),
    ("bundle 6.12", "more than 8 parts", repository.DEPTH, 8),
    ("bundle 6.12", "200 bytes", verify.NAME_MAX, 200),
]


@pytest.mark.parametrize(("rule", "words", "value", "said"), BOUNDS)
def test_a_number_that_a_rule_names_is_the_one_in_the_code(
    rule: str, words: str, value: object, said: object
) -> None:
    assert words in RULES[rule]
    assert value == said


def test_what_is_known_of_a_hum_before_its_coin_is_what_the_spec_says() -> None:
    """One hum in eight reports: ln(1 + (e - 1) / 8)."""
    before = math.log(1 + (math.exp(census.EPSILON) - 1) / census.ONE_IN)
    assert f"= {before:.2f}." in RULES["census 3.2"]


def test_languages_have_the_numbers_of_the_spec_in_both_languages_of_the_code() -> None:
    said = re.findall(r"(\d) (?:Simplified )?([a-zA-Z]+)", RULES["letter 1.4"])
    assert [(n, name.upper()) for n, name in said] == [
        (str(one.value), one.name) for one in Language
    ]
    page = (ROOT / "page" / "src" / "wire" / "letter.ts").read_text("utf-8")
    block = re.findall(r"Language[^{]*\{([^}]+)\}", page)[0]
    ours = re.findall(r"([A-Z]+)\s*[:=]\s*(\d)", block)
    assert [(n, name) for name, n in ours] == [(n, name.upper()) for n, name in said]


def test_a_loop_is_the_one_that_the_spec_derives() -> None:
    """By hand: HMAC-SHA256 of the standard library, and nothing of `loop` but its answer."""
    key, per_day, found = b"k" * 32, 96, 0
    for step in range(1440):
        at = step.to_bytes(8, "big")
        coin = int.from_bytes(hmac.digest(key, b"coin" + at, hashlib.sha256)[:8], "big")
        made = loop.loop_at(key, per_day, step)
        assert (made is not None) == (coin < 2**64 * per_day / 1440)
        if made:
            found += 1
            assert made.token == hmac.digest(key, b"token" + at, hashlib.sha256)[:16]
            assert made.key_a == derive(key, b"hop-a" + at, 32)
    assert found > 50


def test_a_loop_may_take_as_long_as_the_spec_says() -> None:
    """Loop 2.1 to 2.4, in seconds, at a mean of 6 h of A and a tick of 600 s."""
    mean, tick = 6 * 3600, 600
    to_a = 600 + 90 + 60 + 2 * tick
    assert loop.way_to_a(tick, 1).seconds == to_a
    assert loop.way_to_b(mean, tick, 1).seconds == to_a + 4 * mean + 2 * tick
    assert loop.way_to_b(mean, tick, 1).later == pytest.approx(
        (1 - tick / mean) ** (4 * mean // tick)
    )
    told = loop.way_to_organisation(mean, tick, 1).seconds
    assert told == loop.way_to_b(mean, tick, 1).seconds + 3600 + tick
    assert loop.way_to_a(tick, 5).seconds == (600 + 90) * 5 + 60 + 2 * tick


def test_three_copies_turn_a_loss_of_cells_into_a_tenth_of_the_hums() -> None:
    """Loop 3.3: of an ingress that drops 30 % of the cells."""
    position_gone = 0.3 ** (HUM_CELLS // POSITIONS)
    assert round(1 - (1 - position_gone) ** POSITIONS, 2) == 0.10
