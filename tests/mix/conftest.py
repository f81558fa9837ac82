"""Fixtures of the mixes' tests: both need the same rooms."""

from tests.mix.room import make_room

__all__ = ["make_room"]
