#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fwadmitd with its journal, and what kills either: FWADMITD as the first argument.

What the journal holds is read by tests/journal/reader.py, which shares no code with what wrote it.
"""
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'journal'))
import reader  # noqa: E402

from common import DEADLINE, Case as DaemonCase, Daemon, alive, await_journal, wait_until  # noqa: E402
from test_disk import may_mount  # noqa: E402

IDENTIFY, GET_LSA, SET_LSA = 0x4000, 0x4102, 0x4103
RECEIPT = 1 << 1
REFUSED, COMPLETED, UNKNOWN = 0, 1, 4
JOURNAL, ADMIT = 15, 16  # reasons, as decisions are recorded
ORDERLY, LOST = 0, 1
EMPTY = struct.pack('<II', 0, 16)
GRANT = {'name': 'hour', 'user': ['*'], 'device': ['a'], 'scope': 'configuration', 'seconds': 600}
POLICY = ('[grant all]\nuser = *\ndevice = *\nscope = debug-write-full\n'
          'effects = config, data, policy, log, background, exclusive\n')
ACTS = ['', 'start', 'stop', 'reloaded', 'refused', 'created', 'revoked', 'ended', 'quarantined', 'released', 'accepted',
        'reprofiled', 'drifted', 'added', 'removed', 'imported', 'taken-out', 'over']


class Client:
    def __init__(self, d, name):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(DEADLINE)
        try:
            self.sock.connect(d.path(name))
        except OSError:
            self.sock.close()
            raise

    def send(self, opcode, payload=b'', flags=0, timeout=0):
        self.sock.send(struct.pack('<IHHQBBHI6IIIII', 0x31475746, 2, 2, 7, 0, 255, opcode, 0, *6 * (0,), len(payload), 4096,
                                   timeout, flags) + payload)

    def receive(self):
        """(status, reason, seq); None when the worker is gone."""
        try:
            message = self.sock.recv(65536)
        except ConnectionResetError:
            return None
        if not message:
            return None
        error, status = struct.unpack_from('<HB', message, 16)
        assert error == 0, error
        return status, message[20], struct.unpack_from('<Q', message, 72)[0]

    def call(self, *args, **kw):
        try:
            self.send(*args, **kw)
        except (BrokenPipeError, ConnectionResetError):
            return None
        return self.receive()

    def write(self, n=0, **kw):
        return self.call(SET_LSA, struct.pack('<II', 0, 0) + struct.pack('<Q', n), **kw)

    def read(self, **kw):
        return self.call(GET_LSA, EMPTY, **kw)

    def close(self):
        self.sock.close()


class Load:
    """Threads that write and read through @names until they are stopped, and keep what they were told."""

    def __init__(self, d, names):
        self.d, self.stopping, self.replies = d, False, []
        self.threads = [threading.Thread(target=self.run, args=(name, i), daemon=True)
                        for name in names for i in range(2)]
        for t in self.threads:
            t.start()

    def run(self, name, i):
        n = 0
        while not self.stopping:
            try:
                c = Client(self.d, name)
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.01)
                continue
            while not self.stopping:
                n += 1
                reply = c.write(n) if i == 0 or n % 3 == 0 else c.read(flags=RECEIPT)
                if reply is None:
                    break
                self.replies.append((n % 3 == 0 or i == 0, *reply))
            c.close()

    def until(self, n):
        """Until so many of them were told of a number."""
        wait_until(lambda: sum(status == COMPLETED and seq > 0 for _, status, _, seq in self.replies[:]) >= n,
                   'nothing is served')
        return self

    def stop(self):
        self.stopping = True
        for t in self.threads:
            t.join()
        return self.replies


class Case(DaemonCase):
    def setUp(self):
        super().setUp()
        self.journal = os.path.join(self.state, 'journal')
        self.write_policy(POLICY)

    def serve(self, *names, args=(), spec='sim:honest'):
        d = self.start(*['--device=%s=%s' % (n, spec) for n in names], *args)
        for n in names:
            d.wait_state(n, 'ready')
        self.well(d)
        return d

    def well(self, d):
        wait_until(lambda: d.info()['journal']['state'] == 'ok', 'the journal is not well')

    def client(self, d, name):
        c = Client(d, name)
        self.addCleanup(c.close)
        return c

    def read(self):
        """All records, of a journal that is as it has to be, by their numbers."""
        await_journal(self.journal)
        v = reader.Verifier().run(self.journal)
        self.assertEqual(v.open, {})
        return {r.seq: r for _, r in reader.records(self.journal)}

    def read_in_use(self):
        """What is in the file by now."""
        return {r.seq: r for _, r in reader.records(self.journal)}

    def sources(self, records):
        return {r.seq: (struct.unpack_from('<16sQIIB', r.body), r.body[35:35 + r.body[33]].decode())
                for r in records.values() if r.kind == reader.SOURCE}

    def outcomes(self, records):
        return {r.refers: struct.unpack_from('<I', r.body, 32)[0]
                for r in records.values() if r.kind == reader.OUTCOME}

    def acts(self, records):
        """(act, uid, pid, device, text) in their order."""
        result = []
        for r in records.values():
            if r.kind == reader.CONTROL:
                uid, pid, act, device, text = struct.unpack_from('<IIHHH', r.body)
                words = r.body[14:]
                result.append((ACTS[act], uid, pid, words[:device].decode(), words[device:device + text].decode()))
        return result

    def all_is_there(self, replies, records, cut_short=0):
        """
        Whatever somebody was told is in the journal as it was told. Of @cut_short at most nobody knows there: an
        outcome is recorded when its reply was sent, and a worker may be killed in between.
        """
        outcomes = self.outcomes(records)
        seqs = [seq for _, status, _, seq in replies if status == COMPLETED]
        # After another writer took over a number may be unknown to it (0), though the record is there.
        told = [seq for seq in seqs if seq]
        self.assertEqual(len(set(told)), len(told))
        for seq in told:
            self.assertEqual(records[seq].kind, reader.DECISION)
            self.assertEqual(records[seq].body[2], ADMIT)
            if outcomes[seq] != UNKNOWN or not cut_short:
                self.assertEqual(outcomes[seq], COMPLETED, seq)
        unknown = [seq for seq in told if outcomes[seq] == UNKNOWN]
        self.assertLessEqual(len(unknown), cut_short)
        self.assertGreaterEqual(list(outcomes.values()).count(COMPLETED) + len(unknown), len(seqs))
        return len(told)


class Deaths(Case):
    def test_journald_is_killed(self):
        """Under load, again and again: another one goes on, nothing is lost, and nothing that was written is refused
        for long."""
        d = self.serve('a', 'b')
        load = Load(d, 'ab')
        pids = set()
        for _ in range(8):
            time.sleep(0.15)
            pid = wait_until(lambda: d.info()['journal'].get('pid'), 'no journald')
            pids.add(pid)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: d.info()['journal'].get('pid') not in (None, pid), 'no other one')
            self.well(d)
        time.sleep(0.15)
        replies = load.until(51).stop()
        self.assertEqual(len(pids), 8)
        self.assertEqual(d.end(), 0)
        records = self.read()
        self.assertGreater(self.all_is_there(replies, records), 50)
        starts = [r for r in records.values() if r.kind == reader.START]
        self.assertEqual(len(starts), 9)
        self.assertEqual(len([a for a in self.acts(records) if a[0] == 'start']), 1)
        # Nothing happened to the workers.
        self.assertEqual({struct.unpack_from('<I', r.body)[0] for r in records.values()
                          if r.kind == reader.SOURCE_END}, {ORDERLY})

    def test_the_daemon_is_killed(self):
        """What its workers say last is in the journal, which is completed without it; the next one goes on."""
        for n in range(3):
            d = self.serve('a', 'b')
            load = Load(d, 'ab')
            time.sleep(0.3)
            load.until(4)
            self.assertEqual(d.end(signal.SIGKILL), -signal.SIGKILL)
            replies = load.stop()
            self.assertGreater(self.all_is_there(replies, self.read(), cut_short=2), 3)
        acts = [a[0] for a in self.acts(self.read())]
        self.assertEqual((acts.count('start'), acts.count('stop')), (3, 0))
        d = self.serve('a')
        self.assertEqual(d.end(), 0)
        self.assertEqual([a[0] for a in self.acts(self.read())][-1], 'stop')

    def test_a_worker_is_killed(self):
        """What it had sent has an outcome that nobody knows; what it had not sent has none, or that one."""
        d = self.serve('a', spec='sim:honest,delay-ms=2000')
        pid = d.device('a')['pid']
        c = self.client(d, 'a')
        c.send(SET_LSA, struct.pack('<II', 0, 0) + b'x')
        time.sleep(0.5)  # it has been on disk for a while, and runs
        os.kill(pid, signal.SIGKILL)
        self.assertIsNone(c.receive())
        wait_until(lambda: d.device('a').get('pid') not in (None, pid), 'no other worker')
        d.wait_state('a', 'ready')
        self.assertEqual(d.end(), 0)
        records = self.read()
        self.assertEqual(list(self.outcomes(records).values()).count(UNKNOWN), 1)
        ends = {r.source: struct.unpack_from('<II', r.body) for r in records.values() if r.kind == reader.SOURCE_END}
        workers = {seq: about[2] for seq, (about, name) in self.sources(records).items() if name == 'a'}
        self.assertEqual(len(workers), 2)
        for seq, worker in workers.items():
            self.assertEqual(ends[seq], (LOST, 1) if worker == pid else (ORDERLY, 0))

    def test_all_at_once(self):
        """Daemon, journald and worker: the next one says of what was open that nobody knows."""
        d = self.serve('a', spec='sim:honest,delay-ms=2000')
        worker, journald = d.device('a')['pid'], d.info()['journal']['pid']
        c = self.client(d, 'a')
        c.send(SET_LSA, struct.pack('<II', 0, 0) + b'x')
        time.sleep(0.5)
        for pid in journald, d.process.pid, worker:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(journald), 'it lives')
        d.process.wait(DEADLINE)
        d = self.serve('a')
        self.assertEqual(d.end(), 0)
        records = self.read()
        self.assertEqual(list(self.outcomes(records).values()), [UNKNOWN])


class Stopped(Case):
    """A journald that does nothing, as one does whose disk hangs."""

    def hang(self, d):
        pid = d.info()['journal']['pid']
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(lambda: alive(pid) and os.kill(pid, signal.SIGCONT))
        return pid

    def test_what_is_refused(self):
        d = self.serve('a')
        pid = self.hang(d)
        c = self.client(d, 'a')
        began = time.monotonic()
        self.assertEqual(c.write()[:2], (REFUSED, JOURNAL))
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(d.ask('Quarantine', device='a', reason='smoke'), {})
        self.assertEqual(d.ask('Release', device='a')[0], 'JournalError')
        self.assertEqual(d.ask('CreateGrant', **GRANT)[0], 'JournalError')
        self.assertEqual(d.ask('AcceptBaseline', device='a')[0], 'JournalError')
        self.assertEqual(d.device('a')['state'], 'quarantined')
        self.assertEqual(d.info()['journal']['state'], 'trouble')
        self.assertGreater(d.info()['journal']['unsynced'], 0)
        os.kill(pid, signal.SIGCONT)
        self.well(d)
        self.assertEqual(d.ask('Release', device='a'), {})
        wait_until(lambda: c.write()[0] == COMPLETED, 'still refused')
        self.assertEqual(d.end(), 0)
        acts = [a[0] for a in self.acts(self.read())]
        self.assertEqual([a for a in acts if a in ('quarantined', 'released', 'created', 'accepted')],
                         ['quarantined', 'released'])


class Control(Case):
    def test_who_did_what(self):
        d = self.serve('a')
        uid = os.geteuid()
        self.write_policy(POLICY + '# another one\n')
        digest = d.ask('Reload')['policy_digest']
        self.write_policy('[grant x]\nscopes = 1\n')
        d.ask('Reload')
        self.write_policy(POLICY)
        d.ask('CreateGrant', **GRANT)
        d.ask('RevokeGrant', name='hour')
        d.ask('Quarantine', device='a', reason='smoke')
        d.ask('Release', device='a')
        d.ask('AcceptBaseline', device='a')
        d.ask('Reprofile', device='a')
        self.assertEqual(d.info()['journal']['state'], 'ok')
        self.assertGreater(d.info()['journal']['head'], 10)
        self.assertEqual(d.end(), 0)
        acts = self.acts(self.read())
        self.assertEqual([a[0] for a in acts],
                         ['start', 'added', 'reloaded', 'refused', 'created', 'reloaded', 'revoked', 'reloaded',
                          'quarantined', 'released', 'accepted', 'reprofiled', 'stop'])
        for act, who, pid, device, text in acts:
            own = act in ('start', 'added', 'stop')
            self.assertEqual((who, pid), (uid, d.process.pid if own else os.getpid()), act)
            self.assertEqual(device, 'a' if act in ('added', 'quarantined', 'released', 'accepted', 'reprofiled') else '')
        self.assertIn('sha256 ' + digest, acts[2][4])
        self.assertIn("unknown key 'scopes'", acts[3][4])

    def test_eight_devices(self):
        """Each its own source, also after a reload; all end before the daemon does."""
        names = 'abcdefgh'
        d = self.serve(*names)
        load = Load(d, names)
        time.sleep(0.3)
        self.write_policy(POLICY + '# another one\n')
        digest = d.ask('Reload')['policy_digest']
        time.sleep(0.3)
        replies = load.until(51).stop()
        # Rings have an order each, and none among them.
        told = {seq for _, status, _, seq in replies if status == COMPLETED}
        wait_until(lambda: told <= self.outcomes(self.read_in_use()).keys(), 'not written')
        wait_until(lambda: d.info()['journal']['unsynced'] == 0, 'not all is written')
        self.assertEqual(d.end(), 0)
        records = self.read()
        self.assertGreater(self.all_is_there(replies, records), 50)
        sources = self.sources(records)
        self.assertEqual(sorted(name for _, name in sources.values()), ['', *names])
        ends = {r.source: struct.unpack_from('<II', r.body) for r in records.values() if r.kind == reader.SOURCE_END}
        self.assertEqual(ends, {seq: (ORDERLY, 0) for seq in sources})
        # The daemon stops when no worker says anything any more, and a signed checkpoint is the end.
        stop = next(seq for seq, r in records.items() if r.kind == reader.CONTROL and r.body[8] == 2)
        self.assertLess(max(seq for seq, r in records.items() if r.kind in (reader.DECISION, reader.OUTCOME)), stop)
        self.assertEqual(records[max(records)].kind, reader.CHECKPOINT)
        policies = [r for r in records.values() if r.kind == reader.OBJECT and r.body[:32].hex() == digest]
        self.assertEqual(len(policies), len(names))
        for r in policies:
            self.assertTrue(os.path.exists(os.path.join(self.journal, 'objects', r.body[32:64].hex())))


@unittest.skipUnless(may_mount(), 'needs root, and namespaces')
class FullDisk(Case):
    def on_disk(self, *args):
        """With its journal on a disk of 2 MiB that only the daemon sees."""
        self.journal = os.path.join(self.base, 'disk')
        os.mkdir(self.journal)
        d = Daemon(self.sockets, '--policy=' + self.policy, '--state-dir=' + self.state, '--device=a=sim:honest',
                   '--journal=' + self.journal + '/journal', *args,
                   prefix=['unshare', '-m', 'sh', '-c', 'mount -t tmpfs -o size=2m,mode=700 none "$0"; exec "$@"',
                           self.journal])
        self.addCleanup(d.log_file.close)
        self.addCleanup(d.end, signal.SIGKILL)
        self.disk = '/proc/%d/root%s' % (d.process.pid, self.journal)
        self.journal = self.disk + '/journal'
        d.wait_state('a', 'ready')
        self.well(d)
        return d

    def fill(self):
        with open(self.disk + '/fill', 'wb', buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass

    def until_refused(self, c):
        """Writes until the journal cannot: what was told."""
        replies = []
        while not replies or replies[-1][0] == COMPLETED:
            replies.append(c.write(len(replies)))
            self.assertLess(len(replies), 20000)
        self.assertEqual(replies[-1][:2], (REFUSED, JOURNAL))
        return [(True, *r) for r in replies]

    def until_served(self, d, c):
        """Until a write is no more refused."""
        def is_served():
            reply = c.write()
            self.assertIsNotNone(reply, d.log())
            return reply[0] == COMPLETED
        wait_until(is_served, 'still refused')

    def is_at_rest(self, records, workers, dead):
        """All is signed that came from @workers, and the end of @dead."""
        known = {about[2]: seq for seq, (about, _) in self.sources(records).items()}
        ends = {r.source for r in records.values() if r.kind == reader.SOURCE_END}
        return (workers <= known.keys() and known[dead] in ends
                and records[max(records)].kind == reader.CHECKPOINT)

    def check(self, pass_reads):
        d = self.on_disk('--journal-reads=' + ('pass' if pass_reads else 'refuse'))
        c = self.client(d, 'a')
        self.fill()
        replies = self.until_refused(c)
        wait_until(lambda: 'No space left' in d.info()['journal'].get('trouble', ''), 'status says nothing')
        self.assertEqual(c.read()[:2], (COMPLETED, ADMIT) if pass_reads else (REFUSED, JOURNAL))
        self.assertEqual(c.write()[:2], (REFUSED, JOURNAL))
        self.assertEqual(d.ask('CreateGrant', **GRANT)[0], 'JournalError')
        self.assertEqual(d.ask('Quarantine', device='a', reason='smoke'), {})
        os.unlink(self.disk + '/fill')
        self.well(d)
        self.assertEqual(d.ask('Release', device='a'), {})
        self.until_served(d, c)
        replies.append((True, *c.write()))
        self.assertEqual(c.read()[0], COMPLETED)
        self.assertIn('it is written again', d.log())
        # Its disk goes with the daemon: it is read before.
        pid = d.device('a')['pid']
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: d.device('a').get('pid') not in (None, pid), 'no other worker')
        pids = {pid, d.wait_state('a', 'ready')['pid']}
        wait_until(lambda: self.is_at_rest(self.read_in_use(), pids, pid), 'not all is written')
        reader.Verifier().run(self.journal)
        records = self.read_in_use()
        self.assertGreater(self.all_is_there(replies, records), 1)
        lost = [struct.unpack_from('<QQ', r.body) for r in records.values() if r.kind == reader.UNRECORDED]
        refused = [r for r in records.values() if r.kind == reader.DECISION and r.body[2] == JOURNAL]
        self.assertTrue(lost or refused, 'no word of what was refused')
        if pass_reads:
            self.assertGreaterEqual(sum(n for _, n in lost) + sum(r.body[2] == ADMIT for r in records.values()
                                                                  if r.kind == reader.DECISION), 1)

    def test_reads_are_refused(self):
        self.check(pass_reads=False)

    def test_reads_pass(self):
        self.check(pass_reads=True)

    def test_from_the_beginning(self):
        d = Daemon(self.sockets, '--policy=' + self.policy, '--state-dir=' + self.state, '--device=a=sim:honest',
                   '--journal=' + self.base + '/disk/journal',
                   prefix=['unshare', '-m', 'sh', '-c', 'mkdir "$0"; mount -t tmpfs -o size=64k,mode=700 none "$0";'
                           'head -c 1000000 /dev/zero > "$0/fill"; exec "$@"', self.base + '/disk'])
        self.addCleanup(d.log_file.close)
        self.addCleanup(d.end, signal.SIGKILL)
        d.wait_state('a', 'ready')
        wait_until(lambda: d.info()['journal']['state'] == 'trouble', 'it is well')
        c = self.client(d, 'a')
        self.assertEqual(c.write()[:2], (REFUSED, JOURNAL))
        subprocess.run(['nsenter', '-t', str(d.process.pid), '-m', 'mount', '-o', 'remount,size=2m',
                        self.base + '/disk'], check=True)
        self.well(d)
        self.until_served(d, c)


if __name__ == '__main__':
    unittest.main()
