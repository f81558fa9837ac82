"""What every listener says on the wire: one refusal for all that is not HTTP, and no name."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket

import pytest
from tests.host.sockets import exchange, free_port, line, listening, request, serving, until

from wallflower.errors import Fault
from wallflower.host import quiet
from wallflower.host import serve as serving_of
from wallflower.host.asgi import Receive, Scope, Send, answer, read_body, refuse
from wallflower.host.quiet import KEEP_ALIVE_S, PATIENCE_S
from wallflower.host.seats import State
from wallflower.host.serve import Listener, serve
from wallflower.lab.host import SeededEntropy

REFUSAL = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

NOT_HTTP = {
    "text": b"hello\r\n\r\n",
    "a TLS hello": bytes.fromhex("16030100c8010000c40303") + bytes(64),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "zeros": bytes(64),
    "another version": b"GET / HTTP/9.9\r\n\r\n",
    "HTTP 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "a length and chunks": (
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a negative length": b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "a chunk that is no number": (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    ),
    "a header without a colon": b"GET / HTTP/1.1\r\nnothing\r\n\r\n",
    "a path that is not ASCII": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT": b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
}


async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
    await refuse(send)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await read_body(receive, 10_000)
    if body is None:
        await refuse(send)
    else:
        await answer(send, 200, body)


async def test_bytes_that_are_not_http_get_the_one_refusal() -> None:
    async with serving(echo) as port:
        got = {name: await exchange(port, data) for name, data in NOT_HTTP.items()}
    assert got == dict.fromkeys(NOT_HTTP, REFUSAL)


async def test_a_refusing_app_sends_the_same_bytes() -> None:
    async with serving(refusing) as port:
        assert await exchange(port, request("GET")) == REFUSAL


async def test_an_answer_carries_no_server_and_no_date() -> None:
    async with serving(echo) as port:
        got = await exchange(port, request("POST", "/", b"12345", "Connection: close"))
    assert got == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n12345"


async def test_waiting_for_permission_to_send_changes_no_byte_of_a_refusal() -> None:
    async with serving(echo) as port:
        asked = request("POST", "/", b"x" * 10_001, "Expect: 100-continue")
        assert await exchange(port, asked) == REFUSAL


async def test_a_head_without_end_is_refused_instead_of_kept() -> None:
    """One connection must not be able to fill the memory of the exposed server."""
    async with serving(echo) as port, line(port) as one:
        one.writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n")

        async def talk() -> None:
            while True:
                one.writer.write(b"x-more: " + b"x" * 1000 + b"\r\n")
                await one.writer.drain()
                await asyncio.sleep(0)

        talking = asyncio.ensure_future(talk())
        try:
            async with asyncio.timeout(10):
                assert (await one.reader.read(len(REFUSAL))) in (REFUSAL, b"")
        except ConnectionError:
            pass  # it hung up on us while we were still talking
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)


async def test_one_header_line_without_end_is_refused_too() -> None:
    async with serving(echo) as port:
        try:
            got = await exchange(port, b"GET / HTTP/1.1\r\nx: ", *(b"y" * 4096 for _ in range(64)))
        except ConnectionError:
            return
        assert got in (REFUSAL, b"")


async def test_large_bodies_and_many_requests_on_one_connection_are_not_taken_for_heads() -> None:
    async with serving(echo) as port, line(port) as one:
        for _ in range(40):
            head = await one.ask(request("POST", "/", b"x" * 9000))
            assert head == b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n"
            assert await one.reader.readexactly(9000) == b"x" * 9000


async def test_an_upgrade_is_not_taken_up() -> None:
    async with serving(echo) as port:
        asked = request("POST", "/", b"abc", "Connection: Upgrade", "Upgrade: websocket")
        got = await exchange(port, asked)
    assert got.startswith(b"HTTP/1.1 200 OK\r\n"), "not 101; what follows is not read as a body"


async def test_any_noise_is_refused_alike() -> None:
    draw = SeededEntropy(b"noise").draw
    async with serving(refusing) as port:
        for size in range(1, 60):
            assert await exchange(port, b"\x00" + draw(size) + b"\r\n\r\n") == REFUSAL


async def test_an_error_beside_ends_every_listener() -> None:
    ports = free_port(), free_port()
    fail = asyncio.Event()

    async def work() -> None:
        await fail.wait()
        raise ValueError("the work beside failed")

    task = asyncio.ensure_future(serve([Listener(echo, "127.0.0.1", p) for p in ports], work()))

    async def both() -> bool:
        return all([await listening(p) for p in ports])

    await until(both, "both listen")
    fail.set()
    with pytest.raises(ValueError, match="the work beside failed"):
        await asyncio.wait_for(task, 10)
    assert not any([await listening(p) for p in ports])


async def test_a_port_that_is_taken_is_a_fault_before_anything_listens_or_works() -> None:
    first, taken = free_port(), free_port()
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()

    listeners = [Listener(echo, "127.0.0.1", port) for port in (first, taken)]
    with (
        socket.create_server(("127.0.0.1", taken)),
        pytest.raises(Fault, match=f"The system said of port {taken}: Address already in use") as e,
    ):
        await serve(listeners, work())
    assert "127.0.0.1" not in str(e.value)
    assert not begun.is_set()
    assert not await listening(first)


@pytest.mark.parametrize(
    ("host", "said"),
    [("a..b", "is no address"), ("[::1]", "is no address"), ("192.0.2.1", "Cannot assign")],
)
async def test_a_host_that_is_not_of_this_machine_is_a_fault(host: str, said: str) -> None:
    with pytest.raises(Fault, match=said) as fault:
        await serve([Listener(echo, host, free_port())])
    assert host not in str(fault.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", ""])
async def test_work_begins_when_connections_are_taken(host: str) -> None:
    port = free_port()
    found: list[bool] = []

    async def work() -> None:
        found.append(await listening(port))

    await asyncio.wait_for(serve([Listener(echo, host, port)], work()), 10)
    assert found == [True]


@pytest.mark.parametrize("said", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT])
async def test_a_name_with_an_ipv6_address_is_listened_at_where_ipv6_is_turned_off(
    said: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As localhost has one in a container. It alone is a fault all the same."""
    port, bind = free_port(), socket.socket.bind
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
    ]

    def refused(one: socket.socket, address: tuple[object, ...]) -> None:
        if one.family == socket.AF_INET6:
            raise OSError(said, "no IPv6")
        bind(one, address)

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket.socket, "bind", refused)
    with contextlib.ExitStack() as held:
        one = Listener(echo, "localhost", port)
        (bound,) = serving_of._listen(one, 16, held)
        assert bound.getsockname() == ("127.0.0.1", port)
        del found[1]
        with pytest.raises(Fault, match="The system said"):
            serving_of._listen(one, 16, held)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
async def test_an_ipv6_address_is_listened_at_and_no_other() -> None:
    port = free_port()

    async def work() -> None:
        _, writer = await asyncio.open_connection("::1", port)
        writer.close()
        assert not await listening(port), "not on IPv4"

    await asyncio.wait_for(serve([Listener(echo, "::1", port)], work()), 10)


def test_connections_are_kept_at_least_two_minutes() -> None:
    assert KEEP_ALIVE_S >= 120


SHORT_S = 0.3


def short(patch: pytest.MonkeyPatch, state: State, seconds: float = SHORT_S) -> None:
    """Within, a connection may be in this state for a moment only."""
    patch.setitem(PATIENCE_S, state, seconds)


HALF = request("POST", "/", b"12345")[:20]


@pytest.mark.parametrize("sent", [b"", b"P", HALF, b"\r\n"])
async def test_a_head_that_is_never_finished_is_closed_without_a_word(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    short(monkeypatch, State.HEAD)
    async with serving(echo) as port, line(port) as one:
        assert await one.ask(sent) == b""


@pytest.mark.parametrize("sent", [b"P", HALF, b"\r\n"])
async def test_nor_may_the_next_head_on_a_kept_connection_take_for_ever(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    short(monkeypatch, State.HEAD)
    async with serving(echo) as port, line(port) as one:
        assert await one.ask(request("POST")) == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        assert await one.ask(sent) == b""


async def test_a_head_that_trickles_gains_no_time_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    short(monkeypatch, State.HEAD)
    async with serving(echo) as port, line(port) as one:
        one.writer.write(b"POST / HTTP/1.1\r\nx: ")

        async def trickle() -> None:
            while True:
                one.writer.write(b"y")
                await asyncio.sleep(SHORT_S / 10)

        trickling = asyncio.ensure_future(trickle())
        try:
            async with asyncio.timeout(10):
                assert await one.reader.read() == b""
        except ConnectionError:
            pass  # it hung up on us while we were still talking
        finally:
            trickling.cancel()
            await asyncio.gather(trickling, return_exceptions=True)


async def test_a_body_that_is_never_finished_gets_the_one_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short(monkeypatch, State.BODY)
    async with serving(echo) as port:
        assert await exchange(port, request("POST", "/", b"12345")[:-1]) == REFUSAL


@pytest.mark.alone
async def test_each_head_and_body_has_its_time_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """An honest hum takes 90 s over one connection, however short a head or a body may take."""
    patience, pause = 0.8, 0.3  # what all pauses are longer than, and each is far below
    short(monkeypatch, State.HEAD, patience)
    short(monkeypatch, State.BODY, patience)
    async with serving(echo) as port, line(port) as one:
        for _ in range(2):
            whole = request("POST", "/", b"12345")
            await asyncio.sleep(pause)
            one.writer.write(whole[:10])
            await asyncio.sleep(pause)
            one.writer.write(whole[10:-1])
            await asyncio.sleep(pause)
            assert (await one.ask(whole[-1:])).startswith(b"HTTP/1.1 200 OK")
            assert await one.reader.readexactly(5) == b"12345"


async def test_an_idle_connection_outlives_every_other_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for state in (State.HEAD, State.BODY, State.ANSWER):
        short(monkeypatch, state)
    async with serving(echo) as port, line(port) as one:
        for _ in range(2):
            assert (await one.ask(request("POST"))).startswith(b"HTTP/1.1 200 OK")
            await asyncio.sleep(2 * SHORT_S)


async def test_an_answer_that_nobody_reads_does_not_hold_its_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quiet, "LINGER_S", SHORT_S)
    short(monkeypatch, State.ANSWER)
    ended = asyncio.Event()

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(64):
            await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
        ended.set()

    async with serving(large) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        try:
            writer.write(request("GET"))

            async def over() -> bool:
                return ended.is_set()

            await until(over, "the server gives the answer up", 10)
            read = 0
            try:
                async with asyncio.timeout(10):
                    while piece := await reader.read(1 << 16):
                        read += len(piece)
            except ConnectionError:
                pass
            except TimeoutError:
                raise AssertionError("it was never cut off") from None
            assert read < 64 << 20, "it was cut off"
        finally:
            writer.close()


async def test_a_full_listener_takes_the_newcomer_and_closes_the_oldest_half_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving_of, "seats_of", lambda *_: [4])
    async with serving(echo) as port:
        halves = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        try:
            for _, writer in halves:
                writer.write(HALF)
            assert (await exchange(port, request("POST"))).startswith(b"HTTP/1.1 200 OK")
            async with asyncio.timeout(10):
                assert await ended_at(halves[0][0])
            assert not halves[3][0].at_eof()
        finally:
            for _, writer in halves:
                writer.close()


async def ended_at(reader: asyncio.StreamReader) -> bool:
    """Whether the other side ends the connection without a word."""
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True
