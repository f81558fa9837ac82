"""A file that carries its own papers: what a check needs, in a last line that a browser skips.

The papers are a ZIP of `pins.json` and `tuf/`. Nothing in them is believed because it lies there:
they are read as any other bundle is. Spec: bundle.md 1.5.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from typing import Final

PAPERS_MAX: Final = 8 << 20  # bytes of the whole line
_BEGIN: Final = b"<!--wallflower-papers "
_LINE: Final = re.compile(_BEGIN + rb"([A-Za-z0-9+/]+={0,2})-->\n")


def with_papers(file: bytes, papers: bytes) -> bytes:
    """A file with these papers, in place of any that it has."""
    return cut(file)[0] + _BEGIN + b64encode(papers) + b"-->\n"


def cut(file: bytes) -> tuple[bytes, bytes]:
    """The file as it is signed, and its papers; a file without papers has b""."""
    at = file.rfind(_BEGIN, max(0, len(file) - PAPERS_MAX))
    line = _LINE.fullmatch(file, at) if at >= 0 else None
    if line is None:
        return file, b""
    try:
        return file[:at], b64decode(line[1], validate=True)
    except Error:
        return file, b""
