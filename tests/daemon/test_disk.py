#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""STATE on a disk that is full or turns read-only: FWADMITD as the first argument. Needs root.

What cannot be remembered is answered so, nothing is half done, and the daemon serves on.
"""
import os
import subprocess
import unittest

from common import Daemon, await_journal, wait_until
from test_control import Case as ControlCase

GRANT = {'name': 'x', 'user': ['*'], 'device': ['a'], 'scope': 'configuration', 'seconds': 600}


def may_mount():
    return os.geteuid() == 0 and subprocess.run(['unshare', '-m', 'true'], stderr=subprocess.DEVNULL).returncode == 0


@unittest.skipUnless(may_mount(), 'needs root, and namespaces')
class Disk(ControlCase):
    def setUp(self):
        super().setUp()
        self.write_policy('# nobody\n')
        os.mkdir(self.state, 0o700)

    def start_on_disk(self, before='true'):
        """With a disk of 256 KiB that only the daemon sees; @before is done on it first."""
        journal = os.path.join(self.base, 'journal')
        d = Daemon(self.sockets, '--policy=' + self.policy, '--state-dir=' + self.state, '--device=a=sim:honest',
                   '--journal=' + journal,
                   prefix=['unshare', '-m', 'sh', '-c', 'mount -t tmpfs -o size=256k,mode=700 none "$0" && cd "$0" && '
                           + before + '; exec "$@"', self.state])
        self.addCleanup(d.log_file.close)
        self.addCleanup(await_journal, journal)
        self.addCleanup(d.end, 9)
        self.disk = '/proc/%d/root%s' % (d.process.pid, self.state)
        d.wait_state('a', 'ready')
        return d

    def fill(self):
        with open(self.disk + '/fill', 'wb', buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass

    def free(self):
        os.unlink(self.disk + '/fill')

    def read_only(self, d, on):
        subprocess.run(['nsenter', '-t', str(d.process.pid), '-m', 'mount', '-o', 'remount,' + ('ro' if on else 'rw'),
                        self.state], check=True)

    def files(self):
        return sorted(os.path.join(os.path.relpath(folder, self.disk), name)
                      for folder, _, names in os.walk(self.disk) for name in names if name != 'fill')

    def grants(self, d):
        """Listed and in force are the same ones."""
        listed = [g['name'] for g in d.ask('ListGrants')['grants']]
        self.assertEqual(self.connect(d, 'a').describe()['grants'], len(listed))
        return listed

    def refused(self, d, method, **parameters):
        error = d.ask(method, **parameters)
        self.assertIsInstance(error, tuple, method)
        self.assertEqual(error[0], 'StateError')
        self.assertTrue(error[1]['message'].isprintable() and error[1]['message'])
        return error[1]['message']

    def nothing_can_be_stored(self, d):
        before = self.files()
        self.refused(d, 'CreateGrant', **GRANT)
        self.assertEqual(self.grants(d), [])
        self.refused(d, 'AcceptBaseline', device='a')
        self.assertEqual(d.device('a')['baseline'], 'seen')
        # This one holds, as long as it can: the device may be dangerous.
        self.assertIn('quarantined until fwadmitd ends', self.refused(d, 'Quarantine', device='a', reason='smoke'))
        self.assertEqual(d.device('a')['state'], 'quarantined')
        self.assertEqual(self.files(), before)

    def everything_can(self, d):
        """No trace of what could not be done is in the way."""
        self.assertEqual(d.ask('Quarantine', device='a', reason='smoke'), {})
        self.assertEqual(len([f for f in self.files() if f.startswith('quarantine/')]), 1)
        self.assertEqual(d.ask('Release', device='a'), {})
        self.assertIn('grant', d.ask('CreateGrant', **GRANT))
        self.assertEqual(self.grants(d), ['x'])
        self.assertIn('digest', d.ask('AcceptBaseline', device='a'))
        self.assertEqual(d.device('a')['baseline'], 'accepted')

    def test_full(self):
        d = self.start_on_disk()
        self.fill()
        self.nothing_can_be_stored(d)
        self.free()
        self.everything_can(d)
        # What takes away needs no room.
        self.fill()
        self.assertEqual(d.ask('RevokeGrant', name='x'), {})
        self.assertEqual(self.grants(d), [])

    def test_read_only(self):
        d = self.start_on_disk()
        self.read_only(d, True)
        self.nothing_can_be_stored(d)
        self.read_only(d, False)
        self.everything_can(d)
        self.assertEqual(d.ask('Quarantine', device='a', reason='smoke'), {})
        self.read_only(d, True)
        before = self.files()
        self.refused(d, 'RevokeGrant', name='x')
        self.assertEqual(self.grants(d), ['x'])
        self.assertIn('still quarantined', self.refused(d, 'Release', device='a'))
        self.assertEqual(d.device('a')['state'], 'quarantined')
        self.assertEqual(self.files(), before)
        self.read_only(d, False)
        self.assertEqual(d.ask('RevokeGrant', name='x'), {})
        self.assertEqual(d.ask('Release', device='a'), {})
        self.assertEqual((self.grants(d), d.device('a')['state']), ([], 'ready'))

    def test_full_from_the_beginning(self):
        d = self.start_on_disk('dd if=/dev/zero of=fill bs=4k 2>/dev/null')
        self.assertIn('a: its declarations cannot be remembered: ', d.log())
        self.assertEqual(d.device('a')['baseline'], 'none')
        self.refused(d, 'CreateGrant', **GRANT)
        self.free()
        self.assertEqual(d.ask('Reprofile', device='a'), {})
        self.assertEqual(d.device('a')['baseline'], 'seen')

    def test_what_a_crash_left(self):
        """It is swept away, and nothing else."""
        made = ['grants/.new-abc', 'quarantine/.new-abc', 'baselines/seen/.new-abc', 'baselines/accepted/.new-abc',
                'baselines/seen/README', 'baselines/.new-abc']
        d = self.start_on_disk('mkdir -m 700 -p grants quarantine baselines/seen baselines/accepted && touch '
                               + ' '.join(made))
        wait_until(lambda: d.device('a').get('baseline') == 'seen', 'no baseline')
        left = [f for f in self.files() if len(os.path.basename(f)) != 64]
        self.assertEqual(left, ['baselines/.new-abc', 'baselines/seen/README'])


if __name__ == '__main__':
    unittest.main()
