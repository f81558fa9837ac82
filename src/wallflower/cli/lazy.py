"""Commands that are imported when one of them is typed: a role starts in half the time, and holds
nothing of what others need."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping

import click


class Commands(MutableMapping[str, click.Command]):
    """Commands by their names, each out of "module:name" when it is asked for."""

    def __init__(self, places: dict[str, str]) -> None:
        self._places = places
        self._known: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._known:
            module, _, attribute = self._places[name].partition(":")
            self._known[name] = getattr(importlib.import_module(module), attribute)
        return self._known[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._known[name] = command

    def __delitem__(self, name: str) -> None:
        self._places.pop(name, None)
        self._known.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places | self._known)

    def __len__(self) -> int:
        return len(self._places | self._known)
