#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What fwadmitd makes of what its workers say: FWADMITD as the first argument. The workers are the test itself."""
import base64
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import struct
import time
import unittest

from common import DEADLINE, Case, await_journal, wait_until
from test_control import STRANGER, as_user
from test_control import Case as ControlCase

READY, FAILED, GONE, POLICY, POLICY_OK, POLICY_BAD, NO_DEVICE = range(1, 8)
IDENTITY, BASELINE, QUARANTINE, RELEASE, QUARANTINED, REPROFILE, REMOVED, STATE = range(8, 16)
DECLARATIONS = 17
PROFILE = b'any bytes: nobody but workers understands them'


def sealed(data):
    fd = os.memfd_create('test', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
    return fd


class Worker:
    def __init__(self, sock, message, fd):
        self.life = sock
        pid, self.name, self.spec = message.decode().split('\n')
        self.pid = int(pid)
        self.control = socket.socket(fileno=fd)
        self.control.settimeout(DEADLINE)

    def say(self, kind, text=b'', fd=None, header=None):
        text = text if isinstance(text, bytes) else text.encode()
        message = (struct.pack('<HH', kind, 0) if header is None else header) + text
        if fd is None:
            self.control.send(message)
        else:
            socket.send_fds(self.control, [message], [fd])
            os.close(fd)

    def hear(self):
        """The next order: kind, text, what the descriptor holds."""
        message, fds, _, _ = socket.recv_fds(self.control, 2048, 1)
        if not message:
            return None
        data = None
        if fds:
            data = os.pread(fds[0], 1 << 20, 0)
            os.close(fds[0])
        return struct.unpack_from('<H', message)[0], message[4:].decode(), data

    def is_over(self):
        """Whether the daemon has ended the worker."""
        try:
            while self.control.recv(2048):
                pass
        except ConnectionResetError:
            pass
        return True

    def introduce(self, serial='1', firmware='fw1', model='Drive', declares=b'declares', profile=PROFILE):
        self.say(IDENTITY, 'nvme\nACME\n%s\n%s\n%s\n12' % (model, serial, firmware), sealed(profile))
        self.say(DECLARATIONS, b'', sealed(declares))

    def start(self, **who):
        """As a worker does; what it heard of a quarantine, and its baseline."""
        self.introduce(**who)
        told = []
        while True:
            kind, text, data = self.hear()
            told.append((kind, text, data))
            if kind == BASELINE:
                break
        self.say(READY, 'ACME Drive')
        return told

    def close(self):
        self.control.close()
        self.life.close()


class FakeCase(ControlCase):
    def setUp(self):
        super().setUp()
        path = os.path.join(self.base, 'workers')
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.settimeout(DEADLINE)
        self.listener.bind(path)
        self.listener.listen()
        self.addCleanup(self.listener.close)
        self.env = dict(os.environ, FAKE_WORKERS=path,
                        FWADMIT_WORKER=os.path.join(os.path.dirname(os.path.abspath(__file__)), 'fake_worker.py'))

    def start_fake(self, *names, args=()):
        d = self.start(*['--device=%s=sim:%s' % (n, n) for n in names], *args, env=self.env)
        workers = {w.name: w for w in (self.accept() for _ in names)}
        return (d, *[workers[n] for n in names])

    def accept(self):
        sock, _ = self.listener.accept()
        message, fds, _, _ = socket.recv_fds(sock, 1024, 1)
        if not message:
            sock.close()
            raise ConnectionResetError
        w = Worker(sock, message, fds[0])
        self.addCleanup(w.close)
        return w


class Baselines(FakeCase):
    def test_first_is_trusted(self):
        d, a = self.start_fake('a')
        self.assertEqual(a.start(), [(BASELINE, 'seen', b'declares')])
        device = d.wait_state('a', 'ready')
        self.assertEqual({k: device[k] for k in ('family', 'vendor', 'model', 'serial', 'firmware', 'commands',
                                                 'baseline', 'declarations_digest', 'findings')},
                         {'family': 'nvme', 'vendor': 'ACME', 'model': 'Drive', 'serial': '1', 'firmware': 'fw1',
                          'commands': 12, 'baseline': 'seen', 'findings': [],
                          'declarations_digest': hashlib.sha256(b'declares').hexdigest()})
        self.assertIn('first of its model and firmware (ACME Drive, fw1)', d.log())
        # Another one is held to it, and so is the first one's next worker.
        a.close()
        a = self.accept()
        self.assertEqual(a.start(declares=b'others'), [(BASELINE, 'seen', b'declares')])
        self.assertEqual(d.log().count('first of its model'), 1)
        # Another firmware is another matter.
        a.introduce(firmware='fw2', declares=b'new')
        self.assertEqual(a.hear(), (BASELINE, 'seen', b'new'))
        d.end(signal.SIGKILL)
        d, a = self.start_fake('a')
        self.assertEqual(a.start(declares=b'others'), [(BASELINE, 'seen', b'declares')])

    def test_require_pinned(self):
        d, a = self.start_fake('a', args=['--require-pinned'])
        self.assertEqual(a.start(), [(BASELINE, 'required', None)])
        d.wait_state('a', 'ready')
        self.assertIs(d.info()['require_pinned'], True)
        self.assertEqual(d.device('a')['baseline'], 'required')
        error, parameters = d.ask('AcceptBaseline', device='a')
        self.assertEqual(error, 'StateError')
        self.assertIn('/etc/fwadmit/baselines', parameters['message'])
        self.assertNotIn('baselines', os.listdir(self.state))

    def test_no_state(self):
        with open(self.state, 'w'):
            pass
        d, a = self.start_fake('a')
        self.assertEqual(a.start(), [(BASELINE, 'none', None)])

    def accept_baseline(self, d, **parameters):
        c = self.control(d)
        c.send(json.dumps({'method': 'org.fwadmit.Control.AcceptBaseline',
                           'parameters': {'device': 'a', **parameters}}).encode() + b'\0')
        return c

    def test_accept(self):
        d, a, b = self.start_fake('a', 'b')
        a.start()
        b.start(serial='2')
        d.wait_state('b', 'ready')
        a.introduce(declares=b'new')
        self.assertEqual(a.hear(), (BASELINE, 'seen', b'declares'))
        new = hashlib.sha256(b'new').hexdigest()
        wait_until(lambda: d.device('a')['declarations_digest'] == new, 'digest')
        self.assertEqual(d.ask('AcceptBaseline', device='a', declarations_digest='0' * 64),
                         ('Changed', {'device': 'a', 'declarations_digest': new}))
        events = self.subscribe(d)
        c = self.accept_baseline(d, declarations_digest=new)
        for w in a, b:  # b is of the same model: it is held to the new one, too
            self.assertEqual(w.hear(), (BASELINE, 'accepted', b'new'))
            self.assertEqual(w.hear()[0], POLICY)
        self.event(events, 'baseline_accepted', 'a')
        a.say(POLICY_OK)
        c.sock.settimeout(0.3)
        self.assertRaises(TimeoutError, c.next)
        c.sock.settimeout(DEADLINE)
        b.say(POLICY_OK)
        self.assertEqual(c.next(), {'parameters': {'digest': new}})
        d.end(signal.SIGKILL)
        d, a = self.start_fake('a')
        self.assertEqual(a.start(), [(BASELINE, 'accepted', b'new')])

    def test_findings(self):
        d, a, b, c = self.start_fake('a', 'b', 'c')
        events = self.subscribe(d)
        a.start()
        b.start(serial='2', declares=b'others')
        c.start(serial='3', firmware='fw2', declares=b'others')
        self.assertIn('than a', self.event(events, 'finding', 'b')['text'])
        d.wait_state('c', 'ready')
        self.assertEqual(d.device('a')['findings'], ['declares other commands than b, of the same model and firmware'])
        self.assertEqual(d.device('b')['findings'], ['declares other commands than a, of the same model and firmware'])
        self.assertEqual(d.device('c')['findings'], [])

    def test_one_odd_of_many(self):
        """It is said once, and of the odd one, whenever it comes."""
        for odd in 0, 5:
            names = 'abcdef'
            d, *workers = self.start_fake(*names)
            for i, w in enumerate(workers):
                w.start(serial=str(i), declares=b'odd' if i == odd else b'declares')
            for name in names:
                d.wait_state(name, 'ready')
            first, second, third = [n for n in names if n != names[odd]][:3]
            self.assertEqual(d.device(names[odd])['findings'],
                             [f'declares other commands than {first}, {second}, {third} and 2 more, '
                              'of the same model and firmware'])
            for name in names.replace(names[odd], ''):
                self.assertEqual(d.device(name)['findings'], [])
            self.assertEqual(d.log().count('declares other commands'), 1, d.log())
            d.end(signal.SIGKILL)
            await_journal(os.path.join(self.state, 'journal'))
            shutil.rmtree(self.state)

    def test_get_profile(self):
        d, a = self.start_fake('a')
        self.assertEqual(d.ask('GetProfile', device='a'), ('NotReady', {'device': 'a'}))
        big = os.urandom(4 << 20)
        a.start(profile=big)
        d.wait_state('a', 'ready')
        answer = d.ask('GetProfile', device='a')
        self.assertEqual(base64.b64decode(answer['profile']), big)
        self.assertEqual(answer['digest'], hashlib.sha256(big).hexdigest())
        self.assertEqual(answer['declarations_digest'], hashlib.sha256(b'declares').hexdigest())
        # What waits to be sent is bounded; then the gate is busy, and goes on.
        request = json.dumps({'method': 'org.fwadmit.Control.GetProfile', 'parameters': {'device': 'a'}}).encode() + b'\0'
        clients = [self.control(d) for _ in range(12)]
        for c in clients:
            c.send(request)
        time.sleep(0.5)
        answers = [m for c in clients if (m := c.next())]  # who reads too late, on a busy machine, is cut off
        self.assertTrue(any(m.get('error') == 'org.fwadmit.Control.Busy' for m in answers))
        self.assertTrue(any('parameters' in m and 'profile' in m['parameters'] for m in answers))

    def test_reprofile(self):
        d, a = self.start_fake('a')
        a.start()
        d.wait_state('a', 'ready')
        request = json.dumps({'method': 'org.fwadmit.Control.Reprofile', 'parameters': {'device': 'a'}}).encode() + b'\0'
        c = self.control(d)
        c.send(request)
        self.assertEqual(a.hear(), (REPROFILE, '', None))
        self.assertEqual(d.ask('Reprofile', device='a'), ('Busy', {}))
        a.introduce()
        self.assertEqual(a.hear(), (BASELINE, 'seen', b'declares'))
        self.assertEqual(c.next(), {'parameters': {}})
        c.send(request)
        self.assertEqual(a.hear()[0], REPROFILE)
        a.close()
        self.assertEqual(c.next(), {'error': 'org.fwadmit.Control.NotReady', 'parameters': {'device': 'a'}})


class Quarantine(FakeCase):
    def test_by_an_operator(self):
        d, a, b = self.start_fake('a', 'b')
        self.assertEqual(d.ask('Quarantine', device='a', reason='smoke'), ('NotReady', {'device': 'a'}))
        a.start()
        b.start(serial='2')
        d.wait_state('a', 'ready')
        c = self.control(d)
        c.send(json.dumps({'method': 'org.fwadmit.Control.Quarantine',
                           'parameters': {'device': 'a', 'reason': 'smoke'}}).encode() + b'\0')
        self.assertEqual(a.hear(), (QUARANTINE, 'operator: smoke', None))
        self.assertEqual(a.hear()[0], POLICY)
        c.sock.settimeout(0.3)
        self.assertRaises(TimeoutError, c.next)  # in force when it is answered
        c.sock.settimeout(DEADLINE)
        a.say(POLICY_OK)
        self.assertEqual(c.next(), {'parameters': {}})
        device = d.device('a')
        self.assertEqual((device['state'], device['quarantine']), ('quarantined', 'smoke'))
        whose = {k: device['quarantine_' + k] for k in ('cause', 'by', 'since')}
        self.assertEqual((whose['cause'], whose['by']), ('operator', os.getuid()))
        self.assertLess(abs(whose['since'] - time.time()), 60)
        self.assertEqual(d.ask('Reprofile', device='a'), ('NotReady', {'device': 'a'}))
        self.assertEqual(d.device('b')['state'], 'ready')
        # The next worker, and the next daemon, where the device has another name and firmware.
        a.close()
        a = self.accept()
        self.assertEqual(a.start()[0], (QUARANTINE, 'operator: smoke', None))
        d.end(signal.SIGKILL)
        d, x = self.start_fake('x')
        self.assertEqual(x.start(firmware='fw2')[0], (QUARANTINE, 'operator: smoke', None))
        device = d.wait_state('x', 'quarantined')
        self.assertEqual({k: device['quarantine_' + k] for k in whose}, whose)
        # What comes under the old name is another device.
        x.close()
        x = self.accept()
        self.assertEqual(x.start(serial='3'), [(BASELINE, 'seen', b'declares')])
        self.assertEqual(d.wait_state('x', 'ready')['serial'], '3')
        x.close()
        x = self.accept()
        x.start()
        d.wait_state('x', 'quarantined')
        wait_until(lambda: d.info()['journal']['state'] == 'ok', 'the one before writes the journal yet')
        c = self.control(d)
        c.send(b'{"method":"org.fwadmit.Control.Release","parameters":{"device":"x"}}\0')
        self.assertEqual(x.hear(), (RELEASE, '', None))
        self.assertEqual(x.hear()[0], POLICY)
        x.say(POLICY_OK)
        self.assertEqual(c.next(), {'parameters': {}})
        self.assertEqual(d.ask('Release', device='x'), ('NotQuarantined', {'device': 'x'}))
        self.assertEqual(os.listdir(os.path.join(self.state, 'quarantine')), [])

    def test_all_that_say_that_they_are_it(self):
        d, a, b = self.start_fake('a', 'b')
        a.start()
        b.start()
        d.wait_state('b', 'ready')
        d.wait_state('a', 'ready')
        events = self.subscribe(d)
        a.say(QUARANTINED, 'time-out: it did not answer')
        self.assertIn('with a', self.event(events, 'quarantined', 'b')['text'])
        for w in a, b:
            self.assertEqual(w.hear(), (QUARANTINE, 'time-out: it did not answer', None))
        device = d.wait_state('b', 'quarantined')
        self.assertEqual((device['quarantine'], device['quarantine_cause']), ('it did not answer', 'time-out'))
        self.assertNotIn('quarantine_by', device)

    def test_by_the_worker(self):
        for text, told, reason in (('garbage: nonsense', 'garbage: nonsense', 'nonsense'),
                                   ('whatever', 'garbage: whatever', 'whatever'),
                                   ('operator: not you', 'garbage: operator: not you', 'operator: not you'),
                                   ('time-out', 'time-out: time-out', 'time-out'),
                                   ('garbage: a\x1b[31m\nb', 'garbage: a?[31m?b', 'a?[31m?b')):
            with self.subTest(text):
                d, a = self.start_fake('a')
                events = self.subscribe(d)
                a.start()
                self.event(events, 'device_ready')
                a.say(QUARANTINED, text)
                self.assertEqual(a.hear(), (QUARANTINE, told, None))
                self.event(events, 'quarantined', 'a')
                self.assertEqual(d.wait_state('a', 'quarantined')['quarantine'], reason)
                d.end(signal.SIGKILL)
                d, a = self.start_fake('a')
                self.assertEqual(a.start()[0], (QUARANTINE, told, None))
                d.end(signal.SIGKILL)
                await_journal(os.path.join(self.state, 'journal'))
                shutil.rmtree(self.state)

    def test_changed_before_our_eyes(self):
        d, a = self.start_fake('a')
        a.start()
        d.wait_state('a', 'ready')
        a.introduce(serial='2')
        self.assertEqual(a.hear()[0], QUARANTINE)
        wait_until(lambda: len(os.listdir(os.path.join(self.state, 'quarantine'))) == 2, 'not both')
        a.close()
        a = self.accept()  # as which of the two it comes back makes no difference
        self.assertEqual(a.start()[0][0], QUARANTINE)
        a.close()
        a = self.accept()
        self.assertEqual(a.start(serial='2')[0][0], QUARANTINE)

    def test_records(self):
        """A record that cannot be read counts; what is none is left alone; what a crash left goes."""
        d, a = self.start_fake('a')
        a.start()
        d.wait_state('a', 'ready')
        a.say(QUARANTINED, 'garbage: x')
        d.wait_state('a', 'quarantined')
        d.end(signal.SIGKILL)
        directory = os.path.join(self.state, 'quarantine')
        name, = os.listdir(directory)
        self.assertEqual(name, hashlib.sha256(b'nvme\0ACME\0Drive\x001\0').hexdigest())
        path = os.path.join(directory, name)
        with open(path) as f:
            self.assertIn('cause = garbage\nreason = x\ndevice = nvme ACME Drive, serial 1\nsince = ', f.read())
        for data in b'', b'\0' * 10, os.urandom(5000), b'cause = ' + b'x' * 500 + b'\nreason = \x1b\xff\n':
            with open(path, 'wb') as f:
                f.write(data)
            for other in '.new-abcdef', 'README', 'x' * 64:
                with open(os.path.join(directory, other), 'w'):
                    pass
            d, a = self.start_fake('a')
            self.assertEqual(a.start()[0][0], QUARANTINE)
            self.assertTrue(d.wait_state('a', 'quarantined')['quarantine'].isprintable())
            d.end(signal.SIGKILL)
            self.assertEqual(sorted(os.listdir(directory)), sorted([name, 'README', 'x' * 64]))

    def test_unknown_quarantine(self):
        """When it is not known who is quarantined nobody is served."""
        os.mkdir(self.state, 0o700)
        with open(os.path.join(self.state, 'quarantine'), 'w'):
            pass
        self.fails(1, 'who is quarantined is not known')


class Reports(FakeCase):
    def test_state(self):
        d, a = self.start_fake('a')
        events = self.subscribe(d)
        a.start()
        d.wait_state('a', 'ready')
        self.assertNotIn('sessions', d.device('a'))
        a.say(STATE, 'sessions=3\nqueued=2\ndrift=4\nlease_kind=background\nlease_uid=1000\nlease_pid=77\n'
                     'lease_command=cxl 4400h sanitize\nlease_percent=12\nlease_since=3600\nsomething_new=x\n')
        self.assertIn('4 of its declarations', self.event(events, 'baseline_drift', 'a')['text'])
        device = d.device('a')
        self.assertEqual({k: device[k] for k in ('sessions', 'queued', 'drift', 'lease')},
                         {'sessions': 3, 'queued': 2, 'drift': 4,
                          'lease': {'kind': 'background', 'uid': 1000, 'pid': 77, 'command': 'cxl 4400h sanitize',
                                    'percent': 12, 'since': 3600}})
        if os.geteuid() == 0:  # whose it is, is for operators
            os.chmod(self.base, 0o755)
            other, finish = as_user(STRANGER, STRANGER, [], lambda: d.device('a'))
            finish()
            self.assertEqual(other['lease'], {'kind': 'background', 'command': 'cxl 4400h sanitize', 'percent': 12,
                                              'since': 3600})
        a.say(STATE, 'sessions=3\nqueued=0\ndrift=0')
        wait_until(lambda: 'lease' not in d.device('a'), 'still a lease')
        a.say(STATE, 'lease_kind=x\x1b[1m' + 'y' * 100 + '\nlease_command=\xff\n')
        lease = wait_until(lambda: d.device('a').get('lease'), 'no lease')
        self.assertTrue(lease['kind'].isprintable() and len(lease['kind']) < 32)
        self.assertTrue(lease['command'].isprintable())

    def test_nonsense(self):
        """A worker that says what it cannot mean is killed; the others do not notice."""
        def unsealed(data):
            fd = os.memfd_create('x')
            os.write(fd, data)
            return fd
        who = 'nvme\nACME\nDrive\n1\nfw\n12'
        cases = ((IDENTITY, who), (IDENTITY, who, unsealed(b'x')), (IDENTITY, who, sealed(b'')),
                     (IDENTITY, who, sealed(bytes((4 << 20) + 1))), (IDENTITY, '', sealed(b'x')),
                     (IDENTITY, 'nvme\nACME\nDrive\n1\nfw', sealed(b'x')), (IDENTITY, who + '\nx', sealed(b'x')),
                     (IDENTITY, 'x' * 64 + who, sealed(b'x')), (IDENTITY, who + 'x', sealed(b'x')),
                     (IDENTITY, 'nvme\nACME\nDrive\n1\nfw\n-1', sealed(b'x')),
                     (DECLARATIONS, '', sealed(b'x')), (READY, 'too early'), (POLICY_OK,), (POLICY_BAD, 'x'),
                     (POLICY,), (BASELINE, 'none'), (QUARANTINE,), (RELEASE,), (REPROFILE,), (REMOVED,), (16,), (18,),
                     (0,), (65535,), (STATE, 'x'), (STATE, 'sessions=x'), (STATE, 'sessions=-1'),
                     (STATE, 'sessions=4294967296'), (STATE, 'lease_percent=101'), (STATE, 'lease_since='),
                     (STATE, '=\n=\nx'))
        d, *workers, good = self.start_fake(*['x%d' % i for i in range(len(cases))], 'good')
        good.start()
        for w, what in zip(workers, cases):
            with self.subTest(what[:2]):
                w.say(*what)
                self.assertTrue(w.is_over())
                self.assertIn('%s: worker %d sends nonsense: killed' % (w.name, w.pid), d.log())
        self.assertEqual(d.wait_state('good', 'ready')['restarts'], 0)

    def test_nonsense_later(self):
        for what in ([(READY, 'again')], [(FAILED, 'late')], [(DECLARATIONS, '', 'x')], [(GONE,), (GONE,)],
                     [(IDENTITY, 'nvme\nACME\nDrive\n1\nfw\n12', 'x'), (DECLARATIONS, '', 'x' * 400000)]):
            with self.subTest(what):
                d, a = self.start_fake('a')
                a.start()
                for kind, text, *data in [(*w, '')[:2] if len(w) < 3 else w for w in what]:
                    a.say(kind, text, *[sealed(x.encode()) for x in data])
                self.assertTrue(a.is_over())
                self.assertIn('sends nonsense: killed', d.log())
                d.end(signal.SIGKILL)
                a.close()

    def test_short_and_long_messages(self):
        for header, text in ((b'\1', b''), (b'\1\0\0', b''), (struct.pack('<HH', READY, 0), b'x' * 1025)):
            d, a = self.start_fake('a')
            a.say(0, text, header=header)
            self.assertTrue(a.is_over())
            d.end(signal.SIGKILL)
            a.close()

    def test_introductions_are_few(self):
        d, a = self.start_fake('a')
        a.start()
        with self.assertRaises((BrokenPipeError, ConnectionResetError)):
            for i in range(1000):
                a.introduce(firmware='fw%d' % i)
        self.assertLessEqual(len(os.listdir(os.path.join(self.state, 'baselines', 'seen'))), 16)

    def test_read_again_as_often_as_clients_like(self):
        """It is no nonsense; and however much a worker has to say, the others are heard."""
        d, a, b = self.start_fake('a', 'b')
        a.start()
        b.start(serial='2')
        d.wait_state('b', 'ready')
        for i in range(40):
            a.introduce(declares=b'declares %d' % (i % 3))
            self.assertEqual(a.hear()[0], BASELINE)
        a.control.settimeout(0)
        flood, end, longest = 0, time.monotonic() + 2, 0
        while time.monotonic() < end:
            try:
                while True:
                    a.say(STATE, 'sessions=%d\n' % flood)
                    flood += 1
            except BlockingIOError:
                pass
            begun = time.monotonic()
            d.info()
            longest = max(longest, time.monotonic() - begun)
            time.sleep(0.01)
        self.assertLess(flood, 64 * 4 + 2000)  # what was heard, and what the socket holds
        self.assertLess(longest, 2)
        self.assertEqual((d.device('a')['restarts'], d.device('b')['restarts']), (0, 0))

    def test_text_is_cleaned(self):
        d, a = self.start_fake('a')
        a.say(IDENTITY, b'nvme\nAC\x1bME\n../../etc/x\n\xff\xfe\nfw\t1\n12', sealed(b'x'))
        a.say(DECLARATIONS, b'', sealed(b'y'))
        self.assertEqual(a.hear()[0], BASELINE)
        a.say(READY, 'a\n<3>fake: line\x1b[2J')
        device = d.wait_state('a', 'ready')
        for value in device.values():
            if isinstance(value, str):
                self.assertTrue(value.isprintable(), value)
        self.assertNotIn('\x1b', d.log())
        self.assertNotIn('\n<3>', d.log())
        for name in os.listdir(os.path.join(self.state, 'baselines', 'seen')):
            self.assertRegex(name, '^[0-9a-f]{64}$')

    def test_no_such_device_is_not_tried_again(self):
        d, a = self.start_fake('a')
        events = self.subscribe(d)
        a.say(NO_DEVICE, 'no such thing')
        a.close()
        self.assertEqual(self.event(events, 'device_failed', 'a')['text'], 'no such thing')
        device = d.wait_state('a', 'failed')
        self.assertEqual(device['restarts'], 0)
        self.assertEqual(device['about'], 'no such thing')

    def test_gone(self):
        d, a = self.start_fake('a')
        events = self.subscribe(d)
        a.start()
        a.say(GONE)
        self.event(events, 'device_gone', 'a')
        self.assertEqual(d.device('a')['state'], 'gone')
        self.assertEqual(d.ask('GetProfile', device='a'), ('NotReady', {'device': 'a'}))


if __name__ == '__main__':
    unittest.main()
