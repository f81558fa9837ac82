"""A campaign's folder: campaign.toml, one Markdown file a language, and the film's files.

Reading it checks what can be checked without keys or a network. A language that is listed and has
no file stops everything; one that is older than its source is reported, and on the page too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from wallflower.campaign import texts
from wallflower.campaign.authoring import Authored, Published
from wallflower.campaign.authoring_fields import (
    FILE,
    addresses,
    channels,
    film_table,
    flag,
    parse_fields,
    published,
    string,
    strings,
)
from wallflower.campaign.edge.whole import filling, put_whole
from wallflower.campaign.texts import Text
from wallflower.errors import Fault
from wallflower.host.disk import BESIDE, Folder, write_synced

_HALF: Final = f"{FILE}{BESIDE}"  # there from the first moment until campaign.toml is
_CODE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?")


def example_folder() -> Path:
    """The example campaign: a fictional office against corruption."""
    return Path(__file__).parent.with_name("example")


def new_campaign(folder: Path) -> None:
    """Write the example into an empty or missing `folder`; an existing file is never touched, nor
    what another command writes there now. What stops it in the middle, a full disk for one, leaves
    the folder empty, for another try; where it was killed, the next try empties it.

    campaign.toml comes last, and no command does anything without it. Nothing is made beside and
    renamed, since the folder may be a disk of its own.
    """
    with filling(folder, clear=lambda: _clear(folder)):
        try:
            _copy(folder)
        except BaseException:
            _erase(folder)
            raise


def _copy(folder: Path) -> None:
    """File by file: of a full disk shutil.copytree makes a shutil.Error, by which nobody upstairs
    knows that it was one. All of it is on the disk before campaign.toml has its name."""
    half = folder / _HALF
    half.touch()
    made = [Folder(folder)]
    for path in _example_paths():
        to = folder / path.relative_to(example_folder())
        if path.is_dir():
            to.mkdir()
            made.append(Folder(to))
        elif to != folder / FILE:
            with to.open("xb") as file:
                write_synced(file, path.read_bytes())
    with half.open("wb") as file:
        write_synced(file, (example_folder() / FILE).read_bytes())
    for each in made:
        each.sync()
    half.replace(folder / FILE)
    made[0].sync()


def _clear(folder: Path) -> None:
    """Erase what a command that was killed left here. Where anything is that is not a part of the
    example, word by word, a whole campaign.toml above all, nothing is touched."""
    found = list(folder.rglob("*"))
    if folder / _HALF in found and all(_is_example(path, folder) for path in found):
        _erase(folder)


def _is_example(path: Path, folder: Path) -> bool:
    """Whether something in a half folder is as the example has it, or the beginning of that."""
    name = path.relative_to(folder)
    of = example_folder() / (FILE if name == Path(_HALF) else name)
    if path.is_symlink() or name == Path(FILE) or of not in _example_paths():
        return False
    return of.is_dir() if path.is_dir() else of.read_bytes().startswith(path.read_bytes())


def _erase(folder: Path) -> None:
    """Erase what `_copy` writes, and the half campaign.toml last: a kill on the way leaves that, so
    that the next command does the rest."""
    for path in reversed(_example_paths()):
        to = folder / path.relative_to(example_folder())
        if not path.is_dir():
            to.unlink(missing_ok=True)
        elif to.is_dir():
            to.rmdir()
    (folder / _HALF).unlink(missing_ok=True)


def _example_paths() -> list[Path]:
    """The example's folders and files, each folder before what is in it."""
    return [path for path in sorted(example_folder().rglob("*")) if "__pycache__" not in path.parts]


def read_campaign(folder: Path) -> Authored:
    """Read a campaign's folder, or raise a Fault that says which line of which file to correct."""
    if not (folder / FILE).exists():
        raise Fault(f"{FILE} is missing", "Begin with 'wallflower campaign new'.")
    fields = parse_fields(_text_of(folder / FILE))
    film = film_table(fields)
    codes = strings(fields, "languages")
    if not codes or len(set(codes)) != len(codes) or not all(map(_CODE.fullmatch, codes)):
        raise Fault(f"{FILE}: 'languages' is no list of languages", 'Write ["en", "zh-Hans"].')
    return Authored(
        folder=folder,
        organisation=string(fields, "organisation"),
        languages=codes,
        texts=read_texts(folder, codes),
        ways=strings(fields, "ways"),
        boards=strings(fields, "boards"),
        hurry=flag(fields, "hurry", usual=True),
        channels=channels(fields),
        films=_to_make(folder, strings(film, "make")),
        film=_media(folder, film, "page"),
        carried_film=_media(folder, film, "carried") or _media(folder, film, "page"),
        more_films=_to_hand_out(folder, strings(film, "more")),
        address=string(fields, "address", usual=""),
        published=tuple(Published(*entry) for entry in published(fields)),
        owned=frozenset(name.casefold() for name in strings(fields, "owned")),
        mirrors=addresses(fields, "mirrors"),
        countries=strings(fields, "countries"),
    )


def read_texts(folder: Path, codes: tuple[str, ...]) -> dict[str, Text]:
    """Every language's text, by language, the source first."""
    require_texts(folder, codes)
    return {code: texts.parse_text(code, _text_of(folder / f"{code}.md")) for code in codes}


def require_texts(folder: Path, codes: tuple[str, ...]) -> None:
    """A missing text is a Fault that names it: nothing is shown in English instead."""
    missing = [code for code in codes if not (folder / f"{code}.md").is_file()]
    if missing:
        raise Fault(
            f"There is no text in {', '.join(missing)}",
            f"Translate {codes[0]}.md, or take the language out of {FILE}.",
        )


def mark_translated(authored: Authored, code: str) -> None:
    """Write into a translation that it translates the source as it is now."""
    if code not in authored.languages[1:]:
        raise Fault(f"{code} is no translation of this campaign", f"See 'languages' in {FILE}.")
    path = authored.folder / f"{code}.md"
    text = texts.with_fingerprints(code, _text_of(path), authored.source)
    put_whole(path.resolve(), text.encode())


def _text_of(path: Path) -> str:
    """A file of the folder, or a Fault. Some editors begin a file with a mark (U+FEFF), which is
    no part of what it says."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Fault(f"{path.name} is not UTF-8 text", "Save it again as UTF-8.") from None
    except OSError:
        raise Fault(f"{path.name} cannot be read", "Look whose it is, and who may read.") from None


def _to_make(folder: Path, names: tuple[str, ...]) -> tuple[Path, ...]:
    paths = tuple(_existing(folder, name) for name in names)
    if len({path.stem for path in paths}) != len(paths):
        raise Fault(
            f"{FILE} makes two films of one name", "Give each file of 'make' a name of its own."
        )
    return paths


def _to_hand_out(folder: Path, names: tuple[str, ...]) -> tuple[Path, ...]:
    paths = tuple(_existing(folder, name) for name in names)
    if len({path.name for path in paths}) != len(paths):  # they go into one folder
        raise Fault(
            f"{FILE} hands out two films of one name", "Give each file of 'more' a name of its own."
        )
    return paths


def _media(folder: Path, film: Mapping[str, Any], key: str) -> Path | None:
    return _existing(folder, string(film, key)) if key in film else None


def _existing(folder: Path, name: str) -> Path:
    path = folder / name
    inside = not Path(name).is_absolute() and path.resolve().is_relative_to(folder.resolve())
    if not path.is_file() or not inside:  # a whole path is nobody else's who builds the folder
        step = "Put it there, and name it from there."
        raise Fault(f"{FILE} names {name}, which is no file of its folder", step)
    return path


@contextmanager
def naming(source: Path, folder: Path) -> Iterator[None]:
    """Within, a Fault says which of several films it is about."""
    try:
        yield
    except Fault as fault:
        name = source.relative_to(folder).as_posix()
        raise Fault(f"{name}: {fault.what}", fault.next_step) from None
