#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device does for one client: whose it is, who may end it, and that the device is left usable.

FWADMITD as first argument. FWADMIT_QEMU names a QEMU to be used, as for the qtest tests.
"""
import json
import os
import shutil
import signal
import socket
import struct
import time
import unittest

from test_gate import (ABORT, CALIBRATION, COMPLETED, CONTINUE, DESCRIBE, DEVICE_ERROR, FINISH, HEALTH,
                       INITIATE, REFUSED, ROOT, GateTest, request)

GET_FW, TRANSFER, ACTIVATE, GET_FEATURE, SET_FEATURE = 0x0200, 0x0201, 0x0202, 0x0501, 0x0502
STOP, SCAN, RESULTS, SANITIZE = 0x0005, 0x4304, 0x4305, 0x4400
FW_FULL, FW_INITIATE, FW_CONTINUE, FW_END, FW_ABORT = range(5)
BACKGROUND, BUSY = 1, 6  # return codes
OF_OTHER, FIRMWARE_OF_OTHER = 46, 47  # details
NVME = 1  # command set
LOG, FW_COMMIT, FW_DOWNLOAD, SELF_TEST, NVME_SANITIZE = 0x02, 0x10, 0x11, 0x14, 0x84
NVME_BUSY = {SELF_TEST: 0x11d, NVME_SANITIZE: 0x1d}
LIMIT = 60  # seconds that a machine with much to do may take


def admin(opcode, cdw10=0, cdw11=0, payload=b"", out_len=0):
    return request(cmd_set=NVME, opcode=opcode, cdw=(cdw10, cdw11), payload=payload, out_len=out_len)


def feature_part(flags, offset, data):
    return request(opcode=SET_FEATURE, payload=CALIBRATION + struct.pack("<IHB9x", flags, offset, 1) + data)


def firmware_part(action, at, data):
    return request(opcode=TRANSFER, payload=struct.pack("<BBHI120x", action, 2, 0, at // 128) + data)


def feature_steps(text):
    return [feature_part(INITIATE, 0, text[:4]), feature_part(CONTINUE, 4, text[4:8]),
            feature_part(CONTINUE, 8, text[8:12]), feature_part(FINISH, 12, text[12:16])]


def package(text):
    return b"SIMFWPKG" + bytes(8) + text[:16].ljust(16, b"\0") + bytes(96)


def firmware_steps(text):
    rest = bytes(128)
    return [firmware_part(FW_INITIATE, 0, package(text)), firmware_part(FW_CONTINUE, 128, rest),
            firmware_part(FW_END, 256, rest)]


def nvme_steps(text):
    image = b"SIMNVME1" + text[:8].ljust(8)
    return [admin(FW_DOWNLOAD, 1, 0, image[:8]), admin(FW_DOWNLOAD, 1, 2, image[8:]),
            admin(FW_COMMIT, 0 << 3 | 2)]


def stored_feature(client):
    return client.call(request(opcode=GET_FEATURE, payload=CALIBRATION + struct.pack("<HHB", 0, 16, 0))).data


def stored_firmware(client):
    return client.call(request(opcode=GET_FW)).data[32:48]


def stored_nvme(client):
    return client.call(admin(LOG, 7 << 16 | 3, out_len=32)).data[16:24].ljust(16)


class Leases(GateTest):
    POLICY = ("[grant all]\nuser = *\ndevice = *\nscope = debug-write-full\n"
              "effects = config-cold-reset, config, data, policy, log, security, background, exclusive, "
              "config-conv-reset, config-cxl-reset, namespace-capability, namespace-inventory, "
              "controller-capability\n")

    def leave(self, client):
        client.close()
        self.clients.remove(client)

    def patient(self, client, message):
        """The reply to @message once neither a lease nor the device's own work is in the way."""
        end = time.monotonic() + LIMIT
        while True:
            r = client.call(message)
            if r.reason != "lease" and not (r.status == DEVICE_ERROR and r.code == BUSY):
                return r
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def do(self, client, message):
        r = self.patient(client, message)
        self.assertEqual((r.error, r.reason, r.status), (0, "admit", COMPLETED), (r.code, r.detail))
        return r


class Transfers(Leases):
    """Clients that are killed at every step, with or without having read their last reply."""
    DEVICES = {"inline": "sim:honest", "lane": "sim:honest,delay-ms=3", "work": "sim:honest,fw-ms=60",
               "work-lane": "sim:honest,fw-ms=60,delay-ms=3", "nvme": "sim:nvme",
               "nvme-lane": "sim:nvme,delay-ms=3,lanes=4"}

    def killed_after(self, name, steps, n, reads_last):
        """A process that takes the first @n of @steps and is killed."""
        pid = os.fork()
        if pid == 0:
            try:
                c = self.client(name)
                for i, message in enumerate(steps[:n]):
                    if i < n - 1 or reads_last:
                        self.do(c, message)
                    else:
                        c.send(message)
                os.kill(os.getpid(), signal.SIGKILL)
            finally:
                os._exit(1)
        self.assertEqual(os.WTERMSIG(os.waitpid(pid, 0)[1]), signal.SIGKILL)

    def every_step(self, name, make, stored):
        for n in range(1, len(make(b"")) + 1):
            for reads_last in (False, True):
                with self.subTest(device=name, step=n, reads_last=reads_last):
                    self.killed_after(name, make(b"of one that ends"), n, reads_last)
                    text = f"after {n} {int(reads_last)}".encode().ljust(16)
                    c = self.client(name)
                    for message in make(text):
                        self.do(c, message)
                    if make is firmware_steps:
                        self.patient(c, firmware_part(FW_ABORT, 0, b""))  # when it is done, this is too
                    self.assertEqual(stored(c)[:8], text[:8])
                    self.leave(c)

    def test_feature(self):
        for name in ("inline", "lane"):
            self.every_step(name, feature_steps, stored_feature)
        self.expect_log("left its transfer of a Feature half done; the abort that was sent: success")

    def test_firmware(self):
        for name in ("inline", "lane", "work", "work-lane"):
            self.every_step(name, firmware_steps, stored_firmware)
        self.expect_log("left its transfer of firmware half done; the abort that was sent: ")

    def test_firmware_of_nvme(self):
        for name in ("nvme", "nvme-lane"):
            self.every_step(name, nvme_steps, stored_nvme)

    def test_what_ended_is_not_aborted(self):
        """One that was finished, and one that its client aborted itself."""
        c = self.client("inline")
        for message in feature_steps(b"0123456789abcdef") + firmware_steps(b"2.0"):
            self.do(c, message)
        self.do(c, feature_part(INITIATE, 0, b"part"))
        self.do(c, feature_part(ABORT, 0, b""))
        self.do(c, firmware_part(FW_INITIATE, 0, package(b"3.0")))
        self.do(c, firmware_part(FW_ABORT, 0, b""))
        self.leave(c)
        self.assertEqual(self.client("inline").call(request()).status, COMPLETED)
        self.assertNotIn("half done", (self.dir / "log").read_text())

    def test_one_that_failed_is_aborted(self):
        """The device may still hold what came before the part that it did not take."""
        mine, other = self.client("inline"), self.client("inline")
        self.do(mine, feature_part(INITIATE, 0, b"part"))
        bad = CALIBRATION + struct.pack("<IHB9x", CONTINUE, 4, 9) + b"part"  # of no such version
        self.assertEqual(mine.call(request(opcode=SET_FEATURE, payload=bad)).status, DEVICE_ERROR)
        self.assertEqual(other.call(feature_part(INITIATE, 0, b"part")).status, DEVICE_ERROR)
        self.leave(mine)
        self.expect_log("a Feature half done; the abort that was sent: success")
        self.do(other, feature_part(INITIATE, 0, b"part"))

    def test_firmware_of_two_does_not_mix(self):
        for name, steps, rest in (("inline", firmware_steps, [request(opcode=ACTIVATE, payload=b"\0\2")]),
                                  ("nvme-lane", nvme_steps, [admin(FW_COMMIT, 2 << 3 | 1)])):
            mine, other = self.client(name), self.client(name)
            for message in steps(b"mine"):
                if message != steps(b"mine")[0]:
                    for theirs in steps(b"theirs") + rest:
                        r = other.call(theirs)
                        self.assertEqual((r.reason, r.detail, r.status), ("lease", FIRMWARE_OF_OTHER, REFUSED))
                    self.assertEqual(other.call(request(opcode=HEALTH) if name == "inline" else
                                                admin(LOG, 3 << 16 | 2, out_len=16)).status, COMPLETED)
                self.do(mine, message)
            for message in steps(b"theirs") + rest:
                self.do(other, message)

    def test_the_failed_end_may_be_sent_again(self):
        mine, other = self.client("inline"), self.client("inline")
        steps = firmware_steps(b"2.0")
        self.do(mine, steps[0])
        self.do(mine, steps[1])
        end = struct.pack("<BBHI120x", FW_END, 1, 0, 2) + bytes(128)  # into the slot that is in use
        self.assertEqual(mine.call(request(opcode=TRANSFER, payload=end)).status, DEVICE_ERROR)
        self.assertEqual(other.call(steps[0]).detail, FIRMWARE_OF_OTHER)
        self.do(mine, steps[2])
        self.do(other, steps[0])

    def test_is_described(self):
        mine, other = self.client("inline"), self.client("inline")
        self.do(mine, firmware_steps(b"2.0")[0])
        flags = [struct.unpack_from("<I", c.call(request(kind=DESCRIBE)).data, 4)[0] for c in (mine, other)]
        self.assertEqual(bin(flags[0] ^ flags[1]).count("1"), 1)


class Work(Leases):
    DEVICES = {"sim0": "sim:honest,bg-ms=500", "lane": "sim:honest,bg-ms=500,delay-ms=2",
               "nvme": "sim:nvme,bg-ms=500", "nvme-lane": "sim:nvme,bg-ms=500,delay-ms=2,lanes=4",
               "shown": "sim:honest,bg-ms=4000", "shown-nvme": "sim:nvme,bg-ms=4000,delay-ms=2",
               "long": "sim:honest,bg-ms=600000", "long-nvme": "sim:nvme,bg-ms=600000"}
    SCAN_ALL = request(opcode=SCAN, payload=struct.pack("<QQB", 0, 16, 0))
    # device: what begins work there, what else would, and a read
    BEGIN = {"sim0": (request(opcode=SANITIZE), SCAN_ALL), "lane": (SCAN_ALL, request(opcode=SANITIZE)),
             "nvme": (admin(SELF_TEST, 1), admin(NVME_SANITIZE, 2)),
             "nvme-lane": (admin(NVME_SANITIZE, 2), admin(SELF_TEST, 2))}

    def read(self, name):
        return admin(LOG, 3 << 16 | 2, out_len=16) if "nvme" in name else request()

    def test_is_free_when_the_device_is_done(self):
        """Whether or not its client is still there: the device says so, a mailbox by registers, NVMe by logs."""
        for name, (begin, other_work) in self.BEGIN.items():
            for stays in (True, False):
                with self.subTest(device=name, stays=stays):
                    mine, other = self.client(name), self.client(name)
                    begun = time.monotonic()
                    self.do(mine, begin)
                    if not stays:
                        self.leave(mine)
                    r = other.call(other_work)
                    self.assertEqual((r.reason, r.detail, r.status), ("lease", OF_OTHER, REFUSED))
                    self.do(other, other_work)
                    self.assertGreater(time.monotonic() - begun, 0.45)
                    self.leave(other)
                    if stays:
                        self.do(mine, begin)  # after the other one's
                        self.leave(mine)

    def test_reads_go_on(self):
        """While the device works; no place is held for the work."""
        for name, (begin, _) in self.BEGIN.items():
            with self.subTest(device=name):
                mine, others = self.client(name), [self.client(name) for _ in range(4)]
                self.do(mine, begin)
                n = 0
                while mine.call(begin).status != COMPLETED and n < 100000:
                    for c in others:
                        self.assertEqual(c.call(self.read(name)).status, COMPLETED)
                        n += 1
                self.assertGreater(n, len(others))  # it still worked after the first of each

    def test_done_at_once_holds_nothing(self):
        """Transfer FW may run in the background; here it is done when it answers."""
        mine, other = self.client(), self.client()
        self.do(mine, firmware_part(FW_FULL, 0, package(b"2.0")))
        self.assertEqual(other.call(request(opcode=SANITIZE)).reason, "admit")

    @unittest.skipUnless(ROOT, "needs root, to be somebody else too")
    def test_who_may_end_it(self):
        for name, begin, end in (("long", request(opcode=SANITIZE), request(opcode=STOP)),
                                 ("long-nvme", admin(SELF_TEST, 2), admin(SELF_TEST, 15))):
            with self.subTest(device=name):
                root, nobody, same = self.client(name), self.as_nobody(name), self.as_nobody(name)
                r = nobody.call(end)  # nothing runs that is known to be theirs
                self.assertEqual((r.reason, r.detail), ("lease", OF_OTHER))
                self.do(root, begin)
                r = nobody.call(end)
                self.assertEqual((r.reason, r.detail, r.status), ("lease", OF_OTHER, REFUSED))
                self.assertEqual(nobody.call(begin).detail, OF_OTHER)
                self.do(root, end)
                self.do(nobody, begin)
                self.do(same, end)  # the same user's, in another session
                self.do(nobody, begin)
                self.leave(nobody)
                self.do(same, end)  # and after the one that began it
                self.do(same, begin)
                self.do(root, end)
                self.do(root, begin)
                self.do(root, end)

    def listed(self, name):
        """What the daemon says of a device."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(LIMIT)
            s.connect(str(self.dir / "run" / "control.sock"))
            s.sendall(b'{"method":"org.fwadmit.Control.ListDevices"}\0')
            reply = b""
            while not reply.endswith(b"\0"):
                reply += s.recv(1 << 16)
        devices = json.loads(reply[:-1])["parameters"]["devices"]
        return next(d for d in devices if d["name"] == name)

    def until_listed(self, name, condition):
        end = time.monotonic() + LIMIT
        while not condition(lease := self.listed(name).get("lease")):
            self.assertLess(time.monotonic(), end, lease)
            time.sleep(0.05)
        return lease

    def test_operators_see_it(self):
        """Whose it is, and how far, as it goes on; also when its client is gone."""
        for name, begin, command in (("shown", request(opcode=SANITIZE), "cxl 4400h sanitize"),
                                     ("shown-nvme", admin(SELF_TEST, 1), "nvme-admin 14h dev-self-test")):
            with self.subTest(device=name):
                mine = self.client(name)
                self.do(mine, begin)
                lease = self.until_listed(name, bool)
                self.assertEqual((lease["kind"], lease["uid"], lease["pid"], lease["command"]),
                                 ("background", os.getuid(), os.getpid(), command))
                later = self.until_listed(name, lambda l: l and l.get("percent", 0) > 20)
                self.assertEqual(later["since"], lease["since"])
                self.leave(mine)
                gone = self.until_listed(name, lambda l: not l or "pid" not in l)
                if gone:
                    self.assertGreaterEqual(gone["percent"], later["percent"])
                self.until_listed(name, lambda l: not l)

    def test_scan_has_results(self):
        c = self.client()
        self.do(c, request(opcode=0x4301, payload=struct.pack("<Q", 64)))
        self.do(c, self.SCAN_ALL)
        end = time.monotonic() + LIMIT
        while (r := c.call(request(opcode=RESULTS))).status != COMPLETED:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        self.assertEqual(struct.unpack_from("<H", r.data, 18)[0], 1)


QEMU = os.environ.get("FWADMIT_QEMU") or shutil.which("qemu-system-x86_64")


@unittest.skipUnless(QEMU, "no QEMU here")
class Qemu(Leases):
    """QEMU's CXL device, whose every part of a transfer takes seconds in the background."""
    DEVICES = {"cxl": f"qtest:cxl-type3,qemu={QEMU}"}

    def test_killed_in_the_middle(self):
        c = self.client("cxl")
        steps = [firmware_part(FW_INITIATE, 0, bytes(128)), firmware_part(FW_END, 128, bytes(128))]
        r = c.call(steps[0])
        if r.reason == "undeclared":
            self.skipTest("this QEMU has no firmware")
        self.assertEqual((r.reason, r.status, r.code), ("admit", COMPLETED, BACKGROUND))
        self.leave(c)
        c = self.client("cxl")
        self.assertEqual(c.call(steps[0]).reason, "lease")
        self.assertEqual(c.call(request()).status, COMPLETED)
        for message in steps:
            self.assertEqual(self.do(c, message).code, BACKGROUND)
        self.expect_log("left its transfer of firmware half done; the abort that was sent: success")


if __name__ == "__main__":
    unittest.main()
