# SPDX-License-Identifier: GPL-2.0-or-later
"""Each simulated device that lies is caught in its lie, with evidence that is as short as it can be, and the honest
ones are never accused. FWADMIT, then perhaps Liars or Honest.

FWADMIT_VERIFY_SEEDS=N tries so many seeds of each honest device, FWADMIT_VERIFY_BUDGET=N gives each campaign so many
commands, or so long ("30s"). Commands, unless said otherwise: then a slow machine tries as much.
"""
import os
import sys
import tempfile
import unittest

import matrix

FWADMIT = os.path.abspath(sys.argv.pop(1))
SEEDS = int(os.environ.get('FWADMIT_VERIFY_SEEDS', '3'))
BUDGET = os.environ.get('FWADMIT_VERIFY_BUDGET', '600000')


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        tmp = tempfile.TemporaryDirectory(prefix='fwadmit-liars-')
        self.addCleanup(tmp.cleanup)
        self.state = tmp.name

    def check(self, rows, device, *args):
        code, campaign = matrix.verify(FWADMIT, device, '--budget=' + BUDGET, *args, state=self.state)
        self.assertEqual(matrix.complaints(rows, code, campaign), [])


class Liars(Case):
    def test_each_has_its_row(self):
        self.assertEqual(sorted(matrix.table()), sorted(matrix.personalities(FWADMIT)))

    def test_caught(self):
        for rows in matrix.table().values():
            if rows[0].finding == 'none':
                continue
            with self.subTest(rows[0].device):
                self.check(rows, rows[0].device)


class Honest(Case):
    def test_never_accused(self):
        for rows in matrix.table().values():
            if rows[0].finding != 'none':
                continue
            for seed in range(SEEDS):
                with self.subTest(rows[0].device, seed=seed):
                    self.check(rows, f'{rows[0].device},seed={seed}', f'--seed={seed}')


if __name__ == '__main__':
    unittest.main()
