#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""policy check, policy show and policy test, and what grants are narrowed by."""
import os
import unittest

from common import FAILED, NOT_FOUND, REFUSED, USAGE, VIOLATION, WRITER, READER, Case

CHECK = {'format_version', 'verb', 'source', 'policy_digest', 'grants', 'errors', 'warnings', 'messages'}


class Check(Case):
    def test_good(self):
        self.policy(READER)
        o = self.json('policy', 'check', self.path('policy'))
        self.assertKeys(o, CHECK)
        self.assertEqual((o['source'], o['grants'], o['errors'], o['warnings'], o['messages']),
                         (self.path('policy'), 1, 0, 0, []))
        self.assertRegex(o['policy_digest'], '^[0-9a-f]{64}$')
        out = self.run_cli('policy', 'check', self.path('policy')).out
        self.assertEqual(out, f'{self.path("policy")}: 1 grant, policy {o["policy_digest"][:12]}\n')
        again = self.run_cli('policy', 'check', '--policy=' + self.path('policy')).out
        self.assertEqual(out, again)

    def test_errors_have_file_and_line(self):
        self.policy('[grant a]\nuser = root\ndevce = *\nscope = everything\n')
        o = self.json('policy', 'check', self.path('policy'), code=VIOLATION)
        self.assertKeys(o, CHECK)
        self.assertEqual((o['grants'], o['policy_digest'], o['errors']), (None, None, len(o['messages'])))
        for m in o['messages']:
            self.assertKeys(m, {'severity', 'file', 'line', 'message'})
            self.assertEqual((m['severity'], m['file']), ('error', self.path('policy/50-test.conf')))
        self.assertEqual([m['line'] for m in o['messages']][:2], [3, 4])
        out = self.run_cli('policy', 'check', self.path('policy'), code=VIOLATION).out
        self.assertRegex(out, r'(?m)^\S+/50-test\.conf:3: error: .*devce')

    def test_names_of_files_are_text(self):
        self.file('policy/a\033[31m\nb\u009bc.conf', 'x = 1\n')
        out = self.run_cli('policy', 'check', self.path('policy'), code=VIOLATION).out
        self.assertIn('/a?[31m?b??c.conf:1: error: unknown key', out)
        r = self.error('effects', 'sim:honest', '--policy=' + self.path('policy'), code=FAILED)
        self.assertNotRegex(r[:-1], r'[^ -~]')

    def test_warnings_are_no_failure(self):
        self.policy('[grant a]\ngroup = no-such-group-here\ndevice = *\nscope = configuration\n')
        o = self.json('policy', 'check', self.path('policy'))
        self.assertEqual((o['errors'], o['warnings']), (0, 1))

    def test_no_directory(self):
        self.error('policy', 'check', self.path('none'), code=NOT_FOUND, text='No such')
        self.run_cli('policy', 'check', self.file('file', ''), code=VIOLATION)
        self.error('policy', 'show', 'mem0', '--policy=' + self.path('none'), code=FAILED, text='none')


class Show(Case):
    def test_grants_of_a_device(self):
        policy = self.policy(READER + '[grant one]\nuser = root\ndevice = mem0\nscope = debug-write-full\n'
                             'effects = data\n')
        o = self.json('policy', 'show', 'mem0', policy)
        self.assertKeys(o, {'format_version', 'verb', 'device', 'source', 'policy_digest', 'grants'})
        grants = {g['name']: g for g in o['grants']}
        self.assertEqual(set(grants), {'reader', 'one'})
        self.assertEqual(grants['one'], {'name': 'one', 'for': 'user', 'who': 'root',
                                         'scope': 'debug-write-full', 'effects': ['data'], 'commands': [],
                                         'conditions': {}, 'ticket': None})
        self.assertEqual((grants['reader']['for'], grants['reader']['who']), ('anybody', None))
        o = self.json('policy', 'show', 'nvme0', policy)
        self.assertEqual([g['name'] for g in o['grants']], ['reader'])
        out = self.run_cli('policy', 'show', 'mem0', policy).out
        self.assertRegex(out, r'(?m)^one +user root +debug-write-full +data$')

    def test_nobody(self):
        policy = self.policy(WRITER.replace('device = *', 'device = nvme*'))
        self.error('policy', 'show', 'mem0', policy, code=NOT_FOUND)

    def test_what_narrows_a_grant(self):
        policy = self.policy('[grant n]\nuser = 1000-1999\ndevice = *\nscope = debug-read-only\n'
                             'commands = get-log-page !lid:0x07/lsp:1, !get-log uuid:cel\n'
                             'family = nvme\nmodel = Big Drive*, X\nticket = CHG-1, \xfcber\x9b\n')
        g, = self.json('policy', 'show', 'nvme0', policy)['grants']
        self.assertEqual(g, {
            'name': 'n', 'for': 'users', 'who': '1000-1999', 'scope': 'debug-read-only', 'effects': [],
            'commands': ['admin:get-log-page !lid:07h/lsp:01h',
                         '!cxl:get-log uuid:0da9c0b5-bf41-4b78-8f79-96b1623b3f17'],
            'conditions': {'family': ['nvme'], 'model': ['Big Drive*', 'X']},
            'ticket': 'CHG-1, \xfcber\x9b'})
        out = self.run_cli('policy', 'show', 'nvme0', policy).out
        self.assertIn('\nn\n  commands  admin:get-log-page !lid:07h/lsp:01h\n', out)
        self.assertIn('\n  model     Big Drive*\n  model     X\n  ticket    CHG-1, \xfcber??\n', out)


ONLY_CEL = ('[grant cel]\nuser = *\ndevice = *\nscope = debug-read-only\n'
            'commands = get-log uuid:cel\nticket = CHG-1\n')


class Narrow(Case):
    """The worker's decision, and explain's, are the same."""

    def both(self, policy, reason, grant, *command):
        code = 0 if reason == 'admit' else REFUSED
        for verb in 'explain', 'send':
            d = self.json(verb, 'sim:honest', *command, policy, code=code)['decision']
            self.assertEqual((d['reason'], d['grant']), (reason, grant), verb)
        as_root = self.json('explain', 'sim:honest', *command, policy, '--as=root', code=code)
        self.assertEqual(as_root['decision']['reason'], reason)
        return self.json('explain', 'sim:honest', *command, policy, code=code)['decision']

    def test_commands(self):
        policy = self.policy(ONLY_CEL)
        d = self.both(policy, 'admit', 'cel', 'get-log', '--uuid=cel')
        self.assertEqual(d['ticket'], 'CHG-1')
        self.assertIn('(ticket CHG-1)', d['why'])
        d = self.both(policy, 'no-grant', None, 'get-supported-logs')
        self.assertEqual(d['detail'], 'grants exist for this caller, but none for this command')
        self.assertEqual(d['would_pass']['how'], "an operator's grant")
        self.both(policy, 'no-grant', None, 'get-log', '--uuid=vendor-debug')

    def test_identity(self):
        o = self.json('effects', 'sim:honest', self.policy(READER))['device']
        for key in 'family', 'vendor', 'model', 'serial', 'firmware':
            self.assertTrue(o[key], key)
            policy = self.policy(f'{READER}{key} = nobody, {o[key]}\n')
            self.both(policy, 'admit', 'reader', 'get-log', '--uuid=cel')
            policy = self.policy(f'{READER}{key} = {o[key][:-1]}\n')
            d = self.both(policy, 'no-grant', None, 'get-log', '--uuid=cel')
            self.assertIsNone(d['detail'])

    def test_ranges(self):
        uid = os.getuid()
        policy = self.policy(ONLY_CEL.replace('user = *', f'user = {uid}-{uid + 1}'))
        self.assertEqual(self.json('explain', 'sim:honest', 'get-log', '--uuid=cel', policy)
                         ['decision']['reason'], 'admit')
        policy = self.policy(ONLY_CEL.replace('user = *', f'user = {uid + 1}-{uid + 9}'))
        self.assertEqual(self.json('explain', 'sim:honest', 'get-log', '--uuid=cel', policy, code=REFUSED)
                         ['decision']['reason'], 'no-grant')


if __name__ == '__main__':
    unittest.main()
