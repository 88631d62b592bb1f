# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of fwadmit-journald share: rings, launchers, and what came of it on disk.

The ring and the files are written down here a second time, from src/journal/ring.h and format.h.
FWADMIT-JOURNALD and the program that prints bodies of records are the first arguments.
"""
import fcntl
import hashlib
import mmap
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

JOURNALD = os.path.abspath(sys.argv.pop(1))
BODIES = {name: bytes.fromhex(text) for name, text in
          (line.split() for line in subprocess.check_output([sys.argv.pop(1)], text=True).splitlines())}
DEADLINE = 20.0

START, CHECKPOINT, RETIRED, CLOCK, SOURCE, SOURCE_END, OBJECT = range(1, 8)
DECISION, OUTCOME, CONTEXT, CONTROL, UNRECORDED = range(16, 21)
ORDERLY, LOST, NONSENSE = range(3)
WORKER, DAEMON, EMBEDDED = range(1, 4)
UNKNOWN = 4  # enum fwa_outcome
PERIODIC, HANDOVER, STOP, BEGIN_CHECKPOINT = range(4)
CHECKPOINT_WHY = 208
M_SOURCE, M_DETACH, M_OBJECT, M_BEGIN, M_READY, M_BAD, M_FAILED = range(1, 8)

PAGE, RECEIPTS, DATA = 4096, 1024, 256 * 1024
RING_LEN = PAGE + RECEIPTS * 16 + DATA
PRODUCED, WANTS_ROOM, CONSUMED, DURABLE, HEAD, TROUBLE, SLEEP = 0, 8, 64, 72, 80, 88, 128
LOST_WORDS = 16  # refused, passed, since, until
AWAKE, DOZES, SLEEPS = range(3)
F_ADD_SEALS, SEAL_SEAL, SEAL_SHRINK, SEAL_GROW, SEAL_WRITE = 1033, 1, 2, 4, 8


def wait_until(condition, what, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.002)
    raise AssertionError('timeout: ' + what)


def outcome(decision):
    """An outcome's body: where two of them differ is the counter of the decision."""
    one, two = BODIES['outcome-1'], BODIES['outcome-2']
    at = next(i for i in range(len(one)) if one[i] != two[i])
    return one[:at] + struct.pack('<Q', decision) + one[at + 8:]


class Ring:
    """The producer's side of a ring."""

    def __init__(self, kind=WORKER, name='dev0', seals=SEAL_SEAL | SEAL_SHRINK | SEAL_GROW, length=RING_LEN):
        self.memory = os.memfd_create('ring', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.memory, length)
        fcntl.fcntl(self.memory, F_ADD_SEALS, seals)
        self.doorbell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.ack = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.map = mmap.mmap(self.memory, RING_LEN)
        self.words = {format: memoryview(self.map).cast(format) for format in 'QI'}
        self.id, self.kind, self.name = os.urandom(16), kind, name
        self.counter = self.produced = 0
        self.sent = []  # of each record its kind and body
        self.rung = 0

    def word(self, at, format='Q'):
        return self.words[format][at // struct.calcsize(format)]

    def set_word(self, at, value, format='Q'):
        """In one piece: struct.pack_into() writes zeroes before."""
        self.words[format][at // struct.calcsize(format)] = value

    @staticmethod
    def need(body):
        return 16 + (len(body) + 7 & ~7)

    def room(self):
        return DATA - (self.produced - self.word(CONSUMED))

    def raw(self, data):
        at = self.produced % DATA
        base = PAGE + RECEIPTS * 16
        head = data[:DATA - at]
        self.map[base + at:base + at + len(head)] = head
        self.map[base:base + len(data) - len(head)] = data[len(head):]
        self.produced += len(data)
        self.set_word(PRODUCED, self.produced)

    def wake(self, urgent):
        how = self.word(SLEEP, 'I')
        if how == SLEEPS or how == DOZES and (urgent or self.room() <= DATA // 2):
            self.set_word(SLEEP, AWAKE, 'I')
            os.eventfd_write(self.doorbell, 1)
            self.rung += 1

    def put(self, kind, body, urgent=False):
        if self.need(body) > self.room():
            return 0
        self.counter += 1
        self.sent.append((kind, body))
        head = struct.pack('<IBBHQ', len(body), kind, urgent, 0, self.counter)
        self.raw((head + body).ljust(self.need(body), b'\0'))
        self.wake(urgent)
        return self.counter

    def put_wait(self, kind, body, urgent=False):
        """The same, once there is room."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            n = self.put(kind, body, urgent)
            if n:
                return n
            time.sleep(0.001)
        raise AssertionError('no room')

    def durable(self):
        return self.word(DURABLE)

    def receipt(self, counter):
        n, seq = self.word(PAGE + counter % RECEIPTS * 16), self.word(PAGE + counter % RECEIPTS * 16 + 8)
        return seq if n == counter else 0

    def wait_durable(self, counter, deadline=DEADLINE):
        """As a worker waits: until the eventfd says that something changed."""
        end = time.monotonic() + deadline
        while self.durable() < counter:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.ack], [], [], left)[0]:
                raise AssertionError('record %d is not durable' % counter)
            try:
                os.eventfd_read(self.ack)
            except BlockingIOError:
                pass
        return self.receipt(counter)

    def close(self):
        for view in self.words.values():
            view.release()
        self.map.close()
        for fd in self.memory, self.doorbell, self.ack:
            os.close(fd)


def message(kind, token=0, data=b''):
    return struct.pack('<HHI', kind, 0, token) + data


def sealed(data, seals=SEAL_SEAL | SEAL_SHRINK | SEAL_GROW | SEAL_WRITE):
    fd = os.memfd_create('object', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, F_ADD_SEALS, seals)
    return fd


class Launcher:
    """One connection to journald."""

    def __init__(self, sock, process=None):
        self.sock, self.process = sock, process
        sock.settimeout(DEADLINE)
        self.tokens = 0

    def receive(self):
        data = self.sock.recv(4096)
        if not data:
            raise ConnectionResetError
        return struct.unpack_from('<HHI', data)[0::2] + (data[8:],)

    def ready(self):
        kind, _, data = self.receive()
        assert kind == M_READY, (kind, data)
        return self

    def attach(self, ring, pid=None):
        self.tokens += 1
        data = ring.id + struct.pack('<BII64s256s', ring.kind, os.getpid() if pid is None else pid, os.getuid(),
                                     ring.name.encode(), b'sim:test')
        socket.send_fds(self.sock, [message(M_SOURCE, self.tokens, data)], [ring.memory, ring.doorbell, ring.ack])
        ring.token = self.tokens
        return ring

    def begin(self):
        self.sock.send(message(M_BEGIN))
        return self

    def object(self, memory, kind=2, key=bytes(32), device=b'dev0'):
        socket.send_fds(self.sock, [message(M_OBJECT, 0, struct.pack('<B32s64s', kind, key, device))], [memory])

    def detach(self, ring, how=ORDERLY):
        self.sock.send(message(M_DETACH, ring.token, bytes([how])))

    def close(self):
        self.sock.close()


# --- what is on disk -----------------------------------------------------------------------------


class Record:
    def __init__(self, frame, offset):
        (self.len, self.kind, zero, padding, self.seq, self.time, self.source, self.counter,
         self.refers) = struct.unpack_from('<IBBHQQQQQ', frame)
        self.body = frame[48:self.len - 32 - padding]
        self.hash = frame[self.len - 32:self.len]
        self.offset = offset

    def __repr__(self):
        return '%d: kind %d source %d counter %d refers %d' % (self.seq, self.kind, self.source, self.counter,
                                                             self.refers)


def segments(path):
    return sorted(n for n in os.listdir(path) if n.endswith('.fwj'))


def read_segment(path, end):
    """Its records up to number @end; the chain, the numbers and the zeroes behind them are checked."""
    with open(path, 'rb') as f:
        data = f.read()
    assert data[:8] == b'FWJSEG1\0', path
    seq, = struct.unpack_from('<Q', data, 24)
    chain, at, records = hashlib.sha256(data[:128]).digest(), 128, []
    while seq < end and at + 4 <= len(data) and struct.unpack_from('<I', data, at)[0]:
        record = Record(data[at:at + struct.unpack_from('<I', data, at)[0]], at)
        assert record.seq == seq, record
        chain = hashlib.sha256(chain + data[at:at + record.len - 32]).digest()
        assert chain == record.hash, record
        records.append(record)
        at, seq = at + record.len, seq + 1
    assert end < 1 << 63 or not any(data[at:]), 'bytes behind the end'
    return records, data[80 - 8:104] and data[72:104], chain


def read_log(path):
    """All records of a journal, from segment to segment."""
    names, records, chain = segments(path), [], None
    for i, name in enumerate(names):
        end = int(names[i + 1][:16], 16) if i + 1 < len(names) else 1 << 63
        more, before, last = read_segment(os.path.join(path, name), end)
        assert chain is None or before == chain, name
        records, chain = records + more, last
    return records


def read_log_in_use(path):
    """The same while it is written: a file may be without its header yet, or gone; a record may be half there."""
    end = time.monotonic() + DEADLINE
    while True:
        try:
            return read_log(path)
        except (AssertionError, FileNotFoundError, struct.error):
            if time.monotonic() > end:
                raise
        time.sleep(0.01)


def sources(records):
    """By id: the records of a source, whatever numbers it had."""
    names, found = {}, {}
    for r in records:
        if r.kind == SOURCE:
            names[r.seq] = r.body[:16]
            found.setdefault(r.body[:16], [])
        elif r.source:
            found[names[r.source]].append(r)
    return found


class Case(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix='fwadmit-journald-')
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)
        self.dir = os.path.join(self.base, 'journal')
        os.mkdir(self.dir, 0o700)
        self.log_path = os.path.join(self.base, 'log')

    def log(self):
        with open(self.log_path) as f:
            return f.read()

    def spawn(self, *args, prefix=(), preexec=None, env=None):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, open(self.log_path, 'a') as log:
            process = subprocess.Popen(
                [*prefix, JOURNALD, '--dir=' + self.dir, '--control-fd=%d' % theirs.fileno(), *args],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                preexec_fn=preexec, env=env)
        launcher = Launcher(ours, process)
        self.addCleanup(self.end, launcher, signal.SIGKILL)
        return launcher

    def start(self, *args, **how):
        return self.spawn(*args, **how).ready()

    def join(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(s.close)
        s.connect(os.path.join(self.dir, 'socket'))
        return Launcher(s)

    def ring(self, *args, **how):
        ring = Ring(*args, **how)
        self.addCleanup(ring.close)
        return ring

    def end(self, launcher, sig=None):
        """Leaves; or kills it. Waits for its end."""
        launcher.close()
        if launcher.process.poll() is None and sig:
            launcher.process.send_signal(sig)
        return launcher.process.wait(DEADLINE)

    def check(self, rings, closed=0):
        """Each ring's records are there, once, in order; @closed more outcomes are of the journal's making."""
        records = read_log(self.dir)
        found = sources(records)
        for ring in rings:
            own = [r for r in found.get(ring.id, []) if r.counter]
            self.assertEqual([r.counter for r in own], list(range(1, len(ring.sent) + 1)), self.log())
            self.assertEqual([(r.kind, r.body) for r in own], ring.sent)
        made = [r for r in records if r.source and not r.counter and r.kind == OUTCOME]
        self.assertEqual(len(made), closed)
        return records
