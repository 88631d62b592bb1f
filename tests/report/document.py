# SPDX-License-Identifier: GPL-2.0-or-later
"""Campaigns and evidence, as fwadmit-verify writes them (spec/EVIDENCE-FORMAT.md)."""
import copy
import hashlib
import json
import re

DEVICE = {'spec': 'sim:liar-magic-lba', 'family': 'sim', 'vendor': 'fwadmit', 'model': 'Simulated CXL type-3',
          'serial': 'e220a8397b1dcdaf', 'firmware': '1.0.0', 'transport': None}
TOOL = {'name': 'fwadmit-verify', 'version': '0.1.0'}
PROFILE = {'sha256': 'fc' * 32, 'base64': ''}
UUID = '5e1819d911a9400c811fd60719403d86'


def text_of(o):
    return json.dumps(o, indent=2, ensure_ascii=True) + '\n'


def answer(status='success', code=0, bytes=0, error=None, head=''):
    return {'error': error, 'code': code, 'status': status, 'result': 0, 'bytes': bytes, 'sha256': '00' * 32,
            'head': head}


def command(opcode, name, payload='', times=1, **kw):
    return {'do': 'command', 'set': 'cxl', 'opcode': opcode, 'opcode_hex': f'{opcode:04X}h', 'name': name,
            'out_len': 0, 'payload': payload, 'times': times, 'answer': answer(**kw)}


STEPS = [command(0x4103, 'set-lsa', 'f83f000000000000' + b'SANITIZE'.hex()),
         {'do': 'settle', 'times': 1},
         command(0x0401, 'get-log', UUID + '0000000000010000', times=3, bytes=256),
         {'do': 'reset', 'reset': 'cold', 'times': 1},
         command(0xc000, None, 'ff' * 40, status='invalid-input', code=2)]

CHANGES = [{'observable': 'media', 'field': None, 'effects': ['data'], 'covered': False, 'first': 20, 'last': 22,
            'from': 16, 'before': '00' * 32, 'after': '00' * 4 + 'deadbe' + '00' * 25,
            'before_code': 0, 'before_error': None, 'after_code': 0, 'after_error': None},
           {'observable': 'health', 'field': 'reading', 'effects': [], 'covered': True, 'first': 0, 'last': 0,
            'from': 0, 'before': '', 'after': '', 'before_code': 0, 'before_error': None, 'after_code': 3,
            'after_error': 'ETIMEDOUT'}]


def finding(**more):
    f = {'kind': 'breach', 'severity': 'critical', 'accuses': True, 'clause': 'C9', 'set': 'cxl', 'opcode': 0x4103,
         'opcode_hex': '4103h', 'name': 'set-lsa', 'selector': None,
         'text': 'Set LSA (CXL 4103h) changes what it does not declare: security; seen in media', 'listed': True,
         'declared': ['config', 'data'], 'floor': ['config', 'data'], 'observed': ['data', 'security'],
         'undeclared': ['security'], 'apart': False, 'runs': 3, 'reproduced': 3, 'controls': 3,
         'control_changed': 0, 'from_steps': 1874, 'steps': copy.deepcopy(STEPS), 'changes': copy.deepcopy(CHANGES)}
    return f | more


def note(**more):
    return finding(kind='never-seen', severity='note', accuses=False, text='Scan Media: declared, never seen',
                   steps=[], changes=[], runs=0) | more


def evidence(f, **more):
    """The text of the file, with its digest."""
    o = {'format_version': 1, 'kind': 'fwadmit-evidence', 'id': 'fwadmit-' + 16 * '0', 'tool': TOOL,
         'time': '2026-11-22T20:00:00Z', 'device': DEVICE, 'profile': PROFILE, 'seed': '0x7', 'finding': f,
         'sha256': 64 * '0'} | more
    digest = hashlib.sha256(text_of(o).encode()).hexdigest()
    if not more.get('sha256'):
        o['sha256'] = digest
    if not more.get('id'):
        o['id'] = 'fwadmit-' + digest[:16]
    return text_of(o)


def with_evidence(f, **more):
    return f | {'evidence': evidence(f, **more)}


def row(opcode, name, declared=(), floor=(), observed=(), undeclared=(), **more):
    return {'set': 'cxl', 'opcode': opcode, 'opcode_hex': f'{opcode:04X}h', 'name': name, 'title': name,
            'vendor': opcode >= 0xc000, 'listed': True, 'declared': list(declared), 'floor': list(floor),
            'observed': list(observed), 'undeclared': list(undeclared), 'tried': 12345, 'succeeded': 3} | more


ROWS = [row(0x0401, 'get-log'),
        row(0x0402, 'get-log-capabilities', observed=['log']),
        row(0x0103, 'set-event-interrupt-policy', declared=['config'], floor=['policy'], observed=['policy']),
        row(0x4103, 'set-lsa', declared=['config', 'data'], floor=['config', 'data'], observed=['data', 'security'],
            undeclared=['security']),
        row(0x4400, 'sanitize', floor=['data']),
        row(0xc000, None, listed=False)]


def campaign(**more):
    findings = more.pop('findings', [with_evidence(finding()), note()])
    accused = any(f.get('accuses') for f in findings if isinstance(f, dict))
    return {'format_version': 1, 'kind': 'fwadmit-campaign', 'tool': TOOL, 'time': '2026-11-22T20:00:00Z',
            'device': dict(DEVICE), 'profile': PROFILE, 'seed': '0x7', 'probe': 'destructive',
            'budget': {'ms': 30000, 'commands': 0}, 'executed': 1234567, 'experiments': 4321, 'snapshots': 4400,
            'elapsed_ms': 29950, 'openings': 9,
            'observables': [{'name': 'lsa', 'title': 'LSA', 'bytes': 4096, 'masked': 0, 'source': 'get-lsa'},
                            {'name': 'health', 'title': 'Health', 'bytes': 18, 'masked': 2, 'source': 'health'}],
            'left_out': ['component: the device does not declare the command'],
            'coverage': {'valid': {'done': 43, 'planned': 43, 'unit': 'commands'},
                         'pairs': {'done': 100, 'planned': 1849, 'unit': 'pairs'},
                         'random': {'done': 99999, 'planned': None, 'unit': 'inputs'}},
            'commands': ROWS, 'findings': findings,
            'verdict': 'breach' if accused else 'honest-so-far'} | more


def escape_of(text):
    """Whatever is not printable ASCII is masked, byte by byte."""
    return re.sub(rb'[^ -~]', b'?', text.encode()).decode()
