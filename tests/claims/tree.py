"""A copy of the project to delete guards from, with an environment that knows no other copy.

The copy's `.venv` holds links to the installed packages, all but our own: of that it has its own
path entry. So neither a test nor a process that a test starts can import the original, whatever it
does to its surroundings. Python writes no bytecode there: two edits of the same length within a
second would otherwise be taken for each other.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.claims.edits import ROOT, Deletion, Edit
from tests.claims.judging import Verdict, judge

_LEFT_OUT = shutil.ignore_patterns(
    ".venv", ".git", "node_modules", "__pycache__", "*.pyc", ".hypothesis", ".*_cache"
)
_PAGE = "page/"
_BUILT = "src/wallflower/campaign/page"
_TS_TEST = ".test.ts"
_BUILD_S = 300.0
_MOST_MEMORY = 4 << 30  # bytes of one process


class Tree:
    """The copy. Only one test runs in it at a time."""

    def __init__(self, to: Path) -> None:
        self.path = to / "tree"
        self._witness = to / "witness.json"
        self.said = to / "said.txt"
        shutil.copytree(ROOT, self.path, ignore=_LEFT_OUT, symlinks=True)
        _environment(self.path / ".venv", self.path / "src")
        if (ROOT / "page" / "node_modules").exists():
            (self.path / "page" / "node_modules").symlink_to(ROOT / "page" / "node_modules")

    def run_with(self, one: Deletion, how: Callable[[Edit, str], str], limit_s: float) -> Verdict:
        """Edit, build the page where it was edited, run the test, and put all back."""
        before = {edit.file: (self.path / edit.file).read_text("utf-8") for edit in one.edits}
        of_page = any(name.startswith(_PAGE) for name in before)
        built = of_page and not one.file.endswith(_TS_TEST)  # those bundle the sources themselves
        try:
            for edit in one.edits:
                place = self.path / edit.file
                place.write_text(how(edit, place.read_text("utf-8")), "utf-8")
            if built and not self._builds():
                return Verdict("wrong", "the page does not build")
            return self._judged(one, limit_s)
        finally:
            for name, text in before.items():
                (self.path / name).write_text(text, "utf-8")
            if built:
                shutil.rmtree(self.path / _BUILT)
                shutil.copytree(ROOT / _BUILT, self.path / _BUILT)

    def _builds(self) -> bool:
        command = ["npm", "run", "build"]
        return _ended(command, self.path / "page", self._env(), self.said, _BUILD_S) == 0

    def _judged(self, one: Deletion, limit_s: float) -> Verdict:
        self._witness.unlink(missing_ok=True)
        of_page = one.file.endswith(".ts")
        command = self._in_node(one) if of_page else self._in_pytest(one)
        where = self.path / "page" if of_page else self.path
        if _ended(command, where, self._env(), self.said, limit_s) is None:
            return Verdict("wrong", f"not over after {limit_s:.0f} s")
        try:
            said = json.loads(self._witness.read_text("utf-8"))
        except FileNotFoundError:
            return Verdict("wrong", "the test's runner died")
        package = said["package"]
        if package and not Path(package).is_relative_to(self.path):
            return Verdict("wrong", f"the package came from {package}")
        return judge(said["seen"])

    def _in_pytest(self, one: Deletion) -> list[str]:
        return [
            str(self.path / ".venv" / "bin" / "python"), "-m", "pytest", "-q", "-p",
            "tests.claims.witness", "-p", "no:cacheprovider", "-m", "nightly or not nightly",
            f"{one.file}::{one.test}",
        ]  # fmt: skip

    def _in_node(self, one: Deletion) -> list[str]:
        """The page's own tests are bundled from the copy's sources; see page/tools/node.mjs."""
        return [
            "node", "tools/node.mjs", "test", f"--only={Path(one.file).name[:-len(_TS_TEST)]}",
            f"--test-name-pattern=^{re.escape(one.test)}$",
            f"--test-reporter={self.path / 'tests' / 'claims' / 'witness.mjs'}",
            f"--test-reporter-destination={self._witness}",
        ]  # fmt: skip

    def _env(self) -> dict[str, str]:
        paths = os.environ.get("PATH", "").split(os.pathsep)
        ours = [str(self.path / ".venv" / "bin")]
        rest = [one for one in paths if one != str(ROOT / ".venv" / "bin")]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
        return kept | {
            "PATH": os.pathsep.join(ours + rest),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CLAIMS_WITNESS": str(self._witness),
        }


def _ended(
    command: list[str], cwd: Path, env: dict[str, str], said: Path, limit_s: float
) -> int | None:
    """Run to the end: the exit code; None when that was too far. Ends everything it started."""
    with said.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdout=out, stderr=out, start_new_session=True,
            preexec_fn=_bounded,
        )  # fmt: skip
        try:
            return process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _bounded() -> None:
    """A loop that lost its end must not take the machine along."""
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))


def _environment(to: Path, source: Path) -> None:
    """A virtual environment like ours, whose only path to our package is `source`."""
    ours = ROOT / ".venv"
    packages = Path("lib") / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (to / packages).mkdir(parents=True)
    shutil.copy(ours / "pyvenv.cfg", to)
    for one in (ours / packages).iterdir():
        if one.suffix == ".pth" and str(ROOT) in one.read_text("utf-8"):
            continue
        if one.name != "__pycache__":
            (to / packages / one.name).symlink_to(one)
    (to / packages / "of_this_copy.pth").write_text(f"{source}\n", "utf-8")
    (to / "bin").mkdir()
    for one in (ours / "bin").iterdir():
        if one.is_symlink():
            (to / "bin" / one.name).symlink_to(one.readlink())
        elif one.is_file():
            text = one.read_bytes().replace(str(ours).encode(), str(to).encode())
            (to / "bin" / one.name).write_bytes(text)
            (to / "bin" / one.name).chmod(0o755)
