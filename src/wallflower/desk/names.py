"""Short neutral names of conversations, for people: the id itself is never shown.

A name is drawn at random, so it says nothing about order of arrival or about the source.
"""

from __future__ import annotations

from typing import Final

_PLANTS: Final = (
    "Alder", "Anise", "Aspen", "Basil", "Birch", "Borage", "Briar", "Cedar", "Chive", "Clover",
    "Cress", "Cumin", "Daisy", "Dill", "Elder", "Fennel", "Fern", "Flax", "Gorse", "Hazel",
    "Heath", "Holly", "Hops", "Iris", "Ivy", "Jasmine", "Juniper", "Kale", "Larch", "Laurel",
    "Lilac", "Linden", "Lotus", "Lupin", "Mallow", "Maple", "Mint", "Moss", "Myrtle", "Nettle",
    "Oak", "Olive", "Orchid", "Peony", "Pine", "Plum", "Poplar", "Quince", "Reed", "Rowan",
    "Rue", "Rush", "Sage", "Sedge", "Sorrel", "Spruce", "Tansy", "Thyme", "Tulip", "Vetch",
    "Violet", "Willow", "Yarrow", "Yew",
)  # fmt: skip
_FIRST: Final = 10
_NUMBERS: Final = 90
_TRIES: Final = 8


def plants_of(tries: int) -> int:
    """Of how many plants a name is made after so many draws met one that is taken: one more after
    each eight, so that a flood of first letters never uses the names up."""
    return 1 + tries // _TRIES


def names(plants: int) -> int:
    """How many names there are of so many plants."""
    return int(len(_PLANTS) ** plants) * _NUMBERS


def name_of(drawn: int, plants: int = 1) -> str:
    """The name for a number below `names(plants)`, such as "Juniper 42" or "Fern Juniper 42"."""
    rest, number = divmod(drawn, _NUMBERS)
    words = []
    for _ in range(plants):
        rest, plant = divmod(rest, len(_PLANTS))
        words.append(_PLANTS[plant])
    return f"{' '.join(reversed(words))} {_FIRST + number}"
