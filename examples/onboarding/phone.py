"""Stands in for a person with an authenticator app: runs a command, reads the seed that it shows, and types the codes.

    python3 phone.py trueup mfa enroll alice

A real person scans the QR code instead. The time is the computer's, or TRUEUP_SANDBOX_TIME where the sandbox stands
still.
"""

import base64
import datetime
import hashlib
import hmac
import os
import re
import struct
import subprocess
import sys


def code(seed, step):
    """The six digits of RFC 6238 for one time step."""
    digest = hmac.new(base64.b32decode(seed), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


standing = os.environ.get("TRUEUP_SANDBOX_TIME")
if standing:
    now = datetime.datetime.fromisoformat(standing.replace("Z", "+00:00"))
else:
    now = datetime.datetime.now(datetime.timezone.utc)
step = int(now.timestamp()) // 30

process = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for line in process.stdout:
    sys.stdout.write(line)
    seed = re.match(r"Seed: ([A-Z2-7]+)$", line)
    if seed:
        # A person waits half a minute for the second code; AWS takes the next one early.
        process.stdin.write(f"{code(seed[1], step)}\n{code(seed[1], step + 1)}\n")
        process.stdin.close()
sys.exit(process.wait())
