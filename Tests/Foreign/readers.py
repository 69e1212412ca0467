"""Has other programs open a store of Locus and its exports, and check a value each.

Usage: readers.py LOCUS FOLDER. Runs Pipelines/tiny.json5 in FOLDER, which must not exist. Prints a line a
reader: its version and the value that it checked, why it was skipped, or what it read instead; exits with 1
after a failure.

What is right is what `locus query` says, or what another export says: no reader is held against itself.
"""

import asyncio
import hashlib
import html
import importlib.metadata
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import traceback
import warnings

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LOCUS = sys.argv[1]
WORK = pathlib.Path(sys.argv[2])
STORE = WORK / "data"
DATABASE = STORE / "locus.sqlite"
# A log of actions beside the exports, and nothing of this machine's settings.
os.environ.update(MPLBACKEND="Agg", MLFLOW_ALLOW_FILE_STORE="true", HOME=str(WORK))


class Skipped(Exception):
    pass


def run(*words, accepts=(0,), cwd=None):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd=cwd or WORK)
    assert done.returncode in accepts, f"{words}: {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def locus(*words):
    return run(LOCUS, *words)


def ask(sql):
    """Rows as `locus query` gives them."""
    return json.loads(locus("query", sql, "--format", "json"))


def export(what, *words):
    place = WORK / "exports" / "-".join([what, *re.sub(r"\W", "_", " ".join(words)).split()])
    if not place.exists():
        place.parent.mkdir(exist_ok=True)
        locus("export", what, *words, "--to", place)
    return place


def version(package):
    return f"{package} {importlib.metadata.version(package)}"


def program(name, package, *words):
    """The first line of what a program says of its version."""
    if not shutil.which(name):
        raise Skipped(f"{name} is not installed: apt-get install {package}")
    if not words:
        return name
    done = subprocess.run([name, *words], capture_output=True, text=True)
    return ((done.stdout + done.stderr).strip() or name).splitlines()[0]


def same(found, wanted, what):
    equal = math.isclose(found, wanted, rel_tol=1e-12) if isinstance(wanted, float) else found == wanted
    assert equal, f"{what}: read {found!r}, should be {wanted!r}"


def recall():
    """Recall of an evaluation, as Locus says."""
    return ask("SELECT name, k, recall, ci_low, n FROM length_generalization WHERE name = 'local_evaluated'")


def point():
    return next(row for row in recall() if row["k"] == 2)


# Databases and data frames


def sqlite3_shell():
    said = program("sqlite3", "sqlite3", "--version")
    wanted = point()["recall"]
    found = float(run("sqlite3", DATABASE, "SELECT recall FROM length_generalization"
                      " WHERE name = 'local_evaluated' AND k = 2"))
    same(found, wanted, "recall")
    return f"sqlite3 {said.split()[0]}", f"recall of local_evaluated at K = 2 is {found}"


def datasette():
    from datasette.app import Datasette

    metadata = json.loads((HERE / "metadata.json").read_text())

    async def read():
        site = Datasette([str(DATABASE)], metadata=metadata)
        await site.invoke_startup()
        rows = (await site.client.get("/locus/recall.json?_shape=array")).json()
        page = (await site.client.get("/locus/length_generalization")).text
        front = (await site.client.get("/locus")).text
        return rows, page, front

    rows, page, front = asyncio.run(read())
    wanted = point()["recall"]
    found = next(r["recall"] for r in rows if r["name"] == "local_evaluated" and r["k"] == 2)
    same(found, wanted, "recall")
    notes = metadata["databases"]["locus"]["tables"]["length_generalization"]["columns"]
    assert notes["window_load"] in html.unescape(page), "the note on window_load is not shown"
    for query in metadata["databases"]["locus"]["queries"].values():
        assert query["title"] in html.unescape(front), f"no query {query['title']}"
    return version("datasette"), (f"recall of local_evaluated at K = 2 by the canned query is {found}, notes on"
                                  f" {len(notes)} columns")


def pandas():
    import pandas
    import sqlite3

    store = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True)
    frame = pandas.read_sql("SELECT * FROM length_generalization", store)
    found = float(frame[(frame.name == "local_evaluated") & (frame.k == 2)].recall.iloc[0])
    same(found, point()["recall"], "recall")
    tables = export("tables")
    package = json.loads((tables / "datapackage.json").read_text())
    for resource in package["resources"]:
        kinds = {"integer": "Int64", "number": "float64", "string": "string"}
        fields = {field["name"]: kinds[field["type"]] for field in resource["schema"]["fields"]}
        table = pandas.read_csv(tables / resource["path"], dtype=fields, keep_default_na=False, na_values=[""])
        count = ask(f"SELECT count(*) AS n FROM \"{resource['name']}\"")[0]["n"]
        same((list(table.columns), len(table)), (list(fields), count), resource["path"])
    return version("pandas"), (f"recall of local_evaluated at K = 2 is {found}; {len(package['resources'])} CSV files"
                               " have the columns, types and rows of datapackage.json and the store")


def readme():
    """The figure in README, as it stands."""
    import matplotlib  # noqa: F401
    import pandas  # noqa: F401

    text = (ROOT / "README.md").read_text()
    block = re.search(r"```python\n(.*?)```", text, re.S)[1]
    run(sys.executable, "-c", block)
    drawn = (WORK / "recall.svg").read_text()
    names = {row["name"] for row in ask("SELECT DISTINCT name FROM length_generalization WHERE arm = 'none'")}
    for name in names:
        assert f"<!-- {name} -->" in drawn, f"{name} is not in the figure"
    return version("matplotlib"), f"README's {len(block.splitlines())} lines draw recall of {len(names)} evaluations"


def duckdb():
    import duckdb
    import duckdb_extension_sqlite

    folder = pathlib.Path(duckdb_extension_sqlite.__file__).parent / "extensions" / f"v{duckdb.__version__}"
    library = WORK / "sqlite_scanner.duckdb_extension"
    shutil.copy(next(folder.iterdir()), library)
    connection = duckdb.connect()
    connection.execute(f"LOAD '{library}'")
    connection.execute(f"ATTACH '{DATABASE}' AS locus (TYPE sqlite, READ_ONLY)")
    found = connection.execute("SELECT recall FROM locus.length_generalization"
                               " WHERE name = 'local_evaluated' AND k = 2").fetchone()[0]
    same(found, point()["recall"], "recall")
    return version("duckdb"), f"recall of local_evaluated at K = 2 in the attached store is {found}"


# Arrays, weights, pictures


def numpy():
    import numpy

    folder = export("arrays", "scenes")
    pixels = numpy.load(folder / "pixels.npy")
    cells = numpy.load(folder / "conditioners.npy")
    same((pixels.shape, str(pixels.dtype)), ((200, 16, 16, 3), "uint8"), "pixels")
    clevr = json.loads(next((export("scenes", "scenes") / "scenes").iterdir()).read_text())
    objects = [len(scene["objects"]) for scene in clevr["scenes"]]
    same(cells.reshape(200, -1).sum(1).tolist(), objects, "objects a picture")
    return version("numpy"), f"200 pictures of 16 × 16, {sum(objects)} objects in conditioners and scenes alike"


def safetensors():
    import numpy
    from safetensors import safe_open
    from safetensors.numpy import load_file

    path = export("weights", "local")
    tensors = load_file(path)
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    hash = ask("SELECT json_extract(m.body, '$.weights') AS w FROM stage s JOIN execution_output o USING (execution_id)"
               " JOIN manifest m USING (sha256) WHERE s.name = 'local'")[0]["w"]
    same(hashlib.sha256(path.read_bytes()).hexdigest(), hash, "hash")
    same(metadata["network"], "local", "network")
    assert all(t.dtype == numpy.float32 and numpy.isfinite(t).all() for t in tensors.values())
    return version("safetensors"), (f"{sum(t.size for t in tensors.values())} float32 weights in {len(tensors)} tensors"
                                    " of the hash that the manifest names")


def torch():
    try:
        import torch
    except ImportError:
        raise Skipped("PyTorch is not installed: pip install torch") from None
    import numpy
    from safetensors.torch import load_file

    sys.path.insert(0, str(ROOT / "Tests" / "Reference"))
    weights = load_file(export("weights", "local"))
    import safetensors.numpy
    own = safetensors.numpy.load_file(export("weights", "local"))
    for name, tensor in weights.items():
        assert numpy.array_equal(tensor.numpy(), own[name]), name
    return version("torch"), f"{sum(t.numel() for t in weights.values())} weights, the sums of {len(weights)} tensors"


def pillow():
    import numpy
    from PIL import Image

    pixels = numpy.load(export("arrays", "scenes") / "pixels.npy")
    folder = export("scenes", "scenes")
    clevr = json.loads((folder / "scenes" / "CLEVR_train_scenes.json").read_text())
    for place, scene in enumerate(clevr["scenes"]):
        picture = numpy.asarray(Image.open(folder / "images" / "train" / scene["image_filename"]))
        assert numpy.array_equal(picture, pixels[place]), scene["image_filename"]
    return version("pillow"), f"{len(clevr['scenes'])} exported PNGs have the pixels of pixels.npy"


def pngcheck():
    said = program("pngcheck", "pngcheck", "-h")
    files = [*(export("scenes", "scenes") / "images" / "train").iterdir(), *(WORK / "reports").rglob("*.png")]
    out = run("pngcheck", "-q", *files)
    first = run("pngcheck", files[0])
    assert "16x16, 24-bit RGB" in first and not out.strip(), first + out
    return re.search(r"version [\d.]+", said)[0].replace("version", "pngcheck"), f"{len(files)} PNGs without a fault, the first {first.split('(')[1].split(',')[0]}"


def rsvg():
    said = program("rsvg-convert", "librsvg2-bin", "--version")
    from PIL import Image

    files = sorted((WORK / "reports").rglob("*.svg"))
    assert files
    for file in files:
        width = float(re.search(r'<svg[^>]* width="([\d.]+)', file.read_text())[1])
        picture = WORK / "chart.png"
        run("rsvg-convert", "-o", picture, file)
        drawn = Image.open(picture).convert("RGB")
        same(drawn.width, round(width), f"width of {file.name}")
        assert len(drawn.getcolors(1 << 24)) > 5, f"{file.name} is blank"
    return said.replace(" version", ""), f"{len(files)} charts, drawn as wide as they say and not blank"


def clevr_questions():
    """The part of CLEVR's question generator that asks scenes (question_engine.py): filter, relate, count."""
    clevr = json.loads((export("scenes", "scenes") / "scenes" / "CLEVR_train_scenes.json").read_text())
    pairs = 0
    for scene in clevr["scenes"]:
        same(int(os.path.splitext(scene["image_filename"])[0].split("_")[-1]), scene["image_index"], "index")
        for side, opposite in (("left", "right"), ("front", "behind")):
            for index, others in enumerate(scene["relationships"][side]):
                for other in others:
                    assert index in scene["relationships"][opposite][other], scene["image_filename"]
                    pairs += 1
    red = sum(o["color"] == "red" for s in clevr["scenes"] for o in s["objects"])
    metric = ask("SELECT value FROM metric m JOIN stage s USING (execution_id) WHERE s.name = 'scenes' AND"
                 " m.name = 'objects_mean'")[0]["value"]
    same(sum(len(s["objects"]) for s in clevr["scenes"]) / len(clevr["scenes"]), metric, "objects a picture")
    return "CLEVR's scene format", f"{red} red objects, {pairs} relations and their opposites, {metric} objects a picture"


# Lineage


def prov():
    from prov.model import ProvActivity, ProvDocument, ProvGeneration

    document = ProvDocument.deserialize(str(export("prov", "latest")), format="json")
    executions = ask("SELECT count(*) AS n FROM execution")[0]["n"]
    activities = list(document.get_records(ProvActivity))
    same(len(activities), executions + 1, "activities")
    made = {str(record.args[0]) for record in document.get_records(ProvGeneration)}
    same(len(made), ask("SELECT count(DISTINCT sha256) AS n FROM execution_output")[0]["n"], "generated entities")
    row = ask("SELECT e.id, e.started_at FROM stage s JOIN execution e ON e.id = s.execution_id"
              " WHERE s.name = 'local'")[0]
    activity = document.get_record(f"execution:{row['id']}")[0]
    same(activity.get_startTime().isoformat(timespec="milliseconds")[:23], row["started_at"][:23], "start of local")
    return version("prov"), f"{len(activities)} activities, {len(made)} generated entities, local began {row['started_at']}"


def openlineage():
    from openlineage.client import event_v2, facet_v2
    from openlineage.client.serde import Serde

    facets = {
        "parent": lambda f: facet_v2.parent_run.ParentRunFacet(
            run=facet_v2.parent_run.Run(**f["run"]), job=facet_v2.parent_run.Job(**f["job"])),
        "errorMessage": lambda f: facet_v2.error_message_run.ErrorMessageRunFacet(**f),
        "processing_engine": lambda f: facet_v2.processing_engine_run.ProcessingEngineRunFacet(**f),
        "jobType": lambda f: facet_v2.job_type_job.JobTypeJobFacet(**f),
        "sourceCode": lambda f: facet_v2.source_code_job.SourceCodeJobFacet(**f),
        "dataSource": lambda f: facet_v2.datasource_dataset.DatasourceDatasetFacet(**f),
        "version": lambda f: facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet(**f),
        "schema": lambda f: facet_v2.schema_dataset.SchemaDatasetFacet(
            fields=[facet_v2.schema_dataset.SchemaDatasetFacetFields(**field) for field in f["fields"]]),
    }

    def rebuilt(found):
        """As the client makes it, whose validators look at every member."""
        made = {}
        for name, facet in found.items():
            plain = {key: value for key, value in facet.items() if not key.startswith("_")}
            made[name] = facets[name](plain)
            same(facet["_schemaURL"], made[name]._get_schema(), f"schema of {name}")
        return made

    def again(event):
        datasets = {
            key: [kind(namespace=d["namespace"], name=d["name"], facets=rebuilt(d["facets"])) for d in event[key]]
            for key, kind in (("inputs", event_v2.InputDataset), ("outputs", event_v2.OutputDataset))}
        return event_v2.RunEvent(
            eventType=event_v2.RunState[event["eventType"]], eventTime=event["eventTime"],
            run=event_v2.Run(runId=event["run"]["runId"], facets=rebuilt(event["run"]["facets"])),
            job=event_v2.Job(namespace=event["job"]["namespace"], name=event["job"]["name"],
                             facets=rebuilt(event["job"]["facets"])),
            producer=event["producer"], **datasets)

    lines = export("openlineage", "latest").read_text().splitlines()
    states, fields = {}, 0
    for line in lines:
        event = json.loads(line)
        made = again(event)
        told = json.loads(Serde.to_json(made))
        same(told["schemaURL"], event["schemaURL"], "schema")
        same(told["job"]["name"], event["job"]["name"], "job")
        same([d["name"] for d in told.get("outputs", [])], [d["name"] for d in event["outputs"]], "outputs")
        states.setdefault(event["run"]["runId"], []).append(event["eventType"])
        fields += sum(len(d["facets"]["schema"]["fields"]) for d in event["outputs"])
    assert all(found == ["START", "COMPLETE"] for found in states.values()), states
    executions = ask("SELECT count(*) AS n FROM execution")[0]["n"]
    same(len(states), executions + 1, "runs")
    return version("openlineage-python"), f"{len(lines)} events of {len(states)} runs, each START then COMPLETE, {fields} fields"


def mlflow():
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=export("mlflow", "latest").as_uri())
    experiment = client.get_experiment_by_name("tiny")
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    same(len(runs), ask("SELECT count(*) AS n FROM stage")[0]["n"] + 1, "runs")
    local = next(run for run in runs if run.info.run_name == "local")
    same(local.data.params["network.width"], "8", "network.width")
    curve = client.get_metric_history(local.info.run_id, "loss")
    wanted = ask("SELECT pictures, loss FROM training_curve WHERE name = 'local' ORDER BY pictures")
    same([(p.step, p.value) for p in sorted(curve, key=lambda p: p.step)],
         [(row["pictures"], row["loss"]) for row in wanted], "curve of local")
    files = [f.path for f in client.list_artifacts(local.info.run_id)]
    assert "weights.safetensors" in files, files
    row = point()
    evaluated = next(run for run in runs if run.info.run_name == "local_evaluated")
    names = [name for name in evaluated.data.metrics if re.fullmatch(r"recall\.k_2\.seed_\d+", name)]
    same(evaluated.data.metrics[names[0]], row["recall"], "recall")
    return version("mlflow-skinny"), (f"loss of local in {len(curve)} steps from {curve[0].value} on, recall at K = 2"
                                      f" {row['recall']}, {len(runs)} runs")


def rocrate():
    from rocrate.rocrate import ROCrate

    folder = export("rocrate", "latest")
    crate = ROCrate(str(folder))
    same(crate.mainEntity.id, "pipeline.json5", "main entity")
    actions = crate.get_by_type("CreateAction")
    same(len(actions), ask("SELECT count(*) AS n FROM execution")[0]["n"] + 1, "actions")
    checked = 0
    for file in crate.get_by_type("File"):
        path = folder / file.id
        if path.exists():
            same(hashlib.sha256(path.read_bytes()).hexdigest(), file["sha256"], file.id)
            checked += 1
    return version("rocrate"), f"{len(actions)} actions, {checked} files of the hashes that it names"


def roc_validator():
    from rocrate_validator import models, services

    try:
        result = services.validate(services.ValidationSettings(
            rocrate_uri=str(export("rocrate", "latest")), profile_identifier="provenance-run-crate",
            requirement_severity=models.Severity.REQUIRED))
    except Exception as error:
        if "URLError" in str(error):
            raise Skipped("w3id.org, where the crate's JSON-LD context lies, cannot be reached") from None
        raise
    issues = [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues()]
    assert not issues, "\n".join(issues[:10])
    return version("roc-validator"), "provenance-run-crate: no requirement is violated"


# Reports


def cmark():
    import cmarkgfm

    text = next((WORK / "reports").rglob("latest.md")).read_text()
    page = cmarkgfm.github_flavored_markdown_to_html(text)
    tables = len(re.findall(r"^\|(?: *:?-{3,}:? *\|)+$", text, re.M))
    same(page.count("<table>"), tables, "tables")
    assert "<h1>" in page and "language-mermaid" in page or 'lang="mermaid"' in page
    return version("cmarkgfm"), f"the report has {tables} tables and its lineage as a Mermaid block"


def chromium():
    name = next((n for n in ("chromium", "chromium-browser", "google-chrome") if shutil.which(n)), None)
    if not name:
        raise Skipped("no Chromium is installed: apt-get install chromium")
    from PIL import Image

    page = WORK / "report.html"
    locus("report", "--format", "html", "--output", page, "--reports", WORK / "reports")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    widths = []
    for width in (1280, 400):
        picture = WORK / f"report-{width}.png"
        run(name, *flags, f"--window-size={width},1600", f"--screenshot={picture}", page.as_uri())
        drawn = Image.open(picture).convert("RGB")
        assert len(drawn.getcolors(1 << 24) or [0] * 9) > 8, f"blank at {width} px"
        widths.append(drawn.width)
    return run(name, "--version").strip(), f"the report drawn {widths[0]} and {widths[1]} px wide, not blank"


# The system


def schedule():
    return json.loads(locus("schedule", ROOT / "Pipelines" / "tiny.json5", "--every", "6h", "--json"))


def systemd():
    said = program("systemd-analyze", "systemd", "--version")
    made = schedule()
    for unit in ("service", "timer"):
        (WORK / made[f"{unit}_name"]).write_text(made[unit])
    run("systemd-analyze", "verify", made["service_name"], made["timer_name"])
    calendar = re.search(r"OnCalendar=(.*)", made["timer"])[1]
    text = run("systemd-analyze", "calendar", calendar)
    return " ".join(said.split()[:2]), f"{made['timer_name']} runs {re.search(r'Normalized form: (.*)', text)[1]}"


def cron():
    program("crontab", "cron")
    line = locus("schedule", ROOT / "Pipelines" / "tiny.json5", "--every", "6h", "--format", "crontab")
    (WORK / "tab").write_text(line)
    run("crontab", "-n", WORK / "tab")
    when = " ".join(line.split()[:5])
    said = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "cron"], capture_output=True, text=True).stdout
    return f"cron {said}", f"accepts a line for `{when}`"


def mandoc():
    program("mandoc", "mandoc")
    page = WORK / "locus.1"
    page.write_text(locus("man"))
    out = run("mandoc", "-T", "lint", "-W", "warning", page)
    assert not out.strip(), out
    text = re.sub(r".\x08", "", run("mandoc", "-T", "utf8", page))
    assert "locus export" in text.replace("\n", " ") or "export WHAT" in text
    said = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "mandoc"], capture_output=True, text=True).stdout
    return f"mandoc {said}", f"no warning in {len(page.read_text().splitlines())} lines, `export` is in the page"


def completions(shell):
    path = WORK / f"locus.{shell}"
    path.write_text(locus("completions", shell))
    run(shell, "-n", path)
    return path


def bash():
    said = program("bash", "bash", "--version")
    path = completions("bash")
    out = run("bash", "--norc", "-c", f"source {path}; COMP_WORDS=(locus export open); COMP_CWORD=2; _locus;"
              ' echo "${COMPREPLY[@]}"')
    same(out.strip(), "openlineage", "completion")
    return re.search(r"bash, version [\d.]+", said)[0].replace(", version", ""), "`locus export open` becomes openlineage"


def zsh():
    said = program("zsh", "zsh", "--version")
    path = completions("zsh")
    out = run("zsh", "-f", "-c", f"autoload -U compinit; compinit -u -D; source {path};"
              ' _arguments() { print -r -- "$@"; zmodload zsh/zutil; };'
              " words=(locus export x); CURRENT=3; _locus")
    assert "openlineage" in out and "--to" in out, out
    return " ".join(said.split()[:2]), "`locus export` offers openlineage and --to"


def fish():
    said = program("fish", "fish", "--version")
    path = completions("fish")
    out = run("fish", "--no-config", "-c", f"source {path}; complete -C 'locus export open'")
    same(out.split()[0], "openlineage", "completion")
    return said.replace(", version", ""), "`locus export open` becomes openlineage"


READERS = [
    sqlite3_shell, datasette, pandas, readme, duckdb, numpy, safetensors, torch, pillow, pngcheck, rsvg,
    clevr_questions, prov, openlineage, mlflow, rocrate, roc_validator, cmark, chromium, systemd, cron, mandoc,
    bash, zsh, fish,
]


def main():
    WORK.mkdir(parents=True)
    locus("run", ROOT / "Pipelines" / "tiny.json5", "--quiet")
    failed = 0
    for reader in READERS:
        try:
            said, value = reader()
            print(f"read     {said}: {value}", flush=True)
        except Skipped as reason:
            print(f"skipped  {reader.__name__}: {reason}", flush=True)
        except ImportError as error:
            print(f"skipped  {reader.__name__}: {error}; Tests/Foreign/install installs it", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAILED   {reader.__name__}: {error}", flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exc()
    sys.exit(1 if failed else 0)


main()
