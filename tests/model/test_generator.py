#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tools/gen-model.py: what is wrong is found where it is, and the C says what the tables say."""

import os
import subprocess
import tempfile
import unittest

import small

# File, a line of it, what that line is replaced by, and what the generator must say of the new line.
MALFORMED = (
    # heads
    ('cxl.model', 'set cxl', 'set cxi', 'unknown command set "cxi"'),
    ('cxl.model', 'set cxl', 'cxl', 'want "set NAME", "select NAME by KIND"'),
    ('nvme-operations.model', 'operations nvme', 'operations fwctl', 'unknown family "fwctl"'),
    ('nvme-operations.model', 'command | at', 'command | at | value | name | does',
     'want the columns command | at'),
    ('logs.model', 'select logs by log-uuid', 'select logs by name', 'unknown selector "name"'),
    ('logs.model', 'select logs by log-uuid', 'select Logs by log-uuid', 'bad name "Logs"'),
    ('cxl.model', 'source 2.0 CXL 2.0', 'source 2.0', 'want "source KEY TEXT"'),
    ('cxl.model', 'source 2.0 CXL 2.0', 'source 2.0 "CXL"', 'bad source text'),
    ('cxl.model', 'opcode | name', 'opcode | title | name', 'want the columns opcode | name'),
    ('pages.model', 'value | name', 'value | name | title | get', 'want the columns value | name'),
    ('pages.model', 'value | name', 'value | name | title | when', 'one or more uses'),
    # cells
    ('cxl.model', '5300h', '5300h | tunnel | Tunnel | 4-16 | carrier | 2.0 | -',
     '7 columns instead of 8'),
    ('cxl.model', '5300h', '5300h | tunnel | | 4-16 | carrier | 2.0 | - | -',
     'column "title" is empty'),
    ('cxl.model', '5300h', '5300 | tunnel | Tunnel | 4-16 | carrier | 2.0 | - | -',
     'bad opcode "5300"'),
    ('cxl.model', '5300h', '530h | tunnel | Tunnel | 4-16 | carrier | 2.0 | - | -',
     'bad opcode "530h"'),
    ('cxl.model', '5300h', '53G0h | tunnel | Tunnel | 4-16 | carrier | 2.0 | - | -',
     'bad opcode "53G0h"'),
    ('cxl.model', '5300h', '5300h | Tunnel | Tunnel | 4-16 | carrier | 2.0 | - | -',
     'bad name "Tunnel"'),
    ('cxl.model', '5300h', '5300h | tunnel | "Tunnel" | 4-16 | carrier | 2.0 | - | -',
     'bad title'),
    ('cxl.model', '5300h', '5300h | tunnel | T\u00fcnnel | 4-16 | carrier | 2.0 | - | -',
     'bad title'),
    ('cxl.model', '5300h', '5300h | tunnel | Tunnel | 0x4 | carrier | 2.0 | - | -',
     'bad in length "0x4"'),
    ('cxl.model', '5300h', '5300h | tunnel | Tunnel | 16-4 | carrier | 2.0 | - | -',
     '16 is more than 4'),
    ('cxl.model', '5300h', '5300h | tunnel | Tunnel | 4294967296 | carrier | 2.0 | - | -',
     'more than 32 bits'),
    ('cxl.model', '5300h', '5300h | tunnel | Tunnel | 4 | courier | 2.0 | - | -',
     'unknown class or effect "courier"'),
    ('cxl.model', '5300h', '5300h | tunnel | Tunnel | 4 | secret | 2.0 | - | -',
     'unknown class or effect "secret"'),
    ('cxl.model', '5300h', '5300h | tunnel | Tunnel | 4 | data?? | 2.0 | - | -',
     'unknown class or effect "data??"'),
    ('cxl.model', '5300h', '5300h | tunnel | Tunnel | 4 | data data? | 2.0 | - | -',
     'effect "data" twice'),
    ('cxl.model', '5300h', '5300h | tunnel | Tunnel | 4 | data plain | 2.0 | - | -',
     '"plain" is not the first word'),
    ('cxl.model', '5300h', '5300h | tunnel | Tunnel | 4 | - | 2.0 | - | -',
     'unknown class or effect "-"'),
    ('cxl.model', '5300h', '5300h | tunnel | Tunnel | 4 | carrier? | 2.0 | - | -',
     'cxl devices have no bit for it'),
    ('io.model', '01h', '01h | write | Write | 1- | 0 | config? | nvm | - | nlb',
     'nvme devices have no bit for it'),
    ('cxl.model', '5300h', '5300h | tunnel | Tunnel | 4 | carrier | 3.0 | - | -',
     'unknown source "3.0"'),
    # rows among themselves
    ('cxl.model', '5300h', '4103h | tunnel | Tunnel | 4 | carrier | 2.0 | - | -',
     'duplicate opcode "4103h": see line 8'),
    ('cxl.model', '5300h', '5300h | get-lsa | Tunnel | 4 | carrier | 2.0 | - | -',
     'duplicate name "get-lsa": see line 7'),
    ('cxl.model', '5300h', '4000h | tunnel | Tunnel | 4 | carrier | 2.0 | - | -', 'out of order'),
    ('cxl.model', '5300h', 'c000h | tunnel | Tunnel | 4 | carrier | 2.0 | - | -',
     'opcode c000h is vendor specific'),
    ('io.model', '01h', '81h | write | Write | 1- | 0 | data | nvm | - | nlb',
     'opcode 81h is vendor specific'),
    ('io.model', '01h', '02h | write | Write | 1- | 0 | data | nvm | - | nlb',
     'in data, but opcode bit 0'),
    ('io.model', '01h', '01h | write | Write | 0 | 1- | data | nvm | - | nlb',
     'out data, but opcode bit 1'),
    # rules
    ('cxl.model', '4102h', '4102h | get-lsa | Get LSA | 8 | debug | 2.0 | - | lsa@0,4',
     'unknown rule "lsa@0,4"'),
    ('cxl.model', '4102h', '4102h | get-lsa | Get LSA | 8 | debug | 2.0 | - | lsa-range@0,5',
     'byte 9 is outside the least in length 8'),
    ('cxl.model', '4102h', '4102h | get-lsa | Get LSA | 4- | debug | 2.0 | - | lsa-range@0,4',
     'byte 8 is outside the least in length 4'),
    ('cxl.model', '4102h', '4102h | get-lsa | Get LSA | 8 | debug | 2.0 | - | lsa-range@0',
     'wrong number of offsets'),
    ('cxl.model', '4102h', '4102h | get-lsa | Get LSA | 8 | debug | 2.0 | - | lsa-range@0,4:4',
     'wrong number of offsets or widths'),
    ('cxl.model', '4102h', '4102h | get-lsa | Get LSA | 8 | debug | 2.0 | - | nonzero@4',
     'wrong number of offsets or widths'),
    ('cxl.model', '4102h', '4102h | get-lsa | Get LSA | 8 | debug | 2.0 | - | nonzero@4:3',
     'a number has 1, 2, 4 or 8 bytes'),
    ('cxl.model', '4102h', '4102h | get-lsa | Get LSA | 8 | debug | 2.0 | - | nlb',
     'rule "nlb" is for nvme commands'),
    ('cxl.model', '4102h', '4102h | get-lsa | Get LSA | 300 | debug | 2.0 | - | dpa@256',
     'offset over 255'),
    ('cxl.model', '0401h', '0401h | get-log | Get Log | 24 | debug | 2.0 | logs:get | '
     'log-range@12,20', 'offset within the UUID'),
    ('admin.model', '09h', '09h | set-features | Set | 0 | 0 | config | base | - | numd-in',
     'the command has no in data'),
    ('admin.model', '02h', '02h | get-log-page | Get | 0 | 0 | debug | base | pages:get | numd-out',
     'the command has no out data'),
    ('admin.model', '09h', '09h | set-features | Set | 0 | 0 | config | base | - | length-cdw11',
     'the command moves no data'),
    # selectors
    ('cxl.model', '0401h', '0401h | get-log | Get Log | 24 | debug | 2.0 | log:get | -',
     'unknown selector "log:get"'),
    ('cxl.model', '0401h', '0401h | get-log | Get Log | 24 | debug | 2.0 | logs:put | -',
     'unknown selector "logs:put"'),
    ('cxl.model', '0401h', '0401h | get-log | Get Log | 24 | debug | 2.0 | pages:get | -',
     'selector "pages" is for nvme'),
    ('cxl.model', '0401h', '0401h | get-log | Get Log | 15- | debug | 2.0 | logs:get | -',
     'in length too short for a UUID'),
    ('logs.model', '5e18', '5e1819d9-11a9-400c-811f-d60719403d8 | vendor | Vendor | debug',
     'bad UUID'),
    ('logs.model', '5e18', '5e1819d911a9-400c-811f-d60719403d86a | vendor | Vendor | debug',
     'bad UUID'),
    ('logs.model', '5e18', '0da9c0b5-bf41-4b78-8f79-96b1623b3f17 | vendor | Vendor | debug',
     'duplicate uuid'),
    ('logs.model', '5e18', '5e1819d9-11a9-400c-811f-d60719403d86 | cel | Vendor | debug',
     'duplicate name "cel": see line 3'),
    ('pages.model', '07h | telemetry |', '08h | telemetry | Telemetry | - | debug',
     'no row for value 07h'),
    ('pages.model', '07h | telemetry |', '06h | telemetry | Telemetry | - | debug',
     'out of order: value 06h'),
    ('pages.model', '07h | telemetry |', '7h | telemetry | Telemetry | - | debug',
     'bad value "7h"'),
    ('pages.model', '08h-ffh', 'ffh-08h | vendor-specific | Vendor | - | debug',
     'ffh is more than 08h'),
    ('pages.model', '08h-ffh', '08h-feh | vendor-specific | Vendor | - | debug',
     'no row for value ffh'),
    ('pages.model', '07h | telemetry-create', '06h | create | T | cdw10[8]=1 | log',
     'a conditional row must follow the row of its value'),
    ('pages.model', '07h | telemetry-create', '07h | create | T | cdw10[8] | log',
     'bad condition "cdw10[8]"'),
    ('pages.model', '07h | telemetry-create', '07h | create | T | cdw16[8]=1 | log',
     'bad condition "cdw16[8]=1"'),
    ('pages.model', '07h | telemetry-create', '07h | create | T | cdw10[8]=2 | log',
     '2 does not fit'),
    ('pages.model', '07h | telemetry-create', '07h | create | T | cdw10[7]=1 | log',
     'bits 7:7 of dword 10'),
    ('pages.model', '07h | telemetry-create', '07h | create | T | cdw11[8:9]=1 | log',
     'bits 8:9 of dword 11'),
    ('pages.model', '07h | telemetry-create', '07h | create | T | cdw11[32]=1 | log',
     'bits 32:32 of dword 11'),
    # operations
    ('cxl-operations.model', 'set-lsa | payload@2:2 | 0000h', 'set-lsa | payload@2:4 | '
     '0000h-00ffh | low | Low | -', 'bad place "payload@2:4": want payload@AT'),
    ('cxl-operations.model', 'set-lsa | payload@2:2 | 0000h', 'set-lsa | cdw10[3:0] | '
     '0h | low | Low | -', 'bad place "cdw10[3:0]": want payload@AT'),
    ('cxl-operations.model', 'set-lsa | payload@2:2 | 0000h', 'set-lsa | payload@256 | '
     '00h | low | Low | -', 'offset over 255'),
    ('cxl-operations.model', 'set-lsa | payload@2:2 | 0100h', 'set-lsa | payload@4:2 | '
     '0100h-ffffh | reserved | Reserved | unknown', 'at another place in line 3'),
    ('cxl-operations.model', 'set-lsa | payload@2:2 | 0100h', 'set-lsa | payload@2:2 | '
     '0101h-ffffh | reserved | Reserved | unknown', '"set-lsa": no row for value 100h'),
    ('cxl-operations.model', 'tunnel | payload@3[6:5] | 0h', 'tunnel | payload@3[6:5] | '
     '1h-2h | some | Some | -', '"tunnel": no row for value 0h'),
    ('cxl-operations.model', 'tunnel | payload@3[6:5] | 0h', 'tunnel | payload@3[8:5] | '
     '0h-2h | some | Some | -', 'bits 8:5'),
    ('cxl-operations.model', 'tunnel | payload@3[6:5] | 0h', 'tunnel | payload@3[6:5] | '
     '00h-02h | some | Some | -', 'bad value "00h"'),
    ('cxl-operations.model', 'tunnel | payload@3[6:5] | 3h', 'tunnel | payload@3[6:5] | '
     '3h-4h | most | Most | data', '"tunnel": value 4h does not fit'),
    ('cxl-operations.model', 'tunnel | payload@3[6:5] | 3h', 'tunnel | payload@3[6:5] | '
     '3h | some | Most | data', 'duplicate operation of tunnel "some"'),
    ('cxl-operations.model', 'tunnel | payload@3[6:5] | 3h', 'tunnel | payload@3[6:5] | '
     '3h | most | Most | data?', 'want effects without a class and without ?'),
    ('cxl-operations.model', 'tunnel | payload@3[6:5] | 3h', 'tunnel | payload@3[6:5] | '
     '3h | most | Most | plain', 'want effects without a class and without ?'),
    ('cxl-operations.model', 'tunnel | payload@3[6:5] | 3h', 'set-lsa | payload@2:2 | '
     '0000h-ffffh | most | Most | data', 'duplicate command "set-lsa": see line 3'),
    ('nvme-operations.model', 'set-features | cdw10[31] | 0h', 'set-features | payload@3 | '
     '0h | current | Current | -', 'bad place "payload@3": want cdwN[HIGH:LOW]'),
    ('nvme-operations.model', 'set-features | cdw10[31] | 0h', 'set-features | cdw10[32] | '
     '0h | current | Current | -', 'bits 32:32'),
    ('nvme-operations.model', 'set-features | cdw10[31] | 0h', 'set-features | cdw10[16:0] | '
     '00000h | current | Current | -', 'more than 16 bits'),
    ('nvme-operations.model', 'set-features | cdw10[31] | 1h', 'set-features | cdw10[31] | '
     '1h | Saved | Saved | -', 'bad name "Saved"'),
)

# What main.c prints of the small model: the tables as the C compiler understood them.
EXPECTED = '''\
cxl 0401 get-log "Get Log" "CXL 2.0" class 0 floor 0 conditional 0 in 24 24 out 0 any rules 0,20,4,0 2,16,0,20 select 1 n 2
 cel class 1 floor 0 conditional 0 uuid 0d 17
 vendor-debug class 0 floor 10 conditional 10 uuid 5e 86
cxl 4102 get-lsa "Get LSA" "CXL 2.0" class 2 floor 0 conditional 0 in 8 8 out 0 any rules 3,0,0,4
cxl 4103 set-lsa "Set LSA" "CXL 2.0" class 0 floor 6 conditional 4 in 9 any out 0 any rules 4,0,0,8 operations cdw 0 at 2 width 2 shift 0 mask ffff 0-ff low 0 100-ffff reserved 10000
cxl 5300 tunnel "Tunnel" "CXL 2.0" class 0 floor 4000 conditional 0 in 4 16 out 0 any rules operations cdw 0 at 3 width 1 shift 5 mask 3 0-2 some 0 3-3 most 24
nvme-admin 0002 get-log-page "Get Log Page" "NVMe Base" class 0 floor 0 conditional 0 in 0 0 out 4 any rules 9,0,0,0 select 4 n 5
 00: reserved 10 mask 0 0
 06: reserved 10 mask 0 0
 07: telemetry 10 mask 0 0
 07: telemetry-create 10 mask 100 100
 07: telemetry-area 12 mask 70 50
 08: vendor-specific 10 mask 0 0
 ff: vendor-specific 10 mask 0 0
nvme-admin 0009 set-features "Set Features" "NVMe Base" class 0 floor 2 conditional 0 in 0 4096 out 0 0 rules operations cdw 10 at 0 width 1 shift 31 mask 1 0-0 current 0 1-1 saved 2
nvme-io 0001 write "Write" "NVM Command Set" class 0 floor 1004 conditional 1000 in 1 any out 0 0 rules 11,0,0,0
index: 4 2 1
'''


class Malformed(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def run_on(self, files):
        small.write(self.folder.name, files)
        run = small.generate(self.folder.name, sorted(files), '--output', 'out.c')
        written = os.path.exists(os.path.join(self.folder.name, 'out.c'))
        self.assertEqual(written, run.returncode == 0, run.stderr)
        return run

    def assert_fault(self, files, where, what):
        run = self.run_on(files)
        self.assertEqual(run.returncode, 1, run.stderr)
        found = [line for line in run.stderr.splitlines() if line.startswith(where + ': ')]
        self.assertTrue(any(what in line for line in found), f'{where}: {what}\n{run.stderr}')
        self.assertNotIn('Traceback', run.stderr)

    def test_small_model_is_right(self):
        self.assertEqual(self.run_on(small.FILES).returncode, 0)

    def test_each_fault_is_found_where_it_is(self):
        for path, begin, new, what in MALFORMED:
            lines = small.FILES[path].splitlines()
            at = [i for i, line in enumerate(lines) if line.startswith(begin)]
            self.assertEqual(len(at), 1, begin)
            lines[at[0]] = new
            with self.subTest(path=path, new=new):
                files = {**small.FILES, path: '\n'.join(lines) + '\n'}
                self.assert_fault(files, f'{path}:{at[0] + 1}', what)

    def test_all_faults_at_once(self):
        text = small.CXL.replace('2.0 | - | lsa', '1.0 | - | lsa').replace('4-16', '16-4')
        run = self.run_on({**small.FILES, 'cxl.model': text})
        self.assertEqual(len(run.stderr.splitlines()), 3, run.stderr)

    def test_second_source(self):
        text = small.CXL.replace('source 2.0 CXL 2.0', 'source 2.0 CXL 2.0\nsource 2.0 again')
        self.assert_fault({**small.FILES, 'cxl.model': text}, 'cxl.model:4', 'duplicate source')

    def test_empty_files(self):
        self.assert_fault({**small.FILES, 'cxl.model': ''}, 'cxl.model:1', 'an empty file')
        self.assert_fault({**small.FILES, 'cxl.model': 'set cxl\n'}, 'cxl.model:1', 'no columns')
        head = ''.join(small.LOGS.splitlines(True)[:2])
        self.assert_fault({**small.FILES, 'logs.model': head}, 'logs.model:2', 'no rows')

    def test_operations_that_end_too_early(self):
        text = ''.join(small.NVME_OPERATIONS.splitlines(True)[:3])
        self.assert_fault({**small.FILES, 'nvme-operations.model': text},
                          'nvme-operations.model:3', '"set-features": no row for value 1h')
        text = small.CXL_OPERATIONS.replace('0100h-ffffh', '0100h-fffeh')
        self.assert_fault({**small.FILES, 'cxl-operations.model': text},
                          'cxl-operations.model:5', '"set-lsa": no row for value ffffh')

    def test_operations_of_no_command_and_outside_it(self):
        text = small.CXL_OPERATIONS.replace('set-lsa', 'set-lsb')
        self.assert_fault({**small.FILES, 'cxl-operations.model': text},
                          'cxl-operations.model:3', 'no cxl command "set-lsb"')
        text = small.CXL_OPERATIONS.replace('payload@2:2', 'payload@8:2')
        self.assert_fault({**small.FILES, 'cxl-operations.model': text}, 'cxl-operations.model:4',
                          'the operation of "set-lsa" is outside its least in length 9')

    def test_same_table_twice(self):
        files = {**small.FILES, 'z.model': small.IO}
        self.assert_fault(files, 'z.model:4', 'a second table "nvme-io": see io.model')

    def test_set_missing(self):
        files = {name: text for name, text in small.FILES.items() if name != 'io.model'}
        run = self.run_on(files)
        self.assertEqual(run.returncode, 1)
        self.assertIn('no table of command set "nvme-io"', run.stderr)

    def test_use_that_no_command_selects(self):
        text = small.LOGS.replace('| get', '| get | put').replace('plain', 'plain | plain')
        text = text.replace('debug log?', 'debug | log')
        self.assert_fault({**small.FILES, 'logs.model': text}, 'logs.model:1',
                          'no command selects "logs:put"')

    def test_no_such_file(self):
        run = small.generate(self.folder.name, ['none.model'], '--output', 'out.c')
        self.assertEqual(run.returncode, 1)
        self.assertEqual(run.stderr, 'gen-model.py: none.model: No such file or directory\n')


class Compiled(unittest.TestCase):
    """The generated C, compiled with the project's own headers and printed by main.c."""

    def test_c_says_what_the_tables_say(self):
        with tempfile.TemporaryDirectory() as folder:
            small.write(folder, small.FILES)
            run = small.generate(folder, sorted(small.FILES), '--output', 'out.c')
            self.assertEqual(run.returncode, 0, run.stderr)
            main = os.path.join(small.HERE, 'print-tables.c')
            subprocess.run([*small.COMPILER, '-std=gnu11', '-Wall', '-Wextra', '-Werror',
                            '-Wconversion', '-Wundef', '-Wwrite-strings',
                            '-Wno-missing-field-initializers', '-I', small.INCLUDE, '-o', 'print',
                            'out.c', main], cwd=folder, check=True)
            shown = subprocess.run([os.path.join(folder, 'print')], text=True, check=True,
                                   capture_output=True)
            self.assertEqual(shown.stdout, EXPECTED)


if __name__ == '__main__':
    unittest.main()
