"""Make by-python.json of every structure: the vectors of hand.json, made again by `wallflower`.

A vector with a KEM inside is kept as long as it opens to the fields of hand.json; `--fresh` seals
everything again.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from in_python import HERE, SEALED
from in_python.reading import READ
from in_python.writing import MAKE

from wallflower.errors import Refused


def opens(structure: str, vector: dict[str, Any], data: bytes) -> dict[str, Any] | None:
    """The fields, when they are those of hand.json."""
    try:
        fields = READ[structure](vector["inputs"], data)
    except (Refused, AssertionError):
        return None
    own = SEALED.get(structure, set())
    same = all(fields[k] == v for k, v in vector["fields"].items() if k not in own)
    return fields if same else None


def made(structure: str, vector: dict[str, Any], old: dict[str, Any] | None) -> dict[str, Any]:
    """One vector by Python: the old one when it still holds."""
    entry = {name: vector[name] for name in ("name", "kem", "inputs")}
    if old and vector["kem"] and old["inputs"] == vector["inputs"] and "--fresh" not in sys.argv:
        fields = opens(structure, vector, bytes.fromhex(old["bytes"]))
        if fields is not None:
            return {**entry, "bytes": old["bytes"], "fields": fields}
    data = MAKE[structure](vector["inputs"]) if "bytes" in vector else b""
    fields = opens(structure, vector, data)
    if fields is None or (not vector["kem"] and data.hex() != vector.get("bytes", "")):
        raise SystemExit(f"{structure} {vector['name']}: Python disagrees with hand.json")
    return {**entry, **({"bytes": data.hex()} if data else {}), "fields": fields}


def main() -> None:
    for structure in READ:
        hand = json.loads((HERE / structure / "hand.json").read_text("utf-8"))
        path = HERE / structure / "by-python.json"
        text = path.read_text("utf-8") if path.exists() else '{"vectors": []}'
        before = {v["name"]: v for v in json.loads(text)["vectors"]}
        vectors = [made(structure, v, before.get(v["name"])) for v in hand["vectors"]]
        value = {"structure": structure, "spec": hand["spec"], "made_by": "python",
                 "vectors": vectors}  # fmt: skip
        new = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
        if new != text:
            path.write_text(new, "utf-8")
        print(f"{structure}: {len(vectors)}")


if __name__ == "__main__":
    main()
