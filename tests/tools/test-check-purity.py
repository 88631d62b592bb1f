#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check-purity.py against small libraries that a compiler made."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check-purity.py"
CC = shlex.split(os.environ.get("CC", "cc"))

USES_MEM = "#include <string.h>\nvoid clear(char *p, unsigned long n) { memset(p, 0, n); }\n"


@unittest.skipUnless(shutil.which(CC[0]) and shutil.which("ar"), "no compiler")
class CheckPurity(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.dir = Path(tmp.name)

    def check(self, *sources, flags=(), thin=False):
        objects = []
        for i, text in enumerate(sources):
            (self.dir / f"{i}.c").write_text(text)
            objects.append(self.dir / f"{i}.o")
            subprocess.run([*CC, "-O1", *flags, "-c", self.dir / f"{i}.c", "-o", objects[-1]], check=True)
        lib = self.dir / ("thin.a" if thin else "lib.a")
        subprocess.run(["ar", "csrDT" if thin else "csrD", lib, *objects], check=True)
        return self.run_tool(lib)

    def run_tool(self, *args):
        return subprocess.run([sys.executable, TOOL, *args], capture_output=True, text=True)

    def test_pure(self):
        for thin in (False, True):
            r = self.check(USES_MEM, thin=thin)
            self.assertEqual((r.returncode, r.stderr), (0, ""))

    def test_calls_inside_the_library(self):
        r = self.check("int f(int); int g(int x) { return f(x) + 1; }", "int f(int x) { return -x; }")
        self.assertEqual((r.returncode, r.stderr), (0, ""))

    def test_impure_call_names_symbol_and_member(self):
        r = self.check(USES_MEM, "#include <stdlib.h>\nvoid *f(void);\nvoid *f(void) { return malloc(3); }\n")
        self.assertEqual(r.returncode, 1)
        self.assertIn("1.o", r.stderr)
        self.assertTrue(r.stderr.endswith("calls malloc\n"), r.stderr)

    def test_errno_and_clock_are_impure(self):
        r = self.check("#include <errno.h>\n#include <time.h>\n"
                       "long f(void);\nlong f(void) { return time(0) + errno; }\n")
        self.assertEqual(r.returncode, 1)
        self.assertEqual([s.split()[-1] for s in r.stderr.splitlines()], ["__errno_location", "time"])

    def test_sanitized_library_is_skipped(self):
        r = self.check("int f(int *p) { return *p; }", flags=["-fsanitize=address"])
        self.assertEqual(r.returncode, 77)
        self.assertIn("not checked", r.stdout)

    def test_stack_protector_is_the_compilers(self):
        r = self.check("void g(char *p) { *p = 1; }\n"
                       "void g(char *);\nint f(void) { char b[64]; g(b); return b[0]; }\n",
                       flags=["-fstack-protector-all", "-fno-inline"])
        self.assertEqual((r.returncode, r.stderr), (0, ""))

    def test_not_a_library(self):
        for text in (None, "not an archive\n"):
            path = self.dir / "x.a"
            if text:
                path.write_text(text)
            r = self.run_tool(path)
            self.assertEqual(r.returncode, 1)
            self.assertIn("x.a", r.stderr)

    def test_usage(self):
        self.assertEqual(self.run_tool().returncode, 2)


if __name__ == "__main__":
    unittest.main()
