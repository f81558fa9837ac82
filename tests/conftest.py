"""What holds for all tests: an example that takes long on a busy machine is no fault."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("any machine", settings(), deadline=None)
settings.load_profile("any machine")
