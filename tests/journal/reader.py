#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads and verifies a journal. Written from spec/JOURNAL-FORMAT.md alone: no code of the project, no packages.

    reader.py list DIR                        a line a record
    reader.py verify DIR [KEY-HEX] [LINE ..]  checkpoint lines that were kept elsewhere
    reader.py prove FILE [KEY-HEX]            whether a proof of inclusion holds
"""

import functools
import json
import re
import struct
import sys
from hashlib import sha256, sha512
from pathlib import Path

START, CHECKPOINT, RETIRED, CLOCK, SOURCE, SOURCE_END, OBJECT = range(1, 8)
DECISION, OUTCOME, CONTEXT, CONTROL, UNRECORDED = range(16, 21)
HANDOVER = 1


# --- Ed25519 (RFC 8032) ---------------------------------------------------------------------------

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    u, v, w, x = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2), 2 * t1 * t2 * D, 2 * z1 * z2
    e, f, g, h = v - u, x - w, x + w, v + u
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(n, point):
    result = (0, 1, 1, 0)
    while n:
        if n & 1:
            result = add(result, point)
        point, n = add(point, point), n >> 1
    return result


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - xx) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


@functools.lru_cache(100000)
def signed(key, message, signature):
    a, r, s = decompress(key), decompress(signature[:32]), int.from_bytes(signature[32:], "little")
    if not a or not r or s >= L:
        return False
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % L
    x, y = multiply(s, BASE), add(r, multiply(k, a))
    return (x[0] * y[2] - y[0] * x[2]) % P == 0 and (x[1] * y[2] - y[1] * x[2]) % P == 0


# --- what is in the files -------------------------------------------------------------------------

class Fault(Exception):
    """Something is not as it has to be: the fault's name, the first bad number, words."""

    def __init__(self, fault, bad, why=""):
        super().__init__(f"{fault} at {bad}: {why}")
        self.fault, self.bad = fault, bad


class Segment:
    def __init__(self, path):
        self.name, self.number = path.name, int(path.name[:16], 16)
        regular = path.is_file() and not path.is_symlink()
        self.data = path.read_bytes() if regular else b""
        magic, self.journal, self.first, self.made, self.key, self.before, rest = \
            struct.unpack_from("<8s16sQQ32s32s24s", self.data.ljust(128, b"\0"))
        self.good = (regular and len(self.data) >= 128 and magic == b"FWJSEG1\0"
                     and rest == sha256(self.data[:104]).digest()[:24] and self.first == self.number != 0)
        self.hash = sha256(self.data[:128]).digest()

    def being_made(self):
        return not self.good and not self.data[128:].strip(b"\0")


class Record:
    """The record at an offset of a segment. ValueError where there is none, EOFError at the end."""

    def __init__(self, data, at):
        if len(data) - at < 4 or data[at:at + 4] == bytes(4):
            raise EOFError
        if len(data) - at < 80:
            raise ValueError
        (self.len, self.kind, zero, pad, self.seq, self.time, self.source, self.counter,
         self.refers) = struct.unpack_from("<IBBHQQQQQ", data, at)
        size = self.len - 80 - pad
        if (zero or not self.kind or not self.seq or pad > 7 or self.len % 8 or self.len > len(data) - at
                or not 0 <= size <= 81920 or any(data[at + 48 + size:at + self.len - 32])):
            raise ValueError
        self.at, self.body = at, data[at + 48:at + 48 + size]
        self.chained, self.hash = data[at:at + self.len - 32], data[at + self.len - 32:at + self.len]


class Checkpoint:
    def __init__(self, body):
        (self.statement, self.signature, self.why, zero, sources,
         decisions) = struct.unpack_from("<144s64sBBHI", body)
        (magic, self.journal, self.seq, self.time, self.first, self.head, self.root,
         self.key) = statement(self.statement)
        if (zero or self.why > 3 or sources > 256 or decisions > 2048 or magic != b"FWJCKPT1"
                or len(body) != 216 + 104 * sources + 24 * decisions or not 0 < self.first <= self.seq):
            raise ValueError
        self.sources = {}
        for i in range(sources):
            number, counter, ident, kind, zeroes, name = struct.unpack_from("<QQ16sB7s64s", body, 216 + 104 * i)
            text = name.split(b"\0")[0]
            if (not 1 <= kind <= 3 or any(zeroes) or name != text.ljust(64, b"\0") or len(text) > 63
                    or re.search(rb"[^ -~]", text) or number <= max(self.sources, default=0)
                    or number >= self.seq):
                raise ValueError
            self.sources[number] = counter, ident, kind, text
        entries = struct.iter_unpack("<QQQ", body[216 + 104 * sources:])
        listed = [(seq, (source, counter)) for source, counter, seq in entries]
        self.open = dict(listed)
        if (listed != sorted(self.open.items()) or any(not all((n, *d)) for n, d in listed)
                or any(n >= self.seq for n in self.open)):
            raise ValueError


def statement(data):
    return struct.unpack("<8s16sQQQ32s32s32s", data)


def root(hashes):
    while len(hashes) > 1:
        hashes = [sha256(b"FWJNODE1" + b"".join(hashes[i:i + 16])).digest() for i in range(0, len(hashes), 16)]
    return hashes[0] if hashes else bytes(32)


def segments(path):
    names = [p for p in Path(path).iterdir() if re.fullmatch(r"[0-9a-f]{16}\.fwj", p.name)]
    found = [Segment(p) for p in sorted(names) if int(p.name[:16], 16)]
    return found[:-1] if found and found[-1].being_made() else found


def records(path):
    """Each record, unverified."""
    found = segments(path)
    for segment, after in zip(found, found[1:] + [None]):
        at = 128
        try:
            while segment.good:
                record = Record(segment.data, at)
                if after and record.seq >= after.number:
                    break
                yield segment, record
                at += record.len
        except (ValueError, EOFError):
            pass


def admits(body):
    """Whether this body of a DECISION says that a command is about to be sent: its reason is `admit`."""
    return body[2] == 16


# --- verification ---------------------------------------------------------------------------------

class Verifier:
    """What is known behind the last good record."""

    def __init__(self, key=None, kept=()):
        self.key, self.kept = key, {statement(k)[2]: k for k in kept}
        self.journal, self.seq, self.first, self.hash = None, 1, 1, bytes(32)
        self.gaps, self.retired, self.signed, self.handed_over = [], [], 0, False
        self.begin([], 1, True)

    def begin(self, leaves, first, known):
        self.leaves, self.leaf_first, self.known, self.since = leaves, first, known, 0
        if not known or first == 1 and not leaves:
            self.sources, self.open, self.exact = {}, {}, known

    def run(self, path):
        found, fault = segments(path), None
        try:
            for i, segment in enumerate(found):
                self.enter(segment, not i)
                self.walk(segment, found[i + 1].number if i + 1 < len(found) else 0)
        except Fault as e:
            fault = e
        if self.gaps:
            self.judge_gaps(path)
        if fault:
            raise fault
        beyond = [seq for seq in self.kept if seq >= self.seq]
        if beyond:
            raise Fault("checkpoint", self.seq, f"{beyond[0]} was kept")
        return self

    def enter(self, s, begins):
        if not s.good:
            raise Fault("header", s.number if begins else self.seq)
        if begins:
            self.journal, self.key, self.first = s.journal, self.key or s.key, s.first
            if any(statement(kept)[1] != s.journal for kept in self.kept.values()):
                raise Fault("checkpoint", s.first, "one of another journal was kept")
            if s.first == 1 and any(s.before):
                raise Fault("hash", 1)
        if s.journal != self.journal:
            raise Fault("header", self.seq)
        if s.key != self.key:
            raise Fault("key", s.first)
        if s.first > self.seq:
            self.gaps.append((self.seq, s.first - 1, s.before))
            self.begin([s.before], s.first - 1, False)
            self.seq = s.first
        elif s.before != self.hash:
            raise Fault("hash", s.first)
        self.hash, self.handed_over = s.hash, False

    def walk(self, s, after):
        at, last = 128, None
        try:
            while self.seq != after:
                record = Record(s.data, at)
                self.take(record)
                at, last = at + record.len, record
        except ValueError:
            raise Fault("frame", self.seq) from None
        except EOFError:
            pass
        if (self.seq != after or self.handed_over) and s.data[at:].strip(b"\0"):
            raise Fault("trailing", self.seq)
        if last:
            self.hash = last.hash

    def take(self, r):
        if r.seq != self.seq:
            raise Fault("sequence", self.seq, f"{r.seq} is there")
        if r.hash != sha256(self.hash + r.chained).digest():
            raise Fault("hash", self.seq)
        checkpoint = self.check_checkpoint(r) if r.kind == CHECKPOINT else None
        if not checkpoint and self.since == 4096:
            raise Fault("unsigned", self.seq)
        if checkpoint:
            self.compare(checkpoint)
        elif self.exact:
            self.follow(r)
        if r.seq in self.kept and not (checkpoint and checkpoint.statement == self.kept[r.seq]):
            raise Fault("checkpoint", self.seq)
        if r.kind == RETIRED:
            first, last, size, last_hash = struct.unpack("<QQQ32s", r.body)
            self.retired.append((last, last_hash))
        self.handed_over, self.hash = bool(checkpoint) and checkpoint.why == HANDOVER, r.hash
        if checkpoint:
            self.signed = r.seq
            self.begin([r.hash], r.seq, True)
        else:
            self.leaves.append(r.hash)
            self.since += 1
        self.seq += 1

    def check_checkpoint(self, r):
        try:
            c = Checkpoint(r.body)
        except (ValueError, struct.error):
            raise Fault("body", self.seq) from None
        skip = c.first - self.leaf_first
        tree = (skip < 0 and not self.known) or (
            0 <= skip <= (not self.known) and root(self.leaves[skip:]) == c.root)
        if (c.journal, c.seq, c.time, c.head) != (self.journal, r.seq, r.time, self.hash) or not tree:
            raise Fault("root", self.seq)
        if c.key != self.key:
            raise Fault("key", self.seq)
        if not signed(c.key, c.statement, c.signature):
            raise Fault("signature", self.seq)
        return c

    def compare(self, c):
        if self.exact and c.sources != self.sources:
            raise Fault("counter", self.seq, "other sources are listed")
        if self.exact and c.open != self.open:
            raise Fault("refers", self.seq, "other open decisions are listed")
        self.sources, self.open, self.exact = dict(c.sources), dict(c.open), True

    def follow(self, r):
        if r.kind == SOURCE:
            self.begin_source(r)
        elif r.kind == SOURCE_END:
            if r.source not in self.sources or r.counter:
                raise Fault("counter", self.seq)
            if any(source == r.source for source, _ in self.open.values()):
                raise Fault("refers", self.seq)
            del self.sources[r.source]
        elif r.source or r.counter or DECISION <= r.kind <= UNRECORDED:
            self.of_source(r)

    def begin_source(self, r):
        ident, resumed, _, _, kind, name, _ = struct.unpack_from("<16sQIIBBB", r.body)
        before = [n for n, s in self.sources.items() if s[1] == ident]
        if r.source or r.counter or resumed != (self.sources[before[0]][0] if before else 0):
            raise Fault("counter", self.seq)
        for number in before:
            del self.sources[number]
            self.open = {seq: (r.seq if d[0] == number else d[0], d[1]) for seq, d in self.open.items()}
        if len(self.sources) == 256:
            raise Fault("counter", self.seq)
        self.sources[r.seq] = resumed, ident, kind, r.body[35:35 + name]

    def of_source(self, r):
        if r.source not in self.sources:
            raise Fault("counter", self.seq, "no such source")
        counter, *rest = self.sources[r.source]
        in_place = r.kind == OUTCOME and not r.counter
        if not in_place and r.counter != counter + 1:
            raise Fault("counter", self.seq, f"{r.counter} after {counter}")
        self.sources[r.source] = counter + (not in_place), *rest
        if r.kind == OUTCOME:
            if self.open.pop(r.refers, None) != (r.source, struct.unpack_from("<Q", r.body)[0]):
                raise Fault("refers", self.seq)
        elif r.kind == DECISION and admits(r.body):
            if len(self.open) == 2048:
                raise Fault("refers", self.seq)
            self.open[r.seq] = r.source, r.counter

    def judge_gaps(self, path):
        """Also what could not be verified may say that a gap is none."""
        said = self.retired + [struct.unpack_from("<8xQ8x32s", r.body) for _, r in records(path)
                               if r.kind == RETIRED and r.seq >= self.seq and len(r.body) == 56]
        for first, last, before in self.gaps:
            if (last, before) not in said:
                behind = [n + 1 for n, _ in said if first <= n < last]
                raise Fault("gap", max(behind, default=first))


def parse_line(line):
    """(statement, signature) of a checkpoint that was kept as a line."""
    magic, said, signature = line.split(" ")
    if magic != "fwadmit-checkpoint-1" or len(said) != 288 or len(signature.strip()) != 128:
        raise ValueError("no checkpoint")
    return bytes.fromhex(said), bytes.fromhex(signature)


def proof_holds(proof, key=None):
    """The record that it proves, None when it proves nothing."""
    try:
        return climb(proof.get("proof", proof), key)
    except (ValueError, EOFError, KeyError, TypeError, struct.error):
        return None


def climb(proof, key):
    said, signature = parse_line(proof["checkpoint"])
    _, _, seq, _, first, _, top, signer = statement(said)
    frame = bytes.fromhex(proof["frame"])
    record = Record(frame, 0)
    ours = sha256(bytes.fromhex(proof["before"]) + record.chained).digest()
    if record.len != len(frame) or ours != record.hash or not first <= record.seq < seq:
        return None
    i, n, levels = record.seq - first, seq - first, list(proof["levels"])
    while n > 1:
        level = levels.pop(0) if levels else {"index": -1}
        if level["index"] != i % 16 or len(level["children"]) != min(16, n - (i - i % 16)):
            return None
        children = [ours if k == i % 16 else bytes.fromhex(c) for k, c in enumerate(level["children"])]
        ours = sha256(b"FWJNODE1" + b"".join(children)).digest()
        i, n = i // 16, (n + 15) // 16
    good = not levels and ours == top and signer == (key or signer) and signed(signer, said, signature)
    return record if good else None


def main(what, path, *more):
    if what == "list":
        for segment, r in records(path):
            print(segment.number, r.at, r.kind, r.seq, r.time, r.source, r.counter, r.refers, r.hash.hex(), r.body.hex())
        return 0
    key = bytes.fromhex(more[0]) if more else None
    if what == "prove":
        record = proof_holds(json.loads(Path(path).read_text()), key)
        print(f"record {record.seq} was in the journal" if record else "it proves nothing")
        return 0 if record else 1
    try:
        v = Verifier(key, [parse_line(line)[0] for line in more[1:]]).run(path)
    except Fault as e:
        print(e)
        return 1
    print(f"good: records {v.first} to {v.seq - 1}, signed until {v.signed}, {len(v.open)} open")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
