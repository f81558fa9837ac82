"""The roles' own code through the transitions of the model: nothing is lost, nothing comes twice.

Hypothesis chooses who acts, who dies and when; `crew.py` watches. The same invariants as
tests/models/town.pml, where every interleaving of a smaller town is tried.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.lab.crew import CUTS, Crew, crew_on
from tests.mix.room import PowerCut
from tests.night import share

from wallflower.host.net import Unreachable
from wallflower.mix.edge.intake import Source
from wallflower.mix.edge.mix import PAGE, Mix
from wallflower.mix.edge.pool import Pool, number_of
from wallflower.mix.edge.records import Records
from wallflower.trust.record import EpochRecord
from wallflower.wire.sizes import HUM_CELLS

MIXES = st.sampled_from(["a", "b"])
STEPPED = st.sampled_from(["a", "b", "desk"])
ROLES = st.sampled_from(["a", "b", "desk", "ingress"])
COUNTERS = st.sets(st.integers(0, HUM_CELLS - 1), min_size=1)
_MOST_HUMS, _MOST_DAYS = 6, 5


class Town(RuleBasedStateMachine):
    """Sources, roles and days; the disk is memory, since here nobody measures how it syncs."""

    restarted: Callable[[Crew, str], None] = staticmethod(lambda _crew, _role: None)

    @initialize()
    def open(self) -> None:
        """The town is up."""
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
        self.folder = tempfile.TemporaryDirectory(dir=memory)
        self.crew = crew_on(Path(self.folder.name))
        self.crew.restarted = self.restarted
        self.days = 0

    @precondition(lambda self: len(self.crew.hums) < _MOST_HUMS)
    @rule(yesterday=st.booleans(), again=st.booleans())
    def a_whole_hum_is_sent(self, yesterday: bool, again: bool) -> None:
        hum = self.crew.write(yesterday=yesterday, again=again)
        self.crew.upload(hum, list(range(HUM_CELLS)))

    @precondition(lambda self: len(self.crew.hums) < _MOST_HUMS)
    @rule(counters=COUNTERS, yesterday=st.booleans())
    def a_part_of_a_hum_is_sent(self, counters: set[int], yesterday: bool) -> None:
        hum = self.crew.write(yesterday=yesterday, again=False)
        self.crew.upload(hum, sorted(counters))

    @precondition(lambda self: bool(self.crew.hums))
    @rule(which=st.integers(0, _MOST_HUMS - 1), counters=COUNTERS)
    def cells_are_sent_again(self, which: int, counters: set[int]) -> None:
        self.crew.upload(self.crew.hums[which % len(self.crew.hums)], sorted(counters))

    @precondition(lambda self: bool(self.crew.hums))
    @rule(which=st.integers(0, _MOST_HUMS - 1))
    def a_whole_hum_is_played_again(self, which: int) -> None:
        hum = self.crew.hums[which % len(self.crew.hums)]
        self.crew.upload(hum, list(range(HUM_CELLS)))

    @rule(role=STEPPED)
    def a_role_has_its_round(self, role: str) -> None:
        self.crew.step(role)

    @rule(role=MIXES, where=st.sampled_from(sorted(CUTS)), after=st.integers(0, 4))
    def power_goes_out_in_a_round(self, role: str, where: str, after: int) -> None:
        self.crew.step(role, where, after)

    @precondition(lambda self: len(self.crew.hums) < _MOST_HUMS)
    @rule(role=MIXES, where=st.sampled_from(sorted(CUTS)), after=st.integers(0, 2))
    def power_goes_out_while_a_hum_comes_through(self, role: str, where: str, after: int) -> None:
        hum = self.crew.write(yesterday=False, again=False)
        self.crew.upload(hum, list(range(HUM_CELLS)))
        if role == "b":
            self.crew.step("a")
            self.crew.hour()
            self.crew.step("a")
        self.crew.step(role, where, after)

    @rule(role=ROLES)
    def a_role_dies_and_starts_again(self, role: str) -> None:
        self.crew.restart(role)

    @rule()
    def every_role_dies_and_starts_again(self) -> None:
        for role in ("ingress", "a", "b", "desk"):
            self.crew.restart(role)

    @rule()
    def an_hour_passes(self) -> None:
        self.crew.hour()

    @rule(hours=st.integers(1, 5))
    def hours_pass_with_everybody_at_work(self, hours: int) -> None:
        for _ in range(hours):
            self.crew.round()
            self.crew.hour()

    @precondition(lambda self: bool(self.crew.hums))
    @rule(which=st.integers(0, _MOST_HUMS - 1))
    def power_goes_out_everywhere_and_a_hum_is_played_again(self, which: int) -> None:
        self.every_role_dies_and_starts_again()
        self.a_whole_hum_is_played_again(which)
        self.hours_pass_with_everybody_at_work(3)

    @precondition(lambda self: self.days < _MOST_DAYS)
    @rule()
    def a_day_passes(self) -> None:
        self.days += 1
        self.crew.next_day()

    @invariant()
    def nothing_is_released_twice_and_dead_keys_are_gone(self) -> None:
        self.crew.look_at_drops()
        self.crew.keys_are_gone()

    def teardown(self) -> None:
        """What is held leaves; then everything that was promised is at the desk, once."""
        try:
            self.crew.finish()
        finally:
            self.crew.close()
            self.folder.cleanup()


def _settings(examples: int, steps: int, *phases: Phase) -> settings:
    return settings(
        derandomize=True, deadline=None, database=None, max_examples=examples,
        stateful_step_count=steps, suppress_health_check=list(HealthCheck),
        phases=phases or tuple(Phase), report_multiple_bugs=False,
    )  # fmt: skip


def test_any_order_of_hums_rounds_deaths_and_days_keeps_what_is_promised() -> None:
    run_state_machine_as_test(Town, settings=_settings(8, 16))


@pytest.mark.nightly
def test_many_longer_orders_keep_what_is_promised() -> None:
    run_state_machine_as_test(Town, settings=_settings(share(150), 50, Phase.generate))


# -- the controls: the same machine, with a fault in the code's way --------------------------------


def forget_what_was_seen(crew: Crew, role: str) -> None:
    """The memory of replays is lost at a restart."""
    if role == "a":
        crew.town.a.state.db.execute("DELETE FROM seen")
    if role == "b":
        crew.town.b.state.db.execute("DELETE FROM taken")


async def acknowledge_first(self: Mix, _record: EpochRecord) -> None:
    """A mix that moves its cursor before it has taken what it pulled."""
    s = self._settings
    source = Source(s.source_url, s.source_token, PAGE[self.position], 1)
    while True:
        after = self.state.number("cursor")
        try:
            answer = await self.part.ask(self._host.net, source, after, source.page)
        except Unreachable:
            return
        if not answer.count:
            return
        with self.state.transaction():
            self.state.set_number("cursor", answer.last)
        with self.state.transaction():
            self.part.take(answer)


def take_and_leave(self: Pool, name: bytes) -> bytes | None:
    """A pool that hands out a row and keeps it."""
    query = "SELECT key_day, sealed FROM pool WHERE name = ?"
    key_day, sealed = self._db.execute(query, (number_of(name),)).fetchone()
    return self._opened(name, key_day, sealed)


def erase_first(
    self: Pool, day: int, step: Callable[[], AbstractContextManager[None]] = nullcontext
) -> None:
    """A pool that erases its old keys before what they sealed is sealed anew."""
    self.forget_before(day)
    NEW_DAY(self, day, step)


def keep_keys(self: Records, now: float) -> None:
    """Hop keys that never die."""


NEW_DAY = Pool.new_day
PLANTED: dict[str, tuple[type, str, object]] = {
    "acknowledge first": (Mix, "_intake", acknowledge_first),
    "take and leave": (Pool, "take", take_and_leave),
    "erase first": (Pool, "new_day", erase_first),
    "keep keys": (Records, "forget", keep_keys),
}
# One walk in some fifty cuts the power just where 'acknowledge first' loses a hum; of eighty none
# did, once there were nine places to cut at. A walk that finds the fault is the last.
CONTROL = _settings(500, 16, Phase.generate)


@pytest.mark.nightly
@pytest.mark.parametrize("fault", sorted(PLANTED))
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*PLANTED[fault])
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Town, settings=CONTROL)


def test_a_replay_memory_that_is_lost_at_restart_is_found() -> None:
    class Forgetful(Town):
        restarted = staticmethod(forget_what_was_seen)

    with pytest.raises(AssertionError, match="twice"):
        run_state_machine_as_test(Forgetful, settings=CONTROL)


def test_a_power_cut_is_no_fault_that_anyone_handles() -> None:
    assert not issubclass(PowerCut, Exception)


def test_every_place_where_power_may_go_out_is_one_that_a_mix_comes_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a walk would cut the power nowhere, and say that nothing was lost."""
    came: set[str] = set()

    def noting(where: str, real: Callable[..., object]) -> Callable[..., object]:
        def act(*args: object, **named: object) -> object:
            came.add(where)
            return real(*args, **named)

        return act

    crew = crew_on(tmp_path)
    for where, (owner, name) in CUTS.items():
        monkeypatch.setattr(owner, name, noting(where, getattr(owner, name)))
    try:
        for _ in range(2):
            crew.upload(crew.write(yesterday=False, again=False), list(range(HUM_CELLS)))
            crew.round()
            crew.hour()
            crew.round()
            crew.next_day()
        assert came == set(CUTS)
    finally:
        crew.close()
