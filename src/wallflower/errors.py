"""Faults: what happened, and what to do next. They hold no text, address, key or name of a person.

`Refused` is for bytes from outside. Inside every refusal is different (its rule is a number of
the spec, such as "cell 2.1"); to the network every refusal looks the same.
"""

from __future__ import annotations

from pathlib import Path
from shlex import quote


class Fault(Exception):
    """Something a person or an operator can act on: `what` happened and what to do `next_step`."""

    EXIT = 1  # what a command ends with

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(f"{what}. {next_step}")
        self.what = what
        self.next_step = next_step

    def __reduce__(self) -> tuple[object, ...]:
        # Python would call the class with `args`; but these are not what any of ours is made of.
        return Exception.__new__, (type(self), *self.args), self.__dict__


class Refused(Fault):
    """Bytes that break a rule of the spec; `rule` is its number, such as "letter 3.2"."""

    DROPPED = "It was dropped."  # nobody has to do anything

    def __init__(self, rule: str, what: str, next_step: str = DROPPED) -> None:
        super().__init__(what, next_step)
        self.rule = rule

    def __str__(self) -> str:
        return f"{self.what} ({self.rule}). {self.next_step}"


def typed(path: Path | str) -> str:
    """A path as a person has to type it into a shell, for a `next_step` that is a command."""
    return quote(str(path))
