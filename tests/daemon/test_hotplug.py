#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that come and go, as udev tells it: FWADMITD as the first argument. Needs root.

udev's messages are the test's own, in a network namespace where nobody else hears them; the nodes
are links to /dev/null, in a /dev that nobody else sees, and the workers are the test's, too.
"""
import ctypes
import os
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from common import Daemon, wait_until
from test_worker import REMOVED, FakeCase

UDEV_GROUP = 2


def hash32(text):
    """MurmurHash2 with seed 0, by which libudev's messages are filtered."""
    data, m, h = text.encode(), 0x5bd1e995, len(text)
    while len(data) >= 4:
        k = struct.unpack('<I', data[:4])[0] * m & 0xffffffff
        k = (k ^ k >> 24) * m & 0xffffffff
        h = (h * m ^ k) & 0xffffffff
        data = data[4:]
    for i in range(len(data) - 1, -1, -1):
        h ^= data[i] << 8 * i
    if data:
        h = h * m & 0xffffffff
    h = (h ^ h >> 13) * m & 0xffffffff
    return h ^ h >> 15


def udev_message(action, name):
    properties = {'ACTION': action, 'DEVPATH': '/devices/virtual/nvme/' + name, 'SUBSYSTEM': 'nvme',
                  'DEVNAME': '/dev/' + name, 'SEQNUM': '1'}
    body = b''.join(('%s=%s' % p).encode() + b'\0' for p in properties.items())
    return struct.pack('=8sIIIIIIII', b'libudev\0', socket.htonl(0xfeedcafe), 40, 40, len(body),
                       socket.htonl(hash32('nvme')), 0, 0, 0) + body


# libudev hears udev only where udev seems to run, which it sees in /run where /dev is not the kernel's.
OWN_DEV = """mount --make-rprivate / && mkdir "$0/dev" && mount -t tmpfs -o mode=755 none "$0/dev" &&
: >"$0/dev/null" && mount --bind /dev/null "$0/dev/null" && ln -s /proc/self/fd "$0/dev/fd" &&
mount --rbind "$0/dev" /dev && mount -t tmpfs none /run && mkdir /run/udev && : >/run/udev/control"""


def unshare():
    """A network and a mount namespace of our own, for us and what we start; /dev holds only null and fd."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x40000000 | 0x20000):
        return False
    with tempfile.TemporaryDirectory(prefix='fwadmitd-', ignore_cleanup_errors=True) as base:
        done = subprocess.run(['sh', '-c', OWN_DEV, base], stderr=subprocess.DEVNULL).returncode == 0
        subprocess.run(['umount', '-R', base + '/dev'], stderr=subprocess.DEVNULL)
    return done


@unittest.skipUnless(os.geteuid() == 0 and unshare(), 'needs root, and namespaces')
class Hotplug(FakeCase):
    def setUp(self):
        super().setUp()
        self.udev = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)  # NETLINK_KOBJECT_UEVENT
        self.addCleanup(self.udev.close)
        self.udev.bind((0, 0))
        for name in 'nvme70', 'nvme71':
            os.symlink('/dev/null', '/dev/' + name)
            self.addCleanup(os.unlink, '/dev/' + name)

    def start_watching(self):
        # An empty sysfs: what the machine has is none of this test's.
        d = Daemon(self.sockets, '--policy=' + self.policy, '--state-dir=' + self.state, env=self.env, discovery=True,
                   prefix=['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /sys && exec "$@"', 'sh'])
        self.addCleanup(d.log_file.close)
        self.addCleanup(d.end, 9)
        wait_until(lambda: os.path.exists(d.path('control')) or d.process.poll() is not None, 'no socket')
        time.sleep(0.1)
        return d

    def tell(self, action, name):
        self.udev.sendto(udev_message(action, name), (0, UDEV_GROUP))

    def test_come_and_go(self):
        d = self.start_watching()
        events = self.subscribe(d)
        self.tell('add', 'nvme70')
        first = self.accept()
        self.assertEqual((first.name, first.spec), ('nvme70', 'nvme:/dev/nvme70'))
        first.start(serial='1')
        self.event(events, 'device_ready', 'nvme70')
        self.tell('add', 'nvme70')  # seen twice, served once
        d.ask('Quarantine', device='nobody', reason='x')
        self.assertEqual(len(d.ask('ListDevices')['devices']), 1)
        # Removed: the worker is told before its channel ends; the socket is gone at once.
        self.tell('remove', 'nvme70')
        self.event(events, 'device_removed', 'nvme70')
        self.assertEqual(first.hear(), (REMOVED, '', None))
        self.assertIsNone(first.hear())
        self.assertFalse(os.path.exists(d.path('nvme70')))
        # It is back before the old worker has ended.
        self.tell('add', 'nvme70')
        second = self.accept()
        self.assertTrue(os.path.exists(d.path('nvme70')))
        second.start(serial='2')
        self.event(events, 'device_ready', 'nvme70')
        device, = d.ask('ListDevices')['devices']
        self.assertEqual((device['pid'], device['serial'], device['restarts']), (second.pid, '2', 0))
        wait_until(lambda: 'worker %d does not stop: killed' % first.pid in d.log(), 'the old one lives')
        device, = d.ask('ListDevices')['devices']
        self.assertEqual((device['pid'], device['state']), (second.pid, 'ready'))
        self.assertTrue(os.path.exists(d.path('nvme70')))
        self.assertNotIn('another device than before', d.log())

    def test_quarantine_follows_the_device(self):
        d = self.start_watching()
        events = self.subscribe(d)
        self.tell('add', 'nvme70')
        w = self.accept()
        w.start(serial='1')
        self.event(events, 'device_ready', 'nvme70')
        w.say(12, 'garbage: x')
        self.event(events, 'quarantined', 'nvme70')
        self.tell('remove', 'nvme70')
        self.tell('add', 'nvme71')  # in another slot
        w = self.accept()
        self.assertEqual(w.start(serial='1')[0][1], 'garbage: x')
        self.tell('add', 'nvme70')  # in its old one is another
        w = self.accept()
        self.assertEqual(len(w.start(serial='2')), 1)
        d.wait_state('nvme70', 'ready')
        self.assertEqual(d.device('nvme71')['state'], 'quarantined')

    def test_contradiction_ends_with_one_of_the_two(self):
        """At once, and not when its worker has ended."""
        d = self.start_watching()
        events = self.subscribe(d)
        for name, declares in ('nvme70', b'one thing'), ('nvme71', b'another'):
            self.tell('add', name)
            w = self.accept()
            w.start(serial=name, declares=declares)
            self.event(events, 'device_ready', name)
        for name in 'nvme70', 'nvme71':
            self.assertEqual(len(d.device(name)['findings']), 1)
        self.tell('remove', 'nvme71')
        self.event(events, 'device_removed', 'nvme71')
        device, = d.ask('ListDevices')['devices']
        self.assertEqual((device['name'], device['findings']), ('nvme70', []))
        self.tell('add', 'nvme71')
        w = self.accept()
        w.start(serial='nvme71', declares=b'one thing')
        self.event(events, 'device_ready', 'nvme71')
        self.assertEqual([x['findings'] for x in d.ask('ListDevices')['devices']], [[], []])

    def test_storm(self):
        d = self.start_watching()
        for _ in range(50):
            self.tell('add', 'nvme70')
            self.tell('remove', 'nvme70')
        self.tell('add', 'nvme70')
        for _ in range(100):
            try:
                w = self.accept()
                w.start()
            except (BrokenPipeError, ConnectionResetError, TypeError):  # killed before or while it speaks
                continue
            if d.ask('ListDevices')['devices'][0].get('pid') == w.pid:
                break
        self.assertEqual(d.wait_state('nvme70', 'ready')['pid'], w.pid)
        self.assertTrue(os.path.exists(d.path('nvme70')))

    def test_none_of_ours(self):
        d = self.start_watching()
        for name in 'nvme70n1', '../x', 'nvme', 'control', 'x' * 300:
            self.tell('add', name)
        self.udev.sendto(b'libudev\0nonsense', (0, UDEV_GROUP))
        self.assertEqual(d.ask('ListDevices'), {'devices': []})


if __name__ == '__main__':
    unittest.main()
