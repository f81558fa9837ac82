"""Raw openings by one process and by two at once: what this machine gives two processes at most.

Two virtual processors may be one core, or share it with others; then no program is twice as quick
by two. So `two_process_speedup` has this beside it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

from bench.parts import Part
from wallflower.crypto import hpke
from wallflower.host.entropy import OsEntropy

_SEALS = 64


def _open(connection: Connection) -> None:
    """In a process of its own: each number that comes is so many openings, and is answered."""
    draw = OsEntropy().draw
    private, info = hpke.PrivateKey.from_seed(draw(32)), hpke.info("hop-a", draw(32))
    seals = [hpke.seal(private.public, info, draw(32)) for _ in range(_SEALS)]
    connection.send(0.0)
    while count := connection.recv():
        cpu = time.process_time()
        for n in range(count):
            hpke.open_sealed(private, info, seals[n % _SEALS])
        connection.send(time.process_time() - cpu)


@contextmanager
def _started() -> Iterator[list[Connection]]:
    """Two processes that are ready; they end with the block."""
    context = get_context("spawn")
    pairs = [context.Pipe() for _ in range(2)]
    processes = [context.Process(target=_open, args=(far,), daemon=True) for _, far in pairs]
    for process, (_, far) in zip(processes, pairs, strict=True):
        process.start()
        far.close()  # so that one that ends is noticed and not waited for
    near = [connection for connection, _ in pairs]
    try:
        for connection in near:
            connection.recv()
        yield near
    finally:
        for connection in near:
            connection.send(0)
        for process in processes:
            process.join(20)


def by_two(count: int, rounds: int) -> dict[str, Part]:
    """So many openings by one process, and half by each of two, in turns; of each the quickest
    round by the wall, as of the mixes."""
    parts: dict[str, list[Part]] = {"raw alone": [], "raw by two": []}
    with _started() as both:
        for _ in range(rounds):
            parts["raw alone"].append(_timed(both[:1], count))
            parts["raw by two"].append(_timed(both, count // 2))
    return {name: min(runs, key=lambda p: p.wall_s) for name, runs in parts.items()}


def _timed(connections: list[Connection], count: int) -> Part:
    began = time.perf_counter()
    for connection in connections:
        connection.send(count)
    cpu = sum(connection.recv() for connection in connections)
    return Part(count * len(connections), time.perf_counter() - began, cpu)
