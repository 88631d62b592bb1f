#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check-numbers.py against small trees."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check-numbers.py"

HEADER = """enum mood {
	MOOD_GOOD = 0, /* not MOOD_BAD = 7, */
	MOOD_VERY_BAD,
	MOOD_WORST = 0x10,
	MOOD_COUNT,
};
#define BIT_ONE_TWO (1u << 3)
#define BIT_COUNT 4
"""
SPEC = """Moods:
<!-- enum mood src/a.h MOOD_ -->
| number | mood |
|---|---|
| 0 | `good` |
| 1 | `very-bad` |
| 16 | `worst` | with a remark |

| 9 | `another` table |
<!-- bits BIT_ src/a.h -->
| bit | |
|---|---|
| 3 | `one-two` |
"""


class CheckNumbers(unittest.TestCase):
    def check(self, spec=SPEC, header=HEADER):
        with tempfile.TemporaryDirectory() as tmp:
            for path, text in (("spec/A.md", spec), ("src/a.h", header)):
                if text is not None:
                    Path(tmp, path).parent.mkdir()
                    Path(tmp, path).write_text(text)
            r = subprocess.run([sys.executable, TOOL, tmp], capture_output=True, text=True)
            return r.returncode, r.stderr.splitlines()

    def test_same(self):
        self.assertEqual(self.check(), (0, []))

    def test_renumbered(self):
        self.assertEqual(self.check(header=HEADER.replace("= 0x10", "= 17")), (1, [
            "spec/A.md:2: 16 is worst here and nothing in src/a.h",
            "spec/A.md:2: 17 is nothing here and worst in src/a.h"]))

    def test_renamed(self):
        self.assertEqual(self.check(spec=SPEC.replace("very-bad", "bad")),
                         (1, ["spec/A.md:2: 1 is bad here and very-bad in src/a.h"]))

    def test_added_in_code(self):
        self.assertEqual(self.check(header=HEADER.replace("	MOOD_COUNT", "	MOOD_NEW,\n	MOOD_COUNT")),
                         (1, ["spec/A.md:2: 17 is nothing here and new in src/a.h"]))

    def test_moved_bit(self):
        self.assertEqual(self.check(header=HEADER.replace("<< 3", "<< 2")), (1, [
            "spec/A.md:10: 2 is nothing here and one-two in src/a.h",
            "spec/A.md:10: 3 is one-two here and nothing in src/a.h"]))

    def test_no_such_enum_or_header(self):
        self.assertEqual(self.check(header=HEADER.replace("enum mood", "enum mode"))[1],
                         ["spec/A.md:2: src/a.h holds no mood"])
        self.assertEqual(self.check(header=None)[1][0], "spec/A.md:2: src/a.h: No such file or directory")

    def test_nothing_to_check_is_an_error(self):
        self.assertEqual(self.check(spec="# Text\n")[0], 1)


if __name__ == "__main__":
    unittest.main()
