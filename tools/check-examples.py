#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the examples of the documents and compares what they print.

usage: check-examples.py [--update] PROGRAM DOCUMENT..

An example is a line "$ fwadmit ..." in a block that begins with ```console; what follows up to the next
"$ " or the end of the block is what PROGRAM must print, standard error included. Other commands are not
run. A line "..." stands for any number of lines. --update writes what was printed, but leaves an
example with "..." alone.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "$ "


def run(program, command):
    """What @command prints, @program in the place of its first word."""
    env = os.environ | {"LC_ALL": "C.UTF-8", "TERM": "dumb", "NO_COLOR": "1"}
    args = [program, *shlex.split(command)[1:]]
    r = subprocess.run(args, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, text=True, timeout=60)
    return r.stdout.rstrip("\n").split("\n") if r.stdout.strip() else []


def matches(expected, printed):
    """Whether the lines are the same, "..." standing for any number of lines."""
    if not expected or not printed:
        return not printed and all(line == "..." for line in expected)
    if expected[0] == "...":
        return any(matches(expected[1:], printed[i:]) for i in range(len(printed) + 1))
    return expected[0] == printed[0] and matches(expected[1:], printed[1:])


def examples(lines):
    """Yields (index of the command's line, index behind the last line of its output)."""
    inside, start = False, None
    for i, line in enumerate(lines):
        fence, prompt = line.startswith("```"), inside and line.startswith(PROMPT)
        if (fence or prompt) and start is not None:
            yield start, i
            start = None
        if fence:
            inside = not inside and line.strip() == "```console"
        elif prompt and line.startswith(PROMPT + "fwadmit "):
            start = i


def check(program, document, update):
    """Returns how many examples @document holds, and messages about those that differ."""
    lines = document.read_text().split("\n")
    found, messages = list(examples(lines)), []
    for start, end in reversed(found):
        expected = lines[start + 1:end]
        while expected and not expected[-1]:
            expected.pop()
        printed = run(program, lines[start][len(PROMPT):])
        if matches(expected, printed):
            continue
        if update and "..." not in expected:
            lines[start + 1:end] = printed + [""] * (end - start - 1 - len(expected))
        else:
            messages.append("\n".join([f"{document}:{start + 1}: prints now:", *printed]))
    if update:
        document.write_text("\n".join(lines))
    return len(found), messages[::-1]


def main():
    args = sys.argv[1:]
    update = "--update" in args
    args = [a for a in args if a != "--update"]
    if len(args) < 2:
        print(__doc__.splitlines()[2], file=sys.stderr)
        return 2
    total, bad = 0, 0
    for document in args[1:]:
        found, messages = check(Path(args[0]).resolve(), Path(document), update)
        total, bad = total + found, bad + len(messages)
        print("\n".join(messages), end="\n" if messages else "", file=sys.stderr)
    if not total:
        print("no examples found", file=sys.stderr)
    return 1 if bad or not total else 0


if __name__ == "__main__":
    sys.exit(main())
