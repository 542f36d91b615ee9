"""Prints YAML files as JSON: a list of files, each a list of its documents."""

import json
import sys

import yaml

print(json.dumps([list(yaml.safe_load_all(open(path, encoding="utf-8"))) for path in sys.argv[1:]], default=str))
