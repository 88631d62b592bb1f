#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check-examples.py with a small program in the place of fwadmit."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check-examples.py"

PROGRAM = """#!/bin/sh
case $1 in
two) echo one; echo; echo two;;
fail) echo broken >&2; exit 4;;
esac
"""
TEXT = """# A document
```
$ fwadmit two
not looked at
```

```console
$ fwadmit two
one

two

$ rm -rf example
not run
$ fwadmit fail
broken
$ fwadmit quiet
```
The end
"""


class CheckExamples(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.doc = Path(tmp.name, "doc.md")
        self.program = Path(tmp.name, "program")
        self.program.write_text(PROGRAM)
        self.program.chmod(0o755)

    def check(self, text, *options):
        self.doc.write_text(text)
        return subprocess.run([sys.executable, TOOL, *options, self.program, self.doc],
                              capture_output=True, text=True)

    def test_same(self):
        r = self.check(TEXT)
        self.assertEqual((r.returncode, r.stderr), (0, ""))

    def test_different(self):
        r = self.check(TEXT.replace("broken", "fine"))
        self.assertEqual(r.returncode, 1)
        self.assertEqual(r.stderr, f"{self.doc}:15: prints now:\nbroken\n")

    def test_missing_and_added_lines(self):
        for text in (TEXT.replace("\ntwo\n\n", "\n"), TEXT.replace("\ntwo\n\n", "\ntwo\nthree\n\n"),
                     TEXT.replace("$ fwadmit quiet\n", "$ fwadmit quiet\nnoise\n")):
            self.assertEqual(self.check(text).returncode, 1, text)

    def test_dots_stand_for_lines(self):
        for output in ("one\n...", "...\ntwo", "...", "one\n...\ntwo", "one\n\n...\ntwo"):
            self.assertEqual(self.check(TEXT.replace("one\n\ntwo", output)).returncode, 0, output)
        self.assertEqual(self.check(TEXT.replace("one\n\ntwo", "...\none")).returncode, 1)

    def test_dots_in_a_line_stand_for_text(self):
        for output in ("o...\n\ntwo", "...e\n\nt...o", "o...e...\n\n...two"):
            self.assertEqual(self.check(TEXT.replace("one\n\ntwo", output)).returncode, 0, output)
        self.assertEqual(self.check(TEXT.replace("one\n\ntwo", "o...x\n\ntwo")).returncode, 1)

    def test_daemon(self):
        daemon = self.doc.parent / "fwadmitd"
        daemon.write_text("#!/bin/sh\nfor a; do echo $a; done >${0%/*}/ran\nmkdir ${1#*=}\nexec sleep 60\n")
        daemon.chmod(0o755)
        self.program.write_text("#!/bin/sh\ncase $1 in\nstatus) [ -d ${2#*=} ] && echo '{\"devices\":[]}';;\n"
                                "state) echo $FWADMIT_STATE_DIR;;\n*) echo $1 $2;;\nesac\n")
        text = ("<!-- fwadmitd --device='a b' -->\n```console\n$ fwadmit first\nfirst --socket-dir=/.../run\n"
                "$ fwadmit state\n/.../state\n```\n")
        r = self.check(text)
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        options = (self.doc.parent / "ran").read_text().split("\n")
        self.assertRegex(options[0], "^--socket-dir=/.*/run$")
        self.assertEqual(options[2:4], ["--no-discovery", "--device=a b"])

    def test_update(self):
        r = self.check(TEXT.replace("one\n\ntwo\n", "old\n").replace("broken\n", ""), "--update")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        self.assertEqual(self.doc.read_text(), TEXT)

    def test_update_leaves_dots_alone(self):
        text = TEXT.replace("one\n\ntwo", "...\nold")
        self.assertEqual(self.check(text, "--update").returncode, 1)
        self.assertEqual(self.doc.read_text(), text)

    def test_no_examples_is_an_error(self):
        self.assertEqual(self.check("# Nothing\n").returncode, 1)


if __name__ == "__main__":
    unittest.main()
