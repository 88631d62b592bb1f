# SPDX-License-Identifier: GPL-2.0-or-later
"""For the tests of the journal's format: journals by the store, the C reader, the independent one, and
journals that are sealed here, with whatever in them. First arguments: journal-make-log, journal-dump."""

import os
import struct
import subprocess
import sys
import tempfile
import unittest
from hashlib import sha256, sha512
from pathlib import Path

import reader

MAKE_LOG, DUMP = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
HEADER, FRAME = 128, 48


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dump = subprocess.Popen([DUMP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @classmethod
    def tearDownClass(cls):
        cls.dump.stdin.close()
        cls.dump.wait()
        cls.dump.stdout.close()

    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.tmp = Path(tmp.name)

    def make(self, name='log', **options):
        path = self.tmp / name
        subprocess.run([MAKE_LOG, path, *(f'{k}={v}' for k, v in options.items())], check=True)
        return path

    def say(self, *words):
        print(*words, file=self.dump.stdin, flush=True)

    def hear(self):
        """The lines that the C reader answers."""
        lines = []
        while line := self.dump.stdout.readline():
            if line == '\n':
                return lines
            lines.append(line.rstrip('\n'))
        raise AssertionError('the C reader has died')

    def ask(self, *words):
        self.say(*words)
        return self.hear()

    def say_verify(self, path, key=None, kept=(), **options):
        words = [f'{k}={v}' for k, v in options.items()] + ([f'key={key.hex()}'] if key else [])
        self.say('verify', path, *words, *('kept=' + k.replace(' ', '_') for k in kept))

    def hear_verified(self):
        line, = self.hear()
        fault, bad, segment, offset, *numbers = line.split(' ', 11)
        names = 'first', 'last', 'records', 'checkpoints', 'signed', 'open', 'gone', 'why'
        self.assertNotEqual(fault, 'error', line)
        return {'fault': fault, 'bad': int(bad), 'segment': segment, 'offset': int(offset),
                **{n: v if n == 'why' else int(v) for n, v in zip(names, numbers)}}

    def verify_c(self, path, *args, **options):
        self.say_verify(path, *args, **options)
        return self.hear_verified()

    def verify_py(self, path, key=None, kept=()):
        try:
            return 'none', 0, reader.Verifier(key, [reader.parse_line(k)[0] for k in kept]).run(path)
        except reader.Fault as e:
            return e.fault, e.bad, None

    def verify(self, path, key=None, kept=()):
        """(fault, first bad number), about which both agree, who are at it at the same time."""
        self.say_verify(path, key, kept)
        try:
            fault, bad, v = self.verify_py(path, key, kept)
        finally:
            c = self.hear_verified()
        self.assertEqual((c['fault'], c['bad']), (fault, bad), f'{path}: C, Python; {c}')
        if v and v.journal:
            self.assertEqual((c['first'], c['last'], c['signed'], c['open']),
                             (v.first, v.seq - 1, v.signed, len(v.open)))
        return fault, bad

    def last(self, path):
        return self.ask('last', path)[0]


def segments(path):
    return sorted(p for p in Path(path).iterdir() if p.suffix == '.fwj')


def frames(data):
    """(offset, length) of each record of a segment."""
    at, found = HEADER, []
    while at + 4 <= len(data) and (n := int.from_bytes(data[at:at + 4], 'little')):
        found.append((at, n))
        at += n
    return found


def end(data):
    at, n = frames(data)[-1]
    return at + n


def cut_zeroes(path, more=64):
    """Drops most of the zeroes behind the records, which are no part of what is tested."""
    data = path.read_bytes()
    path.write_bytes(data[:end(data)].ljust(end(data) + more, b'\0'))


# --- sealing --------------------------------------------------------------------------------------

def sign(seed, message):
    """(public key, signature) by Ed25519 (RFC 8032)."""
    h = sha512(seed).digest()
    a = int.from_bytes(h[:32], 'little') & ((1 << 254) - 8) | (1 << 254)
    def encode(point):
        x, y, z, _ = point
        z = pow(z, reader.P - 2, reader.P)
        return (y * z % reader.P | (x * z % reader.P & 1) << 255).to_bytes(32, 'little')
    key = encode(reader.multiply(a, reader.BASE))
    r = int.from_bytes(sha512(h[32:] + message).digest(), 'little') % reader.L
    point = encode(reader.multiply(r, reader.BASE))
    k = int.from_bytes(sha512(point + key + message).digest(), 'little') % reader.L
    return key, point + ((r + k * a) % reader.L).to_bytes(32, 'little')


class Sealed:
    """The one segment of a journal, to be changed record by record and sealed again: chain and statements
    are right again, and with a @seed also the key and the signatures."""

    def __init__(self, data):
        self.header = bytearray(data[:HEADER])
        self.records = [reader.Record(data, at) for at, _ in frames(data)]

    def index(self, kind, n=0):
        return [i for i, r in enumerate(self.records) if r.kind == kind][n]

    def number(self):
        """Numbers all records anew; what refers to a record still does."""
        new = {r.seq: i + 1 for i, r in enumerate(self.records)}
        for r in self.records:
            r.seq = new[r.seq]
            r.refers, r.source = new.get(r.refers, r.refers), new.get(r.source, r.source)
            if r.kind == reader.CHECKPOINT:
                r.body = self.number_open(reader.Checkpoint(r.body), new)

    @staticmethod
    def number_open(c, new):
        body = c.statement + c.signature + struct.pack('<BBHI', c.why, 0, len(c.sources), len(c.open))
        for n, (counter, ident, kind, name) in c.sources.items():
            body += struct.pack('<QQ16sB7x64s', new.get(n, n), counter, ident, kind, name)
        for n, (source, counter) in c.open.items():
            body += struct.pack('<QQQ', new.get(source, source), counter, new.get(n, n))
        return body

    def sum(self):
        self.header[104:] = sha256(self.header[:104]).digest()[:24]

    def seal(self, seed=None, statements=True, header=True, first=None, said_only=False):
        """The segment's bytes. With a @seed all is signed by that key, and the @header names it. @first: what
        the last checkpoint's tree begins with, or is only said to begin with."""
        if seed and header:
            self.header[40:72] = sign(seed, b'')[0]
            self.sum()
        key = sign(seed, b'')[0] if seed else bytes(self.header[40:72])
        out, last, self.leaves, self.first = bytearray(self.header), sha256(self.header).digest(), [], 1
        self.said_only = said_only
        for r in self.records:
            if r.kind == reader.CHECKPOINT and statements:
                self.state(r, last, key, seed, first if r is self.records[-1] else None)
            last = self.put(out, r, last)
        return bytes(out) + bytes(64)

    def split(self, seed, at, first=None, before=None, named_key=None):
        """As two segments, of which nothing hands over to the second: [(name, bytes)]. @before, @named_key: what
        the second one's header says."""
        key, named, header = sign(seed, b'')[0], [], bytes(self.header)
        self.header[40:72] = key
        self.leaves, self.first, self.said_only, record = [], 1, False, bytes(32)
        for records in self.records[:at], self.records[at:]:
            self.header[24:32], self.header[72:104] = struct.pack('<Q', records[0].seq), record
            if named:
                self.header[40:72], self.header[72:104] = named_key or key, before or record
            self.sum()
            out, last = bytearray(self.header), sha256(self.header).digest()
            for r in records:
                if r.kind == reader.CHECKPOINT:
                    self.state(r, last, key, seed, first if r is self.records[-1] else None)
                last = record = self.put(out, r, last)
            named.append((f'{records[0].seq:016x}.fwj', bytes(out) + bytes(64)))
        self.header[:] = header
        return named

    def state(self, r, head, key, seed, first):
        fewer = first - self.first if first and not self.said_only else 0
        said = struct.pack('<8s16sQQQ32s32s32s', b'FWJCKPT1', self.header[8:24], r.seq, r.time,
                           first or self.first, head,
                           reader.root(self.leaves[fewer:]), key)
        r.body = said + (sign(seed, said)[1] if seed else r.body[144:208]) + r.body[208:]

    def put(self, out, r, last):
        pad = -len(r.body) % 8
        head = struct.pack('<IBBHQQQQQ', 80 + len(r.body) + pad, r.kind, 0, pad, r.seq, r.time,
                           r.source, r.counter, r.refers) + r.body + bytes(pad)
        last = sha256(last + head).digest()
        out += head + last
        if r.kind == reader.CHECKPOINT:
            self.leaves, self.first = [], r.seq
        self.leaves.append(last)
        return last
