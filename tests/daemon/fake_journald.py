#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands in for fwadmit-journald: hands its control socket to the test at $FAKE_JOURNALDS, and waits to be killed."""
import os
import socket
import sys

options = dict(a[2:].split('=', 1) for a in sys.argv[1:])
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
    s.connect(os.environ['FAKE_JOURNALDS'])
    socket.send_fds(s, [('%d\n%s' % (os.getpid(), '\n'.join(sys.argv[1:]))).encode()], [int(options['control-fd'])])
    os.close(int(options['control-fd']))
    status = s.recv(1)  # the test is done with us
sys.exit(status[0] if status else 1)
