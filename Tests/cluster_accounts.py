"""What Tests/cluster holds against the store after faults: for each fault the events that name it, or what shows
that it hit nothing.

It hit nothing, for a job, when the attempt that was at work, or in the queue, delivered its result by itself: a job
that was queued again says so in its receipt, and one that was lost has an event.
"""

import glob
import json
import re
import sqlite3
import time


def now():
    """As events are dated, a second early: they have no parts of seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))


def connect(store):
    return sqlite3.connect("file:%s/locus.sqlite?mode=ro" % store, uri=True, timeout=30)


def events(store, since="", levels=("info", "warning", "error")):
    rows = connect(store).execute("SELECT at, level, message FROM event ORDER BY rowid")
    return [message for at, level, message in rows if at >= since and level in levels]


def unfinished_runs(store):
    try:
        return [row[0] for row in connect(store).execute("SELECT id FROM run WHERE status = 'running'")]
    except sqlite3.Error:
        return []


def lock_names(store):
    try:
        return open(store + "/lock").read()
    except OSError:
        return ""


class Jobs:
    """Jobs of a store that Slurm has: their numbers as people know them, with key and attempt."""

    def __init__(self, cluster, store, *words):
        members = {}
        for path in glob.glob(store + "/orders/batches/*.json"):
            try:
                batch = json.load(open(path))
            except (OSError, ValueError):
                continue
            members[batch["name"]] = batch["members"]
        self.known = {}
        self.nodes = {}
        self.all = []
        text = cluster.ask("squeue", "--noheader", "--me", "--array", "--format=%F|%K|%N|%T|%j", *words)
        for line in text.splitlines():
            number, task, node, state, name = line.split("|", 4)
            if name not in members or state == "COMPLETING":
                continue
            place = int(task) if task.isdigit() else 0
            shown = number if task == "N/A" else "%s_%s" % (number, task)
            member = members[name][place]
            self.known[shown] = (member["key"], member["attempt"])
            self.nodes[shown] = node
            self.all.append(shown)


class Fault:
    def __init__(self, kind, cluster, store, run):
        self.kind = kind
        self.at = now()
        self.hit = None
        self.node = None
        self.pid = run.pid
        self.runs = []
        self.lock = ""
        self.jobs = Jobs(cluster, store)
        self.until = None

    def account(self, store):
        """`("named", events)`, `("nothing", why)` or `(None, what is known)`."""
        said = events(store, self.at)
        find = lambda *patterns: [m for m in said if any(re.search(pattern, m) for pattern in patterns)]
        named = []
        if self.kind == "controller":
            named = find(r"took over the lock of .*process %d on" % self.pid,
                         *["run %s, before this one, ended without a word" % re.escape(run) for run in self.runs])
            if not named and not self.runs and '"pid":%d,' % self.pid not in self.lock:
                return "nothing", "it had not taken the lock of the store, or had given it back"
            return ("named", named) if named else (None, "runs %s, lock %s" % (self.runs, self.lock))
        if self.kind == "slurmctld":
            named = find(r"slurmctld\) was started anew", r"does not answer")
        if self.kind == "slurmd":
            named = find(r"slurmd of node %s was started anew" % self.node)
        if self.kind == "down":
            named = find(r"node %s is .*DOWN" % self.node)
        if self.kind == "disk":
            named = find(r"was full from", r"No space left", r"ended without a word", r"ended early", r"disk is full")
        concerned = self.concerned()
        untold = []
        for job in concerned:
            of_job = find(r"\b(Slurm job|as job) %s\b.*" % job)
            # A job that was ended is not merely queued again.
            words = "lost:" if self.kind in ("job", "scancel") else "lost:|queued again"
            of_job = [m for m in of_job if re.search(words, m)]
            named += of_job
            if not of_job and not self.was_undisturbed(store, job):
                untold.append(job)
        if untold and not named:
            return None, "jobs %s" % ", ".join(untold)
        if named:
            return "named", named
        if not concerned:
            return "nothing", "no job was in its reach"
        return "nothing", "what was at work (%s) delivered by itself" % ", ".join(concerned)

    def concerned(self):
        if self.hit:
            return [self.hit]
        if self.kind in ("down", "slurmd"):
            return [job for job in self.jobs.all if self.jobs.nodes[job] == self.node]
        return self.jobs.all

    def was_undisturbed(self, store, job):
        """Whether the very attempt succeeded; had its job begun anew, its receipt would say so."""
        return connect(store).execute(
            "SELECT count(*) FROM execution WHERE key = ? AND attempt = ? AND status IN ('succeeded', 'replaced')",
            self.jobs.known[job]).fetchone()[0] == 1
