"""Prints what an independent parser makes of YAML files: a JSON object by file. Dates stay texts."""

import json
import re
import sys

import yaml


class Loader(yaml.SafeLoader):
    pass


# As YAML 1.2 and trueup have it: `on` and `no` are texts, and so is a date.
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))

found = {}
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        found[path] = yaml.load(file, Loader)
print(json.dumps(found))
