"""What a role tells its operator: alarms in words, and a few facts in coarse steps.

Nothing here is about people: no time of a hum, no count finer than a power of ten, but for loops,
which are our own. Every role's alarms are made of the same few parts.
"""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from wallflower.host.asgi import App, Headers, Receive, Scope, Send, answer, refuse
from wallflower.wire.loop import Verdict

LITTLE_BYTES = 1 << 30
TOO_LITTLE_BYTES = 100 << 20
FEW_DAYS = 2  # days ahead for which records should be signed
_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_STEPS = ((1, "none"), (10, "fewer than ten"), (100, "tens"), (1000, "hundreds"))
Fact = str | int


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is not well: its short name, what it is, what to do next."""

    name: str
    what: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Status:
    """A role's state at this moment."""

    role: str
    alarms: list[Alarm]
    facts: dict[str, Fact] = field(default_factory=dict)

    def encode(self) -> bytes:
        """As JSON."""
        alarms = [{"name": a.name, "what": a.what, "next_step": a.next_step} for a in self.alarms]
        return json.dumps({"role": self.role, "alarms": alarms, "facts": self.facts}).encode()


def coarse(count: int) -> str:
    """A count as a step that says how much there is to do, and not how many hums there were."""
    return next((word for limit, word in _STEPS if count < limit), "thousands or more")


def disk_alarms(folder: Path) -> list[Alarm]:
    """Whether the disk fills up. Not how far: B's fills by letters and not by covers (ADR 69)."""
    free = shutil.disk_usage(folder).free
    if free < TOO_LITTLE_BYTES:
        return [Alarm("disk-full", "less than 100 MiB of disk is free", "Make room now.")]
    if free < LITTLE_BYTES:
        return [Alarm("disk-filling", "less than 1 GiB of disk is free", "Make room soon.")]
    return []


def request_alarm(unread: bool) -> list[Alarm]:
    """Whether a revocation was asked for in a file that this process may not read."""
    if not unread:
        return []
    what = "a revocation was asked for that this process may not read"
    return [Alarm("request-unread", what, "Type 'wallflower revoke' as the user it runs as.")]


def record_alarms(in_force: bool, days_ahead: int) -> list[Alarm]:
    """Whether there is a record, and whether its keys have followers (claim 54)."""
    if not in_force:
        what = "no record is in force, so nobody hums"
        return [Alarm("no-record", what, "Ask the organisation, A, B and the desk who is away.")]
    if days_ahead < FEW_DAYS:
        what = f"the keys expire: records are signed {max(0, days_ahead)} days ahead"
        return [Alarm("keys-expire", what, "Ask the others who did not sign or hand in keys.")]
    return []


def sentence_alarms(name: str, sentences: list[str]) -> list[Alarm]:
    """Sentences that say what is wrong and who has to act, as alarms."""
    return [Alarm(name, one, "See the handbook, Status.") for one in sentences]


def loop_alarms(verdict: Verdict | None, between: str) -> list[Alarm]:
    """Whether loops of our own stay away; `between` names who could have dropped them (loop 3)."""
    if verdict is None:
        what = "no loops are watched, so hums that are lost on the way stay unseen"
        return [Alarm("loops-unwatched", what, "See the handbook, Loops.")]
    if not verdict.alarm:
        return []
    what = f"{verdict.missing} of the newest {verdict.due} loops did not come back"
    step = (
        f"Look whether your loop sender runs; if it does, hums are lost between it and {between}."
    )
    return [Alarm("loops-missing", what, step)]


def loop_facts(verdict: Verdict | None) -> dict[str, Fact]:
    """The loops in numbers: they are our own, so nobody is counted."""
    if verdict is None:
        return {}
    return {"loops_due": verdict.due, "loops_missing": verdict.missing}


def silence_alarm(name: str, who: str, since: float, limit: float) -> list[Alarm]:
    """Whether a node has not asked, or not answered, for longer than `limit` seconds. One last
    heard far in the future was heard by a clock that was ahead, and would be missed only then."""
    if abs(since) <= limit:
        return []
    how_long = f"for more than {limit / 3600:.2g} hours"
    if since < 0:
        how_long = "since the clock here was put back"
    return [Alarm(name, f"{who} {how_long}", "Ask its operator.")]


def page(status: Status) -> bytes:
    """The same as a page: one list of alarms, one table of facts; no script, no style, no link."""
    alarms = "".join(
        f"<li><strong>{html.escape(_begun(a.what))}.</strong> {html.escape(a.next_step)} "
        f"<code>{html.escape(a.name)}</code></li>"
        for a in status.alarms
    )
    facts = "".join(
        f'<tr><th scope="row">{html.escape(name.replace("_", " "))}</th>'
        f"<td>{html.escape(str(value))}</td></tr>"
        for name, value in status.facts.items()
    )
    count = len(status.alarms)
    head = "All is well" if not count else "1 alarm" if count == 1 else f"{count} alarms"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{head}: {status.role}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<main><h1>{html.escape(status.role)}: {head}</h1>"
        + (f"<h2>What to do</h2><ol>{alarms}</ol>" if alarms else "")
        + f"<h2>State</h2><table>{facts}</table></main></html>\n"
    ).encode()


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


Report = Callable[[], Awaitable[Status]]
_HEADERS: Headers = [
    (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
]  # fmt: skip


def status_app(report: Report) -> App:
    """The listener on loopback: `/` is the page, `/status` the JSON; all else is refused.

    It has no token, since it says nothing that needs one. A request that names another host than
    loopback is refused, so that no web site reaches it through a name of its own.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if scope["type"] != "http":
            return
        known = scope["method"] == "GET" and scope["path"] in ("/", "/status")
        if not known or not _is_loopback(scope):
            await refuse(send)
            return
        status = await report()
        if scope["path"] == "/status":
            await answer(send, 200, status.encode(), [(b"content-type", _JSON), *_HEADERS])
        else:
            await answer(send, 200, page(status), [(b"content-type", _HTML), *_HEADERS])

    return app


_JSON, _HTML = b"application/json", b"text/html; charset=utf-8"


def _is_loopback(scope: Scope) -> bool:
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return len(hosts) == 1 and hosts[0].rsplit(":", 1)[0] in _NAMES
