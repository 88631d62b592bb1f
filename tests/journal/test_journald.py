#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fwadmit-journald as launchers see it."""
import unittest

from common import *


class Life(Case):
    def test_a_ring_becomes_a_log(self):
        launcher = self.start()
        ring = launcher.attach(self.ring())
        launcher.begin()
        for i in range(10):
            ring.put(DECISION, BODIES['admitted'])
            ring.put(OUTCOME, outcome(ring.counter))
        last = ring.put(DECISION, BODIES['refused'], urgent=True)
        seq = ring.wait_durable(last)
        launcher.detach(ring)
        self.assertEqual(self.end(launcher), 0)
        records = self.check([ring])
        self.assertIn(START, [r.kind for r in records[:2]])
        self.assertEqual(next(r.seq for r in records if r.counter == last), seq)
        self.assertEqual([r.kind for r in records[-2:]], [SOURCE_END, CHECKPOINT])
        self.assertEqual(records[-2].body[0], ORDERLY)
        self.assertFalse(os.path.exists(os.path.join(self.dir, 'socket')))


if __name__ == '__main__':
    unittest.main()
