"""Replacing a key that was lost, stolen or grew old. Spec: bundle.md 7.

Each lays out what the media have to sign; until they have, everything stays as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tuf.api.metadata import Root, Targets

from wallflower.campaign.ceremony import Ceremony, without_medium
from wallflower.campaign.edge.ceremony import Draw, make_medium
from wallflower.campaign.edge.ceremony_keys import NEXT, SEED, Keys
from wallflower.campaign.edge.ceremony_sign import finish, prepare
from wallflower.campaign.repository import OFFLINE, TIMES
from wallflower.crypto import sign
from wallflower.errors import Fault, typed


def replace_role(keys: Keys, role: str, now: datetime, draw: Draw) -> None:
    """A new key for an online role; the old one counts until the media have signed."""
    found = _settled(keys)
    if role not in found.online:
        raise Fault("There is no such role", f"Known: {', '.join(found.online)}.")
    seed = draw(SEED)
    keys.online.write(f"{role}.key{NEXT}", seed)
    changed = replace(found, online={**found.online, role: sign.verify_key(seed)})
    prepare(keys, changed, now, (Root.type,) if role in TIMES else (Targets.type,))


def replace_medium(
    keys: Keys, gone: str, label: str, path: Path, now: datetime, draw: Draw
) -> None:
    """A new medium for one that was lost or stolen: a new root, signed by the old one's media too,
    and targets signed again, since a signature of the gone medium counts no more."""
    changed = without_medium(_settled(keys), gone, label)
    medium = make_medium(path, changed.campaign, label, draw)
    prepare(keys, replace(changed, media={**changed.media, label: medium}), now, OFFLINE)


def replace_record(keys: Keys, record: Mapping[str, bytes], now: datetime) -> None:
    """Other record keys of organisation, A or B: new pins, so a new bundle."""
    found = _settled(keys)
    plan = replace(found.plan, record={**found.plan.record, **record})
    plan.check()
    prepare(keys, replace(found, plan=plan), now, (Targets.type,))


def renew(keys: Keys, now: datetime) -> None:
    """The same keys for another term: root and targets get new dates."""
    prepare(keys, _settled(keys), now, OFFLINE)


def _settled(keys: Keys) -> Ceremony:
    finish(keys)  # the power may have gone within that
    found = keys.ceremony()
    if keys.waiting():
        raise Fault(
            "Another change still waits for signatures",
            f"Type: wallflower keys sign {typed(keys.folder.path)} --medium FOLDER, or give it up: "
            f"wallflower keys drop {typed(keys.folder.path)}",
        )
    return found
