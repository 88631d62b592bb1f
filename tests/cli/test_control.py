#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The verbs that talk to fwadmitd's control socket, with a stand-in that says what no fwadmitd would."""
import json
import os
import socket
import subprocess
import threading
import time
import unittest

from common import FAILED, FWADMIT, NOT_FOUND, NOT_RUNNING, OK, REFUSED, USAGE, Case

CONTROL, SERVICE = 'org.fwadmit.Control.', 'org.varlink.service.'
GRANT = {'name': 'g-1', 'user': ['svc-fw', 'alice'], 'group': [], 'unit': [], 'device': ['nvme*'],
         'scope': 'debug-write-full', 'effects': ['data'], 'ticket': 'CHG-1234', 'created': 1000000000,
         'created_by': 0, 'until': 1000007200, 'seconds_left': 7140}
CREATE = ('grant', 'create', '--user=svc-fw', '--device=nvme*', '--effects=data', '--for=2h')
VERBS = (('status',), ('reprofile', 'mem0'), ('monitor',), ('grant', 'list'), ('grant', 'revoke', 'x'), ('quarantine', 'mem0'),
         ('release', 'mem0'), ('policy', 'reload'), CREATE)


class Control(Case):
    def setUp(self):
        super().setUp()
        self.requests = []
        self.count = 0

    def answer(self, *replies, hang=False):
        """A control socket that answers each request with these: objects, or bytes as they are."""
        self.count += 1
        where = self.path(f'run{self.count}')
        os.mkdir(where)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(where + '/control.sock')
        server.listen(8)

        def loop():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    data = b''
                    while not data.endswith(b'\0'):
                        data += client.recv(65536)
                    self.requests.append(json.loads(data[:-1]))
                    try:
                        for reply in replies:
                            client.sendall(reply if isinstance(reply, bytes)
                                           else json.dumps(reply).encode() + b'\0')
                        if hang:
                            client.recv(1)
                    except OSError:
                        pass

        def stop():
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            server.close()  # not before: another server could get its number

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        self.addCleanup(stop)
        return '--socket-dir=' + where

    def reply(self, **parameters):
        return self.answer({'parameters': parameters})

    def refuse(self, error, parameters):
        return self.answer({'error': error, 'parameters': parameters})

    def asked(self):
        """The last request; after CreateGrant the devices are asked for, too."""
        r = [r for r in self.requests if r['method'] != CONTROL + 'ListDevices'][-1]
        return r['method'], r.get('parameters')


class Refusals(Control):
    def test_each_error(self):
        for name, parameters, code, text in (
                (CONTROL + 'NotAuthorized', {}, REFUSED, 'root and members of group fwadmit-admin'),
                (SERVICE + 'PermissionDenied', {}, REFUSED, 'group fwadmit-admin'),
                (CONTROL + 'NoSuchDevice', {'device': 'mem9'}, NOT_FOUND, 'mem9: fwadmitd serves no such'),
                (CONTROL + 'NoSuchGrant', {'name': 'x'}, NOT_FOUND, 'x: no time-limited grant'),
                (CONTROL + 'InvalidGrant', {'message': "user: unknown 'bob'"}, USAGE, "unknown 'bob'"),
                (CONTROL + 'PolicyError', {'message': '/etc/x.conf:3: what'}, FAILED, '/etc/x.conf:3: what'),
                (CONTROL + 'Busy', {}, FAILED, 'try again'),
                (CONTROL + 'NotReady', {'device': 'mem0'}, FAILED, 'not served at the moment'),
                (CONTROL + 'NotQuarantined', {'device': 'mem0'}, FAILED, 'nothing to release'),
                (CONTROL + 'StateError', {'message': 'No space left'}, FAILED, 'No space left'),
                (CONTROL + 'TooSlow', {}, FAILED, 'start again'),
                (SERVICE + 'MethodNotFound', {'method': 'x.Y'}, FAILED, 'another version'),
                (SERVICE + 'InterfaceNotFound', {'interface': 'x.Y'}, FAILED, 'not fwadmitd'),
                (SERVICE + 'InvalidParameter', {'parameter': 'ticket'}, USAGE, 'ticket'),
                ('com.example.Odd', {}, FAILED, 'com.example.Odd')):
            where = self.refuse(name, parameters)
            for verb in VERBS:
                self.error(*verb, where, code=code, text=text)

    def test_errors_without_what_they_promise(self):
        for reply in ({'error': CONTROL + 'NoSuchDevice'}, {'error': CONTROL + 'PolicyError', 'parameters': 3},
                      {'error': CONTROL + 'InvalidGrant', 'parameters': {'message': ['x']}}, {'error': 7},
                      {'error': 'x' * 9000}, {'error': None}, {'error': 'a\nb\x1b[31m'}):
            where = self.answer(reply)
            for verb in VERBS:
                self.assertNotIn('\x1b', self.error(*verb, where, code=None) or '')

    def error(self, *args, code, **kw):
        if code is None:
            result = self.run_cli(*args, code=None)
            self.assertIn(result.code, (FAILED, USAGE, NOT_FOUND))
            self.assertRegex(result.err, r'\Afwadmit: [^\n]+\n\Z')
            return result.err
        return super().error(*args, code=code, **kw)

    def test_what_is_no_answer(self):
        deep = b'[' * 5000 + b']' * 5000
        for answer in (b'', b'\0', b'{}\0', b'[]\0', b'{"parameters":3}\0', b'{"parameters":{}',
                       b'{"parameters":' + deep + b'}\0', b'{"parameters":{}} x\0', b'\xff\xfe\0'):
            where = self.answer(answer)
            for verb in (('status',), ('reprofile', 'mem0'), ('monitor',), CREATE):
                self.error(*verb, where, code=FAILED)

    def test_an_answer_without_an_end(self):
        result = self.run_cli('status', self.answer(b'x' * (17 << 20)), code=FAILED)
        self.assertIn('too long', result.err)

    def test_an_answer_that_does_not_come(self):
        where = self.answer(b'{"parameters"', hang=True)
        began = time.monotonic()
        self.run_cli('status', where, '--timeout=200', code=FAILED)
        self.assertLess(time.monotonic() - began, 10)

    def test_nobody(self):
        for verb in VERBS:
            self.error(*verb, '--socket-dir=' + self.path('none'), code=NOT_RUNNING, text='not running')


class Grants(Control):
    def test_create(self):
        where = self.reply(grant=GRANT)
        o = self.json('grant', 'create', '--user=svc-fw, alice', '--device=nvme*', '--scope=debug-write-full',
                      '--effects=data', '--commands=format-nvm nsid:1', '--for=1d12h', '--ticket=CHG-1234',
                      '--name=g-1', '--commands-per-second=10', '--bytes-per-second=4M', '--max-sessions=2', where)
        self.assertEqual(o['grant'], GRANT)
        self.assertEqual(self.asked(), (CONTROL + 'CreateGrant', {
            'user': ['svc-fw', 'alice'], 'device': ['nvme*'], 'scope': 'debug-write-full', 'effects': ['data'],
            'commands': 'format-nvm nsid:1', 'seconds': 36 * 3600, 'ticket': 'CHG-1234', 'name': 'g-1',
            'commands_per_second': 10, 'bytes_per_second': 4 << 20, 'max_sessions': 2}))
        self.assertEqual(self.run_cli(*CREATE, where).out,
                         'grant g-1 is in force for 2h, until 2001-09-09T03:46:40Z; to end it now: '
                         'fwadmit grant revoke g-1\n')
        self.assertEqual(self.asked()[1], {'user': ['svc-fw'], 'device': ['nvme*'], 'effects': ['data'],
                                           'seconds': 7200})
        self.assertEqual(self.run_cli('-q', *CREATE, where).out, 'g-1\n')

    def test_spans(self):
        where = self.reply(grant=GRANT)
        for text, seconds in (('1s', 1), ('90m', 5400), ('2h', 7200), ('1d12h', 129600), ('1w2d3h4m5s', 788645),
                              ('366d', 366 * 86400), ('007m', 420)):
            self.run_cli(*CREATE[:-1], '--for=' + text, where)
            self.assertEqual(self.asked()[1]['seconds'], seconds)

    def test_mistakes(self):
        for args, text in (
                (('--device=x', '--effects=data', '--for=2h'), 'whom is the grant for'),
                (('--user=a', '--group=b', '--device=x', '--effects=data', '--for=2h'), 'make two grants'),
                (('--user=a', '--effects=data', '--for=2h'), 'on which device'),
                (('--user=a', '--device=x', '--for=2h'), 'what may be done'),
                (('--user=a', '--device=x', '--effects=data'), 'for how long'),
                (('--user=,', '--device=x', '--effects=data', '--for=2h'), 'nothing'),
                (('--user=', '--device=x', '--effects=data', '--for=2h'), 'empty'),
                (('--user=a', '--user=b', '--device=x', '--effects=data', '--for=2h'), '--user twice'),
                (('--user=a', '--device=x', '--scope=all', '--for=2h'), 'not one of'),
                (CREATE[2:] + ('--bytes-per-second=1T',), 'K, M or G'),
                (CREATE[2:] + ('--bytes-per-second=K',), 'K, M or G'),
                (CREATE[2:] + ('--bytes-per-second=9999999999999G',), 'K, M or G'),
                (CREATE[2:] + ('--max-sessions=-1',), 'not a number'),
                (CREATE[2:] + ('word',), 'too many')):
            self.error('grant', 'create', *args, code=USAGE, text=text)
        for span, text in (('2', 'give a unit'), ('0h', 'before it begins'), ('0s', 'before it begins'),
                           ('-2h', 'not a time'), ('2x', 'not a time'), ('2h2h', 'not a time'),
                           ('2m1h', 'not a time'), ('h', 'not a time'), ('1.5h', 'not a time'), (' 2h', 'not a time'),
                           ('2h ', 'not a time'), ('9999999999999h', 'not a time'), ('367d', 'more than a year'),
                           ('999999999999w999999999999d', 'more than a year'), ('tomorrow', 'not a time')):
            self.error(*CREATE[:-1], '--for=' + span, code=USAGE, text=text)

    def test_list(self):
        limited = GRANT | {'name': 'slow', 'user': [], 'unit': ['fw*.service'], 'effects': None, 'ticket': None,
                           'commands': 'get-log-page lid:2', 'commands_per_second': 5, 'max_sessions': 1}
        where = self.reply(grants=[GRANT, {k: v for k, v in limited.items() if v is not None}])
        self.assertEqual(self.run_cli('grant', 'list', where).out, '''\
NAME  WHO                 DEVICE  SCOPE             EFFECTS      ENDS       TICKET
g-1   user svc-fw, alice  nvme*   debug-write-full  data         in 1h 59m  CHG-1234
slow  unit fw*.service    nvme*   debug-write-full  the scope's  in 1h 59m  -

slow
  commands             get-log-page lid:2
  commands-per-second  5 for each user
  max-sessions         1 for each user
''')
        self.assertEqual(self.json('grant', 'list', where)['grants'][0], GRANT)
        where = self.reply(grants=[])
        self.run_cli('grant', 'list', where, code=NOT_FOUND)
        self.assertEqual(self.json('grant', 'list', where, code=NOT_FOUND)['grants'], [])
        for odd in ([None, 3, {}, {'name': 'a\nb\x1b', 'user': [3, None]}], {}, 7):
            result = self.run_cli('grant', 'list', self.reply(grants=odd), code=None)
            self.assertNotIn('\x1b', result.out)
            self.assertLess(result.code, 4)

    def test_revoke(self):
        where = self.reply()
        r = self.run_cli('grant', 'revoke', 'g-1', where)
        self.assertEqual((r.out, r.err), ('', 'fwadmit: grant g-1 is gone, for running sessions, too\n'))
        self.assertEqual(self.asked(), (CONTROL + 'RevokeGrant', {'name': 'g-1'}))
        self.assertEqual(self.run_cli('-q', 'grant', 'revoke', 'g-1', where).err, '')
        self.assertEqual(self.json('grant', 'revoke', 'g-1', where)['name'], 'g-1')
        self.error('grant', 'revoke', code=USAGE, text='usage: fwadmit grant revoke NAME')


class Devices(Control):
    def test_quarantine_and_release(self):
        where = self.reply()
        self.run_cli('quarantine', 'mem0', '--reason=smells of smoke', where)
        self.assertEqual(self.asked(), (CONTROL + 'Quarantine', {'device': 'mem0', 'reason': 'smells of smoke'}))
        r = self.run_cli('quarantine', 'mem0', where)
        self.assertIn('fwadmit release mem0', r.err)
        self.assertEqual(self.json('quarantine', 'mem0', '--reason=x', where)['quarantine'], 'x')
        self.run_cli('release', 'mem0', where)
        self.assertEqual(self.asked(), (CONTROL + 'Release', {'device': 'mem0'}))
        self.assertIsNone(self.json('release', 'mem0', where)['quarantine'])

    def test_reload(self):
        where = self.reply(policy_digest='ab' * 32)
        self.assertEqual(self.json('policy', 'reload', where)['policy_digest'], 'ab' * 32)
        self.assertIn('abababababab', self.run_cli('policy', 'reload', where).err)
        self.error('policy', 'reload', '--policy=/tmp', code=USAGE, text='started with')

    def test_status(self):
        device = {'name': 'mem0', 'spec': 'sim:honest', 'state': 'quarantined', 'restarts': 0, 'about': 'ready',
                  'quarantine': 'time-out', 'baseline': 'seen', 'drift': 2, 'sessions': 3, 'queued': 0,
                  'findings': ['mem1 declares otherwise'],
                  'lease': {'kind': 'background', 'uid': 0, 'pid': 12, 'command': 'cxl 4400h sanitize',
                            'percent': 40, 'since': 0}}
        where = self.reply(version='1', pid=1, policy_digest='ab' * 32, policy_source='x', policy_grants=2,
                           mode='strict', devices=[device])
        out = self.run_cli('status', where).out
        self.assertRegex(out, r'(?m)^mem0 +quarantined +seen +2 +3 +ready$')
        self.assertRegex(self.run_cli('status', '-v', where).out,
                         r'(?m)^mem0 +quarantined +- +0 +seen +2 +3 +0 +sim:honest +ready$')
        self.assertIn('\n1 device: 1 quarantined\n', out)
        self.assertIn('mem0: quarantined: time-out; `fwadmit release mem0` ends it\n', out)
        self.assertIn('mem0: 2 commands are declared otherwise than in the baseline: `fwadmit baseline diff mem0`\n',
                      out)
        self.assertRegex(out, r'mem0: busy: cxl 4400h sanitize, background, of root \(pid 12\), 40 % done, for \d')
        self.assertIn('mem0: finding: mem1 declares otherwise\n', out)
        self.assertEqual(self.json('status', where)['devices'], [device])
        device |= {'quarantine_cause': 'operator', 'quarantine_by': 4242, 'quarantine_since': 1000000000}
        self.reply(version='1', pid=1, policy_digest='ab' * 32, policy_source='x', mode='strict', devices=[device])
        out = self.run_cli('status', where).out
        self.assertRegex(out, 'mem0: quarantined: time-out; by uid 4242 at 2001-09-09T01:46:40Z, [0-9wdh ]+ ago; `fwadmit')
        device['quarantine_since'] = 1 << 40  # the clock was set
        del device['quarantine_by']
        self.reply(version='1', pid=1, policy_digest='ab' * 32, policy_source='x', mode='strict', devices=[device])
        self.assertRegex(self.run_cli('status', where).out, 'time-out; by fwadmitd at [^ ]+; `fwadmit')


class Monitor(Control):
    EVENTS = [{'continues': True, 'parameters': {'event': 'subscribed', 'text': 'from now on', 'time': 0}},
              {'continues': True, 'parameters': {'event': 'baseline_drift', 'device': 'mem0', 'text': 'a\nb',
                                                 'time': 1000000000}},
              {'parameters': {}}]

    def test_lines(self):
        where = self.answer(*self.EVENTS)
        self.assertEqual(self.run_cli('monitor', where).out,
                         '1970-01-01T00:00:00Z subscribed: from now on\n'
                         '2001-09-09T01:46:40Z baseline-drift mem0: a?b\n- ?\n')
        self.assertEqual(self.requests[-1], {'method': CONTROL + 'Subscribe', 'more': True})
        lines = self.run_cli('-o', 'json', 'monitor', where).out.splitlines()
        self.assertEqual([json.loads(line)['event'] for line in lines], ['subscribed', 'baseline_drift', None])

    def test_as_it_happens(self):
        where = self.answer(*self.EVENTS[:2], hang=True)
        with subprocess.Popen([FWADMIT, 'monitor', where, '-o', 'json'], stdout=subprocess.PIPE) as p:
            self.assertEqual(json.loads(p.stdout.readline())['event'], 'subscribed')
            self.assertEqual(json.loads(p.stdout.readline())['device'], 'mem0')
            self.assertIsNone(p.poll())
            p.terminate()

    def test_the_end(self):
        result = self.run_cli('monitor', self.answer(*self.EVENTS[:1]), code=FAILED)
        self.assertIn('hung up', result.err)


if __name__ == '__main__':
    unittest.main()
