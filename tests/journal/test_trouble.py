#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fwadmit-journald is killed anywhere, and its disk fails: nothing is lost, nothing is there twice."""
import ctypes
import errno
import random
import resource
import threading
import unittest

from common import *

STRACE = shutil.which('strace')
FAIL_AT = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].endswith('.so') else None


class Producer(threading.Thread):
    """Puts decisions and their outcomes into a ring until told to stop; remembers what it saw durable."""

    def __init__(self, ring, rng, urgent=0.2):
        super().__init__(daemon=True)
        self.ring, self.rng, self.urgent, self.stopped = ring, rng, urgent, False
        self.seen = {}

    def put(self, kind, body, urgent=False):
        while not self.stopped:
            n = self.ring.put(kind, body, urgent)
            if n:
                return n
            time.sleep(0.002)
        return 0

    def run(self):
        while not self.stopped:
            urgent = self.rng.random() < self.urgent
            n = self.put(DECISION, BODIES['admitted'], urgent)
            while n and urgent and not self.stopped and self.ring.durable() < n:
                time.sleep(0.0005)
            if n and urgent and self.ring.durable() >= n:
                self.seen[n] = self.ring.receipt(n)
            if n:
                self.ring.put(OUTCOME, outcome(n))
                time.sleep(self.rng.choice([0, 0, 0.0005]))

    def stop(self):
        self.stopped = True
        self.join()


class Trouble(Case):
    def check_seen(self, records, producers):
        """What was said to be durable has the number that was said."""
        by_source = sources(records)
        for p in producers:
            numbers = {r.counter: r.seq for r in by_source[p.ring.id] if r.counter}
            for counter, seq in p.seen.items():
                self.assertIn(seq, (numbers[counter], 0))

    def open_at_end(self, rings):
        """Decisions without an outcome in what was put in."""
        n = 0
        for ring in rings:
            opened = {i + 1 for i, (kind, body) in enumerate(ring.sent)
                      if kind == DECISION and body == BODIES['admitted']}
            closed = {i for i in opened if (OUTCOME, outcome(i)) in ring.sent[i:i + 3]}
            n += len(opened - closed)
        return n

    def producers(self, n, seed):
        made = [Producer(self.ring(name='dev%d' % i), random.Random(seed * 100 + i)) for i in range(n)]
        for p in made:
            self.addCleanup(p.stop)
        return made


class Killed(Trouble):
    def again(self, producers, *args, **how):
        launcher = self.start('--segment=131072', *args, **how)
        for p in producers:
            launcher.attach(p.ring)
        return launcher.begin()

    def finish(self, launcher, producers):
        for p in producers:
            p.stop()
            launcher.detach(p.ring, LOST)
        self.assertEqual(self.end(launcher), 0, self.log())
        rings = [p.ring for p in producers]
        records = self.check(rings, closed=self.open_at_end(rings))
        self.check_seen(records, producers)
        self.assertEqual(len({r.refers for r in records if r.refers}), sum(1 for r in records if r.refers))
        return records

    def test_at_any_time(self):
        rng = random.Random(11)
        producers = self.producers(4, 1)
        launcher = self.again(producers)
        for p in producers:
            p.start()
        for i in range(25):
            time.sleep(rng.uniform(0, 0.06))
            self.end(launcher, signal.SIGKILL)
            launcher = self.again(producers)
        wait_until(lambda: len(segments(self.dir)) > 1, 'no second segment')
        records = self.finish(launcher, producers)
        self.assertGreater(sum(1 for r in records if r.kind == START), 20)

    @unittest.skipUnless(STRACE, 'needs strace')
    def test_at_each_call(self):
        """Killed in its Nth call of each kind that changes files, or that tells of it."""
        producers = self.producers(2, 2)
        for p in producers:
            p.start()
        killed = 0
        for call in 'pwrite64', 'fdatasync', 'fsync', 'openat', 'write', 'sendmsg', 'epoll_wait':
            for when in 1, 2, 4, 9, 20:
                trace = [STRACE, '-qq', '-o', '/dev/null', '-e', 'trace=' + call, '-e',
                         'inject=%s:signal=SIGKILL:when=%d' % (call, when)]
                launcher = self.spawn('--segment=131072', prefix=trace)
                try:
                    for p in producers:
                        launcher.attach(p.ring)
                    launcher.begin()
                    launcher.process.wait(0.2)
                    killed += 1
                except (BrokenPipeError, ConnectionResetError):
                    killed += 1
                except subprocess.TimeoutExpired:
                    self.kill_traced(launcher.process)
                launcher.close()
                launcher.process.wait(DEADLINE)
        self.assertGreater(killed, 12)
        self.finish(self.again(producers), producers)

    @staticmethod
    def kill_traced(tracer):
        """The program that @tracer runs, and with that @tracer; it may have come only to the children before that."""
        def is_over():
            try:
                with open('/proc/%d/task/%d/children' % (tracer.pid, tracer.pid)) as f:
                    for pid in f.read().split():
                        os.kill(int(pid), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                pass
            return tracer.poll() is not None
        wait_until(is_over, 'strace goes on')

    def test_nobody_claims(self):
        """A launcher died with its journald: what it has left open is unknown, two seconds after the next came."""
        launcher = self.start()
        ring = launcher.attach(self.ring())
        for i in range(5):
            ring.put(DECISION, BODIES['admitted'])
        ring.wait_durable(ring.put(OUTCOME, outcome(3), urgent=True))
        self.end(launcher, signal.SIGKILL)
        launcher = self.start().begin()
        begin = time.monotonic()
        wait_until(lambda: any(r.kind == SOURCE_END for r in read_log_in_use(self.dir)), 'not ended')
        self.assertGreater(time.monotonic() - begin, 1)
        self.assertEqual(self.end(launcher), 0)
        self.check([ring], closed=4)

    def test_the_second_claims_later(self):
        first = self.start()
        second = self.join().ready()
        a, b = first.attach(self.ring()), second.attach(self.ring())
        for ring in a, b:
            ring.wait_durable(ring.put(DECISION, BODIES['admitted'], urgent=True))
        self.end(first, signal.SIGKILL)
        first = self.start()
        first.attach(a)
        first.begin()
        a.wait_durable(a.put(OUTCOME, outcome(1), urgent=True))
        first.detach(a)
        first.close()  # it waits: there is one left that was not claimed
        time.sleep(0.3)
        second = self.join().ready()
        second.attach(b)
        second.begin()
        b.wait_durable(b.put(OUTCOME, outcome(1), urgent=True))
        second.detach(b)
        second.close()
        self.assertEqual(first.process.wait(DEADLINE), 0)
        self.check([a, b])

    def test_ended_while_it_is_killed(self):
        """A source that has ended: its launcher attaches it again as long as its ring holds something."""
        rng = random.Random(5)
        rings = []
        for i in range(25):
            launcher = self.start()
            ring = self.ring()
            rings.append(ring)
            for n in range(rng.randrange(1, 300)):
                ring.put(DECISION, BODIES['refused'])
            launcher.attach(ring)
            launcher.begin()
            launcher.detach(ring)
            time.sleep(rng.uniform(0, 0.004))
            self.end(launcher, signal.SIGKILL)
            while ring.word(CONSUMED) != ring.produced:
                launcher = self.start()
                launcher.attach(ring)
                launcher.begin()
                launcher.detach(ring)
                wait_until(lambda: ring.word(CONSUMED) == ring.produced, 'not drained')
                self.end(launcher, signal.SIGKILL)
        self.assertEqual(self.end(self.start()), 0)
        self.check(rings)


class Disk(Trouble):
    def run_in_trouble(self, launcher, error, relieve=None):
        """Producers go on through trouble; when it is relieved all is there."""
        producers = self.producers(3, 3)
        for p in producers:
            launcher.attach(p.ring)
        launcher.begin()
        for p in producers:
            p.start()
        saw = wait_until(lambda: producers[0].ring.word(TROUBLE, 'I'), 'no trouble')
        self.assertEqual(saw, error)
        if relieve:
            late = launcher.attach(self.ring())  # one that comes in the middle of it is told
            wait_until(lambda: late.word(TROUBLE, 'I'), 'not told')
            time.sleep(0.3)
            self.assertTrue(producers[1].ring.word(TROUBLE, 'I'))
            relieve()
        wait_until(lambda: not any(p.ring.word(TROUBLE, 'I') for p in producers), 'trouble stays')
        time.sleep(0.2)
        for p in producers:
            p.stop()
            p.ring.wait_durable(p.ring.put(CONTEXT, BODIES['context'], urgent=True))
            launcher.detach(p.ring, LOST)
        launcher.close()
        self.assertEqual(launcher.process.wait(DEADLINE), 0)
        rings = [p.ring for p in producers]
        records = self.check(rings, closed=self.open_at_end(rings))
        self.check_seen(records, producers)
        self.assertIn('nothing is lost', self.log())
        return records

    def test_a_full_file_system(self):
        if os.getuid():
            self.skipTest('needs root')
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b'tmpfs', self.dir.encode(), b'tmpfs', 0, b'size=400k,mode=700') < 0:
            self.skipTest('may not mount')
        self.addCleanup(libc.umount2, self.dir.encode(), 2)

        def grow():
            self.assertEqual(libc.mount(b'tmpfs', self.dir.encode(), b'tmpfs', 32, b'size=100m,mode=700'), 0)
        self.run_in_trouble(self.start(), errno.ENOSPC, grow)

    def test_a_limit(self):
        """No file may be longer: the next one begins."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (200000, resource.RLIM_INFINITY))
        self.run_in_trouble(self.start(preexec=limit), errno.EFBIG)
        self.assertGreater(len(segments(self.dir)), 1)

    def failing(self, fault):
        if not FAIL_AT:
            self.skipTest('nothing can be preloaded')
        return self.start(env=dict(os.environ, LD_PRELOAD=FAIL_AT, FAIL_AT=fault))

    def test_a_sync_that_fails(self):
        self.run_in_trouble(self.failing('fdatasync 9 9 5'), errno.EIO)
        self.assertEqual(len(segments(self.dir)), 2)  # the file that failed is not written to again

    def test_syncs_that_fail_again_and_again(self):
        self.run_in_trouble(self.failing('fdatasync 9 11 -5'), errno.EIO)
        self.assertGreater(len(segments(self.dir)), 1)

    def test_writes_that_fail(self):
        self.run_in_trouble(self.failing('write 20 25 28'), errno.ENOSPC)

    def test_writes_that_fail_again_and_again(self):
        self.run_in_trouble(self.failing('write 20 22 -5'), errno.EIO)

    def test_killed_in_trouble(self):
        """The disk is full and the writer is killed: what the rings have is there in the end."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (200000, resource.RLIM_INFINITY))
        producers = self.producers(3, 4)
        for p in producers:
            p.start()
        for i in range(3):
            launcher = self.spawn(preexec=limit)
            try:
                for p in producers:
                    launcher.attach(p.ring)
                launcher.begin()
            except (BrokenPipeError, ConnectionResetError):
                pass  # it could not even begin
            time.sleep(0.7)
            self.end(launcher, signal.SIGKILL)
        launcher = self.start()
        for p in producers:
            launcher.attach(p.ring)
        launcher.begin()
        for p in producers:
            p.stop()
            launcher.detach(p.ring, LOST)
        self.assertEqual(self.end(launcher), 0)
        rings = [p.ring for p in producers]
        self.check_seen(self.check(rings, closed=self.open_at_end(rings)), producers)


if __name__ == '__main__':
    unittest.main()
