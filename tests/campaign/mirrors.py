"""Mirrors on real sockets, honest and not."""

from __future__ import annotations

import gzip
import http.server
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.campaign.made import LATER, Town

from wallflower.campaign.edge.verify import check
from wallflower.campaign.edge.verify_fetch import MirrorPlace
from wallflower.campaign.edge.verify_metadata import Trust
from wallflower.campaign.verify import Report

# Mirror and asker are one process, which may stand still for as long as others want the machine.
PATIENT = dict.fromkeys(("head_s", "gap_s", "grace_s"), 600.0)


def from_mirror(town: Town, url: str, limits: dict[str, Any] | None = None, **trust: Any) -> Report:
    """Check a mirror; `limits` are those of MirrorPlace."""
    place = MirrorPlace(url, **{**PATIENT, **(limits or {})})
    try:
        return check(place, Trust(**{"words": town.words, **trust}), LATER)
    finally:
        place.close()


class Handler(http.server.SimpleHTTPRequestHandler):
    """A static server; `bad` names a path and what is done to whoever asks for it, or the status
    that is answered. `heads` gets the headers of every request."""

    def __init__(
        self, *args: Any, bad: dict[str, str], heads: list[dict[str, str]], **kwargs: Any
    ) -> None:
        self._bad, self._heads = bad, heads
        super().__init__(*args, **kwargs)

    def end_headers(self) -> None:
        """Every answer would like to be remembered."""
        self.send_header("Set-Cookie", "who=you; Path=/")
        super().end_headers()

    def do_GET(self) -> None:
        """Serve, or misbehave until the other side hangs up."""
        self._heads.append({name.lower(): value for name, value in self.headers.items()})
        how = self._bad.get(self.path)
        if how is None:
            super().do_GET()
            return
        self.close_connection = True
        if how.isdigit():
            self.send_response(int(how))
            self.send_header("Location", "https://moved.example/")
            self.end_headers()
            return
        try:
            getattr(self, f"_{how}")()
        except OSError:
            return

    def _endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(bytes(65536))

    def _dripping(self) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"{")
            time.sleep(0.02)

    def _silent(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"{")
        self.connection.recv(1)

    def _headless(self) -> None:
        while True:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: y")
            time.sleep(0.02)

    def _short(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"{")

    def _packed(self) -> None:
        data = gzip.compress(Path(self.translate_path(self.path)).read_bytes())
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _elsewhere(self) -> None:
        self.send_response(302)
        self.send_header("Location", "/app.js")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def mirror(
    folder: Path, bad: dict[str, str] | None = None, heads: list[dict[str, str]] | None = None
) -> Iterator[str]:
    """A mirror of a folder while the block runs; gives its address."""
    handler = partial(
        Handler, directory=str(folder), bad=bad or {}, heads=[] if heads is None else heads
    )
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
