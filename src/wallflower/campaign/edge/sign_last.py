"""Which copy a set of keys signed last: that one alone counts, and no other is made old unasked.
And whether the keys still hold all that they signed.

All keys of a campaign sign one line of versions. Of two copies that differ, of two channels for
one, the one that was signed first is older than the other, and gets no new date. Spec: bundle 4.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Final

from tuf.api.metadata import Timestamp

from wallflower.campaign.ceremony import Ceremony
from wallflower.campaign.edge.ceremony_keys import Keys, ends
from wallflower.campaign.page_pins import page_pins
from wallflower.campaign.repository import METADATA, TIMES, file_roles
from wallflower.errors import Fault, typed

_LAST: Final = "signed.json"
_STAMP: Final = f"{Timestamp.type}.json"
_INDEX: Final = "index.html"


def check_one_copy(site: Path, keys: Keys, now: datetime) -> None:
    """A Fault when these keys signed a copy of another channel last, or one that still lies in
    another folder, and that one still counts."""
    channel, folder = _last(keys)
    if folder is None or ends(keys).get(Timestamp.type, now) <= now:
        return
    if channel != _channel(site):
        other = "of another channel"
    elif folder != site.resolve() and _is_last(folder, keys):
        other = "in another folder"
    else:
        return
    raise Fault(
        f"These keys signed a copy {other} last, and they make one copy count: once this one is "
        "signed, that one gets no new date, and is called older by whoever has seen this one",
        "Sign one copy only. If this one takes the place of that one, add --instead.",
    )


def note_copy(site: Path, keys: Keys) -> None:
    """Write down which copy was signed last."""
    said = {"channel": _channel(site), "folder": str(site.resolve())}
    keys.folder.write(_LAST, json.dumps(said).encode())


def lost(keys: Keys, found: Ceremony) -> list[str]:
    """The online roles whose metadata was there once and is gone: signed anew it would begin at
    version 1, which everybody refuses who has seen a later one. Roles are signed in this order, so
    that a first signing that was cut short lacks none before one that is there."""
    roles = [*file_roles(found.plan.languages), *TIMES]
    held = [role for role in roles if keys.metadata.read(f"{role}.json") is not None]
    begun = held == roles[: len(held)] and keys.folder.read(_LAST) is None
    return [] if begun else [role for role in roles if role not in held]


def way_back(keys: Keys) -> str:
    """What to do where roles are lost."""
    return (
        "Copy it whole again from its backup. Without one, type: wallflower verify ADDRESS "
        "--keep published, then: "
        f"wallflower keys restored {typed(keys.folder.path)} published"
    )


def _last(keys: Keys) -> tuple[int, Path | None]:
    try:
        said = json.loads(keys.folder.read(_LAST) or b"")
        return int(said["channel"]), Path(said["folder"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0, None


def _channel(site: Path) -> int:
    """The number that a page carries for the census; 0 where there is no page that has one."""
    try:
        pins = page_pins((site / _INDEX).read_text("utf-8", "replace"))
    except FileNotFoundError:
        return 0
    found = pins[0].get("channel") if pins else None
    return found if isinstance(found, int) else 0


def _is_last(folder: Path, keys: Keys) -> bool:
    try:
        return (folder / METADATA / _STAMP).read_bytes() == keys.metadata.read(_STAMP)
    except OSError:
        return False
