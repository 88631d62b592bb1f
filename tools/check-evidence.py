#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks that docs/EVIDENCE.md names tests that exist.

1. Each clause of spec/SECURITY-MODEL.md has one row, in its order.
2. What stands in backquotes under "shown by" is a test: a function of one, a file or folder, the
   name by which Meson knows it, or a command of ./dev.
"""

import re
import sys
from pathlib import Path

EVIDENCE = "docs/EVIDENCE.md"
MODEL = "spec/SECURITY-MODEL.md"
# How a name becomes a file, "a/b" in two parts and "b" in one.
FILES = ("{0}", "tests/{0}", "tests/guest/{0}", "tests/guest/{0}.sh", "tests/decisions/{0}.tests",
         "fuzz/fuzz-{0}.c", "src/{0}.c", "src/{0}/test-{0}.c", "tests/{0}/{0}.c",
         "src/*/test-{0}.c")
FILES_OF_TWO = ("src/{0}/test-{1}.c", "tests/{0}/test-{1}.c", "tests/{0}/test_{1}.py",
                "tools/check-{1}.py")
TESTS = ("tests/**/*.py", "tests/**/*.c", "tests/**/*.sh", "tests/**/meson.build", "src/*/test-*.c",
         "fuzz/*.c")


def sources(root):
    return "\n".join(p.read_text(encoding="utf-8", errors="replace")
                     for pattern in TESTS for p in sorted(root.glob(pattern)))


def is_file(root, name):
    patterns = [f.format(name) for f in FILES]
    if name.count("/") == 1:
        patterns += [f.format(*name.split("/")) for f in FILES_OF_TWO]
    return any(any(root.glob(p)) for p in patterns)


def exists(root, name, text):
    if name.startswith("./dev "):
        command = name.split()[1]
        return re.search(rf"^cmd_{command}\(\)", (root / "dev").read_text(), re.M)
    known = re.escape(name)
    return (is_file(root, name)
            or re.search(rf"\b(?:prove_)?{known}\(", text)          # a function
            or re.search(rf"\btest\('(?:[\w-]+/)?{known}'", text))  # of a meson.build


def rows(text):
    """(line, first cell, second cell) of each row of a table but its head."""
    for line, s in enumerate(text.splitlines(), 1):
        cells = [c.strip() for c in s.strip("|").split("|")]
        if s.startswith("| ") and len(cells) > 1 and cells[1] != "shown by":
            yield line, cells[0], cells[1]


def check(root):
    evidence = (root / EVIDENCE).read_text(encoding="utf-8")
    model = (root / MODEL).read_text(encoding="utf-8")
    text = sources(root)
    clauses = []
    for line, subject, shown in rows(evidence):
        clauses += re.findall(r"^C\d+(?= )", subject)
        for name in re.findall(r"`([^`]+)`", shown):
            if not exists(root, name, text):
                yield f"{EVIDENCE}:{line}: there is no test '{name}'"
    if clauses != re.findall(r"^## (C\d+) ", model, re.M):
        yield f"{EVIDENCE}: its rows are not the clauses of {MODEL}"


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    wrong = list(check(root))
    for w in wrong:
        print(w, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
