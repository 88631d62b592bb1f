# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/findings: each evidence file happens again on QEMU's device, and on an honest one it does not.

FWADMIT and the folder are the arguments. FWADMIT_QEMU names a QEMU to be used, as for the qtest tests.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

FWADMIT = os.path.abspath(sys.argv.pop(1))
FINDINGS = sorted(pathlib.Path(sys.argv.pop(1)).glob('*.json'))
QEMU = os.environ.get('FWADMIT_QEMU') or shutil.which('qemu-system-x86_64')


def version():
    if not QEMU:
        return 0
    said = subprocess.run([QEMU, '--version'], capture_output=True, text=True, timeout=60).stdout
    found = re.search(r'version (\d+)\.', said)
    return int(found[1]) if found else 0


class Findings(unittest.TestCase):
    def replay(self, device, path):
        done = subprocess.run([FWADMIT, 'verify', device, f'--replay={path}'], capture_output=True, text=True,
                              timeout=240)
        self.assertIn(done.returncode, (0, 8), done.stderr)
        return done.returncode, done.stdout

    def test_there_are_some(self):
        self.assertTrue(FINDINGS)
        listed = (FINDINGS[0].parent / 'README.md').read_text()
        for path in FINDINGS:
            self.assertIn(f']({path.name})', listed)

    @unittest.skipUnless(version() >= 10, 'needs QEMU 10')
    def test_they_happen_again(self):
        for path in FINDINGS:
            with self.subTest(path.name):
                spec = json.loads(path.read_text())['device']['spec']
                status, said = self.replay(f'{spec},qemu={QEMU}', path)
                self.assertEqual(status, 8, said)
                self.assertIn('it happens here, too', said)

    def test_not_on_an_honest_device(self):
        for path in FINDINGS:
            if json.loads(path.read_text())['device']['family'] != 'cxl':
                continue  # what is simulated speaks CXL
            with self.subTest(path.name):
                status, said = self.replay('sim:honest', path)
                self.assertEqual(status, 0, said)
                self.assertIn('it does not happen here', said)
                self.assertIn('not the one that the evidence is about', said)


if __name__ == '__main__':
    unittest.main()
