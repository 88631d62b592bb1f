#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compiles the text tables of model/ to the C tables of src/core/model-tables.h and src/verify/observe.h.

The format is described in model/README.md. A table that is wrong in any way fails the build: each
fault is printed as `FILE:LINE: what`, and nothing is written.

    gen-model.py --output model-tables.c FILE...    compile
    gen-model.py --observe observe-tables.c FILE... compile the observables
    gen-model.py --list FILE...                     the commands, as tab-separated values
    gen-model.py --list-selected FILE...            the selected forms, likewise
    gen-model.py --list-operations FILE...          the operations of commands, likewise
    gen-model.py --align FILE...                    line the columns up, in place
"""

import argparse
import os
import re
import sys
from dataclasses import dataclass, field

sys.dont_write_bytecode = True  # beside the sources
import gen_observe
from model_words import EFFECTS, LENGTH_ANY, NAME, TITLE, UUID_LEN, Fault, c_effects, c_name

# What a device of each family has a bit for, and so can leave out or not.
DECLARABLE = {
    'cxl': {'config-cold-reset', 'config', 'data', 'policy', 'log', 'security', 'background',
            'config-conv-reset', 'config-cxl-reset'},
    'nvme': {'data', 'namespace-capability', 'namespace-inventory', 'controller-capability',
             'exclusive'},
}
CLASSES = ('debug', 'plain', 'user-data')

COMMAND_COLUMNS = {
    'cxl': ['opcode', 'name', 'title', 'in', 'does', 'source', 'select', 'rules'],
    'nvme': ['opcode', 'name', 'title', 'in', 'out', 'does', 'source', 'select', 'rules'],
}
# The first columns of a selector table; the columns after them are its uses.
SELECTOR_COLUMNS = {
    'cxl': ['uuid', 'name', 'title'],
    'nvme': ['value', 'name', 'title', 'when'],
}
FIXED_COLUMNS = {
    'operation': ['command', 'at', 'value', 'name', 'title', 'does'],
    'observe': gen_observe.COLUMNS,
}
# Names that many rows of a selector table, or of a command's operations, may share.
SHARED_NAMES = ('reserved', 'vendor-specific')


@dataclass(frozen=True)
class Set:
    c_name: str
    family: str
    digits: int  # of an opcode
    vendor: int  # the first vendor specific opcode: the model ends there


SETS = {
    'cxl': Set('FWA_SET_CXL', 'cxl', 4, 0xc000),
    'nvme-admin': Set('FWA_SET_NVME_ADMIN', 'nvme', 2, 0xc0),
    'nvme-io': Set('FWA_SET_NVME_IO', 'nvme', 2, 0x80),
}

KINDS = {
    'log-uuid': 'cxl',
    'feature-uuid': 'cxl',
    'fid': 'nvme',
    'lid': 'nvme',
    'cns': 'nvme',
}


@dataclass(frozen=True)
class RuleKind:
    """What a rule's name must be followed by.

    @widths: bytes of the numbers at its offsets; None = given after a colon; 0 = no number, the
    offset is where data begins. @needs: the direction that must have data.
    """
    family: str
    widths: tuple = ()
    after_uuid: bool = False
    needs: str = ''


RULES = {
    'nonzero': RuleKind('cxl', (None,)),
    'reply-fits': RuleKind('cxl', (None,)),
    'log-range': RuleKind('cxl', (4, 4), after_uuid=True),
    'lsa-range': RuleKind('cxl', (4, 4)),
    'lsa-data': RuleKind('cxl', (4, 0)),
    'feature-range': RuleKind('cxl', (2, 2), after_uuid=True),
    'feature-data': RuleKind('cxl', (2, 0), after_uuid=True),
    'dpa': RuleKind('cxl', (8,)),
    'dpa-range': RuleKind('cxl', (8, 8)),
    'numd-out': RuleKind('nvme', needs='out'),
    'numd-in': RuleKind('nvme', needs='in'),
    'nlb': RuleKind('nvme', needs='any'),
    'dsm-ranges': RuleKind('nvme', needs='in'),
    'copy-ranges': RuleKind('nvme', needs='in'),
    'whole-page': RuleKind('nvme', needs='in'),
    'placement-ids': RuleKind('nvme', needs='in'),
    'length-cdw11': RuleKind('nvme', needs='any'),
    'length-dwords-cdw10': RuleKind('nvme', needs='any'),
    'length-dwords-cdw11': RuleKind('nvme', needs='any'),
    'length-dwords-cdw12': RuleKind('nvme', needs='any'),
}

ALIGN_MOST = 36
UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
RULE = re.compile(r'([a-z0-9-]+)(?:@(\d+)(?:,(\d+))?(?::(\d+))?)?')
BITS = r'\[(\d+)(?::(\d+))?\]'
PLACE = re.compile(rf'(?:cdw1([0-5]){BITS}|payload@(\d+)(?::(2)|{BITS})?)')
WHEN = re.compile(r'cdw1([0-5])\[(\d+)(?::(\d+))?\]=(\d+)')


@dataclass
class Row:
    line: int
    name: str = ''
    title: str = ''
    klass: str = 'debug'
    floor: list = field(default_factory=list)
    conditional: list = field(default_factory=list)


@dataclass
class Rule:
    name: str
    at: int = 0
    width: int = 0
    at2: int = 0


@dataclass
class Command(Row):
    opcode: int = 0
    length_in: tuple = (0, 0)
    length_out: tuple = (0, 0)
    source: str = ''
    select: str = ''
    rules: list = field(default_factory=list)
    operations: list = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """Where a command has the number of its operation; cdw 0 = in the payload."""
    cdw: int = 0
    at: int = 0
    width: int = 1  # bytes
    low: int = 0
    high: int = 7

    @property
    def last(self):
        return (1 << (self.high - self.low + 1)) - 1


@dataclass
class Operation(Row):
    """A row of an operations table."""
    command: str = ''
    place: Place = Place()
    first: int = 0
    last: int = 0


@dataclass
class Form(Row):
    """A row of a selector table, in one of its uses."""
    first: int = 0
    last: int = 0
    cdw: int = 10
    mask: int = 0
    value: int = 0
    uuid: str = ''


@dataclass
class Table:
    path: str
    line: int
    name: str
    family: str
    columns: list
    kind: str = ''  # of a selector table; `operation`; `observe`; empty: a command set
    sources: dict = field(default_factory=dict)
    rows: list = field(default_factory=list)  # of a command set, of operations, of observables
    forms: dict = field(default_factory=dict)  # of a selector table: use -> rows
    seen: dict = field(default_factory=dict)  # (column, content) -> line


# --- cells ---------------------------------------------------------------------------------------


def parse_hex(text, digits, what):
    if not re.fullmatch(f'[0-9a-f]{{{digits}}}h', text):
        raise Fault(f'bad {what} "{text}": want {digits} lower-case hexadecimal digits and an h')
    return int(text[:-1], 16)


def parse_length(text, what):
    """`12`, `4-5`, `8-` or `any` as (least, most)."""
    if text == 'any':
        return 0, LENGTH_ANY
    match = re.fullmatch(r'(\d+)(-(\d+)?)?', text)
    if not match:
        raise Fault(f'bad {what} length "{text}": want N, N-M, N- or any')
    least = int(match[1])
    most = least if not match[2] else int(match[3]) if match[3] else LENGTH_ANY
    if least >= LENGTH_ANY or most > LENGTH_ANY:
        raise Fault(f'bad {what} length "{text}": more than 32 bits')
    if least > most:
        raise Fault(f'bad {what} length "{text}": {least} is more than {most}')
    return least, most


def parse_does(text, family, row):
    """What a command does: a class of read, effects, or both. A `?` marks a conditional effect."""
    klass = None
    for word in text.split():
        effect = word.rstrip('?')
        if word in CLASSES:
            if klass or row.floor:
                raise Fault(f'"{word}" is not the first word: one class, then effects')
            klass = word
        elif effect not in EFFECTS or word not in (effect, effect + '?'):
            raise Fault(f'unknown class or effect "{word}"')
        elif effect in row.floor:
            raise Fault(f'effect "{effect}" twice')
        elif word != effect and effect not in DECLARABLE[family]:
            raise Fault(f'"{word}": {family} devices have no bit for it, so it cannot be conditional')
        else:
            row.floor.append(effect)
            if word != effect:
                row.conditional.append(effect)
    if not klass and not row.floor:
        raise Fault(f'"{text}": neither a class of read nor an effect')
    row.klass = klass or 'debug'


def parse_rule(text, family, command):
    match = RULE.fullmatch(text)
    kind = RULES.get(match[1]) if match else None
    if not kind:
        raise Fault(f'unknown rule "{text}"')
    if kind.family != family:
        raise Fault(f'rule "{match[1]}" is for {kind.family} commands')
    offsets = [int(x) for x in match.group(2, 3) if x is not None]
    width = int(match[4]) if match[4] else None
    if len(offsets) != len(kind.widths) or (width is None) == (None in kind.widths):
        raise Fault(f'rule "{text}": wrong number of offsets or widths')
    if width not in (None, 1, 2, 4, 8):
        raise Fault(f'rule "{text}": a number has 1, 2, 4 or 8 bytes')
    least = command.length_in[0]
    for offset, size in zip(offsets, kind.widths):
        end = offset + (width if size is None else size)
        if end > least:
            raise Fault(f'rule "{text}": byte {end} is outside the least in length {least}')
        if offset > 255:
            raise Fault(f'rule "{text}": offset over 255')
        if kind.after_uuid and offset < UUID_LEN:
            raise Fault(f'rule "{text}": offset within the UUID')
    check_rule_direction(text, kind, command)
    at, at2 = (offsets + [0, 0])[:2]
    return Rule(match[1], at, width or 0, at2)


def check_rule_direction(text, kind, command):
    has = {'in': command.length_in[1] > 0, 'out': command.length_out[1] > 0}
    if kind.needs == 'any' and not any(has.values()):
        raise Fault(f'rule "{text}": the command moves no data')
    if kind.needs in has and not has[kind.needs]:
        raise Fault(f'rule "{text}": the command has no {kind.needs} data')


def parse_when(text, form):
    if text == '-':
        return
    match = WHEN.fullmatch(text)
    if not match:
        raise Fault(f'bad condition "{text}": want cdwN[BIT]=V or cdwN[HIGH:LOW]=V')
    cdw, high = 10 + int(match[1]), int(match[2])
    low = int(match[3]) if match[3] else high
    if low > high or high > 31 or (cdw == 10 and low < 8):
        raise Fault(f'bad condition "{text}": bits {high}:{low} of dword {cdw}')
    ones = (1 << (high - low + 1)) - 1
    if int(match[4]) > ones:
        raise Fault(f'bad condition "{text}": {match[4]} does not fit')
    form.cdw, form.mask, form.value = cdw, ones << low, int(match[4]) << low


def parse_bits(text, high, low, width):
    high = int(high)
    low = high if low is None else int(low)
    if low > high or high >= width:
        raise Fault(f'bad place "{text}": bits {high}:{low}')
    return low, high


def parse_place(text, family):
    match = PLACE.fullmatch(text)
    if not match or (match[1] is None) != (family == 'cxl'):
        raise Fault(f'bad place "{text}": want ' + (
            'payload@AT, payload@AT[HIGH:LOW] or payload@AT:2' if family == 'cxl'
            else 'cdwN[HIGH:LOW]'))
    if match[1] is not None:
        low, high = parse_bits(text, match[2], match[3], 32)
        if high - low > 15:
            raise Fault(f'bad place "{text}": more than 16 bits')
        return Place(cdw=10 + int(match[1]), low=low, high=high)
    if int(match[4]) > 255:
        raise Fault(f'bad place "{text}": offset over 255')
    if match[5]:
        return Place(at=int(match[4]), width=2, high=15)
    low, high = parse_bits(text, match[6], match[7], 8) if match[6] else (0, 7)
    return Place(at=int(match[4]), low=low, high=high)


def parse_range(text, digits=2):
    first, dash, last = text.partition('-')
    low = parse_hex(first, digits, 'value')
    high = parse_hex(last, digits, 'value') if dash else low
    if low > high:
        raise Fault(f'bad value "{text}": {first} is more than {last}')
    return low, high


def parse_names(cells, row):
    row.name, row.title = cells['name'], cells['title']
    if not NAME.fullmatch(row.name):
        raise Fault(f'bad name "{row.name}": want lower-case words joined by dashes')
    if not TITLE.fullmatch(row.title):
        raise Fault(f'bad title "{row.title}"')


def claim(table, column, content, line):
    """Takes @content for this row; a fault when an earlier row has it."""
    before = table.seen.setdefault((column, content), line)
    if before != line:
        raise Fault(f'duplicate {column} "{content}": see line {before}')


# --- rows ----------------------------------------------------------------------------------------


def check_opcode(table, command):
    cset = SETS[table.name]
    if command.opcode >= cset.vendor:
        raise Fault(f'opcode {command.opcode:0{cset.digits}x}h is vendor specific')
    if table.rows and command.opcode < table.rows[-1].opcode:
        raise Fault(f'out of order: opcode after {table.rows[-1].opcode:0{cset.digits}x}h')


def check_direction(command):
    """NVMe: the two low bits of an opcode say which way data goes."""
    if command.length_in[1] and not command.opcode & 1:
        raise Fault('in data, but opcode bit 0 says that none goes to the device')
    if command.length_out[1] and not command.opcode & 2:
        raise Fault('out data, but opcode bit 1 says that none comes from the device')


def parse_command(table, cells, line):
    cset = SETS[table.name]
    command = Command(line, opcode=parse_hex(cells['opcode'], cset.digits, 'opcode'))
    claim(table, 'opcode', cells['opcode'], line)
    check_opcode(table, command)
    parse_names(cells, command)
    claim(table, 'name', command.name, line)
    command.length_in = parse_length(cells['in'], 'in')
    if cset.family == 'nvme':
        command.length_out = parse_length(cells['out'], 'out')
        check_direction(command)
    else:
        command.length_out = (0, LENGTH_ANY)
    parse_does(cells['does'], cset.family, command)
    if cells['source'] not in table.sources:
        raise Fault(f'unknown source "{cells["source"]}"')
    command.source = table.sources[cells['source']]
    command.select = '' if cells['select'] == '-' else cells['select']
    if cells['rules'] != '-':
        command.rules = [parse_rule(r, cset.family, command) for r in cells['rules'].split()]
    table.rows.append(command)


def check_value(table, form):
    """Rows by number: base rows in order without a gap, each followed by its conditional rows."""
    done = table.forms[table.columns[-1]]
    last = done[-1] if done else None
    if form.mask:
        if not last or (last.first, last.last) != (form.first, form.last):
            raise Fault('a conditional row must follow the row of its value')
        return
    expected = last.last + 1 if last else 0
    if last and form.first <= last.last:
        raise Fault(f'out of order: value {form.first:02x}h after {last.last:02x}h')
    if form.first != expected:
        raise Fault(f'no row for value {expected:02x}h')


def parse_form(table, cells, line):
    base = Form(line)
    if table.family == 'cxl':
        base.uuid = cells['uuid']
        if not UUID.fullmatch(base.uuid):
            raise Fault(f'bad UUID "{base.uuid}"')
        claim(table, 'uuid', base.uuid, line)
    else:
        base.first, base.last = parse_range(cells['value'])
        parse_when(cells['when'], base)
        check_value(table, base)
    parse_names(cells, base)
    if base.name not in SHARED_NAMES:
        claim(table, 'name', base.name, line)
    forms = []
    for use in table.forms:
        form = Form(**{**vars(base), 'floor': [], 'conditional': []})
        parse_does(cells[use], table.family, form)
        forms.append((use, form))
    for use, form in forms:
        table.forms[use].append(form)


def check_operation(table, row):
    """Rows of a command stand together, look at one place, and cover all of its values."""
    last = table.rows[-1] if table.rows else None
    if last and last.command == row.command:
        if row.place != last.place:
            raise Fault(f'"{row.command}" has its operation at another place in line {last.line}')
        expected = last.last + 1
    else:
        claim(table, 'command', row.command, row.line)
        check_complete(last)
        expected = 0
    if row.first != expected:
        raise Fault(f'"{row.command}": no row for value {expected:x}h')
    if row.last > row.place.last:
        raise Fault(f'"{row.command}": value {row.last:x}h does not fit')


def check_complete(last):
    if last and last.last != last.place.last:
        raise Fault(f'"{last.command}": no row for value {last.last + 1:x}h')


def parse_operation(table, cells, line):
    row = Operation(line, command=cells['command'], place=parse_place(cells['at'], table.family))
    row.first, row.last = parse_range(cells['value'], len(f'{row.place.last:x}'))
    parse_names(cells, row)
    check_operation(table, row)
    if row.name not in SHARED_NAMES:
        claim(table, f'operation of {row.command}', row.name, line)
    if cells['does'] != '-':
        parse_does(cells['does'], table.family, row)
        if row.conditional or not row.floor or cells['does'].split()[0] in CLASSES:
            raise Fault(f'"{cells["does"]}": want effects without a class and without ?, or -')
    table.rows.append(row)


# --- files ---------------------------------------------------------------------------------------


def split_cells(line):
    return [cell.strip() for cell in line.split('|')]


def parse_head(path, line, words):
    """The line that says what a file holds: `set`, `select`, `operations` or `observe`, and whose."""
    if len(words) == 2 and words[0] == 'set':
        if words[1] not in SETS:
            raise Fault(f'unknown command set "{words[1]}"')
        return Table(path, line, words[1], SETS[words[1]].family, [])
    if len(words) == 4 and words[0] == 'select' and words[2] == 'by':
        if words[3] not in KINDS:
            raise Fault(f'unknown selector "{words[3]}"')
        if not NAME.fullmatch(words[1]):
            raise Fault(f'bad name "{words[1]}"')
        return Table(path, line, words[1], KINDS[words[3]], [], kind=words[3])
    if len(words) == 2 and words[0] in ('operations', 'observe'):
        if words[1] not in COMMAND_COLUMNS:
            raise Fault(f'unknown family "{words[1]}"')
        return Table(path, line, words[1], words[1], [], kind=words[0].removesuffix('s'))
    raise Fault('want "set NAME", "select NAME by KIND", "operations FAMILY" or "observe FAMILY" first')


def parse_columns(table, cells):
    if not table.kind:
        if cells != COMMAND_COLUMNS[table.family]:
            raise Fault('want the columns ' + ' | '.join(COMMAND_COLUMNS[table.family]))
    elif table.kind in FIXED_COLUMNS:
        if cells != FIXED_COLUMNS[table.kind]:
            raise Fault('want the columns ' + ' | '.join(FIXED_COLUMNS[table.kind]))
    else:
        fixed = SELECTOR_COLUMNS[table.family]
        uses = cells[len(fixed):]
        if cells[:len(fixed)] != fixed or not uses or len(set(cells)) != len(cells):
            raise Fault('want the columns ' + ' | '.join(fixed) + ' | and one or more uses')
        for use in uses:
            if not NAME.fullmatch(use):
                raise Fault(f'bad use "{use}"')
        table.forms = {use: [] for use in uses}
    table.columns = cells


def parse_source(table, words):
    if table.kind or table.columns or len(words) < 3:
        raise Fault('want "source KEY TEXT", between "set" and the columns')
    text = ' '.join(words[2:])
    if words[1] in table.sources:
        raise Fault(f'duplicate source "{words[1]}"')
    if not TITLE.fullmatch(text):
        raise Fault(f'bad source text "{text}"')
    table.sources[words[1]] = text


def parse_line(table, text, line):
    cells = split_cells(text)
    if text.split()[0] == 'source':
        parse_source(table, text.split())
    elif not table.columns:
        parse_columns(table, cells)
    elif len(cells) != len(table.columns):
        raise Fault(f'{len(cells)} columns instead of {len(table.columns)}')
    elif '' in cells:
        raise Fault(f'column "{table.columns[cells.index("")]}" is empty: write -')
    elif table.kind == 'operation':
        parse_operation(table, dict(zip(table.columns, cells)), line)
    elif table.kind == 'observe':
        gen_observe.parse_row(table, dict(zip(table.columns, cells)), line)
    elif table.kind:
        parse_form(table, dict(zip(table.columns, cells)), line)
    else:
        parse_command(table, dict(zip(table.columns, cells)), line)


def check_whole(table):
    """What can only be said at the end of a file."""
    if not table.columns:
        raise Fault('no columns')
    rows = table.forms[table.columns[-1]] if table.forms else table.rows
    if not rows:
        raise Fault('no rows')
    if table.kind == 'operation':
        check_complete(rows[-1])
    if table.forms and table.family == 'nvme' and rows[-1].last != 0xff:
        raise Fault(f'no row for value {rows[-1].last + 1:02x}h')


class Model:
    """All tables, and all that is wrong with them."""

    def __init__(self):
        self.sets = {}
        self.selectors = {}
        self.operations = {}
        self.observables = {}
        self.faults = []

    def fault(self, path, line, text):
        self.faults.append(f'{path}:{line}: {text}')

    def read(self, path):
        table, line = None, 1
        with open(path, encoding='ascii', errors='backslashreplace') as lines:
            for line, text in enumerate(lines, 1):
                if not text.strip() or text.lstrip().startswith('#'):
                    continue
                try:
                    if table:
                        parse_line(table, text, line)
                    else:
                        table = parse_head(path, line, text.split())
                except Fault as fault:
                    self.fault(path, line, fault)
                    if not table or not table.columns:
                        return  # no sense can be made of the rest
        self.add(path, line, table)

    def add(self, path, line, table):
        try:
            if not table:
                raise Fault('an empty file')
            home = {'': self.sets, 'operation': self.operations,
                    'observe': self.observables}.get(table.kind, self.selectors)
            if table.name in home:
                raise Fault(f'a second table "{table.name}": see {home[table.name].path}')
            home[table.name] = table
            check_whole(table)
        except Fault as fault:
            self.fault(path, line, fault)

    def check(self):
        """What spans files: selectors are known, fit and are used; so do operations; sets are there."""
        used = set()
        for table in self.sets.values():
            for command in table.rows:
                if command.select:
                    used.add(command.select)
                    self.check_select(table, command)
        for table in self.selectors.values():
            for use in table.forms:
                if f'{table.name}:{use}' not in used:
                    self.fault(table.path, table.line, f'no command selects "{table.name}:{use}"')
        for table in self.operations.values():
            for row in table.rows:
                self.check_operation(table, row)
        for table in self.observables.values():
            gen_observe.check(self, table, {name: cset.c_name for name, cset in SETS.items()})
        for name in SETS:
            if name not in self.sets:
                self.faults.append(f'no table of command set "{name}"')

    def check_operation(self, table, row):
        commands = [c for s in self.sets.values() if s.family == table.family
                    for c in s.rows if c.name == row.command]
        if len(commands) != 1:
            self.fault(table.path, row.line, f'no {table.family} command "{row.command}"')
        elif not row.place.cdw and row.place.at + row.place.width > commands[0].length_in[0]:
            self.fault(table.path, row.line, f'the operation of "{row.command}" is outside its '
                       f'least in length {commands[0].length_in[0]}')
        else:
            commands[0].operations.append(row)

    def check_select(self, table, command):
        name, _, use = command.select.partition(':')
        select = self.selectors.get(name)
        if not select or use not in select.forms:
            self.fault(table.path, command.line, f'unknown selector "{command.select}"')
        elif select.family != table.family:
            self.fault(table.path, command.line, f'selector "{name}" is for {select.family}')
        elif table.family == 'cxl' and command.length_in[0] < UUID_LEN:
            self.fault(table.path, command.line, 'in length too short for a UUID')


# --- C -------------------------------------------------------------------------------------------


def c_class(klass):
    return 'FWA_CLASS_' + c_name(klass).upper()


def c_length(length):
    return 'FWA_LENGTH_ANY' if length == LENGTH_ANY else str(length)


def c_uuid(text):
    return ', '.join(f'0x{b:02x}' for b in bytes.fromhex(text.replace('-', '')))


def c_array(values, indent):
    """The values that are not 0, each with its index, 8 a line."""
    cells = [f'[0x{i:02x}] = {v},' for i, v in enumerate(values) if v]
    lines = [cells[i:i + 8] for i in range(0, len(cells), 8)]
    return ''.join(indent + ' '.join(line) + '\n' for line in lines)


def emit_form(form):
    key = f'.uuid = {{ {c_uuid(form.uuid)} }}' if form.uuid else (
        f'.mask = 0x{form.mask:08x}u, .value = 0x{form.value:08x}u')
    return (f'\t{{ .name = "{form.name}", .title = "{form.title}", .class = {c_class(form.klass)},\n'
            f'\t  .floor = {c_effects(form.floor)},\n'
            f'\t  .conditional = {c_effects(form.conditional)},\n'
            f'\t  .cdw = {form.cdw}, {key} }},\n')


def emit_slices(table):
    """By number: where the rows of each value begin, and how many there are."""
    slices = [None] * 256
    for i, form in enumerate(table.forms[table.columns[-1]]):
        for value in range(form.first, form.last + 1):
            first = slices[value][0] if slices[value] else i
            slices[value] = (first, i + 1 - first)
    return (f'static const struct fwa_variant_slice {c_name("slices", table.name)}[256] = {{\n'
            + c_array([f'{{ {s[0]}, {s[1]} }}' for s in slices], '\t') + '};\n\n')


def emit_selector(table):
    by_value = c_name('slices', table.name) if table.family == 'nvme' else 'NULL'
    out = emit_slices(table) if table.family == 'nvme' else ''
    for use, forms in table.forms.items():
        variants = c_name('variants', table.name, use)
        out += f'static const struct fwa_variant {variants}[] = {{\n'
        out += ''.join(emit_form(f) for f in forms) + '};\n\n'
        out += f'static const struct fwa_selector_table {c_name("select", table.name, use)} = {{\n'
        out += f'\t.kind = FWA_SELECT_{c_name(table.kind).upper()},\n\t.all = {variants},\n'
        out += f'\t.n_all = {len(forms)},\n\t.by_value = {by_value},\n}};\n\n'
    return out


def emit_rules(table, command):
    if not command.rules:
        return ''
    out = f'static const struct fwa_rule {c_name("rules", table.name, command.name)}[] = {{\n'
    for rule in command.rules:
        out += (f'\t{{ FWA_RULE_{c_name(rule.name).upper()}, '
                f'{rule.at}, {rule.width}, {rule.at2} }},\n')
    return out + '};\n\n'


def emit_operations(table, command):
    if not command.operations:
        return ''
    name, place = c_name('operations', table.name, command.name), command.operations[0].place
    out = f'static const struct fwa_operation {name}_all[] = {{\n'
    for row in command.operations:
        out += (f'\t{{ .name = "{row.name}", .title = "{row.title}",\n'
                f'\t  .first = 0x{row.first:x}, .last = 0x{row.last:x},\n'
                f'\t  .floor = {c_effects(row.floor)} }},\n')
    return out + (f'}};\n\nstatic const struct fwa_operation_table {name} = {{\n'
                  f'\t.all = {name}_all, .n = {len(command.operations)},\n'
                  f'\t.cdw = {place.cdw}, .at = {place.at}, .width = {place.width},\n'
                  f'\t.shift = {place.low}, .mask = 0x{place.last:x},\n}};\n\n')


def emit_command(table, command):
    operations = ('&' + c_name('operations', table.name, command.name) if command.operations
                  else 'NULL')
    rules = c_name('rules', table.name, command.name) if command.rules else 'NULL'
    select = '&' + c_name('select', *command.select.split(':')) if command.select else 'NULL'
    low_in, high_in = map(c_length, command.length_in)
    low_out, high_out = map(c_length, command.length_out)
    return (f'\t{{ .name = "{command.name}", .title = "{command.title}",\n'
            f'\t  .source = "{command.source}", .opcode = 0x{command.opcode:04x},\n'
            f'\t  .set = {SETS[table.name].c_name}, .class = {c_class(command.klass)},\n'
            f'\t  .floor = {c_effects(command.floor)},\n'
            f'\t  .conditional = {c_effects(command.conditional)},\n'
            f'\t  .in_min = {low_in}, .in_max = {high_in},\n'
            f'\t  .out_min = {low_out}, .out_max = {high_out},\n'
            f'\t  .rules = {rules}, .n_rules = {len(command.rules)}, .select = {select},\n'
            f'\t  .operations = {operations} }},\n')


def emit_index(table):
    """The dense index by opcode: a page for each high byte that has a row."""
    pages = sorted({c.opcode >> 8 for c in table.rows})
    index = {page: [0] * 256 for page in pages}
    for i, command in enumerate(table.rows):
        index[command.opcode >> 8][command.opcode & 0xff] = i + 1
    numbers = [pages.index(p) + 1 if p in pages else 0 for p in range(256)]
    out = f'static const uint8_t {c_name("page", table.name)}[256] = {{\n'
    out += c_array(numbers, '\t') + '};\n\n'
    out += f'static const uint16_t {c_name("index", table.name)}[{len(pages)}][256] = {{\n'
    out += ''.join('\t{\n' + c_array(index[p], '\t\t') + '\t},\n' for p in pages)
    return out + '};\n\n'


def emit_set(table):
    rows = c_name('rows', table.name)
    out = ''.join(emit_rules(table, c) + emit_operations(table, c) for c in table.rows)
    out += f'static const struct fwa_model_command {rows}[] = {{\n'
    out += ''.join(emit_command(table, c) for c in table.rows) + '};\n\n'
    return out + emit_index(table)


def emit(model):
    out = ('/* SPDX-License-Identifier: LGPL-2.1-or-later */\n'
           '/* Generated by tools/gen-model.py from model/: edit those tables, not this file. */\n'
           '#include "core/model-tables.h"\n\n'
           f'_Static_assert(FWA_EFFECT_COUNT == {len(EFFECTS)}, "effects of gen-model.py");\n'
           f'_Static_assert(FWA_SET_COUNT == {len(SETS)}, "sets of gen-model.py");\n\n')
    out += ''.join(emit_selector(t) for t in model.selectors.values())
    out += ''.join(emit_set(model.sets[name]) for name in SETS)
    out += 'const struct fwa_model_set fwa_model_sets[FWA_SET_COUNT] = {\n'
    for name, cset in SETS.items():
        out += (f'\t[{cset.c_name}] = {{ .rows = {c_name("rows", name)}, '
                f'.n_rows = {len(model.sets[name].rows)},\n'
                f'\t\t.page = {c_name("page", name)}, .index = {c_name("index", name)} }},\n')
    return out + '};\n'


# --- lists ---------------------------------------------------------------------------------------


def text_length(length):
    least, most = length
    if most == LENGTH_ANY:
        return f'{least}-' if least else 'any'
    return str(least) if least == most else f'{least}-{most}'


def text_rule(rule):
    kind = RULES[rule.name]
    if not kind.widths:
        return rule.name
    second = f',{rule.at2}' if len(kind.widths) == 2 else ''
    return f'{rule.name}@{rule.at}{second}' + (f':{rule.width}' if rule.width else '')


def print_list(model):
    columns = ('set', 'opcode', 'name', 'title', 'class', 'floor', 'conditional', 'in', 'out',
               'rules', 'selector', 'source')
    print('\t'.join(columns))
    for name in SETS:
        for c in model.sets[name].rows:
            print('\t'.join((name, f'{c.opcode:0{SETS[name].digits}x}h', c.name, c.title, c.klass,
                             ' '.join(c.floor), ' '.join(c.conditional), text_length(c.length_in),
                             text_length(c.length_out), ' '.join(map(text_rule, c.rules)),
                             c.select, c.source)))


def print_selected(model):
    columns = ('selector', 'kind', 'first', 'last', 'name', 'title', 'class', 'floor',
               'conditional', 'cdw', 'mask', 'value')
    print('\t'.join(columns))
    for table in model.selectors.values():
        for use, forms in table.forms.items():
            for f in forms:
                first = f.uuid or f'{f.first:02x}h'
                last = f.uuid or f'{f.last:02x}h'
                print('\t'.join((f'{table.name}:{use}', table.kind, first, last, f.name, f.title,
                                 f.klass, ' '.join(f.floor), ' '.join(f.conditional), str(f.cdw),
                                 f'{f.mask:08x}h', f'{f.value:08x}h')))


def text_place(place):
    where = f'cdw{place.cdw}' if place.cdw else f'payload@{place.at}'
    return where + (':2' if place.width == 2 else f'[{place.high}:{place.low}]')


def print_operations(model):
    print('\t'.join(('family', 'command', 'at', 'first', 'last', 'name', 'title', 'floor')))
    for table in model.operations.values():
        for row in table.rows:
            print('\t'.join((table.family, row.command, text_place(row.place), f'{row.first:x}h',
                             f'{row.last:x}h', row.name, row.title, ' '.join(row.floor))))


def align_row(cells, starts):
    """A cell that is too wide pushes the next ones only as far as they must go."""
    text = cells[0]
    for cell, start in zip(cells[1:], starts[1:]):
        text = text.ljust(start - 3) + ' | ' + cell
    return text


def align(path):
    """Lines the columns of a table up. Its words stay as they are."""
    with open(path, encoding='ascii') as file:
        lines = file.read().splitlines()
    table = {i: split_cells(line) for i, line in enumerate(lines)
             if '|' in line and not line.lstrip().startswith('#')}
    if len({len(cells) for cells in table.values()}) > 1:
        sys.exit(f'{path}: rows with different numbers of columns')
    starts = [0]
    for column in zip(*table.values()):
        width = max((len(cell) for cell in column if len(cell) <= ALIGN_MOST), default=0)
        starts.append(starts[-1] + width + 3)
    for i, cells in table.items():
        lines[i] = align_row(cells, starts)
    with open(path, 'w', encoding='ascii') as file:
        file.write('\n'.join(lines) + '\n')


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument('--output', metavar='FILE', help='write the C tables to FILE')
    mode.add_argument('--observe', metavar='FILE', help='write those of observables to FILE')
    mode.add_argument('--list', action='store_true', help='print the commands')
    mode.add_argument('--list-selected', action='store_true', help='print the selected forms')
    mode.add_argument('--list-operations', action='store_true', help='print their operations')
    mode.add_argument('--align', action='store_true', help='line the columns up, in place')
    parser.add_argument('files', metavar='TABLE', nargs='+')
    return parser.parse_args()


def main():
    args = parse_arguments()
    if args.align:
        for path in args.files:
            align(path)
        return 0
    model = Model()
    for path in args.files:
        model.read(os.path.relpath(path) if os.path.isabs(path) else path)
    if not model.faults:
        model.check()
    if model.faults:
        print('\n'.join(model.faults), file=sys.stderr)
        return 1
    if args.list:
        print_list(model)
    elif args.list_selected:
        print_selected(model)
    elif args.list_operations:
        print_operations(model)
    else:
        with open(args.output or args.observe, 'w', encoding='ascii') as file:
            file.write(emit(model) if args.output else gen_observe.emit(model))
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit(f'gen-model.py: {error.filename}: {error.strerror}')
