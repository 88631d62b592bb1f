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


class Test(Case):
    def table(self, *rows):
        return self.file('t.policy-tests', '# a comment\n\n' + '\n'.join(rows) + '\n')

    def row(self, rest, user='7', device='mem0', command='get-log --uuid=cel'):
        return f'user={user} device={device} profile={self.saved} command="{command}" {rest}'

    def setUp(self):
        super().setUp()
        self.saved = self.path('saved.json')
        self.run_cli('effects', 'sim:honest', '--save=' + self.saved)
        self.rules = self.policy(ONLY_CEL.replace('device = *', 'device = mem*') +
                                 '[grant g]\ngroup = 5\ndevice = mem0\nscope = debug-write\n')

    def test_rows_that_hold(self):
        self.file('nvme.bin', bytes([0] * 8 + [1, 0, 0, 0]) + bytes(4084))
        t = self.table(self.row('-> admit grant=cel'), self.row('-> no-grant', device='nvme0'),
                       self.row('-> no-grant', command='get-supported-logs'),
                       self.row('groups=5 -> admit grant=g', command='get-supported-logs'),
                       self.row('groups=3,5 scope=debug-write-full -> grant-scope',
                                command='get-supported-logs'),
                       self.row('scope=least -> admit', user='root'),
                       f'user=7 device=mem0 profile={self.path("nvme.bin")} kind=nvme-effects '
                       'command="get-log-page --lid=2 --length=512" -> no-grant',
                       'user=@owner device=mem3 profile=sim:honest command="get-log --uuid=cel" -> admit')
        out = self.run_cli('policy', 'test', t, self.rules).out
        self.assertRegex(out, r'^\S+/t\.policy-tests: 8 rows, 0 failed, policy [0-9a-f]{12}\n$')
        o = self.json('policy', 'test', t, self.rules)
        self.assertEqual((o['rows'], o['failed'], o['failures']), (8, 0, []))

    def test_rows_that_do_not(self):
        t = self.table(self.row('-> no-grant'), self.row('-> admit'), self.row('-> admit grant=g'))
        out = self.run_cli('policy', 'test', t, self.rules, code=VIOLATION).out.splitlines()
        self.assertEqual(out[0], f'{t}:3: expected no-grant, decided admit: grant "cel" (ticket CHG-1) '
                                 'covers scope configuration and its effects')
        self.assertEqual(out[1][:len(t) + 30], f'{t}:5: expected admit by grant g,')
        self.assertIn('3 rows, 2 failed', out[2])
        o = self.json('policy', 'test', t, self.rules, code=VIOLATION)
        self.assertEqual((o['rows'], o['failed']), (3, 2))
        self.assertEqual([(f['line'], f['expected'], f['reason'], f['grant']) for f in o['failures']],
                         [(3, 'no-grant', 'admit', 'cel'), (5, 'admit', 'admit', 'cel')])

    def test_rows_that_are_broken(self):
        for row, text in (
                ('user', "'user' is not KEY=VALUE"),
                ('user=1 -> admit', "'device=' is missing"),
                ('usr=1 -> admit', "unknown key 'usr'; allowed: user, groups, device, profile, kind, "
                                   "command, scope; after '->': grant"),
                ('grant=x', "unknown key 'grant'"),
                (self.row('user=8 -> admit'), "'user' twice"),
                (self.row(''), "'-> REASON' is missing"),
                (self.row('->'), "'-> REASON' is missing"),
                (self.row('-> yes'), "unknown reason 'yes'"),
                (self.row('-> admit extra'), "'extra' is not KEY=VALUE"),
                (self.row('"-> admit'), "a '\"' is missing"),
                (self.row('scope=all -> admit'), "unknown scope 'all'"),
                (self.row('kind=cel -> admit'), "unknown kind 'cel'"),
                (self.row('-> admit', user='no-such-user'), "no user 'no-such-user'"),
                (self.row('groups=no-such-group -> admit'), "no group 'no-such-group'"),
                (self.row('-> admit', command='no-such'), 'no-such: no such cxl command'),
                (self.row('-> admit', command='get-log'), 'get-log needs --uuid'),
                (self.row('-> admit', command='get-log --frob'), '--frob: no such option here'),
                (self.row('-> admit', command='get-log get-log'), 'one command and its options'),
                (self.row('-> admit', command=''), 'one command and its options'),
                (self.row('-> admit').replace('saved.json', 't.policy-tests'), 'not a saved profile')):
            t = self.table(self.row('-> admit'), row)
            error = self.error('policy', 'test', t, self.rules, code=FAILED, text=text)
            self.assertIn(f'{t}:4: ', error)
        t = self.table(self.row('-> admit').replace('saved.json', 'none.json'))
        self.assertIn(f'{t}:3: ', self.error('policy', 'test', t, self.rules, code=NOT_FOUND, text='none'))

    def test_files(self):
        self.error('policy', 'test', self.path('none'), self.rules, code=NOT_FOUND, text='No such')
        self.error('policy', 'test', self.file('zero', b'a\0b'), self.rules, code=FAILED, text='not a text')
        self.error('policy', 'test', code=USAGE)
        self.assertIn(': 0 rows', self.run_cli('policy', 'test', self.file('empty', ''), self.rules).out)


if __name__ == '__main__':
    unittest.main()
