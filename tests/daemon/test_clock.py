#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The clock of the wall is set while fwadmitd runs: FWADMITD as the first argument.

To set the clock of the machine is not for a test. The kernel tells by a timer that ends when the clock is
set; the test gets hold of the daemon's own one (pidfd_getfd()) and has it end. That it is the timer
that the kernel would end is seen in /proc.
"""
import ctypes
import os
import re
import struct
import time
import unittest

from test_control import Case as ControlCase

from common import DEADLINE, wait_until

PIDFD_OPEN, PIDFD_GETFD = 434, 438  # the same on all machines
ABSTIME_CANCEL_ON_SET = '03'
libc = ctypes.CDLL(None, use_errno=True)


def call(number, *args):
    r = libc.syscall(number, *args)
    if r < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return r


class Clock(ControlCase):
    def timer(self, d):
        """The number of the timer of CLOCK_REALTIME that is cancelled when the clock is set; None: it does not run."""
        found = []
        for fd in os.listdir('/proc/%d/fd' % d.process.pid):
            try:
                with open('/proc/%d/fdinfo/%s' % (d.process.pid, fd)) as f:
                    info = dict(re.findall(r'^(.+?):\s*(.+)$', f.read(), re.M))
            except FileNotFoundError:
                continue
            if info.get('clockid') == '0' and info['settime flags'] == ABSTIME_CANCEL_ON_SET:
                if info['ticks'] == '0' and int(info['it_value'].strip('()').split(',')[0]) > 3600:
                    found.append(int(fd))
        self.assertLessEqual(len(found), 1)
        return found[0] if found else None

    def set_clock(self, d):
        """As far as the daemon can tell."""
        pidfd = call(PIDFD_OPEN, d.process.pid, 0)
        try:
            fd = call(PIDFD_GETFD, pidfd, wait_until(lambda: self.timer(d), 'the clock is not watched'), 0)
        except PermissionError:
            self.skipTest('may not share a descriptor with a process of ours')
        finally:
            os.close(pidfd)
        at_once = struct.pack('=4q', 0, 0, 0, 1)
        self.assertEqual(libc.timerfd_settime(fd, 0, at_once, None), 0)
        os.close(fd)

    def test_policy_is_compiled_again(self):
        until = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 3600))
        text = '[grant hour]\nuser = *\ndevice = *\nscope = configuration\nuntil = %s\n' % until
        self.write_policy(text)
        d = self.start_two()
        events = self.subscribe(d)
        gate = self.connect(d, 'a')
        for n in range(1, 4):  # the clock is watched again each time
            self.write_policy(text + '# %d\n' % n)
            before = gate.describe()
            self.assertEqual(before['grants'], 1)
            self.set_clock(d)
            digest = self.event(events, 'policy_reloaded')['text'].split()[1]
            wait_until(lambda: gate.describe()['digest'] == digest, 'not in force')
            self.assertNotEqual(digest, before['digest'])
            self.assertEqual(d.log().count('the clock was set: the ends of grants are computed again'), n)

    def test_with_a_policy_that_has_an_error(self):
        """The one that is in force is compiled again all the same."""
        d = self.start_two()
        events = self.subscribe(d)
        gate = self.connect(d, 'a')
        before = gate.describe()
        self.write_policy('[grant x]\nscopes = x\n')
        self.set_clock(d)
        self.event(events, 'policy_refused')
        self.event(events, 'policy_reloaded')
        self.assertEqual(gate.describe(), before)
        self.set_clock(d)
        self.event(events, 'policy_reloaded')

    def test_grants_for_a_time_stay(self):
        """Those of this boot end by the clock that nobody can set."""
        d = self.start_two()
        events = self.subscribe(d)
        grant = d.ask('CreateGrant', user=['*'], device=['a'], scope='configuration', seconds=600)['grant']
        self.event(events, 'policy_reloaded')
        self.set_clock(d)
        self.event(events, 'policy_reloaded')
        after, = d.ask('ListGrants')['grants']
        self.assertEqual({**after, 'seconds_left': 0}, {**grant, 'seconds_left': 0})
        self.assertLessEqual(abs(after['seconds_left'] - grant['seconds_left']), DEADLINE)


if __name__ == '__main__':
    unittest.main()
