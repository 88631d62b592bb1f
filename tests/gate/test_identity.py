#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who a client is, and what it has used: a real worker, started as the daemon does, under snapshots
that are written here a second time, from src/core/policy.h. FWADMITD as first argument; the worker
is beside it.

Most of it needs root, to be somebody else, to make control groups, and to choose process numbers.
"""
import contextlib
import ctypes
import errno
import fcntl
import os
import pathlib
import platform
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from test_gate import COMPLETED, DESCRIBE, FWADMITD, ROOT, SEALS, Client, request

WORKER = os.path.join(os.path.dirname(FWADMITD), "fwadmit-worker")
SANITIZED = bool(os.environ.get("FWADMIT_SANITIZED"))
READY, POLICY, POLICY_OK, BASELINE, DECLARATIONS = 1, 4, 5, 9, 17
ANY, UID, UNIT = 0, 2, 5
USED_UP, SESSIONS = 44, 45  # details
NOBODY = pwd.getpwnam("nobody").pw_uid
libc = ctypes.CDLL(None, use_errno=True)


def grant(name, who=ANY, ident=0, sessions=0, commands=0, bytes_=0):
    """For reads only; @ident: a uid, or a unit's pattern."""
    return name, who, ident, sessions, commands, bytes_


def snapshot(*grants):
    text, grantees, encoded = b"\0", [], b""
    for index, (name, who, ident, sessions, commands, bytes_) in enumerate(grants):
        if who == UNIT:
            ident, text = len(text), text + ident.encode() + b"\0"
        grantees.append((who, ident, 0, index))
        encoded += struct.pack("<IIQ8IQ48s", 1, 0, 0, 0, 0, 0, 0, 0, sessions, commands, 0, bytes_,
                               name.encode())
    return (struct.pack("<6I8x32x", 0x334c4f50, len(grants), len(grants), 0, 0, len(text)) +
            b"".join(struct.pack("<4I", *g) for g in sorted(grantees)) + encoded + text)


def sealed(data):
    fd = os.memfd_create("policy", os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
    return fd


def lose(call, error, third=None):
    """In the child: makes system call number @call fail, or only with @third as third argument."""
    jump = lambda value, unless: struct.pack("<HBBI", 0x15, 0, unless, value)  # noqa: E731
    load = lambda offset: struct.pack("<HBBI", 0x20, 0, 0, offset)  # noqa: E731
    ends = struct.pack("<HBBI", 0x06, 0, 0, 0x50000 | error) + struct.pack("<HBBI", 0x06, 0, 0, 0x7fff0000)
    code = load(0) + jump(call, 1 if third is None else 3)
    if third is not None:
        code += load(32) + jump(third, 1)
    code += ends
    buf = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buf))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
        os._exit(98)


class WorkerTest(unittest.TestCase):
    GRANTS = [grant("all")]
    DEVICE = "sim:honest"

    def setUp(self):
        self.dir = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="fwadmit-id-")))
        os.chmod(self.dir, 0o755)
        self.start()

    def enterContext(self, cm):  # unittest has it since 3.11
        result = cm.__enter__()
        self.addCleanup(cm.__exit__, None, None, None)
        return result

    def start(self, inside=None):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(str(self.dir / "sock"))
        os.chmod(self.dir / "sock", 0o666)
        listener.listen(64)
        self.control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(20)
        policy = sealed(snapshot(*self.GRANTS))
        fds = [listener.fileno(), control.fileno(), policy]
        with open(self.dir / "log", "w") as log:
            self.worker = subprocess.Popen(
                [WORKER, "--name=test", f"--device={self.DEVICE}", f"--listen-fd={fds[0]}",
                 f"--control-fd={fds[1]}", f"--policy-fd={fds[2]}", "--journal=none"], pass_fds=fds, stderr=log,
                stdin=subprocess.DEVNULL, preexec_fn=inside)
        listener.close()
        control.close()
        os.close(policy)
        self.addCleanup(self.stop)
        self.told(READY)

    def stop(self):
        self.control.close()
        self.worker.wait(20)

    def told(self, wanted):
        kind = None
        while kind != wanted:
            message, fds, _, _ = socket.recv_fds(self.control, 2048, 4)
            self.assertTrue(message, self.log())
            kind = struct.unpack_from("<H", message)[0]
            for fd in fds:
                os.close(fd)
            if kind == DECLARATIONS:
                self.control.send(struct.pack("<HH", BASELINE, 0) + b"none")

    def log(self):
        return (self.dir / "log").read_text()

    def reload(self, *grants):
        fd = sealed(snapshot(*grants))
        socket.send_fds(self.control, [struct.pack("<HH", POLICY, 0)], [fd])
        os.close(fd)
        self.told(POLICY_OK)

    def client(self):
        c = Client(self.dir / "sock")
        self.addCleanup(c.close)
        return c

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.worker.pid}/fd"))

    @contextlib.contextmanager
    def stopped(self):
        self.worker.send_signal(signal.SIGSTOP)
        while pathlib.Path(f"/proc/{self.worker.pid}/stat").read_text().split(") ")[1][0] != "T":
            time.sleep(0.001)
        try:
            yield
        finally:
            self.worker.send_signal(signal.SIGCONT)

    def expect(self, client, reason, name=""):
        r = client.call(request())
        self.assertEqual((r.reason, r.grant), (reason, name))


# --- units -----------------------------------------------------------------------------------------

def unified():
    """Where the control groups are, unless they are systemd's to make."""
    if not ROOT or os.path.exists("/run/systemd/system"):
        return None
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2" and "rw" in options.split(","):
            return pathlib.Path(where)
    return None


def give_number(pid, group):
    """A process with the number @pid in control group @group."""
    number = ctypes.c_int(pid)
    fd = os.open(group, os.O_RDONLY)
    # flags CLONE_INTO_CGROUP, 3 places for identifiers, exit signal, stack, tls, set_tid, cgroup
    args = struct.pack("=11Q", 0x200000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0,
                       ctypes.addressof(number), 1, fd)
    r = libc.syscall(435, args, len(args))
    if r == 0:
        libc.prctl(1, signal.SIGKILL)
        os.closerange(0, 1000)
        while True:
            libc.pause()
    os.close(fd)
    if r != pid:
        raise OSError(ctypes.get_errno(), f"clone3: {r}")


def may_choose_numbers():
    return ROOT and platform.machine() in ("x86_64", "aarch64")


@unittest.skipUnless(unified(), "needs root, and control groups that are not systemd's")
class Units(WorkerTest):
    GRANTS = [grant("agents", UNIT, "fw-*.service"), grant("root", UID, 0)]

    def setUp(self):
        self.processes = []
        self.base = unified() / f"fwadmit_test_{os.getpid()}.slice"
        self.addCleanup(self.remove_groups)
        self.agent, self.other = self.group("fw-agent.service"), self.group("other.service")
        super().setUp()

    def group(self, path):
        (self.base / path).mkdir(parents=True, exist_ok=True)
        return self.base / path

    def remove_groups(self):
        for pid in list(self.processes):
            self.end(pid)
        (self.base / "cgroup.kill").write_text("1")  # what they started
        for folder in sorted(self.base.glob("**/"), reverse=True):
            for _ in range(1000):
                try:
                    folder.rmdir()
                    break
                except OSError as e:  # a process that has ended leaves a little later
                    if e.errno != errno.EBUSY:
                        raise
                    time.sleep(0.002)

    def process(self, group, work, uid=NOBODY):
        """A process in @group that has done @work; the socket that it connected with."""
        sock, ready = Client.__new__(Client), os.pipe()
        sock.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.sock.settimeout(20)
        self.addCleanup(sock.close)
        pid = os.fork()
        if pid == 0:
            try:
                self.control.close()
                if group:
                    (group / "cgroup.procs").write_text("0")
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                libc.prctl(1, signal.SIGKILL)
                sock.sock.connect(str(self.dir / "sock"))
                work(lambda: os.write(ready[1], b"x"))
            finally:
                os._exit(1)
        self.processes.append(pid)
        os.close(ready[1])
        self.assertEqual(os.read(ready[0], 1), b"x")
        os.close(ready[0])
        return sock, pid

    def in_group(self, group, uid=NOBODY):
        def work(done):
            done()
            while True:
                signal.pause()
        return self.process(group, work, uid)

    def end(self, pid):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.processes.remove(pid)

    def reuse(self, pid, group):
        self.end(pid)
        give_number(pid, group)
        self.processes.append(pid)

    def test_grant_to_a_unit(self):
        for path, admitted in (("fw-agent.service", True), ("fw-agent.service/below", True),
                               ("nested.slice/fw-b.service", True), ("other.service", False),
                               ("fw-agent.scope", False), ("plain/fw-agent.service", False),
                               ("user@1000.service/fw-agent.service", False),
                               ("docker-1.scope/system.slice/fw-agent.service", False)):
            with self.subTest(path):
                c, _ = self.in_group(self.group(path))
                self.expect(c, *(("admit", "agents") if admitted else ("no-grant",)))
        self.expect(self.in_group(None)[0], "no-grant")
        self.expect(self.in_group(self.other, uid=0)[0], "admit", "root")

    def test_who_one_is_taken_for(self):
        for group, unit in ((self.agent, b"fw-agent.service"), (None, b"")):
            c, _ = self.in_group(group)
            told = c.call(request(kind=DESCRIBE)).data[-416:]  # behind it: no advisories, of no length
            self.assertEqual(struct.unpack_from("<II", told), (NOBODY, NOBODY))
            self.assertEqual(told[8:264].rstrip(b"\0"), unit)
            self.assertTrue(told[392:].startswith(b"python"), told[392:])

    def test_two_principals_of_one_uid(self):
        agent, other = self.in_group(self.agent)[0], self.in_group(self.other)[0]
        self.reload(grant("agents", UNIT, "fw-*"), grant("others", UNIT, "oth?r.service"))
        self.expect(agent, "admit", "agents")
        self.expect(other, "admit", "others")
        self.reload(grant("nobody", UNIT, "x.service"))
        self.expect(agent, "no-grant")

    @unittest.skipUnless(may_choose_numbers(), "needs to choose process numbers")
    def test_number_of_another_before_it_is_accepted(self):
        """The worker finds the number, and a process of the unit has it. It is not who connected."""
        with self.stopped():
            c, pid = self.in_group(self.other)
            self.reuse(pid, self.agent)
            self.assertIn("fw-agent.service", pathlib.Path(f"/proc/{pid}/cgroup").read_text())
        self.expect(c, "no-grant")
        self.reload(*self.GRANTS)
        self.expect(c, "no-grant")

    @unittest.skipUnless(may_choose_numbers(), "needs to choose process numbers")
    def test_number_of_another_before_it_is_judged(self):
        before = self.descriptors()
        c, pid = self.in_group(self.other)
        while self.descriptors() == before:
            time.sleep(0.001)
        self.reuse(pid, self.agent)
        self.expect(c, "no-grant")
        self.reload(*self.GRANTS)
        self.expect(c, "no-grant")

    @unittest.skipUnless(may_choose_numbers(), "needs to choose process numbers")
    def test_number_of_another_while_it_is_connected(self):
        """What it was when it connected it stays: a connection may be handed on, as a file may."""
        c, pid = self.in_group(self.agent)
        self.expect(c, "admit", "agents")
        self.reuse(pid, self.other)
        self.expect(c, "admit", "agents")
        self.reload(*self.GRANTS)
        self.expect(c, "admit", "agents")

    def test_process_that_is_gone_before_it_is_accepted(self):
        with self.stopped():
            c, pid = self.in_group(self.agent)
            self.end(pid)
        self.expect(c, "no-grant")

    def test_process_that_has_ended_and_was_not_waited_for(self):
        with self.stopped():
            c, pid = self.in_group(self.agent)
            os.kill(pid, signal.SIGKILL)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        self.expect(c, "no-grant")

    def test_process_whose_first_thread_has_ended(self):
        """Its number is its own until the last one has."""
        def work(done):
            def rest():
                while "Z" not in pathlib.Path("/proc/self/stat").read_text().rsplit(")")[1]:
                    time.sleep(0.001)
                done()
                signal.pause()
            threading.Thread(target=rest).start()
            libc.syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)
        with self.stopped():
            c, _ = self.process(self.agent, work)
        self.expect(c, "admit", "agents")

    def test_child_of_who_connected(self):
        """The connection is the parent's, wherever its descriptors are."""
        def work(done):
            if os.fork() == 0:
                libc.prctl(1, 0)
                signal.alarm(20)
            else:
                done()
            signal.pause()
        with self.stopped():
            gone, pid = self.process(self.agent, work)
            self.end(pid)
            there, _ = self.process(self.agent, work)
        self.expect(gone, "no-grant")
        self.expect(there, "admit", "agents")

    def test_program_of_another_user_run_later(self):
        program = self.dir / "sleep"
        shutil.copy("/bin/sleep", program)
        os.chmod(program, 0o4755)

        def work(done):
            done()
            os.execv(program, [str(program), "20"])
        with self.stopped():
            c, pid = self.process(self.other, work)
            while pathlib.Path(f"/proc/{pid}/comm").read_text() != "sleep\n":
                time.sleep(0.001)
            if "Uid:\t65534\t0" not in pathlib.Path(f"/proc/{pid}/status").read_text():
                self.skipTest("the file system has no set-user-ID")
        self.expect(c, "no-grant")

    def test_without_pidfds(self):
        """As before Linux 6.5: units stay unknown, all else is as it was."""
        call = {"x86_64": 55, "aarch64": 209}[platform.machine()]
        self.restart(lambda: lose(call, errno.ENOPROTOOPT, 77))
        self.assertIn("no grant to a unit will match: the kernel has no SO_PEERPIDFD", self.log())
        self.expect(self.in_group(self.agent)[0], "no-grant")
        self.expect(self.in_group(None, uid=0)[0], "admit", "root")

    @unittest.skipIf(SANITIZED, "a sanitized worker is not held by Landlock")
    def test_without_landlock(self):
        self.restart(lambda: lose(444, errno.ENOSYS))
        self.assertIn("no grant to a unit will match: the kernel has no Landlock", self.log())
        self.expect(self.in_group(self.agent)[0], "no-grant")
        self.expect(self.in_group(None, uid=0)[0], "admit", "root")

    def restart(self, inside):
        self.stop()
        (self.dir / "sock").unlink()
        self.start(inside)


# --- rates -----------------------------------------------------------------------------------------

class Rates(WorkerTest):
    def use_up(self, c, most=20):
        """The grants that admitted until none did."""
        used = []
        while len(used) < most:
            r = c.call(request())
            if r.reason != "admit":
                self.assertEqual((r.reason, r.detail), ("rate", USED_UP))
                break
            used.append(r.grant)
        return used

    def admitted(self, c):
        """Whether it is admitted now: with time, which may pass here as well, there is more to use up."""
        r = c.call(request())
        self.assertIn(r.reason, ("admit", "rate"))
        return r.reason == "admit"

    def soon(self, c, seconds):
        end = time.monotonic() + seconds
        while c.call(request()).reason != "admit":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_commands(self):
        self.reload(grant("slow", commands=4))
        c, again = self.client(), self.client()
        start = time.monotonic()
        used = len(self.use_up(c))
        self.assertGreaterEqual(used, 4)
        used += self.admitted(again)
        self.assertLessEqual(used, 5 + 4 * (time.monotonic() - start))
        self.soon(again, 5)

    def test_refusals_cost_nothing(self):
        self.reload(grant("slow", commands=2))
        c = self.client()
        for _ in range(10):
            self.assertEqual(c.call(request(opcode=0xfff0)).reason, "undeclared")
        self.assertGreaterEqual(len(self.use_up(c)), 2)

    def test_bytes(self):
        """One may be more than there is; the next waits until it is paid for."""
        self.reload(grant("narrow", bytes_=1000))
        c = self.client()
        r = c.call(request(opcode=0x0401, out_len=2000, payload=bytes.fromhex(
            "0da9c0b5bf414b788f7996b1623b3f17") + struct.pack("<II", 0, 100)))
        self.assertEqual((r.reason, r.status), ("admit", COMPLETED))
        start = time.monotonic()
        used = len(self.use_up(c, 100))
        self.assertGreaterEqual(used, 5)  # of 67 bytes each
        self.assertLessEqual(used * 67, 1000 + 67 + 1000 * (time.monotonic() - start))
        self.soon(c, 5)

    def test_neither_a_reload_nor_a_new_connection_fills(self):
        self.reload(grant("slow", commands=1))
        c = self.client()
        start = time.monotonic()
        used = len(self.use_up(c))
        self.reload(grant("slow", commands=1), grant("other", UID, 12345))
        used += self.admitted(c) + self.admitted(self.client())
        c.close()
        used += self.admitted(self.client())
        self.assertLessEqual(used, 2 + (time.monotonic() - start))

    def test_grants_add_up(self):
        self.reload(grant("one", commands=1), grant("two", commands=1))
        used = self.use_up(self.client())
        self.assertEqual(set(used), {"one", "two"})

    def test_limits_stand_aside_for_a_grant_without(self):
        self.reload(grant("slow", commands=1), grant("whole"))
        self.assertIn("whole", self.use_up(self.client(), 20))
        self.assertEqual(self.client().call(request()).reason, "admit")

    @unittest.skipUnless(ROOT, "needs root, to be somebody else too")
    def test_each_user_has_its_own(self):
        self.reload(grant("slow", commands=1))
        c = self.client()
        self.use_up(c)
        os.seteuid(NOBODY)
        try:
            other = self.client()
        finally:
            os.seteuid(0)
        self.assertEqual(other.call(request()).reason, "admit")

    def test_sessions(self):
        self.reload(grant("one", sessions=1))
        idle, first, second = self.client(), self.client(), self.client()
        self.assertEqual(idle.call(request(kind=DESCRIBE)).error, 0)  # takes no seat
        self.expect(first, "admit", "one")
        r = second.call(request())
        self.assertEqual((r.reason, r.detail), ("rate", SESSIONS))
        self.expect(first, "admit", "one")
        self.reload(grant("one", sessions=1), grant("other", UID, 12345))
        self.assertEqual(second.call(request()).reason, "rate")
        self.expect(first, "admit", "one")
        first.close()
        self.soon(second, 20)
        self.assertEqual(idle.call(request()).reason, "rate")

    def test_seat_of_a_grant_that_is_gone(self):
        self.reload(grant("one", sessions=1))
        first, second = self.client(), self.client()
        self.expect(first, "admit", "one")
        self.reload(grant("two", sessions=1))
        self.expect(second, "admit", "two")
        self.assertEqual(first.call(request()).reason, "rate")

    def test_a_slow_device(self):
        """Where commands wait in lanes, what was used up meanwhile counts."""
        self.stop()
        (self.dir / "sock").unlink()
        self.DEVICE = "sim:honest,delay-ms=50,lanes=2"
        self.start()
        self.reload(grant("slow", commands=2))
        many = [self.client() for _ in range(8)]
        start = time.monotonic()
        for c in many:
            c.send(request())
        reasons = [c.recv().reason for c in many]
        self.assertLessEqual(reasons.count("admit"), 4 + 2 * (time.monotonic() - start))
        self.assertGreaterEqual(reasons.count("admit"), 2)
        self.assertEqual(set(reasons), {"admit", "rate"})


if __name__ == "__main__":
    unittest.main()
