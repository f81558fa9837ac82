"""What a mix tells its operator. Nothing of it is about people."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallflower.host.status import (
    Alarm,
    Fact,
    Status,
    coarse,
    disk_alarms,
    loop_alarms,
    loop_facts,
    record_alarms,
    request_alarm,
    sentence_alarms,
    silence_alarm,
)
from wallflower.mix.edge.first import First
from wallflower.mix.edge.second import Second
from wallflower.wire.loop import Verdict, way_to_a, way_to_b
from wallflower.wire.record import Parameters
from wallflower.wire.sizes import DAY_S

if TYPE_CHECKING:
    from wallflower.mix.edge.mix import Mix
    from wallflower.trust.record import EpochRecord

LATE_TICKS = 2  # how many ticks a round may be late before it is an alarm
_SILENT_TICKS = 6
_FLOOD = 1000  # letters at B; one audience's own are fewer
_DESK_SILENT_S = DAY_S  # a desk may be locked at night; drops wait for three days
Told = tuple[list[Alarm], dict[str, Fact]]


@dataclass(slots=True)
class Heard:
    """When the neighbours were last heard, in record time; in memory only."""

    before: float
    after: float


def report(mix: Mix) -> Status:
    """The status of a mix, A or B."""
    now = mix.now()
    record = mix.records.in_force(now)
    ahead = mix.records.days_ahead(now)
    alarms = [
        *disk_alarms(mix.folder), *record_alarms(record is not None, ahead),
        *sentence_alarms("records", mix.alarms()), *request_alarm(mix.records.request_unread),
        *_faults(mix),
    ]  # fmt: skip
    facts: dict[str, Fact] = {
        "record": record.number if record else 0, "days_ahead": max(0, ahead),
    }  # fmt: skip
    unread = False
    for told in (_load, _state):  # a share of A that cannot be read says nothing of the rounds
        try:
            more, counted = told(mix, record, now)
        except (OSError, sqlite3.Error):
            unread = True
        else:
            alarms, facts = [*alarms, *more], facts | counted
    if unread:
        what = "what this mix holds cannot be read"
        alarms.append(Alarm("disk-failed", what, "Look at the disk."))
    return Status(f"mix {mix.position}", alarms, facts)


def _state(mix: Mix, record: EpochRecord | None, now: float) -> Told:
    """What is told out of the mix's own database."""
    facts: dict[str, Fact] = {"waiting_for_the_next": coarse(mix.part.out.size())}
    if record is None:
        return [], facts
    p = record.body.parameters
    verdict = _loops(mix, p)
    lag = _lag(mix, p, now)
    alarms = [*_clockwork(mix, p, now, lag), *loop_alarms(verdict, _between(mix))]
    if isinstance(mix.part, Second) and not mix.part.has_key_of(record):
        what = "the record in force names another drop key than this mix has: no letter leaves"
        alarms.append(Alarm("drop-key", what, "See the handbook, Status."))
    return alarms, facts | {"ticks_late": lag, **loop_facts(verdict)}


def _load(mix: Mix, _record: EpochRecord | None, _now: float) -> Told:
    """How much there is to do. Of B nothing that a single letter changes: whoever keeps what a
    status says, a monitor for one, would have on a disk when each letter came and left (ADR 69)."""
    if isinstance(mix.part, First):
        return [], {"pool": coarse(mix.held())}
    pool = "thousands or more" if mix.held() >= _FLOOD else "fewer than a thousand"
    return [], {"pool": pool, "hums_last_round": coarse(mix.part.came)}


def _between(mix: Mix) -> str:
    return "your mix" if mix.position == "a" else "your mix: at a way, at ingress or at A"


def _loops(mix: Mix, p: Parameters) -> Verdict | None:
    stretch = p.pace.days / p.pace.hums
    way = way_to_a(p.tick, stretch)
    return mix.loops.judge(way if mix.position == "a" else way_to_b(p.mean_a, p.tick, stretch))


def _lag(mix: Mix, p: Parameters, now: float) -> int:
    """How many ticks were due and not made."""
    last = mix.state.number("tick")
    return max(0, int(now // p.tick) - last) if last else 0


def _clockwork(mix: Mix, p: Parameters, now: float, lag: int) -> list[Alarm]:
    """Ticks, neighbours and the floor."""
    alarms = []
    if lag > LATE_TICKS:
        late = "the drop is late" if mix.position == "b" else "the tick is late"
        alarms.append(Alarm("tick-late", f"{late} by {lag} ticks", "Look at its load and disk."))
    silent = _SILENT_TICKS * p.tick
    before, after = ("ingress", "B") if mix.position == "a" else ("A", "the desk")
    alarms += silence_alarm(
        "before-silent", f"{before} has not answered", now - mix.heard.before, silent
    )
    patience = silent if mix.position == "a" else _DESK_SILENT_S
    alarms += silence_alarm(
        "after-silent", f"{after} has not asked", now - mix.heard.after, patience
    )
    if mix.position == "b" and _floor_is_unmet(mix, p, now):
        what = "fewer hums than the floor came within a day, so no letter leaves"
        step = "Ask the organisation: there are too few viewers, or hums are lost before B."
        alarms.append(Alarm("floor-unmet", what, step))
    return alarms


def _floor_is_unmet(mix: Mix, p: Parameters, now: float) -> bool:
    met = mix.state.number("floor_tick")
    return bool(met) and int(now // p.tick) - met > DAY_S // p.tick


def _faults(mix: Mix) -> list[Alarm]:
    """What went wrong since the start."""
    ran, slept = mix.ticks, mix.skipped
    # B holds letters only: a loss that were counted by what was held would tell that there was one.
    lost = mix.pool.key_lost if mix.position == "b" else mix.lost()
    found = (
        (mix.part.full, "pool-full", "as many hums are held as may be, so none are pulled until "
         "some have left", "See the handbook, Status."),
        (lost, "hums-lost", "the key of a day was lost, and what was held under it",
         "See the handbook, Status."),
        (mix.answers_refused, "answers-refused", "answers of the node before were malformed",
         "Ask its operator."),
        (mix.disk_failures, "disk-failed", "rounds failed at the disk", "Look at the disk."),
        (slept > max(3, ran // 10), "ticks-slept", "ticks were slept through",
         "Look at its load, and whether the machine sleeps."),
    )  # fmt: skip
    return [Alarm(name, what, step) for bad, name, what, step in found if bad]
