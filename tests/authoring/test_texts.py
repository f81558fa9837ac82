"""A campaign's texts: inert on the page, whole in every language, outdated ones found by name."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallflower.campaign.edge.authoring import example_folder, read_campaign
from wallflower.campaign.texts import (
    Text,
    lost_items,
    outdated,
    parse_text,
    with_fingerprints,
)
from wallflower.errors import Fault

FRONT = '+++\nname = "N"\ntitle = "T"\nlead = "L"\nabout = "A"\n+++\n'
KINDS = {"p", "h2", "h3", "ul", "ol", "li", "strong", "em", "br", "bdi"}


def _text(body: str, language: str = "en") -> Text:
    return parse_text(language, FRONT + body)


@given(st.text(max_size=300))
def test_whatever_is_written_becomes_inert_markup_or_a_fault(body: str) -> None:
    try:
        html = _text(body).html()
    except Fault:
        return
    tags = re.findall(r"<(/?)([a-z0-9]+)([^>]*)>", html)
    assert {name for _, name, _ in tags} <= KINDS
    assert {rest for _, _, rest in tags} <= {"", ' dir="ltr"', " /"} | {
        rest for _, name, rest in tags if name == "ol" and re.fullmatch(r' start="\d+"', rest)
    }
    assert html.count("<") == len(tags)


@pytest.mark.parametrize(
    "body",
    ["# One", "![picture](x.png)", "> quote", "---", "`code`", "    code", "#### four",
     "- item ![](https://a.example/p)"],
)  # fmt: skip
def test_what_the_page_does_not_show_is_refused(body: str) -> None:
    with pytest.raises(Fault, match=re.escape("en.md, line 1")):
        _text(body).html()


def test_raw_html_is_shown_as_text_and_runs_nothing() -> None:
    html = _text("<script>alert(1)</script> <img src=x onerror=y>").html()
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_a_link_becomes_its_text_and_its_address_and_no_request() -> None:
    html = _text("[us](https://a.example/?b=1&c) or <https://b.example/>").html()
    assert html == (
        '<p>us (<bdi dir="ltr">https://a.example/?b=1&amp;c</bdi>) or https://b.example/</p>'
    )


def test_a_changed_section_is_found_by_its_heading_and_a_changed_space_is_not() -> None:
    source = _text("## One\n\ntext\n\n## Two\n\nmore\n")
    raw = with_fingerprints("es", FRONT + "## Uno\n\ntexto\n\n## Dos\n\nmás\n", source)
    translation = parse_text("es", raw)
    assert outdated(translation, source) == []
    assert outdated(translation, _text("## One\n\ntext\n\n\n## Two\n\n  more\n")) == []
    assert outdated(translation, _text("## One\n\ntext\n\n## Two\n\nother\n")) == ["Two"]
    longer = _text("## One\n\ntext\n\n## Two\n\nmore\n\n## Three\n\nnew\n")
    assert outdated(translation, longer) == ["it has 2 sections and not 3"]
    assert parse_text("es", with_fingerprints("es", raw, source)) == translation


@pytest.mark.parametrize(
    "front",
    [
        'of = [\n  "12345678", # one\n  "12345678",\n]\n', 'reviewed = false\n[more]\nx = 1\n',
        'of=["12345678"]  # old\nreviewed = true\n', 'proof = ["12345678"]\n',
    ],
)  # fmt: skip
def test_marking_a_translation_changes_what_it_is_of_and_nothing_else(front: str) -> None:
    source = _text("## One\n\ntext\n")
    raw = FRONT.replace("+++\n", f"+++\n{front}", 1) if "[more]" not in front else (
        FRONT.replace("\n+++\n", f"\n{front}+++\n", 1)
    )  # fmt: skip
    before = parse_text("es", raw + "## Uno\n\n+++\n")
    after = parse_text("es", with_fingerprints("es", raw + "## Uno\n\n+++\n", source))
    assert after == replace(before, of=source.fingerprints)


def test_a_translation_that_only_a_person_can_mark_stays_as_it_was() -> None:
    source = _text("## One\n\ntext\n")
    raw = FRONT.replace('about = "A"', 'about = """\nof = [a]\n"""')
    with pytest.raises(Fault, match="Write it yourself: of = "):
        with_fingerprints("es", raw, source)


def test_a_translation_that_names_no_source_counts_as_outdated() -> None:
    source = _text("## One\n\ntext\n")
    assert outdated(_text("## Uno\n\ntexto\n", "es"), source) == ["the lines in front", "One"]


def test_a_translation_that_loses_an_advice_is_found() -> None:
    source = _text("## One\n\n- a\n- b\n\n## Two\n\n1. c\n")
    assert lost_items(_text("## Uno\n\n- a\n\n## Dos\n\n1. c\n", "es"), source) == ["One"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("no front", "between +++"),
        ("+++\nname = \n+++\n", "not TOML"),
        (f"+++\nname = {'[' * 100_000}\n+++\n", "fewer brackets"),
        ('+++\nname = "N"\n+++\n', "'title'"),
        (FRONT.replace('"L"', '""'), "'lead'"),
        (FRONT.replace('about = "A"', 'about = "A"\nof = 3'), "'of'"),
    ],
)
def test_a_broken_front_says_what_to_correct(raw: str, said: str) -> None:
    with pytest.raises(Fault, match=re.escape(said)):
        parse_text("en", raw)


def test_the_example_says_the_same_in_all_five_languages() -> None:
    texts = read_campaign(example_folder()).texts
    source = texts["en"]
    assert list(texts) == ["en", "zh-Hans", "fa", "ru", "es"]
    for text in texts.values():
        assert lost_items(text, source) == []
        assert not text.reviewed
        if text is not source:
            assert outdated(text, source) == []
