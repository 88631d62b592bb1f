# SPDX-License-Identifier: GPL-2.0-or-later
"""Evidence files for tests of advisories: one finding against sim:honest, which is honest."""
import hashlib
import json


def evidence(opcode=0x4000, undeclared=('data',), firmware='1.0.0', selector=None, family='sim', kind='breach', **more):
    finding = {'kind': kind, 'severity': 'high', 'accuses': True, 'clause': 'C9', 'set': 'cxl', 'opcode': opcode,
               'opcode_hex': f'{opcode:04x}h', 'name': None, 'selector': selector, 'text': 'it changes what it does not declare',
               'listed': True, 'declared': [], 'floor': [], 'observed': list(undeclared), 'undeclared': list(undeclared),
               'apart': False, 'only': None, 'runs': 3, 'reproduced': 3, 'controls': 3, 'control_changed': 0,
               'from_steps': 1, 'steps': [], 'changes': []} | more
    document = {'format_version': 1, 'kind': 'fwadmit-evidence', 'id': 'fwadmit-' + 16 * '0',
                'tool': {'name': 'fwadmit-verify', 'version': '0.1.0'}, 'time': '2026-01-01T00:00:00Z',
                'device': {'spec': 'sim:honest', 'family': family, 'vendor': 'fwadmit', 'model': 'Simulated CXL type-3',
                           'serial': '0', 'firmware': firmware, 'transport': None},
                'finding': finding, 'sha256': 64 * '0'}
    text = json.dumps(document, indent=2) + '\n'
    digest = hashlib.sha256(text.encode()).hexdigest()
    return text.replace('fwadmit-' + 16 * '0', 'fwadmit-' + digest[:16]).replace(64 * '0', digest)
