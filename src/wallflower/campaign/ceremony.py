"""The ceremony of keys: what is agreed, what is done, and which step comes next. Spec: bundle.md 5.

Values only. `edge/ceremony.py` does the steps; whatever stops it, the next start goes on here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from wallflower.campaign.repository import TIMES, Medium, file_roles
from wallflower.campaign.verify import ROLES_MAX
from wallflower.errors import Fault
from wallflower.trust.pins import Pins
from wallflower.wire.record import DESK_NAME
from wallflower.wire.sizes import VERIFY_KEY

SIGNERS: Final = ("organisation", "a", "b")
MINISIGN_ROLE: Final = "minisign"
MAX_MEDIA: Final = 16
_NAME: Final = 100  # characters of an organisation's, desk's or medium's name


@dataclass(frozen=True, slots=True)
class Plan:
    """What people agree on before: the media by their labels, and how many of them must sign.

    `record` are the public record keys of organisation, A and B, which stay with their operators.
    """

    organisation: str
    desk: str
    labels: tuple[str, ...]
    threshold: int
    languages: tuple[str, ...]
    record: Mapping[str, bytes]

    def check(self) -> None:
        """Raise a Fault for a plan that no ceremony can keep."""
        if not 1 <= self.threshold <= len(self.labels) <= MAX_MEDIA:
            raise Fault(
                "The plan asks for more signatures than there are media",
                f"Take 1 to {MAX_MEDIA} media, and let some or all of them sign.",
            )
        if len(set(self.labels)) != len(self.labels):
            raise Fault("Two media have the same label", "Give each its own.")
        texts = (self.organisation, self.desk, *self.labels)
        if not all(text.strip() and len(text) <= _NAME and text.isprintable() for text in texts):
            raise Fault("A name is empty or too long", f"Use 1 to {_NAME} printable characters.")
        if len(self.desk.encode("utf-8")) > DESK_NAME:
            raise Fault(
                "The desk's name is longer than a record may hold",
                f"Use at most {DESK_NAME} bytes of UTF-8: a Chinese character has 3.",
            )
        if not self.languages or not all(_is_tag(tag) for tag in self.languages):
            raise Fault("A language is no tag", "Use tags such as 'en' or 'zh-Hans'.")
        if len(file_roles(self.languages)) > ROLES_MAX:  # every check would refuse what is signed
            most = ROLES_MAX - len(file_roles(()))
            raise Fault(f"There are more than {most} languages", "Name those of the texts alone.")
        sizes = [len(self.record.get(name, b"")) for name in SIGNERS]
        if sizes != [VERIFY_KEY] * len(SIGNERS) or len(set(self.record.values())) != len(SIGNERS):
            raise Fault(
                "The record keys of organisation, A and B are not three different keys",
                "Give the record.pub of each of the three operators.",
            )


def _is_tag(tag: str) -> bool:
    return tag.isascii() and 1 < len(tag) <= 20 and all(part.isalnum() for part in tag.split("-"))


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A plan and the public halves of all keys made so far. `root` is the organisation root, fixed
    by the first root and kept for good (eightwords 4); empty before. `roots` is how many roots
    have counted by now, so that the loss of the newest is seen, which leaves no gap."""

    campaign: str
    plan: Plan
    media: Mapping[str, Medium]
    online: Mapping[str, bytes]
    root: bytes = b""
    roots: int = 0

    def online_roles(self) -> list[str]:
        """Every key that lies on the publishing computer."""
        return [*file_roles(self.plan.languages), *TIMES, MINISIGN_ROLE]

    def pins(self) -> Pins:
        """The pins of the bundle: the three record keys, delegated by the offline keys."""
        keys = self.plan.record
        return Pins(self.root, keys["organisation"], keys["a"], keys["b"], self.plan.desk)

    def encode(self) -> bytes:
        """`ceremony.json`; it holds no secret."""
        plan = self.plan
        value = {
            "campaign": self.campaign, "organisation": plan.organisation, "desk": plan.desk,
            "labels": plan.labels, "threshold": plan.threshold, "languages": plan.languages,
            "record": {name: key.hex() for name, key in plan.record.items()},
            "media": {
                label: {"root": medium.root.hex(), "targets": medium.targets.hex()}
                for label, medium in self.media.items()
            },
            "online": {role: key.hex() for role, key in self.online.items()},
            "root": self.root.hex(), "roots": self.roots,
        }  # fmt: skip
        return json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8") + b"\n"


def parse_ceremony(data: bytes) -> Ceremony:
    """Read `ceremony.json`, or raise a Fault that says what to do."""
    try:
        v = json.loads(data)
        record = {name: bytes.fromhex(key) for name, key in v["record"].items()}
        plan = Plan(
            v["organisation"], v["desk"], tuple(v["labels"]), v["threshold"],
            tuple(v["languages"]), record,
        )  # fmt: skip
        media = {
            label: Medium(bytes.fromhex(m["root"]), bytes.fromhex(m["targets"]))
            for label, m in v["media"].items()
        }
        online = {role: bytes.fromhex(key) for role, key in v["online"].items()}
        root = bytes.fromhex(v["root"])
        return Ceremony(v["campaign"], plan, media, online, root, int(v.get("roots", 0)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Fault(
            "ceremony.json is damaged", "Copy the folder of keys again from its backup."
        ) from None


class Step(StrEnum):
    """What a ceremony does next."""

    PLAN = "plan"
    MEDIUM = "medium"
    ONLINE = "online"
    SIGN = "sign"
    DONE = "done"


def next_step(ceremony: Ceremony | None, signed: bool) -> tuple[Step, str]:
    """The next step, and the label of the medium that it needs if it needs a certain one.

    `signed` says that root and targets have all their signatures.
    """
    if ceremony is None:
        return Step.PLAN, ""
    for label in ceremony.plan.labels:
        if label not in ceremony.media:
            return Step.MEDIUM, label
    if set(ceremony.online_roles()) - set(ceremony.online):
        return Step.ONLINE, ""
    return (Step.DONE if signed else Step.SIGN), ""


def without_medium(ceremony: Ceremony, gone: str, new: str) -> Ceremony:
    """The ceremony with one medium replaced, or a Fault when those that remain are too few."""
    plan = ceremony.plan
    if gone not in plan.labels:
        raise Fault("There is no medium of that label", f"Known: {', '.join(plan.labels)}.")
    if new in plan.labels:
        raise Fault("A medium of that label is there already", "Give the new one another label.")
    if len(plan.labels) - 1 < plan.threshold:
        raise Fault(
            "Without that medium there are too few to sign",
            "Only a new ceremony helps: new keys, new eight words, a new film.",
        )
    labels = tuple(new if label == gone else label for label in plan.labels)
    media = {label: medium for label, medium in ceremony.media.items() if label != gone}
    return replace(ceremony, plan=replace(plan, labels=labels), media=media)
