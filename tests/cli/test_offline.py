#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""effects and lint on declarations in files: text, JSON, and files that are nothing of the kind."""
import hashlib
import json
import os
import struct
import subprocess
import unittest

from common import (DEVICE, FWADMIT, FAILED, FINDING, NOT_FOUND, OK, REFUSED, USAGE, VIOLATION, Case, cel,
                    effects_log)

ENTRIES = ((0x0400, 0), (0x0401, 0), (0x4000, 0), (0x4103, 0x0006), (0x4302, 0), (0xc001, 0x1004))

GOLDEN_EFFECTS = '''\
{path}: cxl-cel, 24 bytes

OPCODE  COMMAND                 SCOPE             BECAUSE         EFFECTS
0400h   get-supported-logs      configuration     plain-read      -
0401h   get-log                 configuration     plain-read      -
4000h   identify-memory-device  configuration     plain-read      -
4103h   set-lsa                 debug-write-full  change          config data
4302h   clear-poison            debug-write-full  change          +data
c001h   vendor-specific         never             not-understood  data unknown

FINDING  CLAUSE  COMMAND                  WHAT
error    C9      clear-poison (4302h)     leaves out what the specification says it does: data
error    C8      vendor-specific (c001h)  sets reserved bits: its effects are unknown, refused \
(bits 1000h)

6 commands: 3 configuration, 2 debug-write-full, 1 never; 2 errors
+effect: added by the specification's floor, the device does not declare it (C7)
'''

GOLDEN_LINT = '''\
{path}: nvme-effects, 4096 bytes

FINDING  CLAUSE  COMMAND                WHAT
error    C8      vendor-specific (c1h)  sets reserved bits: its effects are unknown, refused \
(bits 0020h)

5 commands: 1 error
'''


class Text(Case):
    def test_effects(self):
        source = self.cel(*ENTRIES)
        golden = GOLDEN_EFFECTS.format(path=self.path('cel.bin'))
        self.assertEqual(self.run_cli('effects', *source).out, golden)

    def test_lint(self):
        source = self.nvme({2: 1, 6: 1, 9: 1, 10: 1, 0xc1: 0x21})
        golden = GOLDEN_LINT.format(path=self.path('nvme.bin'))
        self.assertEqual(self.run_cli('lint', *source, code=VIOLATION).out, golden)

    def test_verbose_shows_raw_words_and_attributes(self):
        out = self.run_cli('effects', '-v', *self.cel((0x4400, 0x0164))).out
        self.assertRegex(out, r'4400h +sanitize .* 0164h +abort-supported\n')

    def test_color_is_for_terminals_or_on_demand(self):
        source = self.cel(*ENTRIES)
        self.assertNotIn('\033', self.run_cli('effects', *source).out)
        self.assertIn('\033[', self.run_cli('effects', *source, '--color=always').out)
        self.assertNotIn('\033', self.run_cli('effects', *source, '--color=never').out)

    def test_a_table_is_as_wide_as_it_is_told(self):
        whole = self.run_cli('effects', 'sim:honest').out
        self.assertGreater(max(map(len, whole.splitlines())), 150)
        self.env['COLUMNS'] = '110'
        out = self.run_cli('effects', 'sim:honest').out
        self.assertLessEqual(max(map(len, out.splitlines()[1:])), 110)
        self.assertEqual(out.split(), whole.split(), 'only spaces differ')
        for columns in ('0', '1', '30', '', 'many', '10001'):
            self.env['COLUMNS'] = columns
            self.assertEqual(self.run_cli('effects', 'sim:honest').out, whole, columns)

    def test_io_commands_are_named_as_the_command_line_takes_them(self):
        out = self.run_cli('effects', *self.nvme({6: 1}, {1: 3})).out
        self.assertRegex(out, r'\n06h +identify ')
        self.assertRegex(out, r'\nio:01h +write ')


class Json(Case):
    def test_effects(self):
        o = self.json('effects', *self.cel(*ENTRIES))
        self.assertKeys(o, {'format_version', 'verb', 'source', 'device', 'profile_digest',
                            'commands', 'findings'})
        self.assertEqual(o['verb'], 'effects')
        self.assertEqual(o['source'], {'kind': 'cxl-cel', 'bytes': 24,
                                       'sha256': hashlib.sha256(cel(*ENTRIES)).hexdigest()})
        self.assertIsNone(o['device'])
        self.assertRegex(o['profile_digest'], '^[0-9a-f]{64}$')
        self.assertEqual([c['opcode'] for c in o['commands']], [e[0] for e in ENTRIES])
        self.assertEqual(o['commands'][4], {
            'set': 'cxl', 'opcode': 17154, 'opcode_hex': '4302h', 'name': 'clear-poison',
            'title': 'Clear Poison', 'vendor': False, 'declared_raw': 0, 'declared': [],
            'attributes': [], 'floor': ['data'], 'advisory': [], 'advisories': [], 'effects': ['data'],
            'required_scope': 'debug-write-full', 'reason': 'change', 'clause': 'C13'})
        vendor = o['commands'][5]
        self.assertEqual((vendor['name'], vendor['title'], vendor['vendor']), (None, None, True))
        self.assertEqual((vendor['declared_raw'], vendor['required_scope']), (0x1004, 'never'))

    def test_clause_of_what_is_never_sent(self):
        o = self.json('effects', *self.cel((0x0004, 0), (0xc001, 0x1000)))
        self.assertEqual([(c['required_scope'], c['clause']) for c in o['commands']],
                         [('never', 'C15'), ('never', 'C8')])

    def test_findings(self):
        o = self.json('lint', *self.cel(*ENTRIES), code=VIOLATION)
        self.assertKeys(o, {'format_version', 'verb', 'source', 'device', 'findings', 'errors',
                            'warnings', 'notes'})
        self.assertEqual((o['errors'], o['warnings'], len(o['findings'])), (2, 0, 2))
        for f in o['findings']:
            self.assertKeys(f, FINDING)
        self.assertEqual(o['findings'][0], {
            'code': 'under-declared', 'severity': 'error', 'set': 'cxl', 'opcode': 0x4302,
            'opcode_hex': '4302h', 'name': 'clear-poison', 'clause': 'C9',
            'message': 'leaves out what the specification says it does: data',
            'declared': [], 'expected': ['data']})

    def test_effects_come_in_the_order_of_the_specification(self):
        o = self.json('effects', *self.cel((0xc000, 0x0fff)))
        self.assertEqual(o['commands'][0]['declared'],
                         ['config-cold-reset', 'config', 'data', 'policy', 'log', 'security',
                          'background', 'config-conv-reset', 'config-cxl-reset'])
        self.assertEqual(o['commands'][0]['attributes'], ['secondary-mailbox', 'abort-supported'])

    def test_duplicates_are_united(self):
        o = self.json('effects', *self.cel((0x0400, 0), (0x0401, 0), (0xc000, 2), (0xc000, 4)))
        self.assertEqual(o['commands'][2]['effects'], ['config', 'data'])
        self.assertEqual([f['code'] for f in o['findings']], ['duplicate'])

    def test_nvme_sets(self):
        o = self.json('effects', *self.nvme({0x80: 0x20007}, {1: 3}))
        self.assertEqual([(c['set'], c['opcode_hex'], c['effects']) for c in o['commands']],
                         [('nvme-admin', '80h', ['data', 'namespace-capability', 'exclusive']),
                          ('nvme-io', '01h', ['data'])])
        self.assertEqual(o['commands'][0]['clause'], 'C14')


class Saved(Case):
    def save(self):
        saved = self.path('saved.json')
        first = self.json('effects', *self.cel(*ENTRIES), '--save=' + saved)
        return saved, first

    def test_a_saved_profile_is_read_back_as_it_was(self):
        saved, first = self.save()
        again = self.json('effects', '--from=' + saved, '--kind=profile')
        for key in ('profile_digest', 'commands', 'findings'):
            self.assertEqual(again[key], first[key])
        self.assertKeys(again['device'], DEVICE)
        with open(saved) as f:
            o = json.load(f)
        self.assertKeys(o, {'format_version', 'profile'})
        self.assertKeys(o['profile'], {'family', 'vendor', 'model', 'serial', 'firmware', 'digest',
                                       'encoded_hex'})
        encoded = bytes.fromhex(o['profile']['encoded_hex'])
        self.assertEqual(hashlib.sha256(encoded).hexdigest(), first['profile_digest'])

    def test_pages_of_a_controller(self):
        def page(entries):
            return struct.pack('<256I', *(entries.get(i, 0) for i in range(256)))

        def record(kind, value):
            return struct.pack('<HHI', kind, 0, len(value)) + value

        encoded = (b'FWAPROF1' + record(1, b'\x02') +
                   record(32, effects_log({2: 1, 6: 1, 9: 1, 0xa: 1})) +
                   record(35, page({0: 1, 1: 1, 2: 1, 5: 1})) +
                   record(37, page({4: 1, 6: 3, 7: 2})) + record(38, page({4: 1})))
        saved = self.file('pages.json', json.dumps(
            {'format_version': 1, 'profile': {'encoded_hex': encoded.hex(),
                                              'digest': hashlib.sha256(encoded).hexdigest()}}))
        source = ['--from=' + saved, '--kind=profile']
        findings = self.json('lint', *source, code=VIOLATION)['findings']
        self.assertEqual([(f['code'], f['name'], f['clause'], f['message'].rpartition(', ')[2])
                          for f in findings],
                         [('undeclared-floor', 'get-log-page', 'C6', 'log page 03h'),
                          ('unstable', 'get-log-page', 'C23', 'log page 12h'),
                          ('feature-effects', 'set-features', 'C10', 'feature 06h'),
                          ('unsupported-bits', 'set-features', 'C8', 'feature 07h')])
        for args, reason, effects in (
                (('set-features', '--fid=6'), 'grant-scope', ['config', 'data', 'policy']),
                (('set-features', '--fid=4'), 'grant-scope', ['config', 'policy']),
                (('set-features', '--fid=1'), 'undeclared', []),
                (('get-features', '--fid=7'), 'undeclared', []),
                (('get-log-page', '--lid=3'), 'undeclared', [])):
            d = self.json('explain', *source, *args, code=REFUSED)['decision']
            self.assertEqual((d['reason'], d['effects']), (reason, effects), args)
        self.assertIn("page 12h does not list", self.run_cli(
            'explain', *source, 'set-features', '--fid=1', code=REFUSED).out)

    def change(self, saved, **changes):
        with open(saved) as f:
            o = json.load(f)
        o['profile'].update(changes)
        with open(saved, 'w') as f:
            json.dump(o, f)
        return ['effects', '--from=' + saved, '--kind=profile']

    def test_a_changed_byte_does_not_pass(self):
        saved, _ = self.save()
        with open(saved) as f:
            encoded = json.load(f)['profile']['encoded_hex']
        self.error(*self.change(saved, encoded_hex=encoded[:-1] + '8'), code=FAILED, text='digest')

    def test_nonsense(self):
        saved, _ = self.save()
        self.error(*self.change(saved, encoded_hex='zz'), code=FAILED)
        self.error(*self.change(saved, encoded_hex='00'), code=FAILED)
        self.error(*self.change(saved, encoded_hex=7), code=FAILED)
        for text in ('', '{}', '[]', 'null', '{"format_version":1,"profile":{}}', '[' * 100000,
                     '{"format_version":2,"profile":{}}', '\0', 'x' * 1000):
            self.error('lint', '--from=' + self.file('bad.json', text), '--kind=profile', code=FAILED)

    def test_nothing_half_written(self):
        self.error('effects', *self.cel(*ENTRIES), '--save=' + self.path('no/such/dir'), code=FAILED)
        self.error('effects', *self.cel(*ENTRIES), '--save=-', code=USAGE)
        self.save()
        self.assertEqual(sorted(os.listdir(self.dir)), ['cel.bin', 'saved.json'])


class BadFiles(Case):
    def codes(self, kind, data, code=OK):
        o = self.json('lint', '--from=' + self.file('log', data), '--kind=' + kind, code=code)
        return [f['code'] for f in o['findings']]

    def half(self, kind, data, text):
        """No answer from half of the declarations."""
        source = ('--from=' + self.file('log', data), '--kind=' + kind)
        self.error('effects', *source, code=FAILED, text=f'log: not {text}')
        self.error('explain', *source, '0x06', code=FAILED, text=f'{len(data)} bytes')

    def test_a_cel_that_ends_inside_an_entry(self):
        self.assertEqual(self.codes('cxl-cel', cel(*ENTRIES[:3]) + b'\x03', VIOLATION), ['truncated'])
        self.assertIn('truncated', self.codes('cxl-cel', b'\x03', VIOLATION))
        for data in (b'\x03', cel(*ENTRIES)[:-1], cel(*ENTRIES)[:-2]):
            self.half('cxl-cel', data, 'a Command Effects Log')

    def test_an_effects_log_that_is_too_short(self):
        self.assertIn('truncated', self.codes('nvme-effects', effects_log({6: 1})[:100], VIOLATION))
        self.assertIn('truncated', self.codes('nvme-effects', b'\x01', VIOLATION))
        for data in (b'', b'\x01', effects_log({6: 1})[:-1]):
            self.half('nvme-effects', data, 'the NVMe effects log')

    def test_empty(self):
        self.assertEqual(self.codes('cxl-cel', b'', VIOLATION), ['empty'])
        self.assertIn('empty', self.codes('nvme-effects', b'', VIOLATION))
        out = self.run_cli('effects', *self.cel()).out
        self.assertIn('0 commands; 1 error', out)

    def test_too_long(self):
        for kind, most in (('cxl-cel', 65536 * 4), ('nvme-effects', 4096)):
            self.error('effects', '--from=' + self.file('log', bytes(most + 1)), '--kind=' + kind,
                       code=FAILED, text=f'at most {most} bytes')
            self.error('effects', '--from=' + self.file('log', bytes(10 << 20)), '--kind=' + kind,
                       code=FAILED, text='too long')
        self.run_cli('effects', '--from=' + self.file('log', bytes(65536 * 4)), '--kind=cxl-cel')

    def test_any_bytes_are_a_log(self):
        for seed in range(8):
            data = b''.join(hashlib.sha256(bytes([seed, i])).digest() for i in range(128))
            self.run_cli('effects', '--from=' + self.file('log', data), '--kind=cxl-cel')
            self.run_cli('effects', '--from=' + self.file('log', data), '--kind=nvme-effects')
            self.run_cli('lint', '--from=' + self.file('log', data[seed:]), '--kind=cxl-cel', code=VIOLATION)

    def test_files_that_cannot_be_read(self):
        kind = '--kind=cxl-cel'
        self.error('lint', '--from=' + self.path('none'), kind, code=NOT_FOUND, text='No such file')
        self.error('lint', '--from=' + self.dir, kind, code=FAILED, text='directory')

    def test_a_file_that_this_user_may_not_read(self):
        os.chmod(self.dir, 0o755)
        os.chmod(self.file('secret', b'1234'), 0)
        args = ('lint', '--from=' + self.path('secret'), '--kind=cxl-cel')
        if os.geteuid() != 0:
            self.error(*args, code=FAILED, text='denied')
            return
        try:
            done = subprocess.run([FWADMIT, *args], user=65534, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, check=False)
        except PermissionError:
            self.skipTest('another user cannot run the program here')
        self.assertEqual((done.returncode, done.stdout), (FAILED, b''))
        self.assertRegex(done.stderr, rb'\Afwadmit: [^\n]*secret: Permission denied\n\Z')

    def test_names_of_files_are_text(self):
        out = self.run_cli('effects', '--from=' + self.file('a\033[31m\nb', b''), '--kind=cxl-cel').out
        self.assertRegex(out, r'\A[^\n]*/a\?\[31m\?b: cxl-cel, 0 bytes\n')

    def test_standard_input(self):
        for verb in ('effects', 'lint'):
            o = self.json(verb, '--from=-', '--kind=cxl-cel', data=cel(*ENTRIES[:3]))
            self.assertEqual(o['source']['bytes'], 12)

    def test_usage(self):
        log = '--from=' + self.file('log', b'')
        self.error('effects', log, code=USAGE, text='--kind')
        self.error('effects', '--kind=cxl-cel', code=USAGE, text='--from')
        self.error('effects', log, '--kind=cel', code=USAGE, text='cxl-cel')
        self.error('effects', log, '--kind=cxl-cel', 'sim:honest', code=USAGE, text='not both')
        self.error('effects', code=USAGE, text='DEVICE')
        self.error('lint', '--from=', '--kind=cxl-cel', code=USAGE, text='empty')


if __name__ == '__main__':
    unittest.main()
