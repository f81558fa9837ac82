"""What a check of a bundle found, and how to say it to people. Spec: bundle.md 6.

Values only; `edge/verify.py` looks. Names that come from outside are judged here, before anything
is looked up or written by them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from wallflower.campaign.repository import DEPTH, MANIFEST, METADATA, MINISIGN, PINS, SIGNATURE
from wallflower.errors import Refused

NAME_MAX: Final = 200  # bytes of UTF-8
FILE_MAX: Final = 1 << 30
FILES_MAX: Final = 10_000
ROLES_MAX: Final = 64  # delegated ones: three, and one a language
METADATA_MAX: Final = 4 << 20
MADE: Final = frozenset({PINS, MINISIGN, MANIFEST, SIGNATURE})
SITE: Final = "site"
NEXT: Final = "Do not use this copy; take another one."
_FORBIDDEN: Final = frozenset('\\:*?"<>|%#\x7f')


def check_name(name: str) -> str:
    """The name of a file of a bundle, or Refused (bundle 6.12): relative, plain, and no way out."""
    parts = name.split("/")
    plain = name.isprintable() and not _FORBIDDEN & set(name)
    inside = all(part.strip() == part and part not in ("", ".", "..") for part in parts)
    if not plain or not inside or len(parts) > DEPTH or len(name.encode("utf-8")) > NAME_MAX:
        raise Refused("bundle 6.12", "A file has a name that leads elsewhere, or is unfit", NEXT)
    if unicodedata.normalize("NFC", name) != name:
        raise Refused("bundle 6.12", "A file's name is written in two ways", NEXT)
    return name


def is_metadata(name: str) -> bool:
    """Whether a name lies in the folder of TUF metadata."""
    return name == METADATA or name.startswith(f"{METADATA}/")


class Verdict(StrEnum):
    """What came out, from best to worst."""

    GENUINE = "genuine"
    OLD = "old"
    UNCOMPARED = "uncompared"
    REFUSED = "refused"


EXIT: Final = {Verdict.GENUINE: 0, Verdict.REFUSED: 1, Verdict.OLD: 3, Verdict.UNCOMPARED: 4}


@dataclass(frozen=True, slots=True)
class Difference:
    """One file that is not as it was signed; `rule` is the number of the spec. `broke_off`: a
    mirror did not give it to its end, which says nothing of the file."""

    name: str
    rule: str
    what: str
    broke_off: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a check can tell. `compared` is whether the words, a kept root or an earlier
    check stood behind it; `rule` and `what` say why it was refused. `parts` are those of the bundle
    that the copy holds, `file` the name in the bundle of one file that was checked alone,
    `unreviewed` the languages that no reader has checked."""

    verdict: Verdict
    rule: str = ""
    what: str = ""
    next_step: str = ""
    organisation: str = ""
    version: int = 0
    root_version: int = 0
    fresh_until: datetime | None = None
    words: str = ""
    chinese: str = ""
    digits: str = ""
    files: int = 0
    parts: tuple[str, ...] = ()
    file: str = ""
    unreviewed: tuple[str, ...] = ()
    compared: bool = False
    differs: tuple[Difference, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The report for programs; times are ISO 8601 in UTC."""
        fields = asdict(self) | {"verdict": self.verdict.value}
        until = self.fresh_until
        return fields | {"fresh_until": until.isoformat() if until else None, "exit": self.exit}

    @property
    def exit(self) -> int:
        """The exit code of `wallflower verify`."""
        return EXIT[self.verdict]


def refused_report(refused: Refused) -> Report:
    """The report of a copy that nothing good can be said of."""
    return Report(Verdict.REFUSED, refused.rule, refused.what, refused.next_step)


def verdict_of(differs: tuple[Difference, ...], old: bool, compared: bool) -> Verdict:
    """The worst of what was found counts: who signed it comes before whether it is the newest,
    since a forgery grows old too."""
    if differs:
        return Verdict.REFUSED
    if not compared:
        return Verdict.UNCOMPARED
    return Verdict.OLD if old else Verdict.GENUINE


_PARTS: Final = {SITE: "the whole site", "carried": "the whole copy to carry by hand"}
_HEADS: Final = {
    Verdict.GENUINE: "GENUINE. Every file is as the organisation signed it, and up to date.",
    Verdict.UNCOMPARED: "COMPLETE, BUT BY WHOM? Every file is as it was signed. Whether the right "
    "people signed it, only the eight words can tell.",
    Verdict.OLD: "OLD. Every file is as it was signed, but the promise to be up to date has ended: "
    "somebody may be holding newer files back.",
    Verdict.REFUSED: "NOT GENUINE. Do not use this copy, and do not pass it on.",
}


_UNFINISHED: Final = (
    "NOT CHECKED TO THE END. Do not use this copy before it was, and do not pass it on."
)
_BROKE_OFF: Final = ("bundle 6.9", "bundle 6.10")
ENDED: Final = "bundle 6.7"


def as_text(report: Report) -> str:
    """The report for a person who has never heard of signatures."""
    broke_off = report.rule in _BROKE_OFF and all(d.broke_off for d in report.differs)
    lines = [_UNFINISHED if broke_off else _HEADS[report.verdict], ""]
    if report.what:
        lines += [f"Why: {report.what} ({report.rule}). {report.next_step}", ""]
    if report.differs:
        lines.append("What did not come:" if broke_off else "What differs:")
        lines += [f"  {d.name}: {d.what} ({d.rule})" for d in report.differs[:50]]
        lines += [f"  … and {len(report.differs) - 50} more"] if len(report.differs) > 50 else []
        lines.append("")
    if report.words:
        lines += _about(report)
    if report.rule == ENDED:
        lines += [
            "Next: look for a newer version over a network, and check that too:",
            "  wallflower verify ADDRESS_OF_A_MIRROR",
        ]
    return "\n".join(lines).rstrip()


def _about(report: Report) -> list[str]:
    until = f"{report.fresh_until:%Y-%m-%d %H:%M} UTC" if report.fresh_until else "unknown"
    compared = (
        "  They are those that you gave, or that were kept from before."
        if report.compared
        else "  Compare them with those that the film shows and says: all eight, in order."
    )
    parts = (_PARTS.get(part, part) for part in report.parts)
    holds = f"the file {report.file} of the bundle" if report.file else " and ".join(parts)
    unread = (
        [f"No reader has checked its text in: {', '.join(report.unreviewed)}"]
        if report.unreviewed
        else []
    )
    return [
        f"It calls itself: {report.organisation}",
        f"It is: {holds}",
        *unread,
        f"Version: {report.version} (keys: {report.root_version}), files checked: {report.files}",
        f"Promised to be up to date until: {until}",
        f"The eight words: {report.words}",
        f"  in Chinese: {report.chinese}",
        f"  in digits: {report.digits}",
        compared,
        "",
    ]
