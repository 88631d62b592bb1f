#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The advisory verbs without fwadmitd: the user's own store, and the worker of embedded mode."""
import json
import os
import sys
import unittest

from common import DECISION, FAILED, NOT_FOUND, READER, REFUSED, USAGE, VIOLATION, WRITER, Case

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from evidence import evidence  # noqa: E402

IDENTIFY = ['sim:honest', 'identify-memory-device']
URL = 'https://example.org/FWA-1'


class Advisories(Case):
    def setUp(self):
        super().setUp()
        self.reader = self.policy(READER)

    def make(self, *args, id='FWA-1', evidence_text=None):
        """Signed, not imported: the file."""
        found = self.file('evidence.json', evidence_text or evidence())
        path = self.path(f'advisory-{len(os.listdir(self.dir))}.json')
        self.run_cli('advisory', 'create', found, '--id=' + id, '-O', path, *args)
        return path

    def send(self, **kw):
        return self.run_cli('send', *IDENTIFY, self.reader, **kw)

    def test_what_was_admitted_is_refused(self):
        self.send()
        path = self.make('--reference=' + URL)
        self.send()  # it was only made
        self.assertIn('FWA-1, edition 1', self.run_cli('advisory', 'import', path).out)
        err = self.send(code=REFUSED).err
        self.assertIn(f'advisory FWA-1 adds data ({URL})', err)
        self.assertIn('would pass', err)
        self.run_cli('advisory', 'remove', 'FWA-1')
        self.send()
        self.run_cli('send', *IDENTIFY, self.policy(WRITER, 'other'))

    def test_effects_that_are_granted_pass(self):
        self.run_cli('advisory', 'import', self.make())
        self.run_cli('send', *IDENTIFY, self.policy(WRITER, 'other'))

    def test_union_is_shown(self):
        self.run_cli('advisory', 'import', self.make('--reference=' + URL))
        commands = {c['opcode']: c for c in self.json('effects', 'sim:honest', self.reader)['commands']}
        c = commands[0x4000]
        self.assertEqual((c['declared'], c['advisory'], c['effects'], c['required_scope']),
                         ([], ['data'], ['data'], 'debug-write-full'))
        self.assertEqual(c['advisories'], [{'id': 'FWA-1', 'reference': URL, 'effects': ['data'], 'never': False}])
        self.assertEqual([c['opcode'] for c in commands.values() if c['advisory']], [0x4000])
        out = self.run_cli('effects', 'sim:honest', self.reader).out
        self.assertRegex(out, r'(?m)^4000h +identify-memory-device +debug-write-full +change +\+data$')
        self.assertIn(f'advisory FWA-1 adds +data to identify-memory-device ({URL})\n', out)
        d = self.json('explain', *IDENTIFY, self.reader, code=REFUSED)['decision']
        self.assertKeys(d, DECISION)
        self.assertEqual((d['advisory'], [a['id'] for a in d['advisories']]), (['data'], ['FWA-1']))
        out = self.run_cli('explain', *IDENTIFY, self.reader, code=REFUSED).out
        self.assertRegex(out, rf'(?m)^  advisory +advisory FWA-1 adds data \({URL}\)$')
        self.assertIn('FWA-1', self.run_cli('send', *IDENTIFY, self.reader, '--dry-run', code=REFUSED).out)

    def test_never(self):
        self.run_cli('advisory', 'import', self.make('--never'))
        d = self.json('explain', *IDENTIFY, self.policy(WRITER, 'other'), code=REFUSED)['decision']
        self.assertEqual((d['reason'], d['detail']), ('never', 'an advisory forbids it'))
        self.assertIn('advisory FWA-1 forbids it', d['why'])
        self.assertIn('FWA-1 forbids identify-memory-device', self.run_cli('effects', 'sim:honest', self.reader).out)

    def test_only_the_selected_form(self):
        uuid = '5e1819d9-11a9-400c-811f-d60719403d86'
        text = evidence(0x0401, ['log'], selector={'uuid': uuid, 'name': 'vendor-debug'})
        self.run_cli('advisory', 'import', self.make(evidence_text=text))
        log = ['explain', 'sim:honest', 'get-log', self.reader, '--length=16', '--uuid']
        self.run_cli(*log, uuid, code=REFUSED)
        self.run_cli(*log, 'cel')

    def test_other_firmware(self):
        self.run_cli('advisory', 'import', self.make(evidence_text=evidence(firmware='0.9')))
        self.send()

    def test_editions(self):
        first, second = self.make(), None
        self.run_cli('advisory', 'import', first)
        self.run_cli('advisory', 'import', first)  # the same again
        second = self.make('--never')
        self.assertIn('edition 2', self.run_cli('advisory', 'import', second).out)
        self.error('advisory', 'import', first, code=FAILED, text='edition 1 is older than 2')
        self.run_cli('advisory', 'remove', 'FWA-1')
        self.error('advisory', 'import', first, code=FAILED, text='removed')

    def test_what_is_not_taken(self):
        path = self.make()
        with open(path, encoding='ascii') as f:
            envelope = json.load(f)
        for change in (lambda e: e['signatures'].clear(),
                       lambda e: e.update(payload=('A' if e['payload'][0] != 'A' else 'B') + e['payload'][1:]),
                       lambda e: e['signatures'][0].update(keyid=64 * '0')):
            other = json.loads(json.dumps(envelope))
            change(other)
            self.error('advisory', 'import', self.file('other.json', json.dumps(other)), code=FAILED)
        self.error('advisory', 'import', self.file('none.json', '{}'), code=FAILED)
        self.error('advisory', 'import', self.file('empty.json', ''), code=FAILED, text='empty')
        self.error('advisory', 'import', self.path('missing'), code=NOT_FOUND)
        self.assertEqual(self.json('advisory', 'list', code=NOT_FOUND)['advisories'], [])
        self.assertIn('there is no advisory', self.run_cli('advisory', 'list', code=NOT_FOUND).err)
        self.error('advisory', 'create', self.path('evidence.json'), '--expires=yesterday', code=USAGE)
        self.send()

    def test_a_key_that_nobody_trusts(self):
        path = self.make()
        self.env['FWADMIT_STATE_DIR'] = self.path('elsewhere')
        self.error('advisory', 'import', path, code=FAILED)

    def test_evidence_that_is_none(self):
        found = self.file('evidence.json', evidence().replace('"data"', '"log"'))
        self.error('advisory', 'create', found, code=FAILED)  # its digest is another one
        found = self.file('evidence.json', evidence(kind='hang', undeclared=[]))
        self.error('advisory', 'create', found, code=FAILED, text='--never')
        found = self.file('evidence.json', evidence(accuses=False))
        self.error('advisory', 'create', found, code=FAILED, text='no accusation')

    def test_one_that_was_damaged_is_said(self):
        self.run_cli('advisory', 'import', self.make())
        path = os.path.join(self.env['FWADMIT_STATE_DIR'], 'advisories', 'FWA-1.json')
        with open(path, 'r+b') as f:
            f.truncate(40)
        a, = self.json('advisory', 'list')['advisories']
        self.assertEqual((a['id'], a['status']), ('FWA-1', 'bad'))
        self.assertTrue(a['error'])
        self.assertIn('advisory FWA-1 is not in force: ', self.send().err)

    def test_list_show_export(self):
        self.error('advisory', 'show', 'FWA-1', code=NOT_FOUND, text='FWA-1')
        self.error('advisory', 'remove', 'FWA-1', code=NOT_FOUND, text='FWA-1')
        self.run_cli('advisory', 'import', self.make('--reference=' + URL, '--expires=90d'))
        a, = self.json('advisory', 'list')['advisories']
        self.assertEqual((a['status'], a['sequence'], a['signer'], a['reference']), ('in-force', 1, 'this host', URL))
        self.assertEqual(a['expires'] - a['issued'], 90 * 86400)
        self.assertRegex(self.run_cli('advisory', 'list').out, r'(?m)^FWA-1 +in-force +1 ')
        document = self.json('advisory', 'show', 'FWA-1')['advisory']['document']
        self.assertEqual(document['commands'][0]['effects'], ['data'])
        self.assertIn(URL, self.run_cli('advisory', 'show', 'FWA-1').out)
        csaf = json.loads(self.run_cli('advisory', 'export', 'FWA-1', '--format=csaf').out)
        self.assertEqual(csaf['document']['csaf_version'], '2.0')
        self.assertEqual(self.json('advisory', 'export', 'FWA-1')['csaf'], csaf)

    def test_the_journal_has_what_counted(self):
        self.run_cli('advisory', 'import', self.make())
        self.send(code=REFUSED)
        self.run_cli('advisory', 'remove', 'FWA-1')
        self.send()
        self.run_cli('log', 'replay')  # each comes out as it did, whatever is in force now
        refused = [json.loads(line) for line in self.run_cli('-o', 'json', 'log', 'list', '--refused').out.splitlines()]
        self.assertEqual(len(refused), 1)
        self.assertNotEqual(self.run_cli('log', 'replay', code=None).code, VIOLATION)


if __name__ == '__main__':
    unittest.main()
