#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Images and Features that are longer than one command: sent in parts, on one connection."""
import json
import os
import signal
import subprocess
import time
import unittest

from common import DEVICE_ERROR, FWADMIT, OK, REFUSED, USAGE, Case

FWADMITD = os.path.join(os.path.dirname(FWADMIT), 'fwadmitd')
CALIBRATION = '5a1df00d-6b2e-4c11-9a77-0c514d000004'  # 4096 bytes
DEVICES = {'mem0': 'sim:honest,payload=512', 'slow0': 'sim:honest,payload=4096,fw-ms=20', 'nvme0': 'sim:nvme'}
POLICY = ('[grant w]\nuser = *\ndevice = *\nscope = debug-write-full\n'
          'effects = config-cold-reset, config, data, log, background, config-conv-reset, config-cxl-reset, '
          'controller-capability\n')


def package(revision, more):
    return b'SIMFWPKG' + bytes(8) + revision.ljust(16, b'\0') + bytes(range(256)) * (more // 256)


class Parts(Case):
    def setUp(self):
        super().setUp()
        self.where = '--socket-dir=' + self.path('run')
        daemon = subprocess.Popen(
            [FWADMITD, self.where, self.policy(POLICY), '--no-discovery', '--state-dir=' + self.path('state'),
             *(f'--device={name}={spec}' for name, spec in DEVICES.items())], stderr=subprocess.DEVNULL)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.send_signal, signal.SIGTERM)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            r = self.run_cli('status', self.where, '-o', 'json', code=None)
            if r.code == 0 and all(d['state'] == 'ready' for d in json.loads(r.out)['devices']):
                return
            time.sleep(0.02)
        self.fail('fwadmitd is not ready')

    def send(self, *args, **kw):
        return self.json('send', *args, self.where, **kw)

    def revision(self, device, slot):
        data = bytes.fromhex(self.send(device, 'get-fw-info')['output_hex'])
        return data[16 * slot:16 * slot + 16].rstrip(b'\0')

    def test_cxl_firmware(self):
        for device, room in ('mem0', 384), ('slow0', 3968):
            for length in 384, 385, 3968, 3969, 7936, 20000:  # of the package
                revision = b'%d' % length
                image = package(revision, 20000)[:length]
                o = self.send(device, 'transfer-fw', '--slot=2', '-i', self.file('image', image))
                n = -(-length // room)
                self.assertEqual((o['part'], o['parts'], o['outcome']['status']), (n, n, 'completed'))
                end = time.monotonic() + 20
                while self.revision(device, 2) != revision and time.monotonic() < end:
                    time.sleep(0.01)  # the last part's background work
                self.assertEqual(self.revision(device, 2), revision)
        o = self.send('mem0', 'transfer-fw', '--slot=2', '--length=128', '-i', self.file('image', package(b'3', 1024)))
        self.assertEqual(o['parts'], 9)

    def when_free(self, *args, code):
        """Sends when the gate has recorded and sent its own abort of what was sent before."""
        end = time.monotonic() + 20
        while True:
            r = self.run_cli('send', *args, self.where, code=None)
            if r.code != REFUSED or 'lease' not in r.err:
                self.assertEqual(r.code, code, r)
                return r
            self.assertLess(time.monotonic(), end)

    def test_a_part_that_fails(self):
        args = ('mem0', 'transfer-fw', '-i', self.file('image', package(b'5', 4096)))
        o = self.send(*args, '--slot=7', code=DEVICE_ERROR)
        self.assertEqual((o['part'], o['parts'], o['outcome']['device_status']), (11, 11, 'invalid-slot'))
        self.assertRegex(self.when_free(*args, '--slot=7', code=DEVICE_ERROR).err,
                         r'\Afwadmit: transfer-fw \(0201h\), part 11 of 11: the device returned '
                         r'invalid-slot \(0bh\); record \d+\n\Z')
        self.when_free(*args, '--slot=2', code=OK)  # nothing is left of those
        self.assertEqual(self.revision('mem0', 2), b'5')

    def test_feature(self):
        args = ('mem0', 'set-feature', '--uuid=' + CALIBRATION)
        for length in 480, 481, 4096:
            value = os.urandom(length)
            o = self.send(*args, '-i', self.file('value', value), '--selection=saved')
            self.assertEqual(o['parts'], -(-length // 480))
            self.assertEqual(o['decision']['selector']['uuid'], CALIBRATION)
            read = bytes.fromhex(self.send('mem0', 'get-feature', '--uuid=' + CALIBRATION, '--length=480',
                                           '--selection=saved')['output_hex'])
            self.assertEqual(read, value[:480])
            tail = self.send('mem0', 'get-feature', '--uuid=' + CALIBRATION, f'--offset={length - 100}', '--length=100')
            self.assertEqual(bytes.fromhex(tail['output_hex']), value[-100:])
        # behind the Feature's end: the gate knows its size, and refuses the part that leaves it
        o = self.send(*args, '-i', self.file('value', bytes(4097)), code=REFUSED)
        self.assertEqual(o['decision']['reason'], 'payload-shape')
        # behind what 16 bits can say nothing is sent
        self.error('send', *args, self.where, '-i', self.file('value', bytes(70000)), code=USAGE, text='address')

    def test_nvme_firmware(self):
        image = self.file('image', b'SIMNVME1' + b'7.7'.ljust(8) + os.urandom(50000))
        for args, n in ((), 13), (('--length=4',), 12504), (('--length=0x8000',), 2), (('--length=0x100000',), 1):
            o = self.send('nvme0', 'fw-download', '-i', image, *args)
            self.assertEqual((o['part'], o['parts']), (n, n))
            self.send('nvme0', 'fw-commit', '--slot=2', '--action=0')
        slots = bytes.fromhex(self.send('nvme0', 'get-log-page', '--lid=3')['output_hex'])
        self.assertEqual(slots[16:24], b'7.7     ')

    def test_lengths(self):
        image = self.file('image', package(b'1', 4096))
        for device, command, length in (('mem0', 'transfer-fw', 512), ('mem0', 'transfer-fw', 100),
                                        ('mem0', 'transfer-fw', 0), ('mem0', 'set-feature', 481),
                                        ('nvme0', 'fw-download', 6), ('nvme0', 'fw-download', 1 << 22)):
            selector = {'set-feature': ['--uuid=' + CALIBRATION], 'transfer-fw': ['--slot=2']}.get(command, [])
            self.error('send', device, command, *selector, '-i', image, f'--length={length}', self.where,
                       code=USAGE, text='multiple of')
        self.error('send', 'mem0', 'set-lsa', '--offset=0', self.where, '-i', self.file('big', bytes((2 << 20) + 1)),
                   code=USAGE, text='at most 2097152 bytes')

    def test_what_is_a_part_already(self):
        data = self.file('part', package(b'1', 4096))
        o = self.send('mem0', 'transfer-fw', '--slot=2', '--action=1', '-i', data, code=REFUSED)
        self.assertEqual((o['parts'], o['decision']['reason']), (1, 'payload-shape'))

    def test_explain(self):
        """The first part is judged; a grant that is proposed is for all of them."""
        image = ('-i', self.file('image', package(b'5', 4096)))
        nothing = self.policy('[grant r]\nuser = *\ndevice = *\nscope = configuration\n', 'none')
        args = ('explain', 'sim:honest,payload=512', 'transfer-fw', '--slot=2', *image, nothing)
        self.assertRegex(self.run_cli(*args, code=REFUSED).out, 'in parts +11, of which')
        commands = self.json(*args, code=REFUSED)['decision']['would_pass']['grant']['commands']
        self.assertEqual(commands, 'cxl:transfer-fw slot:2')

    def test_refused(self):
        nothing = self.policy('[grant r]\nuser = *\ndevice = *\nscope = configuration\n', 'none')
        r = self.run_cli('send', 'sim:honest,payload=512', 'transfer-fw', '--slot=2', nothing,
                         '-i', self.file('image', package(b'5', 4096)), code=REFUSED)
        self.assertRegex(r.err, r'\Afwadmit: transfer-fw \(0201h\), part 1 of 11 refused: grant-scope [^\n]+\n\Z')


if __name__ == '__main__':
    unittest.main()
