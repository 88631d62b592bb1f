#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs effect-table and compares what it prints with the reviewed snapshot."""
import difflib
import subprocess
import sys

program, snapshot = sys.argv[1:]
run = subprocess.run([program], capture_output=True, text=True)
sys.stderr.write(run.stderr)
if run.returncode:
    sys.exit(run.returncode)
want = open(snapshot).read().splitlines(keepends=True)
got = run.stdout.splitlines(keepends=True)
diff = list(difflib.unified_diff(want, got, snapshot, "decided now"))
sys.stdout.writelines(diff)
sys.exit(1 if diff else 0)
