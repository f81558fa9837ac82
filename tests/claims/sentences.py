"""Every sentence that people read, and what stands behind it. `make sentences` renews the list.

docs/sentences.txt lists each sentence of the README, SECURITY.md, docs/ with its handbook and its
decisions, the English texts of the page, its example campaign and its film, and the desk's pages,
and each numbered rule of spec/. Before it stands what it is. A person judges; `[?]` is not judged.

`[plain]` promises nothing about anybody's safety; `[claim 5, 31]` is kept by these claims;
`[loss: words]` is admitted in the paragraph or row of docs/threat-model.md that has these words.
In decisions (docs/adr/): `[rule hum 2.7]` says what that rule of the spec says; `[test ...]` is
kept by that test, where nothing stands that could be deleted; with `why` before any of them
(`[why claim 68]`) it says what would be wrong without it, or was: another way that was looked at,
an attack, a figure. They promise nothing that the named thing does not keep.
In spec/: `[test tests/x.py::name]` is red when the rule is broken, and so are the vectors made by
hand from the spec in `[vectors hum]`; `[refusal hum 3.1]` is in tests/docs/test_refusals.py; a rule
that is `[plain]` asks nothing of any program.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po
from jinja2.ext import babel_extract
from tests.claims.backing import ADR, SPEC, backs, kinds_of
from tests.claims.edits import ROOT
from tests.claims.rules import parts, read_pages

LIST = ROOT / "docs" / "sentences.txt"
THREATS = ROOT / "docs" / "threat-model.md"
CATALOGUE = "src/wallflower/campaign/locale/en/LC_MESSAGES/page.po"
EXAMPLE = "src/wallflower/campaign/example/en.md"
FILM = "src/wallflower/campaign/example/film/en.toml"
UNJUDGED = "?"
DESK = "src/wallflower/desk/edge/pages"
# Not here: claims.md, which is the claims; output (nightly/), which is dated; spec/sizes.md, whose
# numbers vectors/sizes holds.
PAGES = (
    "README.md",
    "SECURITY.md",
    "docs/threat-model.md",
    "docs/architecture.md",
    "docs/browser.md",
)
FOLDERS = ("docs/handbook", "docs/adr")
_MARKS = ("_", "ngettext")  # of a text in the desk's pages
_LINE = re.compile(r"^\[(.+?)\] (.+)$")
_NUMBER = re.compile(r"^([a-z]+ \d+(?:\.\d+)?): ")
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
    books += [ROOT / SPEC / f"{page}.md" for page in ("README", *read_pages())]
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


def _ruled(page: str) -> tuple[list[str], str]:
    """A page's rules, each with its number, without bare headings; and the text between them."""
    rules, rest = parts(page)
    said = [f"{rule.number}: {rule.text}" for rule in rules if not rule.refuses_only]
    heads = {rule.number.rpartition(".")[0] for rule in rules if "." in rule.number}
    bare = [f"{rule.number}: {rule.text}" for rule in rules if rule.number in heads]
    return [one for one in said if one not in bare or one.endswith((".", "|"))], rest


def sentences_of(file: str) -> list[str]:
    """The sentences of one file, each once, in order."""
    ruled: list[str] = []
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
    elif file.startswith(SPEC) and (page := Path(file).stem) in read_pages():
        ruled, rest = _ruled(page)
        texts = blocks(rest)
    else:
        texts = blocks((ROOT / file).read_text("utf-8"))
    found = [one for text in texts for one in split(text) if " " in one]
    return list(dict.fromkeys([*ruled, *found]))


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


def rules_held() -> dict[str, str]:
    """Each rule of the spec that is no mere refusal, and what it is judged to be."""
    files = judged()
    lines = [one for page in read_pages() for one in files.get(f"{SPEC}{page}.md", [])]
    numbered = [(match[1], one.is_) for one in lines if (match := _NUMBER.match(one.sentence))]
    return dict(numbered)


@cache
def _backs() -> dict[str, Callable[[str], bool]]:
    losses = [b for b in blocks(THREATS.read_text("utf-8")) if "loss" in b.lower()]
    return backs(losses, rules_held())


def wrong(is_: str, file: str = "README.md") -> str:
    """Why a judgement cannot stand in this file; empty when it can."""
    allowed = kinds_of(file)
    for part in [] if is_ == "plain" else is_.split("; "):
        kind, _, rest = part.removeprefix("why " if file.startswith(ADR) else "").partition(" ")
        if kind not in allowed:
            return f"[{part}] is none of {', '.join(allowed)} and plain, which this file may have"
        if not _backs()[kind](rest):
            return f"[{part}]: there is no such {kind.strip(':')}"
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
