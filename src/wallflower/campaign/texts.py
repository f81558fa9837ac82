"""A campaign's text in one language: a Markdown file with a few lines of TOML in front.

A translation says which source text it translates by the fingerprints of that text's sections, so
that a changed section is found by name.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from typing import Final

from wallflower.crypto.derive import sha256
from wallflower.errors import Fault

_FRONT: Final = re.compile(r"\A\+\+\+\n(.*?)\n\+\+\+\n(.*)\Z", re.S)
# The whole field, over as many lines as it takes; fingerprints hold no bracket.
_OF: Final = re.compile(r"^[ \t]*of[ \t]*=[^\]]*\][^\n]*\n?", re.M)
_SECTION: Final = re.compile(r"(?m)^## ")
_SPOKEN: Final = ("name", "title", "lead", "about")
_PRINT: Final = 8  # hexadecimal digits of a fingerprint: it finds changes, it guards nothing


@dataclass(frozen=True, slots=True)
class Text:
    """One language of a campaign.

    `about` is what the film shows, for those who cannot watch it. `reviewed`: a reader of the
    language checked it. `of` are the fingerprints of the source's sections that this translates.
    """

    language: str
    name: str
    title: str
    lead: str
    about: str
    reviewed: bool
    of: tuple[str, ...]
    body: str

    @property
    def sections(self) -> tuple[str, ...]:
        """The texts in front, and each part that begins with a heading of the second level."""
        front = "\n".join((self.name, self.title, self.lead, self.about))
        return (front, *(part for part in _SECTION.split(self.body) if part.strip()))

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """One for each section; white space does not count."""
        return tuple(
            sha256(" ".join(part.split()).encode()).hex()[:_PRINT] for part in self.sections
        )

    @property
    def headings(self) -> tuple[str, ...]:
        """What each section is called."""
        return ("the lines in front", *(part.split("\n", 1)[0] for part in self.sections[1:]))

    def html(self) -> str:
        """The body as the page shows it, or a Fault that says what may not stand there."""
        # Here and not above: every command of every process reads this module, few read Markdown.
        from wallflower.campaign.texts_markup import rendered

        return rendered(self.body, self.language)


def parse_text(language: str, raw: str) -> Text:
    """Read one language's file, or raise a Fault that names the file and what is missing."""
    found = _FRONT.match(raw.replace("\r\n", "\n"))
    if found is None:
        raise Fault(
            f"{language}.md does not begin with its lines between +++",
            "Copy them from another language and translate them.",
        )
    try:
        front = tomllib.loads(found[1])
    except tomllib.TOMLDecodeError as error:
        raise Fault(f"{language}.md: its first lines are not TOML", f"Correct: {error}.") from None
    except RecursionError:
        raise Fault(
            f"{language}.md: its first lines are not TOML that can be read", "Write fewer brackets."
        ) from None
    for key in _SPOKEN:
        if not isinstance(front.get(key), str) or not front[key].strip():
            raise Fault(f"{language}.md says nothing for '{key}'", "Write it between the +++.")
    of = front.get("of", [])
    if not isinstance(of, list) or not all(isinstance(one, str) for one in of):
        raise Fault(f"{language}.md: 'of' is no list of fingerprints", "Remove that line.")
    name, title, lead, about = (str(front[key]).strip() for key in _SPOKEN)
    return Text(
        language, name, title, lead, about, front.get("reviewed") is True, tuple(of), found[2]
    )


def outdated(text: Text, source: Text) -> list[str]:
    """The source's sections that `text` does not translate as they are now, by their headings."""
    if len(text.sections) != len(source.sections):
        return [f"it has {len(text.sections) - 1} sections and not {len(source.sections) - 1}"]
    said = text.of + ("",) * len(source.sections)
    pairs = zip(said, source.fingerprints, source.headings, strict=False)
    return [heading for old, now, heading in pairs if old != now]


def lost_items(text: Text, source: Text) -> list[str]:
    """Sections whose lists are shorter than the source's: an advice that only some would get."""
    counts = [len(re.findall(r"(?m)^(?:[-*]|\d+\.) ", part)) for part in text.sections]
    wanted = [len(re.findall(r"(?m)^(?:[-*]|\d+\.) ", part)) for part in source.sections]
    pairs = zip(counts, wanted, source.headings, strict=False)
    return [heading for have, want, heading in pairs if have < want]


def with_fingerprints(language: str, raw: str, source: Text) -> str:
    """A translation's file that says: this translates the source as it is now.

    Everything else in it stays as it was; a Fault where only a person can change its `of`.
    """
    before = parse_text(language, raw)
    found = _FRONT.match(raw.replace("\r\n", "\n"))
    assert found is not None  # noqa: S101  # parse_text has looked
    line = "of = [" + ", ".join(f'"{one}"' for one in source.fingerprints) + "]"
    front, had = _OF.subn(f"{line}\n", found[1] + "\n", count=1)
    front = front if had else f"{line}\n{front}"  # not behind it, where a table may have begun
    written = f"+++\n{front.rstrip()}\n+++\n{found[2]}"
    try:
        after = parse_text(language, written)
    except Fault:
        after = None
    if after != replace(before, of=source.fingerprints):
        raise Fault(f"The 'of' of {language}.md cannot be changed", f"Write it yourself: {line}")
    return written
