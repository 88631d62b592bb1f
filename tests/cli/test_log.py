#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fwadmit log: what is shown of journals that the store itself has written, whole and damaged."""
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

MAKE_LOG = os.path.abspath(sys.argv.pop(2))

# pylint: disable=wrong-import-position
from common import DECISION, FAILED, FWADMIT, NOT_FOUND, OK, USAGE, VIOLATION, Case  # noqa: E402

ANY = 'any'
READER = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../journal/reader.py')
BASIC = '''
source mem0
source nvme0
source daemon
decision mem0 uid=0 opcode=0x4302 effects=4 comm=cxl unit=a.service
outcome mem0
time 100
decision nvme0 uid=60001 opcode=0x4000
decision mem0 uid=60002 opcode=0x4303 reason=9 effects=4
outcome nvme0 status=2 code=2
control daemon 5 60001 mem0 labels
unrecorded mem0 5 2
time 1000
decision nvme0 uid=60001 opcode=0x4000
'''
SOURCES = 'source mem0\nsource mem1\nsource nvme0\nsource nvme1\nsource daemon\n'
FILTERS = (
    ['--user=1003'], ['--user=0', '--refused'], ['--effects=security'], ['--effects=security,data', '--user=0'],
    ['--effects'], ['--effects=none', '--user=0'], ['--device=nvme*'], ['--device=mem1,nvme0', '--user=1001,1002'],
    ['--refused'], ['--refused', '-n', '5'], ['--user=0', '-n', '3', '--device=mem0'], ['--device=nosuch'],
    ['--refused', '--since=@1700000000.05', '--until=@1700000000.2'], ['--since=@1700000000.2', '--user=1005', '-n', '9'],
    ['--effects=data', '--refused', '--device=mem0'], ['--user=999999'], ['--device=mem*,nvme*,daemon', '-n', '7'],
    ['--until=@1700000000.1', '--effects=security', '-n', '2'])


class Log(Case):
    def setUp(self):
        super().setUp()
        self.env |= {'TZ': 'UTC', 'XDG_CACHE_HOME': self.path('cache')}
        self.journal = self.path('state/journal')
        os.makedirs(self.path('state'))

    def make(self, script, *options, journal=None):
        subprocess.run([MAKE_LOG, journal or self.journal, *options], input=script.encode(), check=True)

    def log(self, verb, *args, **kw):
        return self.run_cli('log', verb, *args, **kw)

    def lines(self, verb, *args, code=OK):
        """The objects of a stream."""
        r = self.log(verb, '-o', 'json', *args, code=code)
        self.assertEqual(r.err, '')
        return [json.loads(line) for line in r.out.splitlines()]

    def seqs(self, *args):
        return [o['seq'] for o in self.lines('list', *args)]

    def start(self, command, **kw):
        """A program that is killed when the test ends, however that is."""
        # pylint: disable=consider-using-with
        p = subprocess.Popen(command, stdout=subprocess.PIPE, env=self.env, **kw)

        def stop():
            p.kill()
            p.wait()
            p.stdout.close()
        self.addCleanup(stop)
        return p

    def segments(self):
        return sorted(n for n in os.listdir(self.journal) if n.endswith('.fwj'))

    def edit(self, seq, change):
        """Lets @change have the bytes of record @seq, in its file."""
        raw = bytes.fromhex(self.json('log', 'show', str(seq), '--hex')['record_hex'])
        for name in self.segments():
            with open(os.path.join(self.journal, name), 'r+b') as f:
                data = f.read()
                at = data.find(raw)
                if at >= 0:
                    f.seek(at)
                    f.write(change(bytearray(raw)))
                    return
        self.fail(f'{seq} is nowhere')

    def flip(self, seq, at):
        def change(raw):
            raw[at] ^= 1
            return raw
        self.edit(seq, change)


class List(Log):
    def setUp(self):
        super().setUp()
        self.make(BASIC)

    def test_table(self):
        out = self.log('list').out.splitlines()
        self.assertEqual(out[0].split(), ['SEQ', 'TIME', 'DEVICE', 'USER', 'COMMAND', 'EFFECTS', 'VERDICT', 'OUTCOME'])
        self.assertRegex(out[1], r'^6 +2023-11-14T22:13:20.000Z  mem0 +root +clear-poison +data +admit +completed$')
        self.assertRegex(out[2], r'nvme0 +60001 +identify-memory-device +none +admit +device-error \(invalid-input\)$')
        self.assertRegex(out[3], r'mem0 +60002 .* grant-scope +-$')
        self.assertRegex(out[4], r'mem0 +60001 +grant-created +- +- +labels$')
        self.assertIn('5 refusals and 2 commands', out[5])
        self.assertRegex(out[6], r'admit +open$')
        self.assertEqual(len(out), 7)
        everything = self.log('list', '--all').out
        for word in ('checkpoint', 'start', 'source'):
            self.assertRegex(everything, rf'(?m)^\d+ .* {word} ')

    def test_json(self):
        first, second, refused, control, unrecorded, still_open = self.lines('list')
        for o in (first, second, refused):
            self.assertKeys(o['decision'], DECISION)
            self.assertEqual((o['format_version'], o['verb'], o['kind']), (1, 'log list', 'decision'))
            self.assertLessEqual({'seq', 'time', 'device', 'principal', 'decision', 'outcome', 'request_sha256',
                                  'response_sha256', 'hash'}, set(o))
        self.assertEqual(first['time'], '2023-11-14T22:13:20.000000000Z')
        self.assertLessEqual({'uid': 0, 'gid': 100, 'pid': 4711, 'comm': 'cxl', 'unit': 'a.service'}.items(),
                             first['principal'].items())
        self.assertEqual((first['device'], first['decision']['name'], first['decision']['verdict']),
                         ('mem0', 'clear-poison', 'admit'))
        self.assertEqual((first['outcome']['status'], first['outcome']['seq'], first['outcome']['record']),
                         ('completed', first['seq'], first['seq'] + 1))
        self.assertEqual((second['outcome']['status'], second['outcome']['device_status']),
                         ('device-error', 'invalid-input'))
        self.assertEqual((refused['decision']['reason'], refused['outcome']['status'], refused['decision']['would_pass']),
                         ('grant-scope', 'refused', None))
        self.assertEqual((control['kind'], control['act'], control['principal']['uid'], control['text']),
                         ('control', 'grant-created', 60001, 'labels'))
        self.assertEqual((unrecorded['refused'], unrecorded['passed']), (5, 2))
        self.assertIsNone(still_open['outcome'])

    def test_filters(self):
        all_of_them = self.seqs()
        a, b, c, control, unrecorded, d = all_of_them
        for args, expected in ((['--user=root'], [a]), (['--user=60001,0'], [a, b, control, d]),
                               (['--device=mem*'], [a, c, control, unrecorded]), (['--device=nvme0,x'], [b, d]),
                               (['--refused'], [c, unrecorded]), (['--effects'], [a, c]), (['--effects=data'], [a, c]),
                               (['--effects=none'], [b, d]), (['--effects=data', '--refused'], [c]),
                               (['-n', '2'], [unrecorded, d]), (['--lines=1', '--effects'], [c]),
                               (['--since=@1700000000.1'], [b, c, control, unrecorded, d]),
                               (['--since=2023-11-14 22:13:21'], [d]), (['--until=2023-11-14 22:13:20Z'], [a]),
                               (['--until=@1700000000.1', '-n', '1'], [unrecorded])):
            self.assertEqual(self.seqs(*args), expected, args)
        self.error('log', 'list', '--effects=security', code=NOT_FOUND, text='no record matches')
        self.error('log', 'list', '--since=-1h', code=NOT_FOUND)

    def test_mistakes(self):
        for args, text in ((['--since=soon'], 'not a time'), (['--since=2026-02-30'], 'not a time'),
                           (['--until=25:00'], 'not a time'), (['--user=no-such-user'], 'no such user'),
                           (['--effects=dta'], 'no such effect'), (['--device=,'], 'a list of nothing'),
                           (['--lines=0'], 'nothing to show'), (['--user=0', '--user=1'], 'twice'),
                           (['--journal=none'], 'nothing to read'), (['--from=1'], '--from'), (['x'], 'too many')):
            self.error('log', 'list', *args, code=USAGE, text=text)
        self.error('log', 'list', '--journal=' + self.path('nowhere'), code=NOT_FOUND, text='there is no journal')
        self.error('log', code=USAGE, text='log what? fwadmit log list')

    def test_which_journal(self):
        other = self.path('other')
        self.make('source x\ndecision x uid=5\n', journal=other)
        self.assertEqual([o['device'] for o in self.lines('list', '--journal=' + other)], ['x'])
        self.env['XDG_STATE_HOME'] = self.path('xdg')
        del self.env['FWADMIT_STATE_DIR']
        if not os.path.exists('/var/lib/fwadmit/journal'):
            os.makedirs(self.path('xdg/fwadmit'))
            shutil.move(other, self.path('xdg/fwadmit/journal'))
            self.assertEqual([o['device'] for o in self.lines('list')], ['x'])

    def test_a_clock_that_is_set_back(self):
        self.make('source mem1\ndecision mem1 uid=7\nclock 100000\ndecision mem1 uid=8\n', journal=self.path('c'))
        got = self.lines('list', '--journal=' + self.path('c'))
        self.assertEqual([o['kind'] for o in got], ['decision', 'clock', 'decision'])
        self.assertLess(got[2]['time'], got[0]['time'])

    def test_a_source_whose_record_is_gone(self):
        self.make('source mem5\n' + 'bulk 3000\nrotate\n' * 8, '65536', '400000', journal=self.path('r'))
        got = self.lines('list', '--journal=' + self.path('r'))
        self.assertGreater(got[0]['seq'], 1000)
        self.assertEqual({o['device'] for o in got if o['kind'] == 'decision'}, {'mem5'})
        self.error('log', 'show', '3', '--journal=' + self.path('r'), code=NOT_FOUND, text='no more in the journal')

    def test_outcomes_that_come_late(self):
        n = 40000
        self.make('source mem0\nsource mem1\ndecision mem1 uid=9\n' +
                  ('decision mem0 uid=1\noutcome mem0 status=3\n' * n) + 'outcome mem1 status=4\n', journal=self.path('l'))
        r = self.log('list', '--user=9', '--journal=' + self.path('l'))
        self.assertRegex(r.out, r'admit +unknown\n$')

    def test_follow(self):
        maker = self.start([MAKE_LOG, self.path('f')], stdin=subprocess.PIPE)

        def tell(text):
            maker.stdin.write((text + '\nsync\n').encode())
            maker.stdin.flush()
            self.assertEqual(maker.stdout.readline(), b'synced\n')
        tell('source mem0\n' + 'decision mem0 uid=1 reason=9\n' * 15)
        p = self.start([FWADMIT, 'log', 'list', '-f', '-o', 'json', '--journal=' + self.path('f')])
        got = [json.loads(p.stdout.readline()) for _ in range(10)]
        self.assertEqual([o['seq'] for o in got], list(range(got[9]['seq'] - 9, got[9]['seq'] + 1)))
        tell('decision mem0 uid=2\noutcome mem0')
        o = json.loads(p.stdout.readline())
        self.assertEqual((o['principal']['uid'], o['outcome']['status']), (2, 'completed'))
        tell('decision mem0 uid=3')
        o = json.loads(p.stdout.readline())
        self.assertEqual((o['principal']['uid'], o['outcome']), (3, None))
        tell('decision mem0 uid=4 reason=9\noutcome mem0 status=4')
        self.assertEqual(json.loads(p.stdout.readline())['principal']['uid'], 4)
        late = json.loads(p.stdout.readline())
        self.assertEqual((late['kind'], late['decision_seq'], late['status']), ('outcome', o['seq'], 'unknown'))
        maker.stdin.close()
        self.assertEqual(maker.wait(), 0)


class Show(Log):
    def setUp(self):
        super().setUp()
        self.make(BASIC)

    def test_page(self):
        out = self.log('show', '6').out
        for text in ('clear-poison (4302h) on mem0 for root: admitted', 'uid 0, gid 100, pid 4711 (cxl), unit a.service',
                     'effects      data', 'outcome      completed, 16 bytes, after 1.500 ms; record 7', 'chain        right'):
            self.assertIn(text, out)
        self.assertIn('identify-memory-device (4000h) on nvme0 for 60001: admitted', self.log('show', '8').out)
        self.assertIn('refused', self.log('show', '9').out)
        self.assertIn('grant-created on mem0', self.log('show', '11').out)
        for seq in range(1, 15):
            self.assertIn('chain        right', self.log('show', str(seq)).out)
        self.error('log', 'show', '999', code=NOT_FOUND, text='there is no record 999')
        self.error('log', 'show', '0', code=USAGE)
        self.error('log', 'show', 'x', code=USAGE)

    def test_hex(self):
        out = self.log('show', '6', '--hex').out
        raw = bytes.fromhex(self.json('log', 'show', '6', '--hex')['record_hex'])
        seen = bytes.fromhex(''.join(re.findall(r'(?m)^[0-9a-f]{6}  ((?:[0-9a-f]{2} )+)', out)))
        self.assertEqual(seen, raw)
        for text in ('length: %d' % len(raw), 'kind: 16, decision', 'sequence number: 6', 'opcode: 4302h', 'pid: 4711',
                     '|a.service| unit', '|cxl| program', 'hash of the profile', ' hash\n'):
            self.assertIn(text, out)
        for seq in range(1, 15):  # each kind has names for all of its bytes
            self.assertNotRegex(self.log('show', str(seq), '--hex').out, r'\| body$')

    def test_hex_of_a_body_that_is_none(self):
        def change(raw):
            raw[48 + 2] = 255  # the reason
            return raw
        self.edit(6, change)
        self.assertRegex(self.log('show', '6', '--hex', code=VIOLATION).out, r'(?m)\| body$')

    def test_json_is_that_of_the_list(self):
        o = self.json('log', 'show', '6')
        self.assertEqual(o.pop('chain'), 'right')
        o['verb'] = 'log list'
        self.assertEqual(o, self.lines('list', '-n', '6')[0])

    def test_a_record_that_was_changed(self):
        self.flip(6, 60)
        r = self.log('show', '6', code=VIOLATION)
        self.assertIn('chain        WRONG', r.out)


class Verify(Log):
    def setUp(self):
        super().setUp()
        self.make(SOURCES + 'bulk 3000\n')

    def key(self):
        return self.json('log', 'verify')['key']

    def test_intact(self):
        o = self.json('log', 'verify')
        self.assertEqual((o['verdict'], o['fault'], o['first']), ('intact', None, 1))
        self.assertEqual(o['signed_until'], o['last'])
        self.assertIn('intact', self.log('verify').out)
        self.assertEqual(self.log('verify', '-q').out, '')
        self.log('verify', '--key=' + self.key())
        self.log('verify', '--key=' + os.path.join(self.journal, 'key.pub'))
        self.log('verify', '--from=100', '--to=200')

    def test_what_is_no_journal(self):
        """Nothing that is wrong in it is no reason to call it right."""
        os.makedirs(self.path('empty'))
        self.error('log', 'verify', '--journal=' + self.path('empty'), code=NOT_FOUND, text='no record')
        self.error('log', 'verify', '--journal=' + self.path('nosuch'), code=NOT_FOUND, text='no journal')

    def test_what_was_cut_off(self):
        seq = self.json('log', 'verify')['last']
        with open(os.path.join(self.journal, self.segments()[-1]), 'r+b') as f:
            f.truncate(f.read().rstrip(b'\0').__len__() - 4000)
        out = self.log('verify', code=VIOLATION).out
        self.assertRegex(out, r'BROKEN\n  record \d+: here was a record that was cut off or overwritten')
        self.assertRegex(out, r'(?m)^  before it \d+ records, 1 to \d+')
        self.assertLess(int(re.search(r'1 to (\d+)', out)[1]), seq)

    def test_of_a_newer_version(self):
        with open(os.path.join(self.journal, self.segments()[0]), 'r+b') as f:
            f.write(b'FWJSEG2')
        self.assertIn('newer version', self.log('verify', code=VIOLATION).out)
        self.error('send', 'sim:honest', 'identify-memory-device', '--journal=' + self.journal, code=FAILED,
                   text='newer version')

    def test_a_flipped_bit(self):
        self.flip(1234, 70)
        o = self.json('log', 'verify', code=VIOLATION)
        self.assertEqual((o['verdict'], o['fault']['seq']), ('broken', 1234))
        self.assertIn('BROKEN', self.log('verify', code=VIOLATION).out)
        self.assertIn('record 1234', self.log('verify', '-q', code=VIOLATION).out)

    def test_keys(self):
        self.assertEqual(self.json('log', 'verify', '--key=' + '5' * 64, code=VIOLATION)['fault']['code'], 'key')
        self.error('log', 'verify', '--key=12', code=USAGE)
        self.error('log', 'verify', '--key=' + self.file('k', 'no key'), code=USAGE, text='not a public key')

    def test_a_checkpoint_that_was_kept(self):
        old = self.path('old')
        shutil.copytree(self.journal, old)
        self.make(SOURCES + 'bulk 100\n')
        line = self.log('checkpoint').out
        self.assertRegex(line, r'^fwadmit-checkpoint-1 [0-9a-f]{288} [0-9a-f]{128}\n$')
        self.assertEqual(self.json('log', 'checkpoint')['checkpoint'] + '\n', line)
        kept = '--checkpoint=' + self.file('kept', line)
        self.assertIn('1 of 1 checkpoints that were kept elsewhere are in it', self.log('verify', kept).out)
        o = self.json('log', 'verify', kept)
        self.assertEqual((o['kept'], o['kept_gone']), (1, 0))
        self.log('verify', '--checkpoint=-', data=line.encode())
        # by itself the old copy is as good as it was
        self.log('verify', '--journal=' + old)
        o = self.json('log', 'verify', '--journal=' + old, kept, code=VIOLATION)
        self.assertEqual(o['fault']['code'], 'checkpoint')
        self.error('log', 'verify', '--checkpoint=' + self.file('bad', line.replace('fwadmit', 'x')), code=USAGE, text='bad:1')
        forged = line[:40] + ('0' if line[40] != '0' else '1') + line[41:]
        self.error('log', 'verify', '--checkpoint=' + self.file('f', forged), code=VIOLATION, text='not signed')
        self.error('log', 'verify', '--checkpoint=' + self.file('e', ''), code=USAGE, text='no checkpoint')

    def test_another_journal_does_not_have_it(self):
        other = self.path('other')
        self.make('source x\n', journal=other)
        kept = '--checkpoint=' + self.file('kept', self.log('checkpoint').out)
        self.log('verify', '--journal=' + other, kept, code=VIOLATION)

    def test_ranges(self):
        self.error('log', 'verify', '--from=9', '--to=8', code=USAGE)

    def test_proof(self):
        out = self.log('export', '--proof=777').raw
        o = json.loads(out)
        self.assertEqual(o['seq'], 777)
        proof = self.file('proof', out)
        self.assertIn('record 777', self.log('verify', '--proof=' + proof).out)
        self.assertEqual(self.json('log', 'verify', '--proof=' + proof)['seq'], 777)
        self.log('verify', '--proof=' + proof, '--key=' + self.key())
        # and by the reader that was written from the specification
        subprocess.run([sys.executable, READER, 'prove', proof, self.key()], check=True, stdout=subprocess.DEVNULL)
        self.error('log', 'verify', '--proof=' + proof, '--key=' + '5' * 64, code=VIOLATION, text='another key')
        frame = o['proof']['frame']
        for at in range(0, len(frame), 37):
            o['proof']['frame'] = frame[:at] + ('1' if frame[at] != '1' else '2') + frame[at + 1:]
            self.error('log', 'verify', '--proof=' + self.file('forged', json.dumps(o)), code=VIOLATION,
                       text='does not hold')
        for bad in (b'', b'{', b'[]', b'{"proof":{}}', b'\0', b'{"proof":{"format":"fwadmit-proof-1","levels":[3]}}'):
            self.error('log', 'verify', '--proof=' + self.file('bad', bad), code=FAILED, text='not a proof')
        self.error('log', 'export', '--proof=99999', code=NOT_FOUND)


class Export(Log):
    def test_everything(self):
        self.make(BASIC)
        got = [json.loads(line) for line in self.log('export').out.splitlines()]
        self.assertEqual([o['seq'] for o in got], list(range(1, len(got) + 1)))
        self.assertLessEqual({'decision', 'outcome', 'control', 'checkpoint', 'start', 'source', 'unrecorded'},
                             {o['kind'] for o in got})
        self.assertTrue(all(o['verb'] == 'log export' and o['hash'] for o in got))
        self.assertEqual([json.loads(line)['seq'] for line in self.log('export', '--refused').out.splitlines()],
                         self.seqs('--refused'))

    def test_damage_is_told(self):
        self.make(SOURCES + 'bulk 2000\nrotate\nbulk 2000\n', '100000')

        def change(raw):
            raw[0:4] = b'\xff\xff\xff\xff'
            return raw
        whole = self.seqs()
        self.edit(1000, change)
        r = self.log('list', '-o', 'json', code=VIOLATION)
        got = [json.loads(line)['seq'] for line in r.out.splitlines()]
        self.assertEqual([s for s in got if s < 1000], [s for s in whole if s < 1000])
        self.assertEqual(got[-1], whole[-1])
        self.assertIn('cannot be read', self.log('list', code=VIOLATION).err)


class Replay(Log):
    def test_agree_differ_and_cannot(self):
        self.make('source mem0\njudge mem0 opcode=0x4103\njudge mem0 uid=60002 opcode=0x4103\n'
                  'judge mem0 opcode=0x4400\njudge mem0 opcode=0x0001\n')
        o, = self.lines('replay')
        self.assertEqual((o['kind'], o['decisions'], o['agree'], o['differ'], o['not_replayed']),
                         ('summary', 4, 4, 0, 0))
        self.make('source mem0\njudge mem0 lie=1\njudge mem0 lost=1\n')
        difference, o = self.lines('replay', code=VIOLATION)
        self.assertEqual((difference['kind'], difference['device'], difference['recorded']['effects']),
                         ('difference', 'mem0', ['config', 'data', 'log']))
        self.assertEqual((o['agree'], o['differ'], o['not_replayed']), (4, 1, 1))
        self.assertEqual(o['why_not'], {'the declarations of then are not kept': 1})
        out = self.log('replay', code=VIOLATION).out
        self.assertIn('6 decisions: 4 agree, 1 differ, 1 cannot be replayed', out)
        o, = self.lines('replay', '--user=60002')
        self.assertEqual((o['decisions'], o['agree']), (1, 1))
        self.error('log', 'replay', '--user=60009', code=NOT_FOUND)


class Index(Log):
    def both(self, *args, note=None):
        """The output with the index, which is that without."""
        plain = self.log('list', '--no-index', *args, code=None)
        indexed = self.log('list', *args, code=None)
        self.assertEqual((indexed.code, indexed.out), (plain.code, plain.out), args)
        if note == ANY:
            pass
        elif note is not None:
            self.assertRegex(indexed.err, note)
        elif plain.code == OK:
            self.assertEqual(indexed.err, '')
        return plain

    def used(self):
        """Whether the index is looked at: without its tables the answer would be said to be wrong."""
        return 'index is not used' not in self.log('list', '--refused').err

    def test_same_answers(self):
        self.make(SOURCES + 'bulk 30000\ncontrol daemon 8 0 mem0 x\nunrecorded mem0 1 1\n', '1000000')
        self.log('index')
        matched = sum(self.both(*f).code == OK for f in FILTERS)
        self.assertGreaterEqual(matched, len(FILTERS) - 3)
        # what came since is found, too
        self.make(SOURCES + 'bulk 5000\n')
        for f in FILTERS:
            self.both(*f)
        o = json.loads(self.log('index', '-o', 'json').out)
        self.assertGreater(o['records'], 5000)
        self.assertLess(o['records'], 6000)
        for f in FILTERS:
            self.both(*f)
        self.assertEqual(json.loads(self.log('index', '-o', 'json').out)['records'], 0)

    def test_it_is_used(self):
        """One that says that nothing is there is believed so far as to show nothing: so it was asked."""
        self.make(SOURCES + 'bulk 3000\n')
        self.log('index')
        import sqlite3  # pylint: disable=import-outside-toplevel
        db = sqlite3.connect(os.path.join(self.journal, 'index.db'))
        db.execute('DELETE FROM tags')
        db.execute('DELETE FROM others')
        db.commit()
        db.close()
        self.log('list', '--effects=data', code=NOT_FOUND)
        self.log('list', '--effects=data', '--no-index')

    def test_places_that_are_wrong(self):
        self.make(SOURCES + 'bulk 3000\n')
        self.log('index')
        import sqlite3  # pylint: disable=import-outside-toplevel
        for change in ('offset = offset + 8', 'offset = 128', 'segment = 77', 'offset = -1', "offset = 'x'"):
            self.log('index', '--rebuild')
            db = sqlite3.connect(os.path.join(self.journal, 'index.db'))
            db.execute(f'UPDATE decisions SET {change} WHERE seq > 1500')
            db.commit()
            db.close()
            self.both('--refused', note='index is not used')
            self.both('--refused', '-n', '3', note='index is not used')

    def test_of_another_history(self):
        self.make(SOURCES + 'bulk 3000\n')
        shutil.copytree(self.journal, self.path('old'))
        self.make(SOURCES + 'bulk 100\n')
        self.log('index')
        index = os.path.join(self.journal, 'index.db')
        # rolled back, and on from there
        self.make(SOURCES + 'bulk 700\n', journal=self.path('old'))
        shutil.copy(index, self.path('old/index.db'))
        self.env['FWADMIT_STATE_DIR'] = self.path('x')
        os.makedirs(self.path('x'))
        shutil.move(self.path('old'), self.path('x/journal'))
        self.journal = self.path('x/journal')
        self.both('--refused', note='of another history')
        self.assertIn('made anew', self.log('index').err)
        self.both('--refused')

    def test_that_is_none(self):
        self.make(SOURCES + 'bulk 3000\n')
        index = os.path.join(self.journal, 'index.db')
        for data in (b'', b'x', b'SQLite format 3\0' + bytes(5000), os.urandom(8192)):
            with open(index, 'wb') as f:
                f.write(data)
            self.both('--refused', note='index is not used')
        os.unlink(index)
        os.symlink('/dev/zero', index)
        self.both('--refused', note='index is not used')
        os.unlink(index)
        self.log('index')
        os.chmod(index, 0o666)
        self.both('--refused', note='index is not used')
        with open(index, 'r+b') as f:  # in its midst
            os.chmod(index, 0o600)
            f.seek(40000)
            f.write(os.urandom(40000))
        self.assertEqual(self.log('list', '--refused', code=None).out, self.log('list', '--refused', '--no-index').out)

    def test_retired(self):
        script = 'source mem5\n' + 'bulk 3000\nrotate\n' * 4
        self.make(script, '65536', '1000000')
        self.log('index')
        self.make(script.replace('mem5', 'mem6'), '65536', '1000000')
        for f in (['--refused'], ['--device=mem5'], ['--device=mem*', '-n', '5'], ['--user=0']):
            self.both(*f, note=ANY)
        self.log('index')
        for f in (['--refused'], ['--device=mem5'], ['--device=mem*', '-n', '5'], ['--user=0']):
            self.both(*f)

    def test_in_the_cache_of_who_may_not_write_there(self):
        self.make(SOURCES + 'bulk 3000\n')
        if os.geteuid() == 0:
            self.skipTest('root may write everywhere')
        os.chmod(self.journal, 0o500)
        self.addCleanup(os.chmod, self.journal, 0o700)
        self.log('index')
        self.assertEqual(len(os.listdir(self.path('cache/fwadmit'))), 1)
        self.both('--refused')

    def test_a_folder_where_others_may_write(self):
        """Their databases are not opened, and ours is not put among them."""
        self.make(SOURCES + 'bulk 3000\n')
        self.log('index')
        index = os.path.join(self.journal, 'index.db')
        import sqlite3  # pylint: disable=import-outside-toplevel
        db = sqlite3.connect(index)
        db.execute('DELETE FROM tags')
        db.commit()
        db.close()
        self.log('list', '--effects=data', code=NOT_FOUND)
        os.chmod(self.journal, 0o777)
        self.both('--effects=data')
        before = os.stat(index).st_mtime_ns
        self.log('index')
        self.assertEqual(os.stat(index).st_mtime_ns, before)
        self.assertEqual(len(os.listdir(self.path('cache/fwadmit'))), 1)
        self.both('--effects=data')
        if os.geteuid() == 0:
            os.chmod(self.journal, 0o700)
            os.chown(self.journal, 65534, 65534)
            self.both('--effects=data')

    def test_follow(self):
        self.make(SOURCES + 'bulk 3000\n')
        self.start([FWADMIT, 'log', 'index', '--follow', '-q'])
        index = os.path.join(self.journal, 'index.db')
        deadline = time.monotonic() + 30
        while not os.path.exists(index) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.make(SOURCES + 'bulk 500\n')
        for f in FILTERS:
            self.both(*f, note=ANY)

    def test_an_empty_journal(self):
        os.makedirs(self.journal)
        self.error('log', 'index', code=NOT_FOUND)
        self.error('log', 'list', code=NOT_FOUND)


if __name__ == '__main__':
    unittest.main()
