"""The page's catalogues by Babel: `update` after a change of an English text, `compile` to .mo.

    python page/tools/catalogues.py update        # new texts come in, changed ones are marked fuzzy
    python page/tools/catalogues.py compile OUT   # OUT/<language>/LC_MESSAGES/page.mo

The English catalogue is the source: msgctxt is the place of a text, msgid the text. A fuzzy or
empty translation stops the page's build until a person has looked at it.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

LOCALE = Path(__file__).parents[2] / "src" / "wallflower" / "campaign" / "locale"
SOURCE = "en"
NAME = Path("LC_MESSAGES") / "page.po"


def languages() -> list[str]:
    """Every language that has a catalogue."""
    return sorted(path.parent.parent.name for path in LOCALE.glob(f"*/{NAME}"))


def catalogue(language: str) -> Catalog:
    """One catalogue, or an error where it is no good gettext."""
    with (LOCALE / language / NAME).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def updated(language: str) -> bytes:
    """A catalogue with the places and texts of the English one; its own head is kept as it is."""
    old = (LOCALE / language / NAME).read_text(encoding="utf-8")
    merged = catalogue(language)
    merged.update(catalogue(SOURCE), no_fuzzy_matching=True, update_header_comment=False)
    changed = {message.context: message for message in catalogue(language) if message.id}
    for message in merged:
        before = changed.get(message.context)
        if message.id and not message.string and before and before.string:
            message.string = before.string  # the English text changed: a person has to look
            message.flags.add("fuzzy")
    out = io.BytesIO()
    write_po(out, merged, width=0, ignore_obsolete=True)
    body = out.getvalue().decode("utf-8").split("\n\n", 1)[1]
    return (old.split("\n\n", 1)[0] + "\n\n" + body).encode()


def main(arguments: list[str]) -> None:
    """Do what was asked for."""
    match arguments:
        case ["update"]:
            for language in languages():
                if language != SOURCE:
                    (LOCALE / language / NAME).write_bytes(updated(language))
        case ["compile", out]:
            for language in languages():
                path = (Path(out) / language / NAME).with_suffix(".mo")
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    write_mo(file, catalogue(language))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
