"""Requests of a role on real sockets: bounded, not led elsewhere, saying nothing of us."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from tests.host.sockets import free_port, serving

from wallflower.host.asgi import App, Headers, Receive, Scope, Send, answer, read_body, refuse
from wallflower.host.http import ENOUGH_S, HttpNet
from wallflower.host.net import Silent, Unreachable, asked_host


@contextlib.asynccontextmanager
async def net() -> AsyncIterator[HttpNet]:
    one = HttpNet()
    try:
        yield one
    finally:
        await one.close()


def fixed(status: int, body: bytes, headers: Headers | None = None) -> App:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await read_body(receive, 1 << 20)
        await answer(send, status, body, headers)

    return app


class Heard:
    """An app that remembers each request and answers 200."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes, dict[bytes, bytes]]] = []

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, 1 << 20)
        assert body is not None
        self.requests.append((scope["method"], scope["path"], body, dict(scope["headers"])))
        await answer(send, 200, b"answer", [(b"set-cookie", b"who=you")])


async def test_an_answer_as_long_as_its_limit_is_taken_and_one_byte_more_is_not() -> None:
    async with serving(fixed(200, b"x" * 1000)) as port, net() as one:
        assert len(await one.get(f"http://127.0.0.1:{port}/", limit=1000)) == 1000
        with pytest.raises(Unreachable, match="longer"):
            await one.get(f"http://127.0.0.1:{port}/", limit=999)
        with pytest.raises(Unreachable, match="longer"):
            await one.post(f"http://127.0.0.1:{port}/", b"question", limit=0)


async def test_an_endless_answer_ends_at_its_limit() -> None:
    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(10_000):
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
            await asyncio.sleep(0)

    async with serving(endless) as port, net() as one:
        with pytest.raises(Unreachable, match="longer"):
            await one.get(f"http://127.0.0.1:{port}/", limit=50_000)


def by_path(headers: Headers) -> App:
    """Answers with the status that the path names."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_body(receive, 1 << 20)
        await answer(send, int(scope["path"][1:]), b"", headers)

    return app


async def test_a_redirect_is_not_followed() -> None:
    heard = Heard()
    async with serving(heard.app) as elsewhere, net() as one:
        to = [(b"location", f"http://127.0.0.1:{elsewhere}/".encode())]
        async with serving(by_path(to)) as port:
            for status in (301, 302, 303, 307, 308):
                with pytest.raises(Unreachable):
                    await one.get(f"http://127.0.0.1:{port}/{status}")
                with pytest.raises(Unreachable):
                    await one.post(f"http://127.0.0.1:{port}/{status}", b"x")
    assert heard.requests == []


async def test_any_other_status_is_a_refusal() -> None:
    async with serving(by_path([])) as port, net() as one:
        for status in (201, 206, 304, 400, 401, 404, 429, 500, 503):
            with pytest.raises(Unreachable, match="refused"):
                await one.get(f"http://127.0.0.1:{port}/{status}")
        assert await one.get(f"http://127.0.0.1:{port}/200") == b"", "the control"


async def test_the_one_refusal_of_our_servers_is_unreachable() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await refuse(send)

    async with serving(app) as port, net() as one:
        with pytest.raises(Unreachable):
            await one.post(f"http://127.0.0.1:{port}/", b"x")


async def test_nobody_listening_is_unreachable_and_names_no_address() -> None:
    async with net() as one:
        with pytest.raises(Unreachable) as fault:
            await one.get(f"http://127.0.0.1:{free_port()}/secret-path")
    assert "127.0.0.1" not in str(fault.value)
    assert "secret-path" not in str(fault.value)


@pytest.mark.parametrize("host", ["a..b", ".", "x" * 64, "a b", "[::1", "a\0b", "a:99999", ""])
async def test_a_name_that_can_be_no_host_s_is_unreachable_like_any_other(host: str) -> None:
    async with net() as one:
        with pytest.raises(Unreachable):
            await one.get(f"http://{host}/record")
        with pytest.raises(Unreachable):
            await one.post(f"http://{host}/record", b"x")


ONION = "a" * 56 + ".onion"


@pytest.mark.parametrize(
    "host", [ONION, f"{ONION}.", ONION.replace(".", "%2e"), f" {ONION}", f"{ONION},", f"x,{ONION}"]
)
async def test_no_resolver_is_asked_for_an_onion_nor_for_a_slip_in_one(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = names_asked(monkeypatch)
    async with net() as one:
        with pytest.raises(Unreachable):
            await one.get(f"http://{host}/record")
        assert asked == []
        with pytest.raises(Unreachable):
            await one.get("http://control.example/record")
    assert asked == ["control.example"], "the control"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1%lo]"])
def test_an_address_in_numbers_is_a_host(host: str) -> None:
    assert asked_host(f"http://{host}:7600/record") == host.strip("[]")


def names_asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the resolver is asked for from now on; it knows nobody."""
    asked: list[object] = []

    def resolve(host: object, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


async def test_an_answer_that_is_cut_short_is_unreachable() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, net() as one:
        with pytest.raises(Unreachable):
            await one.get(f"http://127.0.0.1:{port}/")


async def test_an_answer_that_takes_too_long_is_unreachable_however_steadily_it_comes() -> None:
    async def slow(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0.01)

    async with serving(slow) as port:
        one = HttpNet(seconds=0.2)
        with pytest.raises(Unreachable):
            await asyncio.wait_for(one.get(f"http://127.0.0.1:{port}/"), ENOUGH_S / 2)
        await one.close()


async def test_a_request_says_nothing_of_its_sender_and_brings_no_cookie_back() -> None:
    heard = Heard()
    async with serving(heard.app) as port, net() as one:
        url = f"http://127.0.0.1:{port}/cells"
        for _ in range(2):
            assert await one.get(url) == b"answer"
            assert await one.post(url, b"question") == b"answer"
        assert await one.post(url, b"question", token="tok") == b"answer"
    harmless = {b"host", b"accept", b"content-length"}
    *plain, last = heard.requests
    assert {method for method, *_ in plain} == {"GET", "POST"}
    for _, _, _, headers in plain:
        assert headers.keys() <= harmless
        assert headers.get(b"accept", b"*/*") == b"*/*"
    assert last[3].keys() <= harmless | {b"authorization"}
    assert last[3][b"authorization"] == b"Bearer tok"


async def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Heard()
    async with serving(proxy.app) as asked, serving(Heard().app) as port, net() as one:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{asked}")
        assert await one.get(f"http://127.0.0.1:{port}/") == b"answer"
    assert proxy.requests == []


async def test_who_asks_nobody_reaches_nobody_who_would_answer() -> None:
    heard = Heard()
    async with serving(heard.app) as port:
        url = f"http://127.0.0.1:{port}/"
        with pytest.raises(Unreachable):
            await Silent().get(url)
        with pytest.raises(Unreachable):
            await Silent().post(url, b"question")
    assert heard.requests == []


async def test_no_resolver_is_asked_for_an_onion_that_a_record_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: asked.append(host))
    async with net() as one:
        for name in ("a" * 56 + ".onion", "A" * 56 + "\u3002onion", "a" * 56 + ".onion."):
            with pytest.raises(Unreachable, match="Tor"):
                await one.get(f"http://{name}/board/head")
    assert asked == []
