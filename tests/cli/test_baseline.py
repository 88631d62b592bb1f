#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""baseline save, diff and accept on simulated devices; and what drift does to explain and send."""
import hashlib
import json
import os
import subprocess
import unittest

from common import DEVICE, FAILED, FWADMIT, NOT_FOUND, OK, REFUSED, USAGE, VIOLATION, WRITER, Case, Result

NOBODY = 65534
ROOT = os.geteuid() == 0
LOST = 'sim:honest,declare=0x41030002'  # Set LSA: config, no data
MORE = 'sim:honest,declare=0x4103000e'
APPEARED = 'sim:honest,declare=0xc0de0000'
LESS = 'sim:honest,undeclare=0xc000'
DIFFERENCE = {'of', 'how', 'drift', 'set', 'opcode', 'uuid', 'id', 'before', 'after'}
WRITE = ['set-lsa', '--hex=' + '00' * 16]


class Baseline(Case):
    def setUp(self):
        super().setUp()
        os.chmod(self.dir, 0o755)
        self.state = self.path('state')
        self.pinned = self.path('pinned')
        os.mkdir(self.state)
        os.mkdir(self.pinned)
        self.env |= {'FWADMIT_STATE_DIR': self.state, 'FWADMIT_PINNED_DIR': self.pinned}

    def diff(self, device, *args, code=OK):
        o = self.json('baseline', 'diff', device, *args, code=code)
        self.assertKeys(o, {'format_version', 'verb', 'device', 'baseline', 'differences'})
        self.assertKeys(o['device'], DEVICE)
        for d in o['differences']:
            self.assertKeys(d, DIFFERENCE)
        return o

    def files(self):
        return [os.path.join(d, f) for d, _, names in os.walk(self.state) for f in names]


class Diff(Baseline):
    def test_none_same_and_differs(self):
        self.assertEqual(self.diff('sim:honest')['baseline'], 'none')
        self.assertIn('trusted', self.run_cli('baseline', 'diff', LOST).out)
        self.assertEqual(self.files(), [])  # a look changes nothing
        self.run_cli('baseline', 'accept', 'sim:honest')
        o = self.diff('sim:honest')
        self.assertEqual((o['baseline'], o['differences']), ('same', []))
        self.assertEqual(self.diff('sim:honest,serial=5')['baseline'], 'same')
        self.assertEqual(self.diff('sim:honest,seed=5')['baseline'], 'none')  # another firmware
        for device, how, code in ((LOST, 'lost-effect', VIOLATION), (MORE, 'gained-effect', OK),
                                  (APPEARED, 'appeared', VIOLATION), (LESS, 'removed', OK)):
            o = self.diff(device, code=code)
            self.assertEqual(o['baseline'], 'differs')
            self.assertEqual([d['how'] for d in o['differences']], [how])
            self.assertEqual(o['differences'][0]['drift'], code == VIOLATION)
            out = self.run_cli('baseline', 'diff', device, code=code).out
            self.assertIn(how, out)
            self.assertIn(f'baseline accept {device}' if code else 'none drifted', out)
        d = self.diff(LOST, code=VIOLATION)['differences'][0]
        self.assertEqual((d['of'], d['set'], d['opcode']), ('command', 'cxl', 0x4103))
        self.assertEqual((d['before'], d['after']), (['config', 'data'], ['config']))

    def test_from_a_file(self):
        path = self.path('base')
        self.run_cli('baseline', 'save', 'sim:honest', '-O', path)
        self.assertEqual(self.diff('sim:honest', '--from=' + path)['differences'], [])
        self.assertEqual(len(self.diff(LOST, '--from=' + path, code=VIOLATION)['differences']), 1)
        self.assertIn('it declares what ' + path, self.run_cli('baseline', 'diff', 'sim:honest', '--from=' + path).out)
        r = self.run_cli('baseline', 'diff', 'sim:honest,seed=5', '--from=' + path)
        self.assertIn('another model or firmware', r.err)
        self.error('baseline', 'diff', 'sim:honest', '--from=' + self.path('no'), code=NOT_FOUND)
        self.error('baseline', 'diff', 'sim:honest', '--from=' + self.file('junk', b'x' * 99),
                   code=FAILED, text='not a baseline')
        self.error('baseline', 'diff', 'sim:honest', '--from=' + self.file('long', b'x' * 400000), code=FAILED)
        self.error('baseline', 'diff', 'sim:honest', '--from=' + self.dir, code=FAILED)

    def test_usage(self):
        self.error('baseline', 'diff', code=USAGE)
        self.error('baseline', 'diff', 'a', 'b', code=USAGE)
        self.error('baseline', 'save', 'sim:nothing', code=NOT_FOUND)


class Save(Baseline):
    def test_to_a_file_a_folder_and_here(self):
        path = self.path('base')
        o = self.json('baseline', 'save', 'sim:honest', '-O', path)
        self.assertEqual(o['file'], path)
        with open(path, 'rb') as f:
            data = f.read()
        self.assertEqual(data[:8], b'FWAPROF1')
        self.assertEqual(o['digest'], hashlib.sha256(data).hexdigest())
        self.assertNotIn(o['device']['serial'].encode(), data)
        out = self.run_cli('baseline', 'save', 'sim:honest,serial=9', '-O', self.pinned).out.strip()
        self.assertEqual(out, os.path.join(self.pinned, o['key']))
        with open(out, 'rb') as f:
            self.assertEqual(f.read(), data)
        done = subprocess.run([FWADMIT, 'baseline', 'save', 'sim:honest'], cwd=self.dir, env=self.env,
                              stdout=subprocess.PIPE, check=True)
        self.assertEqual(done.stdout.decode().strip(), o['key'])
        self.assertTrue(os.path.exists(self.path(o['key'])))
        self.assertEqual(self.run_cli('baseline', 'save', 'sim:honest', '-O', '-').raw, data)
        self.error('baseline', 'save', 'sim:honest', '-O', '/nowhere/x', code=FAILED)

    def test_pinned_goes_first(self):
        self.run_cli('baseline', 'accept', LOST)
        self.assertEqual(self.diff(LOST)['baseline'], 'same')
        self.run_cli('baseline', 'save', 'sim:honest', '-O', self.pinned)
        self.assertEqual(self.diff(LOST, code=VIOLATION)['baseline'], 'differs')
        self.error('baseline', 'accept', LOST, code=FAILED, text='pinned')


class Accept(Baseline):
    def test_on_disk(self):
        digest = self.json('baseline', 'accept', 'sim:honest')['digest']
        [path] = self.files()
        self.assertEqual(os.path.dirname(path), self.state + '/baselines/accepted')
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, 'rb') as f:
            self.assertEqual(hashlib.sha256(f.read()).hexdigest(), digest)
        self.json('baseline', 'accept', LOST)
        self.assertEqual(self.files(), [path])
        self.assertEqual(self.diff(LOST)['baseline'], 'same')

    def test_what_cannot_be_read_is_not_none(self):
        self.run_cli('baseline', 'accept', 'sim:honest')
        [path] = self.files()
        with open(path, 'wb') as f:
            f.write(b'junk')
        r = self.run_cli('baseline', 'diff', 'sim:honest', code=VIOLATION)
        self.assertIn('no baseline that its gate trusts', r.out)
        os.unlink(path)
        os.mkdir(path)
        self.error('explain', 'sim:honest', 'get-health-info', code=FAILED, text='cannot be read')
        self.error('send', 'sim:honest', 'get-health-info', code=FAILED, text='cannot be read')

    def test_no_place_to_keep_it(self):
        self.env['FWADMIT_STATE_DIR'] = '/dev/null/x'
        self.error('baseline', 'accept', 'sim:honest', code=FAILED)


@unittest.skipUnless(ROOT, 'needs root, to be somebody else too')
class Drift(Baseline):
    """Root is not held to a baseline; everybody else is, and explain knows it."""

    def setUp(self):
        super().setUp()
        os.chown(self.state, NOBODY, NOBODY)
        self.grants = self.policy(WRITER)

    def nobody(self, *args, code):
        done = subprocess.run([FWADMIT, '-o', 'json', *args], user=NOBODY, group=NOBODY, extra_groups=[],
                              env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, code, Result(done))
        return json.loads(done.stdout) if done.stdout else None

    def both(self, device, reason, *command, code):
        """What nobody is told by explain and gets by send, and what root is told about nobody."""
        mine = self.nobody('explain', self.grants, device, *command, code=code)['decision']
        sent = self.nobody('send', self.grants, device, *command, code=code)['decision']
        asked = self.json('explain', self.grants, '--as=nobody', device, *command, code=code)['decision']
        self.assertEqual([d['reason'] for d in (mine, sent, asked)], [reason] * 3)
        self.assertEqual(mine['detail'], sent['detail'])
        return sent

    def test_lost_and_appeared(self):
        self.nobody('baseline', 'accept', 'sim:honest', code=OK)
        os.chmod(self.state, 0o755)
        for device, command, text in ((LOST, WRITE, 'fewer effects'), (APPEARED, ['0xc0de'], 'do not have it')):
            d = self.both(device, 'drift', *command, code=REFUSED)
            self.assertEqual(d['clause'], 'C23')
            self.assertIn(text, d['detail'])
            self.assertEqual(d['would_pass']['how'], 'an operator accepts the declarations')
            self.assertEqual(self.both(device, 'admit', 'get-health-info', code=OK)['verdict'], 'admit')
            self.json('send', self.grants, '--journal=' + self.path('journal'), LOST, *WRITE)  # root
        self.nobody('baseline', 'accept', LOST, code=OK)
        self.both(LOST, 'admit', *WRITE, code=OK)
        self.nobody('baseline', 'diff', LOST, code=OK)

    def test_gained_is_judged_at_once(self):
        self.nobody('baseline', 'accept', 'sim:honest', code=OK)
        d = self.both(MORE, 'admit', *WRITE, code=OK)
        self.assertEqual(d['effects'], ['config', 'data', 'policy'])
        self.grants = self.policy(WRITER.replace('policy, ', ''), 'less')
        self.both(MORE, 'grant-effects', *WRITE, code=REFUSED)


if __name__ == '__main__':
    unittest.main()
