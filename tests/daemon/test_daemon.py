#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fwadmitd with real workers on simulated devices: FWADMITD as the first argument.

Nothing here needs root: the policy of the tests names everybody.
"""
import json
import os
import resource
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

FWADMITD = os.path.abspath(sys.argv.pop(1))
POLICY = '[grant test]\nuser = *\ndevice = *\nscope = debug-read-only\n'
DEADLINE = 20.0


def wait_until(condition, what):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    raise AssertionError('timeout: ' + what)


class Gate:
    """A client of one device's socket (spec/GATE-PROTOCOL.md), as far as DESCRIBE."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(DEADLINE)
        try:
            self.sock.connect(path)
        except OSError:
            self.sock.close()
            raise

    def describe(self):
        self.sock.send(struct.pack('<IHHQ', 0x31475746, 1, 1, 7).ljust(64, b'\0'))
        message, fds, _, _ = socket.recv_fds(self.sock, 1 << 20, 1)
        if not message:
            raise ConnectionResetError
        data = message[128:]
        if fds:
            with os.fdopen(fds[0], 'rb') as f:
                data = f.read()
        return {'mode': struct.unpack_from('<I', data, 8)[0],
                'digest': data[24:56].hex(),
                'name': data[56:120].rstrip(b'\0').decode(),
                'grants': struct.unpack_from('<I', data, 120)[0]}

    def close(self):
        self.sock.close()


class Daemon:
    def __init__(self, sockets, *args):
        self.sockets = sockets
        self.log_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [FWADMITD, '--socket-dir=' + sockets, '--no-discovery', *args],
            stderr=self.log_file, stdin=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.sockets, name + '.sock')

    def log(self):
        return os.pread(self.log_file.fileno(), 1 << 20, 0).decode()

    def call(self, request):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(DEADLINE)
            s.connect(self.path('control'))
            s.sendall(request)
            reply = b''
            while not reply.endswith(b'\0'):
                more = s.recv(65536)
                if not more:
                    return None
                reply += more
        return json.loads(reply[:-1])

    def info(self):
        return self.call(b'{"method":"org.fwadmit.Control.GetInfo"}\0')['parameters']

    def device(self, name):
        return next(d for d in self.info()['devices'] if d['name'] == name)

    def wait_state(self, name, state):
        def there():
            try:
                device = self.device(name)
            except (FileNotFoundError, ConnectionRefusedError):
                if self.process.poll() is not None:
                    raise AssertionError('fwadmitd ended: ' + self.log())
                return None
            return device if device['state'] == state else None
        return wait_until(there, '%s is not %s' % (name, state))

    def end(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.process.wait(DEADLINE)


def alive(pid):
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


class Case(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix='fwadmitd-')
        self.addCleanup(shutil.rmtree, self.base)
        self.sockets = os.path.join(self.base, 'run')
        self.policy = os.path.join(self.base, 'policy.d')
        self.state = os.path.join(self.base, 'state')
        os.mkdir(self.policy, 0o755)
        self.write_policy(POLICY)

    def write_policy(self, text):
        path = os.path.join(self.policy, 'test.conf')
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(path, 0o644)

    def start(self, *args):
        d = Daemon(self.sockets, '--policy=' + self.policy, '--state-dir=' + self.state, *args)
        self.addCleanup(d.log_file.close)
        self.addCleanup(d.end, signal.SIGKILL)
        return d

    def start_two(self, *args):
        d = self.start('--device=a=sim:honest', '--device=b=sim:honest', *args)
        d.wait_state('a', 'ready')
        d.wait_state('b', 'ready')
        return d

    def connect(self, d, name):
        gate = Gate(d.path(name))
        self.addCleanup(gate.close)
        return gate

    def fails(self, status, text, *args):
        """fwadmitd ends with @status and one line that holds @text."""
        d = self.start(*args)
        self.assertEqual(d.process.wait(DEADLINE), status, d.log())
        errors = [line for line in d.log().splitlines() if not line.startswith('fwadmitd: policy:')]
        self.assertEqual(len(errors), 1, errors)
        self.assertIn(text, errors[0])


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
            r = subprocess.run([FWADMITD, '--socket-dir=' + self.sockets, '--policy=/nowhere'],
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
        good = d.wait_state('good', 'ready')
        failed = d.wait_state('bad', 'failed')
        self.assertIn('no-such-personality', failed['about'])
        self.assertEqual(d.log().count('bad: no such device; next attempt in 60 s'), 1)
        self.assertEqual(failed['restarts'], 0)
        # Who connects to it is not left waiting.
        self.assertEqual(self.connect(d, 'bad').sock.recv(1), b'')
        self.assertEqual(d.device('good'), good)
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


class Control(Case):
    def test_errors(self):
        d = self.start_two()
        for request, error in (
                (b'{"method":"org.fwadmit.Control.Nothing"}\0', 'org.varlink.service.MethodNotFound'),
                (b'{"method":"com.example.X"}\0', 'org.varlink.service.InterfaceNotFound'),
                (b'{"method":"org.fwadmit.Control.GetInfo","parameters":{"x":1}}\0',
                 'org.varlink.service.InvalidParameter')):
            self.assertEqual(d.call(request)['error'], error)

    def test_nonsense(self):
        d = self.start_two()
        for request in (b'\0', b'{\0', b'[]\0', b'{}\0', b'{"method":3}\0', b'x' * 66000,
                        b'{"method":"org.fwadmit.Control.GetInfo"}x\0', b'\xff\xfe\0',
                        b'{"a":' * 50 + b'\0',
                        b'{"method":"org.fwadmit.Control.GetInfo","parameters":[]}\0'):
            with self.subTest(request[:60]):
                try:
                    self.assertIsNone(d.call(request))
                except (ConnectionResetError, BrokenPipeError):
                    pass
        self.assertEqual(len(d.info()['devices']), 2)

    def test_requests_in_pieces_and_in_a_row(self):
        d = self.start_two()
        request = b'{"method":"org.fwadmit.Control.GetInfo"}\0'
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(DEADLINE)
            s.connect(d.path('control'))
            for byte in request:
                s.send(bytes([byte]))
            s.sendall(request * 20)
            got = b''
            while got.count(b'\0') < 21:
                got += s.recv(65536)
        for reply in got.split(b'\0')[:21]:
            self.assertEqual(json.loads(reply)['parameters']['pid'], d.process.pid)

    def test_silent_clients_are_few_and_short(self):
        d = self.start_two()
        silent = []
        for _ in range(40):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(DEADLINE)
            s.connect(d.path('control'))
            self.addCleanup(s.close)
            silent.append(s)
        start = time.monotonic()
        self.assertEqual(silent[-1].recv(1), b'')
        self.assertEqual(silent[0].recv(1), b'')
        self.assertLess(time.monotonic() - start, 10)
        self.assertEqual(len(d.info()['devices']), 2)


if __name__ == '__main__':
    unittest.main()
