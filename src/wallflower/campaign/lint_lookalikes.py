"""Names that look or sound like ours: what others could register, and what our own invite.

Look-alike characters are Unicode's confusables (confusable-homoglyphs), sounds of Chinese
characters are pypinyin's over the 3,755 characters of GB 2312's first level.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations
from typing import Final

from confusable_homoglyphs import confusables
from pypinyin import Style, pinyin

from wallflower.campaign.addresses import parts_of, shown
from wallflower.campaign.authoring import Authored

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_MISREAD: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"))
_SOUNDS: Final = (
    ("ph", "f"), ("ck", "k"), ("c", "k"), ("s", "z"), ("y", "i"), ("ee", "ea"), ("to", "2"),
    ("for", "4"), ("one", "1"), ("you", "u"),
)  # fmt: skip
_SHOWN: Final = 6  # of each kind; the list is for people


def names_of(authored: Authored) -> list[str]:
    """The names that people know us by: handles, the last part of links, hosts; each once."""
    found: dict[str, None] = {}
    for text in [entry.text for entry in authored.published] + [authored.address]:
        for word in text.split():
            parts = parts_of(word.lstrip("@"))
            last = parts.path.strip("/").split("/")[-1].removeprefix("@")
            for name in (parts.hostname or "", last):
                if name:
                    found[name.casefold()] = None
    return list(found)


def confusing(authored: Authored) -> Iterator[tuple[str, str]]:
    """What about our own names invites a fake."""
    names = names_of(authored)
    for name in names:
        own = shown(name)
        if confusables.is_dangerous(own, preferred_aliases=["latin", "common"]):
            yield (
                f"'{own}' mixes scripts whose letters look alike",
                "Choose a name in one script: nobody can tell it from a fake.",
            )
        if misread := [pair for pair in _MISREAD[:2] if pair[0] in own]:
            yield (
                f"'{own}' has '{misread[0][0]}', which is read as '{misread[0][1]}'",
                "Choose another name, or register the other reading and add it to 'owned'.",
            )
    for one, other in combinations(names, 2):
        if _distance_is_one(one, other):
            yield (
                f"'{one}' and '{other}' are both yours and differ in one letter",
                "Use one name everywhere: people who see two will trust a third.",
            )


def to_register(authored: Authored) -> Iterator[str]:
    """For each name: what others could register, without what is owned already."""
    for name in names_of(authored):
        for kind, found in (
            ("one letter", one_letter(name)), ("looks alike", homoglyphs(name)),
            ("sounds alike", sounds(name)),
        ):  # fmt: skip
            free = [other for other in found if other not in authored.owned]
            if free:
                some = ", ".join(free[:_SHOWN])
                yield f"{name}, {kind}: {len(free)} names others can take, such as {some}"


def one_letter(name: str) -> list[str]:
    """Names at one letter's distance: left out, twice, swapped, another."""
    places = [at for at, sign in enumerate(name) if sign.isalnum()]
    found = [name[:at] + name[at + 1 :] for at in places]
    found += [name[:at] + name[at] + name[at:] for at in places]
    found += [name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in places[:-1]]
    found += [name[:at] + letter + name[at + 1 :] for at in places for letter in _LETTERS]
    return _others(name, found)


def homoglyphs(name: str) -> list[str]:
    """Names with one letter put in that Unicode calls confusable, and misread pairs."""
    found = []
    for entry in confusables.is_confusable(name, greedy=True, preferred_aliases=[]) or []:
        for glyph in entry["homoglyphs"]:
            sign = glyph["c"].strip("\u200e\u200f")
            if _can_be_in_a_name(sign):
                found.append(name.replace(entry["character"], sign))
    found += [name.replace(one, other) for one, other in _MISREAD]
    found += [name.replace(other, one) for one, other in _MISREAD]
    if name.count(".") > 1:
        found.append(name.replace(".", "", 1))  # the dot that nobody misses
    return _others(name, found)


def _can_be_in_a_name(sign: str) -> bool:
    """Whether a domain may hold it: IDNA takes small letters and digits that NFKC leaves alone."""
    stable = unicodedata.normalize("NFKC", sign) == sign == sign.lower()
    return len(sign) == 1 and sign.isalnum() and stable


def sounds(name: str) -> list[str]:
    """Names that are said alike: Chinese characters of one sound, English spellings of one."""
    found = [name.replace(one, other, 1) for one, other in _SOUNDS if one in name]
    found += [name.replace(other, one, 1) for one, other in _SOUNDS if other in name]
    for at, sign in enumerate(name):
        for other in _same_sound().get(_sound(sign), ()) if _is_han(sign) else ():
            found.append(name[:at] + other + name[at + 1 :])
    return _others(name, found)


def _is_han(sign: str) -> bool:
    return re.match(r"[\u4e00-\u9fff]", sign) is not None


def _sound(sign: str) -> str:
    """A character's sound without its tone: tones are what a listener gets wrong."""
    sound: str = pinyin(sign, style=Style.NORMAL)[0][0]
    return sound


@cache
def _same_sound() -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            sign = bytes((high, low)).decode("gb2312", "ignore")
            if sign:
                groups.setdefault(_sound(sign), []).append(sign)
    return {sound: tuple(signs) for sound, signs in groups.items()}


def _others(name: str, found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(other for other in found if other and other != name))


def _distance_is_one(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    longer, shorter = sorted((one, other), key=len, reverse=True)
    if len(longer) == len(shorter):
        return sum(a != b for a, b in zip(longer, shorter, strict=True)) == 1
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))
