"""One visit: the same twelve cells and the whole board for everyone, whatever is in the store."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tests.mix.room import AT_ONCE
from tests.source.stage import MIRROR, Scene, days, jump, watch_writing
from tests.trust.made import BOARD, PINS, STRANGER, A, B, board, body, private, record, signed

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.host.asgi import Receive, Scope, Send, answer, refuse
from wallflower.host.http import HttpNet
from wallflower.host.net import Unreachable
from wallflower.mix.gathering import judge_gathering
from wallflower.source.edge.crowd import Crowd
from wallflower.source.edge.store import Store
from wallflower.source.edge.visit import (
    Viewer,
    hum_left,
    hum_pace,
    own_pace,
    put_away,
    send_hum,
    visit,
)
from wallflower.source.letters import Kept, Place, choose_for_hum, filler
from wallflower.trust.record import EpochRecord
from wallflower.wire.cell import parse_cell
from wallflower.wire.cells import read_name
from wallflower.wire.census import report_of
from wallflower.wire.hello import SILENT, BRecord, Kind, Report, open_seal_b
from wallflower.wire.hum import Gathering
from wallflower.wire.parcel import open_parcel_body
from wallflower.wire.record import Pace, Way, WayKind
from wallflower.wire.segment import make_head, make_segment, parse_segment
from wallflower.wire.sizes import (
    CELL,
    DAY_S,
    DITHER_MS,
    HEAD,
    HUM_CELLS,
    LATE_MS,
    SEGMENT,
    SLOT_MS,
    TOKEN,
)
from wallflower.wire.stamp import earned_class

DAYS = days(3)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, DAYS)


def opened(cells: list[bytes], under: EpochRecord) -> list[tuple[Kind, bytes]]:
    """What A and B make of these cells: the kind and the letter of every whole hum."""
    return [(inside.kind, letter) for inside, letter in at_b(cells, under)]


def at_b(cells: list[bytes], under: EpochRecord) -> list[tuple[BRecord, bytes]]:
    """B's record and the letter of every whole hum."""
    gatherings: dict[bytes, Gathering] = {}
    for raw in cells:
        cell = parse_cell(raw)
        gatherings.setdefault(read_name(cell.raw)[2], Gathering()).add(cell)
    found = []
    for gathering in gatherings.values():
        parcel = judge_gathering(gathering, private("a"), under.hash).parcel
        assert parcel is not None
        key, inside = open_seal_b(private("b"), under.hash, parcel.seal_b)
        found.append((inside, open_parcel_body(key, parcel.body)))
    return found


def test_a_hum_with_a_letter_carries_its_token_and_a_cover_another_each_time(
    scene: Scene,
) -> None:
    jump(scene.visit())
    letter = scene.write("x")
    jump(scene.visit())
    covers = [inside for inside, _ in at_b(scene.cells, scene.record)]
    scene.cells.clear()
    scene.next_day()
    jump(scene.visit())
    ((inside, sealed),) = at_b(scene.cells, scene.record)
    assert (inside.kind, sealed) == (Kind.LETTER, letter.sealed)
    week = scene.record.body.week - DAYS[0].body.week
    assert inside.token == letter.tokens[week * TOKEN :][:TOKEN]
    assert {one.kind for one in covers} == {Kind.COVER}
    assert len({one.token for one in covers}) == 2
    assert all(one.token not in letter.tokens for one in covers)
    assert letter.tokens not in {kept.tokens for kept in scene.store.letters()}
    for one, carried in ((inside, sealed), *at_b(scene.cells, scene.record)):
        assert earned_class(scene.record.hash, carried, one.stamp) == one.stamp.stamp_class > 0


def test_a_record_that_was_kept_from_before_a_key_was_replaced_stops_no_visit(scene: Scene) -> None:
    """The copy with the new pins carries on with the store of the old one (record 5.6)."""
    jump(scene.visit())
    letter = scene.write("x")
    scene.store.keep_record(signed(scene.record.body, (bytes(32), A, B)))
    scene.next_day()
    assert jump(scene.visit())[0]
    assert scene.store.record() == scene.record.raw
    assert at_b(scene.cells[HUM_CELLS:], scene.record)[0][1] == letter.sealed


def test_a_visit_sends_twelve_cells_each_in_its_own_slot(scene: Scene) -> None:
    assert jump(scene.visit()) == (False, 3)
    assert [len(c) for c in scene.cells] == [CELL] * HUM_CELLS
    for n, moment in enumerate(scene.times):
        assert n * SLOT_MS <= moment * 1000 < n * SLOT_MS + DITHER_MS + 5
    assert len({round(t % (SLOT_MS / 1000), 3) for t in scene.times}) > 6, "each has its own delay"


def test_a_visit_with_a_waiting_letter_asks_for_and_sends_the_same(tmp_path: Path) -> None:
    seen = []
    for name, text in (("viewer", ""), ("writer", "a letter")):
        scene = Scene(tmp_path / name, DAYS)
        jump(scene.visit())
        if text:
            scene.write(text)
        scene.next_day()
        scene.asked.clear()
        scene.cells.clear()
        jump(scene.visit())
        store = {p.name: p.stat().st_size for p in (tmp_path / name / "store").rglob("*")
                 if p.is_file()}  # fmt: skip
        seen.append((scene.asked, [(len(c), c[:4]) for c in scene.cells], store))
    assert seen[0] == seen[1]


def test_a_letter_leaves_on_a_later_day_and_only_once(scene: Scene) -> None:
    jump(scene.visit())
    letter = scene.write("leaves tomorrow")
    assert jump(scene.visit()) == (False, 3), "the same day: a cover"
    scene.next_day()
    scene.cells.clear()
    assert jump(scene.visit()) == (True, 3)
    assert opened(scene.cells, scene.record) == [(Kind.LETTER, letter.sealed)]
    assert scene.store.letters()[0].place is Place.FILLER
    scene.cells.clear()
    assert jump(scene.visit()) == (False, 3)
    assert [kind for kind, _ in opened(scene.cells, scene.record)] == [Kind.COVER]


def test_a_letter_whose_position_never_got_through_waits_on(scene: Scene) -> None:
    jump(scene.visit())
    letter = scene.write("blocked")
    scene.next_day()
    scene.refuse_cells = frozenset({2, 6, 10})
    assert jump(scene.visit()) == (False, 3)
    assert scene.store.letters()[0] == letter
    assert len(scene.cells) == 2 * HUM_CELLS, "nothing was retried and nothing left out"
    scene.refuse_cells = frozenset({0, 1, 2, 3, 8, 9, 10, 11})
    assert jump(scene.visit())[0], "one copy of each is enough"


@pytest.mark.parametrize("taken", [set(range(12)), {0, 1, 2, 3}, {8, 5, 2, 11}, {4, 9, 10, 3}])
def test_one_copy_of_each_position_means_that_a_hum_left(taken: set[int]) -> None:
    assert hum_left([n in taken for n in range(12)])
    for position in range(4):
        assert not hum_left([n in taken and n % 4 != position for n in range(12)])


def test_a_letter_that_is_written_while_the_hum_lasts_is_not_lost(scene: Scene) -> None:
    """Another terminal, the same store, during the ninety seconds."""
    jump(scene.visit())
    first = scene.write("the first")
    scene.next_day()
    written: list[Kept] = []

    def once() -> None:
        if not written:
            written.append(scene.write("in between"))

    scene.on_cell = once
    assert jump(scene.visit())[0]
    kept = scene.store.letters()
    assert kept[0].place is Place.FILLER
    assert kept[0].sealed != first.sealed
    assert kept[1] == written[0]


def test_a_board_that_cannot_be_had_does_not_cut_the_hum_nor_hide_that_a_letter_left(
    scene: Scene,
) -> None:
    jump(scene.visit())
    scene.write("leaves all the same")
    scene.next_day()
    scene.cells.clear()
    no_boards(scene)
    with pytest.raises(Refused) as refusal:
        jump(scene.visit())
    assert refusal.value.rule == "segment 3.1"
    assert len(scene.cells) == HUM_CELLS
    assert scene.store.letters()[0].place is Place.FILLER
    assert len(scene.store.segments()) == 3, "the old board stays"


@pytest.mark.parametrize(
    ("name", "rule"),
    [("altered", "segment 3.5"), ("head", "segment 3.3"), ("two ways", "segment 3.7"),
     ("back", "segment 3.7")],
)  # fmt: skip
def test_a_board_that_is_not_the_signed_one_is_refused_and_the_old_one_stays(
    scene: Scene, name: str, rule: str
) -> None:
    jump(scene.visit())
    before = sorted(scene.store.segments())
    real = scene.fetched

    def altered(path: str) -> bytes | None:
        found = real(path)
        if found and ((name, path) in (("altered", "/board/2"), ("head", "/board/head"))):
            return found[:50] + bytes([found[50] ^ 1]) + found[51:]
        return found

    if name in ("altered", "head"):
        scene.fetched = altered  # type: ignore[method-assign]
    elif name == "back":
        scene.segments = 2
    else:
        other = Scene(scene.path / "other", DAYS, salt=1)
        scene.net.apps["b.example"] = other.mirror
    with pytest.raises(Refused) as refusal:
        jump(scene.visit())
    assert refusal.value.rule == rule
    assert sorted(scene.store.segments()) == before
    assert len(scene.cells) == 2 * HUM_CELLS


def test_a_mirror_that_holds_segments_back_is_passed_over_for_the_second_way(scene: Scene) -> None:
    newer = Scene(scene.path / "newer", DAYS, segments=4)
    scene.net.apps["b.example"] = newer.mirror
    assert jump(scene.visit())[1] == 4
    assert len(scene.store.segments()) == 4
    assert "/board/4" in newer.asked
    # The other way round the mirror's own is the newer one.
    scene.segments = 5
    assert jump(scene.visit())[1] == 5


def test_a_mirror_that_is_the_records_first_way_has_a_second_beside_it_all_the_same(
    tmp_path: Path,
) -> None:
    own = Way(WayKind.BOARD, 12, MIRROR + "/")
    today = record(replace(DAYS[0].body, ways=(own, *DAYS[0].body.ways)))
    scene = Scene(tmp_path, [today])
    newer = Scene(tmp_path / "newer", [today], segments=4)
    scene.net.apps["b.example"] = newer.mirror
    assert jump(scene.visit()) == (False, 4)


@pytest.mark.parametrize("name", ["stale", "early", "unsigned", "none"])
def test_without_a_record_in_force_there_is_no_hum_for_anyone(tmp_path: Path, name: str) -> None:
    scene = Scene(tmp_path, DAYS)
    jump(scene.visit())
    scene.write("waits")
    before = scene.store.letters()
    scene.cells.clear()
    rules = {"stale": "record 2.10", "early": "record 2.10", "unsigned": "record 2.8"}
    if name == "stale":
        scene.clock.time += 3 * 86400
    elif name == "early":
        scene.clock.time -= 2 * 86400
    elif name == "unsigned":
        raw = signed(DAYS[0].body, (b"1" * 32, b"2" * 32, b"3" * 32))
        scene.fetched = lambda path: raw  # type: ignore[method-assign]
    else:
        scene.fetched = lambda path: None  # type: ignore[method-assign]
    with pytest.raises((Refused, Unreachable)) as fault:
        jump(scene.visit())
    assert getattr(fault.value, "rule", None) == rules.get(name)
    assert scene.cells == []
    assert scene.store.letters() == before


def test_a_cell_that_is_late_is_skipped_alike_for_all() -> None:
    """The machine slept for a while in the middle of the hum."""

    class Slow:
        def __init__(self) -> None:
            self.sent: list[bytes] = []

        async def get(self, url: str, token: str = "", limit: int = 0) -> bytes:
            raise AssertionError

        async def post(self, url: str, body: bytes, token: str = "", limit: int = 0) -> bytes:
            self.sent.append(body)
            loop = asyncio.get_running_loop()
            if body == b"1":
                loop.jumped += 10 * SLOT_MS / 1000  # type: ignore[attr-defined]
            return b""

    net = Slow()
    cells = [b"%x" % n for n in range(12)]
    answers = jump(send_hum(net, "http://i.example/", cells, [n * SLOT_MS for n in range(12)]))
    assert LATE_MS < SLOT_MS
    assert answers == [True, True] + [False] * 9 + [True]
    assert net.sent == [b"0", b"1", b"b"]


def test_no_cell_leaves_that_a_machine_slept_through_whose_clock_stood_still(scene: Scene) -> None:
    jump(scene.visit())
    cells, sent = scene.cells[:], scene.cells
    sent.clear()
    wall = [1000.0]
    scene.on_cell = lambda: wall.append(wall[-1] + (3 * DAY_S if len(sent) == 5 else 0))
    offsets = [n * SLOT_MS for n in range(HUM_CELLS)]
    took = jump(send_hum(scene.net, "http://i.example/", cells, offsets, lambda: wall[-1]))
    assert took == [True] * 5 + [False] * 7
    assert sent == cells[:5]


def test_the_pace_of_hums_counts_on_a_loopback_origin_only() -> None:
    fast = record(replace(body(), parameters=replace(AT_ONCE, pace=Pace(1, 60, 0))))
    for origin in ("http://127.0.0.1:7605", "http://localhost", "http://[::1]:1"):
        assert hum_pace(fast, origin) == 60
    for origin in (
        "http://mirror.example", "http://127.0.0.1.example", "http://localhost.example",
        "http://mirror.example/127.0.0.1", "http://127.0.0.1@mirror.example", "",
    ):  # fmt: skip
        assert hum_pace(fast, origin) == 1


async def test_the_clock_of_a_client_away_from_loopback_is_real_and_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def asked(*_: object, **__: object) -> bytes:
        raise AssertionError("nobody may be asked before a visit")

    monkeypatch.setattr(HttpNet, "get", asked)
    for mirror in ("http://mirror.example", "http://127.0.0.1.example", "http://localhost@a.b"):
        assert await own_pace(mirror, PINS) == Pace(1, 1, 0)
    with pytest.raises(AssertionError, match="nobody may be asked"):
        await own_pace("http://127.0.0.1:1", PINS)  # the control


def test_a_letter_that_took_the_place_of_the_one_that_left_waits_on(scene: Scene) -> None:
    """Another terminal may write into any place during the ninety seconds."""
    jump(scene.visit())
    scene.write("leaves")
    scene.next_day()
    choice = choose_for_hum(scene.store.letters(), scene.record, PINS.desk)
    other = scene.write("in its place", place=0)
    fresh = filler(scene.record, PINS.desk, scene.host.entropy.draw)
    assert put_away(scene.store, choice, True, fresh)
    assert scene.store.letters()[0] == other


def test_no_request_of_a_visit_carries_anything_but_paths_of_public_files(scene: Scene) -> None:
    jump(scene.visit())
    assert sorted(set(scene.asked)) == [
        "/board/1",
        "/board/2",
        "/board/3",
        "/board/head",
        "/record",
    ]


def no_boards(scene: Scene) -> None:
    """Records as before, and no way to a board."""
    real = scene.fetched
    scene.fetched = (  # type: ignore[method-assign]
        lambda path: None if path.startswith("/board") else real(path)
    )


def test_without_a_board_yet_a_visit_is_a_visit(scene: Scene) -> None:
    no_boards(scene)
    assert jump(scene.visit()) == (False, 0)
    assert len(scene.cells) == HUM_CELLS


def show(scene: Scene, way: str, path: str, instead: bytes | None) -> None:
    """From now on a way answers so, or not at all, where a path begins like this."""

    async def hostile(scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(path):
            await scene.mirror(scope, receive, send)
        elif instead is None:
            await refuse(send)
        else:
            await answer(send, 200, instead)

    scene.net.apps[way] = hostile


@pytest.mark.parametrize("shown", [None, b"", b"\1\0" + bytes(HEAD - 2)])
@pytest.mark.parametrize("way", ["mirror.example", "b.example"])
def test_a_way_that_shows_nothing_or_no_head_of_ours_takes_the_board_from_nobody(
    scene: Scene, way: str, shown: bytes | None
) -> None:
    show(scene, way, "/board", shown)
    assert jump(scene.visit()) == (False, 3)
    assert len(scene.store.segments()) == 3


@pytest.mark.parametrize("instead", [None, b"", b"\1\0" + bytes(SEGMENT - 2)])
@pytest.mark.parametrize("way", ["mirror.example", "b.example"])
def test_a_way_that_shows_the_head_and_no_segment_holds_back_nothing(
    scene: Scene, way: str, instead: bytes | None
) -> None:
    show(scene, way, "/board/2", instead)
    with suppress(Unreachable, Refused):
        jump(scene.visit())
    assert len(scene.store.segments()) == 3


def test_a_way_that_has_no_segment_is_waited_for_once_and_not_for_each(scene: Scene) -> None:
    """Silence takes a minute; of a board of two weeks it would take more than an hour."""
    asked: list[str] = []

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in ("/record", "/board/head"):
            return await scene.mirror(scope, receive, send)
        asked.append(scope["path"])
        await refuse(send)

    scene.net.apps["mirror.example"] = silent
    assert jump(scene.visit()) == (False, 3)
    assert asked == ["/board/3"]


def test_whoever_had_the_boards_key_hides_no_board_once_the_record_names_another(
    scene: Scene,
) -> None:
    honest, last = scene.fetched, 2**32 - 1
    newest = board(DAYS[0], 3).segments[-1]
    header = replace(newest.header, number=last)
    forged = make_segment(header, list(newest.replies), list(newest.receipts), BOARD)
    thiefs = {
        "/board/head": make_head(parse_segment(forged), last, BOARD), f"/board/{last}": forged,
    }  # fmt: skip
    scene.fetched = lambda path: thiefs.get(path) or honest(path)  # type: ignore[method-assign]
    assert jump(scene.visit()) == (False, 1)
    scene.fetched = honest  # type: ignore[method-assign]
    with pytest.raises(Refused) as refusal:
        jump(scene.visit())
    assert refusal.value.rule == "segment 3.7", "until the key is replaced it does"
    another = replace(DAYS[1].body, board_verify=sign.verify_key(STRANGER))
    scene.records = [DAYS[0], record(another)]
    scene.next_day()
    again = make_head(newest, 1, STRANGER, (scene.record.number, scene.record.hash))
    longer = board(scene.record, 2, STRANGER, after=board(DAYS[0], 3))
    shown = {"/board/head": again, **{f"/board/{n}": raw for n, raw in enumerate(longer.raw, 1)}}
    scene.fetched = lambda path: shown.get(path) or honest(path)  # type: ignore[method-assign]
    assert jump(scene.visit()) == (False, 3)
    shown["/board/head"] = longer.head(STRANGER)
    assert jump(scene.visit()) == (False, 5)
    shown["/board/head"] = make_head(longer.segments[-2], 1, STRANGER)
    with pytest.raises(Refused) as refusal:
        jump(scene.visit())
    assert refusal.value.rule == "segment 3.7", "of the new key it is seen that one goes back"
    assert len(scene.store.segments()) == 5


def test_a_head_that_names_more_than_a_board_has_makes_nobody_fetch_more(tmp_path: Path) -> None:
    first = DAYS[0].body
    short = record(replace(first, parameters=replace(first.parameters, segments=2)))
    scene = Scene(tmp_path, [short])
    assert jump(scene.visit()) == (False, 2)
    assert "/board/1" not in scene.asked


def test_an_onion_that_a_record_names_first_takes_neither_hum_nor_second_way(
    tmp_path: Path,
) -> None:
    onions = [replace(way, url=f"http://{'a' * 56}.onion/") for way in DAYS[0].body.ways]
    scene = Scene(tmp_path, [record(replace(DAYS[0].body, ways=(*onions, *DAYS[0].body.ways)))])
    assert jump(scene.visit()) == (False, 3)
    assert len(scene.cells) == HUM_CELLS
    assert scene.asked.count("/board/head") == 2


def test_a_blocked_second_way_takes_the_board_from_nobody(scene: Scene) -> None:
    scene.net.cut.add("b.example")
    assert jump(scene.visit()) == (False, 3)


def test_a_first_visit_that_is_cut_short_leaves_no_record_without_places(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    for step in ("fill", "keep_record"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Store, step, cut)
            jump(scene.visit())
        assert scene.store.record() is None or scene.store.letters()
    jump(scene.visit())
    scene.write("there is room")


def test_nobody_else_writes_letters_at_the_moment_at_which_a_hum_ends(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump(scene.visit())
    held = watch_writing(scene, monkeypatch)
    jump(scene.visit())
    assert held == [True, True]


def test_a_crowd_sends_whole_hums_that_open_at_a_and_are_cover(tmp_path: Path) -> None:
    scene = Scene(tmp_path, DAYS)
    crowd = Crowd(scene.host, MIRROR, PINS, viewers=4, pause=100.0)

    async def some() -> None:
        work = asyncio.ensure_future(crowd.run())
        while crowd.counts.hums < 6:  # noqa: ASYNC110  # the crowd has no event to wait for
            await asyncio.sleep(1)  # of a clock that jumps
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    jump(some())
    assert crowd.counts.cells == HUM_CELLS * crowd.counts.hums
    assert crowd.counts.refused == 0
    whole: dict[bytes, list[bytes]] = {}
    for raw in scene.cells:
        whole.setdefault(read_name(raw)[2], []).append(raw)
    complete = [cells for cells in whole.values() if len(cells) == HUM_CELLS]
    assert len(complete) >= 6
    for cells in complete:
        assert [kind for kind, _ in opened(cells, scene.record)] == [Kind.COVER]


def test_a_crowd_counts_what_it_cannot_do_and_goes_on(tmp_path: Path) -> None:
    scene = Scene(tmp_path, DAYS)
    crowd = Crowd(scene.host, "http://nobody.example", PINS, viewers=1, pause=100.0)

    async def some() -> None:
        class Enough(Exception):
            pass

        def stop(_: int) -> None:
            raise Enough

        real = crowd._hum

        async def counted(number: int) -> None:
            if crowd.counts.refused == 3:
                stop(number)
            await real(number)

        crowd._hum = counted  # type: ignore[method-assign]
        with pytest.raises(Enough):
            await asyncio.wait_for(crowd.run(), 1000)

    jump(some())
    assert (crowd.counts.refused, crowd.counts.hums) == (3, 0)
    assert scene.cells == []


def test_a_visit_reports_by_its_coin_and_one_whose_letter_leaves_reports_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every coin falls so that a cover reports; the letter of the next day still says nothing."""
    always = lambda kind, channel, language, _: report_of(kind, channel, language, bytes)  # noqa: E731
    monkeypatch.setattr("wallflower.source.edge.visit.report_of", always)

    def reports() -> list[tuple[Kind, Report]]:
        found: dict[bytes, Gathering] = {}
        for raw in scene.cells:
            found.setdefault(read_name(raw)[2], Gathering()).add(parse_cell(raw))
        scene.cells.clear()
        inside = []
        for gathering in found.values():
            parcel = judge_gathering(gathering, private("a"), scene.record.hash).parcel
            assert parcel is not None
            record = open_seal_b(private("b"), scene.record.hash, parcel.seal_b)[1]
            inside.append((record.kind, record.report))
        return inside

    viewer = Viewer(4, 2)
    jump(visit(scene.host, MIRROR, PINS, scene.store, viewer))
    assert reports() == [(Kind.COVER, Report(5, 2))]
    scene.write("x")
    scene.next_day()
    jump(visit(scene.host, MIRROR, PINS, scene.store, viewer))
    assert reports() == [(Kind.LETTER, SILENT)]


async def test_a_crowd_of_nobody_is_there_until_it_is_stopped(scene: Scene) -> None:
    nobody = asyncio.ensure_future(Crowd(scene.host, MIRROR, PINS, viewers=0, pause=100.0).run())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not nobody.done()
    nobody.cancel()
