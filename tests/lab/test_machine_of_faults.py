"""The machine of test_machine.py where more goes wrong than power: a disk fails at any statement,
nodes answer half of what they meant, A has other shares, and ingress' clock is set.

The same must hold: nothing acknowledged is lost, nothing comes twice, and no key lives too long.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test
from tests.lab.failing import ERRORS, Failing, from_one_on
from tests.lab.test_machine import _MOST_HUMS, CONTROL, MIXES, Town, _settings
from tests.mix.test_sharing import SHARES, InThread
from tests.night import share

from wallflower.host.disk import transaction
from wallflower.lab.host import SimulatedNet
from wallflower.mix.edge.state import State
from wallflower.mix.edge.workers import Workers
from wallflower.wire.sizes import DAY_S, HUM_CELLS

ANSWERS: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda body: body[: len(body) // 2],
    "twice": lambda body: body + body,
    "more than there is": lambda body: body + b"x",
    "nothing": lambda _: b"",
    "zeros": lambda body: bytes(len(body)),
}
_MOST_STATEMENTS = 80  # of a round of a mix that holds a few hums


class Line(SimulatedNet):
    """A worker's way to ingress, in the same network as everybody's."""

    async def close(self) -> None:
        """Close nothing."""


class FaultyTown(Town):
    """The town, and what else may happen to it."""

    @initialize()
    def open(self) -> None:
        """The town is up, on databases that may fail; a worker is a thread."""
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Failing))
        threads = [InThread() for _ in range(SHARES)]
        self.patch.setattr(Workers, "started", lambda self: threads[: self.count])
        super().open()
        self.crew.town.dial = lambda: Line(self.crew.town.net.apps)

    @precondition(lambda self: len(self.crew.hums) < _MOST_HUMS)
    @rule(
        role=MIXES, number=st.integers(0, _MOST_STATEMENTS), times=st.sampled_from([1, 1 << 30]),
        error=st.sampled_from(sorted(ERRORS)),
    )  # fmt: skip
    def a_disk_fails_while_a_hum_comes_through(
        self, role: str, number: int, times: int, error: str
    ) -> None:
        hum = self.crew.write(yesterday=False, again=False)
        self.crew.upload(hum, list(range(HUM_CELLS)))
        if role == "b":
            self.crew.step("a")
        self.crew.step_on_failing_disk(role, from_one_on(number, error, times))

    @rule(role=MIXES, how=st.sampled_from(sorted(ANSWERS)))
    def a_node_answers_something_else(self, role: str, how: str) -> None:
        self.crew.step_with_another_answer(role, ANSWERS[how])

    @rule(workers=st.integers(0, SHARES - 1))
    def a_gets_another_number_of_workers(self, workers: int) -> None:
        self.crew.town.workers = workers
        self.crew.restart("a")

    @precondition(lambda self: len(self.crew.hums) < _MOST_HUMS)
    @rule(days=st.sampled_from([-20_000, -10, 10, 4000]), asked=st.booleans())
    def the_clock_of_ingress_is_off_while_a_hum_is_sent(self, days: int, asked: bool) -> None:
        self.crew.town.skew["ingress"] = days * DAY_S
        self.a_whole_hum_is_sent(yesterday=False, again=False)
        if asked:
            self.crew.step("a")
        del self.crew.town.skew["ingress"]

    def teardown(self) -> None:
        """As every town's."""
        try:
            super().teardown()
        finally:
            self.patch.undo()


def test_any_order_of_failing_disks_half_answers_and_other_shares_keeps_what_is_promised() -> None:
    run_state_machine_as_test(FaultyTown, settings=_settings(4, 12, Phase.generate))


@pytest.mark.nightly
def test_many_longer_orders_of_faults_keep_what_is_promised() -> None:
    run_state_machine_as_test(FaultyTown, settings=_settings(share(100), 50, Phase.generate))


@contextmanager
def kept_by_halves(self: State) -> Generator[None, None, None]:
    """The control: a transaction that keeps what was done before a statement failed."""
    with transaction(self.db), suppress(sqlite3.Error):
        yield


@pytest.mark.nightly
def test_a_transaction_that_keeps_its_first_half_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(State, "transaction", kept_by_halves)
    with pytest.raises(AssertionError, match="lost"):
        run_state_machine_as_test(FaultyTown, settings=CONTROL)
