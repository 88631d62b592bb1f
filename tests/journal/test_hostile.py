#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sources that write nonsense, launchers that say some: they pay alone, and the journal says so."""
import random
import unittest

from common import *

NONE, NO_DECISION = 'a record that is none', 'an outcome without its decision'


class Hostile(Case):
    def setUp(self):
        super().setUp()
        self.launcher = self.start()
        self.good = self.launcher.attach(self.ring(name='good'))
        self.launcher.begin()

    def good_still_works(self):
        self.good.wait_durable(self.good.put(CONTEXT, BODIES['context'], urgent=True))

    def finish(self, *rings, closed=0):
        self.good_still_works()
        self.launcher.detach(self.good)
        self.assertEqual(self.end(self.launcher), 0, self.log())
        return self.check([self.good, *rings], closed)

    def is_bad(self, ring, launcher=None):
        kind, token, text = (launcher or self.launcher).receive()
        self.assertEqual((kind, token), (M_BAD, ring.token))
        return text.decode()


class Rings(Hostile):
    def nonsense(self, how, kind=WORKER, closed=0, why='its ring holds nonsense'):
        """A source writes three records, then does @how(ring). The three are there, and the end is said."""
        ring = self.ring(kind, 'bad')
        for i in range(3):
            if kind == DAEMON:
                ring.put(CONTROL, BODIES['control'])
            else:
                ring.put(DECISION, BODIES['admitted'])
        sent = list(ring.sent)
        self.launcher.attach(ring)
        wait_until(lambda: ring.word(CONSUMED) == ring.produced, 'not taken')
        how(ring)
        ring.wake(True)
        self.assertEqual(self.is_bad(ring), why)
        ring.put(DECISION, BODIES['refused'])  # nothing more is taken
        ring.sent = sent
        records = self.finish(ring, closed=closed)
        end = [r for r in records if r.kind == SOURCE_END and r.body[0] == NONSENSE]
        self.assertEqual(len(end), 1)
        self.assertEqual(struct.unpack_from('<I', end[0].body, 4)[0] if len(end[0].body) > 4 else closed, closed)

    def frame(self, ring, **change):
        f = dict(kind=CONTEXT, flags=1, zero=0, counter=ring.counter + 1, body=BODIES['context']) | change
        f.setdefault('len', len(f['body']))
        head = struct.pack('<IBBHQ', f['len'], f['kind'], f['flags'], f['zero'], f['counter'])
        data = head + f['body']
        ring.raw(data.ljust(len(data) + 7 & ~7, b'\0'))

    def test_length(self):
        self.nonsense(lambda r: self.frame(r, len=1 << 20), closed=3)

    def test_gap(self):
        self.nonsense(lambda r: self.frame(r, counter=5), closed=3)

    def test_again(self):
        self.nonsense(lambda r: self.frame(r, counter=3), closed=3)

    def test_body(self):
        self.nonsense(lambda r: self.frame(r, body=b'\xff' * 40), closed=3, why=NONE)

    def test_empty_body(self):
        self.nonsense(lambda r: self.frame(r, body=b''), closed=3, why=NONE)

    def test_kinds_of_the_journal(self):
        self.nonsense(lambda r: self.frame(r, kind=START), closed=3, why=NONE)

    def test_kind_of_the_end(self):
        self.nonsense(lambda r: self.frame(r, kind=SOURCE_END, body=b'\0' * 8), closed=3, why=NONE)

    def test_unknown_kind(self):
        self.nonsense(lambda r: self.frame(r, kind=200), closed=3, why=NONE)

    def test_a_worker_does_not_govern(self):
        self.nonsense(lambda r: self.frame(r, kind=CONTROL, body=BODIES['control']), closed=3, why=NONE)

    def test_the_daemon_does_not_decide(self):
        self.nonsense(lambda r: self.frame(r, kind=DECISION, body=BODIES['refused']), kind=DAEMON, why=NONE)

    def test_outcome_of_nothing(self):
        self.nonsense(lambda r: self.frame(r, kind=OUTCOME, body=outcome(77)), closed=3, why=NO_DECISION)

    def test_outcome_of_itself(self):
        self.nonsense(lambda r: self.frame(r, kind=OUTCOME, body=outcome(4)), closed=3, why=NO_DECISION)

    def test_produced(self):
        self.nonsense(lambda r: r.set_word(PRODUCED, (1 << 64) - 8), closed=3)

    def test_second_outcome(self):
        ring = self.launcher.attach(self.ring())
        ring.put(DECISION, BODIES['admitted'])
        ring.put(OUTCOME, outcome(1))
        self.frame(ring, kind=OUTCOME, body=outcome(1))
        ring.wake(True)
        self.assertIn('outcome', self.is_bad(ring))
        self.finish(ring)

    def test_too_many_open(self):
        ring = self.launcher.attach(self.ring())
        for i in range(1024):
            ring.put_wait(DECISION, BODIES['admitted'])
        self.frame(ring, kind=DECISION, body=BODIES['admitted'])
        ring.wake(True)
        self.assertIn('too many', self.is_bad(ring))
        self.finish(ring, closed=1024)

    def test_two_that_leave_all_open(self):
        """Nothing more can be open. Others wait for that, but not for ever."""
        bad = [self.launcher.attach(self.ring(name='b%d' % i)) for i in range(2)]
        for ring in bad:
            for i in range(1024):
                ring.put_wait(DECISION, BODIES['admitted'])
        wait_until(lambda: all(r.word(CONSUMED) == r.produced for r in bad), 'not taken')
        self.good.wait_durable(self.good.put(DECISION, BODIES['admitted'], urgent=True))
        self.good.put(OUTCOME, outcome(self.good.counter))
        _, token, text = self.launcher.receive()
        self.assertIn(token, [r.token for r in bad])
        self.assertIn(b'too many', text)
        for ring in bad:
            self.launcher.detach(ring)
        self.finish(*bad, closed=2048)

    def test_nonsense_that_is_seen_at_the_end(self):
        """Its launcher, who keeps the ring until all of it is written, is told that it never will be."""
        ring = self.launcher.attach(self.ring())
        wait_until(lambda: ring.word(SLEEP, 'I') == SLEEPS, 'not asleep')
        ring.raw(b'\xff' * 64)
        self.launcher.detach(ring)
        self.assertEqual(self.is_bad(ring), 'its ring holds nonsense')
        self.finish()

    def test_words_that_change(self):
        """Random bytes in the whole page while it is used."""
        rng = random.Random(7)
        ring = self.launcher.attach(self.ring())
        for i in range(3000):
            ring.set_word(rng.choice([PRODUCED, CONSUMED, DURABLE, HEAD, TROUBLE, SLEEP, WANTS_ROOM]),
                          rng.choice([0, 8, 16, 1 << 40, (1 << 64) - 1, rng.getrandbits(64)]))
            os.eventfd_write(ring.doorbell, 1)
        ring.set_word(PRODUCED, 12)
        os.eventfd_write(ring.doorbell, 1)
        self.is_bad(ring)
        self.finish()

    def test_two_of_many(self):
        """Bad ones between good ones, all at once."""
        goods = [self.launcher.attach(self.ring(name='g%d' % i)) for i in range(20)]
        for i, ring in enumerate(goods):
            bad = self.launcher.attach(self.ring(name='b%d' % i))
            bad.raw(b'\xff' * 64)
            bad.wake(True)
            for n in range(20):
                ring.put(DECISION, BODIES['refused'])
        tokens = {self.launcher.receive()[1] for i in range(20)}
        self.assertEqual(len(tokens), 20)
        for ring in goods:
            ring.wait_durable(ring.put(CONTEXT, BODIES['context'], urgent=True))
            self.launcher.detach(ring)
        self.finish(*goods)


class Launchers(Hostile):
    def closes(self, launcher):
        with self.assertRaises((ConnectionResetError, BrokenPipeError)):
            launcher.receive()

    def test_no_messages(self):
        rng = random.Random(3)
        for data in [b'x', b'\0' * 8, message(M_READY, 1, b'hi'), message(M_FAILED, 0, b'\1\0\0\0'), message(99),
                     message(M_DETACH), message(M_DETACH, 1, b'\7'), message(M_BEGIN, 0, b'x'), b'y' * 4000,
                     message(M_OBJECT, 1, b'\1' + bytes(96)), message(M_SOURCE, 1, bytes(345)),
                     *(rng.randbytes(rng.randrange(1, 600)) for i in range(50))]:
            other = self.join().ready()
            other.sock.send(data)
            self.closes(other)
            other.close()
        self.finish()

    def test_descriptors_where_none_belong(self):
        for n in range(1, 4):
            other = self.join().ready()
            socket.send_fds(other.sock, [message(M_BEGIN)], [self.good.ack] * n)
            self.closes(other)
        self.finish()

    def test_memory_that_is_none(self):
        for how in dict(seals=0), dict(seals=SEAL_GROW), dict(length=RING_LEN + 4096):
            ring = self.launcher.attach(self.ring(**how))
            self.is_bad(ring)
        # Something else instead of memory and eventfds
        ring = self.ring()
        ring.memory, ring.doorbell = ring.doorbell, ring.memory
        self.launcher.attach(ring)
        self.is_bad(ring)
        self.finish()

    def test_twice(self):
        again = self.ring()
        again.id = self.good.id
        self.launcher.attach(again)
        self.assertIn('exists', self.is_bad(again))
        other = self.join().ready()
        other.attach(again)
        self.is_bad(again, other)
        other.close()
        self.launcher.tokens -= 2
        ring = self.launcher.attach(self.ring())  # the token of the good one
        self.is_bad(ring)
        self.finish()

    def test_the_sources_of_another(self):
        """What one connection says is about its own sources."""
        other = self.join().ready()
        other.detach(self.good)
        other.close()
        self.finish()

    def test_one_that_does_not_read(self):
        other = self.join().ready()
        for i in range(2000):
            try:
                other.sock.settimeout(1)
                other.attach(self.good)
            except (BrokenPipeError, ConnectionResetError, TimeoutError):
                break
        self.finish()

    def test_too_many_sources(self):
        rings = [self.launcher.attach(self.ring()) for i in range(260)]
        bad = [self.launcher.receive() for i in range(5)]
        self.assertEqual([b[1] for b in bad], [r.token for r in rings[-5:]])
        for ring in rings[:255]:
            self.launcher.detach(ring)
        self.finish()

    def test_many_connections(self):
        others = []
        for i in range(300):
            try:
                others.append(self.join().ready())
            except ConnectionResetError:
                break
        self.assertEqual(len(others), 255)
        for o in others:
            o.close()
        self.finish()


if __name__ == '__main__':
    unittest.main()
