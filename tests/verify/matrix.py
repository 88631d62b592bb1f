# SPDX-License-Identifier: GPL-2.0-or-later
"""The table liars.txt, campaigns against simulated devices, and the one held against the other."""
import json
import os
import pathlib
import subprocess

TABLE = pathlib.Path(__file__).with_name('liars.txt')
COLUMNS = ('device', 'finding', 'kind', 'effect', 'command', 'steps')
ACCUSING = {'breach', 'immediate', 'unlisted', 'hang', 'gone', 'garbage', 'overrun', 'unstable',
            'contradiction', 'wedged'}
HONEST, ACCUSED = 0, 8  # exit codes


class Row:
    def __init__(self, line):
        cells = [c.strip() for c in line.split('|')]
        if len(cells) != len(COLUMNS):
            raise ValueError(f'{TABLE.name}: {line}')
        self.device, self.finding, kinds, self.effect, self.command, steps = cells
        self.kinds = set(kinds.split(','))
        self.steps = None if steps == '-' else int(steps)

    def is_about(self, f):
        return ('-' in self.kinds or f['kind'] in self.kinds) and self.command in ('-', f['opcode_hex']) and (
            self.effect == '-' or self.effect in f['undeclared'])

    def __str__(self):
        return f'{self.device}: {",".join(sorted(self.kinds))} of {self.command}, {self.effect}, {self.steps} steps'


def table():
    """Rows by personality."""
    lines = [l for l in TABLE.read_text().splitlines() if l and not l.startswith('#')]
    rows = {}
    for line in lines[1:]:
        row = Row(line)
        rows.setdefault(row.device.split(',')[0], []).append(row)
    return rows


def personalities(fwadmit):
    done = subprocess.run([fwadmit, '-o', 'json', 'list', '--sim'], stdout=subprocess.PIPE, check=True)
    return [d['name'].removeprefix('sim:') for d in json.loads(done.stdout)['devices']]


def verify(fwadmit, device, *args, state, timeout=600):
    """Exit code and campaign of `fwadmit verify`, all of it allowed."""
    env = os.environ | {'FWADMIT_STATE_DIR': str(state)}
    done = subprocess.run([fwadmit, 'verify', 'sim:' + device, '--output-format=json', '--probe=destructive', *args],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=timeout)
    try:
        return done.returncode, json.loads(done.stdout)
    except json.JSONDecodeError:
        raise AssertionError(f'{device}: exit {done.returncode}: {done.stderr.decode("utf-8", "replace")}') from None


def accusations(campaign):
    return [f for f in campaign['findings'] if f['kind'] in ACCUSING]


def steps(f):
    """Commands, readings and resets that have to be done for it."""
    return sum(s.get('times', 1) for s in f['steps'] if s['do'] != 'settle')


def told(f):
    return (f'{f["kind"]} of {f["opcode_hex"]}, {" ".join(f["undeclared"]) or "-"}, {steps(f)} steps, '
            f'{f["reproduced"]} of {f["runs"]}: {f["text"]}')


def caught(row, campaign):
    """The shortest finding that says what @row does, or None."""
    return min((f for f in accusations(campaign) if row.is_about(f)), key=steps, default=None)


def false_alarms(rows, campaign):
    return [f for f in accusations(campaign) if not any(r.is_about(f) for r in rows if r.finding != 'none')]


def complaints(rows, code, campaign):
    """What is wrong with what was said of one device; empty when nothing is."""
    said = '; '.join(told(f) for f in accusations(campaign)) or 'nothing'
    wrong = ['false alarm: ' + told(f) for f in false_alarms(rows, campaign)]
    for row in rows:
        f = caught(row, campaign)
        if row.finding == 'must' and not f:
            wrong.append(f'not caught: {row}; but: {said}')
        elif row.finding == 'must' and row.steps is not None and steps(f) > row.steps:
            wrong.append(f'not short: {row}; but: {told(f)}')
    expected = ACCUSED if any(r.finding == 'must' for r in rows) else HONEST
    if code != expected:
        wrong.append(f'exit code {code}, not {expected}')
    return wrong
