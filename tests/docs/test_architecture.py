"""docs/architecture.md is held to the code: what it names exists, and letters really go that way.

One letter goes through a simulated town while every call into our code is noted. A function that
the page names for a step was entered after the one that it names before.
"""

from __future__ import annotations

import ast
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import pytest
from tests.lab.site import SATURDAY, Site, desk_of

from wallflower.crypto.derive import conversation_id
from wallflower.lab.town import simulated_town

ROOT = Path(__file__).parents[2]
CODE = ROOT / "src" / "wallflower"
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
NAMED = re.compile(r"`([\w/.-]+/[\w.-]+\.(?:py|ts|md))(?::(\w+))?`")
Step = tuple[str, str]  # file, function
# On the letter's way, and run all the same when there is none: drops and board are always full.
AT_EVERY_TICK = {
    "mix/edge/intake.py:take_all", "mix/edge/first.py:tick", "mix/decide.py:chosen_to_leave",
    "mix/edge/second.py:tick", "mix/decide.py:choose_release", "wire/drop.py:make_drop",
    "desk/edge/drops.py:read_drops",
    "trust/drop.py:verify_drop", "desk/inbox.py:open_drop", "wire/letter.py:open_letter",
    "board/edge/board.py:release", "board/release.py:slots_of_period", "board/edge/mirror.py:step",
}  # fmt: skip
# A board without a batch is filled with receipts of nobody, whenever that is;
# and both mixes open seals.
OFTEN = AT_EVERY_TICK | {"wire/receipt.py:receipt", "mix/opening.py:open_seals"}


def _trace() -> list[Step]:
    """The Python functions of "One letter through the files", in the order of the page."""
    section = PAGE.split("## One letter through the files")[1].split("\n## ")[0]
    return [(f, name) for f, name in NAMED.findall(section) if name and f.endswith(".py")]


def _place(name: str) -> Path | None:
    return next((p for p in (ROOT / name, CODE / name) if p.is_file()), None)


def _defines(path: Path, name: str) -> bool:
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return any(isinstance(n, kinds) and n.name == name for n in ast.walk(ast.parse(text)))
    return (
        re.search(rf"\b(function|const|class)\s+{name}\b|^\s+(async )?{name}\(", text, re.M)
        is not None
    )


def test_every_file_and_function_that_the_architecture_names_exists() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 50
    assert [f for f, _ in named if _place(f) is None] == []
    unknown = [(f, n) for f, n in named if n and not _defines(_place(f) or ROOT, n)]
    assert unknown == []


def test_the_control_a_name_that_is_nowhere_is_found_out() -> None:
    assert _place("mix/edge/third.py") is None
    assert not _defines(CODE / "mix" / "decide.py", "chosen_to_stay")
    assert not _defines(ROOT / "page" / "src" / "session.ts", "sendAtOnce")


def test_the_page_loads_every_module_that_the_trace_names() -> None:
    source, seen = ROOT / "page" / "src", set[Path]()
    todo = [source / "entry" / "app.ts", source / "entry" / "hum.ts"]
    while todo:
        file = todo.pop()
        if file in seen or not file.is_file():
            continue
        seen.add(file)
        for target in re.findall(
            r"from '(\.[^']+)\.js'|import '(\.[^']+)\.js'", file.read_text("utf-8")
        ):
            todo.append((file.parent / (target[0] or target[1])).resolve().with_suffix(".ts"))
    named = [ROOT / f for f, _ in NAMED.findall(PAGE) if f.startswith("page/src/")]
    assert len(named) > 6
    assert [f for f in named if f.is_file() and f not in seen] == []


@dataclass
class Calls:
    """Which functions of our code were entered, in order; each once a stage, but for those that
    run at every tick: they count each time."""

    seen: list[Step] = field(default_factory=list)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """One stage: note calls while inside."""
        prefix, known = str(CODE) + "/", set[Step]()

        def note(frame: FrameType, event: str, _arg: object) -> None:
            file = frame.f_code.co_filename
            if event == "call" and file.startswith(prefix):
                step = (file.removeprefix(prefix), frame.f_code.co_name)
                if step not in known or ":".join(step) in OFTEN:
                    self.seen.append(step)
                known.add(step)

        before = sys.getprofile()
        sys.setprofile(note)
        try:
            yield
        finally:
            sys.setprofile(before)


def missing_from(path: list[Step], calls: list[Step]) -> Step | None:
    """The first step of a path that was not entered after the one before; None when all were."""
    left = iter(calls)
    return next((step for step in path if step not in left), None)


async def _site(folder: Path) -> Site:
    town = simulated_town(folder, SATURDAY)
    desk = desk_of(town)
    for _ in range(6):
        await town.step()
        await desk.step()
    return Site(town, desk)


@dataclass(frozen=True)
class Walked:
    """What was entered on the letter's way, and on a day on which nobody did anything."""

    letter: Calls
    quiet: Calls


async def _walk(folder: Path) -> Walked:
    site, calls, quiet = await _site(folder), Calls(), Calls()
    person = site.person("traced")
    await person.visit()
    await site.pass_days(0.4)
    with quiet.noted():
        await site.pass_days(0.7)
    with calls.noted():
        person.write("请回答")
    await site.pass_days(1)
    with calls.noted():
        await person.visit()
        await site.pass_days(1.2)
        assert site.texts(person) == [("first", "请回答")]
    with calls.noted():
        site.desk.answer(conversation_id(person.secret), "我们收到了")
        await site.pass_days(2.5)
    with calls.noted():
        elsewhere = site.person("elsewhere", person.secret)
        await elsewhere.visit()
        assert [reply.text for reply in elsewhere.read().replies] == ["我们收到了"]
    site.town.close()
    return Walked(calls, quiet)


@pytest.fixture(scope="module")
def walk() -> Iterator[Callable[[], Awaitable[Walked]]]:
    """The walk, made once."""
    made: list[Walked] = []
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as at:  # noqa: S108

        async def once() -> Walked:
            if not made:
                made.append(await _walk(Path(at)))
            return made[0]

        yield once


async def test_a_letter_enters_every_named_function_in_the_order_of_the_page(
    walk: Callable[[], Awaitable[Walked]],
) -> None:
    path, calls = _trace(), (await walk()).letter.seen
    assert len(path) > 25
    assert missing_from(path, calls) is None


async def test_two_neighbouring_steps_in_the_wrong_order_are_noticed(
    walk: Callable[[], Awaitable[Walked]],
) -> None:
    """The control: the page cannot say just anything. What runs at every tick proves no order."""
    made, path = await walk(), _trace()
    pairs = [(i, i + 1) for i in range(len(path) - 1)]
    sure = [(i, j) for i, j in pairs if not {path[i], path[j]} & set(made.quiet.seen)]
    assert len(sure) > 25
    swapped = [[*path[:i], path[j], path[i], *path[j + 1 :]] for i, j in sure]
    unnoticed = [p for p in swapped if missing_from(p, made.letter.seen) is None]
    assert unnoticed == []


async def test_what_only_a_hum_causes_does_not_run_on_a_quiet_day(
    walk: Callable[[], Awaitable[Walked]],
) -> None:
    quiet = {f"{f}:{name}" for f, name in _trace() if (f, name) in (await walk()).quiet.seen}
    assert quiet == AT_EVERY_TICK


_OF_FILES = {
    "open", "read_bytes", "read_text", "write_bytes", "write_text", "mkdir", "rmdir", "unlink",
    "iterdir", "rglob", "touch", "symlink_to", "is_file", "is_dir", "exists", "stat", "lstat",
}  # fmt: skip
# They read a table of facts that lies beside them in the package.
_OWN_DATA = {"campaign/lint_names.py", "campaign/lint_reach.py"}


def test_beside_an_edge_nothing_touches_a_file() -> None:
    """What modules import is checked by import-linter; a Path needs no import to be read."""
    roles = ("campaign", "ingress", "mix", "board", "desk", "source", "trust", "wire", "crypto")
    pure = [p for role in roles for p in (CODE / role).rglob("*.py") if "edge" not in p.parts]
    assert len(pure) > 60
    touched = {}
    for path in pure:
        calls = [n.func for n in ast.walk(ast.parse(path.read_text("utf-8")))
                 if isinstance(n, ast.Call)]  # fmt: skip
        names = {getattr(call, "attr", None) or getattr(call, "id", "") for call in calls}
        if found := names & _OF_FILES:
            touched[path.relative_to(CODE).as_posix()] = found
    assert touched == {name: {"read_text"} for name in _OWN_DATA}
