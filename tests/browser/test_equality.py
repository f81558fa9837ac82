"""Whatever a person does, the same requests leave the browser: to the byte, in the same slots.

The page is the shipped one; only the Worker's chance is made repeatable (shim.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path
from queue import Empty, Queue
from tempfile import mkdtemp

import pytest
from playwright.sync_api import Playwright
from tests.browser.behaviours import BEHAVIOURS, Scene, watch, write_short
from tests.browser.lanes import in_lanes
from tests.browser.shim import on_letter, rest_hash, seeded
from tests.browser.stage import Alter, Shape
from tests.browser.tabs import visit_by_protocol
from tests.browser.trace import Trace, differences, untimed
from tests.browser.visits import Lane

from wallflower.crypto.derive import sha256
from wallflower.wire.sizes import CELL, HUM_CELLS

pytestmark = [pytest.mark.browser, pytest.mark.alone]

# A visit waits more than it computes. With six at once on two cores a cell came a whole slot late.
LANES = 4
AGAIN = 4
Row = tuple[str, int, list[str]]
Altered = Mapping[str, Alter]
Job = Callable[[Lane, Trace], Row]
Batch = tuple[Shape, bool, list[Job]]  # the page's shape, and whether a cache is kept
CARRIED = ("write short", "come back and read", "forget", "change language", "print")


CONTROLS: dict[str, Altered] = {
    "one request more": on_letter(
        b"self.fetch=async(url,how)=>{if(letter&&how.body&&how.body[1]===5)"
        b"void sent('record').catch(()=>0);return sent(url,how)};"
    ),
    "one byte more": on_letter(
        b"self.fetch=(url,how)=>{if(letter&&how.body&&how.body[1]===5)"
        b"how.body=new Uint8Array([...how.body,0]);return sent(url,how)};"
    ),
    "one slot later": on_letter(
        b"self.fetch=async(url,how)=>{if(letter&&how.body&&how.body[1]===5)"
        b"await new Promise((go)=>setTimeout(go,250));return sent(url,how)};"
    ),
}


def on_typing(script: bytes) -> bytes:
    """A page that asks for something at the first key."""
    return script + (
        b";document.getElementById('letter').addEventListener('input',"
        b"()=>void fetch('record'),{once:true});"
    )


def _compared(name: str, base: Trace, visit: Callable[[], Trace]) -> Row:
    """A busy machine may be half a slot late with a cell, or open a connection for it; which cell
    that is differs from one repetition to the next, and what counts is in all of them. A difference
    in anything else counts at once, and is then told alone.
    """
    seen = visit()
    told = differences(base, seen)
    for _ in range(AGAIN):
        if not told or untimed(seen) != untimed(base):
            break
        seen = visit()
        again = set(map(_what, differences(base, seen)))
        told = [one for one in told if _what(one) in again]
    plain, plainly = untimed(base), untimed(seen)
    return name, seen.requests(), told if plainly == plain else differences(plain, plainly)


def _what(difference: str) -> str:
    """What differs, without what it became: a late cell is so by one slot or by two, and may come
    over a connection of its own."""
    return difference.partition(" became ")[0]


def _act(name: str) -> Job:
    """Something done, against watching."""

    def job(lane: Lane, base: Trace) -> Row:
        return _compared(f"{lane.shape}: {name}", base, lambda: lane.visit(BEHAVIOURS[name]))

    return job


def _letter(lane: Lane, base: Trace) -> Row:
    return _compared(
        f"{lane.shape}: a letter leaves", base, lambda: lane.visit(watch, past="letter")
    )


def _two_tabs(lane: Lane, base: Trace) -> Row:
    """Two page loads are two visits, for everyone: what counts is what is done in them."""
    del base
    watched = _in_time(lambda: lane.visit(watch, tabs=2))
    name = "two tabs, writing in one"
    return _compared(name, watched, lambda: lane.visit(write_short, tabs=2))


def _switch_tab(lane: Lane, base: Trace) -> Row:
    del base

    def visit(hide: bool) -> Trace:
        profile = Path(mkdtemp(dir=lane.folder))
        return visit_by_protocol(lane.chromium, profile, lane.stage, hide=hide)

    return _compared("switch tab", _in_time(lambda: visit(False)), lambda: visit(True))


def _planted(name: str, past: str, act: Callable[[Scene], None], altered: Altered) -> Job:
    """A planted sender against the shipped one, both with an empty cache: what is altered comes."""

    def job(lane: Lane, base: Trace) -> Row:
        visit = lambda: lane.visit(act, past=past, altered=altered)  # noqa: E731
        return _compared(f"planted: {name}", base, visit)

    return job


def _cold(lane: Lane, base: Trace) -> Row:
    """The same for the shipped sender: an empty cache alone makes no difference."""
    name = "a letter leaves, empty cache"
    return _compared(name, base, lambda: lane.visit(watch, past="letter"))


def _in_time(visit: Callable[[], Trace]) -> Trace:
    """A visit that only watches, with every cell in its slot."""
    for _ in range(1 + AGAIN):
        seen = visit()
        if all([event.slot for event in hum] == list(range(HUM_CELLS)) for hum in seen.hums):
            return seen
    raise AssertionError("This machine is too busy to keep the slots of a hum")


def _batches() -> list[Batch]:
    """The long ones first."""
    acts = {name: _act(name) for name in BEHAVIOURS}
    typing = _planted("one request when typing", "plain", write_short, {"app.js": on_typing})
    senders = [_planted(name, "letter", watch, altered) for name, altered in CONTROLS.items()]
    # Its one script is named by its policy's hash: nothing of ours stands before it, nothing is
    # planted, and its dither is chance.
    carried = [_letter, *(acts[name] for name in CARRIED)]
    alone = [_two_tabs, _switch_tab, _letter, *acts.values()]
    cold = [typing, _cold, *senders]
    return [
        ("served", False, cold), ("carried", True, carried),
        *(("served", True, [job]) for job in alone),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def rows(
    chromium: str, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[int, list[str]]]:
    """All comparisons, in a few browsers at once; each lane compares with its own watching."""
    batches: Queue[Batch] = Queue()
    for batch in _batches():
        batches.put(batch)

    def prepare(driver: Playwright, shape: Shape, cached: bool) -> tuple[Lane, Trace]:
        folder = tmp_path_factory.mktemp(f"lane-{shape}")
        lane = Lane(driver, chromium, folder, built, shape, cached).prepare()
        base = _in_time(lambda: lane.visit(watch))
        assert [len(hum) for hum in base.hums] == [HUM_CELLS]
        assert {event.length for event in base.hums[0]} == {CELL}
        return lane, base

    def work(driver: Playwright, _: int) -> list[Row]:
        lanes: dict[tuple[Shape, bool], tuple[Lane, Trace]] = {}
        found = []
        try:
            while True:
                shape, cached, jobs = batches.get_nowait()
                lane, base = lanes[shape, cached] = lanes.get((shape, cached)) or prepare(
                    driver, shape, cached
                )
                found += [job(lane, base) for job in jobs]
        except Empty:
            return found
        finally:
            for prepared in lanes.values():
                prepared[0].leave()

    found = chain(*in_lanes(work, range(LANES)))
    return {name: (requests, told) for name, requests, told in found}


def test_what_follows_the_shim_is_the_shipped_script(built: Path) -> None:
    script = (built / "hum.js").read_bytes()
    assert rest_hash(seeded(script)) == sha256(script)


def test_nothing_that_a_person_does_changes_a_request(
    rows: dict[str, tuple[int, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print("\n\n| during the visit | requests | that differ from watching |\n|---|---|---|")
        for name, (requests, told) in rows.items():
            print(f"| {name} | {requests} | {len(told)} |")
    leaks = {name: told for name, (_, told) in rows.items() if told and "planted" not in name}
    assert not leaks


def test_planted_senders_are_found_by_the_same_comparison(
    rows: dict[str, tuple[int, list[str]]],
) -> None:
    planted = {name: told for name, (_, told) in rows.items() if "planted" in name}
    assert len(planted) == len(CONTROLS) + 1
    assert all(planted.values())
    # Found for what it is, and not because all is different.
    for name, told in planted.items():
        assert len(told) <= HUM_CELLS, (name, told)
