#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Advisories in fwadmitd (C33): at once, for all workers, across restarts, and over when they are."""
import base64
import json
import os
import socket
import struct
import subprocess
import sys
import unittest

from common import CONTROL, DEADLINE, FWADMITD, Case, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from evidence import evidence  # noqa: E402

FWADMIT = os.path.join(os.path.dirname(FWADMITD), 'fwadmit')
IDENTIFY, HEALTH, TRANSFER, ACTIVATE = 0x4000, 0x4200, 0x0201, 0x0202
NEVER, SCOPE, GRANT_SCOPE, ADMIT = 5, 6, 9, 16  # reasons
BY_ADVISORY = 49  # detail
ALL = ('[grant all]\nuser = *\ndevice = *\nscope = debug-write-full\neffects = config-cold-reset, config, policy, log, '
       'background, config-conv-reset, config-cxl-reset, exclusive\n')


class Client:
    """A connection that stays open."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(path)

    def submit(self, opcode, payload=b''):
        """Reason and detail of the decision."""
        self.sock.send(struct.pack('<IHHQBBHI6IIIII', 0x31475746, 2, 2, 7, 0, 255, opcode, 0, *6 * (0,), len(payload),
                                   2048, 0, 0) + payload)
        message = self.sock.recv(1 << 20)
        if not message:
            raise ConnectionResetError
        return message[20], message[21]


class Advisories(Case):
    def client(self, d, name):
        c = Client(d.path(name))
        self.addCleanup(c.sock.close)
        return c

    def make(self, *args, id='FWA-1', **finding):
        """The envelope, signed with the host's own key."""
        found, path = os.path.join(self.base, 'evidence.json'), os.path.join(self.base, 'advisory.json')
        with open(found, 'w', encoding='ascii') as f:
            f.write(evidence(**finding))
        subprocess.run([FWADMIT, 'advisory', 'create', found, '--id=' + id, '-O', path, *args], check=True,
                       env=os.environ | {'FWADMIT_STATE_DIR': self.state}, timeout=DEADLINE)
        with open(path, 'rb') as f:
            return f.read()

    def take(self, d, envelope):
        return d.ask('ImportAdvisory', document=base64.b64encode(envelope).decode())

    def subscribe(self, d):
        s = socket.socket(socket.AF_UNIX)
        self.addCleanup(s.close)
        s.settimeout(DEADLINE)
        s.connect(d.path('control'))
        s.sendall(json.dumps({'method': CONTROL + 'Subscribe', 'more': True}).encode() + b'\0')
        f = s.makefile('rb')
        self.addCleanup(f.close)
        return f

    def await_event(self, events, name):
        text = b''
        while True:
            byte = events.read(1)
            self.assertTrue(byte)
            text += byte
            if byte == b'\0':
                event = json.loads(text[:-1])['parameters']
                text = b''
                if event['event'] == name:
                    return event

    def test_at_once_on_open_connections(self):
        d = self.start_two()
        clients = [self.client(d, name) for name in 'ab']
        for c in clients:
            self.assertEqual(c.submit(IDENTIFY)[0], ADMIT)
        self.assertEqual(self.take(d, self.make()), {'id': 'FWA-1', 'sequence': 1})
        for c in clients:
            self.assertEqual(c.submit(IDENTIFY)[0], GRANT_SCOPE)
            self.assertEqual(c.submit(HEALTH)[0], ADMIT)
        self.assertEqual(d.info()['advisories'], 1)
        self.assertEqual(d.ask('RemoveAdvisory', id='FWA-1'), {})
        for c in clients:
            self.assertEqual(c.submit(IDENTIFY)[0], ADMIT)
        self.assertEqual(d.info()['advisories'], 0)
        self.assertEqual(d.ask('RemoveAdvisory', id='FWA-1'), ('NoSuchAdvisory', {'id': 'FWA-1'}))

    def test_never(self):
        d = self.start_two()
        c = self.client(d, 'a')
        self.take(d, self.make('--never'))
        self.assertEqual(c.submit(IDENTIFY), (NEVER, BY_ADVISORY))

    def test_across_a_restart(self):
        d = self.start_two()
        self.take(d, self.make('--never'))
        self.assertEqual(d.end(), 0)
        d = self.start_two()
        self.assertEqual(self.client(d, 'b').submit(IDENTIFY), (NEVER, BY_ADVISORY))
        os.kill(d.device('b')['pid'], 9)
        wait_until(lambda: d.device('b')['restarts'] and d.device('b')['state'] == 'ready', 'no other worker')
        self.assertEqual(self.client(d, 'b').submit(IDENTIFY), (NEVER, BY_ADVISORY))

    def test_what_is_not_taken(self):
        d = self.start_two()
        first, second = self.make(), None
        self.take(d, first)
        second = self.make('--never')
        for document, text in ((b'', 'document'), (b'{}', ''), (first[:-20], ''), (first.replace(b'"sig"', b'"sog"'), '')):
            error, p = self.take(d, document)
            self.assertIn(error, ('InvalidAdvisory', 'org.varlink.service.InvalidParameter'))
            self.assertIn(text, p.get('message', p.get('parameter')))
        envelope = json.loads(second)
        payload = bytearray(base64.b64decode(envelope['payload']))
        payload[payload.index(b'never')] ^= 1
        envelope['payload'] = base64.b64encode(payload).decode()
        self.assertEqual(self.take(d, json.dumps(envelope).encode())[0], 'InvalidAdvisory')
        self.assertEqual(self.take(d, second), {'id': 'FWA-1', 'sequence': 2})
        error, p = self.take(d, first)
        self.assertEqual(error, 'InvalidAdvisory')
        self.assertIn('older', p['message'])
        self.assertEqual(d.ask('ImportAdvisory', document='!')[0], 'InvalidAdvisory')
        self.assertEqual(self.client(d, 'a').submit(IDENTIFY), (NEVER, BY_ADVISORY))

    def test_a_damaged_one_is_said_and_the_others_count(self):
        d = self.start_two()
        self.take(d, self.make('--never'))
        self.take(d, self.make('--never', id='FWA-2', opcode=HEALTH))
        events = self.subscribe(d)
        self.await_event(events, 'subscribed')
        with open(os.path.join(self.state, 'advisories', 'FWA-1.json'), 'r+b') as f:
            f.truncate(40)
        d.ask('Reload')
        self.assertIn('FWA-1', self.await_event(events, 'advisory_trouble')['text'])
        self.assertIn('FWA-1 is not in force', d.info()['advisories_trouble'])
        self.assertIn('advisory FWA-1: NOT in force', d.log())
        listed = {a['id']: a for a in d.ask('ListAdvisories')['advisories']}
        self.assertEqual([listed[i]['status'] for i in ('FWA-1', 'FWA-2')], ['bad', 'in-force'])
        self.assertTrue(listed['FWA-1']['error'])
        self.assertEqual(self.client(d, 'a').submit(HEALTH), (NEVER, BY_ADVISORY))

    def test_it_ends(self):
        d = self.start_two()
        c = self.client(d, 'a')
        events = self.subscribe(d)
        self.take(d, self.make('--expires=2s'))
        self.assertEqual(self.await_event(events, 'advisory_ended')['text'], 'FWA-1')
        self.assertEqual(c.submit(IDENTIFY)[0], ADMIT)
        self.assertEqual([a['status'] for a in d.ask('ListAdvisories')['advisories']], ['expired'])
        self.assertEqual(d.info()['advisories'], 0)
        self.assertNotIn('advisories_trouble', d.info())

    def test_other_firmware_is_out_of_its_range(self):
        self.write_policy(ALL)
        d = self.start_two()
        c = self.client(d, 'a')
        self.take(d, self.make())
        self.assertNotEqual(c.submit(IDENTIFY)[0], ADMIT)
        image = struct.pack('<8sIHH16s', b'SIMFWPKG', 0, 0, 0, b'2.0').ljust(128, b'\0')
        self.assertEqual(c.submit(TRANSFER, struct.pack('<BBHI120x', 0, 2, 0, 0) + image)[0], ADMIT)
        self.assertEqual(c.submit(ACTIVATE, bytes([0, 2]))[0], ADMIT)
        self.assertEqual(c.submit(IDENTIFY)[0], ADMIT)
        self.assertNotEqual(self.client(d, 'b').submit(IDENTIFY)[0], ADMIT)

    def test_the_journal_says_who_did_it(self):
        d = self.start_two()
        c = self.client(d, 'a')
        self.take(d, self.make())
        self.assertNotEqual(c.submit(IDENTIFY)[0], ADMIT)
        d.ask('RemoveAdvisory', id='FWA-1')
        self.assertEqual(c.submit(IDENTIFY)[0], ADMIT)
        self.assertEqual(d.end(), 0)
        log = [FWADMIT, '--journal=' + os.path.join(self.state, 'journal')]
        out = subprocess.run([*log, 'log', 'list', '-o', 'json'], check=True, stdout=subprocess.PIPE, timeout=DEADLINE).stdout
        acts = [json.loads(line).get('act') for line in out.decode().splitlines()]
        self.assertEqual([a for a in acts if a and a.startswith('advisory')], ['advisory-imported', 'advisory-removed'])
        subprocess.run([*log, 'log', 'replay'], check=True, stdout=subprocess.DEVNULL, timeout=DEADLINE)


if __name__ == '__main__':
    unittest.main()
