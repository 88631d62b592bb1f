#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is sent is in the journal, and the log verbs say it: with a private worker, and with fwadmitd."""
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
import uuid
from hashlib import sha256

from common import DEVICE_ERROR, FWADMIT, OK, REFUSED, VIOLATION, WRITER, Case

FWADMITD = os.path.join(os.path.dirname(FWADMIT), 'fwadmitd')
READER = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../journal/reader.py')
SOMEBODY = 60001
IDENTIFY = ('identify-memory-device',)
SET_LSA = ('set-lsa', '--offset=0', '--hex=00112233')
MAY_READ = '[grant read]\nuser = *\ndevice = *\nscope = debug-read-only\n'
# Of every kind of holder, and with what only a state can refuse.
MANY = f'''
[grant all]
user = root
device = *
scope = debug-write-full
effects = config-cold-reset, config, data, policy, log, security, background, config-conv-reset
[grant by-group]
group = {SOMEBODY + 1}
device = mem0, mem2
scope = debug-write-full
effects = config, data, security, background
[grant by-unit]
unit = no-such.service
device = *
scope = debug-write-full
[grant slow]
user = {SOMEBODY}
device = mem1
scope = debug-read-only
commands-per-second = 1
'''


class Recorded(Case):
    def setUp(self):
        super().setUp()
        os.chmod(self.dir, 0o755)
        self.journal = self.path('state/journal')

    def lines(self, *args, code=OK):
        return [json.loads(x) for x in self.run_cli('log', *args, '-o', 'json', code=code).out.splitlines()]

    def decisions(self):
        return [o for o in self.lines('list') if o['kind'] == 'decision']

    def reader(self, *args):
        return subprocess.run([sys.executable, READER, *args], stdout=subprocess.PIPE, check=False)

    def assertReplays(self):
        """Each decision that was made comes out as it was."""
        o = self.lines('replay')[-1]
        self.assertEqual((o['differ'], o['not_replayed'], o['agree']), (0, 0, len(self.decisions())), o)

    def assertVerifies(self):
        """By the program, and by the reader in another language."""
        self.run_cli('log', 'verify')
        done = self.reader('verify', self.journal)
        self.assertEqual(done.returncode, 0, done.stdout)

    def follow(self):
        """Lines of log list --follow, as they come, with the time of each."""
        # pylint: disable=consider-using-with
        p = subprocess.Popen([FWADMIT, 'log', 'list', '--follow', '-o', 'json'], stdout=subprocess.PIPE, env=self.env)
        seen, came = [], threading.Condition()

        def read():
            for line in p.stdout:
                with came:
                    seen.append((time.monotonic(), json.loads(line)))
                    came.notify()
        thread = threading.Thread(target=read)
        thread.start()

        def stop():
            p.kill()
            p.wait()
            thread.join()
            p.stdout.close()
        self.addCleanup(stop)

        def wait(n):
            with came:
                self.assertTrue(came.wait_for(lambda: len(seen) >= n, 20), seen)
            return seen[n - 1]
        return wait

    def check_follow(self, *send):
        self.run_cli('send', *send)
        wait = self.follow()
        wait(len(self.decisions()))
        n, begin = len(self.lines('list')), time.monotonic()
        sent = self.json('send', *send)
        done = time.monotonic()
        at, o = wait(n + 1)
        self.assertLess(at - done, 1, at - begin)
        self.assertEqual(o['seq'], sent['outcome']['seq'])


class Embedded(Recorded):
    def send(self, *args, code=OK):
        return self.json('send', 'sim:honest', *args, code=code)

    def test_list_and_show(self):
        read = self.send(*IDENTIFY)
        refused = self.send(*SET_LSA, code=REFUSED)
        written = self.send(*SET_LSA, self.policy(WRITER))
        feature = bytes.fromhex(self.send('get-supported-features', '--journal=none')['output_hex'])[8:24]
        failed = self.send('get-feature', f'--uuid={uuid.UUID(bytes=feature)}', '--selection=2', self.policy(WRITER),
                           code=DEVICE_ERROR)
        a, b, c, d = self.decisions()
        self.assertEqual([o['seq'] for o in (a, b, c, d)],
                         [o['outcome']['seq'] for o in (read, refused, written, failed)])
        self.assertEqual([o['decision']['verdict'] for o in (a, b, c, d)], ['admit', 'deny', 'admit', 'admit'])
        self.assertEqual([o['outcome']['status'] for o in (a, b, c, d)],
                         ['completed', 'refused', 'completed', 'device-error'])
        for o, sent in ((a, read), (b, refused), (c, written), (d, failed)):
            self.assertEqual(o['principal']['uid'], os.geteuid())
            self.assertEqual(o['device'], 'sim:honest')
            for key in ('reason', 'set', 'opcode', 'declared', 'floor', 'effects', 'required_scope', 'scope', 'grant',
                        'selector'):
                self.assertEqual(o['decision'][key], sent['decision'][key], key)
        self.assertEqual(a['response_sha256'], sha256(bytes.fromhex(read['output_hex'])).hexdigest())
        self.assertEqual(c['request_sha256'], sha256(bytes(8) + bytes.fromhex('00112233')).hexdigest())
        self.assertIn('outcome      completed', self.run_cli('log', 'show', str(c['seq'])).out)
        said = self.run_cli('send', 'sim:honest', *IDENTIFY, '-O', '/dev/null').err
        self.assertEqual(said, f'fwadmit: identify-memory-device (4000h): record {self.decisions()[-1]["seq"]}\n')
        self.assertVerifies()
        self.assertReplays()

    def test_without(self):
        self.assertIsNone(self.send(*IDENTIFY, '--journal=none')['outcome']['seq'])
        self.assertFalse(os.path.exists(self.journal))

    def test_follow(self):
        self.check_follow('sim:honest', *IDENTIFY)

    def test_many_at_once(self):
        """They share a writer, or wait for it; none is lost, and none is there twice."""
        # pylint: disable=consider-using-with
        all_of_them = [subprocess.Popen([FWADMIT, 'send', 'sim:honest', *IDENTIFY, '-o', 'json'],
                                        stdout=subprocess.PIPE, env=self.env) for _ in range(12)]
        seqs = sorted(json.loads(p.communicate()[0])['outcome']['seq'] for p in all_of_them)
        self.assertEqual([o['seq'] for o in self.decisions()], seqs)
        self.assertEqual(len(set(seqs)), 12)
        self.assertVerifies()
        self.assertReplays()

    def test_export_and_proof(self):
        seq = self.send(*SET_LSA, self.policy(WRITER))['outcome']['seq']
        self.assertIn(seq, [o['seq'] for o in self.lines('export')])
        proof = self.run_cli('log', 'export', f'--proof={seq}').out
        key = self.json('log', 'verify')['key']
        shutil.rmtree(self.journal)  # nothing else is needed
        for text, holds in ((proof, True), (proof.replace(proof.split('"frame": "')[1][100:104], 'abcd', 1), False)):
            path = self.file('proof', text)
            self.assertEqual(self.reader('prove', path, key).returncode, 0 if holds else 1)
            self.run_cli('log', 'verify', '--proof=' + path, '--key=' + key, code=OK if holds else VIOLATION)
        self.assertEqual(self.reader('prove', self.file('proof', proof), '5' * 64).returncode, 1)

    def test_what_was_changed_since(self):
        """A policy that was edited, or put in another's place, is not believed."""
        self.send(*IDENTIFY)
        self.send(*SET_LSA, self.policy(WRITER))
        self.assertReplays()
        key = self.decisions()[1]['policy_digest']
        objects = {o['key']: o['sha256'] for o in self.lines('list', '--all') if o['kind'] == 'object'}
        path = os.path.join(self.journal, 'objects', objects[key])
        with open(path, 'rb') as f:
            data = bytearray(f.read())
        other = [o for k, o in objects.items() if k == self.decisions()[0]['policy_digest']][0]
        data[-1] ^= 1
        with open(os.path.join(self.journal, 'objects', other), 'rb') as f:
            for change in (data, f.read(), b'', None):
                os.unlink(path)
                if change is not None:
                    self.file('state/journal/objects/' + objects[key], bytes(change))
                else:
                    self.assertFalse(os.path.exists(path))
                o = self.lines('replay', code=None)[-1]
                self.assertEqual((o['agree'], o['differ'], o['not_replayed']), (1, 0, 1), o)
                self.assertIn('not kept', self.run_cli('log', 'replay', code=None).out)


@unittest.skipUnless(os.geteuid() == 0, 'other users are for root')
class Daemon(Recorded):
    def setUp(self):
        super().setUp()
        self.where = '--socket-dir=' + self.path('run')
        self.start(MANY)

    def start(self, policy):
        # pylint: disable=consider-using-with
        self.daemon = subprocess.Popen(
            [FWADMITD, self.where, self.policy(policy), '--state-dir=' + self.path('state'), '--no-discovery',
             '--device=mem0=sim:honest,serial=1,bg-ms=60000', '--device=mem1=sim:honest,serial=2',
             '--device=mem2=sim:honest,serial=3,declare=0x41030002'], stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop)
        end = time.monotonic() + 20
        while time.monotonic() < end and self.daemon.poll() is None:
            r = self.run_cli('status', self.where, '-o', 'json', code=None)
            if r.code == 0 and all(d['state'] == 'ready' for d in json.loads(r.out)['devices']):
                return
            time.sleep(0.02)
        self.fail('fwadmitd is not ready')

    def stop(self):
        if self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait()

    def by(self, uid, *args, groups=()):
        """The reason of what user @uid sends."""
        done = subprocess.run([FWADMIT, 'send', '-o', 'json', self.where, *args], stdout=subprocess.PIPE,
                              env=self.env, user=uid, group=uid, extra_groups=list(groups), check=False)
        return json.loads(done.stdout)['decision']['reason']

    def at(self, *args, **kw):
        return self.run_cli(*args, self.where, **kw)

    def test_replay_of_every_state(self):
        group = [SOMEBODY + 1]
        self.at('baseline', 'accept', 'mem0')
        reasons = [
            self.by(0, 'mem0', *SET_LSA),
            self.by(SOMEBODY, 'mem0', *IDENTIFY),
            self.by(SOMEBODY, 'mem0', *SET_LSA, groups=group),
            self.by(SOMEBODY, 'mem2', *SET_LSA, groups=group),
            *[self.by(SOMEBODY, 'mem1', *IDENTIFY) for _ in range(3)],
            self.by(SOMEBODY, 'mem1', *SET_LSA),
            self.by(0, 'mem0', 'sanitize'),
            self.by(SOMEBODY, 'mem0', 'sanitize', groups=group),
            self.by(0, 'mem0', '0xc123'),
        ]
        self.at('quarantine', 'mem1', '--reason=test')
        reasons.append(self.by(0, 'mem1', *IDENTIFY))
        self.at('release', 'mem1')
        self.at('grant', 'create', f'--user={SOMEBODY}', '--device=mem1', '--effects=config,data', '--for=1h',
                '--name=hour')
        reasons.append(self.by(SOMEBODY, 'mem1', *SET_LSA))
        self.policy(MAY_READ)
        self.at('policy', 'reload')
        reasons += [self.by(0, 'mem1', *SET_LSA), self.by(0, 'mem1', *IDENTIFY)]
        self.at('grant', 'revoke', 'hour')
        reasons.append(self.by(SOMEBODY, 'mem1', *SET_LSA))
        self.assertLessEqual({'admit', 'no-grant', 'rate', 'lease', 'drift', 'grant-scope', 'quarantined', 'undeclared'},
                             set(reasons))
        time.sleep(1.1)  # what was refused is on disk by then
        self.assertEqual([o['decision']['reason'] for o in self.decisions()], reasons)
        self.assertReplays()
        self.assertVerifies()
        acts = [o['act'] for o in self.lines('list') if o['kind'] == 'control']
        for act in ('baseline-accepted', 'quarantined', 'released', 'grant-created', 'policy-reloaded', 'grant-revoked'):
            self.assertIn(act, acts)

    def test_after_it_ended(self):
        """The next fwadmitd goes on with the same journal."""
        self.by(0, 'mem0', *SET_LSA)
        self.stop()
        first = self.json('log', 'verify')
        self.assertEqual((first['signed_until'], first['open']), (first['last'], 0))
        self.start(MAY_READ)
        self.by(0, 'mem0', *IDENTIFY)
        time.sleep(1.1)
        self.assertEqual(len(self.decisions()), 2)
        self.assertReplays()
        self.assertVerifies()

    def test_follow(self):
        self.check_follow(self.where, 'mem0', *IDENTIFY)

    def test_status(self):
        seq = self.json('send', self.where, 'mem0', *SET_LSA)['outcome']['seq']
        journal = self.json('status', self.where)['journal']
        self.assertEqual((journal['state'], journal['path']), ('ok', self.journal))
        self.assertGreaterEqual(journal['head'], seq)
        self.assertRegex(self.at('status').out, rf'(?m)^journal {self.journal}, ok; head \d+(, \d+ bytes wait to be written)?$')

    def test_who_may_read(self):
        self.by(0, 'mem0', *SET_LSA)
        done = subprocess.run([FWADMIT, 'log', 'list', '--journal=' + self.journal], stderr=subprocess.PIPE,
                              env=self.env, user=SOMEBODY, group=SOMEBODY, extra_groups=[], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, rb'\Afwadmit: [^\n]*Permission denied; [^\n]*fwadmit-admin[^\n]*\n\Z')


if __name__ == '__main__':
    unittest.main()
