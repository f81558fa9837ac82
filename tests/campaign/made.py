"""A small campaign with keys of its own: three media, two of which sign, and a folder of files."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, MetaFile

from wallflower.campaign import repository
from wallflower.campaign.ceremony import Plan
from wallflower.campaign.edge.ceremony import hold_ceremony
from wallflower.campaign.edge.ceremony_keys import Keys
from wallflower.campaign.edge.ceremony_sign import finish, sign_pending
from wallflower.campaign.edge.sign_folder import sign_folder
from wallflower.campaign.edge.verify import check
from wallflower.campaign.edge.verify_metadata import Trust
from wallflower.campaign.edge.verify_places import FolderPlace
from wallflower.campaign.eightwords import eight_words
from wallflower.campaign.verify import Report
from wallflower.crypto import sign
from wallflower.crypto.derive import sha256
from wallflower.errors import Fault

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
LABELS = ("1", "2", "3")
RECORD = {name: sign.verify_key(sha256(name.encode())) for name in ("organisation", "a", "b")}
PLAN = Plan("Office for Clean Hands", "Office", LABELS, 2, ("en", "zh-Hans"), RECORD)


def seeded(name: str) -> Callable[[int], bytes]:
    """Entropy that repeats: SHA-256 over a name and a counter."""
    count = iter(range(1 << 30))
    return lambda size: sha256(f"{name} {next(count)}".encode())[:size]


class Folders:
    """Leads through a ceremony with folders for media."""

    def __init__(self, place: Path, plan: Plan = PLAN, signing: tuple[str, ...] = LABELS) -> None:
        self._place, self._plan, self._signing = place, plan, iter(signing)
        self.said: list[str] = []

    def plan(self) -> Plan:
        return self._plan

    def medium(self, label: str) -> Path:
        path = self._place / f"medium-{label or next(self._signing)}"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def say(self, text: str) -> None:
        self.said.append(text)

    def again(self, fault: Fault) -> bool:
        return False


@dataclass(frozen=True)
class Town:
    """Keys, media and a signed folder below one place."""

    place: Path

    @property
    def keys(self) -> Keys:
        return Keys(self.place / "keys")

    @property
    def site(self) -> Path:
        return self.place / "site"

    @property
    def words(self) -> str:
        root = self.keys.root()
        assert root is not None
        return eight_words(repository.encode(root))

    def medium(self, label: str) -> Path:
        return self.place / f"medium-{label}"

    def sign(self, now: datetime = NOW) -> None:
        sign_folder(self.site, self.keys, now)

    def approve(self, *labels: str) -> bool:
        """Let media sign what waits, then let it count if that was enough."""
        for label in labels:
            sign_pending(self.keys, self.medium(label))
        return finish(self.keys)

    def check(self, now: datetime = LATER, **trust: Any) -> Report:
        return check(FolderPlace(self.site), Trust(**{"words": self.words, **trust}), now)

    def online(self, role: str) -> bytes:
        return self.keys.seed(role)

    def metadata(self, role: str) -> Path:
        """The published file of a role."""
        found = [p for p in (self.site / "tuf").iterdir() if p.name.endswith(f"{role}.json")]
        return sorted(found, key=lambda p: int(p.name.split(".")[0]) if "." in p.stem else 0)[-1]

    def read(self, role: str) -> Metadata[Any]:
        return Metadata.from_bytes(self.metadata(role).read_bytes())

    def forge(
        self, role: str, change: Callable[[Any], None], seeds: tuple[bytes, ...]
    ) -> Metadata[Any]:
        """Published metadata changed and signed with these seeds alone, in its place."""
        metadata = self.read(role)
        change(metadata.signed)
        metadata.signatures.clear()
        repository.sign_with(metadata, seeds)
        path = self.metadata(role)
        name = path.name if role == "timestamp" else f"{metadata.signed.version}.{role}.json"
        path.unlink()
        (path.parent / name).write_bytes(repository.encode(metadata))
        return metadata

    def point(self, version: int = 0, meta: dict[str, MetaFile] | None = None) -> None:
        """A snapshot and a timestamp by this place's own keys, as a thief of both would make."""

        def shot(signed: Any) -> None:
            signed.version = version or signed.version + 1
            signed.meta.update({f"{role}.json": held for role, held in (meta or {}).items()})

        snapshot = self.forge("snapshot", shot, (self.online("snapshot"),))

        def stamp(signed: Any) -> None:
            signed.version = version or signed.version + 1
            data = repository.encode(snapshot)
            signed.snapshot_meta = repository._meta(snapshot.signed.version, data)

        self.forge("timestamp", stamp, (self.online("timestamp"),))


def page(pins: bytes) -> str:
    """A page that carries pins as the built one does."""
    held = json.dumps({**json.loads(pins), "hurry": True})
    return f'<!doctype html><meta name="wallflower-pins" content="{html.escape(held)}"><p>film'


def make_town(place: Path, draw: Callable[[int], bytes]) -> Town:
    """A ceremony, and a folder with a file for each role, signed once."""
    town = Town(place)
    found = hold_ceremony(town.keys, Folders(place), NOW, draw)
    files = {
        "index.html": page(found.pins().encode()).encode(), "app.js": b"hum()\n",
        "film/00": b"moving " * 999, "film/01": b"film!\n", "en/how.html": b"<p>how",
        "zh-Hans/how.html": "<p>怎么".encode(), "ways.json": b"[]\n", "cards/卡片 1.png": b"png",
    }  # fmt: skip
    for name, data in files.items():
        (town.site / name).parent.mkdir(parents=True, exist_ok=True)
        (town.site / name).write_bytes(data)
    town.sign()
    return town


def copy(town: Town, place: Path) -> Town:
    """The same town somewhere else, to be changed."""
    shutil.copytree(town.place, place, dirs_exist_ok=True)
    return Town(place)


def image(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }
