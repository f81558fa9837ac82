"""The real desk of a town and its handler, who unlocks it after each start; and what its inbox
holds in the end, read out of its store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.faults.crew import UP_S, Crew
from tests.host.sockets import until

from wallflower.desk.edge.store import create_store, open_store
from wallflower.desk.header import Cost
from wallflower.errors import Fault
from wallflower.host.disk import Folder
from wallflower.host.entropy import OsEntropy
from wallflower.lab.demo.handler import PASSPHRASE, Handler

# A guess at this passphrase costs nothing. With the real cost three hundred starts would be spent
# on it, and no instant that a kill could hit is in there.
_CHEAP = Cost(memory_kib=1024, passes=1, lanes=1)
_READY = "desk ready "


@dataclass
class Office:
    """Has the parts that `Desk` of desk.py has; letters are counted at its end only."""

    crew: Crew
    letters: Counter[str] = field(default_factory=Counter)
    drops: int = 0
    faults: list[tuple[str, int]] = field(default_factory=list)  # what it refused, by rule

    async def begin(self) -> None:
        """Make the store and start the desk; it hands in its keys by itself."""
        folder = Folder(self.crew.folder("desk"))
        create_store(folder, OsEntropy(), PASSPHRASE, PASSPHRASE, _CHEAP).close()
        await self.start("desk")

    async def start(self, role: str) -> None:
        """Start a process; a desk is unlocked too, by its pages."""
        before = len(self._doors())
        await self.crew.start(role)
        if role != "desk":
            return

        async def announced() -> bool:
            return len(self._doors()) > before

        await until(announced, "the desk says where to enter", UP_S)
        self.crew.town.desk_door = self._doors()[-1]
        handler = Handler(self.crew.town)
        broken: Fault | None = None
        try:
            await handler.unlock()
        except Fault as fault:  # whoever cannot unlock has lost every letter
            broken = fault
        finally:
            await handler.close()
        assert broken is None, f"the desk is not unlocked again: {broken}"

    def _doors(self) -> list[str]:
        log = self.crew.town.folder / "desk.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.removeprefix(_READY) for line in lines if line.startswith(_READY)]

    def complaints(self) -> str:
        """What the desk printed besides its doors."""
        lines = (self.crew.town.folder / "desk.log").read_text().splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith(_READY))

    async def read(self) -> None:
        """Nothing but looking how far it has read: it reads by itself."""
        status = await self.crew.town.status("desk")
        self.drops = status.get("drops", self.drops)

    async def end(self) -> None:
        """End the desk, and count every letter of its inbox."""
        process = self.crew.processes.pop("desk")
        process.terminate()
        await process.wait()
        store = open_store(Folder(self.crew.folder("desk")), PASSPHRASE)
        self.letters.update(str(text) for (text,) in store.run("SELECT text FROM letters"))
        self.faults = [(str(r), int(n)) for r, n in store.run("SELECT rule, count FROM faults")]
        store.close()

    def twice(self) -> list[str]:
        """The letters that stand in the inbox more than once."""
        return sorted(text for text, count in self.letters.items() if count > 1)
