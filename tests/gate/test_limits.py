#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a policy file says of units, time, rates and sessions, as real sessions find it: from the file
through the daemon and the worker to the verdict. FWADMITD as first argument.
"""
import hashlib
import os
import pwd
import signal
import time
import unittest

from test_gate import COMPLETED, DESCRIBE, ROOT, GateTest, request
from test_identity import SESSIONS, USED_UP, unified

NOBODY = pwd.getpwnam("nobody").pw_uid
READ = "device = sim0\nscope = debug-read-only\n"


class Limits(GateTest):
    DEVICES = {"sim0": "sim:honest"}
    POLICY = "# written by each test\n"

    def reload(self, text):
        """The policy is in force for all that is sent after this: the description has the file's digest."""
        (self.policy / "test.conf").write_text(text)
        probe = self.client()  # the daemon is there, and takes signals
        self.daemon.send_signal(signal.SIGHUP)
        end = time.monotonic() + 20
        digest = hashlib.sha256(text.encode()).digest()
        while probe.call(request(kind=DESCRIBE)).data[24:56] != digest:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.005)
        probe.close()
        self.clients.remove(probe)

    def until_used_up(self, client, message=None, most=100):
        """How many were admitted; then it is the rate that refuses."""
        for n in range(most):
            r = client.call(message or request())
            if r.reason != "admit":
                self.assertEqual((r.reason, r.detail), ("rate", USED_UP))
                return n
            self.assertEqual((r.status, r.grant), (COMPLETED, "x"))
        return most

    def soon(self, client):
        end = time.monotonic() + 20
        while client.call(request()).reason != "admit":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_commands_per_second(self):
        self.reload("[grant x]\nuser = *\ncommands-per-second = 5\n" + READ)
        c = self.client()
        start = time.monotonic()
        n = self.until_used_up(c)
        self.assertGreaterEqual(n, 5)
        n += self.until_used_up(self.client())  # it is the user's, not the session's
        self.assertLessEqual(n, 6 + 5 * (time.monotonic() - start))
        self.soon(c)

    def test_bytes_per_second(self):
        """1K of answers of 67 bytes each."""
        self.reload("[grant x]\nuser = *\nbytes-per-second = 1K\n" + READ)
        c = self.client()
        start = time.monotonic()
        n = self.until_used_up(c, most=1000)
        self.assertGreaterEqual(n, 1024 // 67)
        self.assertLessEqual((n - 1) * 67, 1024 + 1024 * (time.monotonic() - start))
        self.soon(c)

    def test_max_sessions(self):
        self.reload("[grant x]\nuser = *\nmax-sessions = 2\n" + READ)
        held = [self.client(), self.client()]
        for c in held:
            self.assertEqual(c.call(request()).reason, "admit")
        third = self.client()
        r = third.call(request())
        self.assertEqual((r.reason, r.detail), ("rate", SESSIONS))
        held[0].close()
        self.soon(third)
        self.assertEqual(held[1].call(request()).reason, "admit")

    def test_until(self):
        """A session that is there all the while, with a grant that ends and one that has ended."""
        ends = int(time.time()) + 3
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends))
        self.reload(f"[grant x]\nuser = *\nuntil = {text}\n" + READ)
        c = self.client()
        self.assertEqual(c.call(request()).reason, "admit")
        asked = time.time()
        while (r := c.call(request())).reason == "admit":
            self.assertLess(asked, ends + 0.1)
            time.sleep(0.01)
            asked = time.time()
        self.assertEqual(r.reason, "grant-expired")
        self.assertGreaterEqual(time.time(), ends - 0.1)
        self.reload("[grant x]\nuser = *\nuntil = 2020-01-01T00:00:00Z\n" + READ)
        self.assertEqual(c.call(request()).reason, "grant-expired")
        self.reload("[grant x]\nuser = *\n" + READ)
        self.assertEqual(c.call(request()).reason, "admit")

    @unittest.skipUnless(ROOT, "needs root, to be somebody else too")
    def test_limits_are_each_users_own(self):
        self.reload("[grant x]\nuser = *\ncommands-per-second = 1\nmax-sessions = 1\n" + READ)
        c = self.client()
        self.until_used_up(c)
        os.seteuid(NOBODY)
        try:
            other = self.client()
        finally:
            os.seteuid(0)
        self.assertEqual(other.call(request()).reason, "admit")

    def in_group(self, group, run):
        """What @run says in a process that was in control group @group when it connected."""
        out, into = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                (group / "cgroup.procs").write_text("0")
                os.setresuid(NOBODY, NOBODY, NOBODY)
                os.write(into, run().encode())
            finally:
                os._exit(0)
        os.close(into)
        with open(out) as f:
            said = f.read()
        os.waitpid(pid, 0)
        return said

    @staticmethod
    def remove(*groups):
        for group in groups:
            for _ in range(1000):
                try:
                    group.rmdir()
                    break
                except OSError:  # a process that has ended leaves a little later
                    time.sleep(0.01)

    @unittest.skipUnless(unified(), "needs root, and control groups that are not systemd's")
    def test_unit(self):
        base = unified() / f"fwadmit_test_{os.getpid()}.slice"
        groups = [base / "fw-agent.service", base / "other.service", base / "fw-agent.service" / "sub.scope"]
        self.addCleanup(self.remove, groups[2], groups[0], groups[1], base)
        for g in groups:
            g.mkdir(parents=True, exist_ok=True)
        self.reload("[grant x]\nunit = fw-*.service\n" + READ)

        def ask():
            r = self.client().call(request())
            return f"{r.reason} {r.grant}"
        self.assertEqual([self.in_group(g, ask) for g in groups], ["admit x", "no-grant ", "admit x"])
        self.reload("[grant x]\nunit = other.service, nobody.service\n" + READ)
        self.assertEqual([self.in_group(g, ask) for g in groups], ["no-grant ", "admit x", "no-grant "])
        self.assertEqual(self.client().call(request()).reason, "no-grant")


if __name__ == "__main__":
    unittest.main()
