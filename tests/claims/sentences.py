"""Every sentence that people read, and what stands behind it. `make sentences` renews the list.

docs/sentences.txt lists each sentence of the README, SECURITY.md, the handbook, the other pages of
docs/, the English texts of the page, its example campaign and its film, and the desk's pages.
Before it stands what it is: `[plain]` promises nothing about anybody's safety; `[claim 5, 31]` is
kept by these claims; `[loss: words]` is admitted in the paragraph or row of docs/threat-model.md
that has these words. A person judges; what nobody has judged is `[?]`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

from babel.messages.pofile import read_po
from jinja2.ext import babel_extract
from tests.claims.edits import ROOT, claims

LIST = ROOT / "docs" / "sentences.txt"
THREATS = ROOT / "docs" / "threat-model.md"
CATALOGUE = "src/wallflower/campaign/locale/en/LC_MESSAGES/page.po"
EXAMPLE = "src/wallflower/campaign/example/en.md"
FILM = "src/wallflower/campaign/example/film/en.toml"
UNJUDGED = "?"
DESK = "src/wallflower/desk/edge/pages"
# Not here: claims.md, which is the claims; decisions (adr/) and output (nightly/), which are dated.
PAGES = (
    "README.md",
    "SECURITY.md",
    "docs/threat-model.md",
    "docs/architecture.md",
    "docs/browser.md",
)
FOLDERS = ("docs/handbook",)
_MARKS = ("_", "ngettext")  # of a text in the desk's pages
_LINE = re.compile(r"^\[(.+?)\] (.+)$")
_END = re.compile(r"(?<=[.!?])\s+(?=[\"“‘*`(]*[A-Z0-9`{])")
_MARK = re.compile(r"^(?:[-*>]|\d+\.|#+)\s+")
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_RULED = re.compile(r"^\|[\s:|-]+\|$")


@dataclass(frozen=True, slots=True)
class Judged:
    """What one sentence is said to be."""

    is_: str
    sentence: str


def read_files() -> list[str]:
    """The files whose sentences are listed, from the root of the project."""
    books = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.md"))]
    books += sorted((ROOT / DESK).glob("*.html"))
    return [*PAGES, *(str(file.relative_to(ROOT)) for file in books), CATALOGUE, EXAMPLE, FILM]


def blocks(markdown: str) -> list[str]:
    """Paragraphs, points of lists, headings and rows of tables, each on one line; no code."""
    found: list[list[str]] = []
    for line in _CODE.sub("\n", markdown).splitlines():
        bare = line.strip()
        if _RULED.match(bare):
            continue
        begins = not bare or _MARK.match(bare) or bare.startswith("|")
        if begins or not found or not found[-1] or found[-1][0].startswith(("|", "#")):
            found.append([])
        if bare:
            found[-1].append(bare)
    return [" ".join(lines) for lines in found if lines]


def split(block: str) -> list[str]:
    """The sentences of a block, without marks of lists, links and emphasis."""
    plain = _LINK.sub(r"\1", _MARK.sub("", block)).replace("**", "")
    if plain.startswith("|"):
        return [" | ".join(cell.strip() for cell in plain.strip("|").split("|"))]
    return [one.strip() for one in _END.split(plain)]


def _marked(template: str) -> list[str]:
    """The texts of one of the desk's pages; a singular and its plural come in one piece."""
    with (ROOT / template).open("rb") as page:
        found = [text for _, _, text, _ in babel_extract(page, _MARKS, [], {})]
    pieces = [(text,) if isinstance(text, str) else text or () for text in found]
    return [text for piece in pieces for text in piece if text]


def sentences_of(file: str) -> list[str]:
    """The sentences of one file, each once, in order."""
    if file.endswith(".po"):
        with (ROOT / file).open("rb") as catalogue:
            texts = [str(message.id) for message in read_po(catalogue) if message.id]
    elif file.endswith(".html"):
        texts = _marked(file)
    elif file == EXAMPLE:
        _, head, body = (ROOT / file).read_text("utf-8").split("+++\n", 2)
        texts = [*(str(line) for line in tomllib.loads(head).values()), *blocks(body)]
    elif file == FILM:
        board = tomllib.loads((ROOT / file).read_text("utf-8"))
        cards = [board, *board["card"], board["closing"]]
        texts = [
            card[key] for card in cards for key in ("title", "text", "footnote") if key in card
        ]
        texts += [caption for card in board["card"] for caption in card.get("captions", [])]
    else:
        texts = blocks((ROOT / file).read_text("utf-8"))
    found = [one for text in texts for one in split(text) if " " in one]
    return list(dict.fromkeys(found))


def judged() -> dict[str, list[Judged]]:
    """The list as it stands: file -> its lines."""
    found: dict[str, list[Judged]] = {}
    file = ""
    for line in LIST.read_text("utf-8").splitlines() if LIST.exists() else []:
        if line.startswith("## "):
            file = line.removeprefix("## ")
            found[file] = []
        elif file and (match := _LINE.match(line)):
            found[file].append(Judged(match[1], match[2]))
    return found


def wrong(is_: str) -> str:
    """Why a judgement cannot stand; empty when it can."""
    numbers = {claim.number for claim in claims()}
    losses = [b for b in blocks(THREATS.read_text("utf-8")) if "loss" in b.lower()]
    for part in is_.split("; "):
        kind, _, rest = part.partition(" ")
        if part == "plain" and part == is_:
            continue
        if kind == "claim" and re.fullmatch(r"\d+(, \d+)*", rest):
            missing = [n for n in rest.split(", ") if int(n) not in numbers]
            if missing:
                return f"there is no claim {', '.join(missing)}"
        elif kind == "loss:":
            if not rest or not any(rest in block for block in losses):
                return f"no loss of docs/threat-model.md has the words {rest!r}"
        else:
            return f"[{is_}] is none of [plain], [claim 1, 2] and [loss: words]"
    return ""


def main() -> None:
    """Write the list anew: what is gone leaves, what is new is `[?]`, judgements stay."""
    known = {(file, j.sentence): j.is_ for file, lines in judged().items() for j in lines}
    text = __doc__ or ""
    head = "".join(f"# {line}".rstrip() + "\n" for line in text.strip().splitlines())
    for file in read_files():
        head += f"\n## {file}\n"
        for sentence in sentences_of(file):
            head += f"[{known.get((file, sentence), UNJUDGED)}] {sentence}\n"
    LIST.write_text(head, "utf-8")
    waiting = head.count(f"\n[{UNJUDGED}] ")
    print(f"{waiting} sentences of docs/sentences.txt wait for a judgement")


if __name__ == "__main__":
    main()
