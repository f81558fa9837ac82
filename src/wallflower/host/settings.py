"""A process's own configuration: one TOML file in its own folder, read once at start-up."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from wallflower.errors import Fault
from wallflower.wire.record import Pace

T = TypeVar("T")
_MOST_PORT = 65535
_SEED = 32  # bytes of an Ed25519 seed (RFC 8032)


@dataclass(frozen=True, slots=True)
class Settings:
    """The fields of one TOML table; what is missing or of another kind is a Fault by name."""

    path: Path
    fields: dict[str, object]

    def get(self, name: str, kind: type[T]) -> T:
        """The field `name`, or a Fault that names the file and the field."""
        value = self.fields.get(name)
        # TOML's booleans are numbers to Python.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise Fault(
                f"{self.path.name} has no usable '{name}'",
                f"Write {name} = … ({kind.__name__}) into it; the handbook has an example.",
            )
        return value

    def port(self) -> int:
        """The port to listen at; the system would take one that cannot be for another."""
        port = self.get("port", int)
        if not 1 <= port <= _MOST_PORT:
            raise Fault(
                f"{self.path.name} has a port that cannot be", f"Write one of 1 to {_MOST_PORT}."
            )
        return port

    def address(self) -> tuple[str, int]:
        """The host and port to listen at."""
        return self.get("host", str), self.port()

    def table(self, name: str) -> Settings:
        """The sub-table `name`."""
        return Settings(self.path, self.get(name, dict))

    def file(self, name: str) -> bytes:
        """The bytes of the file that the field names, relative to the configuration's folder."""
        target = self.path.parent / self.get(name, str)
        try:
            return target.read_bytes()
        except PermissionError:
            raise _not_ours(target.name) from None
        except OSError:
            raise Fault(
                f"{target.name} cannot be read", "Put it beside the configuration."
            ) from None

    def url(self, name: str) -> str:
        """The address of another node, without a slash at its end: paths are put behind it."""
        return self.get(name, str).rstrip("/")

    def seed(self, name: str) -> bytes:
        """The Ed25519 seed in the file that the field names."""
        seed = self.file(name)
        if len(seed) != _SEED:
            raise Fault(f"{self.get(name, str)} is no key", "Restore it, or make a new folder.")
        return seed

    def secret(self, name: str) -> str:
        """A token out of the file that the field names; an empty one would let everyone in."""
        token = parse_token(self.file(name))
        if token is None:
            raise Fault(
                f"{self.get(name, str)} holds no token", "Copy it again from whoever made it."
            )
        return token

    def pace(self) -> Pace:
        """The pace of time; without a [pace] table it is real time."""
        if "pace" not in self.fields:
            return Pace(1, 1, 0)
        table = self.table("pace")
        return Pace(*(table.get(n, int) for n in ("days", "hums", "anchor_ms")))


def _not_ours(name: str) -> Fault:
    """Of what root made or copied for another user."""
    return Fault(
        f"{name} cannot be read by the user that this runs as",
        "Run it as the user whose folder that is, or give it whole to this one (chown -R).",
    )


def parse_token(data: bytes) -> str | None:
    """The token in a file's bytes; None where they hold none, or what no HTTP header can carry,
    such as a token that a mail has broken into two lines."""
    token = data.strip()
    return token.decode("ascii") if re.fullmatch(rb"[!-~]+", token) else None


def load_settings(path: Path) -> Settings:
    """Read a configuration file, or a Fault."""
    try:
        return Settings(path, tomllib.loads(path.read_text("utf-8")))
    except PermissionError:
        raise _not_ours(str(path)) from None
    except OSError:
        raise Fault(f"{path} cannot be read", "Make it with 'wallflower new'.") from None
    except UnicodeDecodeError:
        raise Fault(f"{path.name} is not UTF-8 text", "Write it again as plain text.") from None
    except RecursionError:
        raise Fault(f"{path.name} is not TOML that can be read", "Write fewer brackets.") from None
    except tomllib.TOMLDecodeError as error:
        raise Fault(f"{path.name} is not valid TOML ({error})", "Mend that line.") from None
