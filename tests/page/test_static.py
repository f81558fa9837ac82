"""Both built shapes keep their promises before any browser runs them: no foreign request, strict
policies, every text field guarded. Weights: tests/authoring/test_shapes.py.
"""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from wallflower.campaign.edge.build import packaged_page


@pytest.fixture(scope="module")
def built() -> dict[str, str]:
    """The built files."""
    folder = packaged_page()
    if not (folder / "index.html").is_file():
        pytest.fail("The page is not built: cd page && npm ci --ignore-scripts && npm run build")
    return {p.name: p.read_text(encoding="utf-8") for p in folder.iterdir()}


def test_carried_shape_has_one_script_and_one_style_that_its_policy_names(
    built: dict[str, str],
) -> None:
    page = built["carried.html"]
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert found is not None
    policy = dict(part.strip().split(" ", 1) for part in found[1].split(";") if " " in part.strip())
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.S)
    styles = re.findall(r"<style>(.*?)</style>", page, re.S)
    assert [attributes for attributes, _ in scripts] == [""]
    for text, directive in ((scripts[0][1], "script-src"), (styles[0], "style-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert policy[directive] == f"'sha256-{digest}'"
    assert policy["default-src"] == "'none'"
    assert policy["worker-src"] == "blob:"
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", page)


def test_page_names_no_other_origin(built: dict[str, str]) -> None:
    named = re.findall(
        r"""(?:src|href|action|url)\s*[=(]\s*["']?([^"')\s>]+)""", built["index.html"]
    )
    assert set(named) == {
        "data:,", "style.css", "app.js", "#instructions",
        *(f"#{code}" for code in ("en", "zh-Hans", "fa", "ru", "es")),
    }  # fmt: skip
    assert "url(" not in built["style.css"]
    assert "@import" not in built["style.css"]
    assert "@font-face" not in built["style.css"]


def test_no_script_is_inline_or_made_of_text(built: dict[str, str]) -> None:
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", built["index.html"], re.S)
    assert scripts == [(' src="app.js" defer', "")]
    assert not re.search(r"\son\w+\s*=", built["index.html"])
    assert " style=" not in built["index.html"]
    for name in ("app.js", "hum.js", "seal.js"):
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
        '<input type="checkbox" id="noted" autocomplete="off">',
        '<input type="checkbox" id="hum-choice" autocomplete="off" checked disabled>',
    ]
    fields = re.findall(r'<div[^>]*role="textbox"[^>]*>', page)
    assert len(fields) == 4
    for field in fields:
        for guard in ('autocomplete="off"', 'spellcheck="false"', 'autocapitalize="off"',
                      'translate="no"', "aria-labelledby="):  # fmt: skip
            assert guard in field
