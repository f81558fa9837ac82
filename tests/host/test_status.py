"""The operator's listener: a page and a JSON on loopback, and the one refusal for all else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from wallflower.host.status import (
    Alarm,
    Status,
    loop_alarms,
    page,
    record_alarms,
    silence_alarm,
    status_app,
)
from wallflower.wire.loop import Verdict

ILL = Status("mix a", [Alarm("x", "the <tick> is late", "Look & see.")], {"ticks_late": 3})


async def _ask(path: str, *hosts: bytes, method: str = "GET") -> tuple[int, bytes]:
    status, body = 0, b""

    async def report() -> Status:
        return ILL

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        nonlocal status, body
        status = message.get("status", status)
        body += message.get("body", b"")

    named = [(b"host", host) for host in hosts]
    scope = {"type": "http", "method": method, "path": path, "headers": named}
    await status_app(report)(scope, receive, send)
    return status, body


async def test_the_page_and_the_json_say_the_same() -> None:
    status, body = await _ask("/status", b"127.0.0.1:7612")
    assert status == 200
    assert json.loads(body)["alarms"] == [
        {"name": "x", "what": "the <tick> is late", "next_step": "Look & see."}
    ]
    status, shown = await _ask("/", b"localhost:7612")
    assert status == 200
    assert b"The &lt;tick&gt; is late." in shown
    assert b"Look &amp; see. <code>x</code>" in shown  # the name that the handbook has


@pytest.mark.parametrize(("path", "host", "method"), [
    ("/", b"evil.example", "GET"), ("/", b"", "GET"), ("/", b"127.0.0.1.evil.example", "GET"),
    ("/status", b"evil.example:7612", "GET"), ("/x", b"127.0.0.1", "GET"),
    ("/status", b"127.0.0.1", "POST"),
])  # fmt: skip
async def test_another_host_path_or_method_gets_the_one_refusal(
    path: str, host: bytes, method: str
) -> None:
    assert await _ask(path, host, method=method) == (400, b"")


async def test_a_request_that_does_not_name_one_host_gets_the_one_refusal() -> None:
    for hosts in ([], [b"localhost", b"evil.example"], [b"evil.example", b"localhost"]):
        assert await _ask("/status", *hosts) == (400, b"")


def test_the_page_is_accessible_and_has_no_script_style_or_link() -> None:
    text = page(ILL).decode()
    assert text.startswith('<!doctype html><html lang="en">')
    assert re.search(r"<title>.+</title>", text)
    assert len(re.findall("<h1>", text)) == 1
    assert re.findall(r"<h\d>", text) == ["<h1>", "<h2>", "<h2>"], "no level is skipped"
    assert '<th scope="row">ticks late</th>' in text
    tags = re.findall(r"<([a-z0-9]+)([^>]*)>", text)
    assert {name for name, _ in tags} == {
        "html", "meta", "title", "main", "h1", "h2", "ol", "li", "strong", "table", "tr", "th",
        "td", "code",
    }  # fmt: skip
    attributes = {one for _, rest in tags for one in re.findall(r" ([\w-]+)=", rest)}
    assert attributes == {"lang", "charset", "name", "content", "scope"}
    assert "All is well" in page(Status("mix a", [], {})).decode()


def test_the_page_leaves_names_and_units_as_they_are_written() -> None:
    said = "less than 100 MiB of disk is free for B"
    assert (
        "<strong>Less than 100 MiB of disk is free for B.</strong>"
        in page(Status("mix b", [Alarm("x", said, "Make room.")], {})).decode()
    )


def test_each_part_rings_at_its_limit_and_not_before() -> None:
    assert [a.name for a in record_alarms(False, 3)] == ["no-record"]
    assert [a.name for a in record_alarms(True, 1)] == ["keys-expire"]
    assert record_alarms(True, 2) == []
    assert record_alarms(True, -1)[0].what == "the keys expire: records are signed 0 days ahead"
    assert silence_alarm("x", "A has not asked", 7200, 7200) == []
    assert silence_alarm("x", "A has not asked", 7201, 7200)[0].what == (
        "A has not asked for more than 2 hours"
    )
    assert silence_alarm("x", "A has not asked", -7200, 7200) == []
    assert loop_alarms(Verdict(96, 5, False), "A") == []
    assert loop_alarms(Verdict(96, 40, True), "A")[0].what == (
        "40 of the newest 96 loops did not come back"
    )
