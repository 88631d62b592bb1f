#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of observables: what is wrong is found where it is, and the C says what the tables say."""

import os
import subprocess
import tempfile
import unittest

import small

CXL = '''\
observe cxl
name | part | where | kind | means | grows
labels | - | get-log 00000000000000010000000000000000ff0000000000000000 more=01h | log | log | -
labels | low | 0[2:0] | state | log | -
labels | high | 0[5:3] | declares | config log | -
labels | count | 4-7 | counter | log | -
labels | time | 8-15 | clock:1000 | policy | -
labels | entries | 32- | records:16 | log | any
lines | - | list-lines 00000000000000000000000000000000 capacity@8 | once | data | -
pages | - | list-page 00..02 | once | log any | -
pages | notes | 0-7 | ring:4 | log | data policy
pages | more | 8- | trace | log any | -
value | - | get-feature | feature | - | -
value | first | 0 | volatile | - | -
bits | - | - | registers | config | -
'''
NVME = '''\
observe nvme
name | part | where | kind | means | grows
page | - | get-log-page rare nsid=fffffffeh cdw10=00000007h cdw12=0000000fh out=512 | once | log | -
page | entries | 8-63 | ring:28 | log | free
blocks | - | read | lba | data | -
'''
FILES = {
    **small.FILES,
    'cxl.model': small.CXL.replace('0401h | get-log | Get Log | 24 |', '0401h | get-log | Get Log | 24- |')
    + '5301h | list-lines | List Lines | 16 | debug | 2.0 | - | -\n'
    + '5302h | list-page | List Page | 1 | debug | 2.0 | - | -\n'
    + '5303h | get-feature | Get Feature | 21 | debug | 2.0 | - | -\n',
    'io.model': small.IO + '02h | read | Read | 0 | 1- | debug | nvm | - | nlb\n',
    'cxl-observe.model': CXL,
    'nvme-observe.model': NVME,
}
FILES['logs.model'] = small.LOGS.replace('debug log?', 'debug')

# File, a line of it, what that line is replaced by, and what the generator must say of the new line.
MALFORMED = (
    ('cxl-observe.model', 'observe cxl', 'observe fwctl', 'unknown family "fwctl"'),
    ('cxl-observe.model', 'observe cxl', 'observes cxl', 'or "observe FAMILY" first'),
    ('cxl-observe.model', 'name |', 'name | part | where | kind | grows', 'want the columns name'),
    # observables
    ('cxl-observe.model', 'pages | -', 'Pages | - | list-page 00 | once | log | -', 'bad name "Pages"'),
    ('cxl-observe.model', 'pages | -', 'labels | - | list-page 00 | once | log | -',
     'duplicate name "labels": see line 3'),
    ('cxl-observe.model', 'pages | -', 'pages | - | list-page 00 | often | log | -',
     'bad kind "often" of "pages": want once, feature'),
    ('cxl-observe.model', 'pages | -', 'pages | - | list-page 00 | fid | log | -', 'bad kind "fid"'),
    ('cxl-observe.model', 'pages | -', 'pages | - | - | once | log | -', 'needs a command'),
    ('cxl-observe.model', 'bits | -', 'bits | - | list-page 00 | registers | log | -',
     'takes no command'),
    ('cxl-observe.model', 'pages | -', 'pages | - | list-page 00 | once | log | any',
     'only parts grow'),
    ('cxl-observe.model', 'pages | -', 'pages | - | list-page 0 | once | log | -',
     'bad request "0": want rare, bytes of the payload'),
    ('cxl-observe.model', 'pages | -', 'pages | - | list-page out=4 | once | log | -',
     'bad request "out=4"'),
    ('nvme-observe.model', 'page | -', 'page | - | get-log-page 00 | once | log | -',
     'bad request "00": want rare, nsid= or cdwN=8 digits'),
    ('nvme-observe.model', 'page | -', 'page | - | get-log-page cdw10=7h | once | log | -',
     'bad request "cdw10=7h"'),
    ('nvme-observe.model', 'page | -', 'page | - | get-log-page cdw16=00000007h | once | log | -',
     'bad request "cdw16'),
    ('cxl-observe.model', 'pages | -', 'pages | - | list-page 02..01 | once | log | -',
     'want one byte, and then a greater one'),
    ('cxl-observe.model', 'pages | -', 'pages | - | list-page 0002..03 | once | log | -',
     'want one byte, and then a greater one'),
    ('cxl-observe.model', 'lines | -', f'lines | - | list-lines {"00" * 33} | once | data | -',
     'a payload of more than 32 bytes'),
    ('cxl-observe.model', 'lines | -', f'lines | - | list-lines {"00" * 16} capacity@9 | once | data | -',
     '"capacity@9" is outside the payload'),
    # what they ask for
    ('cxl-observe.model', 'pages | -', 'pages | - | get-page 00 | once | log | -',
     'no command "get-page"'),
    ('cxl-observe.model', 'pages | -', 'pages | - | read 00 | once | log | -', 'no command "read"'),
    ('cxl-observe.model', 'pages | -', 'pages | - | set-lsa 00 | lsa | log | -',
     '"set-lsa" changes something: config data'),
    ('cxl-observe.model', 'pages | -', 'pages | - | list-page | once | log | -',
     '"list-page" takes 1 to 1 bytes, not 0'),
    ('cxl-observe.model', 'pages | -', 'pages | - | list-page 0000 | once | log | -',
     '"list-page" takes 1 to 1 bytes, not 2'),
    ('nvme-observe.model', 'page | -',
     'page | - | get-log-page cdw10=00000107h out=512 | once | log | -',
     '"telemetry-create" changes something: log'),
    ('nvme-observe.model', 'page | -',
     'page | - | get-log-page cdw10=00000007h cdw12=00000050h out=512 | once | log | -',
     '"telemetry-area" changes something: background'),
    ('nvme-observe.model', 'page | -',
     'page | - | get-log-page cdw10=00000006h out=512 | once | log | -',
     '"reserved" changes something: unknown'),
    ('nvme-observe.model', 'page | -', 'page | - | get-log-page cdw10=00000007h | once | log | -',
     '"get-log-page" cannot return 0 bytes'),
    # parts
    ('cxl-observe.model', 'labels | low', 'pages | low | 0 | state | log | -',
     'a part of "pages", which is not the row before'),
    ('cxl-observe.model', 'labels | low', 'labels | Low | 0 | state | log | -', 'bad part "Low"'),
    ('cxl-observe.model', 'labels | high', 'labels | low | 0[5:3] | state | log | -',
     'duplicate part "low"'),
    ('cxl-observe.model', 'labels | count', 'labels | count | 0-7 | counter | log | -',
     'byte 0 is in part "high" already'),
    ('cxl-observe.model', 'labels | time', 'labels | time | 7-14 | clock:1000 | policy | -',
     'byte 7 is in part "count" already'),
    ('cxl-observe.model', 'labels | high', 'labels | high | 0[5:2] | state | log | -',
     'bits out of order'),
    ('cxl-observe.model', 'labels | high', 'labels | high | 0 | state | log | -',
     'byte 0 is in part "low" already'),
    ('cxl-observe.model', 'labels | high', 'labels | high | 0[3:5] | state | log | -', 'bits 3:5'),
    ('cxl-observe.model', 'labels | high', 'labels | high | 0[8] | state | log | -', 'bits 8:8'),
    ('cxl-observe.model', 'labels | high', 'labels | high | 0[5:3] | counter | log | -',
     'bits of a byte are no counter'),
    ('cxl-observe.model', 'labels | count', 'labels | count | 4..7 | counter | log | -',
     'bad bytes "4..7"'),
    ('cxl-observe.model', 'labels | count', 'labels | count | 7-4 | counter | log | -',
     'bad bytes "7-4"'),
    ('cxl-observe.model', 'labels | count', 'labels | count | 4-20 | counter | log | -',
     'a counter has at most 16 bytes'),
    ('cxl-observe.model', 'labels | count', 'labels | count | 4-7 | number | log | -',
     'unknown kind "number"'),
    ('cxl-observe.model', 'labels | count', 'labels | count | 4-7 | counter:4 | log | -',
     'bad kind "counter:4"'),
    ('cxl-observe.model', 'labels | time', 'labels | time | 8-15 | clock | policy | -',
     'bad kind "clock": want clock:N, ns'),
    ('cxl-observe.model', 'labels | time', 'labels | time | 8-15 | clock:0 | policy | -',
     'bad kind "clock:0"'),
    ('cxl-observe.model', 'labels | time', 'labels | time | 8-16 | clock:1 | policy | -',
     'a clock has at most 8 bytes'),
    ('cxl-observe.model', 'labels | entries', 'labels | entries | 32-63 | records:16 | log | -',
     'records go to the end'),
    ('cxl-observe.model', 'pages | notes', 'pages | notes | 0-6 | ring:4 | log | -',
     'a ring has two or more whole records of 4 bytes'),
    ('cxl-observe.model', 'pages | notes', 'pages | notes | 0-3 | ring:4 | log | -', 'two or more'),
    ('cxl-observe.model', 'pages | notes', 'pages | notes | 0- | ring:4 | log | -', 'two or more'),
    ('cxl-observe.model', 'labels | count', 'labels | count | 4-7 | counter | log | any',
     'a counter does not grow'),
    ('cxl-observe.model', 'pages | notes', 'pages | notes | 0-7 | ring:4 | log | frees',
     'unknown effect "frees"'),
    # effects
    ('cxl-observe.model', 'labels | count', 'labels | count | 4-7 | counter | logs | -',
     'unknown effect "logs"'),
    ('cxl-observe.model', 'labels | count', 'labels | count | 4-7 | counter | any | -',
     'unknown effect "any"'),
    ('cxl-observe.model', 'labels | count', 'labels | count | 4-7 | counter | log any data | -',
     'unknown effect "any"'),
    ('cxl-observe.model', 'labels | count', 'labels | count | 4-7 | counter | log log | -',
     'effect "log" twice'),
    ('cxl-observe.model', 'labels | count', 'labels | count | 4-7 | counter | carrier | -',
     '"carrier" is nothing that can be seen'),
    ('cxl-observe.model', 'labels | count', 'labels | count | 4-7 | counter | - | -',
     'only a Feature\'s value can have'),
    ('cxl-observe.model', 'pages | -', 'pages | - | list-page 00 | once | - | -',
     'only a Feature\'s value can have'),
)

# What print-observe.c prints of the tables above: as the C compiler understood them.
EXPECTED = '''\
labels "Get Log" each 3 set 0 opcode 0401 payload 00000000000000010000000000000000ff0000000000000000 more 1 means 10 as 10
 low 0-0 kind 0 mask 07 unit 0 means 10 as 10 grows 0
 high 0-0 kind 7 mask 38 unit 0 means 12 as 2 grows 0
 count 4-7 kind 1 mask 00 unit 0 means 10 as 10 grows 0
 time 8-15 kind 2 mask 00 unit 1000 means 8 as 8 grows 0
 entries 32-end kind 3 mask 00 unit 16 means 10 as 10 grows 1ffff
lines "List Lines" each 0 set 0 opcode 5301 payload 00000000000000000000000000000000 capacity 8 means 4 as 4
pages-00 "List Page" each 0 set 0 opcode 5302 payload 00 means 1ffff as 10
 notes 0-7 kind 4 mask 00 unit 4 means 10 as 10 grows c
 more 8-end kind 5 mask 00 unit 0 means 1ffff as 10 grows 0
pages-01 "List Page" each 0 set 0 opcode 5302 payload 01 means 1ffff as 10
 notes 0-7 kind 4 mask 00 unit 4 means 10 as 10 grows c
 more 8-end kind 5 mask 00 unit 0 means 1ffff as 10 grows 0
pages-02 "List Page" each 0 set 0 opcode 5302 payload 02 means 1ffff as 10
 notes 0-7 kind 4 mask 00 unit 4 means 10 as 10 grows c
 more 8-end kind 5 mask 00 unit 0 means 1ffff as 10 grows 0
value "Get Feature" each 1 set 0 opcode 5303 payload means 0 as 0
 first 0-0 kind 6 mask 00 unit 0 means 0 as 0 grows 0
bits "Registers" each 9 set 0 opcode 0000 payload means 2 as 2
--
page "Telemetry" each 0 set 1 opcode 0002 payload cdw 00000007 00000000 0000000f 00000000 00000000 00000000 nsid fffffffe rare out 512 means 10 as 10
 entries 8-63 kind 4 mask 00 unit 28 means 10 as 10 grows 0
blocks "Read" each 8 set 2 opcode 0002 payload means 4 as 4
--
'''


class Malformed(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def run_on(self, files):
        small.write(self.folder.name, files)
        run = small.generate(self.folder.name, sorted(files), '--observe', 'out.c')
        written = os.path.exists(os.path.join(self.folder.name, 'out.c'))
        self.assertEqual(written, run.returncode == 0, run.stderr)
        return run

    def test_small_tables_are_right(self):
        run = self.run_on(FILES)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_each_fault_is_found_where_it_is(self):
        for path, begin, new, what in MALFORMED:
            lines = FILES[path].splitlines()
            at = [i for i, line in enumerate(lines) if line.startswith(begin)]
            self.assertEqual(len(at), 1, begin)
            lines[at[0]] = new
            with self.subTest(path=path, new=new):
                run = self.run_on({**FILES, path: '\n'.join(lines) + '\n'})
                where = f'{path}:{at[0] + 1}: '
                found = [line for line in run.stderr.splitlines() if line.startswith(where)]
                self.assertEqual(run.returncode, 1)
                self.assertTrue(any(what in line for line in found), f'{what}\n{run.stderr}')
                self.assertNotIn('Traceback', run.stderr)

    def test_without_rows(self):
        run = self.run_on({**FILES, 'nvme-observe.model': NVME.partition('page')[0]})
        self.assertIn('nvme-observe.model:2: no rows', run.stderr)

    def test_same_table_twice(self):
        run = self.run_on({**FILES, 'z-observe.model': CXL})
        self.assertIn('a second table "cxl"', run.stderr)


class Generated(unittest.TestCase):
    def test_c_says_what_the_tables_say(self):
        with tempfile.TemporaryDirectory() as folder:
            small.write(folder, FILES)
            run = small.generate(folder, sorted(FILES), '--observe', 'out.c')
            self.assertEqual(run.returncode, 0, run.stderr)
            main = os.path.join(small.HERE, 'print-observe.c')
            subprocess.run([*small.COMPILER, '-std=gnu11', '-Wall', '-Wextra', '-Werror',
                            '-Wconversion', '-Wundef', '-Wwrite-strings',
                            '-Wno-missing-field-initializers', '-I', small.INCLUDE, '-o', 'print',
                            'out.c', main], cwd=folder, check=True)
            shown = subprocess.run([os.path.join(folder, 'print')], text=True, check=True,
                                   capture_output=True)
            self.assertEqual(shown.stdout, EXPECTED)


if __name__ == '__main__':
    unittest.main()
