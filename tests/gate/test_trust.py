#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device's declarations are held to, from the store through the daemon and the worker to the
verdict: pinned baselines, other declarations after an activation, devices that contradict each other.
FWADMITD as first argument; the fwadmit program is beside it.
"""
import json
import os
import pathlib
import pwd
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from test_gate import COMPLETED, DEVICE_ERROR, FWADMITD, ROOT, GateTest, request
from test_leases import ACTIVATE, FW_FULL, GET_FW, TRANSFER

FWADMIT = os.path.join(os.path.dirname(FWADMITD), "fwadmit")
APPEARED, LOST, NOT_PINNED = 41, 42, 43  # details
READ_ONLY = 1  # scope
VENDOR_READ, VENDOR_WRITE, NEW = 0xc000, 0xc001, 0xc0de
DECLARES, UNDECLARES = 1 << 2, 1 << 3  # what firmware changes
DATA = 1 << 2  # in the CEL
LIMIT = 60


class TrustTest(GateTest):
    def outsider(self, name="sim0"):
        """Somebody whom drift binds: it does not root."""
        if not ROOT:
            return self.client(name)
        self.client(name)  # is there
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
        try:
            return self.client(name)
        finally:
            os.seteuid(0)

    def ask(self, method, **parameters):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(LIMIT)
            s.connect(str(self.dir / "run" / "control.sock"))
            s.sendall(json.dumps({"method": "org.fwadmit.Control." + method, "parameters": parameters}).encode() + b"\0")
            reply = b""
            while not reply.endswith(b"\0"):
                more = s.recv(1 << 16)
                self.assertTrue(more)
                reply += more
        return json.loads(reply[:-1])

    def device(self, name="sim0"):
        devices = self.ask("ListDevices")["parameters"]["devices"]
        return next(d for d in devices if d["name"] == name)

    def until(self, condition, what):
        end = time.monotonic() + LIMIT
        while not (result := condition()):
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)
        return result

    def expect(self, client, message, reason, detail=None):
        r = client.call(message)
        self.assertEqual((r.error, r.reason), (0, reason))
        if detail is not None:
            self.assertEqual(r.detail, detail)

    def cli(self, *args):
        done = subprocess.run([FWADMIT, f"--socket-dir={self.dir}/run", *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=LIMIT)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    slot = 2

    def activate(self, client, revision, flags=0, opcode=0, effects=0):
        """Returns when the device has begun; in the background where it does that."""
        head = struct.pack("<8sIHH16s", b"SIMFWPKG", flags, opcode, effects, revision).ljust(128, b"\0")
        header = struct.pack("<BBHI120x", FW_FULL, self.slot, 0, 0)
        for message in (request(opcode=TRANSFER, payload=header + head),
                        request(opcode=ACTIVATE, payload=bytes([0, self.slot]))):
            def accepted():
                r = client.call(message)
                self.assertIn(r.reason, ("admit", "lease"))
                self.assertNotEqual((r.status, r.code), (DEVICE_ERROR, 2))
                return r.status == COMPLETED
            self.until(accepted, "the device stays busy")
        self.slot = 3 - self.slot


class Pinned(TrustTest):
    DEVICES = {"sim0": "sim:honest", "sim1": "sim:honest,seed=1"}
    ARGS = ["--require-pinned"]

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pinned = folder.name
        self.ENV = {"FWADMIT_PINNED_DIR": folder.name}
        super().setUp()

    def test_until_its_file_is_there(self):
        outsider, other = self.outsider(), self.outsider("sim1")
        for c in outsider, other:
            self.expect(c, request(), "drift", NOT_PINNED)
        self.assertEqual(self.device()["baseline"], "required")
        self.expect_log("a pinned baseline is required")
        if ROOT:
            self.expect(self.client(), request(), "admit")
        # What an operator accepts does not count here, and he is told where the file belongs.
        error = self.ask("AcceptBaseline", device="sim0")
        self.assertIn(self.pinned, error["parameters"]["message"])
        file = self.cli("baseline", "save", "sim0", "-O", self.pinned).strip()
        self.assertEqual(os.path.dirname(file), self.pinned)
        self.expect(outsider, request(), "drift", NOT_PINNED)  # not before it is looked at again
        self.assertEqual(self.ask("Reprofile", device="sim0"), {"parameters": {}})
        self.expect(outsider, request(), "admit")
        self.assertEqual(self.device()["baseline"], "pinned")
        self.expect(other, request(), "drift", NOT_PINNED)  # of another firmware
        # One that is damaged is not the same as none, and not trusted around.
        data = pathlib.Path(file).read_bytes()
        pathlib.Path(file).write_bytes(data[:-1])
        self.assertEqual(self.ask("Reprofile", device="sim0"), {"parameters": {}})
        self.expect(outsider, request(), "drift", NOT_PINNED)
        pathlib.Path(file).write_bytes(data)
        self.assertEqual(self.ask("Reprofile", device="sim0"), {"parameters": {}})
        self.expect(outsider, request(), "admit")

    def test_firmware_that_is_not_pinned(self):
        self.outsider()
        self.cli("baseline", "save", "sim0", "-O", self.pinned)
        self.assertEqual(self.ask("Reprofile", device="sim0"), {"parameters": {}})
        outsider = self.outsider()
        self.expect(outsider, request(), "admit")
        self.activate(self.client() if ROOT else outsider, b"9.9")
        self.expect(outsider, request(), "drift", NOT_PINNED)
        self.assertEqual(self.device()["firmware"], "9.9")
        self.assertEqual(self.device()["baseline"], "required")


class Activation(TrustTest):
    """Of firmware, in the background: what it changes counts from the moment at which it is done."""
    DEVICES = {"sim0": "sim:honest,fw-ms=300", "lane": "sim:honest,fw-ms=300,delay-ms=1"}

    def done(self, client, revision):
        """Whether the device says that this is what it runs."""
        info = client.call(request(opcode=GET_FW)).data
        active = info[1] & 7
        return info[16 * active:16 * active + 16].rstrip(b"\0") == revision and active != self.slot

    def test_gained_is_judged_with_at_once(self):
        mine, outsider = self.client(), self.outsider()
        read = request(opcode=VENDOR_READ, payload=bytes(4), scope=READ_ONLY)
        self.expect(outsider, read, "admit")
        self.activate(mine, b"1.0.0", DECLARES, VENDOR_READ, DATA)
        n = 0
        while outsider.call(read).reason == "admit":  # it works meanwhile, by what is still declared
            n += 1
            if self.done(mine, b"1.0.0"):
                break
        self.assertGreater(n, 2)
        self.expect(outsider, read, "scope-too-low")
        self.expect(outsider, request(opcode=VENDOR_READ, payload=bytes(4)), "admit")
        self.assertEqual(self.device()["baseline"], "seen")

    def test_gained_is_judged_with_when_nobody_has_asked(self):
        """The first command after it is done finds the new declarations, whoever looked at the device before."""
        outsider = self.outsider()
        read = request(opcode=VENDOR_READ, payload=bytes(4), scope=READ_ONLY)
        self.activate(self.client(), b"1.0.0", DECLARES, VENDOR_READ, DATA)
        time.sleep(0.5)
        self.expect(outsider, read, "scope-too-low")

    def drifts(self, name, flags, opcode, effects, detail):
        mine, outsider = self.client(name), self.outsider(name)
        message = request(opcode=opcode, payload=bytes(8))
        before = outsider.call(message).reason
        self.assertIn(before, ("admit", "undeclared"))
        self.activate(mine, b"1.0.0", flags, opcode, effects)
        r = self.until(lambda: (r := outsider.call(message)).reason != before and r, "it is not read again")
        self.assertEqual((r.reason, r.detail), ("drift", detail))
        self.expect(outsider, request(), "admit")
        self.assertEqual(self.until(lambda: self.device(name).get("drift"), "no drift is told"), 1)
        self.expect_log(f"{name}: 1 of its declarations are not those of its seen baseline")
        answer = self.ask("AcceptBaseline", device=name)
        self.assertIn("digest", answer["parameters"])
        self.expect(outsider, message, "admit")
        self.assertEqual(self.device(name)["baseline"], "accepted")

    def test_lost_is_drift(self):
        self.drifts("sim0", DECLARES, VENDOR_WRITE, 0, LOST)

    def test_lost_is_drift_where_commands_wait(self):
        self.drifts("lane", DECLARES, VENDOR_WRITE, 0, LOST)

    def test_appeared_is_drift(self):
        self.drifts("sim0", DECLARES, NEW, 0, APPEARED)

    def test_another_revision_is_another_matter(self):
        """Trusted when it is seen first, which is said; what comes later is held to it, and to nothing before."""
        mine, outsider = self.client(), self.outsider()
        self.activate(mine, b"2.0", DECLARES, VENDOR_WRITE, 0)
        self.until(lambda: self.device()["firmware"] == "2.0", "it is not read again")
        self.until(lambda: (self.dir / "log").read_text().count(": first of its model and firmware (") == 2,
                   "it is not said")
        log = (self.dir / "log").read_text()
        self.assertIn(", 2.0): its declarations are trusted", log)
        device = self.device()
        self.assertEqual((device["baseline"], device.get("drift", 0)), ("seen", 0))
        write = request(opcode=VENDOR_WRITE, payload=bytes(8))
        self.expect(outsider, write, "admit")
        # Back again: the first one's baseline is still that of the first one.
        self.activate(mine, b"1.0.0", DECLARES, VENDOR_WRITE, 0)
        self.until(lambda: self.device()["firmware"] == "1.0.0", "it is not read again")
        self.expect(outsider, write, "drift", LOST)
        self.activate(mine, b"2.0", DECLARES, NEW, 0)
        self.until(lambda: self.device()["firmware"] == "2.0", "it is not read again")
        self.expect(outsider, request(opcode=NEW), "drift", APPEARED)
        self.assertEqual((self.dir / "log").read_text().count(": first of its model and firmware ("), 2)


class Often(TrustTest):
    """Each of these is followed by a reading, whatever became of it: that is the client's affair alone."""

    def test_activations_that_fail(self):
        mine, other = self.client(), self.client()
        self.expect(mine, request(), "admit")  # there is a worker
        pid = self.worker("sim0")
        for _ in range(50):
            r = mine.call(request(opcode=ACTIVATE, payload=bytes([0, 7])))
            self.assertEqual((r.reason, r.status), ("admit", DEVICE_ERROR))
            self.expect(other, request(), "admit")
        self.assertEqual((self.worker("sim0"), self.device()["restarts"]), (pid, 0))


class Contradiction(TrustTest):
    DEVICES = {"a": "sim:honest", "b": f"sim:honest,serial=2,declare={NEW << 16}",
               "c": f"sim:honest,serial=3,seed=1,declare={NEW << 16}"}

    def findings(self):
        for name in self.DEVICES:
            self.client(name).call(request())
        return {name: self.device(name)["findings"] for name in self.DEVICES}

    def test_finding_of_both(self):
        text = "declares other commands than %s, of the same model and firmware"
        self.assertEqual(self.findings(), {"a": [text % "b"], "b": [text % "a"], "c": []})
        status = self.cli("status")
        for line in "a: finding: " + text % "b", "b: finding: " + text % "a":
            self.assertIn(line, status)
        self.assertNotIn("c: finding", status)
        listed = {d["name"]: d["findings"] for d in json.loads(self.cli("-o", "json", "list"))["devices"]}
        self.assertEqual((listed["a"] - listed["c"], listed["b"] - listed["c"]), (1, 1))
        # Read again, b declares the same.
        self.activate(self.client("b"), b"1.0.0", UNDECLARES, NEW)
        self.assertEqual(self.findings(), {name: [] for name in self.DEVICES})
        self.assertNotIn("finding", self.cli("status"))
        # And another time something else; this is not held against what has another firmware.
        self.activate(self.client("b"), b"1.0.0", DECLARES, VENDOR_READ, DATA)
        self.assertEqual(self.findings(), {"a": [text % "b"], "b": [text % "a"], "c": []})
        self.activate(self.client("b"), b"1.1.0")
        self.assertEqual(self.findings()["a"], [])


if __name__ == "__main__":
    unittest.main()
