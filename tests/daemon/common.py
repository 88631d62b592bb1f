# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of fwadmitd share: the daemon, clients of its sockets. FWADMITD as the first argument."""
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

FWADMITD = os.path.abspath(sys.argv.pop(1))
CONTROL = 'org.fwadmit.Control.'
SERVICE = 'org.varlink.service.'
POLICY = '[grant test]\nuser = *\ndevice = *\nscope = debug-read-only\n'
DEADLINE = 20.0
# The last one: a child of one that was killed had its socket until it became another program.
NOT_THERE = FileNotFoundError, ConnectionRefusedError, ConnectionResetError


def wait_until(condition, what):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    raise AssertionError('timeout: ' + what)


def writers(path):
    """Who is to write the journal in @path, and may not have its lock yet: journald, or the child that becomes it."""
    meant = {b'--dir=' + path.encode(), b'--journal=' + path.encode(), b'--state-dir=' + os.path.dirname(path).encode()}
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as f:
                if meant & set(f.read().split(b'\0')):
                    found.append(int(pid))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def await_journal(path):
    """Until nobody writes the journal in @path any more: who does outlives fwadmitd, and has the lock."""
    def is_free():
        if writers(path):
            return False
        try:
            with open(os.path.join(path, 'lock')) as f:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except BlockingIOError:
            return False
        return True
    wait_until(is_free, 'the journal is not complete')


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
        self.sock.send(struct.pack('<IHHQ', 0x31475746, 2, 1, 7).ljust(64, b'\0'))
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
    def __init__(self, sockets, *args, prefix=(), env=None, discovery=False):
        self.sockets = sockets
        self.log_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*prefix, FWADMITD, '--socket-dir=' + sockets, *([] if discovery else ['--no-discovery']), *args],
            env=env, stderr=self.log_file, stdin=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.sockets, name + '.sock')

    def log(self):
        return os.pread(self.log_file.fileno(), 1 << 20, 0).decode()

    def ask(self, method, /, **parameters):
        """The answer to a method: its parameters, or the error as text and parameters."""
        name = method if '.' in method else CONTROL + method
        request = {'method': name, 'parameters': parameters}
        reply = self.call(json.dumps(request).encode() + b'\0')
        if reply is None:
            raise ConnectionResetError
        if 'error' in reply:
            return reply['error'].replace(CONTROL, ''), reply['parameters']
        return reply['parameters']

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

    def wait_there(self):
        """Until its socket takes connections, which is a little later than that it has a name."""
        def there():
            try:
                return self.info()
            except NOT_THERE:
                return None
        wait_until(there, 'no socket')

    def info(self):
        return self.call(b'{"method":"org.fwadmit.Control.GetInfo"}\0')['parameters']

    def device(self, name):
        return next(d for d in self.info()['devices'] if d['name'] == name)

    def wait_state(self, name, state):
        def there():
            try:
                device = self.device(name)
            except NOT_THERE:
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
        self.addCleanup(lambda: await_journal(os.path.join(self.state, 'journal')))
        os.mkdir(self.policy, 0o755)
        self.write_policy(POLICY)

    def write_policy(self, text):
        path = os.path.join(self.policy, 'test.conf')
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(path, 0o644)

    def start(self, *args, env=None):
        d = Daemon(self.sockets, '--policy=' + self.policy, '--state-dir=' + self.state, *args, env=env)
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
        errors = [line for line in d.log().splitlines()
                  if not line.startswith(('fwadmitd: policy:', 'fwadmitd: journal:'))]
        self.assertEqual(len(errors), 1, errors)
        self.assertIn(text, errors[0])
