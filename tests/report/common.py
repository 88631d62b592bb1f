# SPDX-License-Identifier: GPL-2.0-or-later
import os
import subprocess
import sys
import tempfile
import unittest

FWADMIT = os.path.abspath(sys.argv.pop(1))


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.dir = tmp.name

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, 'wb') as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def report(self, *args, code=0, data=None):
        done = subprocess.run([FWADMIT, 'report', *args], input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, code, f'{args}: {done}')
        return done

    def page(self, text):
        """The page of the document @text, as a path and as text."""
        out = os.path.join(self.dir, 'report.html')
        done = self.report(self.file('document.json', text), '-O', out)
        self.assertEqual((done.stdout, done.stderr), (b'', b''))
        with open(out, encoding='ascii') as f:
            return out, f.read()
