#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check-evidence.py against small trees, each with one thing wrong."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check-evidence.py"

MODEL = "# Model\n\n## C1 First\nText.\n\n## C2 Second\nText.\n"
EVIDENCE = """# Evidence

| clause | shown by | not shown |
|---|---|---|
| C1 first | table `order`; guest `30-read`; program `test_it` | `nothing_of_this` |
| C2 second | all cases `all-2`; unit `a/test-b`, `a/c`; fuzz `d`; proof `e`; `./dev bench x` | |
"""
FILES = {
    "tests/decisions/order.tests": "",
    "tests/guest/30-read.sh": "",
    "tests/cli/test_x.py": "def test_it(self):\n",
    "tests/decisions/meson.build": "test('decisions/all-2', prog)\n",
    "src/a/test-b.c": "",
    "src/a/test-c.c": "",
    "fuzz/fuzz-d.c": "",
    "tests/proofs/p.c": "void prove_e(void)\n",
    "dev": "cmd_bench() { :\n}\n",
    "spec/SECURITY-MODEL.md": MODEL,
    "docs/EVIDENCE.md": EVIDENCE,
}


class CheckEvidence(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.root = Path(tmp.name)
        for path, text in FILES.items():
            self.write(path, text)

    def write(self, path, text):
        p = self.root / path
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_text(text)

    def run_tool(self):
        return subprocess.run([sys.executable, TOOL, self.root], capture_output=True, text=True)

    def test_good(self):
        r = self.run_tool()
        self.assertEqual((r.returncode, r.stderr), (0, ""))

    def test_each_name_has_to_be_there(self):
        for path in FILES.keys() - {"spec/SECURITY-MODEL.md", "docs/EVIDENCE.md"}:
            with self.subTest(path):
                (self.root / path).rename(self.root / "elsewhere")
                self.write("dev", FILES["dev"] if path != "dev" else "")
                self.assertEqual(self.run_tool().returncode, 1)
                (self.root / "elsewhere").rename(self.root / path)

    def test_names_begin_and_end_where_they_do(self):
        self.write("tests/cli/test_x.py", "def test_it_all(self):\n")
        self.assertIn("docs/EVIDENCE.md:5: there is no test 'test_it'", self.run_tool().stderr)

    def test_rows_are_clauses(self):
        self.write("spec/SECURITY-MODEL.md", MODEL + "\n## C3 Third\n")
        self.assertIn("its rows are not the clauses", self.run_tool().stderr)


if __name__ == "__main__":
    unittest.main()
