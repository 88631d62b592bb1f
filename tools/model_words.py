# SPDX-License-Identifier: GPL-2.0-or-later
"""The words that all tables of model/ are written in, and how they are written in C."""

import re

# Effects in the order of src/core/effects.h; the C compiler checks names and number.
EFFECTS = ('config-cold-reset', 'config', 'data', 'policy', 'log', 'security', 'background',
           'config-conv-reset', 'config-cxl-reset', 'namespace-capability', 'namespace-inventory',
           'controller-capability', 'exclusive', 'dma', 'carrier', 'other-client', 'unknown')

LENGTH_ANY = 0xffffffff
UUID_LEN = 16
NAME = re.compile(r'[a-z0-9]+(-[a-z0-9]+)*')
TITLE = re.compile(r'[A-Za-z0-9][A-Za-z0-9 ,./()+-]*')


class Fault(Exception):
    """One thing that is wrong with the line at hand."""


def c_name(*parts):
    return '_'.join(parts).replace('-', '_')


def c_effects(names):
    return ' | '.join('FWA_EFFECT_' + c_name(n).upper() for n in names) or '0'
