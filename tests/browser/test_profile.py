"""What Chromium's profile directory tells whoever takes the device, by files, sizes and content.

Everybody visits twice, as long each time; on the second visit one watches, one reads and scrolls,
one writes, one writes and forgets. Two watchers show what differs by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright
from tests.browser.browsing import (
    PHONE,
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

pytestmark = [pytest.mark.browser, pytest.mark.alone]

CANARY = "Kanarienvogel 7391 im grauen Schrank der dritten Halle"
LANES = 8
TURNS = 3
# How long everybody's visit is: longer than all that anybody does, of which reading for long takes
# 22 s where nothing else runs; where it was not, once more.
STAYS_MS = (30_000, 60_000, 120_000)
SNAPSHOT_MS = 3000  # Chromium notes an open tab's place at most once in 2.5 s
# What Chromium changes by itself from run to run, with nobody at the keyboard.
ITS_OWN: dict[str, str] = {
    r"BrowserMetrics|Crashpad|metrics": "measurements that the browser takes of itself",
    r"Local State|Preferences|Network Persistent State|TransportSecurity": (
        "settings as JSON with times and counters in decimal digits"
    ),
    r"-journal$|-wal$|-shm$": "a database's work in progress, which comes and goes",
}
# What any use of the page changes, a reader's as a writer's (a loss, in the threat model).
BY_USE: dict[str, str] = {
    r"Sessions(_Encrypted)?/Session_": "a line for each time the open tab's place was noted",
    r"shared_proto_db/\d+\.log$": "that somebody used the page at all",
}


def _matches(patterns: dict[str, str], name: str) -> str | None:
    return next((why for pattern, why in patterns.items() if re.search(pattern, name)), None)


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


def _scrolling_for_long(page: Page) -> list[str]:
    for _ in range(5):
        _scrolling(page)
        page.wait_for_timeout(SNAPSHOT_MS)
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
Seen = dict[str, tuple[Path, Profile, list[str]]]
WRITERS = ("wrote", "wrote and forgot")
PEOPLE: list[Person] = [
    ("watched", _nothing), ("watched too", _nothing), ("read for long", _scrolling_for_long),
    ("wrote", _writing), ("read", _scrolling), ("wrote and forgot", _writing_and_forgetting),
]  # fmt: skip
CONTROLS: list[Person] = [("textarea", _telling_textarea), ("store", _telling_store)]


class TooBusy(AssertionError):
    """The machine was so slow that this run says nothing about anybody."""


@pytest.fixture(scope="module")
def all_visit(
    chromium: str,
    built: Path,
    tmp_path_factory: pytest.TempPathFactory,
    tell: Callable[[str], None],
) -> Callable[[], Seen]:
    """Lets everybody visit, and gives their profiles a while after what they did, at rest.

    On a busy machine two watchers differ, as Chromium writes when it finds the time: then nobody's
    profile says anything, and all of them visit again, for longer.
    """

    def visited() -> Seen:
        for stay_ms in STAYS_MS[:-1]:
            try:
                seen = _everybody(chromium, built, tmp_path_factory.mktemp("profiles"), stay_ms)
                unlike = _unlike(seen["watched"][1], seen["watched too"][1])
                if all(_matches(ITS_OWN, file) for file in unlike):
                    return seen
                why = f"two watchers differ: {unlike}"
            except TooBusy as busy:
                why = str(busy)
            tell(f"\nAll visit again, for longer than {stay_ms} ms: {why}")
        return _everybody(chromium, built, tmp_path_factory.mktemp("profiles"), STAYS_MS[-1])

    return visited


@pytest.fixture(scope="module")
def profiles(all_visit: Callable[[], Seen]) -> Seen:
    """Everybody's profile."""
    return all_visit()


def _everybody(chromium: str, built: Path, folder: Path, stay_ms: int) -> Seen:
    stage = Stage(folder / "site", built)
    stage.next_day()
    stage.release([], [])

    def lane(driver: Playwright, share: list[tuple[int, Person]]) -> Seen:
        seen = {}
        for number, (name, act) in share:
            # Paths as long as each other: the browser writes its own into some files.
            profile = folder / f"{number:02}"
            visitor = Visitor(driver, chromium, profile, stage)
            if (name, act) not in CONTROLS:
                _stay(visitor.visit(PHONE), _nothing, 0)
            typed = _stay(visitor.visit(PHONE), act, stay_ms)
            visitor.leave()
            seen[name] = (profile, look_at(profile, stage.site.port), typed)
        return seen

    people = list(enumerate([*PEOPLE, *CONTROLS]))
    try:
        shares = in_lanes(lane, [people[n::LANES] for n in range(LANES)])
    finally:
        stage.stop()
    return {name: found for share in shares for name, found in share.items()}


def _stay(page: Page, act: Callable[[Page], list[str]], least_ms: int) -> list[str]:
    """A visit that is as long whatever is done in it."""
    began = float(page.evaluate("performance.now()"))
    wait_for_hum(page)
    wait_for_board(page)
    typed = act(page)
    rest = least_ms - (float(page.evaluate("performance.now()")) - began)
    if least_ms and rest <= 0:
        raise TooBusy(f"this machine is too busy: a visit took {least_ms - rest:.0f} ms")
    page.wait_for_timeout(max(rest, SNAPSHOT_MS))
    return typed


def _unlike(one: Profile, other: Profile) -> dict[str, tuple[int | None, int | None]]:
    """Files that are not in both, or not of the same size in both."""
    names = one.sizes.keys() | other.sizes.keys()
    pairs = {name: (one.sizes.get(name), other.sizes.get(name)) for name in sorted(names)}
    return {name: sizes for name, sizes in pairs.items() if sizes[0] != sizes[1]}


def test_profile_after_writing_has_the_files_and_sizes_of_reading(
    profiles: Seen, all_visit: Callable[[], Seen], tell: Callable[[str], None]
) -> None:
    leaks = _leaks(profiles, tell)
    if leaks:
        # About once in ten runs a file differs, and not again; where it was looked up, the list of
        # closed tabs was 48 bytes shorter, and why is not known. What writing leaves it leaves
        # every time: so it is a leak when it is of the same person and file in a second round.
        again = _leaks(all_visit(), tell)
        leaks = {what: sizes for what, sizes in leaks.items() if what in again}
    assert not leaks


def _leaks(profiles: Seen, tell: Callable[[str], None]) -> dict[str, object]:
    """Which files of whom are unlike a watcher's for no reason that any reader has; told as well
    as what is unlike for one."""
    watched, read, long = (profiles[n][1] for n in ("watched", "read", "read for long"))
    leaks: dict[str, object] = {}
    rows = ["\n\n| file | who | watched / they | why |\n|---|---|---|---|"]
    for name, _ in PEOPLE[1:]:
        for file, sizes in _unlike(watched, profiles[name][1]).items():
            use = _matches(BY_USE, file)
            why = _matches(ITS_OWN, file) or use
            rows.append(f"| {file} | {name} | {sizes[0]} / {sizes[1]} | {why or 'NONE'} |")
            # A writer's file is no larger than a reader's, by the same steps.
            known = [p.sizes[file] for p in (watched, read, long) if file in p.sizes]
            if why is None or (use and not min(known) <= (sizes[1] or 0) <= max(known)):
                leaks[f"{name}: {file}"] = sizes
    ours = {n: s for n, s in watched.sizes.items() if _is_ours(n)}
    tell("\n".join([*rows, f"\nOur origin's storage, the same for all: {ours}"]))
    return leaks


def _is_ours(name: str) -> bool:
    return "Local Storage" in name or "File System" in name or "IndexedDB" in name


def test_our_origins_databases_hold_as_many_entries_for_all(profiles: Seen) -> None:
    def ours(name: str) -> dict[str, int]:
        return {n: e for n, e in profiles[name][1].entries.items() if _is_ours(n)}

    assert ours("watched")
    for name, _ in PEOPLE:
        assert ours(name) == ours("watched")


def test_code_cache_holds_every_function_whoever_used_it(
    profiles: Seen, all_visit: Callable[[], Seen], built: Path
) -> None:
    """Chromium names what it keeps of a script by its hash. Kept when a page was at rest, with what
    ran until then, it would tell who did more; so all is compiled when the page loads.

    Beside each function it keeps a few bits on how soon that was worth compiling better. On a busy
    machine they differ in some twenty functions about once in three rounds, a watcher's or a
    writer's. What writing leaves it leaves in every round.
    """
    # Twice the script is what all of it takes, compiled; without the mark it takes 1.7 times.
    kept = _code_kept(profiles, "watched")
    assert max(kept.values()) > 2 * (built / "app.js").stat().st_size
    unlike = _code_unlike(profiles)
    for _ in range(TURNS - 1):
        unlike = unlike and unlike & _code_unlike(all_visit())
    assert not unlike


def _code_kept(seen: Seen, name: str) -> dict[str, int]:
    return {n: size for n, size in seen[name][1].sizes.items() if "Code Cache/js/" in n}


def _code_unlike(seen: Seen) -> set[str]:
    """Of whom Chromium kept other code than of a watcher."""
    watched = _code_kept(seen, "watched")
    return {name for name, _ in PEOPLE if _code_kept(seen, name) != watched}


def test_no_file_holds_what_was_typed_or_shown(profiles: Seen) -> None:
    for name in WRITERS:
        folder, _, typed = profiles[name]
        assert len(typed) > 1
        assert find_canaries(folder, typed) == {}


def test_planted_textarea_and_planted_store_are_found(
    profiles: Seen, tell: Callable[[str], None]
) -> None:
    for name, _ in CONTROLS:
        found = find_canaries(profiles[name][0], [CANARY])
        tell(f"\nplanted {name}: found in {sorted(found)}")
        assert found, name
    # By sizes alone, too: what a page keeps on its own shows in a database's log.
    unlike = _unlike(profiles["watched"][1], profiles["store"][1])
    assert any(_is_ours(file) for file in unlike)


def test_entries_of_a_known_log_are_counted() -> None:
    batch = bytes(8) + (3).to_bytes(4, "little") + b"rest"
    record = bytes(4) + len(batch).to_bytes(2, "little") + b"\x01" + batch
    assert log_entries(record + record) == 2 * 3
