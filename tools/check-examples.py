#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the examples of the documents and compares what they print.

usage: check-examples.py [--update] PROGRAM DOCUMENT..

An example is a line "$ fwadmit ..." in a block that begins with ```console; what follows up to the next
"$ " or the end of the block is what PROGRAM must print, standard error included. Other commands are not
run. A line "..." stands for any number of lines, "..." in a line for any text. --update writes what was
printed, but leaves an example with "..." alone.

A document with a line "<!-- fwadmitd OPTION.. -->" has its examples run, in their order, with the fwadmitd
beside PROGRAM, in folders that are taken away afterwards.
"""

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "$ "
DAEMON = re.compile(r"<!-- fwadmitd (.*) -->")
DEADLINE = 30.0


def wait_ready(program, where, daemon):
    """Until all devices of @daemon are served."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and daemon.poll() is None:
        r = subprocess.run([program, "status", where, "-o", "json"], capture_output=True, check=False)
        if r.returncode == 0 and all(d["state"] == "ready" for d in json.loads(r.stdout)["devices"]):
            return
        time.sleep(0.05)
    sys.exit("fwadmitd is not ready")


@contextlib.contextmanager
def daemon_for(program, lines):
    """Runs what @lines ask for; yields the options and the environment that commands need then."""
    wanted = [m[1] for m in map(DAEMON.fullmatch, lines) if m]
    if not wanted:
        yield [], {}
        return
    with tempfile.TemporaryDirectory() as tmp:
        where, state = f"--socket-dir={tmp}/run", f"{tmp}/state"
        command = [program.parent / "fwadmitd", where, "--state-dir=" + state, "--no-discovery"]
        with subprocess.Popen(command + shlex.split(wanted[0]), cwd=ROOT, stderr=subprocess.DEVNULL) as daemon:
            try:
                wait_ready(program, where, daemon)
                yield [where], {"FWADMIT_STATE_DIR": state}
            finally:
                daemon.terminate()


def run(program, command, options, env):
    """What @command prints, @program in the place of its first word and @options behind the last."""
    env = os.environ | {"LC_ALL": "C.UTF-8", "TERM": "dumb", "NO_COLOR": "1"} | env
    args = [program, *shlex.split(command)[1:], *options]
    r = subprocess.run(args, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, text=True, timeout=60)
    return r.stdout.rstrip("\n").split("\n") if r.stdout.strip() else []


def matches(expected, printed):
    """Whether the lines are the same, "..." standing for any number of lines."""
    if not expected or not printed:
        return not printed and all(line == "..." for line in expected)
    if expected[0] == "...":
        return any(matches(expected[1:], printed[i:]) for i in range(len(printed) + 1))
    line = ".*".join(map(re.escape, expected[0].split("...")))
    return re.fullmatch(line, printed[0]) is not None and matches(expected[1:], printed[1:])


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
    with daemon_for(program, lines) as (options, env):
        outputs = [run(program, lines[start][len(PROMPT):], options, env) for start, _ in found]
    for (start, end), printed in reversed(list(zip(found, outputs))):
        expected = lines[start + 1:end]
        while expected and not expected[-1]:
            expected.pop()
        if matches(expected, printed):
            continue
        if update and not any("..." in line for line in expected):
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
