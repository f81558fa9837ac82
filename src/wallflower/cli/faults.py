"""What the system refused to a command, as a Fault."""

from __future__ import annotations

import os
from pathlib import Path

from wallflower.errors import Fault


def fault_of(error: OSError) -> Fault:
    """What the system refused to a command, and what to do; of a path only its last part."""
    # Not `strerror`: of a socket that holds its address.
    said = os.strerror(error.errno) if error.errno else type(error).__name__
    if not isinstance(error.filename, str | bytes):
        return Fault(f"The system refused something: {said}", "Look at that, and type this again.")
    name = Path(os.fsdecode(error.filename)).name
    step = "Look whether it exists, whose it is, and who may write there; then type this again."
    return Fault(f"The system said of {name}: {said}", step)
