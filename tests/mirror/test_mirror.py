#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fwadmit-log-mirror, with a socket in the place of systemd-journald's, in a mount namespace of its own."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

MIRROR, MAKE_LOG = (os.path.abspath(p) for p in sys.argv[1:3])
SOCKET = '/run/systemd/journal/socket'
INSIDE = '--inside'
SCRIPT = '''
source mem0
source nvme0
source daemon
decision mem0 uid=1000 reason=9 effects=4 comm=cxl unit=a.service
decision mem0 uid=1001 effects=4
outcome mem0
control daemon 8 0 nvme0 smoke
control daemon 5 0 mem0 g-1
unrecorded nvme0 5 2
control daemon 9 0 nvme0 ok
'''


def fields(message):
    found = {}
    for line in message.decode().splitlines():
        name, _, value = line.partition('=')
        assert name not in found, message
        found[name] = value
    return found


class Mirror(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.dir = tmp.name
        self.journal, self.cursor = self.dir + '/journal', self.dir + '/cursor'
        os.makedirs(os.path.dirname(SOCKET), exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(SOCKET)
        self.socket.settimeout(20)
        self.addCleanup(os.unlink, SOCKET)
        self.addCleanup(self.socket.close)

    def make(self, script, journal=None):
        subprocess.run([MAKE_LOG, journal or self.journal], input=script.encode(), check=True)

    def mirror(self, *options):
        command = [MIRROR, '--journal=' + self.journal, '--cursor=' + self.cursor, *options]
        return subprocess.run(command, stderr=subprocess.PIPE, timeout=60, check=False)

    def said(self):
        """What has come until now."""
        got = []
        self.socket.setblocking(False)
        try:
            while True:
                got.append(fields(self.socket.recv(65536)))
        except BlockingIOError:
            pass
        self.socket.settimeout(20)
        return got

    def test_from_where_it_was(self):
        self.make(SCRIPT)
        self.assertEqual(self.mirror('--once').returncode, 0)
        self.assertEqual(self.said(), [], 'the past is not told')
        self.make(SCRIPT)
        self.assertEqual(self.mirror('--once').returncode, 0)
        got = self.said()
        self.assertEqual([m['FWADMIT_EVENT'] for m in got], ['refused', 'quarantined', 'unrecorded', 'released'])
        refused = got[0]
        self.assertLessEqual({'PRIORITY': '5', 'FWADMIT_DEVICE': 'mem0', 'FWADMIT_UID': '1000', 'FWADMIT_COMM': 'cxl',
                              'FWADMIT_UNIT': 'a.service', 'FWADMIT_REASON': 'grant-scope', 'FWADMIT_CLAUSE': 'C19',
                              'FWADMIT_EFFECTS': 'data', 'SYSLOG_IDENTIFIER': 'fwadmit'}.items(), refused.items())
        self.assertRegex(refused['MESSAGE_ID'], r'^[0-9a-f]{32}$')
        self.assertEqual([m['FWADMIT_DEVICE'] for m in got[1:]], ['nvme0'] * 3)
        self.assertEqual(self.mirror('--once').returncode, 0)
        self.assertEqual(self.said(), [], 'once is enough')

    def test_another_journal(self):
        self.make(SCRIPT)
        self.mirror('--once')
        shutil.rmtree(self.journal)
        self.make(SCRIPT)
        self.assertIn(b'from its end', self.mirror('--once').stderr)
        self.assertEqual(self.said(), [])

    def test_a_cursor_that_is_none(self):
        self.make(SCRIPT)
        for text in ('', 'x', '5', '5 abc', '99999999999999999999 ' + '0' * 64):
            with open(self.cursor, 'w', encoding='ascii') as f:
                f.write(text)
            self.assertEqual(self.mirror('--once').returncode, 0)
            self.assertEqual(self.said(), [])
            with open(self.cursor, encoding='ascii') as f:
                self.assertRegex(f.read(), r'^\d+ [0-9a-f]{64}\n$')

    def test_it_follows(self):
        self.make(SCRIPT)
        self.mirror('--once')
        with subprocess.Popen([MIRROR, '--journal=' + self.journal, '--cursor=' + self.cursor]) as p:
            try:
                deadline = time.monotonic() + 20
                self.make(SCRIPT)
                got = []
                while len(got) < 4 and time.monotonic() < deadline:
                    got.append(fields(self.socket.recv(65536)))
                self.assertEqual(got[1]['FWADMIT_EVENT'], 'quarantined')
                p.terminate()
                self.assertEqual(p.wait(20), 0)
            finally:
                p.kill()
        self.make(SCRIPT)
        self.mirror('--once')
        self.assertEqual(len(self.said()), 4)

    def test_usage(self):
        self.assertEqual(self.mirror('--no-such').returncode, 2)
        self.assertEqual(self.mirror('word').returncode, 2)
        self.journal = self.dir + '/nowhere'
        r = self.mirror('--once')
        self.assertEqual(r.returncode, 1)
        self.assertRegex(r.stderr, rb'No such file')


class Documents(unittest.TestCase):
    def test_ids_are_those_of_the_table(self):
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        pattern = r'\b[0-9a-f]{32}\b'
        with open(root + '/src/mirror/fields.c', encoding='utf-8') as f:
            table = re.findall(pattern, f.read())
        with open(root + '/docs/OPERATORS.md', encoding='utf-8') as f:
            self.assertEqual(re.findall(pattern, f.read()), table)


if __name__ == '__main__':
    if INSIDE in sys.argv:
        unittest.main(argv=sys.argv[:1])
    inside = ('mount -t tmpfs none /run && mkdir -p /run/systemd/journal && exec "$@"')
    if subprocess.run(['unshare', '--map-root-user', '--mount', 'sh', '-c', inside, 'sh', 'true'], check=False,
                      stderr=subprocess.DEVNULL).returncode != 0:
        unittest.main(argv=sys.argv[:1], defaultTest='Documents')
    os.execvp('unshare', ['unshare', '--map-root-user', '--mount', 'sh', '-c', inside, 'sh', sys.executable,
                          os.path.abspath(__file__), *sys.argv[1:3], INSIDE])
