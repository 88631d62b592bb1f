#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that start the journal's writer or join another one's, while it comes and goes."""
import unittest

from common import *

LAUNCH = os.path.abspath(sys.argv.pop(1))


class Launch(Case):
    def run_many(self, n, times, records, **env):
        started = [subprocess.Popen([LAUNCH, self.dir, str(times), str(records)], stdout=subprocess.PIPE, text=True,
                                    stderr=subprocess.PIPE, env=dict(os.environ, FWADMIT_JOURNALD=JOURNALD, **env))
                   for i in range(n)]
        lines = []
        for p in started:
            out, err = p.communicate(timeout=120)
            self.assertEqual((p.returncode, err), (0, ''))
            lines += [line.split() for line in out.splitlines()]
        return lines

    def is_over(self):
        """The last writer has ended: the lock can be had."""
        with open(os.path.join(self.dir, 'lock')) as f:
            def free():
                try:
                    fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return True
                except BlockingIOError:
                    return False
            wait_until(free, 'a writer is left')

    def check_all(self, lines, records):
        self.is_over()
        found = sources(read_log(self.dir))
        self.assertEqual(len(found), len(lines))
        for name, _ in lines:
            own = [r.counter for r in found[bytes.fromhex(name)] if r.counter]
            self.assertEqual(own, list(range(1, records + 1)))

    def test_one_after_the_other(self):
        lines = self.run_many(1, 15, 3)
        self.check_all(lines, 3)

    def test_many_at_once(self):
        """Each comes while others go: somebody starts one, the others join, until all have gone, and again."""
        lines = self.run_many(6, 15, 5)
        self.assertEqual(len(lines), 90)
        self.check_all(lines, 5)
        joined = sum(started == '0' for _, started in lines)
        self.assertGreater(joined, 10)
        self.assertGreater(len(lines) - joined, 0)

    def test_the_folder_is_made(self):
        self.dir = os.path.join(self.base, 'a', 'b', 'journal')
        self.run_many(1, 1, 1)
        self.assertEqual(os.stat(self.dir).st_mode & 0o7777, 0o700)
        self.is_over()

    def test_no_program(self):
        p = subprocess.run([LAUNCH, self.dir, '1', '1'], capture_output=True, text=True,
                           env=dict(os.environ, FWADMIT_JOURNALD='/nowhere/x'))
        self.assertEqual((p.returncode, p.stderr), (1, 'launch: start: No such file or directory\n'))

    def test_one_that_cannot_begin(self):
        with open(os.path.join(self.dir, 'key'), 'w') as f:
            f.write('no key')
        p = subprocess.run([LAUNCH, self.dir, '1', '1'], capture_output=True, text=True,
                           env=dict(os.environ, FWADMIT_JOURNALD=JOURNALD))
        self.assertEqual(p.returncode, 1)
        self.assertIn('/key: ', p.stderr)

    def test_one_that_ends_without_a_word(self):
        p = subprocess.run([LAUNCH, self.dir, '1', '1'], capture_output=True, text=True,
                           env=dict(os.environ, FWADMIT_JOURNALD='/bin/true'))
        self.assertEqual((p.returncode, p.stderr), (1, 'launch: start: Connection reset by peer\n'))


if __name__ == '__main__':
    unittest.main()
