"""Assemble the vectors by hand from the spec, or check that the committed ones follow from it.

    python vectors/assemble.py            write what is missing or wrong; keep seals that open
    python vectors/assemble.py --fresh    seal everything again
    python vectors/assemble.py --check    write nothing; exit 1 on a byte that does not follow

With --check the files by-python.json and by-typescript.json are opened by hand as well.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from hand import (
    downlink,
    eightwords,
    keys,
    letters,
    records,
    signatures,
    tokens,
    uplink,
    words,
)
from hand.cases import Case, Refusal
from hand.sizes import sizes

HERE = Path(__file__).parent


class Vectors:
    """The folder: loads, compares, keeps or writes, and counts what it did."""

    def __init__(self, *, check: bool, fresh: bool) -> None:
        self.check, self.fresh = check, fresh
        self.faults: list[str] = []
        self.seen = 0

    def load(self, path: str) -> Any:
        file = HERE / path
        return json.loads(file.read_text("utf-8")) if file.exists() else None

    def store(self, path: str, value: Any) -> None:
        """Write a file, or with --check complain when it is not what it should be."""
        self.seen += 1
        if self.load(path) == value:
            return
        if self.check:
            self.faults.append(f"{path} does not follow from the spec")
            return
        file = HERE / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")

    def bytes_for(self, case: Case, old: Any) -> bytes | None:
        """The bytes to keep or make; None when the case has none."""
        if case.make is None:
            return None
        kept = bytes.fromhex(old["bytes"]) if old and "bytes" in old else None
        if kept is not None and not (self.fresh and case.kem) and case.holds(kept):
            return kept
        made = case.make()
        if not case.holds(made):
            self.faults.append(f"{case.name} does not read as it was written")
        return made

    def good(self, structure: str, cases: Iterable[Case]) -> dict[str, str]:
        """hand.json of a structure; returns name -> hex."""
        path = f"{structure}/hand.json"
        before = {v["name"]: v for v in (self.load(path) or {"vectors": []})["vectors"]}
        vectors, made = [], {}
        for case in cases:
            old = before.get(case.name)
            data = self.bytes_for(case, old)
            entry: dict[str, Any] = {"name": case.name, "kem": case.kem}
            entry |= {"note": case.note} if case.note else {}
            entry["inputs"] = case.inputs
            if data is not None:
                entry["bytes"] = made[case.name] = data.hex()
            entry["fields"] = {**case.wanted, **(case.read(data) if data is not None else {})}
            vectors.append(entry)
            self.others(structure, case)
        self.store(path, {"structure": structure, "spec": f"spec/{structure}.md",
                          "made_by": "hand", "vectors": vectors})  # fmt: skip
        return made

    def others(self, structure: str, case: Case) -> None:
        """The same vector by the two implementations opens by hand."""
        for who in ("python", "typescript") if self.check else ():
            file = self.load(f"{structure}/by-{who}.json") or {"vectors": []}
            for vector in (v for v in file["vectors"] if v["name"] == case.name):
                self.seen += 1
                data = bytes.fromhex(vector.get("bytes", ""))
                wrong = {k for k, v in case.wanted.items() if vector["fields"].get(k) != v}
                if wrong or not case.holds(data):
                    self.faults.append(f"{structure} {case.name} by {who} does not open by hand")

    def refused(self, structure: str, cases: Iterable[Refusal]) -> None:
        """refused/*.json of a structure, one fault a file, and no other file in the folder."""
        names = set()
        for case in cases:
            path = f"{structure}/refused/{case.name}.json"
            names.add(HERE / path)
            data = self.bytes_for(case, self.load(path))
            entry: dict[str, Any] = {
                "structure": structure, "spec": f"spec/{structure}.md", "name": case.name,
                "refused": case.rule, "stage": case.stage,
            }  # fmt: skip
            entry |= {"note": case.note} if case.note else {}
            entry["inputs"] = case.inputs
            if data is not None:
                entry["bytes"] = data.hex()
            self.store(path, entry)
        strays = set((HERE / structure / "refused").glob("*.json")) - names
        self.faults += [f"{stray.relative_to(HERE)} has no case" for stray in sorted(strays)]


def first(made: dict[str, str]) -> bytes:
    """The bytes of the first good vector."""
    return bytes.fromhex(next(iter(made.values())))


def assemble(v: Vectors) -> None:
    """Every structure, in the order in which one needs the other."""
    v.store("keys.json", keys.as_json())
    v.store("crypto/signatures.json", signatures.as_json())
    v.store("sizes/sizes.json", sizes(HERE.parent / "spec"))
    v.good("record", records.good())
    sealed = v.good("letter", letters.good())
    hums = v.good("hum", uplink.hums(sealed))
    parcels = v.good("parcel", uplink.parcels(sealed))
    hellos = v.good("hello", uplink.hellos())
    drops = v.good("drop", downlink.drops(sealed))
    rest: dict[str, Callable[[], list[Case]]] = {
        "cell": uplink.cells, "reply": downlink.replies, "receipt": letters.receipts,
        "segment": downlink.segments, "chain": letters.chain, "words": words.good,
        "eightwords": eightwords.good,
        "token": tokens.good, "stamp": partial(tokens.stamps, sealed),
    }  # fmt: skip
    made: dict[str, dict[str, str]] = {}
    for structure, good in rest.items():
        made[structure] = v.good(structure, good())
    second = bytes.fromhex(drops["second"])
    one_set = bytes.fromhex(made["token"]["set-of-one"])
    refusals: dict[str, list[Refusal]] = {
        "record": records.refused(), "letter": letters.refused(bytes.fromhex(sealed["filler"])),
        "hum": uplink.refused_hums(first(hums)), "parcel": uplink.refused_parcels(first(parcels)),
        "hello": uplink.refused_hellos(first(hellos)), "cell": uplink.refused_cells(),
        "drop": downlink.refused_drops(first(drops), second), "words": words.refused(),
        "reply": downlink.refused_replies(), "receipt": letters.refused_receipts(),
        "segment": downlink.refused_segments(), "chain": letters.refused_chain(),
        "token": tokens.refused(one_set),
    }  # fmt: skip
    for structure, cases in refusals.items():
        v.refused(structure, cases)


def main() -> int:
    known = {"--check", "--fresh"}
    if not set(sys.argv[1:]) <= known:
        print(__doc__, file=sys.stderr)
        return 2
    vectors = Vectors(check="--check" in sys.argv, fresh="--fresh" in sys.argv)
    assemble(vectors)
    for fault in vectors.faults:
        print(fault, file=sys.stderr)
    print(f"{vectors.seen} looked at, {len(vectors.faults)} faults")
    return 1 if vectors.faults else 0


if __name__ == "__main__":
    sys.exit(main())
