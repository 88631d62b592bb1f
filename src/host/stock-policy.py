#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""stock-policy.py IN OUT: IN as the C array fwa_policy_stock."""
import sys

with open(sys.argv[1], 'rb') as f:
    data = f.read()
with open(sys.argv[2], 'w') as f:
    f.write('#include "host/policy-internal.h"\n\nconst uint8_t fwa_policy_stock[] = {')
    for i, byte in enumerate(data):
        f.write('%s0x%02x,' % ('\n\t' if i % 16 == 0 else ' ', byte))
    f.write('\n};\nconst size_t fwa_policy_stock_len = sizeof(fwa_policy_stock);\n')
