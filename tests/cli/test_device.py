#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""list, explain and send on simulated devices, in a private worker as a newcomer meets it."""
import json
import os
import pty
import re
import unittest

from common import (DECISION, DEVICE, DEVICE_ERROR, FAILED, NOT_FOUND, NOT_RUNNING, OK, READER, REFUSED, USAGE,
                    WRITER, Case)

OUTCOME = {'status', 'device_code', 'device_status', 'device_result', 'transport_error', 'bytes',
           'duration_ns', 'seq'}
CEL = '0da9c0b5-bf41-4b78-8f79-96b1623b3f17'
IDENTIFY = 'identify-memory-device'


class List(Case):
    def test_simulated(self):
        o = self.json('list', '--sim')
        names = [d['name'] for d in o['devices']]
        for name in ('honest', 'liar-data', 'liar-magic-lba', 'liar-log', 'liar-immediate', 'flapping',
                     'hang', 'garbage'):
            self.assertIn('sim:' + name, names)
        for d in o['devices']:
            self.assertKeys(d, DEVICE | {'commands', 'findings', 'state', 'about', 'error'})
        honest = o['devices'][names.index('sim:honest')]
        self.assertEqual((honest['state'], honest['family'], honest['findings']), ('ready', 'sim', 0))
        self.assertGreater(honest['commands'], 30)
        out = self.run_cli('list', '--sim').out
        for name in names:
            self.assertRegex(out, rf'(?m)^{name} ')

    def test_no_device_is_not_success(self):
        empty = '--socket-dir=' + self.path('none')
        if self.run_cli('list', empty, code=NOT_FOUND if not has_devices() else OK).code:
            self.assertEqual(self.json('list', empty, code=NOT_FOUND)['devices'], [])


def has_devices():
    return any(os.path.isdir(d) and os.listdir(d)
               for d in ('/sys/class/nvme', '/sys/bus/cxl/devices'))


class Explain(Case):
    def decide(self, *args, code=OK, policy=READER):
        o = self.json('explain', self.policy(policy), *args, code=code)
        told = o.pop('as', None)
        self.assertKeys(o, {'format_version', 'verb', 'device', 'user', 'policy_digest', 'decision', 'payload_recorded'})
        if any(a.startswith('--as=') for a in args):
            self.assertIsNone(told)
        else:
            self.assertEqual((told['uid'], told['gid']), (os.getuid(), os.getgid()))
        self.assertKeys(o['decision'], DECISION)
        self.assertEqual(o['decision']['verdict'], 'deny' if code else 'admit')
        return o['decision']

    def test_admitted(self):
        d = self.decide('sim:honest', 'get-log', '--uuid=cel')
        self.assertEqual((d['reason'], d['clause'], d['grant']), ('admit', 'C29', 'reader'))
        self.assertEqual((d['required_scope'], d['scope']), ('configuration', 'configuration'))
        self.assertEqual(d['selector'], {'uuid': CEL, 'name': 'cel'})
        self.assertIsNone(d['would_pass'])

    def test_refused(self):
        d = self.decide('sim:honest', 'set-lsa', '--offset=0', '--hex=00', code=REFUSED)
        self.assertEqual((d['reason'], d['clause'], d['grant']), ('grant-scope', 'C19', None))
        self.assertEqual(d['declared_raw'], 6)
        self.assertEqual(d['effects'], ['config', 'data'])
        grant = d['would_pass'].pop('grant')
        self.assertEqual(d['would_pass'], {'scope': 'debug-write-full', 'effects': ['config', 'data'],
                                           'how': "an operator's grant"})
        self.assertEqual((grant['device'], grant['commands']), ('sim:honest', 'cxl:set-lsa'))
        self.assertIn('\ncommands = cxl:set-lsa\n', grant['policy'])
        self.assertIn(' --effects=config,data --commands=cxl:set-lsa --for=1h', grant['command_line'])
        self.assertIn('fwadmit-admin', d['who'])

    def test_a_liars_floor_holds(self):
        d = self.decide('sim:liar-data', 'clear-poison', '--offset=0', '--hex=' + '00' * 64,
                        code=REFUSED)
        self.assertEqual((d['declared'], d['floor'], d['effects']), ([], ['data'], ['data']))

    def test_scope_that_was_asked_for(self):
        d = self.decide('sim:honest', 'get-log', '--uuid=vendor-debug', '--scope=configuration',
                        code=REFUSED)
        self.assertEqual(d['reason'], 'scope-too-low')
        self.assertEqual(d['would_pass']['scope'], 'debug-read-only')
        self.assertEqual(d['would_pass']['how'], 'ask for the scope')

    def test_undeclared(self):
        d = self.decide('sim:honest', '0x5300', code=REFUSED)
        self.assertEqual((d['reason'], d['would_pass']), ('undeclared', None))

    def test_opcodes(self):
        for word in ('clear-log', '0x0403', '0403h', '1027', 'cxl:clear-log', 'cxl:0x403'):
            d = self.decide('sim:honest', word, '--uuid=cel', code=REFUSED)
            self.assertEqual((d['opcode'], d['name']), (0x403, 'clear-log'), word)

    def test_the_grant_that_it_shows_is_enough_and_no_more(self):
        command = ('sim:honest', 'set-lsa', '--offset=0', '--hex=00')
        out = self.run_cli('explain', self.policy(READER), *command, code=REFUSED).out
        policy = self.policy(out[out.index('\n# ' + self.path('policy/60-')):], 'granted')
        self.run_cli('policy', 'check', self.path('granted'))
        self.run_cli('explain', policy, *command)
        self.run_cli('send', policy, *command)
        self.run_cli('send', policy, 'sim:honest', 'clear-log', '--uuid=vendor-debug', code=REFUSED)
        self.run_cli('send', policy, 'sim:liar-data', 'set-lsa', '--offset=0', '--hex=00', code=REFUSED)

    def test_the_grant_for_a_read_of_users_data_allows_no_change(self):
        source = (*self.nvme({}, {1: 3, 2: 1}), '--device-name=nvme0')
        out = self.run_cli('explain', self.policy(READER), *source, 'io:read', code=REFUSED).out
        self.assertIn('\neffects = none\n', out)
        policy = self.policy(out[out.index('\n# ' + self.path('policy/60-')):], 'granted')
        self.run_cli('explain', policy, *source, 'io:read')
        self.run_cli('explain', policy, *source, 'io:write', code=REFUSED)

    def test_no_scope_is_asked_for_where_none_is_enough(self):
        for word, clause in (('0x0004', 'C15'), ('0xc001', 'C8')):
            out = self.run_cli('explain', *self.cel((0x0004, 0), (0xc001, 0x1000)), word, code=REFUSED).out
            self.assertIn(f'  needs scope  none is enough ({clause})\n', out)
            self.assertNotIn('asked for', out)

    def test_as_somebody_else(self):
        policy = '[grant only-root]\nuser = root\ndevice = *\nscope = debug-read-only\n'
        self.decide('sim:honest', IDENTIFY, '--as=root', policy=policy)
        d = self.decide('sim:honest', IDENTIFY, '--as=nobody', policy=policy, code=REFUSED)
        self.assertEqual(d['reason'], 'no-grant')
        self.decide('sim:honest', IDENTIFY, '--as=0', policy=policy)
        self.decide('sim:honest', IDENTIFY, '--as=54321', policy=policy, code=REFUSED)  # without an account
        self.error('explain', 'sim:honest', IDENTIFY, '--as=no such user', code=NOT_FOUND)

    def test_groups_of_somebody_else(self):
        policy = '[grant g]\ngroup = nogroup\ndevice = *\nscope = configuration\n'
        self.assertEqual(self.decide('sim:honest', IDENTIFY, '--as=nobody', policy=policy)['grant'], 'g')
        self.decide('sim:honest', IDENTIFY, '--as=root', policy=policy, code=REFUSED)

    def test_units_of_somebody_else(self):
        policy = '[grant u]\nunit = fw-*.service\ndevice = *\nscope = configuration\n'
        args = ('sim:honest', IDENTIFY, '--as=nobody')
        self.assertEqual(self.decide(*args, '--unit=fw-update.service', policy=policy)['grant'], 'u')
        self.decide(*args, '--unit=ssh.service', policy=policy, code=REFUSED)
        self.decide(*args, policy=policy, code=REFUSED)
        self.error('explain', *args[:-1], '--unit=x', code=USAGE, text='--as=USER')

    def test_text(self):
        out = self.run_cli('explain', self.policy(READER), 'sim:honest', 'get-log', '--uuid=cel').out
        self.assertRegex(out, r'\Aget-log \(0401h\) on sim:honest for \S+: would be admitted\n')
        self.assertIn('why          grant "reader" covers scope configuration', out)
        self.assertIn(f'log          cel ({CEL})', out)
        self.assertNotIn('would pass', out)


class Offline(Case):
    """explain without a device: the declarations in a file, the rights in the policy files."""

    POLICY = '[grant r]\nuser = root\ndevice = mem*, nvme*\nscope = debug-write\n'

    def decide(self, *args, code=OK):
        return self.json('explain', self.policy(self.POLICY), *args, code=code)['decision']

    def test_as_root(self):
        source = self.cel((0x4000, 0), (0x4103, 6))
        self.assertEqual(self.decide(*source, IDENTIFY)['grant'], 'r')
        d = self.decide(*source, 'set-lsa', '--offset=0', '--hex=00', '--as=nobody', code=REFUSED)
        self.assertIn(d['reason'], ('payload-shape', 'no-grant'))

    def test_device_name_is_what_patterns_see(self):
        source = self.cel((0x4000, 0))
        self.decide(*source, IDENTIFY, '--device-name=mem7')
        d = self.decide(*source, IDENTIFY, '--device-name=sda', code=REFUSED)
        self.assertEqual(d['reason'], 'no-grant')
        self.error('explain', 'sim:honest', IDENTIFY, '--device-name=x', code=USAGE)

    def test_nvme_selectors_are_judged(self):
        source = self.nvme({2: 1, 6: 1, 9: 1, 0xa: 1})
        d = self.decide(*source, 'get-log-page', '--lid=smart')
        self.assertEqual(d['selector'], {'lid': 2, 'name': 'smart', 'lsp': 0, 'lsi': 0,
                                         'nsid': 0xffffffff})
        self.assertEqual(d['effects'], [])
        d = self.decide(*source, 'get-log-page', '--lid=telemetry-host', '--lsp=1', code=REFUSED)
        self.assertEqual((d['selector']['lid'], d['effects']), (7, ['log']))
        self.decide(*source, 'get-log-page', '--lid=7')
        d = self.decide(*source, 'get-log-page', '--lid=error', code=REFUSED)
        self.assertEqual(d['effects'], ['log'])
        self.assertEqual(self.decide(*source, 'get-log-page', '--lid=error', '--rae')['effects'], [])
        d = self.decide(*source, 'identify', '--cns=1')
        self.assertEqual(d['selector']['cns'], 1)
        d = self.decide(*source, 'get-features', '--fid=0x06')
        self.assertEqual(d['selector']['fid'], 6)
        d = self.decide(*source, 'set-features', '--fid=0xd', '--cdw11=1', code=REFUSED)
        self.assertIn('dma', d['effects'])

    def test_all_that_a_command_selects(self):
        source = self.nvme({2: 1, 6: 1, 9: 1, 0xa: 1, 0x10: 1, 0x80: 1, 0x84: 1})

        def selector(*args):
            return self.json('explain', self.policy(WRITER), *source, *args,
                             code=None)['decision']['selector']

        self.assertEqual(selector('get-log-page', '--lid=7', '--lsp=1', '--lsi=9', '--nsid=3'),
                         {'lid': 7, 'name': 'telemetry-host', 'lsp': 1, 'lsi': 9, 'nsid': 3})
        self.assertEqual(selector('identify', '--cns=0', '--nsid=2'),
                         {'cns': 0, 'name': 'namespace', 'nsid': 2})
        self.assertEqual(selector('get-features', '--fid=6', '--selection=saved'),
                         {'fid': 6, 'name': 'volatile-wc', 'operation': 2,
                          'operation_name': 'saved', 'sel': 2, 'nsid': 0})
        self.assertEqual(selector('set-features', '--fid=6', '--selection=saved'),
                         {'fid': 6, 'name': 'volatile-wc', 'operation': 1,
                          'operation_name': 'saved', 'sv': 1, 'nsid': 0})
        self.assertEqual(selector('fw-commit', '--slot=2', '--action=3'),
                         {'operation': 3, 'operation_name': 'activate-now', 'slot': 2, 'nsid': 0})
        self.assertEqual(selector('format-nvm', '--action=2', '--nsid=1'),
                         {'operation': 2, 'operation_name': 'crypto-erase', 'nsid': 1})

    def test_what_a_mailbox_command_selects(self):
        def selector(*args):
            return self.json('explain', 'sim:honest', *args, code=REFUSED)['decision']['selector']

        self.assertEqual(selector('activate-fw', '--slot=2', '--action=1'),
                         {'operation': 1, 'operation_name': 'on-cold-reset', 'slot': 2})
        self.assertEqual(selector('set-partition-info', '--hex=' + '00' * 8 + '01'),
                         {'operation': 1, 'operation_name': 'immediate'})
        self.assertEqual(selector('set-feature', '--uuid=' + 'ff' * 4 + '-ffff' * 3 + '-' + 'ff' * 6),
                         {'uuid': 'ffffffff-ffff-ffff-ffff-ffffffffffff',
                          'name': 'transfer-in-progress', 'operation': 0, 'operation_name': 'full',
                          'sv': 0})
        r = self.run_cli('explain', 'sim:honest', 'set-feature', '--uuid=transfer-in-progress',
                         code=REFUSED)
        self.assertRegex(r.out, r"would pass +the Feature's own UUID; ")

    def test_an_action_is_not_assumed_where_none_is_0(self):
        source = self.nvme({0x14: 1, 0x80: 1, 0x84: 1})
        for name, text in (('sanitize-nvm', '--action=N: 1 exit-failure, 2 block-erase'),
                           ('dev-self-test', '--action=N: 1 short, 2 extended')):
            self.error('explain', *source, name, code=USAGE, text=text)
        self.error('explain', *source, 'sanitize-nvm', '--action=8', code=USAGE, text='too great')
        d = self.decide(*source, 'sanitize-nvm', '--action=4', code=REFUSED)
        self.assertIn('security', d['floor'])
        d = self.decide(*source, 'sanitize-nvm', '--cdw10=0', code=REFUSED)
        self.assertEqual(d['reason'], 'reserved-bits')
        r = self.run_cli('explain', *source, 'sanitize-nvm', '--action=2', code=REFUSED)
        self.assertRegex(r.out, r'\n  operation +block-erase \(2h\)\n')

    def test_nvme_lengths_fit_the_command(self):
        """The gate refuses a length in the command that is not that of the data."""
        source = self.nvme({2: 1, 0x11: 1, 0x1a: 1, 0x86: 1}, {2: 1, 9: 3})
        for args in (('get-log-page', '--lid=2'), ('get-log-page', '--lid=2', '--length=64'),
                     ('get-log-page', '--lid=8', '--rae', '--length=524288', '--offset=4096'),
                     ('get-lba-status', '--length=4096'), ('directive-recv', '--length=4096'),
                     ('fw-download', '--hex=' + '00' * 64, '--offset=64'),
                     ('io:dsm', '--nsid=1', '--hex=' + '00' * 32)):
            r = self.run_cli('explain', self.policy(self.POLICY), *source, *args, '-o', 'json',
                             code=OK if args[0] in ('get-log-page', 'get-lba-status') else REFUSED)
            self.assertNotIn('payload-shape', r.out, args)
        d = self.decide(*source, 'get-log-page', '--lid=2', '--cdw10=2', code=REFUSED)
        self.assertEqual(d['reason'], 'payload-shape')


class Send(Case):
    def send(self, *args, code=OK, policy=READER):
        o = self.json('send', self.policy(policy), *args, code=code)
        self.assertKeys(o, {'format_version', 'verb', 'device', 'decision', 'outcome', 'part', 'parts', 'output_hex'})
        self.assertKeys(o['decision'], DECISION)
        self.assertKeys(o['outcome'], OUTCOME)
        return o

    def test_a_read(self):
        o = self.send('sim:honest', IDENTIFY)
        self.assertEqual(o['outcome']['status'], 'completed')
        self.assertEqual((o['outcome']['device_code'], o['outcome']['device_status']), (0, 'success'))
        self.assertEqual(len(o['output_hex']), 2 * o['outcome']['bytes'])
        self.assertEqual(o['outcome']['bytes'], 67)
        self.assertEqual(o['decision']['grant'], 'reader')

    def test_a_write_that_is_granted_changes_the_device(self):
        o = self.send('sim:honest', 'set-timestamp', '--hex=0011223344556677', policy=WRITER)
        self.assertEqual((o['outcome']['status'], o['output_hex']), ('completed', ''))

    def test_background(self):
        r = self.run_cli('send', self.policy(WRITER), 'sim:honest', 'sanitize')
        self.assertEqual((r.out, 'background' in r.err), ('', True), r)

    def test_refused(self):
        o = self.send('sim:honest', 'set-lsa', '--offset=0', '--hex=00', code=REFUSED)
        self.assertEqual((o['outcome']['status'], o['outcome']['device_code']), ('refused', None))
        self.assertEqual((o['decision']['reason'], o['output_hex']), ('grant-scope', ''))
        r = self.run_cli('send', self.policy(READER), 'sim:honest', 'set-lsa', '--offset=0', '--hex=00',
                         code=REFUSED)
        self.assertEqual(r.out, '')
        self.assertRegex(r.err, r'\Afwadmit: set-lsa \(4103h\) refused: grant-scope \(C19\): .*explain.*\n\Z')

    def test_device_error(self):
        args = ('sim:honest', 'get-feature', '--uuid=' + self.a_feature(), '--selection=2')
        o = self.send(*args, code=DEVICE_ERROR)
        self.assertEqual(o['outcome']['status'], 'device-error')
        self.assertEqual(o['outcome']['device_status'], 'unsupported-feature-selection')
        r = self.run_cli('send', self.policy(READER), *args, code=DEVICE_ERROR)
        self.assertRegex(r.err, r'\Afwadmit: get-feature \(0501h\): the device returned '
                                r'unsupported-feature-selection \(1ah\); record \d+\n\Z')

    def a_feature(self):
        data = bytes.fromhex(self.send('sim:honest', 'get-supported-features')['output_hex'])
        u = data[8:24].hex()
        return f'{u[:8]}-{u[8:12]}-{u[12:16]}-{u[16:20]}-{u[20:]}'

    def test_dry_run_sends_nothing(self):
        o = self.send('sim:honest', IDENTIFY, '--dry-run')
        self.assertEqual((o['outcome']['status'], o['outcome']['bytes']), ('dry-run', 0))
        self.send('sim:honest', 'set-lsa', '--offset=0', '--hex=00', '--dry-run', code=REFUSED)
        out = self.run_cli('send', '--dry-run', self.policy(READER), 'sim:honest', IDENTIFY).out
        self.assertIn('would be admitted', out)

    def test_output(self):
        args = ('send', self.policy(READER), 'sim:honest', IDENTIFY)
        raw = bytes.fromhex(self.json(*args)['output_hex'])
        out = self.path('out.bin')
        self.assertEqual(self.run_cli(*args, '-O', out).out, '')
        with open(out, 'rb') as f:
            self.assertEqual(f.read(), raw)
        self.assertEqual(os.listdir(self.dir).count('out.bin'), 1)
        self.assertEqual(self.run_cli(*args, '-O', '-').raw, raw)
        self.run_cli(*args, '-O', '/dev/null')
        self.error(*args, '-O', self.path('no/such/dir'), code=FAILED)

    def test_hex_dump_is_all_that_a_terminal_sees(self):
        out = self.run_cli('send', self.policy(READER), 'sim:honest', IDENTIFY).out
        self.assertRegex(out, r'\A000000  31 2e 30 2e 30 00 00 00  00 .*\|1\.0\.0\.{11}\|\n')
        self.assertNotRegex(out, r'[^\n -~]')
        pid, fd = pty.fork()
        if pid == 0:
            from common import FWADMIT
            os.execv(FWADMIT, ['fwadmit', 'send', self.policy(READER), 'sim:honest', IDENTIFY, '-O', '-'])
        text = b''
        try:
            while chunk := os.read(fd, 4096):
                text += chunk
        except OSError:
            pass
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), USAGE)
        self.assertIn(b'not to a terminal', text)

    def test_get_log_reads_the_whole_log(self):
        data = bytes.fromhex(self.send('sim:honest', 'get-log', '--uuid=cel')['output_hex'])
        commands = self.json('list', '--sim')['devices'][0]['commands']
        self.assertEqual(len(data), 4 * commands)
        part = self.send('sim:honest', 'get-log', '--uuid=' + CEL, '--offset=4', '--length=8')
        self.assertEqual(bytes.fromhex(part['output_hex']), data[4:12])

    def test_payload_from_a_file_and_from_options_are_the_same(self):
        raw = bytes.fromhex(CEL.replace('-', '')) + bytes([4, 0, 0, 0, 8, 0, 0, 0])
        path = self.file('payload', raw)
        want = self.send('sim:honest', 'get-log', '--uuid=cel', '--offset=4', '--length=8')['output_hex']
        self.assertEqual(self.send('sim:honest', 'get-log', '-i', path)['output_hex'], want)
        self.assertEqual(self.send('sim:honest', '0x0401', '--hex=' + raw.hex())['output_hex'], want)
        self.assertEqual(self.send('sim:honest', '0x0401', '--hex=' + raw.hex(' '))['output_hex'], want)

    def test_set_lsa_header_and_data(self):
        o = self.send('sim:honest', 'set-lsa', '--offset=16', '--hex=aabb', policy=WRITER)
        self.assertEqual(o['outcome']['status'], 'completed')
        o = self.send('sim:honest', 'set-lsa', '--hex=1000000000000000aabb', policy=WRITER)
        self.assertEqual(o['outcome']['status'], 'completed')
        o = self.send('sim:honest', 'set-lsa', '--offset=0xfffffff0', '--hex=aabb', policy=WRITER,
                      code=REFUSED)
        self.assertEqual(o['decision']['reason'], 'payload-shape')

    def test_a_device_that_hangs_or_goes_away(self):
        out = self.send('sim:hang', 'get-health-info', '--timeout=300', code=FAILED)
        self.assertEqual(out['outcome']['status'], 'unknown')
        r = self.run_cli('send', self.policy(READER), 'sim:hang', 'get-health-info', '--timeout=300',
                         code=FAILED)
        self.assertRegex(r.err, r'\Afwadmit: get-health-info \(4200h\): [^\n]*not known[^\n]*\n\Z')
        r = self.run_cli('send', self.policy(READER), 'sim:gone', IDENTIFY, code=FAILED)
        self.assertRegex(r.err, r'\Afwadmit: [^\n]+\n\Z')

    def test_nonsense_from_a_device_is_no_crash(self):
        for name in ('garbage', 'empty', 'flapping', 'reserved', 'huge', 'liar-spec'):
            r = self.run_cli('effects', 'sim:' + name, '-o', 'json')
            self.assertNotRegex(r.out, r'[^\n -~]')


class BadInput(Case):
    def test_devices(self):
        self.error('effects', '/dev/null', code=FAILED, text='not')
        self.error('effects', self.file('plain', ''), code=FAILED)
        self.error('effects', self.dir, code=FAILED)
        self.error('effects', '/dev/no/such', code=NOT_FOUND)
        self.error('effects', 'sim:no-such', code=NOT_FOUND, text='honest')
        self.error('effects', 'sim:' + 'x' * 600, code=USAGE, text='too long')
        self.error('effects', 'sim:' + 'x' * 100, code=USAGE, text='too long')
        self.error('effects', '..', code=NOT_FOUND)
        self.error('effects', '', code=USAGE, text='empty')
        self.error('effects', '/' + 'x' * 5000, code=FAILED, text='too long')
        self.error('effects', 'x' * 300, code=NOT_FOUND)

    def test_words_that_are_not_text(self):
        where = '--socket-dir=' + self.path('run')
        for word in (b'\xff\x1b[31m', b'\xed\xa0\x80', 'sim:\u00fc\nx'.encode()):
            r = self.run_cli('effects', os.fsdecode(word), where,
                             code=NOT_RUNNING if b':' not in word else NOT_FOUND)
            self.assertNotIn('\033', r.err)
            self.assertEqual(len(r.err.splitlines()), 1)
            r = self.run_cli('-o', 'json', 'effects', os.fsdecode(word), where, code=r.code)
            json.loads(r.raw.decode('utf-8', 'strict'))

    def test_policy(self):
        r = self.error('effects', 'sim:honest', self.policy('[grant x]\nnonsense = 1\n'), code=FAILED)
        self.assertRegex(r, r'50-test\.conf:2: ')

    def test_commands(self):
        say = (('cleer-poison', 'did you mean clear-poison?'), ('', 'no such'), ('0xzz', 'no such'),
               ('0x10000', 'no such'), ('-1', 'option'), ('admin:identify', 'no nvme-admin commands'),
               ('io:read', 'no nvme-io commands'), ('get', 'no such'), ('x' * 5000, 'no such'))
        for word, text in say:
            self.error('explain', 'sim:honest', word, code=USAGE, text=text)

    def test_nvme_commands(self):
        source = self.nvme({6: 1}, {2: 1})
        self.error('explain', *source, 'read', code=USAGE, text='did you mean io:read?')
        self.error('explain', *source, '0x106', code=USAGE)
        self.error('explain', *source, 'cxl:0x4000', code=USAGE, text='no cxl commands')

    def test_missing_selectors(self):
        for args, text in ((('get-log',), 'needs --uuid'), (('get-feature',), 'needs --uuid'),
                           (('inject-poison',), 'needs --offset'),
                           (('get-poison-list', '--offset=0'), 'needs --length'),
                           (('set-lsa',), 'needs --offset'),
                           (('get-feature', '--uuid=' + CEL), 'needs --length')):
            self.error('send', 'sim:honest', *args, code=USAGE, text=text)
        source = self.nvme({2: 1, 6: 1, 0x80: 1, 0xc2: 1}, {2: 1})
        for args, text in ((('identify',), 'needs --cns'), (('get-log-page',), 'needs --lid')):
            self.error('explain', *source, *args, code=USAGE, text=text)

    def test_explain_assumes_what_is_missing(self):
        """A command is explained without its bytes; a selector that changes its effects is not assumed."""
        for name in ('clear-poison', 'set-lsa', 'activate-fw', 'inject-poison', 'set-timestamp'):
            decision = self.json('explain', 'sim:honest', name, code=REFUSED)['decision']
            self.assertEqual(decision['reason'], 'grant-scope', name)
        source = self.nvme({0x80: 1, 0x11: 1, 0xc2: 1}, {1: 3, 2: 1})
        for name, reason in (('format-nvm', 'grant-scope'), ('fw-download', 'grant-scope'),
                             ('0xc2', 'admit')):
            code = OK if reason == 'admit' else REFUSED
            decision = self.json('explain', *source, name, code=code)['decision']
            self.assertEqual(decision['reason'], reason, name)

    def test_wrong_selectors(self):
        for args, text in ((('get-log', '--uuid=sel'), 'names are: cel'),
                           (('get-log', '--uuid=cel', '--length=0x100000000'), 'too great'),
                           (('get-log', '--uuid=cel', '--lid=3'), '--lid means nothing'),
                           ((IDENTIFY, '--offset=1'), '--offset means nothing'),
                           (('get-log', '--uuid=cel', '--hex=00'), 'not both'),
                           (('get-poison-list', '--offset=0', '--length=3'), 'multiple of 64'),
                           (('get-lsa', '--offset=-1'), 'not a number'),
                           (('get-lsa', '--offset=18446744073709551616'), 'not a number'),
                           (('get-feature', '--uuid=' + CEL, '--length=1', '--selection=maybe'), 'current'),
                           (('get-log', '--uuid=cel', '--selection=1'), 'means nothing')):
            self.error('explain', 'sim:honest', *args, code=USAGE, text=text)
        source = self.nvme({2: 1, 0x11: 1})
        for args, text in ((('get-log-page', '--lid=256'), 'names are'),
                           (('get-log-page', '--lid=2', '--length=3'), 'multiple of 4'),
                           (('get-log-page', '--lid=2', '--length=0'), 'multiple of 4'),
                           (('get-log-page', '--lid=2', '--length=0x300000'), 'at most'),
                           (('get-log-page', '--lid=telemetry-host-create'), 'names are'),
                           (('fw-download', '--hex=00112233', '--offset=2'), 'multiple of 4'),
                           (('get-log-page', '--lid=2', '--uuid=cel'), 'means nothing')):
            self.error('explain', *source, *args, code=USAGE, text=text)

    def test_payloads(self):
        self.error('send', 'sim:honest', 'set-lsa', '--hex=0', code=USAGE, text='hex')
        self.error('send', 'sim:honest', 'set-lsa', '--hex=0g', code=USAGE, text='hex')
        self.error('send', 'sim:honest', 'set-lsa', '--hex=00', '-i', '/dev/null', code=USAGE,
                   text='not both')
        self.error('send', 'sim:honest', 'set-lsa', '-i', self.path('none'), code=NOT_FOUND)
        self.error('send', 'sim:honest', 'set-lsa', '-i', self.dir, code=FAILED)
        self.error('send', 'sim:honest', 'set-lsa', '-i', self.file('long', bytes((2 << 20) + 1)),
                   code=USAGE, text='payload too long')
        r = self.json('send', self.policy(WRITER), 'sim:honest', 'set-lsa', '-i',
                      self.file('long', bytes(2 << 20)), code=REFUSED)
        self.assertEqual(r['decision']['reason'], 'payload-shape')
        r = self.json('send', self.policy(WRITER), 'sim:honest', 'set-lsa', '-i', '-', code=REFUSED)
        self.assertEqual(r['decision']['reason'], 'payload-shape')
        self.assertTrue(re.search('short', r['decision']['detail']))


if __name__ == '__main__':
    unittest.main()
