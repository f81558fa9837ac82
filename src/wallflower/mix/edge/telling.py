"""What B tells the desk server each hour: its newest drop's hash, loops that came, the census.

All of it is about the town, none of it about a person; what fails is told with the next hour.
"""

from __future__ import annotations

from contextlib import suppress

from wallflower.crypto.derive import sha256
from wallflower.host.net import Net, Unreachable
from wallflower.mix.edge.census import Census
from wallflower.mix.edge.loops import Loops
from wallflower.mix.edge.state import State


class Telling:
    """B's posts to the desk server, under B's own token."""

    def __init__(
        self, net: Net, board: str, token: str, state: State, loops: Loops, census: Census
    ) -> None:
        self._net = net
        self._board = board
        self._token = token
        self._state = state
        self._loops = loops
        self._census = census
        self._told = b""  # the hash of the census that the desk server took

    async def step(self) -> None:
        """Tell what there is to tell. What is not taken holds up nothing else."""
        for tell in (self._drop_head, self._tell_loops, self._tell_census):
            with suppress(Unreachable):
                await tell()

    async def _drop_head(self) -> None:
        """The newest drop's hash goes on the board: a forked chain is seen (segment 1.3)."""
        head = self._state.data("drop_head")
        if head:
            await self._post("drop-head", head)

    async def _tell_loops(self) -> None:
        tokens = self._loops.to_tell()
        if tokens:
            await self._post("loops", b"".join(tokens))
            with self._state.transaction():
                self._loops.told(tokens)

    async def _tell_census(self) -> None:
        file = self._census.file()
        if file and sha256(file) != self._told:
            await self._post("census", file)
            self._told = sha256(file)

    async def _post(self, what: str, body: bytes) -> None:
        await self._net.post(f"{self._board}/mix/{what}", body, self._token)
