"""Writes sbom/page.cdx.json without what differs from run to run, and THIRD-PARTY-NOTICES.txt.

python tools/notices.py PAGE_SBOM PIP_LICENSES   (tools/sbom.sh calls it)
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "page"
HEAD = """Third-party notices

What ships with Wallflower beside its own code (Apache-2.0, see LICENSE): the Python packages that
requirements/run.txt installs, and the JavaScript that is bundled into the page's scripts.
Then what requirements/campaign.txt and requirements/film.txt install beside these, for who makes a
campaign or its films only. Made by `make sbom`.
"""
PARTS = (
    ("run", "Python"),
    ("campaign", "Python, for who makes a campaign only"),
    ("film", "Python, for who makes films only: FFmpeg and x264 (GPL) in one wheel"),
)
# Its package says nothing; its LICENSE is zlib's text. The wheel also holds SQLCipher and OpenSSL,
# whose texts it does not bring.
SAID_BY_THE_TEXT = {
    "sqlcipher3": "Zlib; holds SQLCipher (BSD-3-Clause) and OpenSSL (Apache-2.0)",
    # Nor does this one bring those of what it holds.
    "av": "BSD-3-Clause; holds FFmpeg and x264 (GPL-2.0-or-later)",
}


def page_sbom(raw: str) -> dict[str, Any]:
    """npm's list of what is bundled, the same bytes for the same lock."""
    found: dict[str, Any] = json.loads(raw)
    found.pop("serialNumber", None)
    found["metadata"].pop("timestamp", None)
    return found


def pinned(lock: str) -> set[str]:
    """The names in a file of requirements/."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    return set(re.findall(r"^([\w.-]+)==", text, re.M))


def python_notices(pip_licenses: str, names: set[str]) -> list[tuple[str, str, str]]:
    """(name and version, licence, text) of these packages, out of what is installed here."""
    done = subprocess.run(
        [pip_licenses, "--python", sys.executable, "--format", "json", "--from", "mixed",
         "--packages", *sorted(names)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [
        (
            f"{p['Name']} {p['Version']}",
            _licence(p),
            _texts(p["Name"]),
        )
        for p in json.loads(done.stdout)
    ]


def _texts(name: str) -> str:
    """Every licence and notice that an installed package brings, what it bundles included."""
    files = [f for f in distribution(name).files or () if ".dist-info" in str(f)]
    named = [f for f in files if re.search("LICEN|COPYING|NOTICE", f.name.upper())]
    return "\n".join(f.read_text("utf-8").strip() for f in sorted(named))


def _licence(package: dict[str, str]) -> str:
    return SAID_BY_THE_TEXT.get(package["Name"], package["License"])


def page_notices(sbom: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The same of the page's packages, out of page/node_modules."""
    found = []
    for component in sbom["components"]:
        name = "/".join(filter(None, (component.get("group"), component["name"])))
        folder = PAGE / "node_modules" / name
        licence = json.loads((folder / "package.json").read_text("utf-8"))["license"]
        texts = [
            p.read_text("utf-8")
            for p in sorted(folder.iterdir())
            if p.name.upper().startswith("LICEN")
        ]
        found.append((f"{name} {component['version']}", licence, "\n".join(texts)))
    return found


def main(page: Path, pip_licenses: str) -> None:
    """Write both files."""
    sbom = page_sbom(page.read_text("utf-8"))
    (ROOT / "sbom" / "page.cdx.json").write_text(json.dumps(sbom, indent=2) + "\n", "utf-8")
    parts, known = [HEAD], set[str]()
    sections = []
    for lock, title in PARTS:
        sections.append((title, python_notices(pip_licenses, pinned(lock) - known)))
        known |= pinned(lock)
    for title, notices in [*sections, ("The page", page_notices(sbom))]:
        parts.append(f"\n{'=' * 80}\n{title}\n")
        for name, licence, text in sorted(notices):
            parts.append(f"\n{'-' * 80}\n{name}: {licence}\n\n{text.strip()}\n")
    (ROOT / "THIRD-PARTY-NOTICES.txt").write_text("".join(parts), "utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
