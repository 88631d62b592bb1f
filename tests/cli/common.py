# SPDX-License-Identifier: GPL-2.0-or-later
"""For the tests of the fwadmit program, whose path is their first argument."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

FWADMIT = os.path.abspath(sys.argv.pop(1))

OK, FAILED, USAGE, NOT_FOUND, REFUSED, DEVICE_ERROR, NOT_RUNNING, VIOLATION = 0, 1, 2, 3, 4, 5, 7, 8

READER = '[grant reader]\nuser = *\ndevice = *\nscope = debug-read-only\n'
WRITER = ('[grant writer]\nuser = *\ndevice = *\nscope = debug-write-full\n'
          'effects = config-cold-reset, config, data, policy, log, security, background, '
          'config-conv-reset, config-cxl-reset, namespace-capability, exclusive\n')

DECISION = {'verdict', 'reason', 'clause', 'detail', 'why', 'set', 'opcode', 'opcode_hex', 'name',
            'selector', 'declared_raw', 'declared', 'floor', 'advisory', 'advisories', 'effects',
            'required_scope', 'required_because', 'scope', 'grant', 'ticket', 'accepted', 'state', 'would_pass',
            'advice', 'who'}
DEVICE = {'name', 'family', 'vendor', 'model', 'serial', 'firmware'}
FINDING = {'code', 'severity', 'set', 'opcode', 'opcode_hex', 'name', 'clause', 'message',
           'declared', 'expected'}


def cel(*entries):
    return b''.join(struct.pack('<HH', *e) for e in entries)


def effects_log(admin=None, io=None):
    log = [0] * 1024
    for opcode, dword in (admin or {}).items():
        log[opcode] = dword
    for opcode, dword in (io or {}).items():
        log[256 + opcode] = dword
    return struct.pack('<1024I', *log)


class Result:
    def __init__(self, done):
        self.code = done.returncode
        self.raw = done.stdout
        self.out = done.stdout.decode('utf-8', 'replace')
        self.err = done.stderr.decode('utf-8', 'replace')

    def __repr__(self):
        return f'exit {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}'


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.dir = tmp.name
        self.env = {k: v for k, v in os.environ.items() if k not in ('NO_COLOR', 'LC_ALL', 'COLUMNS')}
        # nothing of this machine's
        self.env |= {'FWADMIT_STATE_DIR': self.path('state'), 'FWADMIT_PINNED_DIR': self.path('pinned')}

    def path(self, name):
        return os.path.join(self.dir, name)

    def file(self, name, data):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(data if isinstance(data, bytes) else data.encode())
        return path

    def policy(self, text, name='policy'):
        self.file(f'{name}/50-test.conf', text)
        return '--policy=' + self.path(name)

    def cel(self, *entries):
        return ['--from=' + self.file('cel.bin', cel(*entries)), '--kind=cxl-cel']

    def nvme(self, admin=None, io=None):
        return ['--from=' + self.file('nvme.bin', effects_log(admin, io)), '--kind=nvme-effects']

    def run_cli(self, *args, data=None, code=OK):
        done = subprocess.run([FWADMIT, *args], input=data if data is not None else b'',
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env, timeout=60)
        result = Result(done)
        if code is not None:
            self.assertEqual(result.code, code, f'{args}: {result}')
        return result

    def json(self, *args, code=OK, **kw):
        result = self.run_cli('-o', 'json', *args, code=code, **kw)
        self.assertEqual(result.err, '', result)
        o = json.loads(result.out)
        self.assertEqual(o['format_version'], 1)
        return o

    def error(self, *args, code, text=None, **kw):
        """One clear line on stderr and nothing on stdout; in JSON the error object, and no line."""
        result = self.run_cli(*args, code=code, **kw)
        self.assertEqual(result.out, '')
        self.assertRegex(result.err, r'\Afwadmit: [^\n]+\n\Z')
        if text:
            self.assertIn(text, result.err)
        o = self.json(*args, code=code, **kw)
        self.assertEqual(set(o), {'format_version', 'verb', 'error'})
        self.assertEqual(set(o['error']), {'code', 'message'})
        self.assertEqual('fwadmit: ' + o['error']['message'] + '\n', result.err)
        return result.err

    def assertKeys(self, o, keys):
        self.assertEqual(set(o), set(keys))
