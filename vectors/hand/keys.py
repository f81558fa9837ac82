"""The fixed keys that every vector names: beginnings of SHA-256 over their names, so public."""

from __future__ import annotations

from .crypto import sha256, verify_key, xwing_public


def _value(group: str, name: str, size: int) -> bytes:
    return sha256(f"wallflower vectors {group} {name}".encode())[:size]


_SEEDS = ("hop_a", "hop_b", "drop", "desk", "desk_before", "stranger")
_SIGNERS = ("organisation", "a", "b", "drop", "board", "root", "stranger")
_SECRETS = ("writer", "other")

SEEDS = {name: _value("seeds", name, 32) for name in _SEEDS}
SIGNERS = {name: _value("signers", name, 32) for name in _SIGNERS}
SECRETS = {name: _value("secrets", name, 16) for name in _SECRETS}
PUBLICS = {name: xwing_public(seed) for name, seed in SEEDS.items()}
VERIFY = {name: verify_key(seed) for name, seed in SIGNERS.items()}


def drawn(name: str, size: int) -> bytes:
    """Fixed bytes where a writer would draw: SHA-256 in counter mode over a name."""
    blocks = (_value("drawn", f"{name} {i}", 32) for i in range(-(-size // 32)))
    return b"".join(blocks)[:size]


def as_json() -> dict[str, dict[str, str]]:
    """keys.json."""
    groups = {"seeds": SEEDS, "publics": PUBLICS, "signers": SIGNERS, "verify": VERIFY,
              "secrets": SECRETS}  # fmt: skip
    return {
        group: {name: value.hex() for name, value in values.items()}
        for group, values in groups.items()
    }
