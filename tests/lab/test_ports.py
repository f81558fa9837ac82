"""A port of the demo or of a test is nobody else's, whether its server is up or not."""

from __future__ import annotations

import errno
import socket
from contextlib import closing

import pytest

from wallflower.lab.demo.ports import hold_ports


def taken(port: int) -> bool:
    """Whether the system refuses this port to a socket that goes out."""
    with socket.socket() as other:
        try:
            other.bind(("127.0.0.1", port))
        except OSError as error:
            assert error.errno == errno.EADDRINUSE
            return True
    return False


def test_a_port_stays_ours_before_its_server_is_up_and_after_it_has_ended() -> None:
    with closing(hold_ports(("a", "b"))) as held:
        a, b = held.numbers.values()
        assert a != b
        assert taken(a)
        for _ in range(2):
            with socket.create_server(("127.0.0.1", a)) as server:
                with socket.create_connection(("127.0.0.1", a)):
                    server.accept()[0].close()
                assert taken(a)
            assert taken(a)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", a))
    assert not taken(b)
