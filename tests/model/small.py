# SPDX-License-Identifier: GPL-2.0-or-later
"""A model small enough to read, and how to run the generator on it."""

import contextlib
import io
import os
import subprocess
import sys
import unittest.mock

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
GENERATOR = os.environ.get('GEN_MODEL', os.path.join(ROOT, 'tools', 'gen-model.py'))
MODEL = os.environ.get('MODEL', os.path.join(ROOT, 'model'))
INCLUDE = os.environ.get('INCLUDE', os.path.join(ROOT, 'src'))
sys.path.insert(0, os.path.dirname(GENERATOR))  # where a script finds its modules
COMPILER = os.environ.get('CC', 'cc').split()
with open(GENERATOR, encoding='utf-8') as source:
    CODE = compile(source.read(), GENERATOR, 'exec', dont_inherit=True)

CXL = '''\
# A comment.
set cxl
source 2.0 CXL 2.0

opcode | name | title | in | does | source | select | rules
0401h | get-log | Get Log | 24 | debug | 2.0 | logs:get | nonzero@20:4 log-range@16,20
4102h | get-lsa | Get LSA | 8 | user-data | 2.0 | - | lsa-range@0,4
4103h | set-lsa | Set LSA | 9- | config data? | 2.0 | - | lsa-data@0,8
5300h | tunnel | Tunnel | 4-16 | carrier | 2.0 | - | -
'''
LOGS = '''\
select logs by log-uuid
uuid | name | title | get
0da9c0b5-bf41-4b78-8f79-96b1623b3f17 | cel | Command Effects Log | plain
5e1819d9-11a9-400c-811f-d60719403d86 | vendor-debug | Vendor Debug Log | debug log?
'''
ADMIN = '''\
set nvme-admin
source base NVMe Base
opcode | name | title | in | out | does | source | select | rules
02h | get-log-page | Get Log Page | 0 | 4- | debug | base | pages:get | numd-out
09h | set-features | Set Features | 0-4096 | 0 | config | base | - | -
'''
IO = '''\
set nvme-io
source nvm NVM Command Set
opcode | name | title | in | out | does | source | select | rules
01h | write | Write | 1- | 0 | data exclusive? | nvm | - | nlb
'''
PAGES = '''\
select pages by lid
value | name | title | when | get
00h-06h | reserved | Reserved | - | unknown
07h | telemetry | Telemetry | - | debug
07h | telemetry-create | Telemetry, new snapshot | cdw10[8]=1 | log
07h | telemetry-area | Telemetry, an area | cdw12[6:4]=5 | debug background
08h-ffh | vendor-specific | Vendor Specific | - | debug
'''
CXL_OPERATIONS = '''\
operations cxl
command | at | value | name | title | does
set-lsa | payload@2:2 | 0000h-00ffh | low | Low | -
set-lsa | payload@2:2 | 0100h-ffffh | reserved | Reserved | unknown
tunnel | payload@3[6:5] | 0h-2h | some | Some | -
tunnel | payload@3[6:5] | 3h | most | Most | data security
'''
NVME_OPERATIONS = '''\
operations nvme
command | at | value | name | title | does
set-features | cdw10[31] | 0h | current | Current Value | -
set-features | cdw10[31] | 1h | saved | Saved Value | config
'''
FILES = {'cxl-operations.model': CXL_OPERATIONS, 'nvme-operations.model': NVME_OPERATIONS,
         'cxl.model': CXL, 'logs.model': LOGS, 'admin.model': ADMIN, 'io.model': IO,
         'pages.model': PAGES}


def write(folder, files):
    for name, text in files.items():
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
            file.write(text)


def generate(folder, names, *options):
    """Runs the generator in @folder on the files @names. In this process: to start one each time took longer."""
    out, err, before = io.StringIO(), io.StringIO(), os.getcwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), \
                unittest.mock.patch('sys.argv', [GENERATOR, *options, *names]):
            try:
                exec(CODE, {'__name__': '__main__'})
                code = 0
            except SystemExit as end:
                code = end.code or 0
        if isinstance(code, str):
            err.write(code + '\n')
            code = 1
    finally:
        os.chdir(before)
    return subprocess.CompletedProcess(names, code, out.getvalue(), err.getvalue())
