#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A device that is slow or hangs keeps nobody waiting but who asked for it. FWADMITD as first argument."""
import os
import pathlib
import random
import resource
import select
import socket
import struct
import threading
import time
import unittest

from test_gate import (COMPLETED, DESCRIBE, E_PAYLOAD, GET_LSA, HEALTH, IDENTIFY, REFUSED, ROOT, SET_LSA,
                       UNKNOWN, GateTest, memfd, request)

E_BUSY = 7
JOBS_MAX = 16  # of one user that wait
UNDECLARED = 0xc0ff
RECEIPT = 1 << 1
SANITIZED = bool(os.environ.get("FWADMIT_SANITIZED"))


def write(offset, data, timeout=0, request_id=7):
    return request(opcode=SET_LSA, payload=struct.pack("<II", offset, 0) + data, timeout=timeout,
                   request_id=request_id)


def read(offset, length, timeout=0):
    return request(opcode=GET_LSA, payload=struct.pack("<II", offset, length), timeout=timeout)


class Engine(GateTest):
    def settle(self, name):
        """
        What was sent before this by the same user was taken, and its record is on disk: requests of a user are taken
        in turn, and this one's answer waits for its own record.
        """
        self.assertEqual(self.client(name).call(request(opcode=UNDECLARED, flags=RECEIPT)).reason, "undeclared")

    def occupy(self, name, message=None):
        c = self.client(name)
        c.send(message or request(opcode=HEALTH))
        self.settle(name)
        return c

    def cpu_seconds(self, name):
        fields = pathlib.Path(f"/proc/{self.worker(name)}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def busyness(self, name):
        """What part of half a second the worker was on a processor."""
        start, before = time.monotonic(), self.cpu_seconds(name)
        time.sleep(0.5)
        return (self.cpu_seconds(name) - before) / (time.monotonic() - start)

    def busy_after(self, client, wait):
        """It waited in the queue for at least @wait seconds, then it was told so."""
        start = time.monotonic()
        client.send(request(timeout=int(wait * 1000)))
        self.assertEqual(client.recv().error, E_BUSY)
        self.assertGreater(time.monotonic() - start, wait * 0.99)

    def leave(self, client):
        client.close()
        self.clients.remove(client)


class Hang(Engine):
    DEVICES = {"hang": "sim:hang,payload=1048576"}

    def hang(self, timeout):
        return self.occupy("hang", request(opcode=HEALTH, timeout=timeout))

    def test_the_others_are_answered(self):
        start = time.monotonic()
        stuck = self.hang(5000)
        other = self.client("hang")
        for _ in range(10):
            r = other.call(request(opcode=UNDECLARED))
            self.assertEqual((r.reason, r.status), ("undeclared", REFUSED))
            self.assertEqual(other.call(request(kind=DESCRIBE)).error, 0)
            self.assertEqual(other.call(request(in_len=70000, flags=1)).error, E_PAYLOAD)
        self.busy_after(other, 0.2)
        self.assertLess(time.monotonic() - start, 4.8)
        r = stuck.recv()
        self.assertEqual((r.error, r.reason, r.status, r.errno), (0, "admit", UNKNOWN, 110))
        self.assertGreaterEqual(time.monotonic() - start, 5)

    def test_queue_is_bounded(self):
        self.hang(20000)
        waiting = [self.client("hang") for _ in range(JOBS_MAX)]
        for c in waiting:
            c.send(request(timeout=10000))
        self.settle("hang")
        over = self.client("hang")
        start = time.monotonic()
        for _ in range(3):
            self.assertEqual(over.call(request(timeout=10000)).error, E_BUSY)
        self.assertLess(time.monotonic() - start, 2)
        self.leave(waiting.pop())
        self.settle("hang")
        self.busy_after(over, 0.3)  # there is a place now

    @unittest.skipUnless(ROOT, "needs root, to be somebody else too")
    def test_each_user_has_a_queue(self):
        self.hang(20000)
        for _ in range(JOBS_MAX):
            self.client("hang").send(request(timeout=10000))
        self.settle("hang")
        self.busy_after(self.as_nobody("hang"), 0.3)

    def test_bytes_that_wait_are_bounded(self):
        """8 MiB of a user's: what is one too many is told so at once."""
        self.hang(20000)
        payload = bytes(1 << 20)
        clients = [self.client("hang") for _ in range(9)]
        fd = memfd(payload)
        for c in clients:
            c.send(request(opcode=0xc001, in_len=len(payload), flags=1, timeout=20000), [fd])
        os.close(fd)
        self.assertEqual(select.select([c.sock for c in clients], [], [], 10)[0], [clients[8].sock])
        self.assertEqual(clients[8].recv().error, E_BUSY)

    def test_what_waits_is_never_sent_when_it_is_late(self):
        late = []
        self.hang(20000)
        for _ in range(4):
            c = self.client("hang")
            c.send(request(timeout=100))
            late.append(c)
        for c in late:
            r = c.recv()
            self.assertEqual((r.error, r.status), (E_BUSY, REFUSED))

    def test_clients_that_leave_cost_nothing(self):
        """Their end is told once: the worker does not turn in a circle over it."""
        stuck = self.hang(20000)
        for _ in range(5):
            c = self.client("hang")
            c.send(request(timeout=20000))
            self.settle("hang")
            self.leave(c)
        self.leave(stuck)
        self.settle("hang")
        # the simulated device itself wakes up 1000 times a second while it hangs
        self.assertLess(self.busyness("hang"), 0.5)

    def test_policy_comes_into_force(self):
        stuck = self.hang(5000)
        waiting = self.client("hang")
        waiting.send(request(timeout=20000))
        self.settle("hang")
        (self.policy / "test.conf").write_text("[grant x]\nuser = nobody\ndevice = sim0\nscope = debug-write\n")
        self.daemon.send_signal(1)
        c = self.client("hang")
        while c.call(request(timeout=50)).reason != "no-grant":
            self.assertFalse(select.select([stuck.sock], [], [], 0)[0], "only when the device answered")
        self.assertFalse(select.select([waiting.sock], [], [], 0)[0])
        self.assertEqual(stuck.recv().status, UNKNOWN)
        r = waiting.recv()  # decided again when it would have started
        self.assertEqual((r.error, r.reason, r.status), (0, "no-grant", REFUSED))


class Caught(Engine):
    DEVICES = {"hang": "sim:hang"}
    ARGS = ["--device-timeout=1000"]

    @unittest.skipUnless(ROOT, "needs root, to ask for a reading")
    def test_what_waits_of_the_gate_itself_is_not_sent(self):
        """A reading that was asked for while the device did not answer is not begun in quarantine."""
        stuck = self.occupy("hang", request(opcode=HEALTH))
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.dir / "run" / "control.sock"))
            control.sendall(b'{"method":"org.fwadmit.Control.Reprofile","parameters":{"device":"hang"}}\0')
            self.assertEqual(stuck.recv().status, UNKNOWN)
            self.expect_log("quarantined (time-out)")
            start = time.monotonic()
            self.assertEqual(self.client("hang").call(request()).reason, "quarantined")
            self.assertLess(time.monotonic() - start, 0.5)


class Slow(Engine):
    DEVICES = {"slow": "sim:honest,delay-ms=300", "slower": "sim:honest,delay-ms=1000",
               "wide": "sim:honest,delay-ms=500,lanes=4",
               "brisk": "sim:honest,delay-ms=40"}

    def test_reads_run_beside(self):
        clients = [self.client("wide") for _ in range(4)]
        self.settle("wide")
        start = time.monotonic()
        for c in clients:
            c.send(request(opcode=HEALTH))
        for c in clients:
            self.assertEqual(c.recv().status, COMPLETED)
        self.assertLess(time.monotonic() - start, 4 * 0.5)

    def test_changes_run_one_at_a_time_and_reads_beside(self):
        writers = [self.client("wide") for _ in range(3)]
        reader = self.client("wide")
        self.settle("wide")
        start = time.monotonic()
        for n, c in enumerate(writers):
            c.send(write(n, b"x"))
        self.settle("wide")
        self.assertEqual(reader.call(request(opcode=HEALTH)).status, COMPLETED)
        self.assertEqual(len(select.select([c.sock for c in writers[1:]], [], [], 0)[0]), 0)
        for c in writers:
            self.assertEqual(c.recv().status, COMPLETED)
        self.assertGreaterEqual(time.monotonic() - start, 3 * 0.5)

    def test_in_order(self):
        """One lane: a user's commands start in the order in which they came."""
        clients = [self.client("brisk") for _ in range(8)]
        self.settle("brisk")
        for n, c in enumerate(clients):
            c.send(write(0, bytes([n])))
            self.settle("brisk")
        for c in clients:
            ready = select.select([x.sock for x in clients[clients.index(c):]], [], [], 20)[0]
            self.assertEqual(ready, [c.sock])
            self.assertEqual(c.recv().status, COMPLETED)
        self.assertEqual(self.client("brisk").call(read(0, 1)).data, bytes([7]))

    @unittest.skipUnless(ROOT, "needs root, to be somebody else too")
    def test_a_user_with_many_waits_for_one_with_few(self):
        few = self.as_nobody("slow")
        self.assertEqual(few.call(request(opcode=UNDECLARED)).reason, "undeclared")
        many = [self.client("slow") for _ in range(8)]
        for c in many:
            c.send(request(opcode=HEALTH))
        self.settle("slow")
        few.send(request(opcode=HEALTH))
        self.assertEqual(few.recv().status, COMPLETED)
        time.sleep(0.02)
        answered = len(select.select([c.sock for c in many], [], [], 0)[0])
        self.assertLess(answered, 4)  # the one that was running, and one at its turn
        for c in many:
            self.assertEqual(c.recv().status, COMPLETED)

    def test_time_in_the_queue_counts(self):
        running = self.occupy("slower")
        r = self.client("slower").call(request(opcode=HEALTH, timeout=100))
        self.assertEqual(r.error, E_BUSY)
        self.assertEqual(running.recv().status, COMPLETED)
        self.occupy("slower")
        r = self.client("slower").call(request(opcode=HEALTH, timeout=1500))  # starts, with too little left
        self.assertEqual((r.error, r.status, r.errno), (0, UNKNOWN, 110))

    def test_a_client_that_leaves_while_it_waits(self):
        """Nothing was sent, and nothing is."""
        running = self.occupy("slow", write(0, b"first"))
        c = self.client("slow")
        c.send(write(0, b"other"))
        self.settle("slow")
        self.leave(c)
        self.settle("slow")
        self.assertEqual(running.recv().status, COMPLETED)
        self.assertEqual(self.client("slow").call(read(0, 5)).data, b"first")
        self.assertNotIn("could not be delivered", (self.dir / "log").read_text())

    def test_a_client_that_leaves_while_its_command_runs(self):
        """It runs to its end, which is known here; the others go on."""
        c = self.occupy("slow", write(0, b"mine!"))
        self.leave(c)
        self.assertEqual(self.client("slow").call(read(0, 5)).data, b"mine!")
        self.expect_log("4103h was executed, its answer could not be delivered")

    def test_background_work_of_a_client_that_left(self):
        """Its outcome counts for the others, whoever was there to be told."""
        c = self.occupy("slow", request(opcode=0x4400))
        self.leave(c)
        self.expect_log("4400h was executed")

    def test_a_client_that_has_closed_its_half(self):
        c = self.occupy("slow")
        c.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(c.recv().status, COMPLETED)

    def test_many_requests_in_a_row(self):
        """Those behind the first are taken one by one, each after the reply to the one before."""
        c = self.client("brisk")
        for n in range(5):
            c.send(write(n, bytes([n]), request_id=n))
        self.assertEqual([c.recv().id for _ in range(5)], list(range(5)))

    def test_the_daemon_ends(self):
        self.occupy("slow", write(0, b"x"))
        # tearDown() sees to it


class Alone(Engine):
    """A device that says of a command that no other one may run beside it, and has room for four."""
    SELF_TEST = 0x14
    DEVICES = {"alone": "sim:nvme,delay-ms=200,lanes=4,bg-ms=0,exclusive=0x14",
               "beside": "sim:nvme,delay-ms=200,lanes=4,bg-ms=0"}
    POLICY = Engine.POLICY[:-1] + ", namespace-inventory, controller-capability, exclusive\n"

    def admin(self, opcode, *cdw, out_len=0, flags=0):
        return request(cmd_set=1, opcode=opcode, cdw=cdw, out_len=out_len, flags=flags)

    def read(self):
        return self.admin(0x02, 127 << 16 | 2, out_len=512)

    def in_flight(self, name):
        """Reads, the self-test, reads, sent one after the other: which was answered when."""
        clients = [self.client(name) for _ in range(5)]
        self.settle(name)
        start = time.monotonic()
        for n, c in enumerate(clients):
            c.send(self.admin(self.SELF_TEST, 1) if n == 2 else self.read())
            self.settle(name)
        answered = []
        waiting = {c.sock: n for n, c in enumerate(clients)}
        while waiting:
            for sock in select.select(list(waiting), [], [], 20)[0]:
                n = waiting.pop(sock)
                r = clients[n].recv()
                self.assertEqual((r.error, r.reason, r.status), (0, "admit", COMPLETED))
                answered.append((n, time.monotonic() - start))
        return answered

    def settle(self, name):
        self.assertEqual(self.client(name).call(self.admin(0xc0, flags=RECEIPT)).reason, "undeclared")

    def test_nothing_runs_beside_it(self):
        answered = self.in_flight("alone")
        self.assertEqual({n for n, _ in answered[:2]}, {0, 1})
        self.assertEqual(answered[2][0], 2)
        self.assertGreaterEqual(answered[2][1], 2 * 0.2)  # it began when those before it were done
        self.assertGreaterEqual(answered[3][1], 3 * 0.2)  # and those behind it when it was

    def test_is_for_who_is_granted_it(self):
        self.settle("alone")
        (self.policy / "test.conf").write_text(self.POLICY.replace(", exclusive", ""))
        self.daemon.send_signal(1)
        end = time.monotonic() + 20
        while (r := self.client("alone").call(self.admin(self.SELF_TEST, 1))).reason == "admit":
            self.assertLess(time.monotonic(), end)
        self.assertEqual(r.reason, "grant-effects")
        self.assertEqual(self.client("beside").call(self.admin(self.SELF_TEST, 1)).reason, "admit")


class Many(Engine):
    DEVICES = {"sim0": "sim:honest", "wide": "sim:honest,delay-ms=1,lanes=4"}

    def rss(self, name):
        status = pathlib.Path(f"/proc/{self.worker(name)}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def memory(self, name):
        self.client(name).call(request(opcode=HEALTH))
        if not SANITIZED:
            self.assertLess(self.rss(name), 3 * 1024)

    def test_every_thread_is_in_the_sandbox(self):
        self.client("wide").call(request(opcode=HEALTH))
        tasks = list(pathlib.Path(f"/proc/{self.worker('wide')}/task").iterdir())
        if not SANITIZED:
            self.assertEqual(len(tasks), 1 + 4 + 1)
        for task in tasks:
            status = dict(l.split(":", 1) for l in (task / "status").read_text().splitlines())
            self.assertEqual(status["NoNewPrivs"].strip(), "1")
            self.assertEqual(int(status["CapPrm"], 16), 0)
            if not SANITIZED:
                self.assertEqual(status["Seccomp"].strip(), "2")

    @unittest.skipUnless(ROOT, "needs to limit what the worker may open")
    def test_no_descriptor_left(self):
        """A client that cannot be accepted waits, without the worker turning in a circle over it."""
        first = self.client("sim0")
        first.call(request())
        pid = self.worker("sim0")
        limit = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")), limit[1]))
        second = self.client("sim0")
        second.send(request())
        self.assertLess(self.busyness("sim0"), 0.2)
        self.assertEqual(first.call(request()).status, COMPLETED)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
        self.assertEqual(second.recv().status, COMPLETED)

    def test_memory_of_a_worker(self):
        self.memory("sim0")
        self.memory("wide")

    @unittest.skipUnless(ROOT, "a user other than root has 64 places")
    def test_a_thousand_sessions(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        clients = [self.client("wide") for _ in range(1000)]
        before = self.rss("wide")
        for c in clients:
            c.send(request(opcode=UNDECLARED))
        for c in clients:
            self.assertEqual(c.recv().reason, "undeclared")
        if not SANITIZED:
            self.assertLess(self.rss("wide") - before, 1024)
        for c in clients[:500]:
            self.leave(c)
        for c in clients[500:]:
            self.assertEqual(c.call(request(opcode=UNDECLARED)).reason, "undeclared")
        self.assertEqual(self.client("wide").call(request(opcode=HEALTH)).status, COMPLETED)

    def test_anything_at_any_time(self):
        """Clients that come, send, wait and leave as they like, reloads, and one that is always answered."""
        self.settle("wide")
        end = time.monotonic() + 3
        failures = []

        def misbehave(seed):
            rng = random.Random(seed)
            while time.monotonic() < end:
                c = self.client("wide")
                for _ in range(rng.randrange(1, 6)):
                    message = rng.choice((request(opcode=HEALTH), write(rng.randrange(64), b"xyz"), b"junk",
                                          request(opcode=UNDECLARED), request(kind=DESCRIBE),
                                          request(opcode=HEALTH, timeout=1), read(0, 16)))
                    try:
                        c.send(message)
                        if rng.random() < 0.5 and not c.recv():
                            break
                    except OSError:
                        break
                    if rng.random() < 0.1:
                        c.sock.shutdown(rng.choice((socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR)))
                        break
                self.leave(c)

        def behave():
            c = self.client("wide")
            while time.monotonic() < end:
                r = c.call(request(opcode=HEALTH, timeout=20000))
                if (r.error, r.status) not in ((0, COMPLETED), (E_BUSY, REFUSED)):
                    failures.append((r.error, r.reason, r.status))

        threads = [threading.Thread(target=misbehave, args=(n,)) for n in range(6)]
        threads.append(threading.Thread(target=behave))
        for t in threads:
            t.start()
        while time.monotonic() < end:
            self.daemon.send_signal(1)
            time.sleep(0.1)
        for t in threads:
            t.join()
        self.assertEqual(failures, [])
        self.assertEqual(self.client("wide").call(request(opcode=HEALTH)).status, COMPLETED)
        self.assertNotIn("worker", [l for l in (self.dir / "log").read_text().splitlines() if "died" in l])


if __name__ == "__main__":
    unittest.main()
