"""The handbook's commands: each exists with its options, and the town that they make is sound.

Whatever stands in a block of a shell, and every `wallflower …` and `make …` in a sentence, is held
against the command line itself.
"""

from __future__ import annotations

import ast
import enum
import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from wallflower.cli import wallflower as root
from wallflower.cli.new import MAKERS
from wallflower.errors import Refused
from wallflower.wire.cell import parse_cell

ROOT = Path(__file__).parents[2]
HANDBOOK = ROOT / "docs" / "handbook"
PAGES = (
    *sorted(HANDBOOK.glob("*.md")),
    *(ROOT / name for name in ("README.md", "SECURITY.md", "changes/README.md")),
    ROOT / "spec" / "versions.md",
)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_SHELL = ("", "sh")
_INLINE = re.compile(r"`((?:wallflower|make) [^`]+)`")
_EXEC = re.compile(r"^ExecStart=\S+/(wallflower .*)$", re.M)


def _commands(page: Path) -> list[str]:
    text = page.read_text("utf-8") if page.is_file() else ""
    blocks = "\n".join(body for kind, body in _BLOCK.findall(text) if kind in _SHELL)
    blocks = blocks.replace("\\\n", " ")
    lines = [line.partition(" #")[0] for line in blocks.splitlines()]
    lines = [part for line in lines for part in line.split("&&")]
    shell = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [*shell, *_INLINE.findall(_BLOCK.sub("", text)), *_EXEC.findall(text)]


COMMANDS = [(page.name, line) for page in PAGES for line in dict.fromkeys(_commands(page))]


def check_wallflower(words: list[str]) -> None:
    """Fail unless click knows this command, all of its options, and finds nothing missing."""
    command: click.Command = root
    names = ["wallflower"]
    while isinstance(command, click.Group):
        assert words, f"{' '.join(names)}: which command?"
        names.append(words[0])
        assert words[0] in command.commands, f"there is no '{' '.join(names)}'"
        command, words = command.commands[words[0]], words[1:]
    # A command keeps the help option that its first context gives it: give it ours, for others.
    context = click.Context(command, info_name=" ".join(names), help_option_names=["-h", "--help"])
    given, left, _ = command.make_parser(context).parse_args(list(words))
    assert left == [], left
    for parameter in command.params:
        value = given.get(parameter.name or "")
        missing = value is None or isinstance(value, enum.Enum)  # click's mark of the unset
        assert not (missing and parameter.required), f"{names} needs {parameter.name}"
        if isinstance(parameter.type, click.Choice) and isinstance(value, str):
            assert value in parameter.type.choices or value.isupper(), value


def _check_make(words: list[str]) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert [w for w in words if "=" not in w and w not in targets] == []


def _check_paths(words: list[str]) -> None:
    """Files of the project that a command names are there."""
    named = [
        w
        for w in words
        if "/" in w and w.split("/")[0] in {"src", "tests", "requirements", "tools"}
    ]
    assert [w for w in named if not (ROOT / w.partition("::")[0]).exists()] == []


def _check_copy(words: list[str]) -> None:
    """What is copied is something that `wallflower new`, a ceremony or `campaign build` makes."""
    if words[0] == "-r":
        assert words[1] == "bundle/site", words
        return
    source = Path(words[0])
    assert source.name == "pins.json" or source.suffix in (".token", ".key"), source
    assert source.parent.name in {*MAKERS, "keys"}, source


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "wallflower": check_wallflower,
    "make": _check_make,
    "cp": _check_copy,
    **dict.fromkeys(
        ("git", "sh", "python", "python3", "pytest", "pip", "apt-get", "towncrier"), _check_paths
    ),
}


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_of_the_handbook_is_one(page: str, line: str) -> None:
    del page
    program, *words = shlex.split(line)
    CHECKS[Path(program).name](words)


def test_the_pages_have_commands_and_a_wrong_one_is_found_out() -> None:
    assert len(COMMANDS) > 50
    for line in (
        "dance now", "new", "new mix-c folder", "mix", "write --pins p", "doctor a.toml --jsonn",
        "campaign build --pins p --out o --way w", "campaign shrink", "mix a.toml b.toml",
    ):  # fmt: skip
        with pytest.raises((AssertionError, click.ClickException)):
            check_wallflower(line.split())


def test_every_chapter_is_short_and_the_contents_name_it() -> None:
    contents = (HANDBOOK / "README.md").read_text("utf-8")
    chapters = [page for page in HANDBOOK.glob("*.md") if page.name != "README.md"]
    assert len(chapters) >= 8
    for page in chapters:
        assert f"({page.name})" in contents, page.name
        assert len(page.read_text("utf-8").splitlines()) < 80, page.name


LINKS = [
    (page, target)
    for page in (*PAGES, *(ROOT / "docs").glob("*.md"))
    if page.is_file()
    for target in re.findall(r"\]\(([^)#]+)?(#[\w-]+)?\)", page.read_text("utf-8"))
]


def test_every_link_leads_somewhere() -> None:
    lost = []
    for page, (target, anchor) in LINKS:
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        file = (page.parent / target) if target else page
        there = file.is_file() and (not anchor or anchor[1:] in _anchors(file))
        if not (there or (file.is_dir() and not anchor)):
            lost.append(f"{page.name}: {target}{anchor}")
    assert lost == []


def _anchors(file: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


_RINGS = {"Alarm", "sentence_alarms", "silence_alarm"}


def _rung(tree: ast.AST) -> set[str]:
    """The names of alarms in a module: what the calls that ring begin with, or, where they ring out
    of a table, the second of a row."""
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _RINGS:
            found += node.args[:1]
        if isinstance(node, ast.Tuple) and len(node.elts) == 4:
            found += node.elts[1:2]
    return {n.value for n in found if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def test_every_alarm_is_in_the_handbook_and_no_other() -> None:
    text = (HANDBOOK / "alarms.md").read_text("utf-8").split("\n## ")[1]
    rows = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall("`([a-z-]+)`", row)]
    files = [*(ROOT / "src/wallflower").glob("*/edge/*.py"), ROOT / "src/wallflower/host/status.py"]
    trees = [ast.parse(text) for file in files if "alarm" in (text := file.read_text("utf-8"))]
    assert len(named) >= 20
    assert sorted(named) == sorted(set().union(*map(_rung, trees)))


def _on_one_machine() -> list[str]:
    text = (HANDBOOK / "README.md").read_text("utf-8")
    section = text.split("## All of it on one machine")[1].split("\n## ")[0]
    body: str = _BLOCK.findall(section)[0][1]
    return body.splitlines()


def test_the_town_of_the_handbook_is_found_sound_by_the_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block "All of it on one machine", typed line by line, then `wallflower doctor`."""
    monkeypatch.chdir(tmp_path)
    for line in _on_one_machine():
        program, *words = shlex.split(line)
        if program == "cp" and words[0] == "-r":
            shutil.copytree(words[1], words[2])
            continue
        if program == "cp":
            shutil.copy(words[0], words[1])
            continue
        result = CliRunner().invoke(root, words)
        assert result.exit_code == 0, f"{line}: {result.output} {result.exception}"
    for role in sorted(set(MAKERS) - {"loops"}):
        result = CliRunner().invoke(root, ["doctor", f"{role}/{role}.toml"])
        assert result.exit_code == 0, result.output
    for need in ("loops/loop.key", "loops/pins.json", "mirror/site/index.html"):
        assert (tmp_path / need).is_file(), need


def test_a_token_that_was_not_handed_over_is_found_by_the_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: each cp of the block counts."""
    monkeypatch.chdir(tmp_path)
    for role in ("mix-b", "desk"):
        assert CliRunner().invoke(root, ["new", role, role]).exit_code == 0
        result = CliRunner().invoke(root, ["doctor", f"{role}/{role}.toml"])
        assert result.exit_code == 1
        assert "is missing" in result.output


def _hunks(page: str) -> list[tuple[str, str, str]]:
    """(file, old text, new text) of each diff in a chapter."""
    found = []
    for block in re.findall(
        r"^```diff\n(.*?)^```$", (HANDBOOK / page).read_text("utf-8"), re.M | re.S
    ):
        file = re.findall(r"^--- a/(.+)$", block, re.M)[0]
        lines = [x for x in block.splitlines() if not x.startswith(("---", "+++"))]
        old = "".join(f"{x[1:]}\n" for x in lines if not x.startswith("+"))
        new = "".join(f"{x[1:]}\n" for x in lines if not x.startswith("-"))
        found.append((file, old, new))
    return found


@pytest.mark.parametrize(("file", "old", "new"), _hunks("first-change.md"))
def test_a_change_that_the_newcomer_makes_fits_the_file(file: str, old: str, new: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert text.count(old) == 1
    compile(text.replace(old, new), file, "exec")


def test_the_guard_that_the_newcomer_takes_away_is_missed() -> None:
    """Step 2, in a module of its own: no vector is refused by cell 2.3 any more."""
    file, old, new = _hunks("first-change.md")[0]
    source = (ROOT / file).read_text("utf-8").replace(old, new)
    module = ModuleType("cell_without_its_guard")
    sys.modules[module.__name__] = module  # dataclasses look there
    try:
        exec(compile(source, file, "exec"), module.__dict__)  # noqa: S102
    finally:
        del sys.modules[module.__name__]
    folder = ROOT / "vectors" / "cell" / "refused"
    vectors = [json.loads(p.read_text("utf-8")) for p in sorted(folder.glob("*.json"))]
    guarded = [bytes.fromhex(v["bytes"]) for v in vectors if v["refused"] == "cell 2.3"]
    assert guarded
    assert {_refusal(parse_cell, data) for data in guarded} == {"cell 2.3"}
    assert "cell 2.3" not in {_refusal(module.__dict__["parse_cell"], data) for data in guarded}


def _refusal(parse: Callable[[bytes], object], data: bytes) -> str:
    try:
        parse(data)
    except Refused as refused:
        return refused.rule
    return "read"


# What our own words tell people to type: in messages, in texts of the page, in comments of tools.
_HINT = re.compile(r"[`'\"]wallflower ([a-z][^`'\"\n]*)")
SPOKEN = [
    (file.name, hint)
    for folder, kinds in (("src", ("py", "po", "md", "toml", "html")), ("page/src", ("ts", "html")))
    for kind in kinds
    for file in sorted((ROOT / folder).rglob(f"*.{kind}"))
    if "campaign/page/" not in file.as_posix()
    for hint in _HINT.findall(file.read_text("utf-8"))
]


def check_hint(hint: str) -> None:
    """Fail unless the command and its options exist; a hint may leave out what else it needs."""
    command: click.Command = root
    words = hint.split()
    while isinstance(command, click.Group) and words:
        name = words.pop(0)
        assert name in command.commands, f"there is no '{name}' of '{command.name}'"
        command = command.commands[name]
    options = {o for parameter in command.params for o in parameter.opts}
    assert [w for w in words if w.startswith("--") and w not in options] == []


def test_every_command_that_a_message_names_exists() -> None:
    assert len(SPOKEN) > 20
    for _, hint in SPOKEN:
        check_hint(hint)
    for wrong in ("dance", "campaign shrink", "keys ceremony --tests"):
        with pytest.raises(AssertionError):
            check_hint(wrong)
