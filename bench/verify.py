# SPDX-License-Identifier: GPL-2.0-or-later
"""The verifier: how fast it is, what it catches, and whether it accuses anybody who is honest."""
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "verify"))
import matrix  # noqa: E402

PHASES = "valid,boundary,malformed,reset,vendor,repeat,pairs,triples,triggers,sweep"  # all that come to an end
QEMU = "qtest:cxl-type3", "qtest:nvme"
SEEDS = int(os.environ.get("FWADMIT_VERIFY_SEEDS", "100"))
BUDGET = os.environ.get("FWADMIT_VERIFY_BUDGET", "60s")


def campaign(build, spec, *args):
    """What the program has to say of @spec, and how long it took."""
    start = time.perf_counter()
    done = subprocess.run([build / "fwadmit-verify", f"--device={spec}", "--probe=destructive", *args],
                          stdout=subprocess.PIPE)
    if done.returncode not in (matrix.HONEST, matrix.ACCUSED):
        sys.exit(f"fwadmit-verify {spec} exited with {done.returncode}")
    return json.loads(done.stdout), time.perf_counter() - start


def speed(build):
    for spec in "sim:honest", "sim:nvme", *QEMU:
        c, s = campaign(build, spec, "--budget-ms=20000")
        print(f"{spec:16} {c['experiments'] / s:8.0f} experiments a second, {c['executed'] / s:9.0f} commands, "
              f"{c['snapshots'] / s:6.0f} readings of {len(c['observables'])} observables", flush=True)


def whole(build):
    """All phases but the random one, which has no end."""
    for spec in "sim:honest", "sim:nvme", *QEMU:
        c, s = campaign(build, spec, f"--phases={PHASES}", "--budget-ms=600000")
        left = {n: p for n, p in c["coverage"].items() if p["done"] < p["planned"]}
        target = " (target: less than 60 s)" if spec == "qtest:cxl-type3" else ""
        print(f"{spec:16} all phases but random: {s:6.1f} s{target}, {c['experiments']} experiments, {c['executed']} "
              f"commands, {len(matrix.accusations(c))} accusations; not done: "
              + (", ".join(f"{p['planned'] - p['done']} {p['unit']} of {n}" for n, p in left.items()) or "nothing"),
              flush=True)


def liars(build, tmp):
    planted = caught = 0
    for rows in matrix.table().values():
        code, c = matrix.verify(build / "fwadmit", rows[0].device, f"--budget={BUDGET}", state=tmp)
        for row in rows:
            if row.finding != "must":
                continue
            planted += 1
            f = matrix.caught(row, c)
            caught += f is not None
            least = "" if row.steps is None else f", {row.steps} are enough"
            print(f"  {row.device:18} " + (f"{f['kind']} of {f['opcode_hex'] or '-'} in {matrix.steps(f)} steps{least}"
                                           if f else f"NOT CAUGHT: {row}"), flush=True)
        for f in matrix.false_alarms(rows, c):
            print(f"  {rows[0].device:18} FALSE ALARM: {matrix.told(f)}", flush=True)
    print(f"liars: {caught} lies caught of {planted}, in {BUDGET} each")


def honest(build, tmp):
    for rows in matrix.table().values():
        if rows[0].finding != "none":
            continue
        alarms = 0
        for seed in range(SEEDS):
            device = f"{rows[0].device},seed={seed}"
            _, c = matrix.verify(build / "fwadmit", device, f"--seed={seed}", f"--budget={BUDGET}", state=tmp)
            for f in matrix.accusations(c):
                alarms += 1
                print(f"  sim:{device}: FALSE ALARM: {matrix.told(f)}", flush=True)
        print(f"sim:{rows[0].device:12} {alarms} false alarms over {SEEDS} seeds of {BUDGET} each", flush=True)


def bench(build, tmp):
    speed(build)
    whole(build)
    liars(build, tmp)
    honest(build, tmp)
