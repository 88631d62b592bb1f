#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks that a static library calls nothing but memcpy, memcmp and memset.

usage: check-purity.py LIBRARY. Exit 0 pure, 1 not, 77 (skipped) when the library was built with a
sanitizer or for coverage: the calls of that instrumentation cannot be told from the library's own.
"""

import os
import subprocess
import sys

ALLOWED = {
    "memcpy", "memcmp", "memset",
    # the same three, as compilers write them
    "bcmp", "__memcpy_chk", "__memset_chk",
    # the compiler's own
    "__stack_chk_fail", "__stack_chk_guard", "_GLOBAL_OFFSET_TABLE_",
}
INSTRUMENTATION = ("__asan_", "__ubsan_", "__tsan_", "__msan_", "__sanitizer_", "__sancov_", "__gcov_",
                   "__llvm_profile_")
SKIPPED = 77


def symbols(library):
    """The names that @library defines, and for each name that it needs the member that does."""
    nm = os.environ.get("NM", "nm")
    out = subprocess.run([nm, "-P", library], check=True, capture_output=True, text=True).stdout
    defined, needed, member = set(), {}, ""
    for line in out.splitlines():
        fields = line.split()
        if line.endswith("]:") or len(fields) < 2:
            member = line.rstrip(":")
        elif fields[1] in "Uwv":
            needed.setdefault(fields[0], member)
        else:
            defined.add(fields[0])
    return defined, needed


def main():
    if len(sys.argv) != 2:
        print(__doc__.splitlines()[2], file=sys.stderr)
        return 2
    try:
        defined, needed = symbols(sys.argv[1])
    except (OSError, subprocess.CalledProcessError) as e:
        print(f"{sys.argv[1]}: {(getattr(e, 'stderr', '') or str(e)).strip()}", file=sys.stderr)
        return 1
    if not defined:
        print(f"{sys.argv[1]}: defines nothing", file=sys.stderr)
        return 1
    if any(name.startswith(INSTRUMENTATION) for name in needed):
        print(f"{sys.argv[1]}: instrumented, not checked")
        return SKIPPED
    impure = {n: m for n, m in needed.items() if n not in defined and n not in ALLOWED}
    for name, member in sorted(impure.items()):
        print(f"{member or sys.argv[1]}: calls {name}", file=sys.stderr)
    return 1 if impure else 0


if __name__ == "__main__":
    sys.exit(main())
