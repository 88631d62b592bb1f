# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever is done to a journal is found, at the right record and for the right reason, by both verifiers; except
for what only a checkpoint shows that was kept elsewhere: that is found with it, and not without."""

import fcntl
import os
import shutil
import struct
import subprocess
import unittest
from pathlib import Path

import sealed
import reader
from sealed import HEADER, Sealed, cut_zeroes, end, frames, segments

IN_RECORD = {'frame', 'sequence', 'hash', 'trailing'}
IN_HEADER = {'header', 'hash', 'key'}
SEED = b'another key that signs, 32 bytes'
# A sanitizer looks at memory: it is shown some of each kind of damage.
SANITIZED = bool(os.environ.get('FWADMIT_SANITIZED'))
EACH = 8 if SANITIZED else 1


class Tamper(sealed.Case):
    def small(self, name='log', **options):
        """One segment of few records, which ends in order."""
        path = self.make(name, **{'records': 8, 'sources': 1, 'sync': 5, **options})
        for segment in segments(path):
            cut_zeroes(segment)
        return path, segments(path)[0]

    def three(self, name='log', **options):
        path = self.make(name, **{'records': 1000, 'sources': 2, 'segment': 65536, **options})
        self.assertGreaterEqual(len(segments(path)), 3)
        return path, segments(path)

    def copy(self, path, name='copy'):
        to = self.tmp / name
        shutil.rmtree(to, ignore_errors=True)
        return Path(shutil.copytree(path, to))

    def assertFound(self, path, bad, faults, **with_):
        fault, at = self.verify(path, **with_)
        self.assertIn(fault, {faults} if isinstance(faults, str) else faults)
        self.assertEqual(at, bad)

    def assertOnlyKept(self, path, kept, bad):
        """From inside nothing is to be seen; with what was kept it is."""
        self.assertEqual(self.verify(path), ('none', 0))
        self.assertFound(path, bad, 'checkpoint', kept=[kept])


class Bits(Tamper):
    def test_every_bit(self):
        path, segment = self.small()
        data = segment.read_bytes()
        whole = Sealed(data)
        places = [(HEADER, 1, IN_HEADER)] + [(at + n, r.seq, IN_RECORD)
                                             for (at, n), r in zip(frames(data), whole.records)]
        places.append((len(data), len(whole.records) + 1, {'trailing', 'frame'}))
        with open(segment, 'r+b', buffering=0) as f:
            for offset, byte in enumerate(data):
                _, seq, faults = next(p for p in places if offset < p[0])
                for bit in [offset % 8] if SANITIZED else range(8):
                    os.pwrite(f.fileno(), bytes([byte ^ 1 << bit]), offset)
                    self.assertFound(path, seq, faults)
                os.pwrite(f.fileno(), bytes([byte]), offset)
        self.assertEqual(self.verify(path), ('none', 0))

    def test_a_bit_of_each_byte_of_more_segments(self):
        path, parts = self.three(records=600, segment=65536)
        for number, segment in enumerate(parts):
            data = segment.read_bytes()
            first = int(segment.name[:16], 16)
            with open(segment, 'r+b', buffering=0) as f:
                for offset in list(range(0, 300, 3)) + list(range(300, len(data), 1711)):
                    os.pwrite(f.fileno(), bytes([data[offset] ^ 1 << offset % 8]), offset)
                    seq = first + sum(at + n <= offset for at, n in frames(data)) if offset >= HEADER else first
                    fault, bad = self.verify(path)
                    os.pwrite(f.fileno(), data[offset:offset + 1], offset)
                    self.assertEqual(bad, seq, (number, offset, fault))
                    self.assertNotEqual(fault, 'none')

    def test_more_threads_find_the_same(self):
        path, segment = self.small(records=100, sync=7)
        data = segment.read_bytes()
        with open(segment, 'r+b', buffering=0) as f:
            for offset in range(0, len(data), 23):
                os.pwrite(f.fileno(), bytes([data[offset] ^ 16]), offset)
                self.assertEqual(self.verify_c(path), self.verify_c(path, threads=3))
                os.pwrite(f.fileno(), data[offset:offset + 1], offset)


class Records(Tamper):
    def setUp(self):
        super().setUp()
        self.path, self.segment = self.small(records=40, sources=2, sync=6)
        self.data = self.segment.read_bytes()
        self.kept = self.last(self.path)
        self.parts = [self.data[at:at + n] for at, n in frames(self.data)]

    def write(self, parts):
        self.segment.write_bytes(self.data[:HEADER] + b''.join(parts) + bytes(64))

    def test_drop(self):
        for i in range(len(self.parts) - 1):
            self.write(self.parts[:i] + self.parts[i + 1:])
            self.assertFound(self.path, i + 1, 'sequence')
        self.write(self.parts[:-1])
        self.assertOnlyKept(self.path, self.kept, len(self.parts))

    def test_duplicate(self):
        for i, part in enumerate(self.parts):
            self.write(self.parts[:i] + [part, part] + self.parts[i + 1:])
            self.assertFound(self.path, i + 2, 'sequence')

    def test_swap(self):
        for i in range(len(self.parts) - 1):
            for k in (i + 1, len(self.parts) - 1):
                parts = list(self.parts)
                parts[i], parts[k] = parts[k], parts[i]
                self.write(parts)
                self.assertFound(self.path, i + 1, 'sequence')

    def test_drop_and_number_anew(self):
        """As far as somebody gets who has no key: the chain is whole again, and the statements."""
        whole = Sealed(self.data)
        checkpoints = [i for i, r in enumerate(whole.records) if r.kind == reader.CHECKPOINT]
        for statements, faults in (False, {'root'}), (True, {'signature'}):
            for i in range(1, checkpoints[-1]):
                if whole.records[i].kind in (reader.CHECKPOINT, reader.SOURCE):
                    continue
                sealed = Sealed(self.data)
                del sealed.records[i]
                sealed.number()
                self.segment.write_bytes(sealed.seal(statements=statements))
                after = next(c for c in checkpoints if c > i)
                fault, bad = self.verify(self.path)
                self.assertLessEqual(bad, after)
                self.assertGreater(bad, i)
                self.assertIn(fault, faults | {'counter', 'refers', 'body'})

    def test_change_and_chain_anew(self):
        whole = Sealed(self.data)
        checkpoints = [i for i, r in enumerate(whole.records) if r.kind == reader.CHECKPOINT]
        for i in range(checkpoints[-1]):
            for statements, fault in (False, 'root'), (True, 'signature'):
                sealed = Sealed(self.data)
                sealed.records[i].time += 1
                if i in checkpoints and not statements:
                    after = i
                else:
                    after = next(c for c in checkpoints if c >= i)
                self.segment.write_bytes(sealed.seal(statements=statements))
                self.assertFound(self.path, after + 1, fault)

    def test_truncate_at_every_byte(self):
        places = frames(self.data)
        ends = {at + n: i + 1 for i, (at, n) in enumerate(places)}
        for length in range(len(self.data) - 1, -1, -EACH):
            os.truncate(self.segment, length)
            if length >= end(self.data):
                self.assertEqual(self.verify(self.path, kept=[self.kept]), ('none', 0))
            elif length in ends or length <= HEADER:
                self.assertOnlyKept(self.path, self.kept, ends.get(length, 0) + 1)
            else:
                self.assertFound(self.path, 1 + sum(at + n <= length for at, n in places), {'frame', 'trailing'})

    def test_zero_the_end_at_every_byte(self):
        places = frames(self.data)
        ends = {at + n: i + 1 for i, (at, n) in enumerate(places)}
        for length in range(end(self.data) - 1, HEADER, -3 * EACH):
            # A hash may end with zeroes: its record is whole without them.
            if not self.data[length:min(at for at in ends if at > length)].strip(b'\0'):
                continue
            with open(self.segment, 'r+b') as f:
                f.seek(length)
                f.write(bytes(len(self.data) - length))
            seq = 1 + sum(at + n <= length for at, n in places)
            if not self.data[length:].strip(b'\0'):
                self.assertEqual(self.verify(self.path, kept=[self.kept]), ('none', 0))
            elif not self.data[max(at for at in [HEADER, *ends] if at <= length):length].strip(b'\0'):
                self.assertOnlyKept(self.path, self.kept, seq)
            else:
                self.assertFound(self.path, seq, {'frame', 'hash', 'trailing', 'sequence'})

    def test_a_record_of_another_journal(self):
        other, segment = self.small('other', records=40, sources=2, sync=6, boot=5000)
        theirs = [segment.read_bytes()[at:at + n] for at, n in frames(segment.read_bytes())]
        for i in range(min(len(theirs), len(self.parts))):
            self.write(self.parts[:i] + [theirs[i]] + self.parts[i + 1:])
            self.assertFound(self.path, i + 1, 'hash')
            self.write(self.parts[:i] + theirs[i:])
            self.assertFound(self.path, i + 1, 'hash')


class Sealing(Tamper):
    """By somebody who has a key: what the chain and signatures cannot show."""

    def setUp(self):
        super().setUp()
        self.path, self.segment = self.small(records=40, sources=2, sync=6)
        self.data = self.segment.read_bytes()

    def seal(self, change, number=True):
        sealed = Sealed(self.data)
        change(sealed)
        if number:
            sealed.number()
        self.segment.write_bytes(sealed.seal(SEED))
        return sealed

    def test_as_it_was(self):
        self.seal(lambda s: None)
        self.assertEqual(self.verify(self.path), ('none', 0))

    def test_by_another_key(self):
        kept, key = self.last(self.path), bytes(Sealed(self.data).header[40:72])
        self.assertEqual(self.verify(self.path, key=key), ('none', 0))
        made = self.seal(lambda s: setattr(s.records[1], 'time', 5))
        self.assertEqual(self.verify(self.path), ('none', 0))
        self.assertFound(self.path, 1, 'key', key=key)
        self.assertFound(self.path, reader.statement(reader.parse_line(kept)[0])[2], 'checkpoint', kept=[kept])
        # The header as it was: then the checkpoints name another one.
        made.header[40:72] = key
        made.sum()
        self.segment.write_bytes(made.seal(statements=False))
        self.assertFound(self.path, 1, 'root')

    def test_checkpoints_of_another_key_than_the_header_says(self):
        self.segment.write_bytes(Sealed(self.data).seal(SEED, header=False))
        self.assertFound(self.path, 1, 'key')

    def test_a_tree_of_fewer_records(self):
        made = Sealed(self.data)
        self.assertEqual(made.records[-1].kind, reader.CHECKPOINT)
        before = made.index(reader.CHECKPOINT, -2) + 1
        last = made.records[-1].seq
        self.assertGreater(last - before, 2)
        for first in before, before + 1, last - 1:
            self.segment.write_bytes(made.seal(SEED, first=first))
            if first == before:
                self.assertEqual(self.verify(self.path), ('none', 0))
            else:
                self.assertFound(self.path, last, 'root')
                self.segment.write_bytes(made.seal(SEED, first=first, said_only=True))
                self.assertFound(self.path, last, 'root')
            # The same over two segments.
            for name, data in made.split(SEED, last - 2, first=first):
                (self.path / name).write_bytes(data)
            if first == before:
                self.assertEqual(self.verify(self.path), ('none', 0))
            else:
                self.assertFound(self.path, last, 'root')
            (self.path / name).unlink()

    def test_a_second_segment_that_does_not_follow(self):
        made = Sealed(self.data)
        for options, fault in ({}, None), ({'before': bytes(32)}, 'hash'), ({'named_key': bytes(32)}, 'key'):
            for name, data in made.split(SEED, 20, **options):
                (self.path / name).write_bytes(data)
            if fault:
                self.assertFound(self.path, 21, fault)
            else:
                self.assertEqual(self.verify(self.path), ('none', 0))

    def test_retired_is_what_has_this_hash(self):
        """The record of retirement names what was removed by its hash, too: that of another history is none."""
        made = Sealed(self.data)
        _, (name, data) = made.split(SEED, 20)
        before = data[72:104]
        last = made.records[-1]
        self.segment.unlink()
        for hash_, number in (before, 20), (bytes(32), 20), (before, 19):
            r = reader.Record(last.chained + last.hash, 0)
            r.kind, r.body, r.seq = reader.RETIRED, struct.pack('<QQQ32s', 1, number, 99, hash_), last.seq + 1
            made.records = made.records[:last.seq] + [r]
            (self.path / name).write_bytes(made.split(SEED, 20)[1][1])
            if (hash_, number) == (before, 20):
                self.assertEqual(self.verify(self.path), ('none', 0))
            else:
                self.assertFound(self.path, 1 if number == 20 else 20, 'gap')

    def test_an_outcome_of_another_decision(self):
        for change in 'refers', 'counter':
            made = Sealed(self.data)
            i = made.index(reader.OUTCOME)
            r = made.records[i]
            if change == 'refers':
                r.refers -= 1
            else:
                r.body = struct.pack('<Q', 1 + int.from_bytes(r.body[:8], 'little')) + r.body[8:]
            self.segment.write_bytes(made.seal(SEED))
            self.assertFound(self.path, i + 1, 'refers')

    def test_a_record_of_a_source_is_missing(self):
        def change(s):
            i = next(i for i, r in enumerate(s.records) if r.kind == reader.DECISION and not reader.admits(r.body))
            self.bad = i + 1 + next(k for k, r in enumerate(s.records[i + 1:])
                                    if r.counter == s.records[i].counter + 1 and r.source == s.records[i].source
                                    or r.kind == reader.CHECKPOINT)
            del s.records[i]
        self.seal(change)
        self.assertFound(self.path, self.bad, 'counter')

    def test_an_outcome_twice(self):
        def change(s):
            i = s.index(reader.OUTCOME)
            r = s.records[i]
            again = reader.Record(r.chained + r.hash, 0)
            later = [q for q in s.records[i + 1:] if q.source == r.source and q.counter]
            for q in later:
                q.counter += 1
            again.counter, again.seq = r.counter + 1, 10**6
            s.records.insert(i + 1, again)
            self.bad = i + 2
        self.seal(change)
        self.assertFound(self.path, self.bad, 'refers')

    def test_a_source_ends_with_something_open(self):
        def change(s):
            i = max(i for i, r in enumerate(s.records) if r.kind == reader.OUTCOME and r.counter)
            r = s.records[i]
            r.kind, r.body = reader.UNRECORDED, bytes(32)
            r.refers = 0
            later = s.records[i:]
            self.bad = i + 1 + next(k for k, q in enumerate(later)
                                    if q.kind == reader.CHECKPOINT
                                    or q.kind == reader.SOURCE_END and q.source == r.source)
        self.seal(change)
        self.assertFound(self.path, self.bad, 'refers')

    def test_a_source_goes_on_elsewhere(self):
        for resumed in 1, 7:
            def change(s):
                r = s.records[s.index(reader.SOURCE, 1)]
                r.body = r.body[:16] + struct.pack('<Q', resumed) + r.body[24:]
                self.bad = r.seq
            self.seal(change)
            self.assertFound(self.path, self.bad, 'counter')

    def test_a_checkpoint_lists_something_else(self):
        def other_counter(s):
            r = s.records[s.index(reader.CHECKPOINT, 2)]
            r.body = r.body[:224] + struct.pack('<Q', 99) + r.body[232:]
            self.bad = r.seq
        self.seal(other_counter)
        self.assertFound(self.path, self.bad, 'counter')

        def one_more(s):
            r = s.records[s.index(reader.CHECKPOINT, 2)]
            c = reader.Checkpoint(r.body)
            self.assertNotIn(2, c.open)
            r.body = (r.body[:212] + struct.pack('<I', len(c.open) + 1) + r.body[216:216 + 104 * len(c.sources)]
                      + struct.pack('<QQQ', 3, 1, 2) + r.body[216 + 104 * len(c.sources):])
            self.bad = r.seq
        self.seal(one_more)
        self.assertFound(self.path, self.bad, 'refers')

    def test_a_body_that_is_none(self):
        for body in b'', b'x' * 200, b'FWJCKPT1' + bytes(208):
            sealed = Sealed(self.data)
            i = sealed.index(reader.CHECKPOINT, 1)
            sealed.records[i].body = body
            self.segment.write_bytes(sealed.seal(statements=False))
            self.assertFound(self.path, min(i, sealed.index(reader.CHECKPOINT)) + 1 if i == 0 else i + 1, 'body')

    def test_no_checkpoint_for_too_long(self):
        sealed = Sealed(self.data)
        last = max(i for i, r in enumerate(sealed.records) if r.kind == reader.CHECKPOINT)
        tail, sealed.records = sealed.records[last], sealed.records[:last]
        since = last - max(i for i, r in enumerate(sealed.records) if r.kind == reader.CHECKPOINT) - 1
        for extra in 4096 - since, 4097 - since:
            sealed.records = sealed.records[:last]
            for i in range(extra):
                r = reader.Record(tail.chained + tail.hash, 0)
                r.kind, r.seq, r.body = 200, last + 1 + i, b''
                sealed.records.append(r)
            tail.seq = last + 1 + extra
            for with_checkpoint in True, False:
                sealed.records = sealed.records[:last + extra] + [tail] * with_checkpoint
                self.segment.write_bytes(sealed.seal(SEED))
                if extra + since == 4096:
                    self.assertEqual(self.verify(self.path), ('none', 0))
                else:
                    self.assertFound(self.path, last + extra, 'unsigned')

    def test_a_frame_that_is_none(self):
        """The chain is right, and the record still is none."""
        for change in ('kind', 0), ('seq', 0), ('seq', 99):
            def set_it(s):
                setattr(s.records[5], *change)
            self.seal(set_it, number=False)
            self.assertFound(self.path, 6, {'frame', 'sequence'})


class Segments(Tamper):
    def test_remove(self):
        path, parts = self.three()
        kept = self.last(path)
        firsts = [int(p.name[:16], 16) for p in parts]
        for i, part in enumerate(parts):
            copy = self.copy(path)
            (copy / part.name).unlink()
            if i == len(parts) - 1:
                self.assertOnlyKept(copy, kept, firsts[i])
            else:
                self.assertFound(copy, firsts[i], 'gap')
        for part in parts[:-1]:
            (path / part.name).unlink()
        self.assertFound(path, 1, 'gap')

    def test_remove_more_than_was_retired(self):
        path = self.make(records=3000, sources=2, segment=65536, total=400000)
        parts = segments(path)
        first = int(parts[0].name[:16], 16)
        self.assertGreater(first, 1)
        self.assertGreaterEqual(len(parts), 3)
        self.assertEqual(self.verify(path), ('none', 0))
        parts[0].unlink()
        self.assertFound(path, first, 'gap')

    def test_what_was_retired_may_still_be_there(self):
        """A crash between the record and the removal, and any order of removals."""
        path = self.make(records=2000, segment=65536, leave=1)
        before = self.copy(path, 'before')
        self.make(records=50, segment=65536, total=300000, boot=90000)
        self.assertEqual(self.verify(path), ('none', 0))
        gone = [p for p in segments(before) if not (path / p.name).exists()]
        self.assertGreaterEqual(min(len(gone), len(segments(path))), 2)
        for left in gone, gone[1:], gone[:1], gone[:1] + gone[2:], gone[::2]:
            copy = self.copy(path)
            for part in left:
                shutil.copy(part, copy / part.name)
            self.assertEqual(self.verify(copy), ('none', 0))
            (copy / segments(path)[0].name).unlink()
            self.assertFound(copy, int(segments(path)[0].name[:16], 16), 'gap')

    def test_damage_before_the_record_of_retirement(self):
        """What allows the beginning to be missing is said behind the damage: the damage is what is told."""
        path = self.make(records=3000, sources=2, segment=65536, total=250000)
        part = segments(path)[0]
        data = bytearray(part.read_bytes())
        at, n = frames(data)[5]
        data[at + 60] ^= 1
        part.write_bytes(data)
        self.assertFound(path, int(part.name[:16], 16) + 5, 'hash')

    def test_swap_and_rename(self):
        path, parts = self.three()
        firsts = [int(p.name[:16], 16) for p in parts]
        copy = self.copy(path)
        a, b = (copy / p.name for p in parts[:2])
        x, y = a.read_bytes(), b.read_bytes()
        a.write_bytes(y)
        b.write_bytes(x)
        self.assertFound(copy, 1, 'header')
        copy = self.copy(path)
        (copy / parts[1].name).rename(copy / f'{firsts[1] + 1:016x}.fwj')
        self.assertFound(copy, firsts[1], 'header')

    def test_replace(self):
        path, parts = self.three()
        other, theirs = self.three('other', boot=5000)
        for i, part in enumerate(parts):
            copy = self.copy(path)
            data = (other / part.name).read_bytes() if (other / part.name).exists() else theirs[-1].read_bytes()
            (copy / part.name).write_bytes(data)
            self.assertFound(copy, int(part.name[:16], 16) if i else int(parts[1].name[:16], 16),
                             {'header', 'hash', 'key'})

    def test_what_is_no_file(self):
        path, parts = self.three()
        for make in (lambda p: p.mkdir(), lambda p: p.symlink_to(parts[0]), lambda p: os.mkfifo(p)):
            copy = self.copy(path)
            (copy / parts[1].name).unlink()
            make(copy / parts[1].name)
            self.assertFound(copy, int(parts[1].name[:16], 16), 'header')

    def test_bytes_behind_the_end(self):
        path, parts = self.three()
        for i, part in enumerate(parts):
            data = part.read_bytes()
            seq = int(part.name[:16], 16) + len(frames(data))
            for at in {end(data) + 8, len(data) - 1}:
                copy = self.copy(path)
                changed = bytearray(data)
                changed[at] = 1
                (copy / part.name).write_bytes(changed)
                self.assertFound(copy, seq, 'trailing')
            copy = self.copy(path)
            (copy / part.name).write_bytes(data[:end(data)] + b'\1' + bytes(99))
            self.assertFound(copy, seq, {'frame', 'trailing'})


class Disk(Tamper):
    """What the store leaves after errors of the disk."""

    def test_written_again_elsewhere(self):
        for keep in 0, 1:
            path = self.make(f'keep{keep}', records=500, fail=60, keep=keep)
            parts = segments(path)
            self.assertGreaterEqual(len(parts), 8)
            self.assertEqual(self.verify(path), ('none', 0))
            self.assertEqual(self.verify_c(path), self.verify_c(path, threads=3))
            numbers = [int(line.split()[3]) for line in self.ask('list', path)]
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
            # Behind what counts there was something, and it may be anything.
            second = int(parts[1].name[:16], 16)
            data = parts[0].read_bytes()
            at, n = frames(data)[second - 2]
            self.assertTrue(data[at + n:].strip(b'\0'))
            parts[0].write_bytes(data[:at + n] + os.urandom(1000))
            self.assertEqual(self.verify(path), ('none', 0))
            parts[0].write_bytes(data[:at + n - 20] + bytes(1000))
            self.assertFound(path, second - 1, {'hash', 'frame'})

    def test_damage_that_the_next_writer_found(self):
        path = self.make(records=12000, leave=1)
        part, = segments(path)
        data = bytearray(part.read_bytes())
        at, n = frames(data)[1000]
        self.assertGreater(end(data) - at, 2 << 20)
        data[at + 70] ^= 4
        data[at:at + 4] = b'\xff\xff\xff\xff'
        part.write_bytes(data)
        self.assertFound(path, 1001, 'frame')
        self.make(records=100, boot=90000)
        self.assertGreaterEqual(len(segments(path)), 2)
        self.assertFound(path, 1001, 'frame')
        first = int(segments(path)[1].name[:16], 16)
        self.assertGreater(first, 12000)
        after = self.verify_c(path, **{'from': first + 50})
        self.assertEqual(after['fault'], 'none')
        # When what is damaged is zeroes, the numbers behind it are missing.
        part.write_bytes(data[:at] + bytes(len(data) - at))
        self.assertFound(path, 1001, 'gap')

    def test_a_file_that_was_being_made(self):
        path = self.make(records=50)
        for content in b'', bytes(10), bytes(65536), os.urandom(128) + bytes(1000), os.urandom(60):
            (path / f'{10**6:016x}.fwj').write_bytes(content)
            self.assertEqual(self.verify(path), ('none', 0))
        (path / f'{10**6:016x}.fwj').write_bytes(os.urandom(128) + bytes(1000) + b'x')
        self.assertFound(path, len(list(reader.records(path))) + 1, 'header')


class Writing(Tamper):
    def watch(self, path, boot):
        """The numbers that verification has ended with while a writer was at work."""
        writer = subprocess.Popen([sealed.MAKE_LOG, path, 'records=60000', 'segment=1000000', 'total=4000000',
                                   'sync=50', 'restart=20000', 'lock=1', f'boot={boot}'])
        seen = set()
        while writer.poll() is None:
            v = self.verify_c(path, threads=len(seen) % 2 + 1)
            self.assertEqual(v['fault'], 'none', v)
            seen.add(v['last'])
            self.assertNotIn('bad', self.ask('list', path))
        self.assertEqual(writer.returncode, 0)
        return seen

    def test_what_is_written_just_now_is_no_fault(self):
        path = self.make(records=10, leave=1)
        seen, rounds = set(), 0
        while len(seen) < 10 and rounds < 10:
            rounds += 1
            seen |= self.watch(path, 90000 * rounds)
        self.assertGreater(len(seen), 3)
        self.assertEqual(self.verify(path), ('none', 0))

    def test_but_damage_is(self):
        path, segment = self.small()
        data = segment.read_bytes()
        with open(path / 'lock', 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for length in end(data) - 40, HEADER + 100:
                segment.write_bytes(data[:length] + bytes(1000))
                self.assertNotEqual(self.verify_c(path)['fault'], 'none')


class Rollback(Tamper):
    def test_rolled_back(self):
        path = self.make(records=200)
        old = self.copy(path, 'old')
        end_of_old = len(list(reader.records(old)))
        self.make(records=200, boot=90000)  # a second time, behind the first
        self.assertGreater(len(list(reader.records(path))), end_of_old)
        self.assertEqual(self.verify(path), ('none', 0))
        self.assertOnlyKept(old, self.last(path), end_of_old + 1)

    def test_forked(self):
        path = self.make(records=200)
        fork = self.copy(path, 'fork')
        end_of_both = len(list(reader.records(path)))
        self.make(records=200, boot=90000)
        self.make('fork', records=210, boot=90001)
        kept = self.last(path)
        fault, bad = self.verify(fork, kept=[kept])
        self.assertEqual(self.verify(fork), ('none', 0))
        self.assertEqual(fault, 'checkpoint')
        self.assertGreater(bad, end_of_both)
        self.assertEqual(self.verify(path, kept=[kept]), ('none', 0))

    def test_another_journal_in_its_place(self):
        path, other = self.make(records=100), self.make('other', records=100)
        self.assertEqual(self.verify(other), ('none', 0))
        self.assertFound(other, 1, 'checkpoint', kept=[self.last(path)])

    def test_nothing_in_its_place(self):
        path = self.make(records=100)
        kept = self.last(path)
        for segment in segments(path):
            segment.unlink()
        self.assertOnlyKept(path, kept, 1)

    def test_a_kept_checkpoint_that_was_retired(self):
        path = self.make(records=100, segment=65536, total=150000, leave=1)
        kept = self.last(path)
        self.make(records=4000, segment=65536, total=150000, boot=90000)
        self.assertGreater(int(segments(path)[0].name[:16], 16), 1)
        self.assertEqual(self.verify(path, kept=[kept]), ('none', 0))
        self.assertEqual(self.verify_c(path, kept=[kept])['gone'], 1)


if __name__ == '__main__':
    unittest.main()
