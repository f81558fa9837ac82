"""HTTP as every listener speaks it: one refusal, a bounded head, and an end to every waiting.

uvicorn gives a connection that never finishes its head, its body, or reading its answer all the
time in the world. Here each state of a connection has its own patience, and a seat that it may have
to give up when a listener is full (seats.py).
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wallflower.host.asgi import REFUSAL_HEADERS
from wallflower.host.seats import Seats, State, prefix_of

# The parser itself knows no limit: bytes of one request's line and headers, and of all that is not
# its body behind them (chunks' heads and trailers); its fields; requests before the first's answer.
MOST_HEAD = 16_384
MOST_FIELDS = 128
MOST_AHEAD = 16
KEEP_ALIVE_S = 150  # a hum takes 90 s, and a front end keeps its own for 120
# How long a connection may stay in a state. A head of 1 kB takes a second on a line of 1 kB/s, a
# cell two and a half; the largest body that we know, a desk's batch for the largest board, takes
# two minutes at 8 kB/s. Ingress is stricter about its bodies (routes.py).
PATIENCE_S = {State.HEAD: 30.0, State.BODY: 150.0, State.ANSWER: 300.0, State.IDLE: KEEP_ALIVE_S}
LINGER_S = 30.0  # for what was written before a close; who reads nothing by then is cut off
REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\n"
    + b"".join(name + b": " + value + b"\r\n" for name, value in REFUSAL_HEADERS)
    + b"\r\n"
)


class _TooMuch(Exception):
    """More of something than any client of ours sends. Raised out of the parser, which stops there
    and calls it broken HTTP."""


class QuietHttp(HttpToolsProtocol):
    """Bytes that are not HTTP get the same refusal as everything else, and so does an endless head.

    Who asks for leave to send a body (100-continue) is not answered before the one answer.
    """

    _head = 0  # bytes of a head that is not complete
    _body = 0  # of those that came last, how many are of a body
    _framing = 0  # bytes behind a head that are of no body
    _state = State.HEAD
    _patience: asyncio.TimerHandle | None = None
    _until = 0.0
    _rings_at = 0.0

    def __init__(self, seats: Seats, most: int | None, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._seats = seats
        self._most = most
        self._asked = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a seat, somebody else's when there is none left."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        stays, leaving = self._seats.enter(self, prefix_of(address), self.loop.time())
        if isinstance(leaving, QuietHttp):
            leaving.cut_off()
        if stays:
            self._turn(State.HEAD)
        else:
            self.cut_off()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the seat."""
        self._seats.leave(self)
        self._wait(None)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request's head begins. Each that waits for the answers of others costs memory."""
        if len(self.pipeline) >= MOST_AHEAD:
            raise _TooMuch
        self._turn(State.HEAD)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field has ended. Behind a body it would be kept too, without an end."""
        if self._state is not State.HEAD or len(self.headers) >= MOST_FIELDS:
            raise _TooMuch
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A request's head has ended."""
        self._turn(State.BODY)
        self.expect_100_continue = False
        super().on_headers_complete()
        self._asked += 1
        if self._asked == self._most:  # its answer says so, and nobody asks here again
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A piece of a body has come."""
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request has come whole."""
        self._turn(State.IDLE if self._answered() else State.ANSWER)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is written; the next request may have begun long before."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._wait(LINGER_S)
        elif self._state is State.ANSWER and self._answered():
            self._turn(State.IDLE)

    def _answered(self) -> bool:
        return self.cycle.response_complete and not self.pipeline

    def data_received(self, data: bytes) -> None:
        """Feed the parser; refuse what has grown too long."""
        if self._state is State.IDLE:  # any byte begins a head, also one that the parser skips
            self._turn(State.HEAD)
        before, self._body = self._state, 0
        super().data_received(data)
        stays = self._state is State.BODY and before is State.BODY
        self._head = self._head + len(data) if self._state is State.HEAD else 0
        self._framing = self._framing + len(data) - self._body if stays else 0
        if max(self._head, self._framing) > MOST_HEAD:
            self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """Refuse without saying why, once."""
        if not self.transport.is_closing():
            self.transport.write(REFUSAL)
            self._close()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing was asked for as long as we keep connections."""
        self._close()

    def cut_off(self) -> None:
        """End the connection now, whatever is under way."""
        self._wait(None)
        self.transport.abort()

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
            self._wait(LINGER_S)

    def _turn(self, state: State) -> None:
        """Be in a state from now on, and not for ever."""
        if self.transport.is_closing():
            return
        self._state = state
        self._seats.turn(self, state, self.loop.time())
        self._wait(PATIENCE_S[state])

    def _wait(self, seconds: float | None) -> None:
        """Give up after so many seconds from now, or never.

        A request passes through four states, and a timer for each would cost a tenth of its work:
        a timer that rings too early is kept, and looks again.
        """
        self._until = self.loop.time() + (seconds or 0.0)
        if self._patience is not None:
            if seconds is not None and self._rings_at <= self._until:
                return
            self._patience.cancel()
            self._patience = None
        if seconds is not None:
            self._rings_at = self._until
            self._patience = self.loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._patience = None
        left = self._until - self.loop.time()
        if left > 0:
            self._wait(left)
        else:
            self._give_up()

    def _give_up(self) -> None:
        """A state has lasted too long. Who asked for nothing yet is told nothing."""
        if self.transport.is_closing():
            self.cut_off()
        elif self._state is State.BODY and not self.cycle.response_started:
            self.send_400_response("")
        else:
            self._close()
