"""What Chromium's profile directory tells whoever takes the device, by files, sizes and content.

Three people with the same visits at the same length: one watched, one wrote, one wrote and forgot.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright
from tests.browser.browsing import (
    Visitor,
    finish,
    forget_all,
    look_up,
    make_words,
    wait_for_board,
    wait_for_hum,
)
from tests.browser.disk import Profile, find_canaries, log_entries, look_at
from tests.browser.lanes import in_lanes
from tests.browser.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.nightly]

CANARY = "Kanarienvogel 7391 im grauen Schrank der dritten Halle"
LANES = 3
STAY_MS = 20_000  # longer than everything that a writer does
# What Chromium changes by itself from run to run, with or without a person at the keyboard.
ITS_OWN: dict[str, str] = {
    r"BrowserMetrics|Crashpad|metrics": "measurements that the browser takes of itself",
    r"Local State|Preferences|Secure Preferences|Last Version|Variations": (
        "settings as JSON with times and counters in decimal digits"
    ),
    r"(Cache|GPUCache|GrShaderCache|ShaderCache|DawnGraphiteCache|DawnWebGPUCache)/": (
        "compiled code and pictures, written when the browser is idle"
    ),
    r"/(LOG|LOG.old|MANIFEST-\d+|CURRENT|LOCK)$": "a database's own diary, with times in it",
    r"optimization_guide|OptimizationHints|segmentation_platform|commerce|discounts|parcel": (
        "the browser maker's models, filled when the browser is idle"
    ),
    r"shared_proto_db|Site Characteristics Database": (
        "how much a site used the processor, and whether it changed its title in a hidden tab"
    ),
    r"Network Persistent State|Reporting and NEL|TransportSecurity|Trust Tokens": (
        "what the network stack learned of servers, with times"
    ),
    r"History|Favicons|Top Sites|Shortcuts|Network Action Predictor|Visited Links": (
        "pages that were open: the same for both, in pages of a database that fill differently"
    ),
    r"Sessions(_Encrypted)?/": (
        "the open tabs with where they were scrolled to; larger after any use of the page"
    ),
    r"PreferredApps|extensions_crx_cache": "made some seconds after the start, when idle",
    r"DIPS|Cookies|Web Data|Login Data|Account|heavy_ad|declarative|AutofillStrike": (
        "databases of the browser with nothing of ours; journals come and go"
    ),
}


def _exception(name: str) -> str | None:
    return next((why for pattern, why in ITS_OWN.items() if re.search(pattern, name)), None)


def _nothing(page: Page) -> list[str]:
    del page
    return []


def _scrolling(page: Page) -> list[str]:
    """What a reader of the instructions does."""
    page.mouse.wheel(0, 900)
    page.locator("#go-write").click()
    page.locator("#go-read").click()
    page.mouse.wheel(0, -900)
    return []


def _writing(page: Page) -> list[str]:
    words = make_words(page)
    digits = page.locator("#shown-digits").inner_text().split()
    page.locator("#letter").press_sequentially(CANARY)
    finish(page)
    look_up(page, " ".join(words))
    return [CANARY, " ".join(words), "".join(words[:4]), " ".join(digits), "".join(digits)]


def _writing_and_forgetting(page: Page) -> list[str]:
    typed = _writing(page)
    forget_all(page)
    return typed


def _telling_textarea(page: Page) -> list[str]:
    page.evaluate(
        "() => { const field = document.body.appendChild(document.createElement('textarea'));"
        " field.id = 'planted'; }"
    )
    page.locator("#planted").press_sequentially(CANARY)
    return []


def _telling_store(page: Page) -> list[str]:
    page.evaluate("(text) => localStorage.setItem('draft', text)", CANARY)
    return []


Person = tuple[str, Callable[[Page], list[str]]]
PEOPLE: list[Person] = [
    ("watched", _nothing), ("watched too", _nothing), ("scrolled", _scrolling),
    ("wrote", _writing),
    ("wrote and forgot", _writing_and_forgetting),
]  # fmt: skip
CONTROLS: list[Person] = [("textarea", _telling_textarea), ("store", _telling_store)]


@pytest.fixture(scope="module")
def profiles(
    chromium: str, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Path, Profile, list[str]]]:
    """Everybody's profile, a while after what they did, at rest."""
    folder = tmp_path_factory.mktemp("profiles")
    has_forget = 'id="forget"' in (built / "index.html").read_text(encoding="utf-8")
    people = [*(PEOPLE if has_forget else PEOPLE[:-1]), *CONTROLS]

    def lane(driver: Playwright, share: list[Person]) -> dict[str, tuple[Path, Profile, list[str]]]:
        stage = Stage(folder / f"site-{share[0][0]}", built)
        stage.next_day()
        stage.release([], [])
        seen = {}
        for name, act in share:
            visitor = Visitor(driver, chromium, folder / name, stage)
            page = visitor.visit()
            typed = _stay(page, act)
            visitor.leave()
            seen[name] = (folder / name, look_at(folder / name, stage.site.port), typed)
        stage.stop()
        return seen

    shares = in_lanes(lane, [people[n::LANES] for n in range(LANES)])
    return {name: found for share in shares for name, found in share.items()}


def _stay(page: Page, act: Callable[[Page], list[str]]) -> list[str]:
    """A visit that is as long whatever is done in it."""
    began = float(page.evaluate("performance.now()"))
    wait_for_hum(page)
    wait_for_board(page)
    typed = act(page)
    rest = STAY_MS - (float(page.evaluate("performance.now()")) - began)
    assert rest > 0, "this machine is too busy: the visit took longer than STAY_MS"
    page.wait_for_timeout(rest)
    return typed


def _unlike(one: Profile, other: Profile) -> dict[str, tuple[int | None, int | None]]:
    """Files that are not in both, or not of the same size in both."""
    names = one.sizes.keys() | other.sizes.keys()
    pairs = {name: (one.sizes.get(name), other.sizes.get(name)) for name in sorted(names)}
    return {name: sizes for name, sizes in pairs.items() if sizes[0] != sizes[1]}


def test_profile_after_writing_has_the_files_and_sizes_of_watching(
    profiles: dict[str, tuple[Path, Profile, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    watched = profiles["watched"][1]
    leaks: dict[str, object] = {}
    with capsys.disabled():
        print(
            "\n\n| file | compared with watching | sizes | why it is excepted |\n|---|---|---|---|"
        )
        for name in ("watched too", "scrolled", "wrote", "wrote and forgot"):
            if name not in profiles:
                print(f"| (the page has no button for: {name}) | | | |")
                continue
            for file, sizes in _unlike(watched, profiles[name][1]).items():
                why = _exception(file)
                print(f"| {file} | {name} | {sizes[0]} / {sizes[1]} | {why or 'NONE'} |")
                if why is None:
                    leaks[f"{name}: {file}"] = sizes
        ours = {n: s for n, s in watched.sizes.items() if _is_ours(n)}
        print(f"\nOur origin's storage, the same for all: {ours}")
    assert not leaks


def _is_ours(name: str) -> bool:
    return "Local Storage" in name or "File System" in name or "IndexedDB" in name


def test_our_origins_databases_hold_as_many_entries_for_all(
    profiles: dict[str, tuple[Path, Profile, list[str]]],
) -> None:
    def ours(name: str) -> dict[str, int]:
        return {n: e for n, e in profiles[name][1].entries.items() if _is_ours(n)}

    for name in profiles.keys() & {"watched too", "scrolled", "wrote", "wrote and forgot"}:
        assert ours(name) == ours("watched")


def test_no_file_holds_what_was_typed_or_shown(
    profiles: dict[str, tuple[Path, Profile, list[str]]],
) -> None:
    for name in profiles.keys() & {"wrote", "wrote and forgot"}:
        folder, _, typed = profiles[name]
        assert len(typed) > 1
        assert find_canaries(folder, typed) == {}


def test_planted_textarea_and_planted_store_are_found(
    profiles: dict[str, tuple[Path, Profile, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    for name, _ in CONTROLS:
        found = find_canaries(profiles[name][0], [CANARY])
        with capsys.disabled():
            print(f"\nplanted {name}: found in {sorted(found)}")
        assert found, name


def test_entries_of_a_known_log_are_counted() -> None:
    batch = bytes(8) + (3).to_bytes(4, "little") + b"rest"
    record = bytes(4) + len(batch).to_bytes(2, "little") + b"\x01" + batch
    assert log_entries(record + record) == 2 * 3
