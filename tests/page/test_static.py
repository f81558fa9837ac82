"""The built page keeps its promises before any browser runs it: no foreign request, no inline
script, no eval, instructions within 12 kB, every text field guarded.
"""

from __future__ import annotations

import gzip
import re

import pytest

from wallflower.campaign.build import packaged_page

WIRE_LIMIT = 12_000  # DESIGN 6: the instructions in one response


@pytest.fixture(scope="module")
def built() -> dict[str, str]:
    """The built files."""
    folder = packaged_page()
    if not (folder / "index.html").is_file():
        pytest.skip("The page is not built: cd page && npm ci --ignore-scripts && npm run build")
    return {p.name: p.read_text(encoding="utf-8") for p in folder.iterdir()}


def test_instructions_fit_one_response_of_twelve_kilobytes(built: dict[str, str]) -> None:
    assert len(gzip.compress(built["index.html"].encode(), mtime=0)) <= WIRE_LIMIT


def test_page_names_no_other_origin(built: dict[str, str]) -> None:
    named = re.findall(
        r"""(?:src|href|action|url)\s*[=(]\s*["']?([^"')\s>]+)""", built["index.html"]
    )
    assert set(named) == {
        "data:,", "style.css", "app.js", "#instructions", "#en", "#zh-Hans",
    }  # fmt: skip
    assert "url(" not in built["style.css"]
    assert "@import" not in built["style.css"]
    assert "@font-face" not in built["style.css"]


def test_no_script_is_inline_or_made_of_text(built: dict[str, str]) -> None:
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", built["index.html"], re.S)
    assert scripts == [(' src="app.js" defer', "")]
    assert not re.search(r"\son\w+\s*=", built["index.html"])
    assert " style=" not in built["index.html"]
    for name in ("app.js", "hum.js"):
        code = built[name]
        for word in ("eval(", "new Function", "innerHTML", "document.write", "sendBeacon",
                     "XMLHttpRequest", "WebSocket", "serviceWorker", "sourceMappingURL",
                     "console.", "Math.random"):  # fmt: skip
            assert word not in code, f"{word} in {name}"


def test_policy_is_strict(built: dict[str, str]) -> None:
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', built["index.html"])
    assert found is not None
    policy = dict(part.strip().split(" ", 1) for part in found[1].split(";"))
    assert policy == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'",
        "img-src": "data:", "media-src": "blob:", "worker-src": "'self'",
        "connect-src": "'self'@CONNECT@", "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip


def test_every_text_field_is_guarded_and_none_is_a_form_control(built: dict[str, str]) -> None:
    page = built["index.html"]
    assert "<textarea" not in page
    assert re.findall(r"<input[^>]*>", page) == [
        '<input type="checkbox" id="noted" autocomplete="off">'
    ]
    fields = re.findall(r'<div[^>]*role="textbox"[^>]*>', page)
    assert len(fields) == 3
    for field in fields:
        for guard in ('autocomplete="off"', 'spellcheck="false"', 'autocapitalize="off"',
                      'translate="no"', "aria-labelledby="):  # fmt: skip
            assert guard in field
