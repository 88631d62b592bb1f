#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks that the tables of numbers in spec/ and the headers say the same.

A table that is checked stands below one of these lines, and starts each row with a number and a
name in backquotes:

    <!-- enum NAME HEADER PREFIX -->     all enumerators of an enum but ..._COUNT
    <!-- bits PREFIX HEADER -->          all #defines of the form PREFIXname (1u << number)

PREFIX is a regular expression. The name is what follows it, in small letters, with hyphens.
"""

import re
import sys
from pathlib import Path

MARKER = re.compile(r"<!-- (?:enum (\w+) (\S+) (\S+)|bits (\S+) (\S+)) -->")
ROW = re.compile(r"\|\s*(\d+)\s*\|\s*`([^`]+)`\s*\|")


def spoken(name, prefix):
    return re.sub("^" + prefix, "", name).lower().replace("_", "-")


def enum_numbers(text, enum, prefix):
    """{number: name} of @enum, or None when @text does not hold it."""
    m = re.search(rf"enum {enum}\s*\{{(.*?)\}};", re.sub(r"/\*.*?\*/", "", text, flags=re.S), re.S)
    if not m:
        return None
    numbers, value = {}, 0
    for entry in filter(None, (e.strip() for e in m[1].split(","))):
        name, _, given = (part.strip() for part in entry.partition("="))
        value = int(given, 0) if given else value
        if not name.endswith("_COUNT"):
            numbers[value] = spoken(name, prefix)
        value += 1
    return numbers


def bit_numbers(text, prefix):
    found = re.finditer(rf"^#define ({prefix}\w+) \(1u << (\d+)\)", text, re.M)
    return {int(m[2]): spoken(m[1], prefix) for m in found} or None


def table_below(lines, at):
    """{number: name} of the table that starts behind line @at."""
    rows = {}
    for line in lines[at:]:
        if not line.startswith("|"):
            break
        if m := ROW.match(line):
            rows[int(m[1])] = m[2]
    return rows


def check_marker(root, marker, rows):
    """Yields what differs between the table @rows and the header that @marker names."""
    enum, enum_header, enum_prefix, bits_prefix, bits_header = marker.groups()
    header = enum_header or bits_header
    try:
        text = (root / header).read_text()
    except OSError as e:
        yield f"{header}: {e.strerror}"
        return
    code = enum_numbers(text, enum, enum_prefix) if enum else bit_numbers(text, bits_prefix)
    if code is None:
        yield f"{header} holds no {enum or bits_prefix}"
        return
    for n in sorted(code.keys() | rows.keys()):
        if code.get(n) != rows.get(n):
            yield f"{n} is {rows.get(n, 'nothing')} here and {code.get(n, 'nothing')} in {header}"


def check_file(root, path):
    lines = path.read_text().splitlines()
    for line, text in enumerate(lines, 1):
        if marker := MARKER.search(text):
            for message in check_marker(root, marker, table_below(lines, line)):
                yield f"{path.relative_to(root)}:{line}: {message}"


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    files = sorted((root / "spec").glob("*.md"))
    if not any(MARKER.search(f.read_text()) for f in files):
        print(f"{root}/spec: holds no table to check", file=sys.stderr)
        return 1
    violations = [v for f in files for v in check_file(root, f)]
    for v in violations:
        print(v, file=sys.stderr)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
