"""What would let somebody who has one mirror find another.

In 2022 one site of a covert network led to 885 others, by names, addresses and habits that they
shared. A mirror names nobody, and its name follows no pattern.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import combinations
from stringprep import in_table_b1, map_table_b2

from wallflower.campaign.addresses import host_of, shown
from wallflower.campaign.authoring import Authored

_NETWORK_V4, _NETWORK_V6 = 24, 48  # neighbours: whoever scans one scans the other


def linked(authored: Authored, films: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What links two mirrors, or a copy to a mirror. `films`: what each film says, by its name."""
    hosts = [host_of(address) for address in authored.mirrors]
    places = {place: _spellings(text) for place, text in _places(authored, films).items()}
    for host in hosts:
        for place in _named_in(places, host):
            yield (
                f"{place} names the mirror {host}",
                "Take it out: every copy would lead whoever has it to that mirror.",
            )
        for name in _names_of_films(authored, host):
            yield (
                f"The film {name} is called after the mirror {host}",
                "Give it another name: what is signed names it in every copy.",
            )
    for one, other in combinations(hosts, 2):
        if habit := _shared(one, other):
            yield (
                f"The mirrors {one} and {other} {habit}",
                "Give each a name, a registrar, an address and a day of its own.",
            )


def _places(authored: Authored, films: Mapping[str, str]) -> dict[str, str]:
    """place -> all that a copy shows of it."""
    places = {
        f"{code}.md": "\n".join((text.name, text.title, text.lead, text.about, text.body))
        for code, text in authored.texts.items()
    }
    places["the organisation"] = authored.organisation
    places["a way"] = " ".join(authored.ways)
    places["a board"] = " ".join(authored.boards)
    places["the films and cards"] = authored.address
    return places | dict(films)


def _spellings(text: str) -> tuple[str, str]:
    """A text as names are read in it, and with the Chinese full stop as the dot that browsers take
    it for."""
    plain = _read(text)
    return plain, plain.replace("\u3002", ".")


def _read(text: str) -> str:
    """Letters as names are compared (RFC 3454, B.1 and B.2): without those that are not seen, as
    Persian has them within its words, and ß as ss."""
    seen = "".join(map_table_b2(sign) for sign in text if not in_table_b1(sign))
    return unicodedata.normalize("NFKC", seen)


def _names(host: str) -> tuple[str, str]:
    """A host in ASCII and in its own script, as a text is read."""
    return host, _read(shown(host))


def _names_of_films(authored: Authored, host: str) -> Iterator[str]:
    """The names of files that are handed out as films, and hold a host's."""
    names = (path.name for path in (*authored.films, *authored.more_films))
    yield from (name for name in names if any(one in _read(name) for one in _names(host)))


def _named_in(places: Mapping[str, tuple[str, str]], host: str) -> Iterator[str]:
    """The places that name a host, in ASCII or in its own script. Only ASCII borders a name:
    Chinese has no spaces between words, and its characters are letters too."""
    names = "|".join(map(re.escape, _names(host)))
    pattern = re.compile(rf"(?<![A-Z0-9_-])(?<![A-Z0-9_-]\.)(?:{names})(?![A-Z0-9_-])", re.I)
    yield from (place for place, said in places.items() if any(map(pattern.search, said)))


def _shared(one: str, other: str) -> str | None:
    """What the two have in common that can be searched for."""
    if _address(one) and _address(other):
        return "are in one network" if _neighbours(one, other) else None
    if one == other:
        return "are the same"
    if _parent(one) == _parent(other):
        return f"are both under {_parent(one)}"
    if re.sub(r"\d+", "#", one) == re.sub(r"\d+", "#", other):
        return "differ only in a number"
    if one.split(".")[0] == other.split(".")[0] and len(one.split(".")[0]) > len("www"):
        return f"both begin with '{one.split('.')[0]}'"
    if _parent(one).split(".")[0] == _parent(other).split(".")[0]:
        return f"are both called '{_parent(one).split('.')[0]}'"
    return None


def _parent(host: str) -> str:
    """The last two labels: without the public suffix list a guess that errs towards a finding."""
    return ".".join(host.split(".")[-2:])


def _address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _neighbours(one: str, other: str) -> bool:
    first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    bits = _NETWORK_V4 if first.version == 4 else _NETWORK_V6
    return second in ipaddress.ip_network(f"{first}/{bits}", strict=False)


def not_judged(authored: Authored) -> Iterator[str]:
    """What only the operators can see to."""
    if len(authored.mirrors) > 1:
        yield ("who asked for the mirrors' certificates, and from where: one mirror, one account")
        yield (
            "all mirrors serve the same bytes, so whoever scans the whole net for them finds every "
            "open mirror; an onion or a mirror that asks for a name first is not found so"
        )
