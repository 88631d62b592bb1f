#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fwadmitd with real workers on simulated devices: FWADMITD as the first argument.

Nothing here needs root: the policy of the tests names everybody.
"""
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

from common import DEADLINE, FWADMITD, POLICY, Case, alive, wait_until


class Serving(Case):
    def test_start_and_stop(self):
        d = self.start_two()
        info = d.info()
        self.assertEqual(info['pid'], d.process.pid)
        self.assertEqual(info['mode'], 'strict')
        self.assertEqual(info['policy_source'], self.policy)
        self.assertEqual([x['name'] for x in info['devices']], ['a', 'b'])
        for name in 'a', 'b':
            self.assertEqual(stat.S_IMODE(os.stat(d.path(name)).st_mode), 0o666)
            described = self.connect(d, name).describe()
            self.assertEqual(described['name'], name)
            self.assertEqual(described['digest'], info['policy_digest'])
            self.assertEqual(described['grants'], 1)
        self.assertEqual(d.end(), 0)
        self.assertEqual(os.listdir(self.sockets), ['fwadmitd.lock'])
        for device in info['devices']:
            self.assertFalse(alive(device['pid']))

    def test_log_for_the_journal(self):
        d = self.start('--device=a=sim:honest')
        d.wait_state('a', 'ready')
        self.assertTrue(d.log().startswith('fwadmitd: policy: 1 grant from '), d.log())
        self.assertEqual(d.end(), 0)
        with tempfile.NamedTemporaryFile() as log:
            st = os.fstat(log.fileno())
            env = dict(os.environ, JOURNAL_STREAM='%d:%d' % (st.st_dev, st.st_ino))
            r = subprocess.run([FWADMITD, '--socket-dir=' + self.sockets, '--policy=/nowhere',
                                '--state-dir=' + self.state],
                               stderr=log, env=env, timeout=DEADLINE)
            self.assertEqual(r.returncode, 1)
            self.assertEqual(log.seek(0), 0)
            self.assertEqual(log.read(), b'<3>/nowhere: cannot read: No such file or directory\n')

    def test_interrupt_stops_too(self):
        d = self.start_two()
        self.assertEqual(d.end(signal.SIGINT), 0)
        self.assertEqual(os.listdir(self.sockets), ['fwadmitd.lock'])

    def test_mode(self):
        d = self.start_two('--mode=linux')
        self.assertEqual(d.info()['mode'], 'linux')
        self.assertEqual(self.connect(d, 'a').describe()['mode'], 1)

    def test_first_answer(self):
        start = time.monotonic()
        d = self.start('--device=a=sim:honest')
        while True:
            try:
                self.connect(d, 'a').describe()
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.0005)
        taken = time.monotonic() - start
        print('first answer after %.1f ms' % (taken * 1000), file=sys.stderr)
        self.assertLess(taken, 5)  # generous: machines are busy; the figure is what counts


class Dying(Case):
    def test_worker_killed(self):
        d = self.start_two()
        a, b = d.device('a'), d.device('b')
        other = self.connect(d, 'b')
        other.describe()
        os.kill(a['pid'], signal.SIGKILL)
        # A client needs not know: it connects to the same socket and gets its answer.
        self.assertEqual(self.connect(d, 'a').describe()['name'], 'a')
        again = d.wait_state('a', 'ready')
        self.assertNotEqual(again['pid'], a['pid'])
        self.assertEqual(again['restarts'], 1)
        self.assertEqual(other.describe()['name'], 'b')
        self.assertEqual(d.device('b'), b)
        self.assertIn('a: worker %d killed by signal 9' % a['pid'], d.log())

    def test_client_of_dead_worker_is_told(self):
        d = self.start_two()
        gate = self.connect(d, 'a')
        gate.describe()
        os.kill(d.device('a')['pid'], signal.SIGKILL)
        self.assertEqual(gate.sock.recv(1), b'')

    def test_stopped_worker_does_not_keep_the_daemon(self):
        d = self.start_two()
        os.kill(d.device('a')['pid'], signal.SIGSTOP)
        self.assertEqual(d.end(), 0)
        self.assertIn('does not stop: killed', d.log())

    def test_device_that_cannot_be_served(self):
        d = self.start('--device=bad=sim:no-such-personality', '--device=good=sim:honest')
        pid = d.wait_state('good', 'ready')['pid']
        failed = d.wait_state('bad', 'failed')
        self.assertIn('no-such-personality', failed['about'])
        self.assertEqual(d.log().count('bad: no such device; next attempt in 60 s'), 1)
        self.assertEqual(failed['restarts'], 0)
        # Who connects to it is not left waiting.
        self.assertEqual(self.connect(d, 'bad').sock.recv(1), b'')
        good = d.device('good')
        self.assertEqual((good['state'], good['pid']), ('ready', pid))
        self.assertEqual(d.end(), 0)

    def test_node_that_is_not_there(self):
        d = self.start('--device=x=nvme:/nowhere/nvme0', '--device=y=nvme:' + self.policy)
        d.wait_state('x', 'failed')
        self.assertIn('x: /nowhere/nvme0: No such file or directory', d.log())
        self.assertIn('y: %s: Is a directory' % self.policy, d.log())
        for name in 'x', 'y':
            self.assertEqual(d.log().count(name + ': no such device; next attempt in 60 s'), 1)

    def test_daemon_killed(self):
        d = self.start_two()
        pids = [x['pid'] for x in d.info()['devices']]
        d.end(signal.SIGKILL)
        wait_until(lambda: not any(alive(pid) for pid in pids), 'workers outlive the daemon')
        self.assertIn('a.sock', os.listdir(self.sockets))  # left over, and no obstacle
        d = self.start_two()
        self.assertEqual(self.connect(d, 'a').describe()['name'], 'a')


class Policy(Case):
    def reload(self, d, text):
        logged = len(d.log())
        self.write_policy(text)
        d.process.send_signal(signal.SIGHUP)
        return logged

    def test_malformed_reload(self):
        d = self.start_two()
        before = d.info()['policy_digest']
        gate = self.connect(d, 'a')
        self.reload(d, POLICY + 'scopes = x\n')
        wait_until(lambda: 'the old one stays in force' in d.log(), 'no complaint')
        self.assertIn(self.policy + "/test.conf:5: unknown key 'scopes'", d.log())
        self.assertEqual(d.info()['policy_digest'], before)
        self.assertEqual(gate.describe()['digest'], before)
        self.assertEqual(gate.describe()['grants'], 1)

    def test_good_reload_reaches_connected_clients(self):
        d = self.start_two()
        before = d.info()
        gate = self.connect(d, 'b')
        self.assertEqual(gate.describe()['grants'], 1)
        self.reload(d, POLICY.replace('device = *', 'device = a'))
        wait_until(lambda: d.info()['policy_digest'] != before['policy_digest'], 'no new policy')
        wait_until(lambda: gate.describe()['grants'] == 0, 'the grant is still in force')
        self.assertEqual(self.connect(d, 'a').describe()['grants'], 1)
        self.assertEqual([x['pid'] for x in d.info()['devices']],
                         [x['pid'] for x in before['devices']])

    def test_reload_holds_for_a_new_worker(self):
        d = self.start_two()
        self.reload(d, '# nothing\n')
        wait_until(lambda: self.connect(d, 'a').describe()['grants'] == 0, 'still in force')
        os.kill(d.device('a')['pid'], signal.SIGKILL)
        self.assertEqual(self.connect(d, 'a').describe()['grants'], 0)

    def settled_fds(self, d):
        """The daemon's descriptors once it has closed those of the questions it answered."""
        seen = []
        while len(seen) < 5 or len(set(seen[-5:])) > 1:
            seen.append(frozenset(int(fd) for fd in os.listdir('/proc/%d/fd' % d.process.pid)))
            time.sleep(0.02)
        return set(seen[-1])

    def test_reload_that_fails_half_way_changes_nothing(self):
        d = self.start_two()
        before = d.info()['policy_digest']
        gates = [self.connect(d, name) for name in ('a', 'b')]
        # One more descriptor: enough to read the policy and to compile it for one device.
        used = self.settled_fds(d)
        free = sorted(set(range(max(used) + 3)) - used)
        _, hard = resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (free[1], hard))
        self.reload(d, '# nothing\n')
        wait_until(lambda: 'the old one stays in force' in d.log(), 'no complaint')
        self.assertIn('Too many open files', d.log())
        resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
        self.assertEqual([g.describe()['digest'] for g in gates], [before] * 2)
        self.assertEqual(d.info()['policy_digest'], before)

    def test_malformed_at_start(self):
        self.write_policy('[grant x]\n')
        d = self.start('--device=a=sim:honest')
        self.assertEqual(d.process.wait(DEADLINE), 1)
        self.assertIn("test.conf:1: grant 'x' has no scope", d.log())


class Obstacles(Case):
    def test_second_daemon(self):
        d = self.start_two()
        self.fails(1, 'another fwadmitd is serving this directory', '--device=a=sim:honest')
        self.assertEqual(self.connect(d, 'a').describe()['name'], 'a')

    def test_something_in_the_way(self):
        os.mkdir(self.sockets, 0o755)
        with open(os.path.join(self.sockets, 'b.sock'), 'w') as f:
            f.write('precious')
        os.mkdir(os.path.join(self.sockets, 'c.sock'))
        os.symlink('/nowhere', os.path.join(self.sockets, 'd.sock'))
        for name in 'b', 'c', 'd':
            self.fails(1, name + '.sock: in the way, and not a socket', '--device=%s=sim:honest' % name)
        self.assertEqual(sorted(os.listdir(self.sockets)),
                         ['b.sock', 'c.sock', 'd.sock', 'fwadmitd.lock'])

    def test_unsafe_directory(self):
        os.mkdir(self.sockets)
        os.chmod(self.sockets, 0o777)
        self.fails(1, 'others may write to this directory')

    def test_no_directory(self):
        self.sockets = os.path.join(self.base, 'not', 'there')
        self.fails(1, 'No such file or directory')

    def test_long_path(self):
        self.sockets = os.path.join(self.base, 'x' * 100)
        self.fails(1, 'too long for a socket')

    def test_usage(self):
        for text, argument in (("NAME=SPEC, not 'a'", '--device=a'),
                               ("no name for a device: '../a'", '--device=../a=sim:honest'),
                               ("no name for a device: 'control'", '--device=control=sim:honest'),
                               ("unknown mode 'lax'", '--mode=lax'),
                               ("unexpected argument 'x'", 'x'),
                               ("unrecognized option '--nonsense'", '--nonsense')):
            with self.subTest(argument):
                self.fails(2, text, argument)
        self.fails(2, "two devices called 'a'", '--device=a=sim:honest', '--device=a=sim:honest')


if __name__ == '__main__':
    unittest.main()
