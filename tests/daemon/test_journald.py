#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fwadmitd beside a fwadmit-journald that the test plays itself: FWADMITD as the first argument.

What it is told and in which order, and that nothing of that is lost when it dies; what the daemon does when it is
slow, hostile, or not there.
"""
import hashlib
import mmap
import os
import signal
import socket
import struct
import threading
import time
import unittest

from common import DEADLINE, Case as DaemonCase, alive, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE, DETACH, OBJECT, BEGIN, READY, BAD, FAILED = range(1, 8)
WORKER, DAEMON = 1, 2
PROFILE, POLICY, ACCEPTED = 1, 2, 3
CONTROL, UNRECORDED = 19, 20
START, STOP, RELOADED, POLICY_REFUSED, CREATED, REVOKED, ENDED, QUARANTINED, RELEASED, ACCEPTED_IT, REPROFILED = \
    range(1, 12)
PRODUCED, CONSUMED, DURABLE, HEAD, TROUBLE = 0, 64, 72, 80, 88
DATA = 4096 + 1024 * 16
DATA_LEN = 256 * 1024
GRANT = {'name': 'hour', 'user': ['*'], 'device': ['a'], 'scope': 'configuration', 'seconds': 600}


def text(field):
    return field.rstrip(b'\0').decode()


class Ring:
    """One source's ring, of which the test is the consumer."""

    def __init__(self, token, body, fds):
        self.token = token
        self.id = body[:16]
        self.kind, self.pid, self.uid = struct.unpack_from('<BII', body, 16)
        self.name, self.spec = text(body[25:89]), text(body[89:])
        self.map = mmap.mmap(fds[0], DATA + DATA_LEN)
        self.ack = fds[2]
        os.close(fds[0])
        os.close(fds[1])
        self.at = self.get(CONSUMED)

    def get(self, offset):
        return struct.unpack_from('<Q', self.map, offset)[0]

    def put(self, offset, value):
        struct.pack_into('<Q', self.map, offset, value)

    def bytes(self, at, n):
        first = at % DATA_LEN
        head = min(n, DATA_LEN - first)
        return self.map[DATA + first:DATA + first + head] + self.map[DATA:DATA + n - head]

    def take(self):
        """The records that came since: (kind, urgent, counter, body)."""
        records = []
        while self.at < self.get(PRODUCED):
            length, kind, flags, _, counter = struct.unpack('<IBBHQ', self.bytes(self.at, 16))
            records.append((kind, flags & 1, counter, self.bytes(self.at + 16, length)))
            self.at += 16 + (length + 7) // 8 * 8
        return records

    def write(self):
        """All that came is in the file, and on disk."""
        records = self.take()
        self.put(CONSUMED, self.at)
        if records:
            self.put(DURABLE, records[-1][2])
            self.put(HEAD, self.get(HEAD) + len(records))
        os.eventfd_write(self.ack, 1)
        return records

    def trouble(self, error):
        struct.pack_into('<I', self.map, TROUBLE, error)
        os.eventfd_write(self.ack, 1)

    def close(self):
        self.map.close()
        os.close(self.ack)


class Journald:
    """One run of the fake, at the end of its control socket."""

    def __init__(self, listener):
        listener.settimeout(DEADLINE)
        self.life, _ = listener.accept()
        message, fds, _, _ = socket.recv_fds(self.life, 65536, 1)
        self.pid, *self.args = message.decode().split('\n')
        self.pid = int(self.pid)
        self.sock = socket.socket(fileno=fds[0])
        self.sock.settimeout(DEADLINE)
        self.rings, self.objects, self.order, self.ended = {}, [], [], {}
        self.early = []  # what the daemon recorded, and was not asked for yet

    def receive(self):
        """One message's kind; 0: the daemon hung up."""
        message, fds, _, _ = socket.recv_fds(self.sock, 65536, 3)
        if not message:
            return 0
        kind, _, token = struct.unpack_from('<HHI', message)
        body = message[8:]
        if kind == SOURCE:
            self.rings[token] = Ring(token, body, fds)
            self.order.append('source ' + self.rings[token].name)
        elif kind == DETACH:
            self.ended[token] = body[0]
            self.order.append('end ' + self.rings[token].name)
        elif kind == OBJECT:
            with os.fdopen(fds[0], 'rb') as f:
                data = os.pread(f.fileno(), 1 << 23, 0)
            self.objects.append((body[0], body[1:33], text(body[33:97]), data))
            self.order.append('object %d %s' % (body[0], text(body[33:97])))
        else:
            self.order.append('begin')
        return kind

    def until(self, condition, what='nothing came'):
        while not condition():
            if not self.receive():
                raise AssertionError(what)

    def begin(self):
        self.until(lambda: 'begin' in self.order)
        return self

    def say(self, kind, body=b'', token=0):
        self.sock.send(struct.pack('<HHI', kind, 0, token) + body)

    def ready(self):
        self.begin().say(READY, b'made anew')
        return self

    def own(self):
        return next(r for r in self.rings.values() if r.kind == DAEMON)

    def of(self, name):
        """The ring of the worker that @name has now."""
        def there():
            return [r for t, r in self.rings.items() if r.name == name and t not in self.ended]
        self.until(there)
        return there()[-1]

    def close(self, status=0):
        try:
            self.life.send(bytes([status]))
        except OSError:
            pass
        self.life.close()
        self.sock.close()
        for r in self.rings.values():
            r.close()
        self.rings = {}

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not alive(self.pid), 'it lives')
        self.close()


class Case(DaemonCase):
    def setUp(self):
        super().setUp()
        path = os.path.join(self.base, 'fake')
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(path)
        self.listener.listen(64)
        self.addCleanup(self.listener.close)
        self.env = dict(os.environ, FAKE_JOURNALDS=path, FWADMIT_JOURNALD=os.path.join(HERE, 'fake_journald.py'))
        self.env.pop('NOTIFY_SOCKET', None)

    def serve(self, *args):
        """fwadmitd with device a, and its first journald, which is ready."""
        d = self.start('--device=a=sim:honest', *args, env=self.env)
        j = self.accept().ready()
        d.wait_state('a', 'ready')
        self.well(d, j)
        return d, j

    def well(self, d, j):
        """Until the journal is; when we are so slow that it is late we write."""
        def is_well():
            journal = d.info()['journal']
            if 'in time' in journal.get('trouble', ''):
                j.early += j.own().write()
            return journal['state'] == 'ok'
        wait_until(is_well, 'not well')

    def accept(self):
        j = Journald(self.listener)
        self.addCleanup(j.close)
        return j

    def acts(self, j):
        """What the daemon recorded since: (act, uid, body)."""
        j.sock.setblocking(False)
        try:
            while j.receive():
                pass
        except BlockingIOError:
            pass
        j.sock.settimeout(DEADLINE)
        records, j.early = j.early + j.own().write(), []
        return [(act, uid, body) for kind, _, _, body in records if kind == CONTROL
                for uid, _, act in [struct.unpack_from('<IIH', body)]]

    def answer(self, d, j, method, **parameters):
        """Asks while the journal takes what is recorded: the answer and the records."""
        result = []
        t = threading.Thread(target=lambda: result.append(d.ask(method, **parameters)))
        t.start()
        acts = []
        while t.is_alive():
            acts += self.acts(j)
            t.join(0.005)
        return result[0], acts + self.acts(j)


class Telling(Case):
    def test_start(self):
        d, j = self.serve()
        j.of('a')
        policy, = [o for o in j.objects if o[0] == POLICY]
        self.assertEqual(policy[1].hex(), d.info()['policy_digest'])
        self.assertEqual(policy[2], 'a')
        self.assertEqual(policy[3][32:64], policy[1])
        j.until(lambda: any(o[0] == ACCEPTED for o in j.objects))
        profile, = [o for o in j.objects if o[0] == PROFILE]
        accepted, = [o for o in j.objects if o[0] == ACCEPTED]
        for o in profile, accepted:
            self.assertEqual(o[1], hashlib.sha256(o[3]).digest())
        self.assertEqual(accepted[1].hex(), d.device('a')['declarations_digest'])
        self.assertLess(j.order.index('object 2 a'), j.order.index('source a'))
        self.assertEqual(j.order.count('begin'), 1)
        own, ring = j.own(), j.of('a')
        self.assertEqual((own.pid, own.name, own.uid), (d.process.pid, '', os.geteuid()))
        self.assertEqual((ring.kind, ring.pid, ring.spec), (WORKER, d.device('a')['pid'], 'sim:honest'))
        self.assertNotEqual(own.id, ring.id)
        self.assertEqual([a[0] for a in self.acts(j)][0], START)

    def test_options(self):
        d, j = self.serve('--journal=%s/j' % self.base, '--journal-key=/k', '--journal-segment=4M',
                          '--journal-size=1G', '--journal-age=30')
        self.assertLessEqual({'--dir=%s/j' % self.base, '--key=/k', '--segment=%d' % (4 << 20), '--size=%d' % (1 << 30),
                              '--age=%d' % (30 * 86400)}, set(j.args))
        self.assertEqual(d.info()['journal']['path'], self.base + '/j')

    def test_wrong_options(self):
        for option in ('--journal=', '--journal-segment=1', '--journal-segment=x', '--journal-size=64T1',
                       '--journal-size=99999999999G', '--journal-age=-1', '--journal-reads=maybe'):
            with self.subTest(option):
                d = self.start(option)
                self.assertEqual(d.process.wait(DEADLINE), 2, d.log())

    def test_none(self):
        d = self.start('--device=a=sim:honest', '--journal=none', env=self.env)
        d.wait_state('a', 'ready')
        self.assertEqual(d.info()['journal'], {'state': 'none'})
        self.assertEqual(d.ask('CreateGrant', **GRANT)['grant']['name'], 'hour')
        self.assertIn('there is no journal', d.log())

    def test_a_ring_for_each_worker(self):
        d, j = self.serve()
        before = j.of('a')
        os.kill(before.pid, signal.SIGKILL)
        j.until(lambda: len(j.rings) == 3 and j.ended)
        self.assertEqual(j.ended, {before.token: 1})  # lost
        after = j.of('a')
        self.assertNotEqual(before.id, after.id)
        self.assertEqual(after.pid, d.wait_state('a', 'ready')['pid'])

    def test_another_journald(self):
        """It is told all that the one before knew, and first of what that has not written."""
        d, j = self.serve()
        j.until(lambda: any(o[0] == ACCEPTED for o in j.objects))
        ids, objects = {r.id for r in j.rings.values()}, set(j.objects)
        dead = j.of('a')
        os.kill(dead.pid, signal.SIGKILL)
        j.until(lambda: j.ended)
        dead.put(PRODUCED, dead.get(CONSUMED) + 64)  # as if it had said something last
        dead.write = dead.take = None
        j.kill()
        k = self.accept().ready()
        k.until(lambda: k.ended)
        self.assertLessEqual(ids, {r.id for r in k.rings.values()})
        self.assertLessEqual(objects, set(k.objects))
        again = next(r for r in k.rings.values() if r.id == dead.id)
        self.assertEqual(k.ended, {again.token: 1})
        self.assertLess(k.order.index('begin'), k.order.index('end a'))
        self.assertGreater(k.order.index('begin'), max(i for i, o in enumerate(k.order) if o == 'source a'))
        again.put(CONSUMED, again.get(PRODUCED))
        self.well(d, k)
        time.sleep(0.6)  # it is looked at now and then
        k.kill()
        m = self.accept().ready()
        self.assertNotIn(dead.id, {r.id for r in m.rings.values()})
        self.assertIn('killed by signal 9', d.log())
        self.assertIn('it is written again', d.log())

    def test_policies_are_told_before_they_are_in_force(self):
        d, j = self.serve()
        self.acts(j)
        self.write_policy('# nobody\n')
        answer, acts = self.answer(d, j, 'Reload')
        self.assertIn((POLICY, answer['policy_digest']), [(o[0], o[1].hex()) for o in j.objects])
        (act, uid, body), = acts
        self.assertEqual((act, uid), (RELOADED, os.geteuid()))
        self.assertIn(b'sha256 ' + answer['policy_digest'].encode(), body)
        self.write_policy('[grant x]\nscopes = 1\n')
        (error, _), acts = self.answer(d, j, 'Reload')
        self.assertEqual((error, [a[:2] for a in acts]), ('PolicyError', [(POLICY_REFUSED, os.geteuid())]))
        self.assertIn(b"unknown key 'scopes'", acts[0][2])

    def test_the_end(self):
        """Rings of workers end before the daemon's own; then the journal is waited for."""
        d, j = self.serve()
        d.process.send_signal(signal.SIGTERM)
        j.until(lambda: len(j.ended) == 2)
        self.assertEqual([o for o in j.order if o.startswith('end')], ['end a', 'end '])
        self.assertEqual(set(j.ended.values()), {0})
        self.assertIsNone(d.process.poll())
        self.assertEqual([a[0] for a in self.acts(j)][-1], STOP)
        self.assertEqual(j.receive(), 0)  # nothing more comes
        time.sleep(0.1)
        self.assertIsNone(d.process.poll())
        j.close(0)
        self.assertEqual(d.process.wait(DEADLINE), 0)

    def test_dies_at_the_end(self):
        """What it has not written goes to another one."""
        d, j = self.serve()
        d.process.send_signal(signal.SIGTERM)
        j.until(lambda: len(j.ended) == 2)
        j.kill()
        k = self.accept().begin()
        k.until(lambda: k.ended)
        self.assertEqual(STOP, [a[0] for a in self.acts(k)][-1])
        k.close(0)
        self.assertEqual(d.process.wait(DEADLINE), 0)


class Acts(Case):
    def test_what_widens_waits(self):
        d, j = self.serve()
        self.acts(j)
        uid = os.geteuid()
        answer, acts = self.answer(d, j, 'CreateGrant', **GRANT, ticket='CHG-1')
        self.assertEqual(answer['grant']['name'], 'hour')
        self.assertEqual([a[:2] for a in acts if a[0] != RELOADED], [(CREATED, uid)])
        for part in b'hour: for 600 s', b'user *', b'device a', b'scope configuration', b'ticket CHG-1':
            self.assertIn(part, acts[0][2])
        self.assertEqual(acts[0][2][:8], struct.pack('<II', uid, os.getpid()))
        answer, acts = self.answer(d, j, 'RevokeGrant', name='hour')
        self.assertEqual([a[0] for a in acts], [REVOKED, RELOADED])
        answer, acts = self.answer(d, j, 'Quarantine', device='a', reason='smoke')
        self.assertEqual([a[:2] for a in acts], [(QUARANTINED, uid)])
        self.assertIn(b'operator: smoke', acts[0][2])
        answer, acts = self.answer(d, j, 'Release', device='a')
        self.assertEqual([a[0] for a in acts], [RELEASED])
        answer, acts = self.answer(d, j, 'AcceptBaseline', device='a')
        self.assertEqual([a[0] for a in acts], [ACCEPTED_IT])
        self.assertIn(answer['digest'].encode(), acts[0][2])
        answer, acts = self.answer(d, j, 'Reprofile', device='a')
        self.assertEqual([a[0] for a in acts], [REPROFILED])

    def widening_is_refused(self, d, why):
        for method, parameters in (('CreateGrant', GRANT), ('AcceptBaseline', {'device': 'a'}),
                                   ('Release', {'device': 'a'})):
            error, parameters = d.ask(method, **parameters)
            self.assertEqual(error, 'JournalError', method)
            self.assertIn(why, parameters['message'])
        self.assertEqual(d.ask('ListGrants')['grants'], [])
        self.assertEqual(os.listdir(self.state + '/grants') if os.path.exists(self.state + '/grants') else [], [])
        self.assertEqual(d.device('a')['state'], 'quarantined')
        self.assertEqual(d.device('a')['baseline'], 'seen')

    def test_trouble(self):
        d, j = self.serve()
        self.answer(d, j, 'CreateGrant', **GRANT)
        j.own().trouble(28)
        wait_until(lambda: d.info()['journal']['state'] == 'trouble', 'it is well')
        self.assertIn('No space left', d.info()['journal']['trouble'])
        began = time.monotonic()
        self.assertEqual(d.ask('RevokeGrant', name='hour'), {})
        self.assertEqual(d.ask('Quarantine', device='a', reason='smoke'), {})
        self.widening_is_refused(d, 'No space left')
        self.assertLess(time.monotonic() - began, 1.5)
        j.own().trouble(0)
        self.well(d, j)
        acts = [a[0] for a in self.acts(j)]
        self.assertEqual([a for a in acts if a in (REVOKED, QUARANTINED, CREATED, RELEASED)], [REVOKED, QUARANTINED])
        answer, acts = self.answer(d, j, 'Release', device='a')
        self.assertEqual((answer, [a[0] for a in acts]), ({}, [RELEASED]))
        self.assertEqual(d.log().count('No space left'), 1)

    def test_it_does_not_answer(self):
        """It is waited for once, and not again until it writes."""
        d, j = self.serve()
        self.acts(j)
        began = time.monotonic()
        self.assertEqual(d.ask('Quarantine', device='a', reason='smoke'), {})
        self.assertGreater(time.monotonic() - began, 1.5)
        began = time.monotonic()
        self.widening_is_refused(d, 'nothing is written in time')
        self.assertEqual(d.ask('Quarantine', device='a', reason='smoke'), {})
        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual([a[0] for a in self.acts(j)], [QUARANTINED, QUARANTINED])
        self.well(d, j)

    def test_refused_in_time_and_recorded_later(self):
        """Then the journal says that it was not done."""
        d, j = self.serve()
        self.acts(j)
        self.assertEqual(d.ask('CreateGrant', **GRANT)[0], 'JournalError')
        acts = self.acts(j)
        self.assertEqual([a[0] for a in acts], [CREATED, CREATED])
        self.assertIn(b'not done', acts[1][2])

    def test_there_is_none(self):
        d = self.start('--device=a=sim:honest', env=dict(self.env, FWADMIT_JOURNALD='/nonexistent'))
        d.wait_state('a', 'ready')
        self.assertIn('cannot be started', d.info()['journal']['trouble'])
        self.assertNotIn('pid', d.info()['journal'])
        self.assertEqual(d.ask('Quarantine', device='a', reason='smoke'), {})
        self.widening_is_refused(d, 'cannot be started')
        self.assertEqual(d.end(), 0)

    def test_no_room(self):
        """Acts are counted while there is no room, and that is told first."""
        d, j = self.serve()
        own = j.own()
        self.acts(j)
        own.trouble(5)
        wait_until(lambda: d.info()['journal']['state'] == 'trouble', 'it is well')
        n = 0
        while 'not recorded' not in d.log():
            self.assertEqual(d.ask('Quarantine', device='a', reason='x' * 256), {})
            n += 1
            self.assertLess(n, 3000)
        kinds = [(kind, body) for kind, _, _, body in own.write()]
        self.assertEqual({k for k, _ in kinds}, {CONTROL})
        own.trouble(0)
        wait_until(lambda: d.info()['journal']['state'] == 'ok', 'it is not well')
        self.assertEqual(d.ask('Quarantine', device='a', reason='y'), {})
        records = own.write()
        self.assertEqual([kind for kind, *_ in records], [UNRECORDED, CONTROL])
        self.assertEqual(struct.unpack_from('<QQ', records[0][3]), (0, 1))


class Hostile(Case):
    def test_nonsense(self):
        d, j = self.serve()
        j.say(77)
        wait_until(lambda: not alive(j.pid), 'it lives')
        self.well(d, self.accept().ready())
        self.assertIn('sends nonsense: killed', d.log())

    def test_failed(self):
        d = self.start('--device=a=sim:honest', env=self.env)
        j = self.accept()
        j.say(FAILED, struct.pack('<I', 13) + b'/x: the key is not readable')
        wait_until(lambda: 'the key is not readable' in d.info()['journal'].get('trouble', ''), 'it is not said')
        j.close(1)
        self.well(d, self.accept().ready())  # it is tried again

    def test_a_worker_that_wrote_nonsense(self):
        d, j = self.serve()
        ring = j.of('a')
        j.say(BAD, b'no record', token=ring.token)
        wait_until(lambda: not alive(ring.pid), 'it lives')
        j.until(lambda: len(j.rings) == 3)
        d.wait_state('a', 'ready')
        self.assertIn('a: nothing more is taken from it: no record', d.log())

    def test_the_daemon_wrote_nonsense(self):
        d, j = self.serve()
        self.acts(j)
        old = j.own()
        j.say(BAD, b'no record', token=old.token)
        j.until(lambda: len(j.rings) == 3)
        new = [r for r in j.rings.values() if r.kind == DAEMON and r.token != old.token][0]
        del j.rings[old.token]
        self.assertNotEqual(new.id, old.id)
        answer, acts = self.answer(d, j, 'CreateGrant', **GRANT)
        self.assertEqual(acts[0][0], CREATED)
        old.close()

    def test_a_worker_that_says_it_wrote_more(self):
        """Words in the ring of one that ended keep its ring, and no more."""
        d, j = self.serve()
        for n in range(2):
            ring = j.of('a')
            ring.put(PRODUCED, 1 << 60)
            os.kill(ring.pid, signal.SIGKILL)
            j.until(lambda: ring.token in j.ended)
            d.wait_state('a', 'ready')
        self.assertLessEqual(d.info()['journal']['unsynced'], 4 * DATA_LEN)


if __name__ == '__main__':
    unittest.main()
