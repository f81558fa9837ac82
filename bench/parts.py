"""What was measured, and the figures that follow from it. Pure: nothing here is measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FIGURES = (
    "hpke_opens_per_s", "mix_a_hums_per_s", "mix_b_hums_per_s", "mix_ratio", "mix_ratio_durable",
    "two_process_speedup", "two_process_raw_speedup", "ingress_cells_per_s", "nginx_posts_per_s",
    "ingress_ratio",
    "letters_per_s", "rss_mb", "noscript_bytes", "script_bytes", "instructions_bytes",
    "board_scan_s", "seal_ms",
)  # fmt: skip
# Beside them: each hop alone, other arrivals, and what the whole figures are made of.
MORE = (
    "mix_a_ratio", "mix_b_ratio", "mix_a_ratio_durable", "mix_b_ratio_durable",
    "mix_a_spread_ratio", "mix_a_spread_ratio_durable", "a_opens_per_s", "mix_ratio_all_opens",
    "speedup_a", "speedup_b", "speedup_by_cpu_a", "speedup_by_cpu_b",
    "a_tick_us_per_held_hum", "a_leave_us_per_hum", "a_new_day_us_per_held_hum",
    "ingress_cpu_us", "nginx_cpu_us",
    "rss_loaded_mb", "received", "load_1min",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """So many things done, in so many seconds by the wall, and so many of one core."""

    count: int
    wall_s: float
    cpu_s: float

    @property
    def cpu_us(self) -> float:
        """Microseconds of one core for one thing."""
        return self.cpu_s / self.count * 1e6

    @property
    def per_core_s(self) -> float:
        """How many a second one core does that does nothing else."""
        return self.count / self.cpu_s

    @property
    def per_wall_s(self) -> float:
        """How many a second were done here and now."""
        return self.count / self.wall_s


def total(parts: Iterable[Part]) -> Part:
    """Several runs of the same as one."""
    runs = list(parts)
    return Part(sum(p.count for p in runs), sum(p.wall_s for p in runs), sum(p.cpu_s for p in runs))


def share(raw: Part, whole: Part) -> float:
    """How much of the work for a hum is the opening that nobody can do without: 1 is perfect."""
    return raw.cpu_us / whole.cpu_us


def both(raw: Part, a: Part, b: Part) -> float:
    """The share at the two hops together: a hum is opened once at each."""
    return 2 * raw.cpu_us / (a.cpu_us + b.cpu_us)


def by_cpu(parts: Mapping[str, Part], hop: str) -> float:
    """How much sooner two cores that do nothing else would be done: what takes longest is the mix
    itself, or half of everything. Says something on a busy machine, where the wall says nothing."""
    own, workers = parts[f"{hop} by two"].cpu_us, parts[f"{hop} workers"].cpu_us
    return parts[f"{hop} alone"].cpu_us / max(own, (own + workers) / 2)


def figures(parts: Mapping[str, Part], others: Mapping[str, object]) -> dict[str, object]:
    """Every figure of FIGURES and MORE that can be said from what was measured."""
    raw, raw_a, a, b = (parts[n] for n in ("hpke", "a opens", "a memory", "b memory"))
    a_disk, b_disk = parts["a disk"], parts["b disk"]
    ingress, nginx = parts["ingress"], parts["nginx"]
    speed = {
        hop: parts[f"{hop} alone"].wall_s / parts[f"{hop} by two"].wall_s for hop in ("a", "b")
    }
    found: dict[str, object] = {
        "hpke_opens_per_s": raw.per_core_s,
        "a_opens_per_s": raw_a.per_core_s,
        "mix_a_hums_per_s": a_disk.per_core_s,
        "mix_b_hums_per_s": b_disk.per_core_s,
        "mix_ratio": both(raw, a, b),
        "mix_ratio_durable": both(raw, a_disk, b_disk),
        "mix_ratio_all_opens": (raw_a.cpu_us + raw.cpu_us) / (a.cpu_us + b.cpu_us),
        "mix_a_ratio": share(raw, a),
        "mix_b_ratio": share(raw, b),
        "mix_a_ratio_durable": share(raw, a_disk),
        "mix_b_ratio_durable": share(raw, b_disk),
        "mix_a_spread_ratio": share(raw, parts["a spread memory"]),
        "mix_a_spread_ratio_durable": share(raw, parts["a spread disk"]),
        "two_process_speedup": min(speed.values()),
        "two_process_raw_speedup": parts["raw alone"].wall_s / parts["raw by two"].wall_s,
        **{f"speedup_by_cpu_{hop}": by_cpu(parts, hop) for hop in ("a", "b")},
        "speedup_a": speed["a"],
        "speedup_b": speed["b"],
        "a_tick_us_per_held_hum": parts["a tick"].cpu_us,
        "a_leave_us_per_hum": parts["a leave"].cpu_us,
        "a_new_day_us_per_held_hum": parts["a new day"].cpu_us,
        "ingress_cells_per_s": ingress.per_wall_s,
        "nginx_posts_per_s": nginx.per_wall_s,
        "ingress_ratio": ingress.per_wall_s / nginx.per_wall_s,
        "ingress_cpu_us": ingress.cpu_us,
        "nginx_cpu_us": nginx.cpu_us,
        "letters_per_s": parts["letters"].per_core_s,
        "board_scan_s": parts["board"].cpu_s / parts["board"].count,
        "seal_ms": parts["seal"].cpu_us / 1000,
        **others,
    }
    return {name: _rounded(found[name]) for name in (*FIGURES, *MORE)}


def _rounded(value: object) -> object:
    if not isinstance(value, float):
        return value
    return round(value) if value >= 1000 else round(value, 3)


def table(parts: Mapping[str, Part], said: Mapping[str, object]) -> str:
    """What was measured and what follows, for people."""
    lines = [
        f"{'measured':<22}{'count':>9}{'wall s':>9}{'CPU us':>10}{'/core s':>10}{'/wall s':>10}"
    ]
    lines += [
        f"{name:<22}{p.count:>9}{p.wall_s:>9.2f}{p.cpu_us:>10.1f}{p.per_core_s:>10.0f}"
        f"{p.per_wall_s:>10.0f}"
        for name, p in parts.items()
    ]
    lines += ["", *(f"{name:<28}{_shown(value)}" for name, value in said.items())]
    return "\n".join(lines)


def _shown(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)
