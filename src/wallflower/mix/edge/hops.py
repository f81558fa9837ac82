"""A mix's hop keys: on the volume that can forget, and beside the records what was offered.

The public half of every key that this mix has to hold lies on the other disk. So a key volume that
was lost is noticed, and not taken for a key that was erased on time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from wallflower.crypto import hpke
from wallflower.host.disk import Folder
from wallflower.host.entropy import Entropy
from wallflower.wire.sizes import KEM_SEED

_KEY, _OFFERED = "hop-", "offer-"


class Hops:
    """Hop keys by the number of their record."""

    def __init__(
        self, keys: Folder, files: Folder, entropy: Entropy, erased: Callable[[], None]
    ) -> None:
        """`erased` is called after each erasure: whoever else holds a key in memory drops it."""
        self._keys = keys
        self._erased = erased
        self._files = files
        self._entropy = entropy
        self._private: dict[int, hpke.PrivateKey] = {}

    def private(self, number: int) -> hpke.PrivateKey | None:
        """The key of a number, or None when it never was, is erased or lost."""
        if number not in self._private:
            private = read_hop(self._keys, number)
            if private is None:
                return None
            self._private[number] = private
        return self._private[number]

    def offered(self, number: int) -> hpke.PublicKey:
        """The public key that is offered for a number: drawn once, the same for ever."""
        known = self._files.read(f"{_OFFERED}{number}")
        if known is not None:
            return hpke.PublicKey.from_bytes(known)
        if self._keys.read(f"{_KEY}{number}") is None:
            self._keys.write(f"{_KEY}{number}", self._entropy.draw(KEM_SEED))
        private = self.private(number)
        assert private is not None  # noqa: S101  # written on the line above
        self._files.write(f"{_OFFERED}{number}", private.public.raw)
        return private.public

    def numbers(self) -> set[int]:
        """The numbers whose key is here, or was offered and has to be."""
        return _numbers(self._keys, _KEY) | _numbers(self._files, _OFFERED)

    def held(self) -> set[int]:
        """The numbers whose key is here: the volume of the keys alone is asked."""
        return _numbers(self._keys, _KEY)

    def lost(self) -> set[int]:
        """The numbers whose key was offered and is not here."""
        return _numbers(self._files, _OFFERED) - _numbers(self._keys, _KEY)

    def forget_lost(self) -> None:
        """The loss was told: nothing more is expected of these numbers."""
        for number in self.lost():
            self._files.remove(f"{_OFFERED}{number}")
            self._private.pop(number, None)

    def erase(self, number: int) -> None:
        """Erase a key. What was offered goes first, so that a crash between is no loss; where that
        fails, on a disk that may only be read for one, the key goes all the same."""
        with ExitStack() as whatever_fails:
            whatever_fails.callback(self._erased)
            whatever_fails.callback(self._keys.erase, f"{_KEY}{number}")
            self._private.pop(number, None)
            self._files.remove(f"{_OFFERED}{number}")


def read_hop(keys: Folder, number: int) -> hpke.PrivateKey | None:
    """The key of a number out of the folder that can forget, or None when it is not there."""
    seed = keys.read(f"{_KEY}{number}")
    return None if seed is None else hpke.PrivateKey.from_seed(seed)


def _numbers(folder: Folder, prefix: str) -> set[int]:
    names = (name.removeprefix(prefix) for name in folder.names() if name.startswith(prefix))
    return {int(name) for name in names if name.isdigit()}
