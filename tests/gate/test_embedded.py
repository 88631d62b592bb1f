#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A worker of one client's own, that stays for many commands: FWADMITD as first argument.

Whoever started it answers what the device is held to once, and then does not look at it any more.
"""
import os
import socket
import struct
import subprocess
import tempfile
import unittest

from test_gate import COMPLETED, DESCRIBE, DEVICE_ERROR, FWADMITD, Client, request
from test_identity import BASELINE, DECLARATIONS, READY, sealed, snapshot

WORKER = os.path.join(os.path.dirname(FWADMITD), "fwadmit-worker")
NONE, SAME, DIFFERS = 0, 1, 2  # states of a baseline
VENDOR_READ, TRANSFER, ACTIVATE = 0xc000, 0x0201, 0x0202
DECLARES = 1 << 2
POLICY = snapshot(("all", 0, 0, 0, 0, 0))


def everything(policy):
    """The snapshot's one grant with the highest scope and all effects."""
    at = 64 + 16
    return policy[:at] + struct.pack("<II", 3, 0x1fff) + policy[at + 8:]


class Embedded(unittest.TestCase):
    def start(self, spec, answer="same"):
        self.log = tempfile.TemporaryFile()
        self.addCleanup(self.log.close)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(20)
        policy = sealed(everything(POLICY))
        fds = [theirs.fileno(), control.fileno(), policy]
        worker = subprocess.Popen(
            [WORKER, "--name=test", f"--device={spec}", f"--client-fd={fds[0]}", f"--control-fd={fds[1]}",
             f"--policy-fd={fds[2]}", "--journal=none"], pass_fds=fds, stderr=self.log, stdin=subprocess.DEVNULL)
        theirs.close()
        control.close()
        os.close(policy)
        self.client = Client.__new__(Client)
        self.client.sock = ours
        ours.settimeout(20)
        self.addCleanup(worker.wait, 20)
        self.addCleanup(self.control.close)
        self.addCleanup(ours.close)
        self.answer(answer)

    def answer(self, how):
        kind = None
        while kind != READY:
            message, fds, _, _ = socket.recv_fds(self.control, 2048, 4)
            self.assertTrue(message, os.pread(self.log.fileno(), 4096, 0))
            kind = struct.unpack_from("<H", message)[0]
            if kind == DECLARATIONS and how == "same":
                socket.send_fds(self.control, [struct.pack("<HH", BASELINE, 0) + b"pinned"], fds)
            elif kind == DECLARATIONS:
                self.control.send(struct.pack("<HH", BASELINE, 0) + b"none")
            for fd in fds:
                os.close(fd)

    slot = 2

    def call(self, message):
        r = self.client.call(message)
        self.assertEqual((r.error, r.reason, r.status, r.code), (0, "admit", COMPLETED, 0))
        return r

    def activate(self, revision, flags=0, opcode=0, effects=0):
        head = struct.pack("<8sIHH16s", b"SIMFWPKG", flags, opcode, effects, revision)
        self.call(request(opcode=TRANSFER, payload=struct.pack("<BBHI120x", 0, self.slot, 0, 0) + head.ljust(128, b"\0")))
        self.call(request(opcode=ACTIVATE, payload=bytes([0, self.slot])))
        self.slot = 3 - self.slot

    def baseline(self):
        """The state that the description tells, right behind the profile."""
        data = self.client.call(request(kind=DESCRIBE)).data
        at = data.index(b"FWAPROF1")
        return struct.unpack_from("<I", data, at + struct.unpack_from("<I", data, at - 8)[0])[0]

    def test_many_activations(self):
        """More than the control socket has room for: nobody reads it."""
        for spec in "sim:honest", "sim:honest,delay-ms=1":
            with self.subTest(spec):
                self.start(spec)
                for n in range(300 if "delay" not in spec else 20):
                    self.activate(b"1.0.0")
                    self.call(request(opcode=VENDOR_READ, payload=bytes(4)))
                self.assertEqual(self.baseline(), SAME)

    def test_the_answer_holds_for_its_firmware(self):
        self.start("sim:honest")
        self.assertEqual(self.baseline(), SAME)
        self.activate(b"2.0")
        self.assertEqual(self.baseline(), NONE)
        self.activate(b"2.0", DECLARES, VENDOR_READ, 1 << 2)
        self.assertEqual(self.baseline(), NONE)
        self.activate(b"1.0.0", DECLARES, VENDOR_READ, 0)
        self.assertEqual(self.baseline(), SAME)
        self.activate(b"1.0.0", DECLARES, 0xc0de, 0)
        self.assertEqual(self.baseline(), DIFFERS)
        self.assertEqual(self.client.call(request(opcode=0xc0de)).status, DEVICE_ERROR)

    def test_there_was_none(self):
        self.start("sim:honest", answer="none")
        for n in range(3):
            self.activate(b"1.0.0", DECLARES, 0xc0de, 0)
            self.assertEqual(self.baseline(), NONE)


if __name__ == "__main__":
    unittest.main()
