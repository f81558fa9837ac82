"""The desk's pages: who gets in, what changes anything, and that texts are inert."""

from __future__ import annotations

import json
import re
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from sqlcipher3 import dbapi2
from tests.desk.simulated import MONDAY, PASSPHRASE, Sent, World, ask
from yarl import URL

from wallflower.desk.door import Door
from wallflower.desk.edge.gate import MOST_FORM
from wallflower.desk.edge.web import make_web
from wallflower.desk.views import Sending
from wallflower.host.asgi import Message
from wallflower.lab.host import SeededEntropy

ALICE, BOB = b"a" * 16, b"b" * 16
PORT = 8123
HOST = f"127.0.0.1:{PORT}"
REFUSAL = (400, {"content-length": "0", "connection": "close"}, b"")
POLICY = {
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "same-origin", "cache-control": "no-store",
    "x-content-type-options": "nosniff", "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
}  # fmt: skip
Answer = tuple[int, dict[str, str], bytes]


class Browser:
    """As much of a browser as the desk needs: one cookie, an origin, forms. Paths are those below
    the desk's own address, which is taken out of what it answers."""

    def __init__(
        self, world: World, status_token: str = "", *, demo: bool = False, start: bytes = b"web"
    ) -> None:
        self.door = Door(SeededEntropy(b"door").draw, PORT)
        self.app = make_web(world.desk, self.door, SeededEntropy(start), status_token, demo=demo)
        self.cookie = ""
        self.form = ""

    async def enter(self) -> Browser:
        _, headers, _ = await ask(self.app, "GET", f"/enter/{self.door.entry}", {"host": HOST})
        self.cookie = headers["set-cookie"].partition(";")[0]
        self.form = self.door.form_token
        return self

    async def get(self, path: str, **headers: str) -> Answer:
        sent = {"host": HOST, "cookie": self.cookie, **headers}
        return await self.ask("GET", path, sent)

    async def ask(self, method: str, path: str, sent: Sent, body: bytes = b"") -> Answer:
        """One request below the desk's own address."""
        base = self.door.base
        status, found, page = await ask(self.app, method, base + path, sent, body)
        if "location" in found:
            assert found["location"].startswith(f"{base}/")
            found["location"] = found["location"].removeprefix(base)
        return status, found, page.replace(base.encode(), b"")

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        sent = {
            "host": HOST, "cookie": self.cookie, "origin": f"http://{HOST}",
            "content-type": "application/x-www-form-urlencoded", **headers,
        }  # fmt: skip
        sent = {name: value for name, value in sent.items() if value}
        body = urlencode({"form": self.form, **fields}).encode()
        return await self.ask("POST", path, sent, body)


async def unlocked(world: World) -> Browser:
    await world.start()
    return await Browser(world).enter()


async def with_letter(world: World, text: str = "hello") -> tuple[Browser, str, str]:
    """A browser, a case's path and its letter's path."""
    browser = await unlocked(world)
    world.drop(world.write(ALICE, text))
    await world.desk.step()
    _, _, page = await browser.get("/")
    [case] = re.findall(r'href="(/case/[0-9a-f]+)"', page.decode())
    _, _, page = await browser.get(case)
    [letter] = set(re.findall(r'"(/letter/[0-9a-f]+)"', page.decode()))
    return browser, case, letter


@pytest.mark.parametrize("path", [
    "/", "/unlock", "/status", "/passphrase", "/case/00", "/letter/00", "/desk.css", "/nothing",
    "/enter/", "/enter/wrong", "/../etc/passwd", "/?a=b",
])  # fmt: skip
async def test_without_the_cookie_every_path_gets_the_one_refusal(world: World, path: str) -> None:
    await world.start()
    browser = Browser(world)
    for place in (path, browser.door.base + path):
        for method in ("GET", "POST", "HEAD", "PUT", "OPTIONS"):
            assert await ask(browser.app, method, place, {"host": HOST}) == REFUSAL
        wrong = {"host": HOST, "cookie": f"{browser.door.cookie}=wrong"}
        assert await ask(browser.app, "GET", place, wrong) == REFUSAL


async def test_the_cookie_alone_opens_nothing(world: World) -> None:
    """As another server on this computer has it, to whom a browser would have sent it."""
    await world.start()
    browser = await Browser(world).enter()
    base, sent = browser.door.base, {"host": HOST, "cookie": browser.cookie}
    assert (await ask(browser.app, "GET", f"{base}/status", sent))[0] == 200, "the control"
    another = Door(SeededEntropy(b"another start").draw, PORT).base
    for before in ("", base[:-1], f"{base}0", base.upper(), another, f"/{base}", base[1:]):
        for path in ("/", "/status", "/unlock", "/desk.css"):
            assert await ask(browser.app, "GET", before + path, sent) == REFUSAL
    assert await ask(browser.app, "GET", base, sent) == REFUSAL
    body = urlencode({"form": browser.form}).encode()
    posted = {**sent, "origin": f"http://{HOST}"}
    assert await ask(browser.app, "POST", "/lock", posted, body) == REFUSAL
    assert not world.desk.locked


async def test_no_other_server_on_this_computer_is_sent_the_cookie(world: World) -> None:
    """By the rules of RFC 6265 as a client has them: cookies know no ports, but they know paths."""
    browser = Browser(world)
    door = browser.door
    _, headers, _ = await ask(browser.app, "GET", f"/enter/{door.entry}", {"host": HOST})
    jar = aiohttp.CookieJar(unsafe=True)
    jar.update_cookies(SimpleCookie(headers["set-cookie"]), URL(f"http://{HOST}/enter/x"))
    assert door.cookie in jar.filter_cookies(URL(f"http://{HOST}{headers['location']}"))
    assert door.cookie in jar.filter_cookies(URL(f"http://{HOST}{door.base}/case/00"))
    for path in ("/", "/status", "/enter/x", door.base, f"{door.base[:-1]}/"):
        for port in (PORT, 9, 8080):
            assert not jar.filter_cookies(URL(f"http://127.0.0.1:{port}{path}"))


@pytest.mark.parametrize(
    "theirs", ['a={"b": 1}', "a=\x01", "=", "a", "", 'a="', "a=b=c", "\xff=\xff"]
)
async def test_no_other_server_s_cookie_locks_the_handler_out(world: World, theirs: str) -> None:
    """A browser sends the desk whatever any server on this computer set for all paths."""
    browser = await Browser(world).enter()
    for cookie in (f"{theirs}; {browser.cookie}", f"{browser.cookie}; {theirs}"):
        assert (await browser.get("/unlock", cookie=cookie))[0] == 200
    assert await browser.get("/unlock", cookie=theirs) == REFUSAL


def test_the_two_halves_of_a_session_are_new_at_each_start_and_say_nothing_of_each_other() -> None:
    doors = [Door(SeededEntropy(seed).draw, PORT) for seed in (b"one", b"two")]
    drawn = [{door.base[1:], door.cookie[-48:], door.entry, door.form_token} for door in doors]
    assert all(len(each) == 4 for each in drawn)
    assert all(len(one) == 48 for each in drawn for one in each)
    assert drawn[0].isdisjoint(drawn[1])


async def test_entry_token_works_once(world: World) -> None:
    browser = Browser(world)
    path = f"/enter/{browser.door.entry}"
    status, headers, _ = await ask(browser.app, "GET", path, {"host": HOST})
    assert (status, headers["location"]) == (303, f"{browser.door.base}/")
    assert headers["set-cookie"].endswith(f"; HttpOnly; SameSite=Strict; Path={browser.door.base}/")
    assert await ask(browser.app, "GET", path, {"host": HOST}) == REFUSAL
    assert browser.door.entry == ""
    assert await ask(browser.app, "GET", "/enter/", {"host": HOST}) == REFUSAL


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "", "[::1]"])
async def test_another_host_name_is_refused_and_does_not_use_up_the_token(
    world: World, host: str
) -> None:
    browser = Browser(world)
    entry = f"/enter/{browser.door.entry}"
    assert await ask(browser.app, "GET", entry, {"host": host}) == REFUSAL
    await browser.enter()
    assert await browser.get("/", host=host) == REFUSAL
    assert (await browser.get("/", host=f"localhost:{PORT}"))[0] == 303


async def test_a_request_without_one_host_is_refused(world: World) -> None:
    browser = await Browser(world).enter()
    own = ("cookie", browser.cookie)
    for hosts in ([], [HOST, "evil.example"], ["evil.example", HOST], [HOST, HOST]):
        sent = [*(("host", host) for host in hosts), own]
        assert await browser.ask("GET", "/unlock", sent) == REFUSAL
    assert (await browser.ask("GET", "/unlock", [("host", HOST), own]))[0] == 200


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "OPTIONS"])
async def test_an_entry_is_used_by_a_get_alone_and_other_methods_get_the_one_refusal(
    world: World, method: str
) -> None:
    browser = Browser(world)
    entry = browser.door.entry
    assert await ask(browser.app, method, f"/enter/{entry}", {"host": HOST}) == REFUSAL
    assert browser.door.entry == entry
    await browser.enter()
    if method != "POST":
        own = {"host": HOST, "cookie": browser.cookie}
        assert await browser.ask(method, "/unlock", own) == REFUSAL


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH"])
async def test_another_method_is_refused_with_everything_that_a_form_has_too(
    world: World, method: str
) -> None:
    browser = await unlocked(world)
    sent = {"host": HOST, "cookie": browser.cookie, "origin": f"http://{HOST}"}
    body = urlencode({"form": browser.form}).encode()
    for path in ("/status", "/lock"):
        assert await browser.ask(method, path, sent, body) == REFUSAL
    assert not world.desk.locked


async def test_what_is_no_request_of_http_is_not_answered(world: World) -> None:
    sent: list[object] = []

    async def receive() -> Message:
        raise AssertionError("nothing was asked for")

    async def send(message: Message) -> None:
        sent.append(message)

    for kind in ("websocket", "lifespan"):
        await Browser(world).app({"type": kind, "path": "/", "headers": []}, receive, send)
    assert sent == []


def test_a_change_from_a_page_under_a_name_that_is_not_ours_is_not_from_our_page() -> None:
    """After a rebinding of names, origin and host agree."""
    door = Door(SeededEntropy(b"door").draw, PORT)
    assert door.origin_is_ours(f"http://{HOST}", HOST)
    assert not door.origin_is_ours("http://evil.example", "evil.example")
    assert not door.origin_is_ours(f"http://evil.example:{PORT}", f"evil.example:{PORT}")


@pytest.mark.parametrize("headers", [
    {"origin": ""}, {"origin": "null"}, {"origin": "http://evil.example"},
    {"origin": f"https://{HOST}"}, {"origin": f"http://localhost:{PORT}"},
])  # fmt: skip
async def test_change_from_another_origin_is_refused(world: World, headers: dict[str, str]) -> None:
    browser, _, letter = await with_letter(world)
    assert await browser.post(letter, {}, **headers) == REFUSAL
    assert await browser.post("/lock", {}, **headers) == REFUSAL
    assert (world.desk.status().opened, world.desk.locked) == (0, False)


async def test_a_change_with_two_origins_is_refused(world: World) -> None:
    browser, _, letter = await with_letter(world)
    body = urlencode({"form": browser.form}).encode()
    ours = f"http://{HOST}"
    for origins in ([ours, "http://evil.example"], [ours, ours]):
        sent = [("host", HOST), ("cookie", browser.cookie)]
        sent += [("origin", one) for one in origins]
        assert await browser.ask("POST", letter, sent, body) == REFUSAL
    assert world.desk.status().opened == 0
    sent = [("host", HOST), ("cookie", browser.cookie), ("origin", ours)]
    assert (await browser.ask("POST", letter, sent, body))[0] == 303, "the control"


@pytest.mark.parametrize("form", ["", "wrong", "\u0660"])
async def test_wrong_form_token_is_refused_and_changes_nothing(world: World, form: str) -> None:
    browser, case, letter = await with_letter(world)
    fields = {"form": form, "text": "x", "do": "send"}
    for path in (letter, case, "/lock"):
        assert await browser.post(path, fields) == REFUSAL
    assert (world.desk.status().opened, world.desk.locked) == (0, False)
    assert world.desk.states().replies[Sending.QUEUED] == 0


async def test_locked_desk_shows_only_its_door(world: World) -> None:
    browser = await Browser(world).enter()
    for path in ("/", "/status", "/passphrase", "/case/00", "/letter/00"):
        status, headers, _ = await browser.get(path)
        assert (status, headers["location"]) == (303, "/unlock")
    _, _, page = await browser.get("/unlock")
    assert b"Set up this desk" in page


async def test_unlocking_by_form_makes_the_desk_and_says_what_is_wrong(world: World) -> None:
    browser = await Browser(world).enter()
    status, _, page = await browser.post("/unlock", {"passphrase": "short", "again": "short"})
    assert status == 400
    assert b"fewer than 12" in page
    fields = {"passphrase": PASSPHRASE, "again": PASSPHRASE}
    assert (await browser.post("/unlock", fields))[0] == 303
    assert b"Inbox" in (await browser.get("/"))[2]
    await browser.post("/lock", {})
    status, _, page = await browser.post("/unlock", {"passphrase": "not this one"})
    assert status == 400
    assert b"This is not the passphrase" in page
    assert b"not this one" not in page
    await browser.post("/unlock", {"passphrase": PASSPHRASE})
    assert not world.desk.locked


async def test_letter_is_opened_by_post_and_never_by_get(world: World) -> None:
    browser, _, letter = await with_letter(world, "words")
    assert b"words" not in (await browser.get(letter))[2]
    assert world.desk.status().opened == 0
    assert (await browser.post(letter, {}))[0] == 303
    page = (await browser.get(letter))[2]
    assert b"words" in page
    assert "waiting for the batch for 2026-11-24" in page.decode()


async def test_the_day_of_a_letter_is_kept_and_shown_and_not_its_hour(tmp_path: Path) -> None:
    """Two letters of one day: one comes early and the other late, and then the other way round."""
    kept: list[list[tuple[object, ...]]] = []
    shown: list[str] = []
    for order in ((ALICE, BOB), (BOB, ALICE)):
        world = World(tmp_path / str(len(kept)))
        browser = await unlocked(world)
        for hour, secret in zip((2, 15), order, strict=True):
            world.set_time(0, hour)
            world.drop(world.write(secret, "hello"))
            await world.desk.step()
        store = world.desk._store
        assert store is not None
        query = "SELECT conversation, week, day, continuity, part, mark, receipt FROM letters"
        kept.append(sorted(store.run(query)))
        with pytest.raises(dbapi2.DatabaseError, match="rowid"):
            store.run("SELECT rowid FROM letters")
        paths = ["/"]
        paths += re.findall(r'href="(/case/[0-9a-f]+)"', (await browser.get("/"))[2].decode())
        paths += [
            path for case in paths[1:]
            for path in re.findall(r'"(/letter/[0-9a-f]+)"', (await browser.get(case))[2].decode())
        ]  # fmt: skip
        assert len(set(paths)) == 5, "the inbox, two conversations, two letters"
        shown += [(await browser.get(path))[2].decode() for path in set(paths)]
        world.desk.lock()
    assert kept[0] == kept[1]
    assert [row[2] for row in kept[0]] == [MONDAY, MONDAY]
    for page in shown:
        assert set(re.findall(r'datetime="(.*?)"', page)) == {"2026-11-23"}
        assert not re.search(r"\d\d:\d\d", page)


async def test_letter_text_is_inert(world: World) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=y> {{7*7}} &amp; \x00\x1b\u202e\nend"
    browser, case, letter = await with_letter(world, hostile)
    await browser.post(letter, {})
    for path in (case, letter):
        page = (await browser.get(path))[2].decode()
        assert "<script" not in page
        assert "<img" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "{{7*7}} &amp;amp; \ufffd\ufffd" in page
    await browser.post(case, {"text": "<b>bold</b>", "do": "send"})
    assert "&lt;b&gt;bold&lt;/b&gt;" in (await browser.get(case))[2].decode()
    # Quoted in an answer that is not sent yet.
    await browser.post(case, {"text": "</textarea><script>alert(2)</script>", "do": "check"})
    page = (await browser.get(case))[2].decode()
    assert "<script" not in page
    assert "&lt;/textarea&gt;&lt;script&gt;alert(2)&lt;/script&gt;" in page


TURNING = {
    "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO",
    "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI",
}  # fmt: skip


async def test_a_letter_turns_the_direction_of_nothing_and_what_would_is_shown(
    world: World,
) -> None:
    everything = "".join(f"{sign}<{name}" for sign, name in TURNING.items())
    browser, case, letter = await with_letter(world, everything)
    _, _, before = await browser.get(letter)
    assert b'class="sign"' not in before, "the control: it is not open yet"
    await browser.post(letter, {})
    for path in (case, letter):
        page = (await browser.get(path))[2].decode()
        assert not set(page) & set(TURNING)
        named = "".join(f'<bdi class="sign">{n}</bdi>&lt;{n}' for n in TURNING.values())
        assert f'<div class="text" dir="auto" lang="en">{named}</div>' in page
        assert "None of them turns a word here" in page
    await browser.post(case, {"text": "our own \u202e too", "do": "send"})
    page = (await browser.get(case))[2].decode()
    assert 'our own <bdi class="sign">RLO</bdi> too' in page
    assert not set(page) & set(TURNING)


async def test_ordinary_persian_and_arabic_stay_as_they_were_written(world: World) -> None:
    """The joiners of Persian, and weak marks, which keep what they do and get a name beside."""
    joined, marked = "می\u200cخواهم بنویسم\u200d", "قیمت C++\u200e است\u200f ۵\u061c"
    browser, case, letter = await with_letter(world, joined)
    await browser.post(letter, {})
    page = (await browser.get(letter))[2].decode()
    assert f">{joined}</div>" in page
    assert 'class="sign"' not in page
    assert "None of them turns" not in page
    await browser.post(case, {"text": marked, "do": "send"})
    named = marked
    for mark, name in (("\u200e", "LRM"), ("\u200f", "RLM"), ("\u061c", "ALM")):
        named = named.replace(mark, f'{mark}<bdi class="sign">{name}</bdi>')
    assert f">{named}</div>" in (await browser.get(case))[2].decode()


async def test_answer_is_counted_then_queued(world: World) -> None:
    browser, case, letter = await with_letter(world)
    await browser.post(letter, {})
    status, headers, page = await browser.post(case, {"text": "long " * 300, "do": "check"})
    assert (status, headers.get("location"), page) == (303, f"{case}#answer", b"")
    page = (await browser.get(case))[2]
    assert b"This text takes 3 slots." in page
    assert b"long long" in page, "the draft is still there"
    token = f'<input type="password" name="form" value="{browser.form}"'
    assert token in page.decode(), "for browsers that write what was sent with a page of their own"
    assert world.desk.states().replies[Sending.QUEUED] == 0
    status, headers, page = await browser.post(case, {"text": "x" * 20_000, "do": "send"})
    assert (status, headers.get("location"), page) == (303, f"{case}#answer", b"")
    assert b"a day&#39;s batch holds 24" in (await browser.get(case))[2]
    assert (await browser.post(case, {"text": "short\r\nanswer", "do": "send"}))[0] == 303
    page = (await browser.get(case))[2]
    assert b"short\nanswer" in page
    assert b"State:" in page
    assert b"waiting for the batch for 2026-11-24" in page
    world.set_time(0, 18)
    await world.desk.step()
    assert b"handed over for 2026-11-24" in (await browser.get(case))[2]


@pytest.mark.parametrize("bytes_", ["%FF", "%C3", "%ED%A0%80", "a%E5%A2"])
async def test_an_answer_that_is_no_text_is_refused_and_nothing_else_is_sent_for_it(
    world: World, bytes_: str
) -> None:
    """No browser sends such a form; a mark instead of what was sent would be another answer."""
    browser, case, _ = await with_letter(world)
    sent = {"host": HOST, "cookie": browser.cookie, "origin": f"http://{HOST}"}
    for text, answered in ((bytes_, 0), ("%E5%A2%99", 1)):
        body = f"form={browser.form}&do=send&text={text}".encode()
        found = await browser.ask("POST", case, sent, body)
        assert (found == REFUSAL) == (not answered)
        assert world.desk.states().replies[Sending.QUEUED] == answered


async def test_a_whole_document_that_was_pasted_is_too_long_and_still_there(world: World) -> None:
    """The one refusal is the browser's own page, and what was typed is gone with the form."""
    browser, case, _ = await with_letter(world)
    fields = {"text": f"{'документ ' * 50_000}its end", "do": "send"}
    status, headers, _ = await browser.post(case, fields)
    assert (status, headers.get("location")) == (303, f"{case}#answer")
    _, _, page = await browser.get(case)
    assert b"slots; 64 are left" in page
    assert b"its end" in page


async def test_a_draft_is_gone_when_the_desk_was_locked(world: World) -> None:
    browser, case, _ = await with_letter(world)
    await browser.post(case, {"text": "half a thought", "do": "check"})
    assert b"half a thought" in (await browser.get(case))[2]
    await browser.post("/lock", {})
    await browser.post("/unlock", {"passphrase": PASSPHRASE})
    assert b"half a thought" not in (await browser.get(case))[2]


async def test_body_beyond_the_limit_is_refused(world: World) -> None:
    browser, case, _ = await with_letter(world)
    assert await browser.post(case, {"text": "x" * MOST_FORM, "do": "send"}) == REFUSAL
    many = {f"field{n}": "x" for n in range(8)}
    assert await browser.post("/status", many) == REFUSAL
    sent = {"host": HOST, "cookie": browser.cookie, "origin": f"http://{HOST}"}
    for body in (b"form=\xff", b""):
        assert await browser.ask("POST", "/status", sent, body) == REFUSAL


async def test_pages_carry_the_strict_policy_and_no_script(world: World) -> None:
    browser, case, letter = await with_letter(world)
    for path in ("/", case, letter, "/status", "/passphrase", "/desk.css"):
        status, headers, page = await browser.get(path)
        assert status == 200
        assert POLICY.items() <= headers.items()
        assert b"<script" not in page
        if path != "/desk.css":  # a browser that offers to translate sends the text to its maker
            assert b'translate="no"' in page
            assert b'<meta name="google" content="notranslate">' in page
        assert b"style=" not in page
        assert b"http:" not in page


async def test_redirects_and_faults_carry_the_strict_policy_too(world: World) -> None:
    browser = await unlocked(world)
    status, headers, _ = await browser.get("/unlock")
    assert (status, headers["location"]) == (303, "/"), "it is unlocked"
    answers = [await browser.get("/case/00"), await browser.post("/status", {})]
    assert [answer[0] for answer in answers] == [400, 303]
    for found in (headers, *(answer[1] for answer in answers)):
        assert POLICY.items() <= found.items()
    _, entered, _ = await ask(browser.app, "GET", f"/enter/{browser.door.entry}", {"host": HOST})
    assert entered == REFUSAL[1], "the control: the one refusal has none"


@pytest.mark.parametrize(
    ("language", "shown"),
    [(0, ""), (1, "en"), (2, "zh-Hans"), (3, "fa"), (4, "ru"), (5, "es"), (6, ""), (255, "")],
)
async def test_a_letter_is_read_aloud_in_its_language_and_one_of_no_known_language_has_none(
    world: World, language: int, shown: str
) -> None:
    browser = await unlocked(world)
    world.drop(world.write(ALICE, "hello", language=language))
    await world.desk.step()
    [case] = re.findall(rb'href="(/case/[0-9a-f]+)"', (await browser.get("/"))[2])
    [letter] = set(re.findall(rb'"(/letter/[0-9a-f]+)"', (await browser.get(case.decode()))[2]))
    await browser.post(letter.decode(), {})
    for path in (case.decode(), letter.decode()):
        assert f'dir="auto" lang="{shown}">hello' in (await browser.get(path))[2].decode()


async def test_pages_show_no_conversation_id_and_titles_name_no_case(world: World) -> None:
    browser, case, letter = await with_letter(world)
    [found] = world.desk.inbox()
    for path in ("/", case, letter):
        page = (await browser.get(path))[2].decode()
        assert found.id.hex() not in page
        title = re.search("<title>(.*)</title>", page)
        assert title is not None
        assert found.name not in title[1]
    assert found.id.hex() not in case


async def test_a_conversation_and_its_letter_have_another_address_at_each_start(
    world: World,
) -> None:
    """Or the browser's history would tell which conversation was read when."""
    _, case, letter = await with_letter(world)
    again = await Browser(world, start=b"the next day").enter()
    page = (await again.get("/"))[2].decode()
    [other] = re.findall(r'href="(/case/[0-9a-f]+)"', page)
    assert other != case
    page = (await again.get(other))[2].decode()
    assert set(re.findall(r'"(/letter/[0-9a-f]+)"', page)).isdisjoint({letter})
    assert (await again.get(case))[0] == 400


async def test_unknown_page_with_the_cookie_is_the_same_refusal(world: World) -> None:
    browser = await unlocked(world)
    for path in ("/nothing", "/status/", "//status", "/page/x", "/page/1/"):
        assert await browser.get(path) == REFUSAL
    assert await browser.post("/", {}) == REFUSAL
    assert (await browser.get("/case/00"))[0] == 400


async def test_the_status_is_for_the_token_only_and_shows_no_exact_count(world: World) -> None:
    await world.start()
    for start in (0, 4, 8):
        world.drop(*(world.write(bytes([n]) * 16, f"letter {n}") for n in range(start, start + 4)))
    await world.desk.step()
    browser = Browser(world, "status-token")
    for token in ("", "Bearer wrong", "Bearer "):
        headers = {"host": HOST, "authorization": token}
        assert await ask(browser.app, "GET", "/status", headers) == REFUSAL
    headers = {"host": HOST, "authorization": "Bearer status-token"}
    assert await ask(browser.app, "POST", "/status", headers) == REFUSAL
    status, _, body = await ask(browser.app, "GET", "/status", headers)
    found = json.loads(body)
    facts = found["facts"]
    assert (status, found["alarms"]) == (200, [])
    assert (facts["letters"], facts["opened"], facts["drops"]) == ("tens", "none", "fewer than ten")
    assert all(isinstance(value, str) for value in facts.values())
    assert b"12" not in body
    assert await ask(browser.app, "GET", "/", headers) == REFUSAL
    assert await ask(browser.app, "GET", "/counts", headers) == REFUSAL, "demo only"
    demo = Browser(world, "status-token", demo=True)
    assert json.loads((await ask(demo.app, "GET", "/counts", headers))[2])["letters"] == 12
    assert await ask(demo.app, "GET", "/counts", {"host": HOST}) == REFUSAL
    world.desk.lock()
    _, _, body = await ask(browser.app, "GET", "/status", headers)
    assert [alarm["name"] for alarm in json.loads(body)["alarms"]] == ["desk-locked"]
    assert json.loads(body)["facts"] == {"locked": "yes"}
    closed = Browser(world)  # no status token configured: nobody has it
    headers["authorization"] = "Bearer "
    assert await ask(closed.app, "GET", "/status", headers) == REFUSAL


def test_after_each_entry_a_new_one_is_announced_and_the_old_one_stays_dead() -> None:
    announced: list[str] = []
    door = Door(SeededEntropy(b"door").draw, PORT, announced.append)
    first = door.entry
    session = door.enter(first)
    assert session is not None
    assert door.enter(first) is None
    assert announced == [door.entry]
    assert door.entry != first
    assert door.enter(announced[0]) == session
    assert len(announced) == 2
