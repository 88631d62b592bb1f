#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks that the security model and the code say the same.

1. Every clause (heading "## Cn Title" of spec/SECURITY-MODEL.md) is cited by code or by a test, or
   gives its reason in a line "Not enforced by code: ...".
2. Every citation names a clause that exists.
3. Every reason code of enum fwa_reason has a clause in the table of src/core/reason.c, and stands
   in the model's table of reasons, in the order of the enum, with the same clause.
4. Every function that the model names, `name()`, is one of src/.

A citation is a comment that starts with an equals sign and a list of clauses (in C and in files
that comment with a hash), the model's path with the clause behind a hash, or an entry of a
designated table of reasons, needs or findings in src/core.
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

MODEL = "spec/SECURITY-MODEL.md"
ENUM = "src/core/reason.h"
TABLE = "src/core/reason.c"
FOLDERS = ("src", "model", "tests", "tools")
# Their fixtures cite clauses that do not exist.
NOT_SEARCHED = ("tests/tools/",)

CLAUSE_LIST = r"C\d+(?:[,\s]+C\d+)*"
CITATIONS = (
    re.compile(r"/\*=\s*(" + CLAUSE_LIST + r")\b"),
    re.compile(r"(?:^|\s)#=\s*(" + CLAUSE_LIST + r")\b"),
    re.compile(re.escape(MODEL) + r"#(C\d+)\b"),
)
# "(C17)", "(C8, C19)" in prose: must exist, but enforces nothing.
MENTION = re.compile(r"\((" + CLAUSE_LIST + r")\)")
TABLE_ENTRY = re.compile(r"\[(FWA_(REASON|NEED|FINDING)_(?!COUNT\b)\w+)\]\s*=\s*(\{[^{}]*\}|[^,{}]+)")


class Clause(NamedTuple):
    number: int
    title: str
    line: int
    excuse: str


class Place(NamedTuple):
    path: str
    line: int

    def __str__(self):
        return f"{self.path}:{self.line}"


class Check:
    def __init__(self, root):
        self.root = root
        self.violations = []
        self.clauses = {}
        self.citations = defaultdict(list)

    def fail(self, place, message):
        self.violations.append(f"{place}: {message}")

    def text(self, path):
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace")
        except OSError as e:
            self.fail(Place(path, 1), f"cannot be read: {e.strerror}")
            return ""

    # --- the model

    def read_clauses(self, text):
        excuses = {}
        number = 0
        for line, s in enumerate(text.splitlines(), 1):
            if s.startswith("## "):
                m = re.match(r"## C(\d+)\s+(\S.*)", s)
                number = int(m[1]) if m else 0
                if not m:
                    continue
                if number in self.clauses:
                    self.fail(Place(MODEL, line), f"C{number} stands here twice")
                elif number != len(self.clauses) + 1:
                    self.fail(Place(MODEL, line), f"C{number} comes after C{len(self.clauses)}")
                self.clauses[number] = Clause(number, m[2].strip(), line, "")
            elif number and s.startswith("Not enforced by code:"):
                excuses[number] = s.partition(":")[2].strip()
                if not excuses[number]:
                    self.fail(Place(MODEL, line), f"C{number} gives no reason")
        for number, excuse in excuses.items():
            self.clauses[number] = self.clauses[number]._replace(excuse=excuse)
        if not self.clauses:
            self.fail(Place(MODEL, 1), "holds no clauses")

    def read_reasons_of_model(self, text):
        """Rows of the table headed "| reason | clause |": name -> (clause, line), in order."""
        rows = {}
        inside = False
        for line, s in enumerate(text.splitlines(), 1):
            cells = [c.strip() for c in s.strip().strip("|").split("|")]
            if not s.startswith("|"):
                inside = False
            elif cells[:2] == ["reason", "clause"]:
                inside = True
            elif inside and (m := re.fullmatch(r"`([a-z-]+)`", cells[0])):
                c = re.fullmatch(r"C(\d+)", cells[1]) if len(cells) > 1 else None
                if not c:
                    self.fail(Place(MODEL, line), f"reason {m[1]} names no clause")
                    continue
                rows[m[1]] = (int(c[1]), line)
        return rows

    # --- the code

    def read_enum(self, text):
        """Codes of enum fwa_reason: name -> line, in order."""
        m = re.search(r"enum fwa_reason\s*\{(.*?)\}", text, re.S)
        if not m:
            self.fail(Place(ENUM, 1), "holds no enum fwa_reason")
            return {}
        codes = {}
        for c in re.finditer(r"\bFWA_REASON_(\w+)\b(?=[^,}]*(?:,|$))", strip_comments(m[1])):
            if c[1] != "COUNT":
                name = c[1].lower().replace("_", "-")
                codes[name] = text.count("\n", 0, m.start(1) + c.start()) + 1
        return codes

    def read_table(self, path, text):
        """Entries of designated tables in @text: name -> (clause, line); cites each clause."""
        entries = {}
        for m in TABLE_ENTRY.finditer(strip_comments(text)):
            numbers = re.findall(r"\b\d+\b", re.sub(r'"(?:\\.|[^"\\])*"', "", m[3]))
            if not numbers:
                continue
            place = Place(path, text.count("\n", 0, m.start()) + 1)
            self.cite(int(numbers[-1]), place)
            if m[2] == "REASON":
                name = m[1].removeprefix("FWA_REASON_").lower().replace("_", "-")
                entries[name] = (int(numbers[-1]), place.line)
        return entries

    def cite(self, number, place):
        if number not in self.clauses:
            self.fail(place, f"cites C{number}, which {MODEL} does not hold")
        elif place not in self.citations[number]:
            self.citations[number].append(place)

    def search(self, path):
        for line, s in enumerate(self.text(path).splitlines(), 1):
            place = Place(path, line)
            for pattern in CITATIONS:
                for m in pattern.finditer(s):
                    for c in re.findall(r"\d+", m[1]):
                        self.cite(int(c), place)
            for m in MENTION.finditer(s):
                for c in re.findall(r"\d+", m[1]):
                    if int(c) not in self.clauses:
                        self.fail(place, f"mentions C{c}, which {MODEL} does not hold")

    # --- both

    def compare_reasons(self, enum, table, model):
        for name, line in enum.items():
            if name not in table:
                self.fail(Place(ENUM, line), f"reason {name} has no clause in {TABLE}")
            if name not in model:
                self.fail(Place(ENUM, line), f"reason {name} is not in the table of {MODEL}")
            elif name in table and table[name][0] != model[name][0]:
                self.fail(Place(TABLE, table[name][1]),
                          f"reason {name} is C{table[name][0]} here and C{model[name][0]} in "
                          f"{MODEL}:{model[name][1]}")
        for name, (_, line) in model.items():
            if name not in enum:
                self.fail(Place(MODEL, line), f"reason {name} is not in enum fwa_reason")
        both = [n for n in model if n in enum]
        if both != [n for n in enum if n in model]:
            self.fail(Place(MODEL, model[both[0]][1]), f"the reasons are not in the order of {ENUM}")

    def find_functions(self, model):
        code = "\n".join(self.text(p) for p in files_below(self.root, ("src",))
                         if p.endswith((".c", ".h")))
        for line, s in enumerate(model.splitlines(), 1):
            for name in re.findall(r"`(\w+)\(\)`", s):
                if not re.search(rf"\b{name}\(", code):
                    self.fail(Place(MODEL, line), f"there is no {name}() in src/")

    def run(self):
        model = self.text(MODEL)
        self.read_clauses(model)
        reasons = self.read_reasons_of_model(model)
        table = {}
        for path in sorted(files_below(self.root, FOLDERS)):
            if path.startswith(NOT_SEARCHED):
                continue
            self.search(path)
            if path.startswith("src/core/") and path.endswith(".c"):
                table |= self.read_table(path, self.text(path))
        self.compare_reasons(self.read_enum(self.text(ENUM)), table, reasons)
        self.find_functions(model)
        for c in self.clauses.values():
            if not self.citations[c.number] and not c.excuse:
                self.fail(Place(MODEL, c.line), f"C{c.number} is cited nowhere and says not why")

    def report(self):
        for c in self.clauses.values():
            places = self.citations[c.number]
            tests = [p for p in places if is_test(p.path)]
            code = [p for p in places if not is_test(p.path)]
            print(f"C{c.number:<3} {c.title}")
            print(f"     code {len(code)}, tests {len(tests)}"
                  + "".join(f"\n       {p}" for p in code + tests)
                  + (f"\n     not enforced by code: {c.excuse}" if c.excuse else ""))


def strip_comments(text):
    """@text with its C comments blanked, so that offsets and lines stay."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)


def is_test(path):
    return path.startswith("tests/") or Path(path).name.startswith("test-")


def files_below(root, folders):
    for folder in folders:
        for p in (root / folder).rglob("*"):
            if p.is_file() and p.suffix != ".pyc":
                yield p.relative_to(root).as_posix()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--report", action="store_true", help="print where each clause is enforced")
    args = parser.parse_args()
    check = Check(args.root)
    check.run()
    if args.report:
        check.report()
    for v in check.violations:
        print(v, file=sys.stderr)
    return 1 if check.violations else 0


if __name__ == "__main__":
    sys.exit(main())
