"""The record of a ceremony for a drawer: the eight words, who holds what, what to do when.

Plain text, and a page that prints well on one sheet. It holds no secret. Spec: bundle.md 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Final

from wallflower.campaign.ceremony import SIGNERS, Ceremony
from wallflower.campaign.eightwords import DIGITS, LISTS, key_id, to_shown

_SHOWN: Final = 16  # hexadecimal digits of a key's id on paper
_WHO: Final = {"organisation": "organisation", "a": "A", "b": "B"}
_NAMES: Final = {"en": "English", "zh-Hans": "Chinese", DIGITS: "digits"}
_RULES: Final = (
    "A medium is lost: replace it while enough others are left.",
    "A medium is stolen: replace it today. Whoever has enough of them is the organisation.",
    "The publishing computer is stolen: replace every online role today.",
    "Too few media are left: only a new ceremony helps, with new words and a new film.",
    "Never put two media into the same drawer, and never a medium into a computer with a network.",
)
_STYLE: Final = (
    "body{font:12pt/1.4 serif;max-width:42em;margin:2em auto;padding:0 1em;color:#000;"
    "background:#fff}h1{font-size:18pt}h2{font-size:13pt;margin-bottom:.2em}"
    ".words{font-size:16pt;font-weight:bold}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #000;padding:.3em .5em;text-align:start;vertical-align:top;"
    "overflow-wrap:anywhere}td.line{min-width:14em;height:2.2em}@page{margin:18mm}"
    "@media print{body{margin:0}tr,h2{break-inside:avoid}}"
)


def _facts(found: Ceremony, minisign: str, now: datetime) -> dict[str, str]:
    plan = found.plan
    return {
        "Organisation": plan.organisation,
        "Written on": f"{now:%Y-%m-%d}",
        "To sign root and targets": f"{plan.threshold} of {len(plan.labels)} media",
        "Campaign": found.campaign,
        "Organisation root": found.root.hex(),
        **{f"Record key, {_WHO[name]}": plan.record[name].hex() for name in SIGNERS},
        "minisign key": minisign,
    }


def _media(found: Ceremony) -> Mapping[str, str]:
    return {label: key_id(medium.root).hex()[:_SHOWN] for label, medium in found.media.items()}


def as_text(found: Ceremony, mark: bytes, minisign: str, now: datetime) -> str:
    """The record as plain text; `mark` is the fingerprint behind the eight words."""
    lines = ["RECORD OF KEYS", "", "The eight words:"]
    lines += [f"  {_NAMES[name]}: {to_shown(mark, name)}" for name in (*LISTS, DIGITS)]
    lines += ["", *(f"{name}: {value}" for name, value in _facts(found, minisign, now).items())]
    lines += ["", "Media (first digits of the root key's id), holder, signature:"]
    lines += [f"  {label}: {name}  ______________________" for label, name in _media(found).items()]
    lines += ["", *(f"- {rule}" for rule in _RULES), ""]
    return "\n".join(lines)


def as_html(found: Ceremony, mark: bytes, minisign: str, now: datetime) -> str:
    """The record as a page for printing: no script, nothing fetched."""
    words = "".join(
        f'<tr><th scope="row">{_NAMES[name]}</th><td class="words"{_lang(name)}>'
        f"{escape(to_shown(mark, name))}</td></tr>"
        for name in (*LISTS, DIGITS)
    )
    facts = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in _facts(found, minisign, now).items()
    )
    media = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td>{name}</td><td class="line"></td></tr>'
        for label, name in _media(found).items()
    )
    rules = "".join(f"<li>{escape(rule)}</li>" for rule in _RULES)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Record of keys</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>Record of keys</h1><h2>The eight words</h2><table>{words}</table>"
        f"<h2>What was agreed and made</h2><table>{facts}</table>"
        '<h2>Who holds what</h2><table><tr><th scope="col">Medium</th>'
        '<th scope="col">Root key</th><th scope="col">Holder and signature</th></tr>'
        f"{media}</table><h2>When something happens</h2><ul>{rules}</ul></main></body></html>\n"
    )


def _lang(name: str) -> str:
    return f' lang="{name}"' if name in LISTS else ""
