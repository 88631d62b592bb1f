# SPDX-License-Identifier: GPL-2.0-or-later
"""Journals that the store writes, as the C reader sees them and as one does that was written from
spec/JOURNAL-FORMAT.md alone: the same, field by field."""

import json
import struct
import unittest

import sealed
import reader

LOGS = {
    'plain': dict(records=400, sources=3),
    'segments': dict(records=3000, sources=5, segment=65536),
    'retired': dict(records=3000, sources=5, segment=65536, total=200000),
    'restarts': dict(records=600, restart=37),
    'crashes': dict(records=600, crash=41),
    'steps': dict(records=300, step=23),
    'killed': dict(records=333, leave=1, sync=7),
    'unsigned': dict(records=10000, sync=100000),
    'payloads': dict(records=500, payload=60000, segment=300000),
    'everything': dict(records=4000, sources=9, segment=65536, total=400000, restart=173, crash=211, step=307,
                       payload=2000, leave=1),
}


class Same(sealed.Case):
    def test_records_are_the_same(self):
        for name, options in LOGS.items():
            path = self.make(name, **options)
            found = [f'{s.number} {r.at} {r.kind} {r.seq} {r.time} {r.source} {r.counter} {r.refers} '
                     f'{r.hash.hex()} {r.body.hex()}' for s, r in reader.records(path)]
            self.assertEqual(self.ask('list', path), found)
            self.assertEqual(self.ask('back', path), found[::-1])
            self.assertGreater(len(found), 20)
            kinds = {int(line.split()[2]) for line in found}
            if 'total' not in options:
                self.assertIn(reader.START, kinds)
            if 'step' in options:
                self.assertIn(reader.CLOCK, kinds)

    def test_all_of_it_verifies(self):
        for name, options in LOGS.items():
            path = self.make(name, **options)
            self.assertEqual(self.verify(path), ('none', 0), name)
            one, more = self.verify_c(path), self.verify_c(path, threads=3)
            self.assertEqual(one, more)
            self.assertEqual(one['first'] > 1, 'total' in options)
            if 'leave' not in options:
                self.assertEqual((one['open'], one['signed']), (0, one['last']))

    def test_ranges(self):
        for name in 'segments', 'retired', 'unsigned', 'everything':
            path = self.make(name, **LOGS[name])
            whole = self.verify_c(path)
            first, last = whole['first'], whole['last']
            for begin in range(first, last, max(1, (last - first) // 20)):
                v = self.verify_c(path, **{'from': begin, 'to': begin + 30})
                self.assertEqual(v['fault'], 'none', v)
                self.assertLessEqual(v['first'], max(begin - 1, first))
                self.assertGreaterEqual(v['last'], min(begin + 30, last))
                self.assertLess(v['records'], 4096 * 2 + 100)

    def test_proofs(self):
        for name in 'plain', 'segments', 'unsigned', 'everything':
            path = self.make(name, **LOGS[name])
            whole, numbers = self.verify_c(path), [r.seq for _, r in reader.records(path)]
            for seq in numbers[::len(numbers) // 100 + 1] + numbers[-3:]:
                answer, = self.ask('prove', path, seq)
                if seq >= whole['signed']:
                    self.assertTrue(answer.startswith('error'), answer)
                    continue
                record = reader.proof_holds(json.loads(answer))
                self.assertEqual(record.seq, seq)
            self.assertEqual(self.ask('prove', path, numbers[-1] + 1), ['error No such file or directory'])

    def test_a_proof_of_something_else_is_none(self):
        path = self.make('unsigned', **LOGS['unsigned'])
        proof = json.loads(self.ask('prove', path, 1234)[0])
        self.assertEqual(len(proof['levels']), 3)
        for level in proof['levels']:
            for i, child in enumerate(level['children']):
                if i != level['index']:
                    level['children'][i] = child[:-1] + ('0' if child[-1] != '0' else '1')
                    self.assertIsNone(reader.proof_holds(proof))
                    level['children'][i] = child
        for name in 'before', 'frame', 'checkpoint':
            good = proof[name]
            for at in range(len(good) - 200, len(good), 7) if len(good) > 200 else range(0, len(good), 7):
                if good[at] in '0123456789abcdef':
                    proof[name] = good[:at] + ('0' if good[at] != '0' else '1') + good[at + 1:]
                    self.assertIsNone(reader.proof_holds(proof), (name, at))
            proof[name] = good
        self.assertIsNotNone(reader.proof_holds(proof))
        self.assertIsNone(reader.proof_holds(proof, key=bytes(32)))

    def test_a_kept_line_is_the_checkpoint(self):
        path = self.make('plain', **LOGS['plain'])
        said, signature = reader.parse_line(self.last(path))
        checkpoints = [reader.Checkpoint(r.body) for _, r in reader.records(path) if r.kind == reader.CHECKPOINT]
        self.assertEqual((said, signature), (checkpoints[-1].statement, checkpoints[-1].signature))
        self.assertEqual(self.verify(path, kept=[self.last(path)]), ('none', 0))

    def test_what_was_cut_is_told(self):
        path = self.make('crashes', **LOGS['crashes'])
        cuts = [struct.unpack_from('<16sQQQQ32s', r.body) for _, r in reader.records(path)
                if r.kind == reader.START]
        self.assertEqual(len(cuts), 15)
        self.assertEqual(sum(c[4] > 0 for c in cuts), 14)

    def test_where_nothing_is(self):
        self.assertEqual(self.verify(self.tmp), ('none', 0))
        self.assertEqual(self.ask('list', self.tmp), [])


if __name__ == '__main__':
    unittest.main()
