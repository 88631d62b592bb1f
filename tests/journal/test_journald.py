#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fwadmit-journald as launchers see it."""
import errno
import resource
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

    def test_modes(self):
        launcher = self.start()
        launcher.close()
        self.assertEqual(launcher.process.wait(DEADLINE), 0)
        modes = {n: oct(os.stat(os.path.join(self.dir, n)).st_mode & 0o777) for n in os.listdir(self.dir)}
        self.assertEqual(modes.pop('key'), '0o600')
        self.assertEqual(modes.pop('lock'), '0o600')
        self.assertEqual({m for n, m in modes.items() if n.endswith('.fwj')}, {'0o640'})

    def lost(self, launcher, ring, *words, told=True):
        for i in range(2):
            ring.put(DECISION, BODIES['refused'])
        for i, n in enumerate(words):
            ring.set_word(LOST_WORDS + 8 * i, n)
        if told:
            ring.counter += 1
            ring.sent.append((UNRECORDED, struct.pack('<4Q', *words)))
        launcher.detach(ring, LOST)
        wait_until(lambda: not ring.word(LOST_WORDS) and not ring.word(LOST_WORDS + 8), 'not taken back')

    def test_what_is_lost_is_told_when_its_source_ends(self):
        launcher = self.start()
        rings = [launcher.attach(self.ring(name='d%d' % i)) for i in range(4)]
        launcher.begin()
        self.lost(launcher, rings[0], 7, 0, 10, 20)
        self.lost(launcher, rings[1], 0, 1, 5, 5)
        self.lost(launcher, rings[2], 0, 0, 5, 6, told=False)
        self.lost(launcher, rings[3], 3, 3, 8, 7, told=False)  # which is no record
        self.assertEqual(self.end(launcher), 0)
        self.check(rings)

    def refuses(self, why):
        launcher = self.spawn()
        kind, _, data = launcher.receive()
        self.assertEqual((kind, struct.unpack_from('<I', data)[0]), (M_FAILED, errno.EPERM))
        self.assertIn(why, data)
        self.assertEqual(launcher.process.wait(DEADLINE), 1)

    def test_a_folder_of_others(self):
        for mode in 0o770, 0o707:
            os.chmod(self.dir, mode)
            self.refuses(b'may write')
        os.chmod(self.dir, 0o755)
        if os.getuid() == 0:
            os.chown(self.dir, 65534, 65534)
            self.refuses(b'may write')
            os.chown(self.dir, 0, 0)
        self.assertEqual(os.listdir(self.dir), [])
        self.assertEqual(self.end(self.start()), 0)

    def test_a_key_of_others(self):
        self.end(self.start())
        key = os.path.join(self.dir, 'key')
        for mode in 0o604, 0o620:
            os.chmod(key, mode)
            self.refuses(b'/key')
        os.chmod(key, 0o400)
        if os.getuid() == 0:
            os.chown(key, 65534, 65534)
            self.refuses(b'/key')
            os.chown(key, 0, 0)
        self.assertEqual(self.end(self.start()), 0)

    def test_two_launchers_share_one(self):
        first = self.start()
        second = self.spawn()
        kind, _, data = second.receive()
        self.assertEqual((kind, struct.unpack_from('<I', data)[0]), (M_FAILED, errno.EWOULDBLOCK))
        self.assertEqual(second.process.wait(DEADLINE), 1)
        second = self.join().ready()
        a, b = first.attach(self.ring()), second.attach(self.ring())
        first.begin()
        for ring in a, b:
            ring.wait_durable(ring.put(CONTEXT, BODIES['context'], urgent=True))
        first.detach(a)
        first.close()
        b.wait_durable(b.put(CONTEXT, BODIES['context'], urgent=True))
        self.assertIsNone(first.process.poll())
        second.detach(b)
        second.close()
        self.assertEqual(first.process.wait(DEADLINE), 0)
        self.check([a, b])

    def test_signals_do_not_end_it(self):
        launcher = self.start()
        ring = launcher.attach(self.ring())
        for sig in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
            launcher.process.send_signal(sig)
        ring.wait_durable(ring.put(CONTEXT, BODIES['context'], urgent=True))
        launcher.detach(ring)
        self.assertEqual(self.end(launcher), 0)
        self.check([ring])

    def test_a_launcher_that_died(self):
        """Its worker ends a little later. What it put in until then is in the journal; what is open is not known."""
        worker = subprocess.Popen(['sleep', '1000'])
        self.addCleanup(worker.wait)
        self.addCleanup(worker.kill)
        launcher = self.start()
        ring = launcher.attach(self.ring(), pid=worker.pid)
        quiet = launcher.attach(self.ring(), pid=0)
        for i in range(3):
            ring.put(DECISION, BODIES['admitted'])
        ring.put(OUTCOME, outcome(2))
        time.sleep(0.3)
        launcher.close()
        time.sleep(0.03)
        quiet.put(DECISION, BODIES['refused'])
        time.sleep(0.3)
        ring.put(DECISION, BODIES['admitted'])
        worker.kill()
        worker.wait()
        self.assertEqual(launcher.process.wait(DEADLINE), 0)
        records = self.check([ring, quiet], closed=3)
        made = [r for r in records if r.kind == OUTCOME and not r.counter]
        opened = {r.seq: r.counter for r in records if r.kind == DECISION}
        self.assertEqual([opened[r.refers] for r in made], [1, 3, 5])
        ends = {r.source: r.body[0] for r in records if r.kind == SOURCE_END}
        self.assertEqual(ends[made[0].source], LOST)
        self.assertEqual(sorted(ends.values()), [ORDERLY, LOST])

    def test_a_stranger_may_not_join(self):
        if os.getuid():
            self.skipTest('needs root')
        launcher = self.start()
        for path, mode in (self.base, 0o755), (self.dir, 0o755), (os.path.join(self.dir, 'socket'), 0o666):
            os.chmod(path, mode)
        script = ('import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET);'
                  's.connect(sys.argv[1]); print(len(s.recv(100)))')
        said = subprocess.run([sys.executable, '-c', script, os.path.join(self.dir, 'socket')], text=True,
                              capture_output=True).stdout
        self.assertEqual(said, '0\n')
        self.assertEqual(self.end(launcher), 0)

    def ends_in_order(self, launcher):
        """And says so last, whatever else came behind that."""
        self.assertEqual(self.end(launcher), 0)
        last = read_log(self.dir)[-1]
        self.assertEqual((last.kind, last.body[CHECKPOINT_WHY]), (CHECKPOINT, STOP))

    def test_the_end_hands_a_segment_over(self):
        launcher = self.start('--segment=65536')
        ring = launcher.attach(self.ring())
        for i in range(400):
            ring.put(DECISION, BODIES['refused'])
        launcher.detach(ring)
        self.ends_in_order(launcher)
        self.assertEqual(len(segments(self.dir)), 2)
        self.check([ring])

    def test_the_end_hands_over_once(self):
        """Where a segment has no room for how it ends it ends nevertheless."""
        launcher = self.start('--segment=1')
        ring = launcher.attach(self.ring())
        ring.put(DECISION, BODIES['refused'])
        launcher.detach(ring)
        self.ends_in_order(launcher)
        self.check([ring])

    def test_the_end_retires_a_segment(self):
        launcher = self.start('--segment=65536', '--age=3')
        objects = os.path.join(self.dir, 'objects')
        os.mkdir(objects)
        open(os.path.join(objects, 64 * '0'), 'w').close()
        ring = launcher.attach(self.ring())
        for i in range(400):
            ring.put(DECISION, BODIES['refused'])
        for i in range(2):
            ring.wait_durable(ring.put(CONTEXT, BODIES['context'], urgent=True))
        # Until nothing is to be done any more, but to see that the first one is too old.
        handed_over = time.time()
        wait_until(lambda: not os.listdir(objects), 'not swept')
        time.sleep(max(0, handed_over + 3.1 - time.time()))
        launcher.detach(ring)
        self.ends_in_order(launcher)
        self.assertEqual(len(segments(self.dir)), 1)

    def test_a_path_of_any_length(self):
        self.dir = os.path.join(self.dir, *['x' * 100] * 5)
        os.makedirs(self.dir)
        launcher = self.start()
        ring = launcher.attach(self.ring())
        ring.wait_durable(ring.put(CONTEXT, BODIES['context'], urgent=True))
        launcher.detach(ring)
        self.assertEqual(self.end(launcher), 0)
        self.check([ring])

    def test_by_hand(self):
        for args in [], ['--dir=' + self.dir], ['--dir=/nowhere', '--control-fd=1'], ['--size=x']:
            p = subprocess.run([JOURNALD, *args], capture_output=True, text=True)
            self.assertEqual(p.returncode, 2)

    def test_it_says_why_it_cannot_begin(self):
        os.rmdir(self.dir)
        launcher = self.spawn()
        kind, _, data = launcher.receive()
        self.assertEqual((kind, struct.unpack_from('<I', data)[0]), (M_FAILED, errno.ENOENT))
        self.assertIn(b'No such file', data)
        self.assertEqual(launcher.process.wait(DEADLINE), 1)
        os.mkdir(self.dir)
        with open(os.path.join(self.dir, 'key'), 'w') as f:
            f.write('no key')
        os.chmod(f.name, 0o600)
        kind, _, data = self.spawn().receive()
        self.assertEqual(kind, M_FAILED)
        self.assertIn(b'/key: ', data)


class Objects(Case):
    def objects(self):
        return [r for r in read_log_in_use(self.dir) if r.kind == OBJECT]

    def test_kept(self):
        """They are on disk, under the name of their digest, before a decision that came after them."""
        launcher = self.start()
        datas = [b'a policy', b'', b'x' * 3000000]
        for i, data in enumerate(datas):
            fd = sealed(data)
            launcher.object(fd, key=bytes([i] * 32))
            os.close(fd)
        ring = launcher.attach(self.ring())
        seq = ring.wait_durable(ring.put(DECISION, BODIES['refused'], urgent=True))
        found = self.objects()
        self.assertEqual(len(found), 3)
        for i, (data, r) in enumerate(zip(datas, found)):
            digest = hashlib.sha256(data)
            self.assertLess(r.seq, seq)
            self.assertIn(digest.digest(), r.body)
            self.assertIn(bytes([i] * 32), r.body)
            with open(os.path.join(self.dir, 'objects', digest.hexdigest()), 'rb') as f:
                self.assertEqual(f.read(), data)
        launcher.detach(ring)
        self.assertEqual(self.end(launcher), 0)

    def test_not_kept(self):
        """What can still change, or is no memory, or too much; and it harms nobody."""
        launcher = self.start()
        for fd in (sealed(b'x', seals=SEAL_SHRINK | SEAL_GROW), os.open('/dev/zero', os.O_RDONLY), os.pipe()[0]):
            launcher.object(fd)
            os.close(fd)
        big = os.memfd_create('big', os.MFD_ALLOW_SEALING)
        os.ftruncate(big, (64 << 20) + 1)
        fcntl.fcntl(big, F_ADD_SEALS, SEAL_SHRINK | SEAL_GROW | SEAL_WRITE)
        launcher.object(big)
        os.close(big)
        ring = launcher.attach(self.ring())
        ring.wait_durable(ring.put(CONTEXT, BODIES['context'], urgent=True))
        self.assertEqual(self.objects(), [])
        launcher.detach(ring)
        self.assertEqual(self.end(launcher), 0)

    def test_named_in_each_segment(self):
        """As long as whoever sent it is there; a policy that was replaced, once more. And then they go."""
        launcher = self.start('--segment=65536', '--size=1000000')
        objects = [(b'profile', 1, b''), (b'old', 2, b'dev0'), (b'new', 2, b'dev0'), (b'other', 2, b'dev1')]
        for data, kind, device in objects:
            fd = sealed(data)
            launcher.object(fd, kind=kind, device=device, key=data.ljust(32, b'\0'))
            os.close(fd)
        ring = launcher.attach(self.ring())

        def fill(until):
            end = time.monotonic() + DEADLINE
            while until() and time.monotonic() < end:
                ring.wait_durable(ring.put(CONTEXT, BODIES['context'], urgent=True))
                for i in range(100):
                    ring.put_wait(DECISION, BODIES['refused'])

        def kept():
            return {name for name in ('profile', 'old', 'new', 'other') if os.path.exists(
                os.path.join(self.dir, 'objects', hashlib.sha256(name.encode()).hexdigest()))}
        fill(lambda: len(segments(self.dir)) < 4)
        named = self.objects()
        names = [int(n[:16], 16) for n in segments(self.dir)] + [1 << 63]
        found = [{d for d, _, _ in objects if any(d.ljust(32, b'\0') in r.body for r in named if first <= r.seq < end)}
                 for first, end in zip(names, names[1:])]
        self.assertEqual(found[0], {b'profile', b'old', b'new', b'other'})
        self.assertEqual(found[2], {b'profile', b'new', b'other'})
        self.assertEqual(kept(), {'profile', 'old', 'new', 'other'})
        fill(lambda: 'old' in kept())
        self.assertEqual(kept(), {'profile', 'new', 'other'})
        launcher.detach(ring)
        self.assertEqual(self.end(launcher), 0)

    def test_tried_again(self):
        """There is no room for it: decisions go on, it comes when there is."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
        launcher = self.start(preexec=limit)
        fd = sealed(b'x' * 3000000)
        launcher.object(fd)
        os.close(fd)
        ring = launcher.attach(self.ring())
        ring.wait_durable(ring.put(CONTEXT, BODIES['context'], urgent=True))
        self.assertEqual(self.objects(), [])
        resource.prlimit(launcher.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        wait_until(self.objects, 'not kept')
        launcher.detach(ring)
        self.assertEqual(self.end(launcher), 0)

    def test_as_many_as_there_may_be(self):
        """Sources, and objects that cannot be written, all at once: there are descriptors for all of them."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
            resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if 0 <= hard < 4096:
            self.skipTest('fewer descriptors than journald wants')
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard) if hard > 0 else 4096, hard))
        launcher = self.start(preexec=limit)
        large, small = sealed(b'x' * 3000000), sealed(b'small')
        launcher.object(large)
        rings = [launcher.attach(self.ring()) for i in range(250)]
        for i in range(900):
            launcher.object(small, key=struct.pack('<I28x', i + 1))
        rings[-1].wait_durable(rings[-1].put(CONTEXT, BODIES['context'], urgent=True))
        for fd in large, small:
            os.close(fd)
        resource.prlimit(launcher.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        wait_until(lambda: len(self.objects()) == 901, 'not kept')
        for ring in rings:
            launcher.detach(ring)
        self.assertEqual(self.end(launcher), 0)


class Time(Case):
    def switches(self, process):
        with open('/proc/%d/status' % process.pid) as f:
            return int(next(line for line in f if line.startswith('voluntary')).split()[1])

    def test_idle_is_idle(self):
        launcher = self.start()
        ring = launcher.attach(self.ring())
        ring.wait_durable(ring.put(CONTEXT, BODIES['context'], urgent=True))
        wait_until(lambda: read_log_in_use(self.dir)[-1].kind == CHECKPOINT, 'not signed')
        time.sleep(0.3)
        wait_until(lambda: ring.word(SLEEP, 'I') == SLEEPS, 'it does not sleep')
        before = self.switches(launcher.process)
        time.sleep(1.5)
        self.assertEqual(self.switches(launcher.process), before)
        self.assertEqual(ring.word(SLEEP, 'I'), SLEEPS)

    def test_reads_ring_no_bell(self):
        launcher = self.start()
        ring = launcher.attach(self.ring())
        time.sleep(0.2)
        for i in range(400):
            ring.put(DECISION, BODIES['refused'])
            time.sleep(0.001)
        self.assertLess(ring.rung, 10)
        before = self.switches(launcher.process)
        wait_until(lambda: ring.word(SLEEP, 'I') == SLEEPS, 'it does not sleep')
        self.assertLess(self.switches(launcher.process) - before, 10)
        launcher.detach(ring)
        self.assertEqual(self.end(launcher), 0)
        self.check([ring])

    def test_durable_and_signed_within_a_second(self):
        launcher = self.start()
        ring = launcher.attach(self.ring())

        def once():
            begin = time.monotonic()
            counter = ring.put(DECISION, BODIES['refused'])
            wait_until(lambda: ring.durable() >= counter, 'not durable')
            took = time.monotonic() - begin
            records = read_log_in_use(self.dir)
            decision = next(i for i, r in enumerate(records) if r.kind == DECISION and r.counter == counter)
            self.assertIn(CHECKPOINT, [r.kind for r in records[decision:]])
            return took < 1.6
        # A machine that has other things to do may take longer, but not each time.
        wait_until(once, 'never within a second')

    def test_records_between_checkpoints(self):
        launcher = self.start()
        ring = launcher.attach(self.ring())
        for i in range(10000):
            ring.put_wait(DECISION, BODIES['refused'])
        launcher.detach(ring)
        self.assertEqual(self.end(launcher), 0)
        last = 0
        for r in self.check([ring]):
            self.assertLessEqual(r.seq - last, 4096)
            if r.kind == CHECKPOINT:
                last = r.seq

    def test_each_has_its_turn(self):
        """One that waits is not behind all that another one has put in before."""
        full, other = self.ring(), self.ring()
        while full.put(DECISION, BODIES['refused']):
            pass
        last = other.put(CONTEXT, BODIES['context'], urgent=True)
        launcher = self.start()
        launcher.process.send_signal(signal.SIGSTOP)
        launcher.attach(full)
        launcher.attach(other)
        launcher.process.send_signal(signal.SIGCONT)
        seq = other.wait_durable(last)
        self.assertLess(seq, 400)
        self.assertGreater(full.counter, 800)
        launcher.detach(full)
        launcher.detach(other)
        self.assertEqual(self.end(launcher), 0)
        self.check([full, other])


if __name__ == '__main__':
    unittest.main()
