#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Advisories that others have signed, and ours as others read them."""
import base64
import hashlib
import json
import os

from common import Case, DOCUMENT, TYPE, main, openssl


class Signed(Case):
    def test_by_others(self):
        r = self.run_tool('check', self.signed())
        self.assertEqual(r.stderr, '')
        self.assertRegex(r.stdout, r'^FWA-2026-0001 3 in-force 2 [0-9a-f]{8} publisher.pem\n$')
        r = self.run_tool('import', self.signed())
        self.assertEqual(r.returncode, 0)
        self.assertEqual(self.run_tool('list').stdout, r.stdout)

    def test_refused(self):
        stranger = self.make_key('stranger', trusted=False)
        # (words, envelope): each is refused with its own reason
        cases = [
            ('ENOKEY: no key that is trusted here', self.sign(json.dumps(DOCUMENT).encode(), key=stranger)),
            ('EBADMSG: no advisory, but', self.sign(json.dumps(DOCUMENT).encode(), kind='application/json')),
            ('EBADMSG: payload: too short', self.sign(b'')),
            ('EBADMSG: not one JSON object', self.sign(b'[]')),
            ('EBADMSG: not one JSON object', self.sign(json.dumps(DOCUMENT).encode('utf-16'))),
            ('ETIME: it expired', self.sign(json.dumps({**DOCUMENT, 'expires': '2024-01-02T00:00:00Z'}).encode())),
            ('EAGAIN: it is of 2199', self.sign(json.dumps({**DOCUMENT, 'issued': '2199-01-01T00:00:00Z'}).encode())),
            ('EBADMSG: allow: not known', self.sign(json.dumps({**DOCUMENT, 'allow': True}).encode())),
        ]
        for words, envelope in cases:
            for verb in 'check', 'import':
                r = self.run_tool(verb, self.write(envelope))
                self.assertEqual(r.returncode, 1, words)
                self.assertEqual(r.stdout, '')
                self.assertIn(words, r.stderr)
        self.assertFalse(os.path.exists(self.path('state')))

    def test_signature_of_other_bytes(self):
        good, other = (json.loads(self.sign(json.dumps(d).encode())) for d in (DOCUMENT, {**DOCUMENT, 'id': 'B'}))
        good['payload'] = other['payload']
        r = self.run_tool('check', self.write(json.dumps(good)))
        self.assertIn('EKEYREJECTED: the signature with key publisher.pem is wrong', r.stderr)
        # without DSSE's head, the type and the lengths, a signature is none
        payload = json.dumps(DOCUMENT).encode()
        message = self.write(payload.decode(), 'message')
        sig = openssl('pkeyutl', '-sign', '-inkey', self.key, '-rawin', '-in', message)
        plain = json.loads(self.sign(payload))
        plain['signatures'][0]['sig'] = base64.b64encode(sig).decode()
        self.assertIn('EKEYREJECTED', self.run_tool('check', self.write(json.dumps(plain))).stderr)


class Made(Case):
    def test_as_others_read_it(self):
        r = self.run_tool('make', 'X', 'cxl', '0xc000', 'data')
        self.assertEqual(r.stderr, '')
        envelope = json.loads(r.stdout)
        payload = base64.b64decode(envelope['payload'], validate=True)
        [signature] = envelope['signatures']
        public = self.path('state/advisory-key.pem.pub')
        raw = openssl('pkey', '-pubin', '-in', public, '-pubout', '-outform', 'DER')[-32:]
        self.assertEqual(signature['keyid'], hashlib.sha256(raw).hexdigest())
        self.assertEqual(envelope['payloadType'], TYPE)
        with open(self.path('message'), 'wb') as f:
            f.write(b'DSSEv1 %d %s %d %s' % (len(TYPE), TYPE.encode(), len(payload), payload))
        with open(self.path('sig'), 'wb') as f:
            f.write(base64.b64decode(signature['sig']))
        openssl('pkeyutl', '-verify', '-pubin', '-inkey', public, '-rawin', '-in', self.path('message'),
                '-sigfile', self.path('sig'))
        document = json.loads(payload)
        self.assertEqual(document['commands'], [{'command': '0xc000', 'effects': ['data']}])
        self.assertEqual([document[k] for k in ('id', 'sequence', 'expires')], ['X', 1, None])

    def test_with_a_key_of_openssl(self):
        r = self.run_tool('make', 'X', 'nvme', 'admin:c1h', 'never', self.key)
        self.assertEqual(r.stderr, '')
        r = self.run_tool('import', self.write(r.stdout))
        self.assertRegex(r.stdout, r'^X 1 in-force 1 [0-9a-f]{8} publisher.pem\n$')


if __name__ == '__main__':
    main()
