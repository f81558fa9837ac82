"""What a page has stored, kept and put back: so that many visits begin at the same point.

Functions for pages of the same origin, each called with the name of a past. It is put back from an
empty page, since the page itself holds its file and rewrites it; between two turns of its clock it
may be copied there.
"""

from __future__ import annotations

from tests.browser.stage import Stage

BLANK = "/blank.html"
# Keeps the file under another name, and answers with what is in localStorage.
KEEP = """async (past) => {
  const root = await navigator.storage.getDirectory();
  for await (const [name, file] of root.entries()) {
    if (name.startsWith('copy-')) continue;
    const copy = await (await root.getFileHandle(`copy-${past}-${name}`, {create: true}))
      .createWritable();
    await copy.write(await (await file.getFile()).arrayBuffer());
    await copy.close();
  }
  return Object.fromEntries(Object.entries(localStorage));
}"""
PUT_BACK = """async ([past, kept]) => {
  for (const [name, value] of Object.entries(kept)) localStorage.setItem(name, value);
  const root = await navigator.storage.getDirectory();
  const start = `copy-${past}-`;
  for await (const [name, copy] of root.entries()) {
    if (!name.startsWith(start)) continue;
    const old = await root.getFileHandle(name.slice(start.length), {create: true});
    let file = null;
    for (let tries = 1; !file; tries++) {
      file = await old.createWritable().catch((error) => {
        if (tries === 100) throw error; // the page that was left has not let go of it yet
      });
      if (!file) await new Promise((go) => setTimeout(go, 20));
    }
    await file.write(await (await copy.getFile()).arrayBuffer());
    await file.close();
  }
}"""


def with_blank(stage: Stage) -> Stage:
    """The same stage, which has the empty page too."""
    page = b"<!doctype html><title>blank</title><link rel='icon' href='data:,'>"
    stage.files[BLANK.lstrip("/")] = page
    return stage
