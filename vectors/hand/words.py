"""The secret as words or digits, by hand; only the word lists are taken as data. Spec: words.md."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from .cases import Case, Refusal
from .crypto import sha256
from .keys import SECRETS

_FILES = {"en": "english", "zh-Hans": "chinese_simplified"}


@cache
def word_list(name: str) -> list[str]:
    """The official BIP-39 list, as the `mnemonic` package ships it."""
    text = files("mnemonic").joinpath("wordlist", f"{_FILES[name]}.txt").read_text("utf-8")
    return text.split()


def words_of(secret: bytes, name: str) -> list[str]:
    """BIP-39: 128 bits and 4 bits of SHA-256, eleven bits a word."""
    number = int.from_bytes(secret) << 4 | sha256(secret)[0] >> 4
    return [word_list(name)[number >> 11 * place & 2047] for place in reversed(range(12))]


def digits_of(secret: bytes) -> str:
    """words 2."""
    number = int.from_bytes(secret) * 29 + int.from_bytes(sha256(secret)) % 29
    digits = str(number).zfill(40)
    return " ".join(digits[n : n + 4] for n in range(0, 40, 4))


_WRITTEN = {
    "writer": SECRETS["writer"], "other": SECRETS["other"],
    "all-zero": bytes(16), "all-ones": b"\xff" * 16,
}  # fmt: skip


def _shown() -> list[Case]:
    out = []
    for who, secret in _WRITTEN.items():
        shown = {name: " ".join(words_of(secret, name)) for name in _FILES}
        shown["digits"] = digits_of(secret)
        out += [
            Case(f"{who}-as-{name}", {"secret": secret.hex(), "list": name}, wanted={"typed": text})
            for name, text in shown.items()
        ]
    return out


def _in_script(digits: str, zero: str) -> str:
    return "".join(chr(ord(zero) + int(c)) if c.isdigit() else c for c in digits)


def _typed() -> list[Case]:
    secret = SECRETS["writer"]
    english, chinese = words_of(secret, "en"), words_of(secret, "zh-Hans")
    digits = digits_of(secret)
    typed = {
        "english": " ".join(english),
        "english-in-capitals-on-two-lines": " ".join(english).upper().replace(" ", "\n", 1),
        "chinese": " ".join(chinese),
        "chinese-without-spaces": "".join(chinese),
        "chinese-with-wide-spaces": "\u3000".join(chinese),
        "digits": digits,
        "digits-without-spaces": digits.replace(" ", ""),
        "digits-with-hyphens": digits.replace(" ", "-"),
        "digits-in-persian": _in_script(digits, "\u06f0"),
        "digits-in-devanagari": _in_script(digits, "\u0966"),
        "digits-in-full-width": _in_script(digits, "\uff10"),
    }
    return [
        Case(f"typed-{name}", {"typed": text}, wanted={"secret": secret.hex()})
        for name, text in typed.items()
    ]


def good() -> list[Case]:
    return [*_shown(), *_typed()]


def refused() -> list[Refusal]:
    secret = SECRETS["writer"]
    english, chinese = words_of(secret, "en"), words_of(secret, "zh-Hans")
    digits = digits_of(secret).replace(" ", "")
    swapped = [english[1], english[0], *english[2:]]
    stranger = [*english[:6], "wallflower", *english[7:]]
    typed = {
        "nothing": ("words 4.1", ""),
        "eleven-words": ("words 4.1", " ".join(english[:11])),
        "thirteen-words": ("words 4.1", " ".join([*english, "zoo"])),
        "eleven-chinese-words": ("words 4.1", "".join(chinese[:11])),
        "thirty-nine-digits": ("words 4.1", digits[:39]),
        "forty-one-digits": ("words 4.1", digits + "0"),
        "seventh-word-in-no-list": ("words 4.2", " ".join(stranger)),
        "two-lists-mixed": ("words 4.2", " ".join([*english[:11], chinese[11]])),
        "two-words-swapped": ("words 4.3", " ".join(swapped)),
        "last-digit-wrong": ("words 4.3", digits[:39] + str((int(digits[39]) + 1) % 10)),
        "digits-beyond-the-last-secret": ("words 4.4", str(29 * 2**128).zfill(40)),
        "all-nines": ("words 4.4", "9" * 40),
    }
    return [
        Refusal(name, {"typed": text}, rule=rule, stage="read")
        for name, (rule, text) in typed.items()
    ]
