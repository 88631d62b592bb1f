# SPDX-License-Identifier: GPL-2.0-or-later
"""Advisories made without fwadmit: by the text of spec/ADVISORY-FORMAT.md, with openssl's Ed25519."""
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ADVISORY = os.path.abspath(sys.argv[1])
TYPE = 'application/vnd.fwadmit.advisory+json'
DOCUMENT = {
    'format_version': 1, 'id': 'FWA-2026-0001', 'sequence': 3, 'issued': '2024-01-01T00:00:00Z', 'expires': None,
    'title': 'Drives that do more than they declare', 'reference': 'https://example.com/advisories/1',
    'products': [
        {'family': 'nvme', 'vendor': 'Acme*', 'model': 'Drive ?', 'firmware': {'from': '1.0', 'to': '1.9'}},
        {'family': 'nvme', 'vendor': 'Acme*', 'firmware': {'to': 'a b|c'}},
        {'family': 'nvme', 'model': 'Other', 'firmware': {'from': '7', 'to': '7'}},
        {'family': 'nvme'}],
    'commands': [
        {'command': 'get-log-page', 'selector': 'lid:7/lsp:1', 'effects': ['log', 'data']},
        {'set': 'nvme-admin', 'opcode': 'c1h', 'never': True}],
    'evidence': [{'sha256': '0123456789abcdef' * 4}],
}


def openssl(*args):
    return subprocess.run(['openssl', *args], check=True, capture_output=True).stdout


@unittest.skipUnless(shutil.which('openssl'), 'openssl is missing')
class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='fwadmit-advisory-')
        self.addCleanup(shutil.rmtree, self.dir)
        self.keys = os.path.join(self.dir, 'keys')
        os.mkdir(self.keys)
        self.key = self.make_key('publisher')

    def path(self, name):
        return os.path.join(self.dir, name)

    def make_key(self, name, trusted=True):
        key = self.path(name + '.key')
        openssl('genpkey', '-algorithm', 'ed25519', '-out', key)
        if trusted:
            openssl('pkey', '-in', key, '-pubout', '-out', os.path.join(self.keys, name + '.pem'))
        return key

    def sign(self, payload, key=None, kind=TYPE):
        """The envelope around the bytes @payload."""
        key = key or self.key
        raw = openssl('pkey', '-in', key, '-pubout', '-outform', 'DER')[-32:]
        pae = b'DSSEv1 %d %s %d %s' % (len(kind), kind.encode(), len(payload), payload)
        message = self.path('message')
        with open(message, 'wb') as f:
            f.write(pae)
        sig = openssl('pkeyutl', '-sign', '-inkey', key, '-rawin', '-in', message)
        return json.dumps({
            'payloadType': kind, 'payload': base64.b64encode(payload).decode(),
            'signatures': [{'keyid': hashlib.sha256(raw).hexdigest(), 'sig': base64.b64encode(sig).decode()}]})

    def write(self, text, name='advisory.json'):
        with open(self.path(name), 'w') as f:
            f.write(text)
        return self.path(name)

    def run_tool(self, *args):
        return subprocess.run([ADVISORY, self.path('state'), self.keys, *args], capture_output=True, text=True)

    def signed(self, document=None, **kwargs):
        return self.write(self.sign(json.dumps(document or DOCUMENT).encode(), **kwargs))


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
