#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check-clauses.py against small trees, each with one thing wrong."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check-clauses.py"

MODEL = """# Model

| reason | clause | what would pass |
|---|---|---|
| `malformed` | C1 | nothing |
| `admit` | C2 | |

## C1 What is judged is what is sent
Text.

## C2 An admitted command was declared
Text.

## C3 Root is trusted
Not enforced by code: nobody can stop root.

## After the clauses
"""
ENUM = """enum fwa_reason {
	FWA_REASON_MALFORMED = 0, /* so that a zeroed decision denies */
	FWA_REASON_ADMIT,
	FWA_REASON_COUNT,
};
"""
TABLE = """static const struct row reasons[] = {
	[FWA_REASON_MALFORMED] = { "malformed", 1 },
	[FWA_REASON_ADMIT] = { "admit", 2 },
};
"""


class CheckClauses(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.root = Path(tmp.name)
        self.write("spec/SECURITY-MODEL.md", MODEL)
        self.write("src/core/reason.h", ENUM)
        self.write("src/core/reason.c", TABLE)

    def write(self, path, text):
        p = self.root / path
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_text(text)

    def run_tool(self, *args):
        return subprocess.run([sys.executable, TOOL, *args, self.root], capture_output=True, text=True)

    def assert_fails(self, *messages):
        r = self.run_tool()
        self.assertEqual(r.returncode, 1, r.stderr)
        self.assertEqual(r.stderr.splitlines(), list(messages))

    def test_good_tree(self):
        r = self.run_tool()
        self.assertEqual((r.returncode, r.stderr, r.stdout), (0, "", ""))

    def test_report_names_places_and_excuses(self):
        self.write("src/worker/one.c", "int a; /*= C1 */\n")
        self.write("tests/t.py", "x = 1\n#= C1, C2\n")
        out = self.run_tool("--report").stdout
        self.assertIn("C1   What is judged is what is sent\n     code 2, tests 1\n", out)
        self.assertIn("src/worker/one.c:1\n", out)
        self.assertIn("tests/t.py:2\n", out)
        self.assertIn("not enforced by code: nobody can stop root.", out)

    def test_clause_without_code_or_reason(self):
        self.write("spec/SECURITY-MODEL.md", MODEL.replace("Not enforced by code", "Sadly"))
        self.assert_fails("spec/SECURITY-MODEL.md:14: C3 is cited nowhere and says not why")

    def test_empty_reason_is_none(self):
        self.write("spec/SECURITY-MODEL.md", MODEL.replace("nobody can stop root.", ""))
        r = self.run_tool()
        self.assertEqual(r.returncode, 1)
        self.assertIn("C3 gives no reason", r.stderr)

    def test_functions_that_the_model_names_exist(self):
        self.write("spec/SECURITY-MODEL.md", MODEL.replace("## C2", "Enforced by `judge()` and `ju()`.\n\n## C2"))
        self.write("src/core/a.c", "int judge(void)\n")
        self.assert_fails("spec/SECURITY-MODEL.md:11: there is no ju() in src/")

    def test_every_form_of_citation_counts(self):
        plain = MODEL.replace("Not enforced by code: nobody can stop root.", "Text.")
        self.write("spec/SECURITY-MODEL.md", plain)
        for path, text in (("src/core/a.c", "/*= C3 */\n"), ("model/cxl.txt", "#= C3\n"),
                           ("tests/a.sh", "# see spec/SECURITY-MODEL.md#C3\n"),
                           ("src/worker/a.c", "f(); /*= C1, C3: both */\n"),
                           ("src/core/lint.c", '[FWA_FINDING_X] = { "x", "more than 1", 3 },\n')):
            with self.subTest(path):
                self.write(path, text)
                self.assertEqual(self.run_tool().returncode, 0, self.run_tool().stderr)
                (self.root / path).unlink()

    def test_prose_does_not_enforce(self):
        self.write("spec/SECURITY-MODEL.md",
                   MODEL.replace("Not enforced by code: nobody can stop root.", "Text."))
        self.write("src/core/a.c", "/* root is trusted (C3) */\n")
        self.assert_fails("spec/SECURITY-MODEL.md:14: C3 is cited nowhere and says not why")

    def test_unknown_clause(self):
        self.write("src/worker/a.c", "\nint a; /*= C9 */\n")
        self.write("src/worker/b.h", "/* as it must be (C8) */\n")
        self.assert_fails("src/worker/a.c:2: cites C9, which spec/SECURITY-MODEL.md does not hold",
                          "src/worker/b.h:1: mentions C8, which spec/SECURITY-MODEL.md does not hold")

    def test_how_many_there_are_is_no_entry(self):
        self.write("src/core/test-a.c", "unsigned int seen[FWA_REASON_COUNT] = { 0 };\n")
        self.assertEqual(self.run_tool().returncode, 0, self.run_tool().stderr)

    def test_reason_without_clause(self):
        self.write("src/core/reason.c", TABLE.replace("FWA_REASON_ADMIT", "FWA_REASON_OTHER"))
        self.assert_fails("src/core/reason.h:3: reason admit has no clause in src/core/reason.c")

    def test_commented_out_entry_does_not_count(self):
        self.write("src/core/reason.c", TABLE.replace('[FWA_REASON_ADMIT] = { "admit", 2 },',
                                                      '/* [FWA_REASON_ADMIT] = { "admit", 2 }, */'))
        r = self.run_tool()
        self.assertIn("reason admit has no clause", r.stderr)

    def test_reason_missing_in_model(self):
        self.write("spec/SECURITY-MODEL.md", MODEL.replace("| `admit` | C2 | |\n", ""))
        self.assert_fails("src/core/reason.h:3: reason admit is not in the table of spec/SECURITY-MODEL.md")

    def test_reason_that_the_code_does_not_know(self):
        self.write("spec/SECURITY-MODEL.md", MODEL.replace("| `admit`", "| `mood` | C1 | |\n| `admit`"))
        self.assert_fails("spec/SECURITY-MODEL.md:6: reason mood is not in enum fwa_reason")

    def test_different_clauses(self):
        self.write("src/core/reason.c", TABLE.replace('"admit", 2', '"admit", 1'))
        r = self.run_tool()
        self.assertIn("src/core/reason.c:3: reason admit is C1 here and C2 in spec/SECURITY-MODEL.md:6",
                      r.stderr)

    def test_order_of_reasons(self):
        a, b = "| `malformed` | C1 | nothing |\n", "| `admit` | C2 | |\n"
        self.write("spec/SECURITY-MODEL.md", MODEL.replace(a + b, b + a))
        self.assert_fails("spec/SECURITY-MODEL.md:5: the reasons are not in the order of src/core/reason.h")

    def test_clauses_are_numbered_without_gaps(self):
        self.write("spec/SECURITY-MODEL.md", MODEL.replace("## C3", "## C4"))
        self.assert_fails("spec/SECURITY-MODEL.md:14: C4 comes after C2")

    def test_missing_model(self):
        (self.root / "spec/SECURITY-MODEL.md").unlink()
        r = self.run_tool()
        self.assertEqual(r.returncode, 1)
        self.assertIn("spec/SECURITY-MODEL.md:1: cannot be read", r.stderr)


if __name__ == "__main__":
    unittest.main()
