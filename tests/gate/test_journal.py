#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A worker and its ring, with a test in the place of the journal (C31): FWADMITD as first argument,
check-records as second.

What the device was given is what the simulated device notes itself, in a file that the worker cannot take back.
"""
import ctypes
import hashlib
import os
import pathlib
import pwd
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

CHECK = os.path.abspath(sys.argv.pop(2))
DIE = os.path.abspath(sys.argv.pop(2)) if len(sys.argv) > 2 and sys.argv[2].endswith(".so") else None

from ring import (CONSUMED, CONTEXT, DECISION, DURABLE, FLAG_DRIFTED, FLAG_GATE, FLAG_LEFT_OUT,  # noqa: E402
                  FLAG_PAYLOAD, LOST, OUTCOME, STEP, UNRECORDED, Committer, Ring)
from test_gate import (CALIBRATION, COMPLETED, DESCRIBE, DEVICE_ERROR, E_BUSY, E_GONE, FWADMITD,  # noqa: E402
                       GET_LSA, HEALTH, IDENTIFY, INITIATE, REASONS, REFUSED, ROOT, SET_LSA, UNDELIVERABLE,
                       UNKNOWN, Client, memfd, request)
from test_identity import (BASELINE, DECLARATIONS, POLICY, POLICY_OK, READY, UID, WORKER, sealed,  # noqa: E402
                           snapshot)

IDENTITY, QUARANTINE, REPROFILE, REMOVED = 8, 10, 13, 14
RECEIPT, RECORD_PAYLOAD = 2, 1
SET_FEATURE, TRANSFER_FW, VENDOR_WRITE, UNDECLARED = 0x0502, 0x0201, 0xc001, 0xc0ff
SANITIZED = bool(os.environ.get("FWADMIT_SANITIZED"))
ALL = ("all", 0, 0, 0, 0, 0)
WAIT_S, ROOM_S = 5, 2  # JOURNAL_WAIT_MS, JOURNAL_ROOM_MS


def policy_of(*grants, scope=3, effects=0x1fff, flags=0):
    """With @scope and @effects and @flags in each grant, and a digest of its own."""
    p = bytearray(snapshot(*grants))
    for i in range(len(grants)):
        at = 64 + 16 * len(grants) + 104 * i
        struct.pack_into("<II", p, at, scope, effects)
        struct.pack_into("<I", p, at + 44, flags)
    p[32:64] = hashlib.sha256(bytes(p)).digest()
    return bytes(p)


def write(offset, data, **how):
    return request(opcode=SET_LSA, payload=struct.pack("<II", offset, 0) + data, **how)


class JournalTest(unittest.TestCase):
    DEVICE = "sim:honest"
    POLICY = policy_of(ALL)
    ARGS = []
    ENV = {}
    ENDS = []

    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory(prefix="fwadmit-journal-")
        self.addCleanup(self.tmp.cleanup)
        self.dir = pathlib.Path(self.tmp.name)
        os.chmod(self.dir, 0o755)
        self.worker = None
        self.start()

    def start(self, device=None, policy=None, args=None):
        self.tally = self.dir / "tally"
        self.tally.write_bytes(bytes(64 * 4097))
        os.chmod(self.tally, 0o666)
        self.ring = Ring()
        self.addCleanup(self.ring.close)
        self.policy = policy or self.POLICY
        self.profile = self.accepted = b""
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = self.dir / f"sock{len(list(self.dir.iterdir()))}"
        self.listener.bind(str(path))
        os.chmod(path, 0o666)
        self.listener.listen(256)
        self.path = path
        self.control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(20)
        fd = sealed(self.policy)
        fds = [self.listener.fileno(), control.fileno(), fd, *self.ring.fds()]
        with open(self.dir / "log", "w") as log:
            self.worker = subprocess.Popen(
                [WORKER, "--name=test", f"--device={device or self.DEVICE},count={self.tally}", f"--listen-fd={fds[0]}",
                 f"--control-fd={fds[1]}", f"--policy-fd={fds[2]}", "--journal-fds=" + ",".join(map(str, fds[3:])),
                 *(self.ARGS if args is None else args)],
                pass_fds=fds, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **self.ENV})
        self.listener.close()
        control.close()
        os.close(fd)
        self.addCleanup(self.stop, self.worker, self.control, self.ring)
        self.told(READY)

    def stop(self, worker, control, ring):
        control.close()
        self.assertIn(worker.wait(20), (0, *self.ENDS), self.log())
        with ring.lock:
            ring.take()
        if not worker.returncode:
            self.check_pairs(ring)
        self.check_records(ring)

    def check_pairs(self, ring):
        """Who ended in order has told the outcome of all that changes something."""
        decisions = {r.counter: r for r in ring.records if r.kind == DECISION and REASONS[r.reason] == "admit"}
        outcomes = [r.of for r in ring.records if r.kind == OUTCOME]
        self.assertEqual(len(outcomes), len(set(outcomes)), "one outcome each")
        self.assertLessEqual(set(outcomes), set(decisions))
        for counter in set(decisions) - set(outcomes):
            self.assertFalse(decisions[counter].declared | decisions[counter].floor, "without an outcome")

    def check_records(self, ring):
        """They are records, and who decides again by them decides the same."""
        for name in ("profile", "policy", "accepted"):
            (self.dir / name).write_bytes(getattr(self, name))
        data = b"".join(struct.pack("<II", r.kind, len(r.body)) + r.body for r in ring.records)
        r = subprocess.run([CHECK, self.dir / "profile", self.dir / "policy", self.dir / "accepted"], input=data,
                           capture_output=True)
        self.assertEqual(r.returncode, 0, r.stderr.decode())
        n, again = map(int, r.stdout.split())
        self.assertEqual(n, len(ring.records))
        mine = [r for r in ring.records if r.kind == DECISION and r.policy == self.policy[32:64] and
                r.profile == hashlib.sha256(self.profile).digest()]
        self.assertEqual(again, len(mine))

    def told(self, *wanted):
        kind = None
        while kind not in wanted:
            message, fds, _, _ = socket.recv_fds(self.control, 2048, 4)
            self.assertTrue(message, self.log())
            kind = struct.unpack_from("<H", message)[0]
            if kind == IDENTITY:
                self.profile = os.pread(fds[0], 1 << 22, 0)
            if kind == DECLARATIONS:
                self.answer(fds[0])
            for fd in fds:
                os.close(fd)
        return kind

    def answer(self, declarations):
        self.tell(BASELINE, b"none")

    def tell(self, kind, text=b""):
        self.control.send(struct.pack("<HH", kind, 0) + text)

    def log(self):
        return (self.dir / "log").read_text()

    def reload(self, policy):
        fd = sealed(policy)
        socket.send_fds(self.control, [struct.pack("<HH", POLICY, 0)], [fd])
        os.close(fd)
        self.told(POLICY_OK)

    def client(self):
        c = Client(self.path)
        self.addCleanup(c.close)
        return c

    def executed(self, opcode=SET_LSA):
        """The payloads of @opcode that the device was given."""
        data = self.tally.read_bytes()
        n, = struct.unpack_from("<Q", data)
        self.assertLess(n, 4096)
        entries = [struct.unpack_from("<HHI56s", data, 64 + 64 * i) for i in range(n)]
        return [payload[:size] for code, _, size, payload in entries if code == opcode]

    def expect_silence(self, *clients, seconds=0.1):
        self.assertEqual(select.select([c.sock for c in clients], [], [], seconds)[0], [])

    def commits(self):
        c = Committer(self.ring)
        self.addCleanup(c.stop)
        return c


class Plain(JournalTest):
    def test_no_effect_without_a_durable_record(self):
        c = self.client()
        c.send(write(3, b"abc"))
        d = self.ring.decision(SET_LSA)
        self.assertTrue(d.urgent)
        self.assertEqual((REASONS[d.reason], d.grant, d.uid, d.pid), ("admit", "all", os.geteuid(), os.getpid()))
        self.assertEqual(d.sha256, hashlib.sha256(struct.pack("<II", 3, 0) + b"abc").digest())
        self.assertEqual((d.in_len, d.out_len, d.journal), (11, 2048, 0))
        self.expect_silence(c, seconds=0.3)
        self.ring.release()  # written, not durable
        self.expect_silence(c)
        self.assertEqual(self.executed(), [])
        self.ring.publish()
        r = c.recv()
        self.assertEqual((r.status, r.code, r.seq), (COMPLETED, 0, d.counter + STEP))
        self.assertEqual(len(self.executed()), 1)
        o = self.ring.outcome(d)
        self.assertEqual((o.status, o.code, o.errno, o.out_len, o.sha256, o.urgent), (COMPLETED, 0, 0, 0, b"", False))
        self.assertGreater(o.duration, 0)

    def test_reads_go_at_once(self):
        c = self.client()
        r = c.call(request(opcode=IDENTIFY))
        self.assertEqual((r.status, r.seq), (COMPLETED, 0))
        d = self.ring.decision(IDENTIFY)
        o = self.ring.outcome(d)
        self.assertFalse(d.urgent)
        self.assertEqual((o.status, o.out_len, o.sha256), (COMPLETED, len(r.data), hashlib.sha256(r.data).digest()))
        r = c.call(request(opcode=GET_LSA, payload=struct.pack("<II", 1 << 30, 1)))
        self.assertEqual((r.status, r.reason), (REFUSED, "payload-shape"))

    def test_context_comes_first_and_with_each_change(self):
        c = self.client()
        c.call(request())
        c.call(request())
        first = self.ring.wait(lambda r: True)
        self.assertEqual((first.kind, first.counter), (CONTEXT, 1))
        self.assertEqual(first.profile, hashlib.sha256(self.profile).digest())
        self.assertEqual(first.policy, self.policy[32:64])
        self.assertEqual(first.identity[0], "fwadmit")
        other = policy_of(("other", 0, 0, 0, 0, 0))
        self.reload(other)
        self.assertEqual(c.call(request()).grant, "other")
        self.ring.take()
        contexts = [r for r in self.ring.records if r.kind == CONTEXT]
        self.assertEqual([r.policy for r in contexts], [self.policy[32:64], other[32:64]])
        d = [r for r in self.ring.records if r.kind == DECISION]
        self.assertEqual([r.policy for r in d], [self.policy[32:64]] * 2 + [other[32:64]])
        self.assertGreater(d[2].counter, contexts[1].counter)

    def test_refusals_are_recorded(self):
        c = self.client()
        refused = [request(opcode=UNDECLARED), request(scope=77), request(cmd_set=99), request(cmd_set=1, opcode=6, cdw=(1, 2)),
                   request(opcode=GET_LSA, payload=b"\0" * 7), request(opcode=SET_LSA, scope=0, payload=b"\0" * 9)]
        reasons = [c.call(m).reason for m in refused]
        self.ring.take()
        d = [r for r in self.ring.records if r.kind == DECISION]
        self.assertEqual([REASONS[r.reason] for r in d], reasons)
        self.assertNotIn("admit", reasons)
        self.assertGreater(len(set(reasons)), 3)
        self.assertEqual([r for r in self.ring.records if r.kind == OUTCOME or r.urgent], [])

    def test_strangers_do_not_fill_the_journal(self):
        """Of who has no grant at all some refusals a second are recorded, and the others are counted."""
        self.reload(policy_of())
        clients = [self.client() for _ in range(4)]
        begin, told = time.monotonic(), 0
        for i in range(2000):
            r = clients[i % 4].call(request())
            self.assertEqual((r.status, r.reason), (REFUSED, "no-grant"))
        seconds = time.monotonic() - begin
        self.commits()
        end = time.monotonic() + 20
        while told + self.refusals() < 2000 and time.monotonic() < end:  # it tells by itself
            time.sleep(0.01)
            with self.ring.lock:
                self.ring.take()
                told = sum(r.refused for r in self.ring.records if r.kind == UNRECORDED)
        self.assertEqual(told + self.refusals(), 2000)
        self.assertLessEqual(self.refusals(), 10 * (seconds + 1) + 1)
        self.assertLessEqual(len([r for r in self.ring.records if r.kind == UNRECORDED]), seconds + 3)

    def refusals(self):
        with self.ring.lock:
            return len([r for r in self.ring.records if r.kind == DECISION])

    def test_a_description_is_no_decision(self):
        self.assertEqual(self.client().call(request(kind=DESCRIBE)).error, 0)
        self.ring.take()
        self.assertEqual(self.ring.records, [])

    def test_device_error(self):
        self.commits()
        r = self.client().call(request(opcode=TRANSFER_FW, payload=struct.pack("<BB126x", 2, 1)))  # of no transfer
        self.assertEqual((r.status, r.code != 0), (DEVICE_ERROR, True))
        o = self.ring.outcome(self.ring.decision(TRANSFER_FW))
        self.assertEqual((o.status, o.code), (DEVICE_ERROR, r.code))

    def test_receipts(self):
        c, other = self.client(), self.client()
        for message, status in ((request(flags=RECEIPT), COMPLETED),
                                (request(opcode=UNDECLARED, flags=RECEIPT), REFUSED)):
            last = self.ring.counter
            c.send(message)
            d = self.ring.wait(lambda r: r.kind == DECISION and r.counter > last)
            self.assertTrue(d.urgent)
            self.expect_silence(c)
            self.assertEqual(other.call(request()).seq, 0)
            self.ring.commit()
            r = c.recv()
            self.assertEqual((r.status, r.seq), (status, d.counter + STEP))
        self.assertEqual(len(c.call(request()).data), 67)

    def test_a_receipt_of_a_command_with_effects(self):
        self.commits()
        r = self.client().call(write(0, b"x", flags=RECEIPT))
        d = self.ring.decision(SET_LSA)
        self.assertEqual((r.status, r.seq), (COMPLETED, d.counter + STEP))

    def test_who_has_gone_gets_no_receipt(self):
        c = self.client()
        c.send(request(flags=RECEIPT))
        d = self.ring.decision(IDENTIFY)
        c.close()
        self.assertEqual(self.ring.outcome(d).status, UNDELIVERABLE)
        self.ring.commit()

    def test_a_client_that_goes_takes_its_command_back(self):
        c = self.client()
        c.send(write(0, b"x"))
        d = self.ring.decision(SET_LSA)
        c.close()
        self.assertEqual(self.ring.outcome(d).status, REFUSED)
        self.ring.commit()
        self.assertEqual(self.client().call(request()).status, COMPLETED)
        self.assertEqual(self.executed(), [])

    def test_many_share_a_commit(self):
        clients = [self.client() for _ in range(64)]
        for i, c in enumerate(clients):
            c.send(write(i, bytes([i])))
        for i in range(64):
            self.ring.wait(lambda r, i=i: r.kind == DECISION and r.payload[:4] == struct.pack("<I", i))
        self.expect_silence(*clients)
        self.assertEqual(self.executed(), [])
        self.ring.release()
        self.ring.publish()  # one commit
        replies = [c.recv() for c in clients]
        self.assertEqual({r.status for r in replies}, {COMPLETED})
        self.assertEqual(len({r.seq for r in replies}), 64)
        self.assertEqual(len(self.executed()), 64)
        for i, r in enumerate(replies):
            d = self.ring.wait(lambda r, i=i: r.kind == DECISION and r.payload[:4] == struct.pack("<I", i))
            self.assertEqual(r.seq, d.counter + STEP)
            self.assertEqual(self.ring.outcome(d).status, COMPLETED)

    def test_a_part_of_them_is_durable(self):
        a, b = self.client(), self.client()
        a.send(write(0, b"a"))
        first = self.ring.decision(SET_LSA)
        b.send(write(1, b"b"))
        second = self.ring.decision(SET_LSA, after=first.counter)
        struct.pack_into("<QQ", self.ring.map, 4096 + first.counter * 16, first.counter, first.counter + STEP)
        self.ring.set_word(DURABLE, first.counter)
        self.ring.ring()
        self.assertEqual(a.recv().seq, first.counter + STEP)
        self.expect_silence(b)
        self.assertEqual(len(self.executed()), 1)
        self.ring.commit()
        self.assertEqual(b.recv().seq, second.counter + STEP)

    def test_revoked_while_it_waits(self):
        c = self.client()
        c.send(write(0, b"x"))
        d = self.ring.decision(SET_LSA)
        self.reload(policy_of())
        self.ring.commit()
        r = c.recv()
        self.assertEqual((r.status, r.reason, r.seq), (REFUSED, "no-grant", 0))
        self.assertEqual(self.ring.outcome(d).status, REFUSED)
        again = self.ring.decision(SET_LSA, after=d.counter)
        self.assertEqual(REASONS[again.reason], "no-grant")
        self.assertNotEqual(again.policy, d.policy)
        self.assertEqual(self.executed(), [])

    def test_a_receipt_of_what_was_revoked(self):
        c = self.client()
        c.send(write(0, b"x", flags=RECEIPT))
        d = self.ring.decision(SET_LSA)
        self.reload(policy_of())
        self.ring.commit()
        again = self.ring.decision(SET_LSA, after=d.counter)
        self.expect_silence(c)
        self.ring.commit()
        r = c.recv()
        self.assertEqual((r.reason, r.seq), ("no-grant", again.counter + STEP))

    def test_another_policy_is_recorded_and_waited_for_again(self):
        c = self.client()
        c.send(write(0, b"x"))
        d = self.ring.decision(SET_LSA)
        self.reload(policy_of(("other", 0, 0, 0, 0, 0)))
        self.ring.commit()
        again = self.ring.decision(SET_LSA, after=d.counter)
        self.assertEqual((REASONS[again.reason], again.grant, again.urgent), ("admit", "other", True))
        self.assertEqual(self.ring.outcome(d).status, REFUSED)
        self.expect_silence(c)
        self.assertEqual(self.executed(), [])
        self.ring.commit()
        r = c.recv()
        self.assertEqual((r.status, r.grant, r.seq), (COMPLETED, "other", again.counter + STEP))
        self.assertEqual(self.ring.outcome(again).status, COMPLETED)
        self.assertEqual(len(self.executed()), 1)

    def test_the_same_grant_of_another_policy(self):
        """Nothing that the client sees is different, but what decided is."""
        c = self.client()
        c.send(write(0, b"x"))
        d = self.ring.decision(SET_LSA)
        other = policy_of(ALL, ("another", UID, 4242, 0, 0, 0))
        self.reload(other)
        self.ring.commit()
        again = self.ring.decision(SET_LSA, after=d.counter)
        self.assertEqual((again.grant, again.policy), ("all", other[32:64]))
        self.expect_silence(c)
        self.assertEqual(self.executed(), [])
        self.ring.commit()
        self.assertEqual(c.recv().seq, again.counter + STEP)

    def test_quarantined_while_it_waits(self):
        c, other = self.client(), self.client()
        c.send(write(0, b"x"))
        d = self.ring.decision(SET_LSA)
        self.tell(QUARANTINE, b"operator: test")
        self.assertEqual(other.call(request()).reason, "quarantined")
        self.ring.commit()
        r = c.recv()
        self.assertEqual((r.status, r.reason), (REFUSED, "quarantined"))
        self.assertEqual(self.ring.outcome(d).status, REFUSED)
        self.assertEqual(self.executed(), [])

    def test_unplugged_while_they_wait(self):
        c, held = self.client(), self.client()
        c.send(write(0, b"x"))
        d = self.ring.decision(SET_LSA)
        held.send(request(flags=RECEIPT))
        read = self.ring.decision(IDENTIFY)
        self.tell(REMOVED)
        self.assertEqual(c.recv().error, E_GONE)
        r = held.recv()
        self.assertEqual((r.status, r.seq), (COMPLETED, 0))
        self.assertEqual(self.worker.wait(20), 0)
        self.assertEqual(self.ring.outcome(d).status, REFUSED)
        self.assertEqual(self.ring.outcome(read).status, COMPLETED)
        self.assertEqual(self.executed(), [])

    def test_the_worker_ends_while_it_waits(self):
        c = self.client()
        c.send(write(0, b"x"))
        d = self.ring.decision(SET_LSA)
        self.control.close()
        self.assertEqual(self.worker.wait(20), 0)
        self.assertEqual(self.ring.outcome(d).status, REFUSED)

    def test_bytes_that_wait_are_bounded(self):
        """8 MiB of a user's: what is one too many is not sent, and its record says so."""
        self.start("sim:honest,payload=1048576")
        payload = bytes(1 << 20)
        clients = [self.client() for _ in range(9)]
        fd = memfd(payload)
        for c in clients:
            c.send(request(opcode=VENDOR_WRITE, in_len=len(payload), flags=1), [fd])
        os.close(fd)
        reply = clients[8].recv()
        if reply.reason in ("admit", "malformed"):
            self.assertEqual(reply.error, E_BUSY)
        self.ring.commit()

    def test_nonsense_from_the_journal(self):
        """It says more than was written is durable; that it has taken more than there was."""
        c = self.client()
        c.send(write(0, b"x"))
        d = self.ring.decision(SET_LSA)
        self.ring.set_word(DURABLE, d.counter + 1)
        self.ring.ring()
        self.expect_silence(c)
        self.ring.set_word(CONSUMED, self.ring.consumed + 64)
        self.ring.ring()
        start = time.monotonic()
        other = self.client()
        self.assertEqual(other.call(request()).reason, "journal")
        self.assertGreater(time.monotonic() - start, ROOM_S * 0.9)
        self.assertEqual(self.executed(), [])
        self.ring.set_word(CONSUMED, self.ring.consumed)
        self.ring.set_word(DURABLE, 0)
        self.ring.commit()
        self.assertEqual(c.recv().status, COMPLETED)

    def test_memory(self):
        """A journal costs a worker the ring, which is its writer's too, and little else."""
        self.commits()
        c = self.client()
        for i in range(2000):
            c.call(request())
        c.call(write(0, b"x"))
        status = pathlib.Path(f"/proc/{self.worker.pid}/status").read_text()
        kib = {key: int(status.split(key)[1].split()[1]) for key in ("RssAnon", "RssFile", "RssShmem")}
        if not SANITIZED:
            self.assertLess(kib["RssAnon"] + kib["RssFile"], 3 * 1024)
            self.assertLessEqual(kib["RssShmem"], 280)

    def test_a_journal_that_nobody_waits_for(self):
        """Reads are on disk within a second, too, or there are no more of them."""
        c = self.client()
        self.assertEqual(c.call(request()).status, COMPLETED)
        time.sleep(WAIT_S / 2)
        self.assertEqual(c.call(request()).status, COMPLETED)
        time.sleep(WAIT_S / 2 + 0.5)
        self.assertEqual(c.call(request()).reason, "journal")
        self.ring.commit()
        self.assertEqual(c.call(request()).status, COMPLETED)
        for i in range(3):  # slow is not late
            time.sleep(WAIT_S / 2)
            self.ring.commit()
            self.assertEqual(c.call(request()).status, COMPLETED)


class Down(JournalTest):
    def test_trouble(self):
        self.ring.trouble(28)
        c = self.client()
        for message in (request(), write(0, b"x")):
            r = c.call(message)
            self.assertEqual((r.status, r.reason, r.seq), (REFUSED, "journal", 0))
        self.assertEqual(c.call(request(opcode=UNDECLARED)).reason, "undeclared")
        self.ring.take()
        d = [r for r in self.ring.records if r.kind == DECISION]
        self.assertEqual([(REASONS[r.reason], r.journal) for r in d],
                         [("journal", 1), ("journal", 1), ("undeclared", 1)])
        self.assertEqual(self.executed() + self.executed(IDENTIFY)[2:], [])
        self.ring.trouble(0)
        self.assertEqual(c.call(request()).status, COMPLETED)
        self.commits()
        self.assertEqual(c.call(write(0, b"x")).status, COMPLETED)
        self.assertIn("the journal cannot be written: No space left on device", self.log())
        self.assertIn("the journal is written again", self.log())

    def test_trouble_while_it_waits(self):
        c = self.client()
        c.send(write(0, b"x"))
        d = self.ring.decision(SET_LSA)
        self.ring.trouble(5)
        self.expect_silence(c)
        self.ring.commit()  # it is durable all the same
        r = c.recv()
        self.assertEqual((r.status, r.reason), (REFUSED, "journal"))
        self.assertEqual(self.ring.outcome(d).status, REFUSED)
        self.assertEqual(self.executed(), [])

    def test_a_journal_that_does_not_answer(self):
        c, other = self.client(), self.client()
        start = time.monotonic()
        c.send(write(0, b"x"))
        d = self.ring.decision(SET_LSA)
        self.assertEqual(other.call(request()).status, COMPLETED)
        r = c.recv()
        self.assertAlmostEqual(time.monotonic() - start, WAIT_S, delta=1)
        self.assertEqual((r.status, r.reason), (REFUSED, "journal"))
        self.assertEqual(self.ring.outcome(d).status, REFUSED)
        again = self.ring.decision(SET_LSA, after=d.counter)
        self.assertEqual((REASONS[again.reason], again.journal), ("journal", 1))
        start = time.monotonic()
        self.assertEqual([c.call(m).reason for m in (write(0, b"x"), request())], ["journal"] * 2)
        self.assertLess(time.monotonic() - start, 2)
        self.ring.commit()
        self.commits()
        self.assertEqual(c.call(write(0, b"y")).status, COMPLETED)
        self.assertEqual([p[8:] for p in self.executed()], [b"y"])

    def test_a_receipt_that_does_not_come(self):
        c = self.client()
        start = time.monotonic()
        r = c.call(request(flags=RECEIPT))
        self.assertAlmostEqual(time.monotonic() - start, WAIT_S, delta=1)
        self.assertEqual((r.status, r.seq, len(r.data)), (COMPLETED, 0, 67))

    def test_a_client_without_patience(self):
        """Its time is over: it is refused, and nobody else is."""
        c = self.client()
        start = time.monotonic()
        r = c.call(write(0, b"x", timeout=300))
        self.assertAlmostEqual(time.monotonic() - start, 0.3, delta=0.3)
        self.assertEqual((r.status, r.reason), (REFUSED, "journal"))
        r = c.call(request(flags=RECEIPT, timeout=300))
        self.assertEqual((r.status, r.seq), (COMPLETED, 0))
        self.assertEqual(c.call(request()).status, COMPLETED)
        self.ring.commit()
        self.assertEqual(self.executed(), [])

    def fill(self, c):
        """Asks until it is not answered any more. How often it was."""
        self.ring.take()
        n = 0
        while True:
            c.send(request(opcode=UNDECLARED))
            if not select.select([c.sock], [], [], 0.5)[0]:
                return n
            self.assertEqual(c.recv().reason, "undeclared")
            n += 1

    def test_no_room(self):
        c, other = self.client(), self.client()
        n = self.fill(c)
        self.assertGreater(n, 300)
        other.send(request(opcode=UNDECLARED))
        self.expect_silence(other)
        self.ring.take()
        self.ring.release()  # there is room
        self.assertEqual([c.recv().reason, other.recv().reason], ["undeclared"] * 2)
        self.ring.take()
        self.assertEqual(len([r for r in self.ring.records if r.kind == DECISION]), n + 2)
        self.assertEqual([r for r in self.ring.records if r.kind == UNRECORDED], [])

    def test_no_room_for_long(self):
        c = self.client()
        n = self.fill(c)
        self.assertEqual(c.recv().reason, "undeclared")  # after a while: the journal is down
        for i in range(700):
            r = c.call(write(0, b"x") if i % 2 else request())
            self.assertEqual((r.status, r.reason), (REFUSED, "journal"))
        self.ring.take()
        recorded = len([r for r in self.ring.records if r.kind == DECISION])
        self.assertLess(recorded, n + 701)
        first = self.ring.counter + 1
        # should it end now others can tell
        words = [self.ring.word(LOST + 8 * i) for i in range(4)]
        self.ring.commit()
        lost = self.ring.wait(lambda r: r.kind == UNRECORDED)
        self.assertEqual((lost.counter, lost.refused, lost.passed), (first, n + 701 - recorded, 0))
        self.assertLess(lost.since, lost.until)
        self.assertEqual(words, [lost.refused, lost.passed, lost.since, lost.until])
        self.assertEqual([self.ring.word(LOST + 8 * i) for i in range(2)], [0, 0])
        self.commits()
        self.assertEqual(c.call(write(0, b"x")).status, COMPLETED)
        self.assertEqual(len(self.executed()), 1)

    def test_outcomes_have_room(self):
        """However full the ring is, what was admitted gets its outcome."""
        waiting = [self.client() for _ in range(40)]
        for i, c in enumerate(waiting):
            c.send(write(i, b"x"))
        for i in range(40):
            self.ring.wait(lambda r, i=i: r.kind == DECISION and r.payload[:4] == struct.pack("<I", i))
        c = self.client()
        self.fill(c)
        self.assertEqual(c.recv().reason, "undeclared")
        for _ in range(700):
            c.call(request(opcode=UNDECLARED))
        self.ring.take()
        for w in waiting:
            w.close()
        for d in [r for r in self.ring.records if r.kind == DECISION and r.opcode == SET_LSA]:
            self.assertEqual(self.ring.outcome(d).status, REFUSED)
        self.ring.commit()


class Pass(Down):
    """Where the operator lets reads pass."""
    ARGS = ["--journal-reads=pass"]
    test_a_receipt_that_does_not_come = test_outcomes_have_room = test_no_room = None
    test_trouble_while_it_waits = test_a_client_without_patience = None

    def test_trouble(self):
        self.ring.trouble(28)
        c = self.client()
        r = c.call(request())
        self.assertEqual((r.status, r.reason, r.seq), (COMPLETED, "admit", 0))
        r = c.call(write(0, b"x"))
        self.assertEqual((r.status, r.reason), (REFUSED, "journal"))
        self.assertEqual(self.ring.decision(IDENTIFY).journal, 2)
        self.assertEqual(self.executed(), [])

    def test_a_journal_that_does_not_answer(self):
        c = self.client()
        self.assertEqual(c.call(write(0, b"x")).reason, "journal")
        self.assertEqual(c.call(request()).status, COMPLETED)
        self.assertEqual(c.call(write(0, b"x")).reason, "journal")
        self.assertEqual(self.executed(), [])

    def test_no_room_for_long(self):
        c = self.client()
        n = self.fill(c)
        self.assertEqual(c.recv().reason, "undeclared")
        for i in range(700):
            r = c.call(write(0, b"x") if i % 2 else request())
            self.assertEqual(r.reason, "journal" if i % 2 else "admit")
        self.ring.take()
        recorded = [r for r in self.ring.records if r.kind == DECISION]
        reads = len([r for r in recorded if r.opcode == IDENTIFY])
        self.ring.commit()
        lost = self.ring.wait(lambda r: r.kind == UNRECORDED)
        self.assertEqual((lost.passed, lost.refused + lost.passed), (350 - reads, n + 701 - len(recorded)))
        self.assertEqual(self.executed(), [])


class Lane(JournalTest):
    DEVICE = "sim:honest,delay-ms=300"

    def test_reads_of_slow_devices(self):
        a, b, gone = self.client(), self.client(), self.client()
        a.send(request(opcode=HEALTH))
        first = self.ring.decision(HEALTH)
        gone.send(request(opcode=HEALTH))
        second = self.ring.decision(HEALTH, after=first.counter)
        b.send(request(opcode=HEALTH, timeout=50))
        third = self.ring.decision(HEALTH, after=second.counter)
        gone.close()
        self.assertEqual(self.ring.outcome(second).status, REFUSED)
        self.assertEqual(b.recv().error, E_BUSY)
        self.assertEqual(self.ring.outcome(third).status, REFUSED)
        r = a.recv()
        o = self.ring.outcome(first)
        self.assertEqual((r.status, o.status, o.sha256), (COMPLETED, COMPLETED, hashlib.sha256(r.data).digest()))
        self.assertGreater(o.duration, 250e6)
        self.assertEqual(len([r for r in self.ring.records if r.kind == DECISION]), 3)

    def test_undeliverable(self):
        self.commits()
        c = self.client()
        c.send(write(0, b"x"))
        d = self.ring.decision(SET_LSA)
        time.sleep(0.1)
        c.close()
        self.assertEqual(self.ring.outcome(d).status, UNDELIVERABLE)
        self.assertEqual(len(self.executed()), 1)

    def test_a_receipt_of_a_slow_read(self):
        c, other = self.client(), self.client()
        c.send(request(opcode=HEALTH, flags=RECEIPT))
        d = self.ring.decision(HEALTH)
        other.send(request(flags=RECEIPT))
        later = self.ring.decision(IDENTIFY)
        self.expect_silence(c, seconds=0.5)
        self.ring.commit()
        self.assertEqual((c.recv().seq, other.recv().seq), (d.counter + STEP, later.counter + STEP))

    def test_a_time_out_is_unknown(self):
        self.commits()
        c = self.client()
        r = c.call(write(0, b"x", timeout=100))
        self.assertEqual((r.status, r.errno), (UNKNOWN, 110))
        o = self.ring.outcome(self.ring.decision(SET_LSA))
        self.assertEqual((o.status, o.errno), (UNKNOWN, 110))

    def test_busy(self):
        """Those that became durable together stand in one queue, and one too many is told so."""
        clients = [self.client() for _ in range(20)]
        for i, c in enumerate(clients):
            c.send(write(i, b"x", timeout=60000))
        for i in range(20):
            self.ring.wait(lambda r, i=i: r.kind == DECISION and r.payload[:4] == struct.pack("<I", i))
        self.ring.commit()
        busy = []
        for c in clients[17:]:
            self.assertEqual(c.recv().error, E_BUSY)
        for d in [r for r in self.ring.records if r.kind == DECISION][17:]:
            self.assertEqual(self.ring.outcome(d).status, REFUSED)
        self.assertEqual(clients[0].recv().status, COMPLETED)
        for c in clients[1:17]:
            c.close()
        self.ring.commit()
        self.assertLessEqual(len(self.executed()), 3, busy)

    def test_reprofiled_while_it_waits(self):
        """What declares the same is the same profile: nothing is recorded anew."""
        c = self.client()
        c.send(write(0, b"x"))
        d = self.ring.decision(SET_LSA)
        self.tell(REPROFILE)
        self.told(DECLARATIONS)
        self.ring.commit()
        r = c.recv()
        self.assertEqual((r.status, r.seq), (COMPLETED, d.counter + STEP))
        self.assertEqual(self.ring.outcome(d).status, COMPLETED)


class Own(JournalTest):
    """Commands of the gate's own."""

    def leave(self):
        c = self.client()
        c.send(request(opcode=SET_FEATURE, payload=CALIBRATION + struct.pack("<IHB9x", INITIATE, 0, 1) + b"abcd"))
        return c

    def test_what_is_left_is_ended_on_record(self):
        c = self.leave()
        d = self.ring.decision(SET_FEATURE)
        self.ring.commit()
        self.assertEqual(c.recv().status, COMPLETED)
        c.close()
        own = self.ring.decision(SET_FEATURE, after=d.counter)
        self.assertTrue(own.flags & FLAG_GATE)
        self.assertEqual((REASONS[own.reason], own.urgent, own.grant, own.pid), ("admit", True, "", 0))
        time.sleep(0.2)
        self.assertEqual(len(self.executed(SET_FEATURE)), 1)
        self.ring.commit()
        self.assertEqual(self.ring.outcome(own).status, COMPLETED)
        self.assertEqual(len(self.executed(SET_FEATURE)), 2)

    def test_not_without_a_journal(self):
        c = self.leave()
        d = self.ring.decision(SET_FEATURE)
        self.ring.commit()
        self.assertEqual(c.recv().status, COMPLETED)
        self.ring.trouble(28)
        c.close()
        own = self.ring.decision(SET_FEATURE, after=d.counter)
        self.assertEqual((REASONS[own.reason], own.flags & FLAG_GATE), ("journal", FLAG_GATE))
        time.sleep(2.2)
        self.ring.take()
        self.assertEqual(len([r for r in self.ring.records if r.kind == DECISION and r.flags & FLAG_GATE]), 1)
        self.assertEqual(len(self.executed(SET_FEATURE)), 1)
        self.ring.trouble(0)
        self.commits()
        done = self.ring.decision(SET_FEATURE, after=own.counter)
        self.assertEqual(self.ring.outcome(done).status, COMPLETED)

    def test_the_worker_ends_it_first(self):
        self.commits()
        c = self.leave()
        self.assertEqual(c.recv().status, COMPLETED)
        self.control.close()
        self.assertEqual(self.worker.wait(20), 0)
        self.assertEqual(len(self.executed(SET_FEATURE)), 2)

    def test_questions_are_recorded(self):
        """A self-test of an NVMe device: a log page says how far it is."""
        self.start("sim:nvme,bg-ms=60000")
        self.commits()
        c = self.client()
        nvme = {"cmd_set": 1, "nsid": 0xffffffff, "out_len": 0}
        r = c.call(request(opcode=0x14, cdw=(1,), **nvme))
        self.assertEqual((r.status, r.seq > 0), (COMPLETED, True))
        other = self.client()
        self.assertEqual(other.call(request(opcode=0x14, cdw=(1,), **nvme)).reason, "lease")
        question = self.ring.wait(lambda r: r.kind == DECISION and r.flags & FLAG_GATE)
        self.assertFalse(question.urgent)
        self.assertEqual(self.ring.outcome(question).status, COMPLETED)


class Payload(JournalTest):
    POLICY = policy_of(ALL, flags=RECORD_PAYLOAD)
    DEVICE = "sim:honest,payload=1048576"

    def test_payloads(self):
        self.commits()
        c = self.client()
        c.call(write(0, b"secret" * 20))
        d = self.ring.decision(SET_LSA)
        self.assertEqual((d.flags & FLAG_PAYLOAD, d.payload), (FLAG_PAYLOAD, struct.pack("<II", 0, 0) + b"secret" * 20))
        big = struct.pack("<II", 0, 0) + bytes(70000)
        fd = memfd(big)
        r = c.call(request(opcode=TRANSFER_FW, in_len=128 + 65536, flags=1), [memfd(bytes(128 + 65536))])
        if r.reason == "admit":
            d = self.ring.decision(TRANSFER_FW)
            self.assertEqual(d.flags & (FLAG_PAYLOAD | FLAG_LEFT_OUT), FLAG_LEFT_OUT)
        os.close(fd)

    def test_of_nothing_that_is_refused(self):
        c = self.client()
        self.assertEqual(c.call(request(opcode=SET_LSA, scope=0, payload=bytes(99))).status, REFUSED)
        d = self.ring.decision(SET_LSA)
        self.assertEqual(d.flags & (FLAG_PAYLOAD | FLAG_LEFT_OUT), 0)


class Drifted(JournalTest):
    @unittest.skipUnless(ROOT, "needs to be somebody else than root")
    def test_what_it_is_held_to(self):
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
        try:
            c = self.client()
        finally:
            os.seteuid(0)
        r = c.call(request())
        self.assertEqual(r.status, COMPLETED)
        d = self.ring.decision(IDENTIFY)
        self.assertTrue(d.flags & FLAG_DRIFTED)

    def answer(self, declarations):
        """Some more accepted than there is."""
        self.accepted = os.pread(declarations, 1 << 20, 0)
        other = self.accepted.replace(struct.pack("<HH", 0x4303, 0), struct.pack("<HH", 0x43ff, 0))
        self.accepted = other
        fd = memfd(other)
        socket.send_fds(self.control, [struct.pack("<HH", BASELINE, 0) + b"accepted"], [fd])
        os.close(fd)


class Killed(JournalTest):
    """Whenever it is killed: what the device was given is on record, and durable."""
    ENDS = [-signal.SIGKILL, -signal.SIGSYS]  # the sandbox lets nobody kill

    def check(self):
        self.assertNotEqual(self.worker.wait(20), 0)
        with self.ring.lock:
            self.ring.take()
        durable = self.ring.word(DURABLE)
        admitted = {r.payload: r for r in self.ring.records
                    if r.kind == DECISION and r.opcode == SET_LSA and REASONS[r.reason] == "admit"}
        executed = self.executed()
        for payload in executed:
            self.assertIn(payload[:4], admitted)  # of Set LSA the offset is judged
            self.assertLessEqual(admitted[payload[:4]].counter, durable)
        for r in self.ring.records:
            if r.kind == OUTCOME and r.status == COMPLETED:
                d = next(x for x in self.ring.records if x.kind == DECISION and x.counter == r.of)
                if d.opcode == SET_LSA:
                    self.assertIn(d.payload, [p[:4] for p in executed])
        return len(executed)

    def work(self, n_clients, n):
        """Each has a command under way all the time. Until the worker is no more."""
        try:
            clients = [self.client() for _ in range(n_clients)]
            for i in range(n):
                for k, c in enumerate(clients):
                    c.send(write(i * n_clients + k, b"x") if (i + k) % 3 else request(flags=RECEIPT))
                if not all(c.recv() for c in clients):
                    return
        except OSError:
            pass

    @unittest.skipUnless(DIE, "a sanitizer has to be loaded first")
    def test_at_each_step(self):
        steps = 0
        for n in range(1, 60):
            self.ENV = {"LD_PRELOAD": DIE, "DIE_AFTER": str(n)}
            try:
                self.start()
            except (AssertionError, ConnectionError):
                continue  # it was not ready yet
            committer = Committer(self.ring)
            try:
                self.work(3, 12)
                if self.worker.poll() is None:
                    self.worker.kill()
                steps += self.check() > 0
            finally:
                committer.stop()
        self.assertGreater(steps, 5)

    def test_at_any_time(self):
        rng = random.Random(7)
        total = 0
        for _ in range(12):
            self.start()
            committer = Committer(self.ring, pause=0.0002)
            pid, wait = self.worker.pid, rng.uniform(0.005, 0.08)
            child = os.fork()
            if not child:
                time.sleep(wait)
                os.kill(pid, signal.SIGKILL)
                os._exit(0)
            try:
                self.work(8, 1000)
                os.waitpid(child, 0)
                total += self.check()
            finally:
                committer.stop()
        self.assertGreater(total, 10)


class Options(unittest.TestCase):
    def test_it_is_told_where_its_journal_is(self):
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        policy = sealed(policy_of(ALL))
        ring = Ring()
        fds = [pair[0].fileno(), control.fileno(), policy, *ring.fds()]
        where = "--journal-fds=" + ",".join(map(str, ring.fds()))
        for args in ([], ["--journal=file"], ["--journal=none", where], [where, "--journal-reads=perhaps"],
                     ["--journal-fds=1,2,3"], [where + "x"], ["--journal-fds=900,901,902"], ["--journal-fds=,,"]):
            p = subprocess.run([WORKER, "--name=x", "--device=sim:honest", f"--client-fd={fds[0]}",
                                f"--control-fd={fds[1]}", f"--policy-fd={policy}", *args], pass_fds=fds,
                               stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
            self.assertEqual(p.returncode, 2, args)
        # what is no ring
        p = subprocess.run([WORKER, "--name=x", "--device=sim:honest", f"--client-fd={fds[0]}", f"--control-fd={fds[1]}",
                            f"--policy-fd={policy}", f"--journal-fds={policy},{fds[4]},{fds[5]}"], pass_fds=fds,
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        self.assertEqual(p.returncode, 1)
        self.assertIn(b"the journal's ring is none", ours.recv(2048))
        for s in (*pair, ours, control):
            s.close()
        os.close(policy)
        ring.close()


if __name__ == "__main__":
    unittest.main()
