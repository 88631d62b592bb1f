#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""policy check, policy show and policy test, and what grants are narrowed by."""
import os
import time
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

    def test_notes_on_request(self):
        self.policy('[grant a]\nuser = root\ndevice = mem77\nscope = debug-write\n'
                    '[grant b]\nuser = root\ndevice = mem*\nscope = debug-write-full\neffects = data\n')
        self.assertEqual(self.json('policy', 'check', self.path('policy'))['messages'], [])
        o = self.json('policy', 'check', self.path('policy'), '-v')
        self.assertEqual((o['errors'], o['warnings']), (0, 0))
        file = self.path('policy/50-test.conf')
        notes = [(m['severity'], m['file'], m['line'], m['message']) for m in o['messages']]
        self.assertIn(('note', file, 1, "grant 'a' is for no device that this machine has now"), notes)
        self.assertIn(('note', file, 5, f"grant 'b' overlaps grant 'a' ({file}:1): a command must be covered "
                       'by one of them alone, they are not added up'), notes)
        out = self.run_cli('policy', 'check', self.path('policy'), '-v').out
        self.assertIn(f"{file}:1: note: grant 'a' is for no device", out)

    def test_ended(self):
        self.policy('[grant a]\nuser = root\ndevice = mem0\nscope = debug-write\n'
                    'until = 2001-02-03T04:05:06Z\n')
        out = self.run_cli('policy', 'check', self.path('policy')).out
        self.assertIn(":1: warning: grant 'a' ended at 2001-02-03T04:05:06Z: it gives nothing\n", out)

    def test_no_directory(self):
        self.error('policy', 'check', self.path('none'), code=NOT_FOUND, text='No such')
        self.run_cli('policy', 'check', self.file('file', ''), code=VIOLATION)
        self.error('policy', 'show', 'mem0', '--policy=' + self.path('none'), code=FAILED, text='none')


NO_LIMITS = {'until': None, 'seconds_left': None, 'commands_per_second': None, 'bytes_per_second': None,
             'max_sessions': None}
CALLERS = ('[grant u]\nuser = 7\ndevice = *\nscope = configuration\n'
           '[grant r]\nuser = 0-5\ndevice = *\nscope = debug-read-only\n'
           '[grant g]\ngroup = 0\ndevice = *\nscope = debug-write\nmax-sessions = 2\n'
           '[grant s]\nunit = smartd@*.service\ndevice = *\nscope = debug-write-full\neffects = none\n'
           '[grant o]\nuser = @owner\ndevice = *\nscope = configuration\neffects = log\n')


class Show(Case):
    def test_grants_of_a_device(self):
        policy = self.policy(READER + '[grant one]\nuser = root\ndevice = mem0\nscope = debug-write-full\n'
                             'effects = data\n')
        o = self.json('policy', 'show', 'mem0', policy)
        self.assertKeys(o, {'format_version', 'verb', 'device', 'user', 'unit', 'source', 'policy_digest',
                            'grants'})
        grants = {g['name']: g for g in o['grants']}
        self.assertEqual(set(grants), {'reader', 'one'})
        self.assertEqual(grants['one'], {'name': 'one', 'for': 'user', 'who': 'root',
                                         'scope': 'debug-write-full', 'effects': ['data'], 'commands': [],
                                         'conditions': {}, 'ticket': None, **NO_LIMITS, 'record': 'digest'})
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
            'ticket': 'CHG-1, \xfcber\x9b', **NO_LIMITS, 'record': 'digest'})
        out = self.run_cli('policy', 'show', 'nvme0', policy).out
        self.assertIn('\nn\n  commands  admin:get-log-page !lid:07h/lsp:01h\n', out)
        self.assertIn('\n  model     Big Drive*\n  model     X\n  ticket    CHG-1, \xfcber??\n', out)


    def test_limits(self):
        policy = self.policy('[grant l]\nuser = 0\ndevice = *\nscope = debug-write\n'
                             'commands-per-second = 10\nbytes-per-second = 64K\nmax-sessions = 2\n'
                             '[grant e]\nuser = 0\ndevice = *\nscope = debug-write-full\neffects = data\n'
                             'until = 2001-02-03T04:05:06Z\n'
                             '[grant f]\nuser = 0\ndevice = *\nscope = debug-write-full\neffects = log\n'
                             'until = 2099-12-31T18:00:00Z\n')
        grants = {g['name']: g for g in self.json('policy', 'show', 'nvme0', policy)['grants']}
        self.assertEqual([grants['l'][k] for k in NO_LIMITS], [None, None, 10, 65536, 2])
        self.assertEqual([grants['e'][k] for k in NO_LIMITS], [None, 0, None, None, None])
        self.assertEqual(grants['f']['until'], '2099-12-31T18:00:00Z')
        self.assertAlmostEqual(grants['f']['seconds_left'], 4102423200 - time.time(), delta=60)
        out = self.run_cli('policy', 'show', 'nvme0', policy).out
        self.assertIn('\nl\n  rate      10 commands a second\n  rate      65536 bytes a second\n'
                      '  sessions  2 of a user at a time\n', out)
        self.assertIn('\ne\n  until     it has ended: it gives nothing\n', out)
        self.assertRegex(out, r'\nf\n  until     2099-12-31T18:00:00Z, for another \d+d')

    def test_what_is_recorded(self):
        policy = self.policy('[grant a]\nuser = 0\ndevice = *\nscope = debug-write\n'
                             '[grant b]\nuser = 0\ndevice = *\nscope = debug-read-only\nrecord = payload\n')
        grants = {g['name']: g for g in self.json('policy', 'show', 'nvme0', policy)['grants']}
        self.assertEqual([grants[name]['record'] for name in 'ab'], ['digest', 'payload'])
        out = self.run_cli('policy', 'show', 'nvme0', policy).out
        self.assertTrue(out.endswith('\n\nb\n  record    payload\n'), out)
        # the smaller one adds that its payloads are recorded
        self.assertNotIn('adds nothing', self.run_cli('policy', 'check', policy).out)

    def test_for_whom(self):
        policy = self.policy(CALLERS)

        def names(*options):
            o = self.json('policy', 'show', 'nvme0', policy, *options)
            return [g['name'] for g in o['grants']]
        self.assertEqual(names(), ['o', 'u', 'g', 'r', 's'])
        self.assertEqual(names('--as=root'), ['o', 'g', 'r'])
        self.assertEqual(names('--as=root', '--unit=smartd@x.service'), ['o', 'g', 'r', 's'])
        self.assertEqual(names('--unit=smartd@x.service'), ['s'])
        o = self.json('policy', 'show', 'nvme0', policy, '--as=root', '--unit=x.service')
        self.assertEqual((o['user'], o['unit']), ('root', 'x.service'))
        out = self.run_cli('policy', 'show', 'nvme0', policy, '--unit=smartd@x.service').out
        self.assertRegex(out, r'(?m)^s +unit smartd@\*\.service +debug-write-full +none$')
        self.assertNotIn('sessions', out) # of a grant that is for somebody else
        self.error('policy', 'show', 'nvme0', policy, '--unit=x.service', code=NOT_FOUND,
                   text='no grant is for this caller on this device')
        self.error('policy', 'show', 'nvme0', policy, '--as=no-such-user', code=NOT_FOUND, text='no such user')


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


class Store(Case):
    """Grants that were made for a time, which are read with the standard directories."""

    def setUp(self):
        super().setUp()
        self.env['FWADMIT_STATE_DIR'] = self.path('state')
        os.umask(0o022)

    def grant(self, more='', name='x'):
        until = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 3600))
        created = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() - 3600))
        self.file('state/grants/x.conf', f'[grant {name}]\nuser = 0\ndevice = mem0\n'
                  f'scope = debug-write-full\neffects = data\nuntil = {until}\n'
                  f'boot = 00000000-0000-4000-8000-000000000000 1\n{more}created = 0 {created}\n')

    def test_show(self):
        self.grant()
        grants = {g['name']: g for g in self.json('policy', 'show', 'mem0')['grants']}
        self.assertAlmostEqual(grants['x']['seconds_left'], 3600, delta=60)
        grants = self.json('policy', 'show', 'mem0', self.policy(READER))['grants']
        self.assertEqual([g['name'] for g in grants], ['reader'])

    def test_bad_file(self):
        self.grant(name='y')
        out = self.run_cli('policy', 'check', code=VIOLATION).out
        self.assertIn(self.path('state/grants/x.conf') + ':1: error: not in force: its file is called x.conf\n', out)
        self.assertRegex(out, r'(?m): \d+ grants?, policy ') # and all others are
        names = [g['name'] for g in self.json('policy', 'show', 'mem0')['grants']]
        self.assertNotIn('y', names)
        self.assertNotEqual(names, [])


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

    def test_units_and_times(self):
        rules = self.policy('[grant s]\nunit = smartd.service\ndevice = *\nscope = debug-read-only\n'
                            'until = 2001-02-03T04:05:06Z\ncommands-per-second = 1\n')
        t = self.table(self.row('unit=smartd.service time=2001-02-03T04:05:05Z -> admit grant=s'),
                       self.row('unit=smartd.service time=2001-02-03T04:05:06Z -> grant-expired'),
                       self.row('unit=smartd.service -> grant-expired'),
                       self.row('unit=smartd.service time=9999-12-31T23:59:59Z -> grant-expired'),
                       self.row('unit=smartd.service time=1970-01-01T00:00:00Z -> admit'),
                       self.row('unit=x.service time=2001-02-03T04:05:05Z -> no-grant'),
                       self.row('time=2001-02-03T04:05:05Z -> no-grant'))
        self.run_cli('policy', 'test', t, rules)
        rules = self.policy('[grant s]\nuser = *\ndevice = *\nscope = debug-read-only\n'
                            'until = 2099-02-03T04:05:06Z\n')
        t = self.table(self.row('-> admit'), self.row('time=2099-02-03T04:05:05Z -> admit'),
                       self.row('time=2099-02-03T04:05:06Z -> grant-expired'))
        self.run_cli('policy', 'test', t, rules)

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
                ('usr=1 -> admit', "unknown key 'usr'; allowed: user, groups, unit, device, profile, kind, "
                                   "command, scope, time; after '->': grant"),
                (self.row('time=now -> admit'), "'now' is not a time in UTC such as 2026-12-31T18:00:00Z"),
                *((self.row(f'-> {reason}'), f"reason '{reason}' comes of what else happens at a device, "
                                             'which a table does not know')
                  for reason in ('quarantined', 'drift', 'lease', 'rate', 'journal')),
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
