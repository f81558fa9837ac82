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

NAMES: Final = len(_PLANTS) * _NUMBERS


def name_of(drawn: int) -> str:
    """The name for a number in [0, NAMES), such as "Juniper 42"."""
    plant, number = divmod(drawn % NAMES, _NUMBERS)
    return f"{_PLANTS[plant]} {_FIRST + number}"
