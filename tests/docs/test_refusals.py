"""Every numbered refusal of the spec is shown: by a vector for both languages, or by a named test.

The numbers are read from the pages of spec/. A new one without a vector or a row here turns this
red, and so does a row whose test does not exist or does not speak of the number.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from tests.claims.rules import read_pages, refusing
from vectors.in_python import HERE, load

ROOT = Path(__file__).parents[2]
PAGES = read_pages()
# What no file of bytes can show: it needs a memory, a clock, a second file, or a person's act.
IN_PYTHON = {
    **dict.fromkeys(
        ("census 5.1", "census 5.2", "census 5.3", "census 5.4"),
        ("wire/test_census", "a_damaged_census_is_refused_by_its_rule"),
    ),
    "bundle 6.1": ("campaign/test_attacks", "a_place_that_is_no_bundle_says_so"),
    "bundle 6.2": ("campaign/test_tampering", "unreadable_metadata_is_refused"),
    "bundle 6.3": (
        "campaign/test_attacks", "wrong_software_of_another_campaign_has_other_words",
    ),
    "bundle 6.4": ("campaign/test_tampering", "a_root_of_the_wrong_threshold_is_refused"),
    "bundle 6.5": (
        "campaign/test_attacks", "rollback_is_refused_by_who_has_seen_a_newer_version",
    ),
    "bundle 6.6": ("campaign/test_attacks", "mix_and_match_of_two_versions_is_refused"),
    "bundle 6.7": ("campaign/test_attacks", "indefinite_freeze_is_told_as_old"),
    "bundle 6.8": ("campaign/test_attacks", "endless_data_is_cut_off"),
    "bundle 6.9": (
        "campaign/test_tampering", "a_mirror_that_cheats_on_the_way_is_refused_by_its_reason",
    ),
    "bundle 6.10": ("campaign/test_attacks", "a_malicious_mirror_can_do_nothing_but_refuse"),
    "bundle 6.11": (
        "campaign/test_attacks", "arbitrary_software_is_refused_whoever_serves_it",
    ),
    "bundle 6.12": (
        "campaign/test_tampering", "a_name_that_leads_elsewhere_is_refused_in_a_zip_and_in_targets",
    ),
    "bundle 6.13": (
        "campaign/test_links", "a_signed_file_that_is_a_link_is_named_and_not_followed",
    ),
    "bundle 6.14": ("campaign/test_tampering", "a_damaged_zip_is_refused"),
    "bundle 6.15": (
        "campaign/test_attacks", "a_stolen_page_key_signs_no_film_no_ways_and_no_pins",
    ),
    "bundle 6.16": (
        "campaign/test_tampering", "the_list_and_its_minisign_signature_are_checked_too",
    ),
    "bundle 6.17": (
        "campaign/test_sign", "a_page_with_the_pins_of_somebody_else_is_not_signed",
    ),
    "bundle 6.18": ("campaign/test_tampering", "one_file_is_found_by_its_content_alone"),
    "bundle 6.19": (
        "campaign/test_attacks",
        "extraneous_dependencies_do_not_exist_and_files_beside_are_refused",
    ),
    "bundle 6.20": ("campaign/test_tampering", "a_revoked_key_counts_no_more"),
    "eightwords 3.1": ("campaign/test_eightwords", "what_is_no_root_has_no_words"),
    "eightwords 3.2": (
        "campaign/test_eightwords", "a_root_that_asks_for_more_signatures_than_keys_has_no_words",
    ),
    "eightwords 3.3": (
        "campaign/test_eightwords",
        "a_stranger_s_keys_under_the_names_of_the_right_ones_have_no_words",
    ),
    "loop 4.1": ("board/test_server_answers", "loops_of_strangers_are_taken_and_change_nothing"),
    "hum 3.1": ("mix/test_records", "hop_keys_are_erased_on_time_and_their_hums_open_nowhere"),
    "hum 3.2": ("mix/test_first", "cells_and_hums_again_across_restarts_are_forwarded_once"),
    "letter 3.9": (
        "source/test_letters", "no_mark_is_used_twice_in_a_week_and_the_last_one_can_be_had",
    ),
    "letter 3.10": (
        "source/test_last_year",
        "nothing_is_sealed_under_keys_from_which_it_could_never_leave",
    ),
    "parcel 3.2": ("mix/test_second", "a_bad_parcel_is_refused_by_its_rule_and_keeps_nothing"),
    "parcel 3.4": ("mix/test_second", "a_taken_letter_is_refused_by_its_rule_and_changes_nothing"),
    "pull 3.1": (
        "host/test_pull", "an_answer_that_repeats_or_overruns_what_was_asked_is_refused",
    ),
    "pull 3.2": (
        "host/test_pull", "a_question_of_another_length_is_refused_and_the_log_unchanged",
    ),
    "pull 3.3": ("host/test_pull", "what_names_no_share_is_refused"),
    "record 5.1": (
        "board/test_server", "an_offer_with_a_bad_signature_is_refused_and_changes_nothing",
    ),
    "record 5.2": ("mix/test_signing", "a_draft_with_another_hop_key_is_refused"),
    "record 2.12": (
        "lab/test_revocation", "a_source_is_not_taken_back_to_a_record_that_was_revoked",
    ),
    "record 5.3": ("mix/test_records", "a_record_that_differs_from_the_signed_draft_is_refused"),
    "token 4.4": ("mix/test_known", "a_bad_set_is_refused_by_its_rule_and_the_good_one_stays"),
    "record 5.4": ("mix/test_signing", "a_draft_that_goes_back_behind_today_is_refused"),
    "record 6.1": (
        "lab/test_revocation", "a_withdrawal_that_is_not_one_is_refused_and_changes_nothing",
    ),
    "segment 3.7": ("trust/test_board", "a_board_that_went_back_is_refused"),
}  # fmt: skip
# The two that have no exception of their own: A counts and drops, and says nothing to anybody.
SILENT = {"hum 3.1", "hum 3.2"}
_STORE = "page/test/store-refusals.test.ts"
IN_TYPESCRIPT = {
    "segment 3.7": "page/test/trust.test.ts",
    "letter 3.10": "page/test/last-year.test.ts",
    "store 2.3": _STORE, "store 2.5": _STORE, "store 3.3": _STORE, "store 4.1": _STORE,
    "store 4.5": _STORE, "store 6.1": _STORE, "store 6.2": _STORE, "store 6.3": _STORE,
    "store 6.4": _STORE,
}  # fmt: skip
# The page reads no bundle. It neither gathers a hum, nor writes a reply, nor reads a parcel twice,
# a drop, a draft, a census, loops that came or a set of tokens; a conversation without a mark is
# its store 2.5,
# and of two records it takes the newer, which is then out of its time (record 2.10).
NOT_OF_THE_PAGE = re.compile(
    r"(bundle|census|drop|eightwords|hum 3|loop|letter 3\.9|token|parcel 3\.[24]|pull"
    r"|record (2\.12|[56])|reply 3\.5)"
)
RULES = {rule for page in PAGES for rule in refusing(page)}


def _vectors() -> dict[str, set[str]]:
    """rule -> the structures and stages that show it."""
    shown: dict[str, set[str]] = defaultdict(set)
    for file in HERE.glob("*/refused/*.json"):
        vector = load(str(file.relative_to(HERE)))
        shown[vector["refused"]].add(f"{vector['structure']} {vector['stage']}")
    return shown


SHOWN = _vectors()


def test_the_numbers_of_the_spec_are_read() -> None:
    counts = {page: len(refusing(page)) for page in PAGES}
    assert counts["cell"] == 5
    assert counts["record"] == 17
    assert counts["chain"] == counts["receipt"] == 1
    assert {page for page in PAGES if not counts[page]} == {"crypto", "stamp", "versions"}
    assert len(RULES) > 60


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_refusal_is_shown_in_each_language_that_reads_it(rule: str) -> None:
    of_store = rule.startswith("store")
    assert rule in SHOWN or rule in IN_PYTHON or of_store, "no Python test shows it"
    if not NOT_OF_THE_PAGE.match(rule):
        assert rule in SHOWN or rule in IN_TYPESCRIPT, "no test of the page shows it"


def test_no_vector_and_no_row_speaks_of_a_number_that_the_spec_does_not_have() -> None:
    assert set(SHOWN) <= RULES
    assert set(IN_PYTHON) | set(IN_TYPESCRIPT) <= RULES


@pytest.mark.parametrize("rule", sorted(IN_PYTHON))
def test_named_python_test_exists_and_speaks_of_the_number(rule: str) -> None:
    file, name = IN_PYTHON[rule]
    text = (ROOT / "tests" / f"{file}.py").read_text("utf-8")
    assert re.search(rf"^(async )?def test_{name}\(", text, re.MULTILINE), (
        f"{file} has no such test"
    )
    if rule not in SILENT:
        assert f'"{rule}"' in text, f"{file} never asserts {rule}"


@pytest.mark.parametrize(("rule", "file"), sorted(IN_TYPESCRIPT.items()))
def test_named_test_of_the_page_asserts_the_number(rule: str, file: str) -> None:
    assert f"refusedBy('{rule}')" in (ROOT / file).read_text("utf-8")


def test_the_page_reads_every_stage_of_the_vectors_but_those_that_it_does_not_speak() -> None:
    text = (ROOT / "page" / "test" / "vectors" / "refuse.ts").read_text("utf-8")
    read = set(re.findall(r"^  '([a-z]+ [a-z-]+)':", text, re.M))
    line = next(line for line in text.splitlines() if "ELSEWHERE" in line)
    elsewhere = set(re.findall(r"'([a-z]+ [a-z-]+)'", line))
    stages = {stage for shown in SHOWN.values() for stage in shown if not stage.startswith("drop ")}
    assert stages == read | elsewhere
    assert not read & elsewhere


def test_every_number_that_the_code_raises_is_one_of_the_spec() -> None:
    """Both languages."""
    code = [p.read_text("utf-8") for p in (ROOT / "src" / "wallflower").rglob("*.py")]
    code += [p.read_text("utf-8") for p in (ROOT / "page" / "src").rglob("*.ts")]
    pattern = rf"""Refused\(\s*['"]((?:{"|".join(PAGES)}) [\d.]+)['"]"""
    raised = {rule for text in code for rule in re.findall(pattern, text)}
    assert len(raised) > 40
    assert raised <= RULES | {"hum 1.7"}  # a page's own act, not bytes: tests of trust
