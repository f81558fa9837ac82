"""The desk as a process of its own: one line, one address, one refusal, a clean end."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.host.sockets import free_port

from wallflower.desk.edge.process import SLOWEST_S, read_settings
from wallflower.errors import Fault
from wallflower.host.http import ENOUGH_S
from wallflower.host.quiet import PATIENCE_S
from wallflower.host.seats import State
from wallflower.host.settings import load_settings
from wallflower.lab.host import SeededEntropy
from wallflower.trust.pins import Pins
from wallflower.wire.segment import STEP
from wallflower.wire.sizes import RECEIPT, REPLY_SLOT

CONFIG = """
port = {port}
name = "desk one"
pins = "pins.json"

[b]
url = "http://127.0.0.1:9"
token = "b.token"

[board]
url = "http://127.0.0.1:9"
token = "board.token"

[status]
token = "status.token"
"""
RUN = (
    "import sys, pathlib; from wallflower.host.serve import run; "
    "from wallflower.desk.edge.process import main; run(main(pathlib.Path(sys.argv[1])))"
)


def configured(path: Path, port: int) -> Path:
    draw = SeededEntropy(b"pins").draw
    pins = Pins(draw(32), draw(32), draw(32), draw(32), "desk one")
    (path / "pins.json").write_bytes(pins.encode())
    for name in ("b", "board", "status"):
        (path / f"{name}.token").write_text(f"{name}-secret\n")
    (path / "desk.toml").write_text(CONFIG.format(port=port))
    return path / "desk.toml"


def status_of(port: int, path: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_desk_waits_as_long_for_a_slow_line_as_the_listener_that_takes_its_batch() -> None:
    assert SLOWEST_S >= PATIENCE_S[State.BODY] > ENOUGH_S
    largest = 6 * (STEP**2 * 13 * REPLY_SLOT + STEP**2 * 100 * RECEIPT)  # segment 4
    assert largest / 8000 < SLOWEST_S


def test_settings_name_what_is_missing(tmp_path: Path) -> None:
    config = configured(tmp_path, 8123)
    assert read_settings(load_settings(config)).board.token_file == "board.token"
    config.write_text(config.read_text().replace("[b]", "[c]"))
    with pytest.raises(Fault, match="no usable 'b'"):
        read_settings(load_settings(config))


def test_tokens_lie_in_files_until_the_desk_was_set_up_and_are_not_asked_for_after(
    tmp_path: Path,
) -> None:
    config = configured(tmp_path, 8123)
    for name in ("b", "board"):
        (tmp_path / f"{name}.token").write_text(" \n")
        with pytest.raises(Fault, match=f"{name}.token holds no token"):
            read_settings(load_settings(config))
        (tmp_path / f"{name}.token").unlink()
        with pytest.raises(Fault, match=f"{name}.token cannot be read"):
            read_settings(load_settings(config))
        (tmp_path / f"{name}.token").write_text("secret")
    (tmp_path / "b.token").unlink()
    (tmp_path / "store.json").write_text("{}")
    assert read_settings(load_settings(config)).token_files["b"] == "b.token"


def test_a_desk_whose_port_another_program_has_leads_nobody_there(tmp_path: Path) -> None:
    port = free_port()
    config = configured(tmp_path, port)
    with socket.create_server(("127.0.0.1", port)):
        done = subprocess.run(
            [sys.executable, "-m", "wallflower", "desk", str(config)],
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, b"")
    assert f"port {port}: Address already in use. Look whether".encode() in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_process_says_one_line_refuses_strangers_and_ends_when_told(tmp_path: Path) -> None:
    port = free_port()
    config = configured(tmp_path, port)
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().decode()
            assert ready.startswith(f"desk ready http://127.0.0.1:{port}/enter/")
            assert status_of(port, "/", {}) == 400
            assert status_of(port, "/status", {"Authorization": "Bearer status-secret"}) == 200
            with socket.socket() as other, pytest.raises(ConnectionRefusedError):
                other.connect(("127.0.0.2", port))  # this machine, but not the one address
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, b"", b"")


def test_who_has_an_entry_comes_in_though_nobody_reads_where_the_next_is_printed(
    tmp_path: Path,
) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(configured(tmp_path, port))], stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            entry = process.stdout.readline().decode().strip().partition(str(port))[2]
            process.stdout.close()
            assert status_of(port, entry, {}) == 303
            assert status_of(port, entry, {}) == 400
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
