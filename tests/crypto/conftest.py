"""The same examples in every run."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("crypto", derandomize=True, max_examples=50, database=None)
settings.load_profile("crypto")
