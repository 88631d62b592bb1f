#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fwadmitd, its workers and its journal under load, and kill -9 at random: FWADMITD and DUMP as arguments.

Simulated devices note by themselves what they were given, clients what they were told. In the end the journal
verifies, and tells of all of it. $SOAK_SECONDS: how long (10), $SOAK_SEED: what is killed when.
"""
import collections
import hashlib
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(os.path.dirname(os.path.abspath(__file__)))
import reader  # noqa: E402

FWADMITD, DUMP = map(os.path.abspath, sys.argv[1:3])
SECONDS = float(os.environ.get('SOAK_SECONDS', 10))
SEED = int(os.environ.get('SOAK_SEED', 1))
DEVICES = ['a', 'b']
GET_LSA, SET_LSA = 0x4102, 0x4103
REFUSED, COMPLETED, DEVICE_ERROR, UNDELIVERABLE, UNKNOWN = range(5)
ADMIT = 16
DECISION, OUTCOME = 16, 17
DEADLINE = 60
TALLY = 1 << 20
POLICY = ('[grant all]\nuser = *\ndevice = *\nscope = debug-write-full\n'
          'effects = config, data, policy, log, background, exclusive\n')


def payload_of(n):
    return struct.pack('<IIQ', 0, 0, n)


def request(opcode, payload):
    return struct.pack('<IHHQBBHI6IIIII', 0x31475746, 2, 2, 7, 0, 255, opcode, 0, *6 * (0,), len(payload), 4096, 0,
                       0) + payload


def processes():
    """Of each its parent and its words."""
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/stat' % pid) as f:
                state, parent = f.read().rsplit(')', 1)[1].split()[:2]
            with open('/proc/%s/cmdline' % pid) as f:
                words = f.read().split('\0')
        except OSError:
            continue
        if state != 'Z':
            yield int(pid), int(parent), words


class System:
    def __init__(self):
        self.base = tempfile.mkdtemp(prefix='fwadmit-soak-')
        os.chmod(self.base, 0o755)
        self.journal = os.path.join(self.base, 'state', 'journal')
        os.mkdir(self.base + '/policy')
        with open(self.base + '/policy/test.conf', 'w') as f:
            f.write(POLICY)
        for name in DEVICES:
            with open(self.tally(name), 'wb') as f:
                f.truncate(64 * TALLY)
            os.chmod(f.name, 0o666)
        self.log = open(self.base + '/log', 'w')
        self.workers = set()
        self.start()

    def tally(self, name):
        return '%s/tally-%s' % (self.base, name)

    def start(self):
        self.daemon = subprocess.Popen(
            [FWADMITD, '--socket-dir=%s/run' % self.base, '--policy=%s/policy' % self.base, '--no-discovery',
             '--state-dir=%s/state' % self.base, '--journal-segment=2M',
             *('--device=%s=sim:honest,count=%s%s' % (n, self.tally(n), ',delay-ms=3' if n == 'b' else '')
               for n in DEVICES)],
            stderr=self.log, stdin=subprocess.DEVNULL)

    def find(self):
        """Pids by kind, now."""
        found = {'daemon': [self.daemon.pid], 'worker': [], 'journald': []}
        for pid, parent, words in processes():
            name = os.path.basename(words[0])
            if name == 'fwadmit-worker' and (parent == self.daemon.pid or pid in self.workers):
                self.workers.add(pid)
                found['worker'].append(pid)
            elif name == 'fwadmit-journald' and any(w == '--dir=' + self.journal for w in words):
                found['journald'].append(pid)
        return found

    def kill(self, kind, rng):
        """How many were killed."""
        found = self.find()
        pids = {'worker': found['worker'], 'journald': found['journald'], 'daemon': found['daemon'],
                'writer and worker': found['journald'] + found['worker'][:1],
                'all': found['daemon'] + found['journald'] + found['worker']}[kind]
        if kind == 'worker':
            pids = rng.sample(pids, min(1, len(pids)))
        rng.shuffle(pids)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.daemon.pid in pids:
            self.daemon.wait()
            self.start()
        return len(pids)

    def end(self):
        self.daemon.terminate()
        status = self.daemon.wait(DEADLINE)
        end = time.monotonic() + DEADLINE
        while self.find()['journald'] and time.monotonic() < end:
            time.sleep(0.05)
        return status


class Client(threading.Thread):
    """Writes, each with a number of its own, or reads; keeps what it was told."""
    numbers = iter(range(1, 1 << 60))
    lock = threading.Lock()

    def __init__(self, system, name, writes):
        super().__init__(daemon=True)
        self.path = '%s/run/%s.sock' % (system.base, name)
        self.writes, self.stopping, self.told, self.reads, self.odd = writes, False, [], 0, []

    def ask(self, sock):
        with self.lock:
            n = next(self.numbers)
        try:
            sock.send(request(SET_LSA, payload_of(n)) if self.writes else
                      request(GET_LSA, struct.pack('<II', 0, 16)))
            message = sock.recv(65536)
        except OSError:
            message = b''
        if not message:
            return False
        error, status = struct.unpack_from('<HB', message, 16)
        if error:
            self.odd.append(error)
        elif self.writes:
            self.told.append((n, status, message[20], struct.unpack_from('<Q', message, 72)[0]))
        else:
            self.reads += status == COMPLETED
        return True

    def run(self):
        while not self.stopping:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
                sock.settimeout(DEADLINE)
                try:
                    sock.connect(self.path)
                except OSError:
                    time.sleep(0.01)
                    continue
                while not self.stopping and self.ask(sock):
                    time.sleep(0.002)


def live(system):
    """Load and kills. The clients, and the kills by kind."""
    rng, kills = random.Random(SEED), collections.Counter()
    clients = [Client(system, name, writes) for name in DEVICES for writes in (True, True, False)]
    for c in clients:
        c.start()
    kinds = ['worker', 'journald', 'daemon', 'writer and worker', 'all']
    time.sleep(1)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        kind = kinds[sum(kills.values()) % len(kinds)] if SECONDS < 60 else rng.choice(kinds)
        time.sleep(rng.choice((0.01, 0.1, 0.3, 0.8)) + rng.random() * 0.2)
        kills[kind] += system.kill(kind, rng) > 0
    time.sleep(2)
    for c in clients:
        c.stopping = True
    for c in clients:
        c.join(DEADLINE)
    return clients, kills


class Wrong(Exception):
    pass


def check(good, *what):
    if not good:
        raise Wrong(*what)


def executed(system):
    """What the devices were given: how often each number."""
    counts = collections.Counter()
    for name in DEVICES:
        with open(system.tally(name), 'rb') as f:
            data = f.read()
        n, = struct.unpack_from('<Q', data)
        check(n < TALLY - 1, 'the tally is full')
        for i in range(n):
            opcode, _, length, shown = struct.unpack_from('<HHI56s', data, 64 + 64 * i)
            if opcode == SET_LSA:
                check(length == 16, length)
                counts[struct.unpack_from('<Q', shown, 8)[0]] += 1
    return counts


def read(system):
    """Decisions by their payload's digest, by number, and the status of each one's outcome."""
    said = subprocess.run([DUMP], input='verify %s\n' % system.journal, capture_output=True, text=True).stdout
    check(said.split()[0] in ('none', '0'), 'does not verify', said)
    verifier = reader.Verifier().run(system.journal)
    check(not verifier.open, 'open', verifier.open)
    by_digest, outcomes, numbers = collections.defaultdict(list), {}, {}
    made = 0
    for _, r in reader.records(system.journal):
        if r.kind == DECISION and r.body[2] == ADMIT and struct.unpack_from('<H', r.body, 10)[0] == SET_LSA:
            by_digest[r.body[140:172]].append(r.seq)
        if r.kind == DECISION:
            numbers[r.seq] = r.body[140:172]
        if r.kind == OUTCOME:
            check(r.refers not in outcomes, 'two outcomes', r.refers)
            outcomes[r.refers] = struct.unpack_from('<I', r.body, 32)[0]
            made += not r.counter
    return by_digest, outcomes, numbers, made


def compare(system, clients):
    given = executed(system)
    by_digest, outcomes, numbers, made = read(system)
    for n, times in given.items():
        check(times == 1, 'executed twice', n)
        seqs = by_digest[hashlib.sha256(payload_of(n)).digest()]
        check(seqs, 'executed without a decision', n)
        check(any(outcomes[s] in (COMPLETED, DEVICE_ERROR, UNKNOWN) for s in seqs), 'executed, says the journal not', n)
    told = [t for c in clients for t in c.told]
    for n, status, reason, seq in told:
        digest = hashlib.sha256(payload_of(n)).digest()
        if status == COMPLETED:
            check(given[n] == 1, 'completed, and never given to the device', n)
            check(any(outcomes[s] in (COMPLETED, UNKNOWN) for s in by_digest[digest]), 'completed, lost', n)
        if status in (REFUSED, UNDELIVERABLE):
            check(given[n] == 0, 'refused and executed', n)
        if seq:
            check(numbers.get(seq) == digest, 'the number is of another one', n, seq)
    return given, told, outcomes, made


def main():
    system = System()
    try:
        clients, kills = live(system)
        check(system.end() == 0, 'fwadmitd failed')
        given, told, outcomes, made = compare(system, clients)
        completed = sum(status == COMPLETED for _, status, _, _ in told)
        print('%d kills: %s' % (sum(kills.values()), ', '.join('%s %d' % k for k in sorted(kills.items()))))
        print('%d writes executed, %d told so, %d refused, %d reads; %d outcomes, %d of them "unknown", made for whom '
              'was killed; lost: 0; twice: 0' %
              (len(given), completed, sum(s == REFUSED for _, s, _, _ in told), sum(c.reads for c in clients),
               len(outcomes), made))
        check(sum(kills.values()) >= SECONDS / 10 and completed >= 10, 'too little happened')
        check(set(kills) >= {'worker', 'journald', 'daemon', 'all'}, kills)
    except Wrong:
        system.log.flush()
        with open(system.base + '/log') as f:
            sys.stderr.write(f.read()[-4000:])
        if os.environ.get('SOAK_KEEP'):
            shutil.copytree(system.base, os.environ['SOAK_KEEP'])
        raise
    finally:
        for pids in system.find().values():
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        system.daemon.wait()
        shutil.rmtree(system.base)


if __name__ == '__main__':
    main()
