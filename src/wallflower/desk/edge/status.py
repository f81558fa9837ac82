"""What the desk tells the holder of its status token. Nothing of it is about people.

The handler sees exact counts on the desk's own page, behind the passphrase; this may lie in a
monitor's history, where an exact count would say on which day somebody wrote.
"""

from __future__ import annotations

from typing import Final

from wallflower.desk.views import Sending, Status
from wallflower.errors import Fault
from wallflower.host import status as host

_HERE_ONLY: Final = "Look at this computer: nobody else can."


def report(status: Status) -> host.Status:
    """Alarms, and counts in steps of ten."""
    alarms = []
    if status.locked:
        what = "the desk is locked, so it fetches no drops and makes no keys"
        alarms.append(host.Alarm("desk-locked", what, "Unlock it before evening."))
    if any(not alarm.seen for alarm in status.alarms):
        what = "the desk shows alarms that nobody has acknowledged"
        alarms.append(host.Alarm("desk-alarms", what, "Open its status page."))
    if status.failing:
        what = f"the last pass did not get to its end for {', '.join(status.failing)}"
        alarms.append(host.Alarm("desk-failing", what, _HERE_ONLY))
    if status.away:
        what = f"no answer from {', '.join(status.away)}"
        alarms.append(host.Alarm("unreachable", what, "Look at the network, then ask who runs it."))
    facts: dict[str, host.Fact] = {"locked": "yes" if status.locked else "no"}
    if not status.locked:
        facts |= {name: host.coarse(count) for name, count in counts(status).items()}
    return host.Status("desk", alarms, facts)


def unread(fault: Fault) -> host.Status:
    """What is told where the store cannot be read: that, and nothing of what is in it."""
    what = f"the desk cannot read its store: {fault.what}"
    return host.Status("desk", [host.Alarm("desk-failing", what, _HERE_ONLY)])


def counts(status: Status) -> dict[str, int]:
    """Counts, for tests and the demo; the operator is shown `report` instead."""
    found = {
        "letters": status.letters, "opened": status.opened, "drops": status.drops_read,
        "faults": sum(status.faults.values()),
    }  # fmt: skip
    for name, states in (("replies", status.states.replies), ("receipts", status.states.receipts)):
        found |= {f"{name}_{state.value}": states.get(state, 0) for state in Sending}
    return found
