#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fwadmitd killed before every step of a change, and started again: FWADMITD as the first argument.

What was answered holds; what was not answered is either done or not, whole; and the daemon serves.
"""
import json
import os
import signal
import socket
import sys
import unittest

PRELOAD = os.path.abspath(sys.argv.pop(2))

from common import Case, wait_until  # noqa: E402: takes the first argument

STEPS_MAX = 200


class Crash(Case):
    def setUp(self):
        super().setUp()
        self.write_policy('# nobody\n')
        self.die_at = os.path.join(self.base, 'die-at')

    def start_one(self, armed):
        env = dict(os.environ, LD_PRELOAD=PRELOAD, DIE_AT=self.die_at) if armed else None
        d = self.start('--device=a=sim:honest', env=env)
        wait_until(lambda: self.state_of(d) in ('ready', 'quarantined'), 'not ready')
        wait_until(lambda: d.info()['journal']['state'] == 'ok', 'no journal')
        return d

    @staticmethod
    def state_of(d):
        try:
            return d.device('a')['state']
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    def call(self, d, method, **parameters):
        """The answer, None when the daemon died before it gave one."""
        try:
            return d.ask(method, **parameters)
        except (ConnectionResetError, BrokenPipeError, json.JSONDecodeError, socket.timeout):
            return None

    def files(self, name):
        try:
            return os.listdir(os.path.join(self.state, name))
        except FileNotFoundError:
            return []

    def nothing_is_left(self):
        for directory, folders, files in os.walk(self.state):
            if 'journal' in folders:
                folders.remove('journal')  # another process, which did not die, may be at it
            for name in files:
                self.assertFalse(name.startswith('.new'), (directory, name))

    def each_step(self, prepare, change, is_done):
        """@change is cut short at every step; @is_done(d) says what the next daemon makes of it."""
        done_without_answer = 0
        for n in range(1, STEPS_MAX):
            with self.subTest(step=n):
                d = self.start_one(armed=True)
                prepare(d)
                with open(self.die_at + '.new', 'w') as f:
                    f.write(str(n))
                os.rename(self.die_at + '.new', self.die_at)
                answer = change(d)
                died = answer is None
                if died:
                    self.assertEqual(d.process.wait(20), -signal.SIGKILL)
                else:
                    self.assertNotIsInstance(answer, tuple)
                    d.end(signal.SIGKILL)
                os.unlink(self.die_at)
                d = self.start_one(armed=False)
                done = is_done(d)
                self.assertIn(done, (True, False))
                if not died:
                    self.assertTrue(done)
                done_without_answer += died and done
                self.nothing_is_left()
                d.end(signal.SIGKILL)
                if not died:
                    return n, done_without_answer
        self.fail('it never ends')

    def check(self, prepare, change, is_done):
        steps, without_answer = self.each_step(prepare, change, is_done)
        print('%s: %d steps, done without an answer after %d' % (self.id().split('.')[-1], steps, without_answer),
              file=sys.stderr)
        self.assertGreater(steps, 4)
        self.assertGreater(without_answer, 0)

    def revoke_all(self, d):
        for grant in d.ask('ListGrants')['grants']:
            d.ask('RevokeGrant', name=grant['name'])

    def create(self, d):
        return self.call(d, 'CreateGrant', name='x', user=['*'], device=['a'], scope='configuration', seconds=600)

    def granted(self, d):
        grants = d.ask('ListGrants')['grants']
        self.assertEqual(self.connect(d, 'a').describe()['grants'], len(grants))
        self.assertEqual(len(self.files('grants')), len(grants))
        return len(grants) == 1

    def test_create_grant(self):
        self.check(self.revoke_all, self.create, self.granted)

    def test_revoke_grant(self):
        def prepare(d):
            self.revoke_all(d)
            self.create(d)
        self.check(prepare, lambda d: self.call(d, 'RevokeGrant', name='x'), lambda d: not self.granted(d))

    def quarantined(self, d):
        device = d.device('a')
        self.assertEqual(device['state'] == 'quarantined', device.get('quarantine') == 'smoke')
        self.assertEqual(len(self.files('quarantine')), device['state'] == 'quarantined')
        return device['state'] == 'quarantined'

    def release(self, d):
        if d.device('a')['state'] == 'quarantined':
            d.ask('Release', device='a')

    def test_quarantine(self):
        self.check(self.release, lambda d: self.call(d, 'Quarantine', device='a', reason='smoke'),
                   self.quarantined)

    def test_release(self):
        def prepare(d):
            if d.device('a')['state'] != 'quarantined':
                d.ask('Quarantine', device='a', reason='smoke')
        self.check(prepare, lambda d: self.call(d, 'Release', device='a'), lambda d: not self.quarantined(d))

    def test_accept_baseline(self):
        accepted = os.path.join(self.state, 'baselines', 'accepted')

        def prepare(d):
            for name in os.listdir(accepted) if os.path.isdir(accepted) else ():
                os.unlink(os.path.join(accepted, name))

        def is_done(d):
            baseline = d.device('a')['baseline']
            self.assertIn(baseline, ('seen', 'accepted'))
            return baseline == 'accepted'
        self.check(prepare, lambda d: self.call(d, 'AcceptBaseline', device='a'), is_done)


if __name__ == '__main__':
    unittest.main()
