#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""embed.py IN OUT HEADER NAME: the text file IN as the C string NAME, which HEADER declares."""
import sys

source, out, header, name = sys.argv[1:]
with open(source, 'rb') as f:
    data = f.read() + b'\0'
with open(out, 'w') as f:
    f.write('#include "%s"\n\nconst char %s[] = {' % (header, name))
    for i, byte in enumerate(data):
        f.write('%s0x%02x,' % ('\n\t' if i % 16 == 0 else ' ', byte))
    f.write('\n};\n')
