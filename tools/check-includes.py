#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks that each folder of src/ includes only what its layer may include.

The direction is base < wire < core < {transport, proto, journal} < host < {worker, daemon, verify, cli, journald, mirror}. The pure
folders may use of libc only what needs no library call with effects.
"""

import re
import sys
from pathlib import Path

# folder: the other folders whose headers it may include
LAYERS = {
    "base": (),
    "wire": ("base",),
    "core": ("base", "wire"),
    "transport": ("base", "wire", "core"),
    "proto": ("base", "core"),
    "journal": ("base", "core"),
    "host": ("base", "core", "proto", "journal"),
    "worker": ("base", "wire", "core", "transport", "proto", "journal"),
    "daemon": ("base", "core", "proto", "host", "journal"),
    "journald": ("base", "core", "journal"),
    "mirror": ("base", "core", "journal"),
    "verify": ("base", "wire", "core", "transport", "host"),
    "cli": ("base", "wire", "core", "proto", "host", "journal"),
}

PURE = ("wire", "core")
PURE_HEADERS = ("assert.h", "limits.h", "stdbool.h", "stddef.h", "stdint.h", "string.h")

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def check_file(src, path):
    """Yields one line of text for each include of @path that its folder may not have."""
    folder = path.relative_to(src).parts[0]
    is_test = path.name.startswith("test-")
    for line, text in enumerate(path.read_text(errors="replace").splitlines(), 1):
        m = INCLUDE.match(text)
        if not m:
            continue
        where = f"{path}:{line}"
        if m[2]:
            if folder in PURE and not is_test and m[2] not in PURE_HEADERS:
                yield f"{where}: {folder} is pure and may not include <{m[2]}>"
            continue
        target = m[1].split("/")[0]
        if "/" not in m[1] or target == "..":
            yield f'{where}: "{m[1]}" does not name its folder below src/'
        elif target not in LAYERS:
            yield f'{where}: "{m[1]}" is in no layer'
        elif target != folder and target not in LAYERS[folder]:
            yield f"{where}: {folder} may not include {target}"


def check_tree(src):
    for path in sorted(src.rglob("*.[ch]")):
        folder = path.relative_to(src).parts[0]
        if folder in LAYERS:
            yield from check_file(src, path)
        else:
            yield f"{path}:1: {folder} is in no layer"


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    src = root / "src"
    if not src.is_dir():
        print(f"{src}: no such folder", file=sys.stderr)
        return 1
    violations = list(check_tree(src))
    for v in violations:
        print(v, file=sys.stderr)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
