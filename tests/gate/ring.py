# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal's end of a worker's ring, played by a test: takes records, and says when they are durable.

The layout is written here a second time, from src/journal/ring.h and src/core/record.h. Sequence numbers
are the counters plus 1000, so that the one is never taken for the other.
"""
import fcntl
import mmap
import os
import struct
import threading
import time

DATA_LEN = 256 * 1024
DATA = 4096 + 1024 * 16
LEN = DATA + DATA_LEN
PRODUCED, WANTS_ROOM, CONSUMED, DURABLE, HEAD, TROUBLE, SLEEP = 0, 8, 64, 72, 80, 88, 128
LOST = 16  # refused, passed, since, until
DECISION, OUTCOME, CONTEXT, UNRECORDED = 16, 17, 18, 20
FLAG_GATE, FLAG_DRIFTED, FLAG_DWORDS, FLAG_PAYLOAD, FLAG_LEFT_OUT = 1 << 1, 1 << 3, 1 << 5, 1 << 8, 1 << 9
SEALS = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
STEP = 1000


class Record:
    def __init__(self, kind, urgent, counter, body):
        self.kind, self.urgent, self.counter, self.body = kind, urgent, counter, body
        if kind == DECISION:
            self.decision()
        elif kind == OUTCOME:
            (self.of, self.duration, self.code, self.result, self.errno, self.out_len,
             self.status) = struct.unpack_from("<QQIIIII", body)
            self.sha256 = body[36:]
        elif kind == CONTEXT:
            self.profile, self.policy = body[:32], body[32:64]
            self.identity = body[66:].decode().split("\t")
        elif kind == UNRECORDED:
            self.refused, self.passed, self.since, self.until = struct.unpack("<QQQQ", body)

    def decision(self):
        body = self.body
        self.flags, self.reason, self.detail = struct.unpack_from("<HBB", body)
        self.opcode, = struct.unpack_from("<H", body, 10)
        self.quarantine, self.transfer, self.journal = body[12:15]
        (self.judged, _, _, self.declared, self.floor, self.advisory, _, self.in_len, self.out_len, self.uid,
         self.gid, self.pid) = struct.unpack_from("<QIIIIIIIIIII", body, 16)
        n = body[68:73]
        self.profile, self.policy = body[76:108], body[108:140]
        self.sha256 = body[140:172] if self.in_len else b""
        payload = len(body) - (self.in_len if self.flags & FLAG_PAYLOAD else n[0])
        self.payload = body[payload:]
        self.grant = body[payload - n[4]:payload].decode()
        self.comm = body[payload - n[4] - n[3]:payload - n[4]].decode()

    def __repr__(self):
        return f"<{self.kind} {self.counter} {vars(self).get('opcode', vars(self).get('of', 0)):x}>"


class Ring:
    def __init__(self):
        self.memory = os.memfd_create("ring", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        os.ftruncate(self.memory, LEN)
        fcntl.fcntl(self.memory, fcntl.F_ADD_SEALS, SEALS)
        self.doorbell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.ack = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.map = mmap.mmap(self.memory, LEN)
        self.consumed = self.counter = 0
        self.records = []  # all that were taken
        self.lock = threading.Lock()

    def close(self):
        self.map.close()
        for fd in self.fds():
            os.close(fd)

    def fds(self):
        return [self.memory, self.doorbell, self.ack]

    def word(self, at):
        return struct.unpack_from("<Q", self.map, at)[0]

    def set_word(self, at, value, form="<Q"):
        """In one piece: struct.pack_into() writes zeroes before."""
        with memoryview(self.map).cast(form[1:]) as words:
            words[at // struct.calcsize(form)] = value

    def ring(self):
        try:
            os.eventfd_write(self.ack, 1)
        except BlockingIOError:
            pass

    def bytes(self, at, n):
        at %= DATA_LEN
        first = self.map[DATA + at:DATA + min(at + n, DATA_LEN)]
        return first + self.map[DATA:DATA + n - len(first)]

    def take(self):
        """What is new. Its room is not free yet."""
        new = []
        while self.consumed != self.word(PRODUCED):
            size, kind, flags, zero, counter = struct.unpack("<IBBHQ", self.bytes(self.consumed, 16))
            assert counter == self.counter + 1 and not zero and flags < 2, (counter, self.counter)
            padded = -size % 8 + size
            body = self.bytes(self.consumed + 16, padded)
            assert not any(body[size:])
            self.consumed += 16 + padded
            self.counter = counter
            new.append(Record(kind, bool(flags), counter, body[:size]))
        self.records += new
        return new

    def release(self):
        self.set_word(CONSUMED, self.consumed)
        if struct.unpack_from("<I", self.map, WANTS_ROOM)[0]:
            self.set_word(WANTS_ROOM, 0, "<I")
            self.ring()

    def publish(self):
        """All that was taken is durable."""
        for r in self.records[-1024:]:
            at = 4096 + r.counter % 1024 * 16
            if r.urgent and r.counter > self.word(DURABLE):
                struct.pack_into("<QQ", self.map, at, r.counter, r.counter + STEP)
        self.set_word(HEAD, self.counter + STEP)
        self.set_word(DURABLE, self.counter)
        self.ring()

    def commit(self):
        with self.lock:
            self.take()
            self.release()
            new = self.counter - self.word(DURABLE)
            if new:
                self.publish()
        return new

    def trouble(self, error):
        self.set_word(TROUBLE, error, "<I")
        self.ring()

    def wait(self, condition, what="a record", seconds=20):
        """Takes until @condition holds for one of the records; that one."""
        end = time.monotonic() + seconds
        seen = 0
        while True:
            with self.lock:
                self.take()
            for r in self.records[seen:]:
                if condition(r):
                    return r
            seen = len(self.records)
            assert time.monotonic() < end, f"{what}: {self.records[-8:]}"
            time.sleep(0.0005)

    def decision(self, opcode, after=0):
        return self.wait(lambda r: r.kind == DECISION and r.opcode == opcode and r.counter > after,
                         f"a decision on {opcode:x}")

    def outcome(self, decision):
        return self.wait(lambda r: r.kind == OUTCOME and r.of == decision.counter,
                         f"the outcome of {decision}")


class Committer(threading.Thread):
    """Commits all the time, as the journal does."""

    def __init__(self, ring, pause=0.0005):
        super().__init__()
        self.ring, self.pause, self.over, self.commits = ring, pause, False, 0
        self.start()

    def run(self):
        while not self.over:
            self.commits += bool(self.ring.commit())
            time.sleep(self.pause)

    def stop(self):
        self.over = True
        self.join()
        self.ring.commit()
