"""Extracts the facts that the SDK's schema objects lack from a botocore service model.

Usage: python3 tools/model/extract_facts.py SERVICE path/to/service-2.json [--constraints] [--operations A,B,...] [--query]

Writes SERVICE-members.tsv beside this file: one line per member of a structure, list or map with the name and the type
of its shape. With --constraints also SERVICE-constraints.tsv: length, range, pattern and values of each simple shape.
With --operations only the shapes that these operations reach.
With --query only SERVICE-query.tsv: the names of flattened lists and maps in the query protocol, from the last model
of the service that had this protocol (SQS: botocore 1.29).
Only facts are taken: names, types and numbers, no documentation.
"""

import json
import pathlib
import sys

SIMPLE = ("string", "integer", "long", "double", "float", "boolean", "blob", "timestamp")


def main() -> None:
    service, path = sys.argv[1], sys.argv[2]
    model = json.loads(pathlib.Path(path).read_text())
    shapes = model["shapes"]
    if "--operations" in sys.argv:
        names = sys.argv[sys.argv.index("--operations") + 1].split(",")
        shapes = reached(shapes, [model["operations"][name] for name in names])
    here = pathlib.Path(__file__).parent

    if "--query" in sys.argv:
        lines = ["shape\tentry\tkey\tvalue"] + ["\t".join(row) for row in sorted(set(flattened(shapes)))]
        (here / f"{service}-query.tsv").write_text("\n".join(lines) + "\n")
        return

    lines = ["shape\tmember\ttarget\ttype"]
    for name, shape in sorted(shapes.items()):
        for member, target in members(shape):
            lines.append("\t".join([name, member, target, shapes[target]["type"]]))
    (here / f"{service}-members.tsv").write_text("\n".join(lines) + "\n")

    if "--constraints" in sys.argv:
        rows = ["shape\ttype\tmin\tmax\tpattern\tenum"]
        for name, shape in sorted(shapes.items()):
            values = [shape.get("min"), shape.get("max"), shape.get("pattern"), "|".join(shape.get("enum", []))]
            if any(value not in (None, "") for value in values):
                rows.append("\t".join([name, shape["type"]] + ["" if v is None else str(v) for v in values]))
        (here / f"{service}-constraints.tsv").write_text("\n".join(rows) + "\n")


def reached(shapes, operations):
    found = {}
    waiting = [operation[side]["shape"] for operation in operations for side in ("input", "output") if side in operation]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = shapes[name]
            waiting.extend(target for _, target in members(shapes[name]))
    return found


def flattened(shapes):
    for owner in shapes.values():
        for member, target in owner.get("members", {}).items():
            shape = shapes[target["shape"]]
            if not (shape.get("flattened") or target.get("flattened")):
                continue
            if shape["type"] == "list":
                yield (target["shape"], shape["member"].get("locationName", member), "", "")
            else:
                key, value = (shape[side].get("locationName", side) for side in ("key", "value"))
                # A map is found under the same name wherever it is used.
                name = shape.get("locationName") or target.get("locationName", member)
                yield (target["shape"], name, key, value)


def members(shape):
    if shape["type"] == "structure":
        return [(member, target["shape"]) for member, target in shape["members"].items()]
    if shape["type"] == "list":
        return [("member", shape["member"]["shape"])]
    if shape["type"] == "map":
        return [("key", shape["key"]["shape"]), ("value", shape["value"]["shape"])]
    return []


main()
