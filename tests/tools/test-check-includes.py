#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check-includes.py against small trees."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check-includes.py"


class CheckIncludes(unittest.TestCase):
    def check(self, files):
        """Runs the tool on a tree of @files; its exit code and messages, without the folder's name."""
        with tempfile.TemporaryDirectory() as tmp:
            for path, text in files.items():
                p = Path(tmp, "src", path)
                p.parent.mkdir(parents=True, exist_ok=True)
                p.write_text(text)
            r = subprocess.run([sys.executable, TOOL, tmp], capture_output=True, text=True)
            return r.returncode, r.stderr.replace(tmp + "/", "").splitlines()

    def assert_refused(self, path, text, message):
        self.assertEqual(self.check({path: text}), (1, [message]))

    def test_downwards_is_fine(self):
        self.assertEqual(self.check({
            "base/a.h": "#include <stdio.h>\n",
            "wire/a.h": '#include <stdint.h>\n#include "base/a.h"\n',
            "core/a.c": '#include <string.h>\n#include "core/a.h"\n#include "wire/a.h"\n',
            "transport/sim/a.c": '#include <unistd.h>\n#include "core/a.h"\n#include "transport/t.h"\n',
            "host/a.c": '#include "proto/control.h"\n',
            "worker/a.c": '#include "transport/t.h"\n#include "proto/gate.h"\n',
            "cli/a.c": '#include "host/a.h"\n#include "cli/b.h"\n',
        }), (0, []))

    def test_upwards(self):
        self.assert_refused("core/a.c", '\n#include "proto/gate.h"\n',
                            "src/core/a.c:2: core may not include proto")
        self.assert_refused("base/a.h", '#include "core/effects.h"\n',
                            "src/base/a.h:1: base may not include core")

    def test_sideways(self):
        for folder, other in (("transport", "proto"), ("transport", "host"), ("proto", "transport"),
                              ("worker", "host"), ("daemon", "transport"), ("daemon", "worker"),
                              ("cli", "transport"), ("cli", "daemon"), ("host", "transport")):
            with self.subTest(f"{folder} -> {other}"):
                self.assert_refused(f"{folder}/a.c", f'#  include "{other}/x.h"\n',
                                    f"src/{folder}/a.c:1: {folder} may not include {other}")

    def test_pure_folders_have_no_libc(self):
        self.assert_refused("core/a.c", "#include <stdlib.h>\n",
                            "src/core/a.c:1: core is pure and may not include <stdlib.h>")
        self.assert_refused("wire/a.h", "#include <errno.h>\n",
                            "src/wire/a.h:1: wire is pure and may not include <errno.h>")

    def test_unit_tests_may_use_libc_but_not_upper_layers(self):
        self.assertEqual(self.check({"core/test-a.c": "#include <cmocka.h>\n"}), (0, []))
        self.assert_refused("core/test-a.c", '#include "worker/w.h"\n',
                            "src/core/test-a.c:1: core may not include worker")

    def test_folder_must_be_named(self):
        for name in ("a.h", "../core/a.h"):
            self.assert_refused("core/a.c", f'#include "{name}"\n',
                                f'src/core/a.c:1: "{name}" does not name its folder below src/')

    def test_unknown_folders(self):
        self.assert_refused("extra/a.c", "", "src/extra/a.c:1: extra is in no layer")
        self.assert_refused("cli/a.c", '#include "extra/a.h"\n', 'src/cli/a.c:1: "extra/a.h" is in no layer')

    def test_no_source(self):
        with tempfile.TemporaryDirectory() as tmp:
            r = subprocess.run([sys.executable, TOOL, tmp], capture_output=True, text=True)
            self.assertEqual(r.returncode, 1)
            self.assertIn("no such folder", r.stderr)


if __name__ == "__main__":
    unittest.main()
