#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The power is cut at any step of fwadmit-journald: what it does is recorded, and each state that the disk can
be in after each step is tried. FWADMIT-JOURNALD, RECORD-BODIES, CRASH and RECORD.SO as arguments."""
import os
import sys
import unittest

RECORDER, CRASH = map(os.path.abspath, (sys.argv.pop(), sys.argv.pop()))

from common import *  # noqa: E402: takes the other arguments


class Crash(Case):
    def record(self):
        trace = os.path.join(self.base, 'trace')
        if not os.path.exists(trace):
            with open(trace, 'wb') as f:
                f.truncate(1 << 28)
        env = dict(os.environ, LD_PRELOAD=RECORDER, RECORD_TRACE=trace,
                   RECORD_RINGS=','.join('/proc/%d/fd/%d' % (os.getpid(), r.memory) for r in self.rings))
        launcher = self.start('--segment=8192', '--size=300000', env=env)
        for ring in self.rings:
            launcher.attach(ring)
        return launcher.begin()

    def work(self, steps):
        """Each source with effects that somebody waits for, reads that nobody does, and what stays open."""
        for i in range(steps):
            for n, ring in enumerate(self.rings):
                if (i + n) % 3:
                    ring.put(DECISION, BODIES['refused'])
                opened = ring.put(DECISION, BODIES['admitted'], urgent=True)
                if i % 4 == n:
                    ring.put(CONTEXT, BODIES['context'])
                if i % 5 != n:
                    ring.put(OUTCOME, outcome(opened))
            if i % 3 == 0:
                self.rings[i % 2].wait_durable(self.rings[i % 2].counter - 1)

    def test_power_is_cut(self):
        self.rings = [self.ring(name='dev%d' % n) for n in range(3)]
        for _ in range(4):
            launcher = self.record()
            self.work(40)
            last = self.rings[0].put(DECISION, BODIES['refused'], urgent=True)
            self.rings[0].wait_durable(last)
            self.rings[1].put(DECISION, BODIES['admitted'], urgent=True)
            launcher.process.kill()
            launcher.process.wait()
            launcher.close()
        told = b''
        for ring in self.rings:
            told += ring.id + struct.pack('<Q', len(ring.sent))
            told += b''.join(bytes([kind]) + hashlib.sha256(body).digest() for kind, body in ring.sent)
        with open(os.path.join(self.base, 'told'), 'wb') as f:
            f.write(told)
        p = subprocess.run([CRASH, os.path.join(self.base, 'trace'), f.name, self.dir], capture_output=True, text=True)
        print(p.stdout)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)


if __name__ == '__main__':
    unittest.main()
