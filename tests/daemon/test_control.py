#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fwadmitd's control plane: FWADMITD as the first argument. Who may is tested where we are root."""
import hashlib
import json
import os
import signal
import socket
import time
import unittest

from common import CONTROL, DEADLINE, SERVICE, Case, Daemon, wait_until

INTERFACE = os.path.join(os.path.dirname(__file__), '../../spec/org.fwadmit.Control.varlink')
GOOD = b'{"method":"org.fwadmit.Control.GetInfo"}\0'
CHANGES = {
    'Reload': {},
    'Quarantine': {'device': 'a', 'reason': 'x'},
    'Release': {'device': 'a'},
    'Reprofile': {'device': 'a'},
    'AcceptBaseline': {'device': 'a'},
    'CreateGrant': {'user': ['0'], 'device': ['a'], 'scope': 'configuration', 'seconds': 60},
    'RevokeGrant': {'name': 'x'},
    'ImportAdvisory': {'document': 'e30='},
    'RemoveAdvisory': {'id': 'x'},
}
STRANGER, MEMBER, OTHERS = 64001, 64002, range(64010, 64020)
is_root = unittest.skipUnless(os.geteuid() == 0, 'needs root')


def as_user(uid, gid, groups, run):
    """What @run returns, in a process of that user; with a function that ends it."""
    out, into = os.pipe()
    wait, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(end)
            os.setgroups(groups)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            os.write(into, json.dumps(run()).encode())
            os.close(into)
            os.read(wait, 1)
        finally:
            os._exit(0)
    os.close(into)
    os.close(wait)
    with open(out, 'rb') as f:
        result = json.loads(f.read())

    def finish():
        os.close(end)
        os.waitpid(pid, 0)
    return result, finish


def message(method, parameters=None, **more):
    name = method if '.' in method else CONTROL + method
    return json.dumps({'method': name, 'parameters': parameters or {}, **more}).encode() + b'\0'


class Connection:
    def __init__(self, d):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(d.path('control'))
        self.got = b''

    def send(self, data):
        self.sock.sendall(data)

    def next(self):
        while b'\0' not in self.got:
            more = self.sock.recv(1 << 20)
            if not more:
                return None
            self.got += more
        text, self.got = self.got.split(b'\0', 1)
        return json.loads(text)

    def close(self):
        self.sock.close()


class Case(Case):
    def control(self, d):
        c = Connection(d)
        self.addCleanup(c.close)
        return c

    def subscribe(self, d):
        c = self.control(d)
        c.send(message('Subscribe', more=True))
        self.assertEqual(c.next()['parameters']['event'], 'subscribed')
        return c

    def event(self, c, event, device=None):
        """The next event that is called so."""
        while True:
            m = c.next()
            self.assertIsNotNone(m, 'no event ' + event)
            self.assertIs(m['continues'], True)
            p = m['parameters']
            if p['event'] == event and (device is None or p['device'] == device):
                return p


class Service(Case):
    def test_service(self):
        d = self.start()
        d.wait_there()
        info = d.ask(SERVICE + 'GetInfo')
        self.assertEqual(set(info), {'vendor', 'product', 'version', 'url', 'interfaces'})
        self.assertEqual(info['interfaces'], ['org.varlink.service', 'org.fwadmit.Control'])
        with open(INTERFACE) as f:
            self.assertEqual(d.ask(SERVICE + 'GetInterfaceDescription', interface='org.fwadmit.Control'),
                             {'description': f.read()})
        text = d.ask(SERVICE + 'GetInterfaceDescription', interface='org.varlink.service')
        self.assertIn('interface org.varlink.service', text['description'])
        self.assertEqual(d.ask(SERVICE + 'GetInterfaceDescription', interface='com.example'),
                         (SERVICE + 'InterfaceNotFound', {'interface': 'com.example'}))

    def test_every_method_of_the_interface_is_there(self):
        d = self.start()
        d.wait_there()
        with open(INTERFACE) as f:
            methods = [line.split('(')[0].split()[1] for line in f if line.startswith('method ')]
        self.assertEqual(len(methods), 15)
        for method in methods:
            answer = d.ask(method, no_such_parameter=1)
            self.assertEqual(answer, (SERVICE + 'InvalidParameter', {'parameter': 'no_such_parameter'}))

    def test_unknown(self):
        d = self.start()
        d.wait_there()
        self.assertEqual(d.ask('Nothing'), (SERVICE + 'MethodNotFound', {'method': CONTROL + 'Nothing'}))
        self.assertEqual(d.ask('com.example.X'), (SERVICE + 'InterfaceNotFound', {'interface': 'com.example'}))
        self.assertEqual(d.call(b'{"method":"X"}\0'), {'error': SERVICE + 'InterfaceNotFound',
                                                       'parameters': {'interface': 'X'}})

    def test_list_devices(self):
        d = self.start_two()
        devices = d.ask('ListDevices')['devices']
        self.assertEqual(devices, d.info()['devices'])
        for device in devices:
            self.assertEqual(device['findings'], [])

    def test_reload(self):
        d = self.start_two()
        events = self.subscribe(d)
        digest = d.info()['policy_digest']
        self.assertEqual(d.ask('Reload'), {'policy_digest': digest})
        self.event(events, 'policy_reloaded')
        gate = self.connect(d, 'a')
        self.write_policy('# nothing\n')
        answer = d.ask('Reload')
        self.assertNotEqual(answer['policy_digest'], digest)
        self.assertEqual(gate.describe()['digest'], answer['policy_digest'])  # at once: it is in force
        self.write_policy('[grant x]\nscopes = x\n')
        error, parameters = d.ask('Reload')
        self.assertEqual(error, 'PolicyError')
        self.assertIn("test.conf:2: unknown key 'scopes'", parameters['message'])
        self.assertIn("unknown key 'scopes'", self.event(events, 'policy_refused')['text'])
        self.assertEqual(gate.describe()['digest'], answer['policy_digest'])

    def test_many_reloads_at_once(self):
        d = self.start_two()
        clients = [self.control(d) for _ in range(20)]
        for c in clients:
            c.send(message('Reload') * 3)
        digest = d.info()['policy_digest']
        for c in clients:
            for _ in range(3):
                self.assertEqual(c.next(), {'parameters': {'policy_digest': digest}})

    def test_reload_waits_for_every_worker(self):
        d = self.start_two()
        os.kill(d.device('a')['pid'], signal.SIGSTOP)
        c = self.control(d)
        c.send(message('Reload'))
        c.sock.settimeout(0.5)
        self.assertRaises(TimeoutError, c.next)
        self.assertEqual(len(d.info()['devices']), 2)  # nobody else waits
        c.sock.settimeout(DEADLINE)
        os.kill(d.device('a')['pid'], signal.SIGCONT)
        self.assertIn('parameters', c.next())

    def test_nobody_waits_for_a_worker_that_does_not_hear(self):
        """More is said to it than its socket holds: it is killed, and the daemon goes on at once."""
        d = self.start_two()
        pid = d.device('a')['pid']
        os.kill(pid, signal.SIGSTOP)
        c = self.control(d)
        c.send(message('AcceptBaseline', {'device': 'a'}, oneway=True) * 400)
        end, longest = time.monotonic() + DEADLINE, 0
        while 'a: worker %d cannot be told' % pid not in d.log():
            begun = time.monotonic()
            self.assertLess(begun, end)
            d.info()
            longest = max(longest, time.monotonic() - begun)
        self.assertLess(longest, 5)  # and not the ten seconds that a worker has for a policy
        wait_until(lambda: d.device('a').get('pid') not in (None, pid), 'no other worker')
        self.assertEqual(d.device('b')['restarts'], 0)

    def test_worker_that_does_not_take_a_policy_is_killed(self):
        d = self.start_two()
        pid = d.device('a')['pid']
        os.kill(pid, signal.SIGSTOP)
        self.assertIn('policy_digest', d.ask('Reload'))  # after some ten seconds
        self.assertIn('a: worker %d does not take its policy in time: killed' % pid, d.log())
        self.assertNotEqual(d.wait_state('a', 'ready')['pid'], pid)


class Grants(Case):
    """The policy names nobody: what the gate's description shows are the grants for a time."""

    def setUp(self):
        super().setUp()
        self.write_policy('# nobody\n')
        self.me = str(os.geteuid())

    def create(self, d, **terms):
        answer = d.ask('CreateGrant', **{'user': [self.me], 'device': ['a'], 'scope': 'debug-read-only',
                                         'seconds': 600, **terms})
        if isinstance(answer, tuple):
            return answer
        return answer['grant']

    def test_life(self):
        d = self.start_two()
        events = self.subscribe(d)
        gate, other = self.connect(d, 'a'), self.connect(d, 'b')
        self.assertEqual(gate.describe()['grants'], 0)
        before = time.time()
        grant = self.create(d, name='night', ticket='CHG-1234', effects=['config', 'log'], max_sessions=2,
                            scope='debug-write-full', commands='get-log, !0x4302', commands_per_second=10,
                            bytes_per_second=1 << 20, record='payload')
        self.assertEqual(gate.describe()['grants'], 1)  # in force when it is answered
        self.assertEqual(other.describe()['grants'], 0)
        self.assertTrue(before - 1 <= grant.pop('created') <= time.time())
        self.assertTrue(before + 599 <= grant.pop('until') <= time.time() + 601)
        self.assertTrue(590 <= grant.pop('seconds_left') <= 600)
        self.assertEqual(grant, {
            'name': 'night', 'user': [self.me], 'group': [], 'unit': [], 'device': ['a'], 'scope': 'debug-write-full',
            'effects': ['config', 'log'], 'commands': 'get-log, !0x4302', 'ticket': 'CHG-1234',
            'commands_per_second': 10, 'bytes_per_second': 1 << 20, 'max_sessions': 2, 'record': 'payload',
            'created_by': os.geteuid()})
        self.assertEqual(self.event(events, 'grant_created')['text'], 'night')
        self.assertEqual([g['name'] for g in d.ask('ListGrants')['grants']], ['night'])
        self.assertEqual(d.info()['policy_grants'], 1)
        self.assertEqual(d.ask('RevokeGrant', name='night'), {})
        self.assertEqual(gate.describe()['grants'], 0)
        self.assertEqual(self.event(events, 'grant_revoked')['text'], 'night')
        self.assertEqual(d.ask('ListGrants'), {'grants': []})
        self.assertEqual(d.ask('RevokeGrant', name='night'), ('NoSuchGrant', {'name': 'night'}))

    def test_names_are_made_up(self):
        d = self.start_two()
        first, second = self.create(d), self.create(d)
        self.assertNotEqual(first['name'], second['name'])
        self.assertEqual(sorted(g['name'] for g in d.ask('ListGrants')['grants']),
                         sorted((first['name'], second['name'])))

    def test_ends(self):
        d = self.start_two()
        events = self.subscribe(d)
        gate = self.connect(d, 'a')
        self.create(d, name='short', seconds=2)
        self.create(d, name='long')
        self.assertEqual(gate.describe()['grants'], 2)
        self.assertEqual(self.event(events, 'grant_ended')['text'], 'short')
        self.event(events, 'policy_reloaded')
        wait_until(lambda: gate.describe()['grants'] == 1, 'still there')
        self.assertEqual([g['name'] for g in d.ask('ListGrants')['grants']], ['long'])
        self.assertEqual(os.listdir(os.path.join(self.state, 'grants')), ['long.conf'])

    def test_survives(self):
        d = self.start_two()
        kept = self.create(d, name='kept')
        self.create(d, name='short', seconds=1)
        d.end(signal.SIGKILL)
        time.sleep(1.1)
        d = self.start_two()
        self.assertEqual(self.connect(d, 'a').describe()['grants'], 1)
        grant, = d.ask('ListGrants')['grants']
        self.assertLess(grant['seconds_left'], kept['seconds_left'])
        self.assertEqual({**grant, 'seconds_left': 0}, {**kept, 'seconds_left': 0})

    def test_invalid(self):
        d = self.start_two()
        self.create(d, name='taken')
        for terms in ({'name': '../x'}, {'name': 'x]'}, {'name': '.x'}, {'name': 'taken'}, {'scope': 'x'}, {'effects': ['x']},
                      {'user': ['x,y']}, {'user': ['#x']}, {'device': ['a ; b']}, {'commands': 'x'},
                      {'commands': ',' * 100}, {'ticket': 'x' * 64}, {'record': 'x'}, {'group': ['0']}, {'unit': ['x.service']},
                      {'user': None}, {'user': None, 'group': ['0'], 'unit': ['x.service']}):
            with self.subTest(terms):
                error, parameters = self.create(d, **terms)
                self.assertEqual(error, 'InvalidGrant')
                self.assertTrue(parameters['message'].isprintable())
        self.assertEqual([g['name'] for g in d.ask('ListGrants')['grants']], ['taken'])
        self.assertEqual(os.listdir(os.path.join(self.state, 'grants')), ['taken.conf'])

    def test_policy_with_an_error(self):
        d = self.start_two()
        events = self.subscribe(d)
        gate = self.connect(d, 'a')
        self.create(d, name='made')
        self.write_policy('[grant x]\nscopes = x\n')
        error, parameters = self.create(d, name='not-made')
        self.assertEqual(error, 'PolicyError')
        self.assertIn("unknown key 'scopes'", parameters['message'])
        self.assertEqual([g['name'] for g in d.ask('ListGrants')['grants']], ['made'])
        # What is revoked is revoked all the same.
        self.assertEqual(gate.describe()['grants'], 1)
        digest = d.info()['policy_digest']
        self.assertEqual(gate.describe()['digest'], digest)
        self.assertEqual(d.ask('RevokeGrant', name='made'), {})
        self.assertEqual(gate.describe()['grants'], 0)
        # It is not the policy that it was, and says so.
        info = d.info()
        self.assertEqual(info['policy_digest'], hashlib.sha256(bytes.fromhex(digest) + b'-made\n').hexdigest())
        self.assertEqual(info['policy_grants'], 0)
        self.assertEqual(gate.describe()['digest'], info['policy_digest'])
        self.event(events, 'policy_refused')
        os.kill(d.device('a')['pid'], signal.SIGKILL)
        self.assertEqual(self.connect(d, 'a').describe()['grants'], 0)

    def test_nowhere_to_write(self):
        with open(self.state, 'w'):
            pass
        d = self.start_two()
        self.assertEqual(d.log().count('are not remembered'), 1)
        self.assertNotIn('state_dir', d.info())
        self.assertEqual(self.create(d)[0], 'StateError')
        self.assertEqual(d.ask('ListGrants'), {'grants': []})
        self.assertEqual(d.ask('RevokeGrant', name='x'), ('NoSuchGrant', {'name': 'x'}))
        self.assertEqual(d.ask('AcceptBaseline', device='a')[0], 'StateError')
        self.assertEqual(d.device('a')['baseline'], 'none')
        error, parameters = d.ask('Quarantine', device='a', reason='x')
        self.assertEqual(error, 'StateError')
        self.assertIn('quarantined until fwadmitd ends', parameters['message'])
        self.assertEqual(d.device('a')['state'], 'quarantined')

    def test_state_that_others_write_to(self):
        os.mkdir(self.state)
        os.chmod(self.state, 0o777)
        d = self.start_two()
        self.assertIn(self.state + ': others may write to it', d.log())
        self.assertEqual(self.create(d)[0], 'StateError')


class Parameters(Case):
    def refused(self, d, parameter, request):
        answer = d.call(request)
        self.assertEqual(answer, {'error': SERVICE + 'InvalidParameter', 'parameters': {'parameter': parameter}},
                         request)

    def test_device(self):
        d = self.start_two()
        for method in 'GetProfile', 'Quarantine', 'Release', 'Reprofile', 'AcceptBaseline':
            rest = {'reason': 'x'} if method == 'Quarantine' else {}
            for bad in 3, None, [], ['a'], {}, True, '', 'x' * 65, 'a\n', 'a\0', '\x7f', 'ä':
                with self.subTest(method, device=bad):
                    self.refused(d, 'device', message(method, {'device': bad, **rest}))
            self.refused(d, 'device', message(method, rest))
            self.assertEqual(d.ask(method, device='nobody', **rest), ('NoSuchDevice', {'device': 'nobody'}))

    def test_twice(self):
        d = self.start_two()
        head = b'{"method":"org.fwadmit.Control.Quarantine","parameters":{'
        for body in (b'"device":"a","device":"b","reason":"x"', b'"device":"a","dev\\u0069ce":"b","reason":"x"',
                     b'"reason":"x","device":"a","device":"a"'):
            self.refused(d, 'device', head + body + b'}}\0')
        for body in (b'"device":"b","reason":{"a":1,"a":2}', b'"device":"b","reason":[{"a":1,"a":2}]'):
            self.assertIsNone(d.call(head + body + b'}}\0'))
        self.assertIsNone(d.call(b'{"method":"org.fwadmit.Control.GetInfo","method":"org.fwadmit.Control.GetInfo"}\0'))
        self.assertIsNone(d.call(b'{"method":"org.fwadmit.Control.GetInfo","parameters":{},"parameters":{}}\0'))
        # Keys inside of text are none.
        text = '","device":"b","device":"c'
        self.assertEqual(d.ask('Quarantine', device='nobody', reason=text)[0], 'NoSuchDevice')
        self.assertEqual(d.ask('Quarantine', device='nobody', reason='\\"\\":\\' + text)[0], 'NoSuchDevice')

    def test_others(self):
        d = self.start_two()
        for bad in None, '', 'x' * 257, 'a\nb', 'a\0', 1, []:
            self.refused(d, 'reason', message('Quarantine', {'device': 'a', 'reason': bad}))
        for bad in '', 'x' * 65, 1:
            self.refused(d, 'declarations_digest',
                         message('AcceptBaseline', {'device': 'a', 'declarations_digest': bad}))
        self.assertEqual(d.call(b'{"method":"org.fwadmit.Control.ListDevices","parameters":null}\0')
                         ['parameters'].keys(), {'devices'})

    def test_numbers(self):
        d = self.start_two()
        good = CHANGES['CreateGrant']
        for field in 'seconds', 'commands_per_second', 'bytes_per_second', 'max_sessions':
            for bad in 0, -1, 1 << 62, 1 << 63, 1 << 64, 10 ** 30, 1.5, '1', True, []:
                with self.subTest(field, value=bad):
                    self.refused(d, field, message('CreateGrant', {**good, field: bad}))
        self.refused(d, 'seconds', message('CreateGrant', {**good, 'seconds': None}))
        for field in 'user', 'group', 'unit', 'device', 'effects':
            for bad in 1, 'x', {}, [1], [''], ['a\n'], ['x' * 257], ['x'] * 65, [None], [['x']]:
                with self.subTest(field, value=bad):
                    self.refused(d, field, message('CreateGrant', {**good, field: bad}))


class Framing(Case):
    def test_nonsense(self):
        d = self.start_two()
        for request in (b'\0', b'{\0', b'[]\0', b'{}\0', b'{"method":3}\0', b'x' * 66000, b' ' * 65537,
                        b'{"method":"org.fwadmit.Control.GetInfo"}x\0', b'\xff\xfe\0',
                        b'{"a":' * 50 + b'\0', b'{"method":""}\0', b'{"method":"%s"}\0' % (b'x' * 129),
                        b'{"method":"a\\u0000b"}\0', b'{"method":"\xc3\x28"}\0',
                        b'{"method":"org.fwadmit.Control.GetInfo","parameters":[]}\0',
                        b'{"method":"org.fwadmit.Control.GetInfo","more":1}\0',
                        b'{"method":"org.fwadmit.Control.GetInfo","oneway":null}\0',
                        b'{"method":"org.fwadmit.Control.GetInfo","upgrade":"x"}\0',
                        b"{'method':'org.fwadmit.Control.GetInfo'}\0",
                        b'{"method":"org.fwadmit.Control.GetInfo",}\0',
                        b'{"method":"org.fwadmit.Control.GetInfo","x":1}\0',
                        b'{"method":"org.fwadmit.Control.GetInfo"} /* */\0'):
            with self.subTest(request[:60]):
                try:
                    self.assertIsNone(d.call(request))
                except (ConnectionResetError, BrokenPipeError):
                    pass
        self.assertEqual(len(d.info()['devices']), 2)

    def test_descriptors_are_not_taken(self):
        """Nothing here wants any, and to close one can take as long as whoever sent it likes."""
        d = self.start_two()
        for n in 1, 2, 200:
            with socket.socket(socket.AF_UNIX) as s, open('/dev/null') as f:
                s.settimeout(DEADLINE)
                s.connect(d.path('control'))
                try:
                    socket.send_fds(s, [GOOD], [f.fileno()] * n)
                    self.assertEqual(s.recv(1), b'')
                except (PermissionError, ConnectionResetError):  # since Linux 6.16 they cannot be sent
                    pass
            self.assertEqual(len(d.info()['devices']), 2)

    def test_many_members_and_one_twice(self):
        """What was given twice is looked for among a few members, or not at all: others are not kept waiting."""
        d = self.start_two()
        many = ','.join('"%x":1' % i for i in range(8000))[:64000].rsplit(',', 1)[0]
        request = '{"method":"org.fwadmit.Control.GetInfo","parameters":{%s,"z":{"a":1,"a":2}}}' % many
        start = time.monotonic()
        self.assertIsNone(d.call(request.encode() + b'\0'))
        self.assertLess(time.monotonic() - start, DEADLINE / 4)

    def test_longest(self):
        d = self.start_two()
        request = GOOD[:-1]
        request += b' ' * (65535 - len(request)) + b'\0'
        self.assertEqual(len(d.call(request)['parameters']['devices']), 2)

    def test_pieces_and_rows(self):
        d = self.start_two()
        c = self.control(d)
        for byte in GOOD:
            c.send(bytes([byte]))
        c.send(GOOD * 20)
        for _ in range(21):
            self.assertEqual(c.next()['parameters']['pid'], d.process.pid)

    def test_answers_are_in_order(self):
        d = self.start_two()
        c = self.control(d)
        c.send(message('Reload') + message('ListDevices') + message('Nothing') + message('Reload') +
               message('Subscribe', more=True) + message('GetInfo'))
        self.assertIn('policy_digest', c.next()['parameters'])
        self.assertIn('devices', c.next()['parameters'])
        self.assertIn('MethodNotFound', c.next()['error'])
        self.assertIn('policy_digest', c.next()['parameters'])
        self.assertEqual(c.next()['parameters']['event'], 'subscribed')
        d.ask('Reload')  # what follows Subscribe is not answered
        self.assertEqual(self.event(c, 'policy_reloaded')['event'], 'policy_reloaded')

    def test_oneway(self):
        d = self.start_two()
        c = self.control(d)
        c.send(message('GetInfo', oneway=True) + message('Subscribe', oneway=True, more=True) +
               message('Nothing', oneway=True) + message('ListDevices'))
        self.assertIn('devices', c.next()['parameters'])
        before = d.info()['policy_digest']
        self.write_policy('# nothing\n')
        c.send(message('Reload', oneway=True))
        c.close()
        wait_until(lambda: d.info()['policy_digest'] != before, 'not reloaded')

    def test_upgrade_and_more(self):
        d = self.start_two()
        self.assertEqual(d.call(message('GetInfo', upgrade=True)),
                         {'error': SERVICE + 'InvalidParameter', 'parameters': {'parameter': 'upgrade'}})
        self.assertEqual(d.call(message('Subscribe'))['error'], SERVICE + 'ExpectedMore')
        self.assertNotIn('continues', d.call(message('GetInfo', more=True)))

    def test_who_hangs_up_while_it_waits(self):
        d = self.start_two()
        os.kill(d.device('a')['pid'], signal.SIGSTOP)
        for _ in range(5):
            c = self.control(d)
            c.send(message('Reload'))
            c.close()
        time.sleep(0.2)
        os.kill(d.device('a')['pid'], signal.SIGCONT)
        self.assertIn('policy_digest', d.ask('Reload'))

    def test_daemon_ends_while_it_waits(self):
        d = self.start_two()
        os.kill(d.device('a')['pid'], signal.SIGSTOP)
        c = self.control(d)
        c.send(message('Reload'))
        time.sleep(0.1)
        self.assertEqual(d.end(), 0)
        self.assertIsNone(c.next())


class Places(Case):
    def test_silence_ends(self):
        d = self.start_two()
        c = self.control(d)
        start = time.monotonic()
        self.assertIsNone(c.next())
        self.assertLess(time.monotonic() - start, 10)

    def test_subscribers_may_be_silent(self):
        d = self.start_two()
        c = self.subscribe(d)
        time.sleep(6)
        d.ask('Reload')
        self.event(c, 'policy_reloaded')

    def test_places_are_bounded(self):
        d = self.start_two()
        held = [self.control(d) for _ in range(80)]
        self.assertIsNone(held[-1].next())
        self.assertIsNone(held[0].next())  # out of patience
        self.assertEqual(len(d.info()['devices']), 2)

    def test_slow_subscriber(self):
        d = self.start_two()
        slow, quick = self.subscribe(d), self.subscribe(d)
        slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self.write_policy('[grant x]\n' + 'x' * 190 + ' = 1\n')
        c = self.control(d)
        start = time.monotonic()
        for _ in range(3000):
            c.send(message('Reload'))
            self.assertIn('PolicyError', c.next()['error'])
            self.event(quick, 'policy_refused')
            if d.log_file.tell() > 1 << 24:
                break
        seen = 0
        while True:
            m = slow.next()
            if m is None or 'error' in m:
                break
            seen += 1
        if m:
            self.assertEqual(m['error'], CONTROL + 'TooSlow')
        else:  # on a busy machine: it had five seconds to take that
            self.assertGreater(time.monotonic() - start, 5)
        self.assertGreater(seen, 100)
        self.assertIsNone(slow.next())
        d.ask('Reload')
        self.event(quick, 'policy_refused')


@is_root
class Who(Case):
    def setUp(self):
        super().setUp()
        os.chmod(self.base, 0o755)

    def started_with_group(self):
        """A daemon on a machine that has the group of administrators."""
        with open('/etc/group') as f:
            text = f.read()
        group = os.path.join(self.base, 'group')
        with open(group, 'w') as f:
            f.write(text + '\nfwadmit-admin:x:64100:\n')
        d = Daemon(self.sockets, '--policy=' + self.policy, '--state-dir=' + self.state,
                   '--device=a=sim:honest', '--device=b=sim:honest',
                   prefix=['unshare', '-m', 'sh', '-c', 'mount --bind "$0" /etc/group && exec "$@"', group])
        self.addCleanup(d.log_file.close)
        self.addCleanup(d.end, signal.SIGKILL)
        d.wait_state('a', 'ready')
        d.wait_state('b', 'ready')
        return d

    def asks(self, d, requests, user, group, groups):
        answers, finish = as_user(user, group, groups, lambda: [d.call(r) for r in requests])
        finish()
        return answers

    def test_changes_are_for_administrators(self):
        d = self.started_with_group()
        requests = [message(name, parameters) for name, parameters in CHANGES.items()]
        for who in (dict(user=STRANGER, group=STRANGER, groups=[]),
                    dict(user=STRANGER, group=0, groups=[64099, 64101, 0])):
            for answer in self.asks(d, requests, **who):
                self.assertEqual(answer, {'error': CONTROL + 'NotAuthorized', 'parameters': {}})
            # Not even what is wrong with it is told.
            answer = self.asks(d, [message('RevokeGrant', {'x': 1})], **who)
            self.assertEqual(answer[0]['error'], CONTROL + 'NotAuthorized')
        self.assertEqual(d.device('a')['state'], 'ready')
        for who in (dict(user=MEMBER, group=MEMBER, groups=[64100]),
                    dict(user=MEMBER, group=64100, groups=[]),
                    dict(user=0, group=0, groups=[])):
            for answer in self.asks(d, requests, **who):
                self.assertNotEqual(answer.get('error'), CONTROL + 'NotAuthorized')

    def test_anybody_may_ask(self):
        d = self.started_with_group()
        requests = [message(m) for m in ('GetInfo', 'ListDevices', 'ListGrants', SERVICE + 'GetInfo')]
        requests.append(message('Subscribe', more=True))
        for answer in self.asks(d, requests, user=STRANGER, group=STRANGER, groups=[]):
            self.assertNotIn('error', answer)

    def occupy(self, d, uid, n):
        """How many of @n subscriptions the user got, which it keeps."""
        held = []

        def subscribe():
            for _ in range(n):
                held.append(Connection(d))
                try:
                    held[-1].send(message('Subscribe', more=True))
                except BrokenPipeError:
                    pass
            return sum(self.is_held(c) for c in held)
        got, finish = as_user(uid, uid, [], subscribe)
        self.addCleanup(finish)
        return got

    @staticmethod
    def is_held(c):
        try:
            return c.next() is not None
        except ConnectionResetError:
            return False

    def test_strangers_leave_places(self):
        d = self.start_two()
        self.assertEqual(self.occupy(d, STRANGER, 30), 8)
        self.assertEqual(self.occupy(d, MEMBER, 3), 3)  # one user does not use up the places of others
        held = sum(self.occupy(d, uid, 30) for uid in OTHERS)
        self.assertEqual(held, 40 - 8 - 3)
        self.assertEqual(d.ask('Reload').keys(), {'policy_digest'})  # and root has its own
        self.assertEqual(self.occupy(d, MEMBER, 1), 0)


if __name__ == '__main__':
    unittest.main()
