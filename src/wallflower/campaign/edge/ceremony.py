"""The ceremony's steps, and the keys of removable media. Spec: bundle.md 5.

Root and targets keys are made on their medium and read from it; nothing copies them. Every step is
on the disk before the next begins, so that whatever stops it can be started again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from wallflower.campaign import ceremony_record, minisign, repository
from wallflower.campaign.ceremony import MINISIGN_ROLE, Ceremony, Plan, Step, next_step
from wallflower.campaign.edge.ceremony_keys import BOOK, RECORD, SEED, Keys, keep, no_keys
from wallflower.campaign.edge.ceremony_sign import (
    LABEL,
    as_missing,
    finish,
    missing,
    prepare,
    read_label,
    sign_pending,
)
from wallflower.campaign.eightwords import (
    RootKeys,
    fingerprint,
    ids_of,
    organisation_root,
    root_keys,
)
from wallflower.campaign.repository import OFFLINE, Medium
from wallflower.crypto import sign
from wallflower.errors import Fault
from wallflower.host.disk import Folder

Draw = Callable[[int], bytes]
_CAMPAIGN: Final = 16


class Ask(Protocol):
    """Who leads through a ceremony: a person at a terminal, or a rehearsal."""

    def plan(self) -> Plan:
        """What was agreed."""
        ...

    def medium(self, label: str) -> Path:
        """The folder of the medium of this label; of any that has not signed yet when empty."""
        ...

    def say(self, text: str) -> None:
        """Tell what was done."""
        ...

    def again(self, fault: Fault) -> bool:
        """Whether to ask for a medium again after this one did not do."""
        ...


def hold_ceremony(keys: Keys, ask: Ask, now: datetime, draw: Draw) -> Ceremony:
    """Go on from wherever the ceremony stands, to its end. Each step is durable by itself."""
    while True:
        finish(keys)  # a start before this one may have stopped within that
        found = keys.load()
        if found is not None:
            keys.check_signed(found)
        step, label = next_step(found, keys.root() is not None and keys.targets() is not None)
        if found is None:
            plan = ask.plan()
            plan.check()
            keys.folder.write(BOOK, Ceremony(draw(_CAMPAIGN).hex(), plan, {}, {}).encode())
        elif step in (Step.MEDIUM, Step.SIGN):
            try:
                _with_medium(keys, found, label, ask, now, draw)
            except Fault as fault:
                if not ask.again(fault):
                    raise
        elif step is Step.ONLINE:
            keep(keys, replace(found, online=_make_online(keys, found, draw)))
        else:
            return found


def _with_medium(
    keys: Keys, found: Ceremony, label: str, ask: Ask, now: datetime, draw: Draw
) -> None:
    """Let a medium of this label get its keys, or any that has some sign."""
    if label:
        medium = make_medium(ask.medium(label), found.campaign, label, draw)
        keep(keys, replace(found, media={**found.media, label: medium}))
        ask.say(f"Medium {label} has its keys.")
        return
    if not keys.waiting():
        prepare(keys, _with_root(found), now, OFFLINE)
    ask.say(f"Medium {sign_pending(keys, ask.medium(''))} has signed.")
    if not finish(keys):
        ask.say("Signatures missing yet: " + as_missing(missing(keys)))


def _with_root(found: Ceremony) -> Ceremony:
    ids = ids_of(medium.root for medium in found.media.values())
    return replace(found, root=organisation_root(RootKeys(ids, found.plan.threshold)))


def _make_online(keys: Keys, found: Ceremony, draw: Draw) -> dict[str, bytes]:
    publics = {}
    for role in found.online_roles():
        if (seed := keys.online.read(f"{role}.key")) is None:
            seed = draw(SEED)
            keys.online.write(f"{role}.key", seed)
        publics[role] = sign.verify_key(seed)
    return publics


def make_medium(path: Path, campaign: str, label: str, draw: Draw) -> Medium:
    """Make a root and a targets key on a medium. One that belongs elsewhere is left as it is."""
    if not path.is_dir():
        raise Fault("That medium is not there", "Insert it, and give the folder that it shows as.")
    folder = Folder(path)
    mark = {"campaign": campaign, "label": label}
    there = folder.read(LABEL)
    if there is None and {"root.key", "targets.key"} & set(folder.names()):
        raise Fault("There are other keys on that medium", "Use an empty one. Nothing was changed.")
    if there is not None and read_label(there) != mark:
        raise Fault(
            "That medium belongs to another label or campaign", "Use another. Nothing was changed."
        )
    folder.write(LABEL, json.dumps(mark).encode("utf-8"))
    return Medium(*(_made(folder, f"{role}.key", draw) for role in OFFLINE))


def _made(folder: Folder, name: str, draw: Draw) -> bytes:
    """The public half of a key, made unless a start before this one made it."""
    seed = folder.read(name)
    if seed is None:
        seed = draw(SEED)
        folder.write(name, seed)
    return sign.verify_key(seed)


def write_record(keys: Keys, now: datetime) -> bytes:
    """Write `record.txt` and `record.html` for printing; returns the fingerprint of the words."""
    found, root = keys.ceremony(), keys.root()
    if root is None:
        raise no_keys(keys.folder.path)
    mark = fingerprint(root_keys(repository.encode(root)))
    line = minisign.public_text(minisign.public_file(keys.seed(MINISIGN_ROLE)))
    for name, make in zip(RECORD, (ceremony_record.as_text, ceremony_record.as_html), strict=True):
        keys.folder.write(name, make(found, mark, line, now).encode("utf-8"))
    return mark
