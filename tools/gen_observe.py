# SPDX-License-Identifier: GPL-2.0-or-later
"""Observables: tables `observe FAMILY` of model/, for gen-model.py. model/README.md has the format."""

import re
from dataclasses import dataclass, field

from model_words import EFFECTS, LENGTH_ANY, NAME, UUID_LEN, Fault, c_effects, c_name

COLUMNS = ['name', 'part', 'where', 'kind', 'means', 'grows']

# What a row can be read for each of, by family; those that take no command.
EACH = {
    'cxl': ('once', 'feature', 'feature-list', 'log', 'lsa', 'registers', 'media'),
    'nvme': ('once', 'namespace', 'fid', 'lid', 'lba', 'registers'),
}
PAST_COMMANDS = ('registers', 'media')
# Those whose effects can be the Feature's own.
OWN_EFFECTS = ('feature', 'fid', 'namespace')
# Kinds of parts: the unit that must be given, and the most bytes of one.
KINDS = {
    'state': (None, None),
    'counter': (None, 16),
    'clock': ('ns', 8),
    'records': ('bytes', None),
    'ring': ('bytes', None),
    'trace': (None, None),
    'volatile': (None, None),
    'declares': (None, None),
}
LISTS = ('records', 'ring')
# A part of a byte can be of these only.
BITS_OF = ('state', 'volatile', 'declares')
# Not observed: nothing is changed by them that could be seen.
UNSEEN = ('exclusive', 'dma', 'carrier', 'other-client', 'unknown')

PAYLOAD_MAX = 32
PARTS_MAX = 200
BYTES = re.compile(r'(\d+)(?:(-)(\d+)?|\[(\d)(?::(\d))?\])?')
# Words behind a command.
ASK = re.compile(r'(?P<dword>nsid|cdw1[0-5])=(?P<value>[0-9a-f]{8})h|out=(?P<out>\d+)'
                 r'|more=(?P<more>[0-9a-f]{2})h|capacity@(?P<capacity>\d+)'
                 r'|(?P<payload>(?:[0-9a-f]{2})+)(?:\.\.(?P<last>[0-9a-f]{2}))?')


@dataclass
class Part:
    line: int
    name: str
    first: int
    last: int
    mask: int
    kind: str
    unit: int
    means: list
    grows: list


@dataclass
class Observable:
    line: int
    name: str
    each: str
    means: list
    command: str = ''
    title: str = ''
    payload: bytes = b''
    last: int = -1  # the payload is one byte from there to this one; a row of C for each
    nsid: int = 0
    cdw: list = field(default_factory=lambda: [0] * 6)
    rare: bool = False
    out: int = 0
    more: int = 0
    capacity_at: int = 0
    parts: list = field(default_factory=list)
    c_set: str = ''
    opcode: int = 0


# --- cells ---------------------------------------------------------------------------------------


def parse_effects(text, own):
    """Effects, the first of which names a change. `any` at the end: whatever there is. `-`: the
    Feature's own."""
    if text == '-':
        if not own:
            raise Fault('only a Feature\'s value can have the effects of its own entry')
        return []
    words = text.split()
    for i, word in enumerate(words):
        if word == 'any' and i and i == len(words) - 1:
            continue
        if word not in EFFECTS:
            raise Fault(f'unknown effect "{word}"')
        if word in UNSEEN:
            raise Fault(f'"{word}" is nothing that can be seen')
        if word in words[:i]:
            raise Fault(f'effect "{word}" twice')
    return words


def parse_bytes(text, part):
    match = BYTES.fullmatch(text)
    if not match:
        raise Fault(f'bad bytes "{text}": want N, N-M, N-, N[BIT] or N[HIGH:LOW]')
    part.first = part.last = int(match[1])
    if match[2]:
        part.last = int(match[3]) if match[3] else LENGTH_ANY
    if match[4]:
        high, low = int(match[4]), int(match[5] or match[4])
        if low > high or high > 7:
            raise Fault(f'bad bytes "{text}": bits {high}:{low}')
        part.mask = ((1 << (high - low + 1)) - 1) << low
    if part.first > part.last or part.first >= 1 << 20:
        raise Fault(f'bad bytes "{text}"')


def parse_kind(text, part):
    part.kind, colon, unit = text.partition(':')
    if part.kind not in KINDS:
        raise Fault(f'unknown kind "{part.kind}"')
    wants, most = KINDS[part.kind]
    if bool(wants) != bool(colon) or (colon and not re.fullmatch(r'[1-9]\d{0,8}', unit)):
        raise Fault(f'bad kind "{text}"' + (f': want {part.kind}:N, {wants}' if wants else ''))
    part.unit = int(unit or 0)
    length = part.last - part.first + 1
    if most and length > most:
        raise Fault(f'a {part.kind} has at most {most} bytes')
    if part.kind == 'records' and part.last != LENGTH_ANY:
        raise Fault('records go to the end: want N-')
    if part.kind == 'ring' and (part.last == LENGTH_ANY or length % part.unit
                                or length == part.unit):
        raise Fault(f'a ring has two or more whole records of {part.unit} bytes')
    if part.mask and part.kind not in BITS_OF:
        raise Fault(f'bits of a byte are no {part.kind}')


def parse_grows(text, part):
    if part.kind not in LISTS:
        if text != '-':
            raise Fault(f'a {part.kind} does not grow: want -')
    elif text == '-':
        part.grows = part.means
    elif text != 'free':
        part.grows = ['any'] if text == 'any' else parse_effects(text, False)


def parse_ask(word, family, row):
    if word == 'rare':
        row.rare = True
        return
    match = ASK.fullmatch(word)
    if not match or bool(match['dword'] or match['out']) != (family == 'nvme'):
        raise Fault(f'bad request "{word}": want rare, ' + (
            'nsid= or cdwN=8 digits and h, or out=N' if family == 'nvme'
            else 'bytes of the payload, NN..NN, more=2 digits and h, or capacity@AT'))
    if match['dword'] == 'nsid':
        row.nsid = int(match['value'], 16)
    elif match['dword']:
        row.cdw[int(match['dword'][-1])] = int(match['value'], 16)
    elif match['out']:
        row.out = int(match['out'])
    elif match['more']:
        row.more = int(match['more'], 16)
    elif match['capacity']:
        row.capacity_at = int(match['capacity'])
    else:
        row.payload = bytes.fromhex(match['payload'])
        if match['last']:
            row.last = int(match['last'], 16)
            if len(row.payload) != 1 or row.payload[0] >= row.last:
                raise Fault(f'bad request "{word}": want one byte, and then a greater one')


def parse_where(text, family, row):
    """The command, and what it is asked for."""
    if (text == '-') != (row.each in PAST_COMMANDS):
        raise Fault(f'a row for each of "{row.each}" '
                    + ('takes no command' if row.each in PAST_COMMANDS else 'needs a command'))
    if text == '-':
        return
    row.command, *asks = text.split()
    for word in asks:
        parse_ask(word, family, row)
    if len(row.payload) > PAYLOAD_MAX:
        raise Fault(f'a payload of more than {PAYLOAD_MAX} bytes')
    if row.capacity_at and row.capacity_at + 8 > len(row.payload):
        raise Fault(f'"capacity@{row.capacity_at}" is outside the payload')


# --- rows ----------------------------------------------------------------------------------------


def parse_observable(table, cells, line):
    row = Observable(line, cells['name'], cells['kind'], [])
    if row.each not in EACH[table.family]:
        raise Fault(f'bad kind "{row.each}" of "{row.name}": want ' + ', '.join(EACH[table.family]))
    if cells['grows'] != '-':
        raise Fault('only parts grow: want -')
    row.means = parse_effects(cells['means'], row.each in OWN_EFFECTS)
    parse_where(cells['where'], table.family, row)
    before = table.seen.setdefault(row.name, line)
    if before != line:
        raise Fault(f'duplicate name "{row.name}": see line {before}')
    table.rows.append(row)


def check_order(last, part):
    if not last:
        return
    if last.first == part.first and last.mask and part.mask:
        if last.mask >= part.mask & -part.mask:
            raise Fault('bits out of order')
    elif part.first <= last.last:
        raise Fault(f'byte {part.first} is in part "{last.name}" already')


def parse_part(table, cells, line):
    row = table.rows[-1] if table.rows else None
    if not row or row.name != cells['name']:
        raise Fault(f'a part of "{cells["name"]}", which is not the row before')
    if not NAME.fullmatch(cells['part']):
        raise Fault(f'bad part "{cells["part"]}"')
    if cells['part'] in (p.name for p in row.parts):
        raise Fault(f'duplicate part "{cells["part"]}"')
    part = Part(line, cells['part'], 0, 0, 0, '', 0, [], [])
    parse_bytes(cells['where'], part)
    parse_kind(cells['kind'], part)
    part.means = parse_effects(cells['means'], row.each in OWN_EFFECTS)
    parse_grows(cells['grows'], part)
    check_order(row.parts[-1] if row.parts else None, part)
    if len(row.parts) == PARTS_MAX:
        raise Fault(f'more than {PARTS_MAX} parts')
    row.parts.append(part)


def parse_row(table, cells, line):
    if not NAME.fullmatch(cells['name']):
        raise Fault(f'bad name "{cells["name"]}": want lower-case words joined by dashes')
    if cells['part'] != '-':
        parse_part(table, cells, line)
    else:
        parse_observable(table, cells, line)


# --- what spans files ----------------------------------------------------------------------------


def selected(model, command, row):
    """The forms of @command that @row selects; none where that is not the row's to say."""
    if not command.select:
        return []
    name, _, use = command.select.partition(':')
    forms = model.selectors[name].forms[use]
    if model.selectors[name].family == 'cxl':
        return [f for f in forms if bytes.fromhex(f.uuid.replace('-', '')) == row.payload[:UUID_LEN]]
    if row.each in ('fid', 'lid') and not row.cdw[0] & 0xff:
        return []
    return [f for f in forms if f.first <= row.cdw[0] & 0xff <= f.last
            and row.cdw[f.cdw - 10] & f.mask == f.value]


def check_row(model, row, commands):
    """Observing changes nothing, and asks for what the command can give."""
    if not row.command:
        row.title = row.each.title()
        return
    if len(commands) != 1:
        raise Fault(f'no command "{row.command}"')
    command, row.c_set = commands[0]
    row.opcode = command.opcode
    forms = selected(model, command, row)
    row.title = forms[0].title if forms else command.title
    for what in [command] + forms:
        if what.floor:
            raise Fault(f'"{what.name}" changes something: {" ".join(what.floor)}')
    least, most = command.length_in
    length = len(row.payload)
    if row.each == 'once' and not least <= length <= most:
        raise Fault(f'"{row.command}" takes {least} to {most} bytes, not {length}')
    least, most = command.length_out
    if row.c_set.startswith('FWA_SET_NVME') and row.each != 'lba' and not least <= row.out <= most:
        raise Fault(f'"{row.command}" cannot return {row.out} bytes')


def check(model, table, sets):
    """@sets: C name of each command set by its name."""
    for row in table.rows:
        commands = [(c, sets[s.name]) for s in model.sets.values() if s.family == table.family
                    for c in s.rows if c.name == row.command]
        try:
            check_row(model, row, commands)
        except Fault as fault:
            model.fault(table.path, row.line, fault)


# --- C -------------------------------------------------------------------------------------------


def c_means(words):
    return 'FWA_EFFECTS_ALL' if 'any' in words else c_effects(words)


def emit_part(part):
    last = 'UINT32_MAX' if part.last == LENGTH_ANY else part.last
    return (f'\t{{ .name = "{part.name}", .first = {part.first}, .last = {last},\n'
            f'\t  .kind = VFY_{part.kind.upper()}, .mask = 0x{part.mask:02x}, .unit = {part.unit},\n'
            f'\t  .means = {c_means(part.means)},\n'
            f'\t  .name_as = {c_effects(part.means[:1])},\n'
            f'\t  .grows = {c_means(part.grows)} }},\n')


def emit_parts(table, row):
    if not row.parts:
        return ''
    return (f'static const struct vfy_field {c_name("fields", table.name, row.name)}[] = {{\n'
            + ''.join(emit_part(p) for p in row.parts) + '};\n\n')


def emit_row(table, row, name, payload):
    fields = c_name('fields', table.name, row.name) if row.parts else 'NULL'
    data = ', '.join(f'0x{b:02x}' for b in payload) or '0'
    return (f'\t{{ .name = "{name}", .title = "{row.title}",\n'
            f'\t  .each = VFY_EACH_{c_name(row.each).upper()}, .set = {row.c_set or 0},\n'
            f'\t  .opcode = 0x{row.opcode:04x}, .payload_len = {len(payload)},\n'
            f'\t  .payload = {{ {data} }},\n'
            f'\t  .rare = {int(row.rare)}, .nsid = 0x{row.nsid:08x}u,\n'
            f'\t  .cdw = {{ {", ".join(f"0x{d:08x}u" for d in row.cdw)} }},\n'
            f'\t  .out_len = {row.out}, .more = 0x{row.more:02x}, '
            f'.capacity_at = {row.capacity_at},\n'
            f'\t  .field = {fields}, .n_fields = {len(row.parts)},\n'
            f'\t  .means = {c_means(row.means)},\n'
            f'\t  .name_as = {c_effects(row.means[:1])} }},\n')


def emit_rows(table, row):
    if row.last < 0:
        return emit_row(table, row, row.name, row.payload)
    return ''.join(emit_row(table, row, f'{row.name}-{byte:02x}', bytes([byte]))
                   for byte in range(row.payload[0], row.last + 1))


def emit(model):
    out = ('/* SPDX-License-Identifier: GPL-2.0-or-later */\n'
           '/* Generated by tools/gen-model.py from model/: edit those tables, not this file. */\n'
           '#include "verify/observe.h"\n\n'
           f'_Static_assert(FWA_EFFECT_COUNT == {len(EFFECTS)}, "effects of gen-model.py");\n\n')
    for table in model.observables.values():
        out += ''.join(emit_parts(table, row) for row in table.rows)
        out += f'const struct vfy_observe_row vfy_observe_{table.name}[] = {{\n'
        out += ''.join(emit_rows(table, row) for row in table.rows) + '\t{ .name = NULL },\n};\n\n'
    return out
