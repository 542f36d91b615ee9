"""Prints what an independent parser makes of YAML files: a JSON object by file. Dates stay texts."""

import json
import sys

import yaml


class Loader(yaml.SafeLoader):
    pass


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

found = {}
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        found[path] = yaml.load(file, Loader)
print(json.dumps(found))
