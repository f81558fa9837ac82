"""What the desk server tells the organisation's operator. Nothing of it is about people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallflower.host.status import (
    Alarm,
    Fact,
    Status,
    disk_alarms,
    loop_alarms,
    loop_facts,
    record_alarms,
    request_alarm,
    sentence_alarms,
    silence_alarm,
)
from wallflower.wire.loop import way_to_organisation

if TYPE_CHECKING:
    from wallflower.board.edge.server import DeskServer

DROP_LATE_S = 3 * 3600  # B tells of a new drop each hour
_BETWEEN = "B's opening: at a way, at ingress, at A or at B"


def report(server: DeskServer) -> Status:
    """The status of the organisation's desk server."""
    now = server.now()
    record = server.records.in_force(now)
    ahead = server.records.days_ahead(now)
    alarms = [
        *disk_alarms(server.folder), *record_alarms(record is not None, ahead),
        *sentence_alarms("records", server.alarms()),
        *request_alarm(server.records.request_unread),
    ]  # fmt: skip
    if server.disk_failures:
        alarms.append(Alarm("disk-failed", "rounds failed at the disk", "Look at the disk."))
    facts: dict[str, Fact] = {
        "record": record.number if record else 0, "days_ahead": max(0, ahead),
        "segments": server.board.count(),
    }  # fmt: skip
    if record is not None:
        p = record.body.parameters
        verdict = server.told.judge(
            way_to_organisation(p.mean_a, p.tick, p.pace.days / p.pace.hums)
        )
        late = int(now // p.period) - server.board.period()
        if server.board.count() and late > 1:
            what = f"the board is late by {late} periods"
            alarms.append(Alarm("board-late", what, "Look at this machine's load and disk."))
        if not server.board.has_key_of(record):
            what = "the record in force names another board key than this server has: "
            what += "the board stands still"
            alarms.append(Alarm("board-key", what, "See the handbook, Status."))
        alarms += silence_alarm(
            "drop-late", "B has told of no new drop", now - server.drop_told, DROP_LATE_S
        )
        if verdict is None and server.told.watches:
            what = "loops.db cannot be read, so hums that are lost on the way stay unseen"
            alarms.append(Alarm("loops-failed", what, "See the handbook, Status."))
        else:
            alarms += loop_alarms(verdict, _BETWEEN)
        facts |= {"board_late": max(0, late - 1), **loop_facts(verdict)}
    return Status("organisation", alarms, facts)
