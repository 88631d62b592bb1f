#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An operator's verbs with a running fwadmitd: what they say happens to those who send commands."""
import json
import os
import shlex
import signal
import subprocess
import time
import unittest

from common import FAILED, FWADMIT, NOT_FOUND, READER, REFUSED, USAGE, Case

FWADMITD = os.path.join(os.path.dirname(FWADMIT), 'fwadmitd')
SET_LSA = ('send', 'mem0', 'set-lsa', '--offset=0', '--hex=00')


@unittest.skipUnless(os.geteuid() == 0, 'changes are for root')
class Operator(Case):
    def setUp(self):
        super().setUp()
        self.where = '--socket-dir=' + self.path('run')
        self.start()

    def start(self):
        daemon = subprocess.Popen(
            [FWADMITD, self.where, self.policy(READER), '--state-dir=' + self.path('state'), '--no-discovery',
             '--device=mem0=sim:honest'], stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop, daemon)
        end = time.monotonic() + 20
        while time.monotonic() < end and daemon.poll() is None:
            r = self.run_cli('status', self.where, '-o', 'json', code=None)
            if r.code == 0 and json.loads(r.out)['devices'][0]['state'] in ('ready', 'quarantined'):
                return daemon
            time.sleep(0.02)
        self.fail('fwadmitd is not ready')

    def stop(self, daemon):
        if daemon.poll() is None:
            daemon.send_signal(signal.SIGTERM)
        daemon.wait()

    def at(self, *args, **kw):
        return self.run_cli(*args, self.where, **kw)

    def test_a_grant_that_records_payloads(self):
        """What was sent under it is in the journal, byte for byte; else only its digest is."""
        words = ('--user=root', '--device=mem0', '--effects=data,config', '--for=1h')
        name = self.at('-q', 'grant', 'create', *words, '--record=payload').out.strip()
        self.assertRegex(self.at('grant', 'list').out, rf'\n{name}\n  record +payload\n')
        self.assertIn('payload      will be in the journal', self.at('explain', *SET_LSA[1:]).out)
        self.assertTrue(self.json('explain', *SET_LSA[1:], self.where)['payload_recorded'])
        self.at(*SET_LSA)
        self.at('grant', 'revoke', name)
        self.at('grant', 'create', *words)
        self.assertNotIn('payload  ', self.at('explain', *SET_LSA[1:]).out)
        self.at(*SET_LSA)
        kept, digest = [json.loads(x) for x in self.run_cli('log', 'list', '--effects', '-o', 'json').out.splitlines()]
        self.assertEqual(kept['request_hex'], '00' * 9)
        self.assertIsNone(digest['request_hex'])
        self.assertEqual(kept['request_sha256'], digest['request_sha256'])

    def test_a_grant_for_a_time(self):
        self.at(*SET_LSA, code=REFUSED)
        name = self.at('-q', 'grant', 'create', '--user=root', '--device=mem*', '--effects=data,config', '--for=2h',
                       '--commands=cxl:set-lsa', '--ticket=CHG-1', '--max-sessions=4').out.strip()
        self.at(*SET_LSA)
        self.at('send', 'mem0', 'clear-log', '--uuid=cel', code=REFUSED)
        grant, = self.json('grant', 'list', self.where)['grants']
        self.assertEqual((grant['name'], grant['ticket'], grant['max_sessions']), (name, 'CHG-1', 4))
        self.assertTrue(7100 < grant['seconds_left'] <= 7200)
        out = self.at('explain', *SET_LSA[1:]).out
        self.assertIn(f'grant "{name}" (ticket CHG-1) covers', out)
        self.assertRegex(out, r'limits +it ends in 1h 59m, 4 sessions at a time')
        self.at('grant', 'revoke', name)
        self.at(*SET_LSA, code=REFUSED)
        self.error('grant', 'revoke', name, self.where, code=NOT_FOUND, text='grant list')

    def test_what_explain_proposes_is_enough(self):
        proposal = self.json('explain', *SET_LSA[1:], self.where, code=REFUSED)['decision']['would_pass']['grant']
        words = shlex.split(proposal['command_line'])
        self.assertEqual(words[0], 'fwadmit')
        self.at(*words[1:])
        self.at(*SET_LSA)
        self.at('send', 'mem0', 'clear-log', '--uuid=vendor-debug', code=REFUSED)

    def test_what_the_daemon_does_not_take(self):
        create = ('grant', 'create', '--user=root', '--device=mem0', '--for=2h', self.where)
        self.error(*create, '--effects=datta', code=USAGE, text="unknown effect 'datta'")
        self.error(*create, '--effects=data', '--commands=no-such', code=USAGE)
        self.error(*create, '--effects=data', '--name=a\nb', code=USAGE)
        self.error(*create, '--effects=data', '--ticket=a\n[grant x]', code=USAGE)
        self.at('grant', 'list', code=NOT_FOUND)

    def test_quarantine(self):
        self.at('quarantine', 'mem0', '--reason=smells of smoke')
        out = self.at('explain', *SET_LSA[1:], code=REFUSED).out
        self.assertRegex(out, r'quarantine +smells of smoke; by root at 20[-0-9]+T[:0-9]+Z, \d+s ago')
        self.assertIn('fwadmit release mem0', out)
        self.assertRegex(self.at('status').out, 'quarantined: smells of smoke; by root at .* ago; `fwadmit release mem0`')
        self.at('send', 'mem0', 'get-health-info', code=REFUSED)
        self.at('release', 'mem0')
        self.at('send', 'mem0', 'get-health-info')
        self.error('release', 'mem0', self.where, code=FAILED, text='nothing to release')
        self.error('quarantine', 'mem9', self.where, code=NOT_FOUND, text='mem9')

    def test_reprofile(self):
        self.assertIn('baseline diff mem0', self.at('reprofile', 'mem0').err)
        self.assertEqual(self.json('reprofile', 'mem0', self.where)['device'], 'mem0')
        self.at('quarantine', 'mem0')
        self.error('reprofile', 'mem0', self.where, code=FAILED, text='fwadmit status')

    def test_a_grant_for_no_device(self):
        create = ('grant', 'create', '--user=root', '--effects=data', '--for=2h')
        self.assertIn('zz9: there is no such device now', self.at(*create, '--device=zz9').err)
        self.assertNotIn('no such device', self.at(*create, '--device=zz9,mem*').err)
        self.assertNotIn('no such device', self.at(*create, '--device=sim:*').err)

    def test_reload(self):
        self.policy(READER + '# more\n')
        digest = self.json('policy', 'reload', self.where)['policy_digest']
        self.assertEqual(self.json('status', self.where)['policy_digest'], digest)
        self.policy('[grant x]\nuser = nobody\n')
        self.error('policy', 'reload', self.where, code=FAILED, text='the old one stays in force')
        self.assertEqual(self.json('status', self.where)['policy_digest'], digest)

    def test_monitor(self):
        with subprocess.Popen([FWADMIT, 'monitor', self.where, '-o', 'json'], stdout=subprocess.PIPE) as p:
            self.assertEqual(json.loads(p.stdout.readline())['event'], 'subscribed')
            self.at('quarantine', 'mem0')
            event = json.loads(p.stdout.readline())
            self.assertEqual((event['event'], event['device']), ('quarantined', 'mem0'))
            p.terminate()


if __name__ == '__main__':
    unittest.main()
