# SPDX-License-Identifier: GPL-2.0-or-later
"""`fwadmit verify` on simulated devices: what it says, saves and exits with; and what becomes of a program that
is not what it should be."""
import glob
import hashlib
import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from common import (FAILED, FWADMIT, NOT_FOUND, OK, USAGE, VIOLATION, Case)  # noqa: E402

LIAR = 'sim:liar-log'
ONE = ('--command=get-log', '--budget=2000')  # enough for the one lie of it


class Campaign(Case):
    def saved(self, *args):
        out = self.path('out')
        self.run_cli('verify', LIAR, *ONE, '-O', out, *args, code=VIOLATION)
        return sorted(glob.glob(out + '/fwadmit-*.json'))

    def test_a_liar(self):
        o = self.json('verify', LIAR, *ONE, code=VIOLATION)
        self.assertLessEqual({'device', 'budget', 'executed', 'coverage', 'breaches', 'verdict'}, set(o))
        self.assertEqual((o['verdict'], o['device']['name'], o['budget']['commands']), ('breach', LIAR, 2000))
        breach = o['breaches'][0]
        self.assertLessEqual({'set', 'opcode', 'name', 'selector', 'declared', 'observed', 'undeclared', 'severity',
                              'evidence', 'replay'}, set(breach))
        self.assertEqual((breach['set'], breach['opcode'], breach['name']), ('cxl', 0x0401, 'get-log'))
        self.assertEqual((breach['declared'], breach['undeclared']), ([], ['log']))
        self.assertEqual(breach['evidence']['kind'], 'fwadmit-evidence')
        self.assertIn(breach['evidence']['id'], breach['replay'])

    def test_an_honest_one(self):
        o = self.json('verify', 'sim:honest', '--command=get-log', '--budget=1s', code=OK)
        self.assertEqual((o['verdict'], o['breaches'], o['budget']['ms']), ('honest-so-far', [], 1000))
        text = self.run_cli('verify', 'sim:honest', '--command=get-log', '--budget=1s').out
        self.assertIn('honest so far: no finding', text)
        self.assertIn('This is no proof', text)

    def test_the_page(self):
        text = self.run_cli('verify', LIAR, *ONE, code=VIOLATION).out
        for part in ('does not keep its word: 1 finding', 'C9  Get Log (CXL 0401h)', '1. get-log (0401h) uuid=',
                     '-> success', 'before ', 'after  ', 'of 3 runs; without it 0 of 3', 'HOW MUCH',
                     'not watched', 'Nothing was saved', '-O DIR'):
            self.assertIn(part, text)
        self.assertNotIn('\033', text)
        self.assertLessEqual(max(map(len, text.splitlines()[:20])), 120)
        colored = self.run_cli('--color=always', 'verify', LIAR, *ONE, code=VIOLATION).out
        self.assertIn('\033[1;31m', colored)
        plain = re.sub('\033\\[[0-9;]*m', '', colored)
        times = re.compile(r'\d+\.\d s')
        self.assertEqual(times.sub('', plain), times.sub('', text))

    def test_what_is_saved(self):
        files = self.saved()
        self.assertEqual(len(files), 1)
        with open(files[0], encoding='ascii') as f:
            text = f.read()
        o = json.loads(text)
        self.assertEqual(os.path.basename(files[0]), o['id'] + '.json')
        zeroed = re.sub(r'(?m)^(  "sha256": ")[0-9a-f]{64}', r'\g<1>' + 64 * '0',
                        re.sub(r'(?m)^(  "id": "fwadmit-)[0-9a-f]{16}', r'\g<1>' + 16 * '0', text))
        self.assertEqual(hashlib.sha256(zeroed.encode()).hexdigest(), o['sha256'])
        with open(self.path('out/campaign.json'), encoding='ascii') as f:
            campaign = json.load(f)
        self.assertEqual(campaign['kind'], 'fwadmit-campaign')
        self.assertEqual(campaign['findings'][0]['evidence'], text)
        for path in (files[0], self.path('out/campaign.json')):
            self.assertIn('Get Log', self.run_cli('report', path).out)

    def test_it_happens_again(self):
        path = self.saved()[0]
        text = self.run_cli('verify', LIAR, '--replay=' + path, code=VIOLATION).out
        self.assertIn('it happens here, too', text)
        o = self.json('verify', LIAR, '--replay=' + path, code=VIOLATION)
        self.assertEqual((o['kind'], o['same'], o['outcome']), ('fwadmit-replay', True, 'reproduced'))
        self.assertIn('does not happen here', self.run_cli('verify', 'sim:honest', '--replay=' + path).out)
        self.error('verify', 'sim:nvme', '--replay=' + path, code=FAILED)
        with open(path, encoding='ascii') as f:
            text = f.read()
        self.error('verify', LIAR, '--replay=' + self.file('x', text.replace('"runs": 3', '"runs": 4')), code=FAILED,
                   text='not as it was written')

    def test_the_command_that_it_says_is_the_one(self):
        self.saved()
        text = self.run_cli('verify', LIAR, *ONE, '-O', self.path('out'), code=VIOLATION).out
        words = re.search(r'replay +fwadmit (verify .*)', text).group(1).split()
        self.run_cli(*words, code=VIOLATION)

    def test_same_seed_same_campaign(self):
        same = [self.json('verify', LIAR, '--seed=7', *ONE, code=VIOLATION) for _ in range(2)]
        self.assertEqual(same[0]['seed'], '0x7')
        for key in ('executed', 'experiments', 'coverage', 'commands', 'verdict'):
            self.assertEqual(same[0][key], same[1][key], key)

    def test_plan(self):
        o = self.json('verify', 'sim:honest', '--plan', '--probe=read-only')
        self.assertEqual((o['kind'], o['probe']), ('fwadmit-plan', 'read-only'))
        self.assertEqual({c['risk'] for c in o['commands']}, {'read-only'})
        text = self.run_cli('verify', 'sim:honest', '--plan').out
        self.assertIn('nothing of this was sent', text)
        self.assertRegex(text, r'sweep +\d+ opcodes without a name, [0-9a-f]{4}h to ffffh')
        self.assertLess(len(text.splitlines()), 800)

    def test_progress_is_for_terminals(self):
        self.assertEqual(self.run_cli('verify', LIAR, *ONE, code=VIOLATION).err, '')
        ours, theirs = pty.openpty()
        done = subprocess.run([FWADMIT, 'verify', LIAR, *ONE], stdout=subprocess.PIPE, stderr=theirs, env=self.env,
                              timeout=60)
        os.close(theirs)
        self.assertEqual(done.returncode, VIOLATION)
        text = b''
        while True:
            try:
                text += os.read(ours, 4096)
            except OSError:
                break
        os.close(ours)
        self.assertIn(b' commands, ', text)
        self.assertTrue(text.endswith(b'\r\x1b[K'))


    def test_ended_early(self):
        """What was found is shown, and nothing of it goes on: by the terminal's key, and by kill."""
        for number, group in ((signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGHUP, False)):
            p = subprocess.Popen([FWADMIT, '-o', 'json', 'verify', 'sim:honest', '--budget=10m'], env=self.env,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
            while not self.verifiers(p.pid):
                self.assertIsNone(p.poll())
            (os.killpg if group else os.kill)(p.pid, number)
            out, err = p.communicate(timeout=60)
            self.assertEqual((p.returncode, err), (OK, b''), number)
            self.assertEqual(json.loads(out)['verdict'], 'honest-so-far')
            self.assertEqual(self.verifiers(p.pid), [])

    def verifiers(self, session):
        """The processes of fwadmit-verify in @session that take its signals already."""
        found = []
        for path in glob.glob('/proc/[0-9]*/stat'):
            try:
                with open(path, encoding='ascii', errors='replace') as f:
                    name, rest = f.read().split('(', 1)[1].rsplit(') ', 1)
                with open(path.replace('/stat', '/status'), encoding='ascii', errors='replace') as f:
                    caught = int(re.search(r'SigCgt:\s*([0-9a-f]+)', f.read()).group(1), 16)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if name == 'fwadmit-verify' and int(rest.split()[3]) == session and caught >> 14 & 1:
                found.append(path)
        return found


class Errors(Case):
    def test_usage(self):
        for args, text in ((('--budget=0',), '--budget=0'), (('--budget=soon',), '--budget=soon'),
                           (('--budget=-1',), '--budget=-1'), (('--probe=nice',), 'read-only'),
                           (('--command=nope',), 'no such cxl command'), (('--seed=x',), '--seed=x'),
                           (('--plan', '--budget=1s'), '--budget means nothing with --plan'),
                           (('--replay=x', '--seed=1'), '--seed means nothing with --replay'),
                           (('--replay=x', '-O', 'x'), '--output means nothing with --replay'),
                           (('--fid=1',), 'no such option')):
            self.error('verify', 'sim:honest', *args, code=USAGE, text=text)
        self.error('verify', code=USAGE)
        self.error('verify', '', code=USAGE)

    def test_no_device(self):
        self.error('verify', 'sim:nope', code=NOT_FOUND, text='nope')
        self.error('verify', '/dev/nowhere', code=NOT_FOUND)
        self.error('verify', 'nvme7', code=NOT_FOUND, text='/dev/nvme7')
        self.error('verify', 'sim:honest', '--replay=' + self.path('none'), code=FAILED)

    def test_a_device_that_is_served(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(self.path('mem0.sock'))
            self.error('--socket-dir=' + self.dir, 'verify', 'mem0', code=USAGE,
                       text='fwadmit quarantine mem0, then fwadmit verify /dev/cxl/mem0')

    def test_where_nothing_can_be_saved(self):
        self.file('file', '')
        self.error('verify', LIAR, *ONE, '-O', self.path('file/x'), code=FAILED)
        self.error('verify', LIAR, *ONE, '-O', self.path('file'), code=FAILED, text='not a directory')

    def test_nothing_is_written_through_a_link(self):
        os.mkdir(self.path('out'))
        with open(self.path('other'), 'w', encoding='ascii') as f:
            f.write('kept')
        for target in (self.path('other'), '/dev/full', self.path('none')):
            os.symlink(target, self.path('out/campaign.json'))
            self.error('verify', LIAR, *ONE, '-O', self.path('out'), code=FAILED, text='not a file')
            os.unlink(self.path('out/campaign.json'))
        with open(self.path('other'), encoding='ascii') as f:
            self.assertEqual(f.read(), 'kept')
        self.assertFalse(os.path.exists(self.path('none')))


class Captured(Case):
    """The program has read a device's bytes: nothing that it writes is believed unread."""

    def program(self, script):
        path = self.file('program', '#!/bin/sh\n' + script)
        os.chmod(path, stat.S_IRWXU)
        self.env['FWADMIT_VERIFY'] = path

    def document(self, o, code=0):
        self.file('document', json.dumps(o))
        self.program(f'cat {self.path("document")} >&3; exit {code}\n')

    def campaign(self, **more):
        return {'format_version': 1, 'kind': 'fwadmit-campaign', 'device': {}, 'findings': [], 'coverage': {},
                'verdict': 'honest-so-far'} | more

    def test_no_document(self):
        for script, text in (('exit 0', 'failed'), ('echo "{" >&3', 'no document'), ('kill -9 $$', 'was killed'),
                             ('echo "[]" >&3', 'no document'), ('exit 99', 'failed'),
                             ('echo "fwadmit-verify: so it is" >&2; exit 1', 'so it is'),
                             ('printf "fwadmit-verify: \\033[2Jx\\a\\n" >&2; exit 1', '?[2Jx?'),
                             ('head -c 70000000 /dev/zero | tr "\\0" " " >&3', 'more than 67108864')):
            self.program(script)
            self.error('verify', 'sim:honest', code=FAILED, text=text)

    def test_contradictions(self):
        for o, code in ((self.campaign(), 8), (self.campaign(findings=[{'accuses': True}]), 0),
                        (self.campaign(kind='fwadmit-plan'), 0), (self.campaign(findings=[1]), 0),
                        (self.campaign(device=None), 0)):
            self.document(o, code)
            self.error('verify', 'sim:honest', code=FAILED, text='contradicts itself')

    def test_hostile_texts(self):
        bad = '\x1b[31m\u202e\r\nfwadmit: trust me\x00'
        finding = {'accuses': False, 'text': bad, 'severity': bad, 'clause': bad}
        self.document(self.campaign(findings=[finding], device={'vendor': bad, 'model': bad, 'serial': bad},
                                    coverage={bad: {'done': 1, 'unit': bad}}, left_out=[bad], seed=bad, probe=bad,
                                    verdict=bad, profile={'sha256': bad}))
        result = self.run_cli('verify', 'sim:honest')
        self.assertRegex(result.out, r'\A[ -~\n]*\Z')
        self.assertNotIn('\nfwadmit: trust', result.out)

    def test_ids_are_no_paths(self):
        evidence = self.campaign(kind='fwadmit-evidence', finding={}, id='../../../x')
        self.document(self.campaign(findings=[{'accuses': True, 'evidence': json.dumps(evidence)}], verdict='breach'),
                      8)
        self.error('verify', 'sim:honest', '-O', self.path('out'), code=FAILED, text='without evidence')
        self.assertEqual(os.listdir(self.path('out')), ['campaign.json'])


if __name__ == '__main__':
    unittest.main()
