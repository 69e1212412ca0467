"""Times a rerun of finished stages beside DVC and Snakemake on the same graph, in one run, and a plan
of 10,000 stages. Process time is user and system time of the process and its children; of the rounds,
which take turns, the least and the median are printed. Exits with 1 when a bound does not hold.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install dvc snakemake
    /tmp/peers/bin/python Tests/rerun_speed.py .build/release/locus
"""

import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

PAIRS = 100  # of a stage and one that needs it: 200 stages
ROUNDS = 15
PLANNED = 5000  # pairs again


def pipeline(pairs):
    seeds = ", ".join(str(i + 1) for i in range(pairs))
    return f"""{{ pipeline: "graph", question: "How long does nothing take?", seed: 1, stages: {{
  scenes: {{ kind: "generate", size: 8, cells: 4, objects: [1, 1], count: 4,
            matrix: {{ seed: [{seeds}] }} }},
  model: {{ kind: "train", inputs: {{ scenes: "scenes" }}, pictures: 4, batch: 4,
           network: {{ type: "local", width: 4, dilations: [1] }} }},
}} }}"""


def dvc_graph(pairs):
    lines = ["stages:"]
    for i in range(pairs):
        lines += [
            f"  scenes{i}:", f"    cmd: echo {i} > scenes{i}", "    outs:", f"    - scenes{i}",
            f"  model{i}:", f"    cmd: cp scenes{i} model{i}", "    deps:", f"    - scenes{i}",
            "    outs:", f"    - model{i}",
        ]
    return "\n".join(lines) + "\n"


def snakemake_graph(pairs):
    return f"""rule all:
    input: expand("model{{i}}", i=range({pairs}))
rule scenes:
    output: "scenes{{i,[0-9]+}}"
    shell: "echo {{wildcards.i}} > {{output}}"
rule model:
    input: "scenes{{i}}"
    output: "model{{i,[0-9]+}}"
    shell: "cp {{input}} {{output}}"
"""


def run(command, folder):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def main():
    locus = str(pathlib.Path(sys.argv[1]).resolve())
    tools = pathlib.Path(sys.executable).parent
    dvc, snakemake = str(tools / "dvc"), str(tools / "snakemake")
    os.environ.update(DVC_NO_ANALYTICS="true", PATH=f"{tools}:{os.environ['PATH']}")
    with tempfile.TemporaryDirectory() as scratch:
        folders = {name: pathlib.Path(scratch, name) for name in ("locus", "dvc", "snakemake")}
        for folder in folders.values():
            folder.mkdir()
        (folders["locus"] / "graph.json5").write_text(pipeline(PAIRS))
        (folders["locus"] / "large.json5").write_text(pipeline(PLANNED))
        (folders["dvc"] / "dvc.yaml").write_text(dvc_graph(PAIRS))
        (folders["snakemake"] / "Snakefile").write_text(snakemake_graph(PAIRS))
        run([dvc, "init", "--no-scm", "-q"], folders["dvc"])
        commands = {
            "locus run": ([locus, "run", "graph.json5", "--quiet"], folders["locus"]),
            "dvc repro": ([dvc, "repro", "-q"], folders["dvc"]),
            "dvc status": ([dvc, "status", "-q"], folders["dvc"]),
            "snakemake": ([snakemake, "-c2", "-q", "all"], folders["snakemake"]),
        }
        for name, (command, folder) in commands.items():
            run(command, folder)  # the work itself
            run(command, folder)  # what a first rerun learns
        times = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, (command, folder) in commands.items():
                times[name].append(run(command, folder))
        plan = run([locus, "run", "large.json5", "--dry-run"], folders["locus"])

    least = {name: min(cpu for cpu, _ in rows) for name, rows in times.items()}
    print(f"rerun of {2 * PAIRS} finished stages, {ROUNDS} rounds (seconds)")
    print("tool         process time: least  median   wall: least  median   times locus's process time")
    for name, rows in times.items():
        cpu, wall = [row[0] for row in rows], [row[1] for row in rows]
        print(
            f"{name:12} {least[name]:20.3f} {statistics.median(cpu):7.3f}"
            f" {min(wall):12.3f} {statistics.median(wall):7.3f} {least[name] / least['locus run']:8.0f}"
        )
    print(f"plan of {2 * PLANNED} stages: {plan[0]:.3f} s of process time, {plan[1]:.3f} s wall")
    faults = [
        text
        for holds, text in [
            (least["locus run"] <= 0.05, "a rerun takes more than 0.05 s of process time"),
            (least["dvc repro"] >= 20 * least["locus run"], "less than 20 times as fast as DVC"),
            (least["snakemake"] >= 20 * least["locus run"], "less than 20 times as fast as Snakemake"),
            (plan[0] <= 1, "a plan takes more than a second"),
        ]
        if not holds
    ]
    for text in faults:
        print(text, file=sys.stderr)
    sys.exit(1 if faults else 0)


main()
