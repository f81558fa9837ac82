"""Drives one target with atheris (libFuzzer).

    python tests/fuzz/fuzz.py NAME FOLDER [libFuzzer options and folders to read]

`NAME` is one of targets.py, or `planted`: a copy of a parser with a fault in it, for the control.
What is found is written into FOLDER. Only `make nightly` installs atheris (requirements/fuzz.txt).
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["wallflower", "tests.fuzz.planted"]):
    from tests.fuzz import planted
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz one target; libFuzzer ends the process."""
    name, folder, options = sys.argv[1], sys.argv[2], sys.argv[3:]
    one = planted.TARGET if name == "planted" else TARGETS[name]

    def run(data: bytes) -> None:
        one(data)

    # libFuzzer writes what it finds into the first folder and only reads the others.
    atheris.Setup([sys.argv[0], folder, *options], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
