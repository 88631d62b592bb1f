#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands in for fwadmit-worker: hands its control socket to the test at $FAKE_WORKERS, and waits to be killed."""
import os
import signal
import socket
import sys

options = dict(a[2:].split('=', 1) for a in sys.argv[1:])
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
    s.connect(os.environ['FAKE_WORKERS'])
    message = '%d\n%s\n%s' % (os.getpid(), options['name'], options['device'])
    socket.send_fds(s, [message.encode()], [int(options['control-fd'])])
    os.close(int(options['control-fd']))
    s.recv(1)  # the test is done with us
