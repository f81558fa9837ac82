"""An onion address goes through the SOCKS port that is given, with its name and unresolved."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result
from tests.campaign.made import Town
from tests.campaign.mirrors import from_mirror, mirror

from wallflower.campaign.verify import Verdict
from wallflower.cli import wallflower
from wallflower.errors import Fault
from wallflower.trust.pins import Pins

ONION = "a" * 56 + ".onion"


def _read(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise OSError
        data += piece
    return data


def _pump(source: socket.socket, to: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            to.sendall(piece)
        to.shutdown(socket.SHUT_WR)
    except OSError:
        return


def _serve(client: socket.socket, port: int, asked: list[tuple[int, bytes]]) -> None:
    """SOCKS 5 (RFC 1928), CONNECT only; whatever the name, it is our own mirror."""
    with client, socket.create_connection(("127.0.0.1", port)) as there:
        _read(client, _read(client, 2)[1])
        client.sendall(b"\x05\x00")
        kind = _read(client, 4)[3]
        name = _read(client, _read(client, 1)[0] if kind == 3 else 4)
        _read(client, 2)
        asked.append((kind, name))
        client.sendall(b"\x05\x00\x00\x01" + bytes(6))
        back = threading.Thread(target=_pump, args=(there, client), daemon=True)
        back.start()
        _pump(client, there)
        back.join(5)


@contextmanager
def socks(port: int, asked: list[tuple[int, bytes]]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=_serve, args=(client, port, asked), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("host", [ONION, ONION.replace(".", chr(0x3002)) + "."])
def test_an_onion_is_asked_through_socks_by_its_name(first: Town, host: str) -> None:
    asked: list[tuple[int, bytes]] = []
    with mirror(first.site) as url, socks(urlsplit(url).port or 0, asked) as port:
        report = from_mirror(first, f"http://{host}/", {"socks": port})
    assert report.verdict is Verdict.GENUINE
    assert set(asked) == {(3, ONION.encode())}


PINS = Pins(bytes(32), bytes(32), bytes(32), bytes(32), "Office")
SOFT = "o\u00adn"
SPELLINGS = (
    f"http://{ONION}/", f"http://{ONION.upper()}:80/", f"http://{ONION}./",
    *(f"http://{ONION.replace('.', dot)}/" for dot in ("\u3002", "\uff0e", "\uff61", "%2e")),
    f"http://{ONION.replace('onion', 'ｏｎｉｏｎ')}/", f"http://{ONION.replace('on', SOFT)}/",
)  # fmt: skip


def asked_of_a_resolver(command: str, url: str, folder: Path) -> tuple[list[object], Result]:
    """Which names a command has a resolver look for, and how it ended. None is found."""
    asked: list[object] = []

    def resolve(host: object, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror

    (folder / "pins.json").write_bytes(PINS.encode())
    line = {
        "verify": ["verify", url],
        "visit": ["visit", "--pins", f"{folder}/pins.json", "--store", f"{folder}/me",
                  "--mirror", url],
    }[command]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolve)
        return asked, CliRunner().invoke(wallflower, line)


@pytest.mark.parametrize("url", SPELLINGS)
@pytest.mark.parametrize("command", ["verify", "visit"])
def test_no_resolver_learns_of_an_onion_however_it_is_spelled(
    command: str, url: str, tmp_path: Path
) -> None:
    asked, done = asked_of_a_resolver(command, url, tmp_path)
    assert not asked
    assert isinstance(done.exception, Fault) or done.exit_code == 2, done.exception


@pytest.mark.parametrize("command", ["verify", "visit"])
def test_control_a_resolver_is_asked_of_any_other_name(command: str, tmp_path: Path) -> None:
    asked, _ = asked_of_a_resolver(command, "http://mirror.example/", tmp_path)
    assert asked == ["mirror.example"]
