#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What must be true of model/ whatever else its rows say: facts from other places than the tables."""

import csv
import glob
import os
import shutil
import tempfile
import unittest

import small

NEVER = {'dma', 'carrier', 'other-client', 'unknown'}
CXL_BITS = {0: 'config-cold-reset', 1: 'config', 2: 'data', 3: 'policy', 4: 'log', 5: 'security',
            6: 'background', 10: 'config-conv-reset', 11: 'config-cxl-reset'}
NVME_BITS = {1: 'data', 2: 'namespace-capability', 3: 'namespace-inventory',
             4: 'controller-capability'}

# Effects words of the Command Effects paragraphs: opcode: CXL 2.0, CXL 3.1 (None: not known).
CXL_WORDS = {
    0x0101: (0x0010, None), 0x0103: (0x0008, None), 0x0201: (0x0041, 0x0f41),
    0x0202: (0x0003, 0x0f43), 0x0301: (0x0008, 0x0008), 0x0403: (None, 0x0010),
    0x0404: (None, 0x0150), 0x0502: (None, 0x0c3f), 0x0600: (None, 0x0156),
    0x4101: (0x0007, None), 0x4103: (0x0006, None), 0x4202: (0x0008, None),
    0x4204: (0x0008, None), 0x4301: (0x0004, None), 0x4302: (0x0004, None),
    0x4304: (0x0040, None), 0x4400: (0x0064, 0x0164), 0x4401: (0x0024, 0x0024),
    0x4402: (None, 0x0044), 0x4501: (0x0020, 0x0020), 0x4502: (0x0020, 0x0020),
    0x4503: (0x0020, 0x0020), 0x4504: (0x0020, 0x0020), 0x4505: (0x0024, 0x0024),
    0x4600: (0x0020, 0x0020), 0x4701: (0x0008, 0x0008), 0x4802: (None, 0x0002),
    0x4803: (None, 0x0002), 0x5201: (0x0040, None), 0x5202: (0x0040, None),
    0x5402: (0x0007, None), 0x5404: (0x0008, None), 0x5407: (0x0007, None),
    0x5409: (0x0007, None),
}
# Those with "None" in at least one revision, and in none anything else.
CXL_NONE = (
    0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0100, 0x0102, 0x0200, 0x0300, 0x0400, 0x0401, 0x0402,
    0x0405, 0x0500, 0x0501, 0x4000, 0x4100, 0x4102, 0x4200, 0x4201, 0x4203, 0x4300, 0x4303, 0x4305,
    0x4500, 0x4601, 0x4700, 0x4702, 0x4800, 0x4801, 0x4900, 0x4901, 0x4902, 0x5000, 0x5100, 0x5101,
    0x5102, 0x5103, 0x5203, 0x5300, 0x5301, 0x5302, 0x5400, 0x5401, 0x5403, 0x5405, 0x5406, 0x5408)
# Paragraphs that name a maximum over many operations, of which a device may have few.
CXL_MAXIMA = {0x0502, 0x0600, 0x4402}
# QEMU's devices declare a change of data for these, the specification a change of configuration.
CXL_DISPUTED = {0x4802, 0x4803}

# Commands of each CXL command set: the high byte of the opcode, and how many.
CXL_COUNTS = {
    0x00: 5, 0x01: 11, 0x02: 3, 0x03: 2, 0x04: 6, 0x05: 3, 0x06: 1, 0x07: 3, 0x40: 1, 0x41: 4,
    0x42: 5, 0x43: 6, 0x44: 3, 0x45: 6, 0x46: 2, 0x47: 3, 0x48: 4, 0x49: 21, 0x50: 1, 0x51: 8,
    0x52: 4, 0x53: 3, 0x54: 10, 0x55: 2, 0x56: 9, 0x57: 23, 0x58: 12, 0x59: 5}

# Never admitted, whatever a device declares.
CXL_NEVER = (0x0004, 0x0106, 0x010a, 0x4600, 0x4601, 0x4802, 0x4803, 0x4907, 0x5102, 0x5103,
             0x5105, 0x5201, 0x5202, 0x5203, 0x5300, 0x5301, 0x5302, 0x5402, 0x5604, 0x5605, 0x5709,
             0x5809)
ADMIN_NEVER = (0x00, 0x01, 0x04, 0x05, 0x08, 0x0c, 0x18, 0x1c, 0x1d, 0x1e, 0x24, 0x3d, 0x3e, 0x41,
               0x42, 0x45, 0x7c, 0x7f, 0x81, 0x82, 0x85)

# Input lengths that Linux sends (drivers/cxl/core/mbox.c) and QEMU takes (cxl-mailbox-utils.c).
CXL_IN = {
    0x0100: 1, 0x0200: 0, 0x0202: 2, 0x0300: 0, 0x0301: 8, 0x0400: 0, 0x0401: 24, 0x0402: 16,
    0x0403: 16, 0x0405: 2, 0x0500: 8, 0x0501: 21, 0x4000: 0, 0x4100: 0, 0x4101: 10, 0x4102: 8,
    0x4200: 0, 0x4201: 0, 0x4202: 12, 0x4203: 0, 0x4204: 1, 0x4300: 16, 0x4301: 8, 0x4302: 72,
    0x4303: 16, 0x4304: 17, 0x4305: 0, 0x4400: 0, 0x4401: 0, 0x4500: 0, 0x4501: 96, 0x4502: 64,
    0x4503: 32, 0x4504: 0, 0x4505: 64, 0x4800: 2, 0x4801: 8}

# The effects log of QEMU 10's NVMe controller: honest, but for what no entry here excuses.
QEMU_ADMIN = {0x00: 0x01, 0x01: 0x01, 0x02: 0x01, 0x04: 0x01, 0x05: 0x01, 0x06: 0x01, 0x08: 0x01,
              0x09: 0x01, 0x0a: 0x01, 0x0c: 0x01, 0x15: 0x19, 0x19: 0x01, 0x1a: 0x01, 0x80: 0x03,
              0x81: 0x01, 0x82: 0x01}
QEMU_IO = {0x00: 0x03, 0x01: 0x03, 0x02: 0x01, 0x05: 0x01, 0x08: 0x03, 0x09: 0x03, 0x0c: 0x01,
           0x12: 0x01, 0x19: 0x03, 0x1d: 0x03}

# Features that Linux keeps for itself.
CXL_EXCLUSIVE = (
    '96dad7d6-fde8-482b-a733-75774e06db8a', 'e5b13f22-2328-4a14-b8ba-b9691e893386',
    '892ba475-fad8-474e-9d3e-692c917568bb', '80ea4521-786f-4127-afb1-ec7459fb0e24',
    '96c33386-91dd-44c7-9ecb-fdaf6503bac4', '450ebf67-b135-4f97-a498-c2d57f279bed',
    '78b79636-90ac-4b64-a4ef-faac5d18a863', '34dbaff5-0552-4281-8f76-da0b5e7a76a7')

RAE = 1 << 15


def bits(word, names):
    return {name for bit, name in names.items() if word >> bit & 1}


def rows_of(option):
    paths = sorted(glob.glob(os.path.join(small.MODEL, '*.model')))
    run = small.generate(small.HERE, paths, option)
    if run.returncode:
        raise AssertionError(run.stderr)
    rows = list(csv.DictReader(run.stdout.splitlines(), delimiter='\t', quoting=csv.QUOTE_NONE))
    for row in rows:
        row['floor'] = set(row['floor'].split())
        row['conditional'] = set(row.get('conditional', '').split())
    return rows


class Model(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sets = {}
        for row in rows_of('--list'):
            cls.sets.setdefault(row['set'], {})[int(row['opcode'][:-1], 16)] = row
        cls.cxl, cls.admin, cls.io = (cls.sets[s] for s in ('cxl', 'nvme-admin', 'nvme-io'))
        cls.forms = rows_of('--list-selected')
        cls.operations = rows_of('--list-operations')

    def operation(self, command, value):
        """The name and the floor of an operation."""
        for row in self.operations:
            if row['command'] == command and int(row['first'][:-1], 16) <= value <= int(
                    row['last'][:-1], 16):
                return row['name'], row['floor']
        raise AssertionError(f'{command} {value:x}h')

    def selected(self, selector, value, cdw10=0):
        """The floor that the rows of @selector give @value (a number or a UUID) with @cdw10."""
        floor, found = set(), False
        for form in self.forms:
            if form['selector'] != selector:
                continue
            if isinstance(value, str):
                match = form['first'] == value
            else:
                low, high = (int(form[k][:-1], 16) for k in ('first', 'last'))
                mask, want = (int(form[k][:-1], 16) for k in ('mask', 'value'))
                self.assertTrue(not mask or form['cdw'] == '10', 'this test knows CDW10 only')
                match = low <= value <= high and cdw10 & mask == want
            if match:
                found = True
                floor |= form['floor']
        self.assertTrue(found, f'{selector} {value}')
        return floor

    def classes(self, selector, value):
        return {f['class'] for f in self.forms if f['selector'] == selector and f['first'] == value}


class Cxl(Model):
    def test_every_opcode_is_there(self):
        counts = {}
        for opcode in self.cxl:
            counts[opcode >> 8] = counts.get(opcode >> 8, 0) + 1
        self.assertEqual(counts, CXL_COUNTS)

    def test_floors_are_those_of_the_specification(self):
        for opcode, words in CXL_WORDS.items():
            declarable = self.cxl[opcode]['floor'] & set(CXL_BITS.values())
            newest = words[1] if words[1] is not None else words[0]
            self.assertEqual(declarable, bits(newest, CXL_BITS), f'{opcode:04x}h')

    def test_what_an_honest_device_may_leave_out(self):
        always = {'background', 'config-conv-reset', 'config-cxl-reset'}
        for opcode, words in CXL_WORDS.items():
            floor = self.cxl[opcode]['floor'] & set(CXL_BITS.values())
            oldest = bits(words[0] if words[0] is not None else words[1], CXL_BITS)
            expected = floor & (always | (floor - oldest))
            if opcode in CXL_MAXIMA | CXL_DISPUTED:
                expected = floor
            self.assertEqual(self.cxl[opcode]['conditional'], expected, f'{opcode:04x}h')

    def test_no_effects_where_the_specification_says_none(self):
        for opcode in CXL_NONE:
            row = self.cxl[opcode]
            firm = row['floor'] & set(CXL_BITS.values()) - row['conditional']
            self.assertEqual(firm, set(), f'{opcode:04x}h')

    def test_own_floors_accuse_nobody(self):
        for opcode, row in self.cxl.items():
            if row['source'].startswith('fwadmit'):
                firm = row['floor'] & set(CXL_BITS.values()) - row['conditional']
                self.assertEqual(firm, set(), f'{opcode:04x}h')

    def test_never(self):
        for opcode in CXL_NEVER:
            self.assertTrue(self.cxl[opcode]['floor'] & NEVER, f'{opcode:04x}h')

    def test_whatever_changes_something_says_so(self):
        verbs = ('set-', 'configure-', 'clear-', 'inject-', 'bind-', 'unbind-', 'generate-', 'send-',
                 'initiate-', 'activate-', 'transfer-', 'cancel-', 'claim-', 'add-', 'release-')
        for opcode, row in self.cxl.items():
            if row['name'].startswith(verbs):
                self.assertTrue(row['floor'], f'{opcode:04x}h {row["name"]}')

    def test_lengths(self):
        for opcode, length in CXL_IN.items():
            low, _, high = self.cxl[opcode]['in'].partition('-')
            self.assertLessEqual(int(low), length, f'{opcode:04x}h')
            self.assertGreaterEqual(int(high or low), length, f'{opcode:04x}h')

    def test_ranges_are_checked(self):
        for opcode, rule in ((0x0401, 'log-range@16,20'), (0x4102, 'lsa-range@0,4'),
                             (0x4103, 'lsa-data@0,8'), (0x0501, 'feature-range@16,18'),
                             (0x0502, 'feature-data@20,32'), (0x4300, 'dpa-range@0,8'),
                             (0x4301, 'dpa@0'), (0x4302, 'dpa@0'), (0x4304, 'dpa-range@0,8')):
            self.assertIn(rule, self.cxl[opcode]['rules'].split(), f'{opcode:04x}h')

    def test_features_that_linux_keeps(self):
        for uuid in CXL_EXCLUSIVE:
            self.assertEqual(self.selected('cxl-features:set', uuid), {'other-client'})
            self.assertEqual(self.selected('cxl-features:get', uuid), set())

    def test_operations(self):
        # opcode 4402h: QEMU's names of class and subclass; the rest: ndctl, Linux's EDAC drivers
        for command, value, name in (('media-operations', 0x0000, 'discovery'),
                                     ('media-operations', 0x0100, 'sanitize'),
                                     ('media-operations', 0x0101, 'zero'),
                                     ('perform-maintenance', 0x0100, 'sppr'),
                                     ('perform-maintenance', 0x0101, 'hppr'),
                                     ('perform-maintenance', 0x0203, 'rank-sparing'),
                                     ('activate-fw', 0, 'online'),
                                     ('set-partition-info', 1, 'immediate'),
                                     ('set-feature', 4, 'abort'), ('transfer-fw', 4, 'abort')):
            self.assertEqual(self.operation(command, value)[0], name)
        self.assertEqual(self.operation('set-partition-info', 0)[1], {'config-cold-reset'})
        self.assertEqual(self.operation('set-partition-info', 1)[1], {'config', 'data'})

    def test_no_operation_does_more_than_its_command(self):
        """The CEL's word is that of all operations, and the row is the model's part of it."""
        rows = {row['name']: row for row in self.cxl.values()}
        for op in self.operations:
            if op['family'] == 'cxl':
                self.assertLessEqual(op['floor'] - {'unknown'}, rows[op['command']]['floor'], op)

    def test_logs(self):
        self.assertEqual(self.classes('cxl-logs:get', '0da9c0b5-bf41-4b78-8f79-96b1623b3f17'),
                         {'plain'})
        self.assertEqual(self.classes('cxl-logs:get', '5e1819d9-11a9-400c-811f-d60719403d86'),
                         {'debug'})


class Nvme(Model):
    def test_never(self):
        for opcode in ADMIN_NEVER:
            self.assertTrue(self.admin[opcode]['floor'] & NEVER, f'{opcode:02x}h')

    def test_host_memory_stays_with_the_driver(self):
        for opcode in (0x01, 0x05, 0x45, 0x7c):
            self.assertIn('dma', self.admin[opcode]['floor'], f'{opcode:02x}h')
        self.assertIn('dma', self.selected('nvme-features:set', 0x0d))

    def test_qemu_is_honest(self):
        for table, declared in ((self.admin, QEMU_ADMIN), (self.io, QEMU_IO)):
            for opcode, dword in declared.items():
                firm = table[opcode]['floor'] - table[opcode]['conditional']
                missing = firm & set(NVME_BITS.values()) - bits(dword, NVME_BITS)
                self.assertEqual(missing, set(), f'{opcode:02x}h')

    def test_loss_of_data_must_be_declared(self):
        for table, opcode in ((self.admin, 0x80), (self.admin, 0x84), (self.admin, 0x8c),
                              (self.io, 0x01), (self.io, 0x04), (self.io, 0x08), (self.io, 0x19)):
            self.assertIn('data', table[opcode]['floor'] - table[opcode]['conditional'])

    def test_user_data(self):
        for opcode in (0x02, 0x05):
            self.assertEqual(self.io[opcode]['class'], 'user-data')

    def test_all_data_has_a_known_length(self):
        """A controller moves what the command says: past the buffer, if nothing checks it."""
        for table in (self.admin, self.io):
            for opcode, row in table.items():
                exact = all('-' not in row[way] and row[way] != 'any' for way in ('in', 'out'))
                self.assertTrue(exact or row['rules'] or row['floor'] & NEVER, f'{opcode:02x}h')

    def test_features_that_linux_refuses(self):
        for fid in (0x07, 0x0c, 0x0d, 0x0f, 0x16):
            self.assertIn('other-client', self.selected('nvme-features:set', fid), f'{fid:02x}h')

    def test_reads_with_effects(self):
        def changes(lid, cdw10=0):
            return self.selected('nvme-logs:get', lid, cdw10)

        self.assertEqual(changes(0x07), set())
        self.assertEqual(changes(0x07, 1 << 8), {'log'})
        for lid in (0x04, 0x80):
            self.assertEqual(changes(lid, RAE), {'log'}, f'{lid:02x}h')
        for lid in (0x01, 0x0c, 0x81):
            self.assertEqual(changes(lid), {'log'}, f'{lid:02x}h')
            self.assertEqual(changes(lid, RAE), set(), f'{lid:02x}h')
        for action in (1, 2, 3):
            self.assertEqual(changes(0x0d, action << 8), {'log'})
        self.assertEqual(changes(0x0d), set())

    def test_what_a_monitor_reads_has_no_effect(self):
        for lid in (0x00, 0x02, 0x03, 0x05, 0x12):
            for cdw10 in (0, RAE):
                self.assertEqual(self.selected('nvme-logs:get', lid, cdw10), set(), f'{lid:02x}h')
            self.assertEqual(self.classes('nvme-logs:get', f'{lid:02x}h'), {'plain'})

    def test_reserved_values_are_unknown(self):
        for selector, values in (('nvme-logs:get', (0x26, 0x29, 0x6f, 0x74, 0x82, 0xbe)),
                                 ('nvme-features:get', (0x00, 0x29, 0x77, 0x7a, 0x86, 0xbf)),
                                 ('nvme-features:set', (0x00, 0x29, 0x77, 0x7a, 0x86, 0xbf)),
                                 ('nvme-identify:get', (0x0b, 0x0f, 0x21, 0xff))):
            for value in values:
                self.assertEqual(self.selected(selector, value), {'unknown'},
                                 f'{selector} {value:02x}h')

    def test_operations(self):
        for command, value, floor in (('fw-commit', 3, {'config', 'controller-capability'}),
                                      ('fw-commit', 6, {'data'}),
                                      ('ns-mgmt', 0, {'namespace-inventory'}),
                                      ('ns-mgmt', 1, {'data', 'namespace-inventory'}),
                                      ('format-nvm', 1, set()), ('format-nvm', 2, {'security'}),
                                      ('sanitize-nvm', 2, set()), ('sanitize-nvm', 4, {'security'}),
                                      ('dev-self-test', 0xf, set()), ('get-features', 3, set())):
            self.assertEqual(self.operation(command, value)[1], floor, f'{command} {value:x}h')
        for command, values in (('fw-commit', (4, 5)), ('ns-mgmt', (2, 15)), ('format-nvm', (3, 7)),
                                ('sanitize-nvm', (0, 6, 7)), ('dev-self-test', (0, 4, 13)),
                                ('ns-attach', (2, 15)), ('get-features', (4, 7))):
            for value in values:
                self.assertEqual(self.operation(command, value)[1], {'unknown'}, command)

    def test_counts(self):
        self.assertEqual((len(self.admin), len(self.io)), (50, 16))


class Text(unittest.TestCase):
    def test_columns_are_lined_up(self):
        with tempfile.TemporaryDirectory() as folder:
            for path in glob.glob(os.path.join(small.MODEL, '*.model')):
                copy = shutil.copy(path, folder)
                self.assertEqual(small.generate(folder, [copy], '--align').returncode, 0)
                with open(path, encoding='ascii') as before, open(copy, encoding='ascii') as after:
                    self.assertEqual(before.read(), after.read(), f'{path}: run --align')


if __name__ == '__main__':
    unittest.main()
