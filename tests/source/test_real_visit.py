"""One visit over real sockets: a real mirror, a real ingress, a hum at sixty times its pace."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from tests.host.sockets import serving
from tests.ingress.stage import staged
from tests.source.stage import Scene
from tests.trust.made import PINS, body, private, record

from wallflower.board.edge.mirror import Mirror
from wallflower.host import Host
from wallflower.host.clock import PacedClock, day_of
from wallflower.host.disk import Folder
from wallflower.host.entropy import OsEntropy
from wallflower.host.http import HttpNet
from wallflower.mix.gathering import judge_gathering
from wallflower.source.edge.store import Store
from wallflower.source.edge.visit import own_pace, visit
from wallflower.source.letters import Place, write_letter
from wallflower.trust.record import EpochRecord
from wallflower.wire.cell import parse_cell
from wallflower.wire.hum import Gathering
from wallflower.wire.record import Pace, Way, WayKind
from wallflower.wire.sizes import HUM_CELLS, SLOT_MS


def two_days(ingress: int, board: int) -> list[EpochRecord]:
    """Yesterday's and today's record, whose ways are these ports."""
    today = day_of(time.time())
    ways = (
        Way(WayKind.INGRESS, 12, f"http://127.0.0.1:{ingress}/"),
        Way(WayKind.BOARD, 12, f"http://127.0.0.1:{board}/"),
    )
    first = body(1, today - 1)
    fast = replace(first.parameters, pace=Pace(1, 60, 0))
    first = replace(first, ways=ways, parameters=fast)
    second = replace(body(2, today, first), ways=ways, parameters=fast)
    return [record(first), record(second)]


async def test_a_letter_of_yesterday_leaves_over_real_sockets_and_opens_at_a(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path / "ingress") as stage:
        shown: list[Scene] = []

        async def board(scope: object, receive: object, send: object) -> None:
            await shown[0].mirror(scope, receive, send)  # type: ignore[arg-type]

        async with serving(board) as board_port:
            records = two_days(stage.port, board_port)
            shown.append(Scene(tmp_path / "scene", records, today=1))
            net = HttpNet()
            host = Host(PacedClock(Pace(1, 1, 0)), OsEntropy(), Folder(tmp_path / "own"), net)
            mirror = Mirror(host, f"http://127.0.0.1:{board_port}", {"index.html": b"film"})
            await mirror.step()
            async with serving(mirror.app) as port:
                origin = f"http://127.0.0.1:{port}"
                store = Store(Folder(tmp_path / "store"))
                store.keep_record(records[0].raw)
                draw = OsEntropy().draw
                store.fill(records[0], PINS.desk, draw)
                kept = store.letters()
                kept[3] = write_letter(draw(16), "昨天写的", 2, records[0], PINS.desk, kept, draw)
                store.write_letters(kept)
                assert await own_pace(origin, PINS) == Pace(1, 60, 0)
                async with asyncio.timeout(HUM_CELLS * SLOT_MS / 1000):  # that of a real hum
                    assert await visit(host, origin, PINS, store) == (True, 3)
            await net.close()
        cells = stage.kept()
    assert store.letters()[3].place is Place.FILLER
    assert len(cells) == HUM_CELLS
    gathering = Gathering()
    for cell in cells:
        gathering.add(parse_cell(cell))
    outcome = judge_gathering(gathering, private("a"), records[1].hash)
    assert outcome.parcel is not None
    assert outcome.broken == []
