"""Who asks nobody cannot: a role that was taken over finds no client in its own memory."""

from __future__ import annotations

from pathlib import Path

from tests.faults.crew import Crew, make_crew

CLIENT = "/aiohttp/"  # a part of it is a library, which the kernel shows among what is mapped


def has_client(crew: Crew, role: str) -> bool:
    """Whether a running process has loaded what asks others."""
    pid = crew.processes[role].pid
    return CLIENT in Path(f"/proc/{pid}/maps").read_text("utf-8")


async def test_ingress_and_desk_server_have_nothing_in_memory_that_asks_others(
    tmp_path: Path,
) -> None:
    crew = make_crew(tmp_path / "crew")
    try:
        for role in ("organisation", "ingress", "mix-a"):
            await crew.start(role)
        assert not has_client(crew, "ingress")
        assert not has_client(crew, "organisation")
        assert has_client(crew, "mix-a"), "the control: who has to ask has one, and it is seen"
    finally:
        await crew.stop()
