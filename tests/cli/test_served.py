#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The verbs on devices that a running fwadmitd serves, and on what only looks like one."""
import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from common import (DEVICE, FAILED, FWADMIT, NOT_FOUND, NOT_RUNNING, READER, REFUSED, Case)

FWADMITD = os.path.join(os.path.dirname(FWADMIT), 'fwadmitd')
INFO = {'format_version', 'verb', 'version', 'pid', 'policy_digest', 'policy_source', 'policy_grants', 'mode',
        'state_dir', 'require_pinned', 'journal', 'advisories', 'advisories_trouble', 'devices'}


class Served(Case):
    def setUp(self):
        super().setUp()
        self.where = '--socket-dir=' + self.path('run')
        daemon = subprocess.Popen(
            [FWADMITD, self.where, self.policy(READER), '--no-discovery', '--state-dir=' + self.path('state'), '--device=mem0=sim:honest',
             '--device=mem1=sim:liar-data', '--device=mem2=sim:gone'], stderr=subprocess.DEVNULL)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.send_signal, signal.SIGTERM)
        self.wait_ready(daemon)

    def wait_ready(self, daemon):
        end = time.monotonic() + 20
        while time.monotonic() < end and daemon.poll() is None:
            done = subprocess.run([FWADMIT, 'status', self.where, '-o', 'json'], stdout=subprocess.PIPE,
                                  check=False)
            if done.returncode == 0:
                states = [d['state'] for d in json.loads(done.stdout)['devices']]
                if states == ['ready'] * 3:
                    return
            time.sleep(0.02)
        self.fail('fwadmitd is not ready')

    def test_status(self):
        o = self.json('status', self.where)
        self.assertKeys(o, INFO)
        self.assertEqual([d['name'] for d in o['devices']], ['mem0', 'mem1', 'mem2'])
        out = self.run_cli('status', self.where).out
        self.assertRegex(out, r'\Afwadmitd \S+ is running, pid \d+, strict mode\npolicy [0-9a-f]{12} from ')
        self.assertRegex(out, r'(?m)^mem0 +ready +seen +0 +0 +Simulated CXL type-3, 1.0.0$')

    def test_list(self):
        o = self.json('list', self.where)
        self.assertEqual([d['name'] for d in o['devices']], ['mem0', 'mem1', 'mem2'])
        for d in o['devices']:
            self.assertKeys(d, DEVICE | {'commands', 'findings', 'state', 'about', 'error'})
            self.assertEqual(d['state'], 'ready')
        # mem1 contradicts the floor, and the others, which say that they are the same
        self.assertEqual([d['findings'] for d in o['devices']], [0, 2, 0])

    def test_verbs(self):
        self.assertEqual(self.json('effects', 'mem0', self.where)['device']['name'], 'mem0')
        self.run_cli('send', 'mem0', '0x4000', self.where)
        self.run_cli('send', 'mem0', 'set-lsa', '--offset=0', '--hex=00', self.where, code=REFUSED)
        o = self.json('explain', 'mem0', '0x4000', self.where)
        self.assertEqual(o['decision']['grant'], 'reader')
        self.assertEqual(o['policy_digest'], self.json('status', self.where)['policy_digest'])
        r = self.run_cli('explain', 'mem0', '0x4000', '--as=root', self.where, self.policy(READER))
        self.assertEqual(r.err, '')
        r = self.run_cli('explain', 'mem0', '0x4000', '--as=root', self.where, self.policy(READER + '#', 'other'))
        self.assertIn('not the policy that the gate has', r.err)
        self.error('effects', 'mem3', self.where, code=NOT_FOUND, text='no such device')

    def test_a_device_that_goes_away(self):
        """The caller is told what is not known, and the others are served on."""
        r = self.run_cli('send', 'mem2', '0x4200', self.where, code=FAILED)
        self.assertRegex(r.err, r'\Afwadmit: get-health-info \(4200h\): No such device; whether [^\n]*\n\Z')
        self.error('send', 'mem2', '0x4200', self.where, code=FAILED, text='mem2: the device is gone')
        states = {d['name']: (d['state'], d['error']) for d in self.json('list', self.where)['devices']}
        self.assertEqual(states['mem2'], ('gone', 'mem2: the device is gone'))
        self.assertEqual(states['mem0'], ('ready', None))
        states = {d['name']: d['state'] for d in self.json('status', self.where)['devices']}
        self.assertEqual(states, {'mem0': 'ready', 'mem1': 'ready', 'mem2': 'gone'})
        self.run_cli('send', 'mem0', '0x4200', self.where)


class Impostor(Case):
    """What answers in the daemon's place is not believed."""

    def serve(self, answer, kind=socket.SOCK_STREAM, name='control.sock'):
        os.makedirs(self.path('run'), exist_ok=True)
        server = socket.socket(socket.AF_UNIX, kind)
        self.addCleanup(server.close)
        server.bind(self.path('run/' + name))
        server.listen(8)

        def loop():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.recv(65536)
                    try:
                        client.sendall(answer)
                    except OSError:
                        pass

        threading.Thread(target=loop, daemon=True).start()
        return '--socket-dir=' + self.path('run')

    def test_status(self):
        for i, answer in enumerate((b'', b'\0', b'{}\0', b'[]\0', b'{"parameters":3}\0', b'{"parameters":{}',
                                    b'{"error":"org.varlink.service.MethodNotFound"}\0', b'x' * (5 << 20))):
            where = self.serve(answer)
            self.error('status', where, code=FAILED)
            os.rename(self.path('run'), self.path(f'old{i}'))

    def test_status_of_odd_types(self):
        where = self.serve(b'{"parameters":{"version":[1],"pid":"x","devices":[3,{"name":"\\u001b[31m"},null]}}\0')
        self.run_cli('status', where, '-o', 'json')
        out = self.run_cli('status', where).out
        self.assertNotIn('\033', out)

    def test_gate(self):
        for i, answer in enumerate((b'x', b'FWG1' + bytes(124), bytes(128), os.urandom(4096))):
            where = self.serve(answer, socket.SOCK_SEQPACKET, f'd{i}.sock')
            self.error('effects', f'd{i}', where, code=FAILED)
        where = self.serve(b'', socket.SOCK_STREAM, 'stream.sock')
        self.error('effects', 'stream', where, code=FAILED)

    def test_nobody(self):
        where = '--socket-dir=' + self.path('run')
        self.error('status', where, code=NOT_RUNNING, text='not running')
        self.error('effects', 'mem0', where, code=NOT_RUNNING, text='no fwadmitd')
        self.file('run/mem0.sock', '')
        self.error('effects', 'mem0', where, code=NOT_RUNNING)
        self.error('status', '--socket-dir=' + self.path('x' * 120), code=FAILED, text='too long')


if __name__ == '__main__':
    unittest.main()
