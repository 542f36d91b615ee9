#!/usr/bin/env python3
"""Makes escalation-paths.json from a checkout of DataDog/pathfinding.cloud.

    python3 make_paths.py CHECKOUT > escalation-paths.json

Kept are ids, categories and the permissions that each path requires; descriptions and steps are left out.
"""

import json
import pathlib
import sys

import yaml

paths = []
for file in sorted(pathlib.Path(sys.argv[1], "data", "paths").rglob("*.yaml")):
    path = yaml.safe_load(file.read_text(encoding="utf-8"))
    required = [permission["permission"] for permission in path["permissions"]["required"]]
    paths.append({"id": path["id"], "category": path["category"], "required": required})
paths.sort(key=lambda path: path["id"])
print("[\n" + ",\n".join(json.dumps(path) for path in paths) + "\n]")
