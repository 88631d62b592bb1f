#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The gate from outside: a real daemon and workers, and clients that are honest, odd or hostile.

The protocol is written here a second time, from spec/GATE-PROTOCOL.md. FWADMITD as first argument.
"""
import fcntl
import os
import pathlib
import pwd
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

FWADMITD = os.path.abspath(sys.argv.pop(1))
MAGIC, VERSION, DESCRIBE, SUBMIT = 0x31475746, 2, 1, 2
LEAST = 255
REASONS = ["malformed", "quarantined", "undeclared", "reserved-bits", "payload-shape", "never",
           "scope-too-low", "lockdown", "no-grant", "grant-scope", "grant-effects", "grant-expired",
           "drift", "lease", "rate", "journal", "admit"]
REFUSED, COMPLETED, DEVICE_ERROR, UNDELIVERABLE, UNKNOWN = range(5)
E_MALFORMED, E_VERSION, E_KIND, E_PAYLOAD, E_MEMORY, E_GONE, E_BUSY = range(1, 8)
SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK
IDENTIFY, SET_LSA, GET_LSA, HEALTH = 0x4000, 0x4103, 0x4102, 0x4200
INITIATE, CONTINUE, FINISH, ABORT = range(1, 5)  # parts of Set Feature
IN_TRANSFER = b"\xff" * 16
CALIBRATION = bytes.fromhex("5a1df00d6b2e4c119a770c514d000004")
ROOT = os.geteuid() == 0


def request(kind=SUBMIT, opcode=IDENTIFY, payload=b"", out_len=2048, scope=LEAST, request_id=7,
            in_len=None, flags=0, version=VERSION, timeout=0, cmd_set=0, nsid=0, cdw=(), magic=MAGIC):
    return struct.pack("<IHHQBBHI6IIIII", magic, version, kind, request_id, cmd_set, scope, opcode,
                       nsid, *cdw, *(6 - len(cdw)) * (0,),
                       len(payload) if in_len is None else in_len, out_len, timeout,
                       flags) + payload


class Reply:
    def __init__(self, message, fds):
        (magic, version, self.kind, self.id, self.error, self.status, flags, reason, self.detail,
         self.need, self.required, self.scope) = struct.unpack_from("<IHHQHBBBBBBB", message)
        assert magic == MAGIC and version == VERSION, message[:16]
        self.reason = REASONS[reason]
        self.code, self.result, self.out_len = struct.unpack_from("<III", message, 52)
        self.seq = struct.unpack_from("<Q", message, 72)[0]
        self.grant = message[80:120].rstrip(b"\0").decode()
        self.errno = struct.unpack_from("<i", message, 120)[0]
        self.data = message[128:]
        if flags & 1:
            with os.fdopen(fds.pop(), "rb") as f:
                self.data = os.pread(f.fileno(), self.out_len + 1, 0)
        assert len(self.data) == self.out_len


class Client:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(20)
        try:
            self.sock.connect(str(path))
        except OSError:
            self.sock.close()
            raise

    def send(self, message, fds=()):
        socket.send_fds(self.sock, [message], list(fds))

    def recv(self):
        message, fds, _, _ = socket.recv_fds(self.sock, 1 << 18, 4)
        return Reply(message, fds) if message else None

    def call(self, message, fds=()):
        self.send(message, fds)
        return self.recv()

    def close(self):
        self.sock.close()


def memfd(data, seals=SEALS):
    fd = os.memfd_create("payload", os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


class GateTest(unittest.TestCase):
    DEVICES = {"sim0": "sim:honest", "slow": "sim:honest,bg-ms=20000", "big": "sim:honest,payload=1048576",
               "gone": "sim:gone,after=2", "hang": "sim:hang", "garbage": "sim:garbage", "liar": "sim:liar-data"}
    POLICY = ("[grant all]\nuser = *\ndevice = *\nscope = debug-write-full\n"
              "effects = config-cold-reset, config, data, policy, log, security, background, "
              "config-conv-reset, config-cxl-reset\n")
    INSIDE = []  # a command that runs the daemon
    ARGS = []
    ENV = {}

    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory(prefix="fwadmit-gate-")
        self.dir = pathlib.Path(self.tmp.name)
        os.chmod(self.dir, 0o755)
        self.policy = self.dir / "policy"
        self.policy.mkdir()
        (self.policy / "test.conf").write_text(self.POLICY)
        self.clients = []
        self.log_file = open(self.dir / "log", "w")
        self.daemon = subprocess.Popen(
            [*self.INSIDE, FWADMITD, f"--socket-dir={self.dir}/run", f"--policy={self.policy}", "--no-discovery",
             f"--state-dir={self.dir}/state",
             *self.ARGS, *(f"--device={n}={s}" for n, s in self.DEVICES.items())],
            stderr=self.log_file, env={**os.environ, **self.ENV}, stdin=subprocess.DEVNULL)

    def tearDown(self):
        for c in self.clients:
            c.close()
        self.daemon.terminate()
        self.assertEqual(self.daemon.wait(20), 0)
        self.log_file.close()
        self.tmp.cleanup()

    def expect_log(self, text):
        end = time.monotonic() + 20
        while text not in (self.dir / "log").read_text():
            self.assertLess(time.monotonic(), end, (self.dir / "log").read_text())
            time.sleep(0.01)

    def as_nobody(self, name):
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
        try:
            return self.client(name)
        finally:
            os.seteuid(0)

    def client(self, name="sim0"):
        end = time.monotonic() + 20
        while True:
            try:
                self.clients.append(Client(self.dir / "run" / f"{name}.sock"))
                return self.clients[-1]
            except (FileNotFoundError, ConnectionRefusedError, PermissionError,  # not yet, or not yet open to all
                    BlockingIOError):  # more wait to be accepted than the socket takes
                if time.monotonic() > end:
                    raise
                time.sleep(0.005)

    def worker(self, name):
        for pid in pathlib.Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children"
                                ).read_text().split():
            if f"--name={name}" in pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
                return int(pid)
        raise AssertionError(f"no worker for {name}")


class Requests(GateTest):
    def test_admitted_read_and_write(self):
        c = self.client()
        r = c.call(request())
        self.assertEqual((r.reason, r.status, r.out_len), ("admit", COMPLETED, 67))
        r = c.call(request(opcode=SET_LSA, payload=struct.pack("<II", 16, 0) + b"label"))
        self.assertEqual((r.reason, r.status, r.grant), ("admit", COMPLETED, "all"))
        r = c.call(request(opcode=GET_LSA, payload=struct.pack("<II", 16, 5)))
        self.assertEqual(r.data, b"label")

    def test_reply_is_cut_to_what_was_asked_for(self):
        r = self.client().call(request(out_len=5))
        self.assertEqual(r.out_len, 5)

    def test_device_error(self):
        r = self.client().call(request(opcode=0x4505, payload=bytes(0x40)))
        self.assertEqual((r.reason, r.status), ("admit", DEVICE_ERROR))
        self.assertNotEqual(r.code, 0)

    def test_refused_is_not_sent(self):
        c = self.client()
        before = c.call(request(opcode=GET_LSA, payload=struct.pack("<II", 0, 8))).data
        r = c.call(request(opcode=SET_LSA, payload=struct.pack("<II", 0, 0) + b"overwritten", scope=2))
        self.assertEqual((r.reason, r.status), ("scope-too-low", REFUSED))
        self.assertEqual(c.call(request(opcode=GET_LSA, payload=struct.pack("<II", 0, 8))).data, before)

    def test_every_opcode_of_a_page(self):
        """What the device does not declare is refused, whatever it is."""
        c = self.client()
        declared = {0xc000, 0xc001}
        for opcode in range(0xc000, 0xc100):
            r = c.call(request(opcode=opcode))
            self.assertEqual(r.reason == "undeclared", opcode not in declared, hex(opcode))

    def test_large_payload_in_a_memfd(self):
        c = self.client("big")
        data = os.urandom(200000)
        room = c.call(request()).data
        lsa = struct.unpack_from("<I", room, 0x38)[0]
        size = min(len(data), lsa)
        payload = struct.pack("<II", 0, 0) + data[:size]
        if len(payload) <= 65536:
            payload = struct.pack("<II", 0, 0) + bytes(70000)  # too long for the LSA, but carried
        fd = memfd(payload)
        r = c.call(request(opcode=SET_LSA, in_len=len(payload), flags=1), [fd])
        os.close(fd)
        self.assertEqual(r.error, 0)
        self.assertEqual(r.reason, "admit" if len(payload) - 8 <= lsa else "payload-shape")

    def test_large_reply_in_a_memfd(self):
        c = self.client("big")
        log = bytes.fromhex("5e1819d911a9400c811fd60719403d86")
        r = c.call(request(kind=DESCRIBE))
        self.assertEqual(r.error, 0)
        r = c.call(request(opcode=0x0401, payload=log + struct.pack("<II", 0, 4), out_len=1 << 20))
        self.assertEqual(r.reason, "admit")


class Hostile(GateTest):
    def expect_error(self, message, error, fds=(), stays=True, name="sim0"):
        c = self.client(name)
        r = c.call(message, fds)
        self.assertEqual(r.error, error)
        self.assertEqual(r.status, REFUSED)
        if stays:
            self.assertEqual(c.call(request()).reason, "admit")
        else:
            self.assertIsNone(c.recv())
        self.assertEqual(self.client(name).call(request()).reason, "admit")

    def test_no_request(self):
        self.expect_error(b"x", E_MALFORMED, stays=False)
        self.expect_error(b"x" * 64, E_MALFORMED, stays=False)
        self.expect_error(request()[:63], E_MALFORMED, stays=False)
        self.expect_error(request(magic=1), E_MALFORMED, stays=False)

    def test_lengths_that_lie(self):
        self.expect_error(request(payload=b"abc", in_len=2), E_MALFORMED, stays=False)
        self.expect_error(request(payload=b"abc", in_len=4), E_MALFORMED, stays=False)
        self.expect_error(request(in_len=0xffffffff), E_PAYLOAD)

    def test_unknown_version_kind_flags(self):
        self.expect_error(request(version=VERSION - 1), E_VERSION)
        self.expect_error(request(kind=3), E_KIND)
        self.expect_error(request(kind=0), E_KIND)
        self.expect_error(request(flags=4), E_MALFORMED, stays=False)
        self.assertEqual(self.client().call(request(flags=2)).error, 0)  # with a receipt

    def test_message_longer_than_any(self):
        c = self.client()
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
        self.assertEqual(c.call(request(payload=bytes(100000))).error, E_MALFORMED)

    def test_memfds_that_are_not_what_they_say(self):
        data = bytes(70000)
        for fd in (memfd(data, seals=0), memfd(data, seals=fcntl.F_SEAL_WRITE),
                   memfd(data, seals=fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW), memfd(data[:-1]),
                   memfd(data + b"x"), os.open("/dev/zero", os.O_RDONLY), os.pipe()[0]):
            self.expect_error(request(in_len=len(data), flags=1), E_PAYLOAD, [fd])
            os.close(fd)
        self.expect_error(request(in_len=len(data), flags=1), E_PAYLOAD)
        fd = memfd(b"")
        self.expect_error(request(), E_PAYLOAD, [fd])
        self.expect_error(request(), E_MALFORMED, [fd, fd], stays=False)

    def test_what_is_sent_is_not_waited_for(self):
        """To close a connection that lingers takes as long as its owner likes: the worker leaves that to others."""
        def lingering():
            listener = socket.create_server(("127.0.0.1", 0))
            sock = socket.create_connection(listener.getsockname())
            kept.extend((listener, listener.accept()[0]))
            sock.setblocking(False)
            try:
                while True:
                    sock.send(bytes(65536))
            except BlockingIOError:
                pass
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
            return sock.detach()

        def unread(c, fds):
            c.sock.send(b"")
            try:
                socket.send_fds(c.sock, [b"x"], fds)
            except BrokenPipeError:
                pass

        kept, closing = [], []
        other = self.client()
        for name in "sim0", "liar":  # where there is a grant, and where there is none
            for send in (lambda c, fds: c.send(request(), fds), unread):
                for n in 1, 2, 250:
                    with self.subTest(name, n=n):
                        fd = lingering()
                        c = self.client(name)
                        send(c, [fd] * n)
                        closing.append(threading.Thread(target=os.close, args=(fd,)))
                        closing[-1].start()
                        self.clients.remove(c)
                        c.close()
                        start = time.monotonic()
                        self.assertIsNotNone(self.client(name).call(request()))
                        self.assertEqual(other.call(request()).reason, "admit")
                        self.assertLess(time.monotonic() - start, 5)
        for sock in kept:
            sock.close()
        for thread in closing:
            thread.join()

    def test_descriptors_are_not_kept(self):
        worker = None
        c = self.client()
        for _ in range(50):
            fd = memfd(b"")
            c.call(request(), [fd])
            os.close(fd)
            worker = worker or self.worker("sim0")
            self.assertLess(len(os.listdir(f"/proc/{worker}/fd")), 30)

    def test_client_that_leaves_in_mid_request(self):
        for _ in range(20):
            c = self.client()
            c.send(request(opcode=0x0401, payload=bytes(24)))
            c.close()
            self.clients.remove(c)
        self.assertEqual(self.client().call(request()).reason, "admit")

    def test_client_that_does_not_read(self):
        """It is dropped when its replies pile up; the others never wait for it."""
        lazy, other = self.client(), self.client()
        lazy.sock.settimeout(0.2)
        try:
            for _ in range(20000):
                lazy.send(request())
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        start = time.monotonic()
        self.assertEqual(other.call(request()).reason, "admit")
        self.assertLess(time.monotonic() - start, 5)

    def test_two_clients_at_once(self):
        results = []

        def work(n):
            c = self.client()
            for i in range(300):
                r = c.call(request(opcode=GET_LSA, payload=struct.pack("<II", n, 8), request_id=i))
                results.append(r.id == i and r.reason == "admit" and r.out_len == 8)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(results, [True] * 1200)

    @unittest.skipUnless(ROOT, "needs root, to be somebody else too")
    def test_a_stranger_cannot_take_all_places(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        nobody = pwd.getpwnam("nobody").pw_uid
        self.client()
        os.seteuid(nobody)
        try:
            many = [self.client() for _ in range(100)]
        finally:
            os.seteuid(0)
        time.sleep(0.2)
        alive = 0
        for c in many:
            try:
                alive += c.call(request(kind=DESCRIBE)) is not None
            except (BrokenPipeError, ConnectionResetError):
                pass
        self.assertEqual(alive, 64)
        self.assertEqual(self.client().call(request()).reason, "admit")
        self.expect_log("too many connections")
        # Who is turned away again and again fills no log.
        os.seteuid(nobody)
        try:
            for _ in range(500):
                c = Client(self.dir / "run" / "sim0.sock")
                try:
                    c.call(request(kind=DESCRIBE))
                except (BrokenPipeError, ConnectionResetError):
                    pass
                c.close()
        finally:
            os.seteuid(0)
        self.assertLess((self.dir / "log").read_text().count("too many connections"), 100)


class Devices(GateTest):
    @unittest.skipUnless(ROOT, "needs root, to be many users")
    def test_many_users_leave_places_for_root(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        many = []
        for uid in range(70000, 70016):
            os.seteuid(uid)
            try:
                many += [self.client() for _ in range(64)]
            finally:
                os.seteuid(0)
        self.expect_log("too many connections")
        for c in (self.client() for _ in range(8)):
            self.assertEqual(c.call(request()).reason, "admit")

    def test_gone_in_mid_call(self):
        c = self.client("gone")
        seen = []
        for _ in range(4):
            r = c.call(request())
            seen.append(r.error or r.status)
        self.assertIn(UNKNOWN, seen)
        self.assertEqual(c.call(request()).error, E_GONE)
        self.assertEqual(self.client().call(request()).reason, "admit")
        self.expect_log("gone: the device is gone")

    def test_hang_is_an_unknown_outcome(self):
        c = self.client("hang")
        start = time.monotonic()
        r = c.call(request(opcode=HEALTH, timeout=200))
        self.assertEqual((r.reason, r.status), ("admit", UNKNOWN))
        self.assertEqual(os.strerror(r.errno), os.strerror(110))
        self.assertLess(time.monotonic() - start, 5)

    def test_garbage_declares_nothing_and_hurts_nobody(self):
        c = self.client("garbage")
        for opcode in (IDENTIFY, HEALTH, SET_LSA, 0x0401, 0xc000):
            self.assertIn(c.call(request(opcode=opcode)).reason, ("undeclared", "reserved-bits"))

    def test_liar_is_judged_by_the_floor(self):
        """It declares Clear Poison as a read; the specification does not."""
        r = self.client("liar").call(request(opcode=0x4302, payload=bytes(72), scope=1))
        self.assertEqual(r.reason, "scope-too-low")

    def test_background_is_leased(self):
        mine, other = self.client(), self.client()
        r = mine.call(request(opcode=0x4400))
        self.assertEqual((r.reason, r.status, r.code), ("admit", COMPLETED, 1))
        self.assertEqual(other.call(request(opcode=0x4400)).reason, "lease")
        self.assertEqual(other.call(request()).reason, "admit")

    def test_lease_outlives_its_session(self):
        """Where the device can be asked, its work is over when it says so, not when a client leaves."""
        mine, other = self.client("slow"), self.client("slow")
        self.assertEqual(mine.call(request(opcode=0x4400)).code, 1)
        mine.close()
        self.clients.remove(mine)
        for c in (other, self.client("slow")):
            self.assertEqual(c.call(request(opcode=0x4400)).reason, "lease")

    def part(self, client, flags, uuid=CALIBRATION, offset=0, data=b"part"):
        payload = uuid + struct.pack("<IHB9x", flags, offset, 1) + data
        return client.call(request(opcode=0x0502, payload=payload))

    def test_a_transfer_is_its_sessions(self):
        """All ones name the Feature whose transfer is in progress: this session's own, or none."""
        mine, other = self.client(), self.client()
        r = self.part(mine, CONTINUE, IN_TRANSFER)
        self.assertEqual((r.reason, r.detail), ("undeclared", 34))
        self.assertEqual(self.part(mine, INITIATE).status, COMPLETED)
        r = self.part(other, CONTINUE, IN_TRANSFER, 4)
        self.assertEqual((r.reason, r.detail), ("undeclared", 35))
        for flags in (INITIATE, CONTINUE, FINISH, ABORT):
            r = self.part(other, flags, CALIBRATION, 4)
            self.assertEqual((r.reason, r.status), ("lease", REFUSED))
        r = self.part(mine, CONTINUE, IN_TRANSFER, 4)
        self.assertEqual((r.reason, r.status), ("admit", COMPLETED))
        self.assertEqual(self.part(mine, CONTINUE, IN_TRANSFER, 4095).reason, "payload-shape")
        self.assertEqual(self.part(mine, FINISH, IN_TRANSFER, 8, bytes(64)).status, COMPLETED)
        self.assertEqual(self.part(mine, ABORT, IN_TRANSFER).detail, 34)
        self.assertEqual(self.part(other, INITIATE).status, COMPLETED)

    def test_a_transfer_that_failed_is_nobodys(self):
        mine = self.client()
        self.assertEqual(self.part(mine, INITIATE).status, COMPLETED)
        self.assertEqual(self.part(mine, CONTINUE, IN_TRANSFER, 9).status, DEVICE_ERROR)
        self.assertEqual(self.part(mine, CONTINUE, IN_TRANSFER, 4).detail, 34)

    def test_a_transfer_ends_with_its_session(self):
        """The gate aborts it: the device takes the next one at once, and has nothing left to abort."""
        mine, other = self.client(), self.client()
        self.assertEqual(self.part(mine, INITIATE).status, COMPLETED)
        mine.close()
        self.clients.remove(mine)
        end = time.monotonic() + 20
        while self.part(other, ABORT, IN_TRANSFER).detail == 35:
            self.assertLess(time.monotonic(), end)
        self.assertEqual(self.part(other, ABORT, IN_TRANSFER).detail, 34)
        self.assertEqual(self.part(other, ABORT).status, DEVICE_ERROR)
        self.assertEqual(self.part(other, INITIATE).status, COMPLETED)
        self.expect_log(f"uid {os.getuid()} left its transfer of a Feature half done")

    def test_whose_transfer_is_described(self):
        mine, other = self.client(), self.client()
        self.assertEqual(self.part(mine, INITIATE).status, COMPLETED)
        for client, flags, uuid in ((mine, 1 << 5, CALIBRATION), (other, 1 << 6, bytes(16))):
            data = client.call(request(kind=DESCRIBE)).data
            self.assertEqual(struct.unpack_from("<I", data, 4)[0] & 0x60, flags)
            self.assertEqual(data[136:152], uuid)

    def test_sandbox(self):
        self.client().call(request())
        status = dict(l.split(":", 1) for l in pathlib.Path(
            f"/proc/{self.worker('sim0')}/status").read_text().splitlines())
        self.assertEqual(status["NoNewPrivs"].strip(), "1")
        if not os.environ.get("FWADMIT_SANITIZED"):
            self.assertEqual(status["Seccomp"].strip(), "2")
        self.assertEqual(int(status["CapEff"], 16), 0)
        self.assertEqual(int(status["CapPrm"], 16), 0)

    def test_worker_holds_only_its_own(self):
        self.client().call(request())
        pid = self.worker("sim0")
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        for link in links:
            self.assertTrue(link.startswith(("socket:", "anon_inode:[eventpoll]", "anon_inode:[eventfd]", "/dev/null"))
                            or link == f"{self.dir}/log" or "memfd" in link
                            or link == "/proc" or link.endswith("/lockdown"), link)


SECURITYFS = ["unshare", "--mount", "sh", "-ec", "mount -t tmpfs none /sys/kernel/security\n"
              "ln -s lockdown /sys/kernel/security/lockdown\nexec \"$@\"", "sh"]


def can_mount():
    return ROOT and shutil.which("unshare") and not subprocess.run(
        [*SECURITYFS, "true"], stderr=subprocess.DEVNULL).returncode


@unittest.skipUnless(can_mount(), "needs to mount")
class Lockdown(GateTest):
    INSIDE = SECURITYFS

    def test_a_state_that_cannot_be_opened_counts_as_locked_down(self):
        c = self.client()
        self.assertEqual(c.call(request(opcode=SET_LSA, payload=bytes(9))).reason, "lockdown")
        self.assertEqual(c.call(request()).reason, "admit")


@unittest.skipUnless(shutil.which("qemu-system-x86_64"), "needs QEMU's NVMe controller")
class Nvme(GateTest):
    DEVICES = {"nvme": "qtest:nvme"}
    POLICY = GateTest.POLICY.replace("config-cxl-reset", "config-cxl-reset, namespace-capability, "
                                     "namespace-inventory, controller-capability, exclusive")

    @staticmethod
    def read(blocks, out_len):
        return request(cmd_set=2, opcode=2, nsid=1, cdw=(0, 0, blocks - 1), out_len=out_len)

    def test_qemu_ends_with_its_worker(self):
        self.assertEqual(self.client("nvme").call(self.read(1, 512)).status, COMPLETED)
        worker = self.worker("nvme")
        qemu, = (int(p) for p in pathlib.Path(f"/proc/{worker}/task/{worker}/children").read_text().split())
        os.kill(worker, signal.SIGKILL)
        end = time.monotonic() + 20
        while self.is_alive(qemu):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    @staticmethod
    def is_alive(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    def test_large_replies_do_not_pile_up(self):
        """Each holds a memfd of the worker's: one may wait for a client, not hundreds."""
        lazy, honest = self.client("nvme"), self.client("nvme")
        lazy.sock.settimeout(1)
        try:
            for _ in range(50):
                lazy.send(self.read(256, 131072))
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        for _ in range(3):
            self.assertEqual(honest.call(self.read(256, 131072)).out_len, 131072)
        waiting = 0
        while True:
            try:
                if not lazy.recv():
                    break
                waiting += 1
            except ConnectionResetError:  # said once, before what waits
                pass
        self.assertEqual(waiting, 1)


    def test_blocks_of_a_namespace_that_was_formatted(self):
        """The controller moves blocks of the new size, into a buffer for blocks of the old one."""
        c = self.client("nvme")
        self.assertEqual(c.call(self.read(1, 512)).status, COMPLETED)
        r = c.call(request(cmd_set=1, opcode=0x80, nsid=1, cdw=(4,), out_len=0))
        self.assertEqual((r.reason, r.status), ("admit", COMPLETED))
        self.assertEqual(c.call(self.read(1, 512)).reason, "payload-shape")
        r = c.call(self.read(1, 4096))
        self.assertEqual((r.reason, r.status, r.out_len), ("admit", COMPLETED, 4096))


class Identity(GateTest):
    POLICY = ("[grant readers]\nuser = nobody\ndevice = sim0\nscope = debug-read-only\n")

    @unittest.skipUnless(ROOT, "needs root, to be somebody else too")
    def test_who_asks_is_what_the_kernel_says(self):
        root = self.client()
        self.assertEqual(root.call(request()).reason, "no-grant")
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
        try:
            reader, elsewhere = self.client(), self.client("liar")
        finally:
            os.seteuid(0)
        r = reader.call(request())
        self.assertEqual((r.reason, r.grant), ("admit", "readers"))
        self.assertEqual(reader.call(request(opcode=SET_LSA, payload=bytes(9))).reason, "grant-scope")
        self.assertEqual(elsewhere.call(request()).reason, "no-grant")

    def test_no_descriptor_is_taken_from_a_stranger(self):
        c = self.client("liar")
        payload = bytes(70000)
        fd = memfd(payload)
        def refused(c, message, fds):
            c.send(message, fds)
            try:
                r = c.recv()
                self.assertEqual((r.error, r.id), (E_PAYLOAD, 7))
                self.assertIsNone(c.recv())
            except ConnectionResetError:  # said once, before what waits; what it was is not taken
                pass

        refused(c, request(in_len=len(payload), flags=1), [fd])
        for fds in [fd], [fd, fd]:
            refused(self.client("liar"), request(), fds)
        os.close(fd)

    @unittest.skipUnless(ROOT, "needs root, to be somebody else too")
    def test_reload_reaches_connected_clients(self):
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
        try:
            c = self.client()
        finally:
            os.seteuid(0)
        self.assertEqual(c.call(request()).reason, "admit")
        (self.policy / "test.conf").write_text("[grant nobody]\nuser = root\ndevice = *\n"
                                               "scope = debug-read-only\n")
        self.daemon.send_signal(1)
        end = time.monotonic() + 20
        while c.call(request()).reason != "no-grant":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)


class Commands(GateTest):
    CEL, VENDOR = (bytes.fromhex(u) for u in ("0da9c0b5bf414b788f7996b1623b3f17",
                                              "5e1819d911a9400c811fd60719403d86"))
    POLICY = ("[grant narrow]\nuser = *\ndevice = *\nscope = debug-read-only\nticket = CHG-1\n"
              "commands = get-log !uuid:cel, identify-memory-device\n"
              "[grant others]\nuser = *\ndevice = *\nscope = debug-write\nmodel = no such model\n")

    def get_log(self, uuid):
        return request(opcode=0x0401, payload=uuid + struct.pack("<II", 0, 4), out_len=4)

    def test_bytes_decide(self):
        c = self.client()
        for message, reason, detail in ((request(), "admit", 0),
                                        (self.get_log(self.VENDOR), "admit", 0),
                                        (self.get_log(self.CEL), "no-grant", 36),
                                        (request(opcode=HEALTH), "no-grant", 36)):
            r = c.call(message)
            self.assertEqual((r.reason, r.detail), (reason, detail))

    def test_description_carries_filters(self):
        data = self.client().call(request(kind=DESCRIBE)).data
        self.assertEqual(struct.unpack_from("<I", data)[0], 5)
        self.assertEqual(struct.unpack_from("<III", data, 120), (1, 1, 0))  # not that of another model
        scope, effects, until, _, terms, *limits = struct.unpack_from("<IIQIIIIQII", data, 160)
        self.assertEqual((scope, effects, until, terms, limits), (1, 0, 0, 3, [0, 0, 0, 0, 0]))
        self.assertEqual(data[208:256].rstrip(b"\0"), b"narrow")
        self.assertEqual(data[256:320].rstrip(b"\0"), b"CHG-1")
        term = struct.Struct("<BBBBI16s")
        self.assertEqual([term.unpack_from(data, 320 + i * 24) for i in range(terms)], [
            (0, 0, 0, 0, 0x0401, bytes(16)), (8, 1, 0, 0, 0, self.CEL), (0, 0, 0, 0, 0x4000, bytes(16))])
        length, zero = struct.unpack_from("<II", data, 320 + terms * 24)
        self.assertEqual((length, zero), (len(data) - 344 - terms * 24 - 416, 0))
        self.assertEqual(data[-432:-428], b"\1\0\0\0")  # the baseline is the first that was seen: the same
        self.assertEqual(data[-424:-416], bytes(8))
        self.assertEqual(struct.unpack_from("<II", data, len(data) - 416), (os.getuid(), os.getgid()))
        self.assertEqual(data[-8:], bytes(8))  # there are no advisories

    def test_a_reload_brings_other_filters(self):
        c = self.client()
        self.assertEqual(c.call(request(opcode=HEALTH)).reason, "no-grant")
        (self.policy / "test.conf").write_text(self.POLICY.replace(", identify", ", 4200h, !identify"))
        self.daemon.send_signal(1)
        end = time.monotonic() + 20
        while c.call(request(opcode=HEALTH)).reason != "admit":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)
        self.assertEqual(c.call(request()).reason, "no-grant")


if __name__ == "__main__":
    unittest.main()
