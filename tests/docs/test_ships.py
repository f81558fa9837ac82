"""What ships is listed, with its licence: every pinned package of both languages, and no other."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTICES = (ROOT / "THIRD-PARTY-NOTICES.txt").read_text("utf-8")


def _plain(name: str) -> str:
    """A Python package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


# Which lock each list of Python packages is made of.
LISTS = {"python": "run", "campaign": "campaign", "film": "film"}
# What is under the GPL, and by whom alone it is installed.
GPL = {"mutagen": "campaign", "av": "film"}


def _python(lock: str) -> dict[tuple[str, str], set[str]]:
    """(name, version) -> hashes, of a file of requirements/."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    found = {}
    for block in re.split(r"^(?=[\w.-]+==)", text, flags=re.M)[1:]:
        name, version = re.match(r"([\w.-]+)==([^ ;\\]+)", block).groups()  # type: ignore[union-attr]
        found[_plain(name), version] = set(re.findall(r"--hash=sha256:(\w+)", block))
    return found


def _page() -> set[tuple[str, str]]:
    """(name, version) of what the page bundles: all in its lock that is not for development."""
    lock = json.loads((ROOT / "page" / "package-lock.json").read_text("utf-8"))
    return {
        (where.rpartition("node_modules/")[2], package["version"])
        for where, package in lock["packages"].items()
        if where and not package.get("dev")
    }


def _listed(name: str) -> list[dict[str, object]]:
    bom = json.loads((ROOT / "sbom" / f"{name}.cdx.json").read_text("utf-8"))
    assert bom["bomFormat"] == "CycloneDX"
    assert "serialNumber" not in bom
    components: list[dict[str, object]] = bom["components"]
    return components


@pytest.mark.parametrize("name", LISTS)
def test_every_pinned_python_package_is_listed_with_its_hashes(name: str) -> None:
    listed = {}
    for component in _listed(name):
        found = re.findall(r'"alg": "SHA-256", "content": "(\w+)"', json.dumps(component))
        listed[_plain(str(component["name"])), str(component["version"])] = set(found)
    assert len(listed) > 25
    assert listed == _python(LISTS[name])


def test_every_package_in_the_page_is_listed() -> None:
    listed = {(str(c["name"]), str(c["version"])) for c in _listed("page")}
    assert len(listed) > 5
    assert listed == _page()


def test_every_package_that_ships_has_its_licence_in_the_notices() -> None:
    """One of two versions of a package is enough: which one is installed goes by Python's own."""
    parts = re.findall(
        r"^-{80}\n(\S+) (\S+): (.+)\n\n((?:.|\n)*?)(?=\n[-=]{80}\n|\Z)", NOTICES, re.M
    )
    licences = {_plain(name): (licence, text) for name, _, licence, text in parts}
    wanted = {name for lock in LISTS.values() for name, _ in _python(lock)}
    wanted |= {_plain(name) for name, _ in _page()}
    assert {name for name in wanted if name not in licences} == set()
    for name in wanted:
        licence, text = licences[name]
        assert "UNKNOWN" not in licence, name
        assert len(text) > 200, f"{name} has no text of a licence"


def test_no_server_and_no_page_needs_what_may_only_be_used_under_the_gpl() -> None:
    titles = re.findall(r"^-{80}\n(\S+) \S+: (.+)$", NOTICES, re.M)
    found = {name for name, licence in titles if re.search(r"\b(A?GPL|GNU General)", licence)}
    assert found == set(GPL)
    for name, only in GPL.items():
        locks = [lock for lock in LISTS.values() if name in {n for n, _ in _python(lock)}]
        assert locks == [only]


def test_whatever_is_installed_is_pinned_by_hash_and_runs_no_script_of_its_own() -> None:
    """Every lock, and every line of our tools that installs something from a registry."""
    for lock in (ROOT / "requirements").glob("*.txt"):
        blocks = re.split(r"^(?=[\w.-]+==)", lock.read_text("utf-8"), flags=re.M)[1:]
        assert blocks, lock.name
        assert [b.split()[0] for b in blocks if "--hash=sha256:" not in b] == [], lock.name
    packages = json.loads((ROOT / "page" / "package-lock.json").read_text("utf-8"))["packages"]
    assert [where for where, one in packages.items() if where and "integrity" not in one] == []
    tools = [*(ROOT / "tools").glob("*.sh"), ROOT / "Makefile"]
    lines = [line for tool in tools for line in tool.read_text("utf-8").splitlines()]
    pip = [line for line in lines if "pip install" in line and "--editable ." not in line]
    npm = [line for line in lines if re.search(r"\bnpm (ci|install)\b", line)]
    assert len(pip) > 3
    assert npm
    assert [line for line in pip if "--require-hashes --no-deps" not in line] == []
    assert [line for line in npm if "--ignore-scripts" not in line] == []


def test_an_operator_who_types_the_handbook_installs_nothing_that_no_hash_holds() -> None:
    """A wheel that is made where it is installed would fetch what makes it, by its name alone; and
    whoever registers the name of this project would be fetched by it."""
    pages = [ROOT / "README.md", *(ROOT / "docs" / "handbook").glob("*.md")]
    pages += (ROOT / "src" / "wallflower").rglob("*.py")
    typed = re.findall(r"pip install [^`\"\n]*", "\n".join(p.read_text("utf-8") for p in pages))
    own = [
        part
        for line in typed
        for part in re.split(r"&&|and$", line)
        if "pip install" in part and "--require-hashes -r requirements/" not in part
    ]
    assert len(typed) > 4
    assert {part.partition("pip install ")[2].strip() for part in own} == {
        "--no-deps --no-build-isolation .", "--no-deps wallflower-*.whl",
    }  # fmt: skip
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    held, tested = _python("build"), _python("dev")
    assert [f"{name}=={version}" for name, version in held if name == "hatchling"] == needed
    assert {one: tested.get(one) for one in held} == held
