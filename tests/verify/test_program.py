# SPDX-License-Identifier: GPL-2.0-or-later
"""The program fwadmit-verify itself: what it sends, and what it does not; its exit codes; evidence, from the one
device to the other. FWADMIT-VERIFY."""
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1))
OK, FAILED, USAGE, NO_DEVICE, ACCUSED = 0, 1, 2, 3, 8

HEADER, ENTRY, ENTRIES = 64, 64, 20000
# What reads an honest device's declarations; and commands that change nothing, whatever they are given.
DECLARATIONS = {0x0400, 0x0401, 0x0500, 0x4000}
SET_LSA, SANITIZE = 0x4103, 0x4400


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        tmp = tempfile.TemporaryDirectory(prefix='fwadmit-verify-')
        self.addCleanup(tmp.cleanup)
        self.dir = tmp.name
        self.tally = os.path.join(self.dir, 'tally')
        with open(self.tally, 'wb') as f:
            f.truncate(HEADER + ENTRY * ENTRIES)

    def run_program(self, *args, code=OK, timeout=120):
        done = subprocess.run([PROGRAM, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
        self.assertEqual(done.returncode, code, done.stderr.decode('utf-8', 'replace'))
        self.err = done.stderr.decode()
        return json.loads(done.stdout) if done.stdout else None

    def sent(self):
        """Opcodes that the device was given, in order."""
        with open(self.tally, 'rb') as f:
            data = f.read()
        n, = struct.unpack_from('<Q', data)
        self.assertLess(n, ENTRIES)
        return [struct.unpack_from('<H', data, HEADER + ENTRY * i)[0] for i in range(n)]

    def evidence(self, device, kind, *args):
        """A file with the evidence of the first finding of @kind, and what is in it."""
        campaign = self.run_program('--device', device, '--phases=valid', '--timeout=20', *args, code=ACCUSED)
        text = next(f['evidence'] for f in campaign['findings'] if f['kind'] == kind)
        path = os.path.join(self.dir, 'evidence.json')
        with open(path, 'w') as f:
            f.write(text)
        return path, json.loads(text)


class Sends(Case):
    def test_plan_sends_nothing(self):
        plan = self.run_program('--device', f'sim:honest,count={self.tally}', '--plan')
        self.assertEqual(plan['kind'], 'fwadmit-plan')
        self.assertLessEqual(set(self.sent()), DECLARATIONS)
        planned = {c['opcode'] for c in plan['commands']}
        self.assertIn(SANITIZE, planned)
        self.assertGreater(len(plan['observing']), 10)
        self.assertEqual({c['risk'] for c in plan['commands']} - {'read-only', 'declared', 'destructive'}, set())
        for phase in plan['phases']:
            if phase['experiments'] is not None:
                self.assertEqual(phase['commands'], sum(c['count'] for c in plan['commands']
                                                        if c['phase'] == phase['phase']))

    def test_plan_of_less(self):
        plan = self.run_program('--device', f'sim:honest,count={self.tally}', '--plan', '--probe=read-only')
        self.assertEqual({c['risk'] for c in plan['commands']}, {'read-only'})

    def test_what_is_planned_is_what_is_sent(self):
        device = f'sim:honest,bg-ms=1,count={self.tally}'
        plan = self.run_program('--device', device, '--plan', '--phases=valid')
        before = len(self.sent())
        self.run_program('--device', device, '--phases=valid')
        after = self.sent()[before:]
        planned = {c['opcode'] for c in plan['commands']}
        self.assertLessEqual(planned, set(after))
        # Beside these only reads: of the declarations, and of what is observed.
        reads = self.run_program('--device', device, '--phases=valid', '--probe=read-only')
        self.assertLessEqual(set(after) - planned, {c['opcode'] for c in reads['commands']
                                                    if not c['declared'] and not c['floor']})

    def test_read_only_sends_reads(self):
        campaign = self.run_program('--device', f'sim:honest,bg-ms=1,count={self.tally}', '--probe=read-only',
                                    '--phases=valid')
        reads = {c['opcode'] for c in campaign['commands'] if not c['declared'] and not c['floor']}
        self.assertLessEqual(set(self.sent()), reads | DECLARATIONS)
        self.assertGreater(campaign['experiments'], 5)

    def test_only_one_command(self):
        campaign = self.run_program('--device=sim:honest,bg-ms=1', '--phases=valid', '--set=cxl', '--opcode=4103h')
        tried = {c['opcode'] for c in campaign['commands'] if c['tried']}
        self.assertIn(SET_LSA, tried)
        self.assertLess(len(tried), 5)  # what it needs to be tried with


class Codes(Case):
    def test_usage(self):
        for args in ([], ['--device=sim:honest', 'more'], ['--device=sim:honest', '--seed=x'], ['--nothing'],
                     ['--device=sim:honest', '--probe=all'], ['--device=sim:honest', '--phases=valid,'],
                     ['--device=sim:honest', '--opcode=1'], ['--device=sim:honest', '--set=scsi']):
            with self.subTest(args):
                self.run_program(*args, code=USAGE)

    def test_no_device(self):
        for device in 'sim:nobody', 'nobody:', 'nvme:/dev/nvme999', 'cxl:/nowhere':
            for args in [], ['--plan']:
                with self.subTest(device, args=args):
                    self.run_program('--device', device, *args, code=NO_DEVICE)
                    self.assertEqual(len(self.err.splitlines()), 1, self.err)

    def test_no_real_device(self):
        """A node of another kind is none that may be probed."""
        self.run_program('--device=nvme:/dev/null', code=NO_DEVICE)

    def test_where_nothing_can_be_written(self):
        with open('/dev/full', 'wb') as full:
            done = subprocess.run([PROGRAM, '--device=sim:honest', '--plan'], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn('No space left', done.stderr.decode())

    def test_out_fd(self):
        with tempfile.TemporaryFile() as f:
            done = subprocess.run([PROGRAM, '--device=sim:honest', '--plan', f'--out-fd={f.fileno()}'],
                                  pass_fds=[f.fileno()], stdout=subprocess.PIPE)
            self.assertEqual((done.returncode, done.stdout), (OK, b''))
            f.seek(0)
            self.assertEqual(json.load(f)['kind'], 'fwadmit-plan')


class Evidence(Case):
    def replay(self, device, path, code, outcome):
        replayed = self.run_program('--device', device, '--replay', path, '--timeout=20', code=code)
        self.assertEqual(replayed['outcome'], outcome)
        return replayed

    def test_digest(self):
        """As spec/EVIDENCE-FORMAT.md says."""
        path, evidence = self.evidence('sim:liar-immediate,bg-ms=1', 'immediate')
        with open(path) as f:
            text = f.read()
        text = re.sub(r'^(  "id": "fwadmit-)[0-9a-f]{16}"', r'\g<1>' + 16 * '0' + '"', text, flags=re.M)
        text = re.sub(r'^(  "sha256": ")[0-9a-f]{64}"', r'\g<1>' + 64 * '0' + '"', text, flags=re.M)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.assertEqual(evidence['sha256'], digest)
        self.assertEqual(evidence['id'], 'fwadmit-' + digest[:16])

    def test_again(self):
        path, evidence = self.evidence('sim:liar-immediate,bg-ms=1', 'immediate')
        again = self.replay('sim:liar-immediate', path, ACCUSED, 'reproduced')
        self.assertEqual(again['evidence'], evidence['id'])
        self.assertEqual((again['runs'], again['reproduced'], again['control_changed']), (3, 3, 0))
        self.replay('sim:honest', path, OK, 'not-reproduced')
        self.assertTrue(self.replay('sim:liar-immediate,seed=2', path, ACCUSED, 'other-device')['same'])
        self.replay('sim:nvme', path, FAILED, 'not-run')
        self.assertIn('another kind', self.err)

    def test_not_more_than_allowed(self):
        """Evidence is somebody else's list of commands."""
        path, _ = self.evidence('sim:liar-immediate,bg-ms=1', 'immediate')
        self.run_program(f'--device=sim:honest,count={self.tally}', '--replay', path, '--probe=read-only', code=FAILED)
        self.assertIn('--probe=', self.err)
        self.assertLessEqual(set(self.sent()), DECLARATIONS)

    def test_no_evidence(self):
        path = os.path.join(self.dir, 'no.json')
        for text in '', '{', '{}', '[]', 1000 * '[', '{"kind": "fwadmit-evidence"}':
            with open(path, 'w') as f:
                f.write(text)
            self.run_program('--device=sim:honest', '--replay', path, code=FAILED)
            self.assertIn('no.json: ', self.err)
        self.run_program('--device=sim:honest', '--replay', path + '.no', code=FAILED)


if __name__ == '__main__':
    unittest.main()
