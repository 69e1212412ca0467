"""Reads every view of a store with DuckDB, pandas and polars, and holds what they see against SQLite.

Usage: read_store.py DATABASE < asked.json, where asked.json is
{"views": {view: {column: INTEGER|REAL|TEXT}}, "queries": [SQL]}: what the views shall be, and what DuckDB
shall answer too. Prints a line for each difference, then how DuckDB came to the views; exits with 1 after a
difference.

DuckDB attaches the file itself where its SQLite extension is installed (it comes over the network, or from
PyPI as duckdb-extension-sqlite). In any case the base tables are also copied into it and the views made
there from their very text.
"""

import glob
import importlib.util
import json
import math
import os
import shutil
import sqlite3
import sys
import tempfile

import duckdb
import pandas
import polars

database = sys.argv[1]
asked = json.load(sys.stdin)
store = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
problems = []
DUCK = {"INTEGER": "BIGINT", "REAL": "DOUBLE", "TEXT": "VARCHAR"}
PYTHON = {"INTEGER": int, "REAL": float, "TEXT": str}
PANDAS = {"INTEGER": "i", "REAL": "f", "TEXT": "OTU"}
POLARS = {"INTEGER": polars.Int64, "REAL": polars.Float64, "TEXT": polars.String}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def extension():
    """Loads DuckDB's SQLite extension without the network; None where there is none."""
    connection = duckdb.connect()
    try:
        connection.execute("LOAD sqlite")
        return connection
    except duckdb.Error:
        pass
    found = importlib.util.find_spec("duckdb_extension_sqlite")
    files = found and glob.glob(
        os.path.join(os.path.dirname(found.origin), "extensions", f"v{duckdb.__version__}", "*"))
    if not files:
        return None
    with tempfile.TemporaryDirectory() as folder:
        # The name decides which function of the library is called.
        path = os.path.join(folder, "sqlite_scanner.duckdb_extension")
        shutil.copy(files[0], path)
        connection.execute(f"LOAD '{path}'")
    return connection


def attached():
    connection = extension()
    if connection:
        path = database.replace("'", "''")
        connection.execute(f"ATTACH '{path}' AS locus (TYPE sqlite, READ_ONLY)")
        connection.execute("USE locus")
    return connection


def copied():
    connection = duckdb.connect()
    for name, in store.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        declared = store.execute("SELECT name, type FROM pragma_table_info(?)", (name,)).fetchall()
        connection.execute(
            f"CREATE TABLE {quoted(name)} ("
            + ", ".join(f"{quoted(column)} {DUCK[kind]}" for column, kind in declared) + ")")
        rows = store.execute(f"SELECT * FROM {quoted(name)}").fetchall()
        if rows:
            frame = pandas.DataFrame(
                {column: pandas.Series([row[at] for row in rows], dtype=object)
                 for at, (column, _) in enumerate(declared)})
            connection.register("frame", frame)
            connection.execute(f"INSERT INTO {quoted(name)} SELECT * FROM frame")
            connection.unregister("frame")
    for sql, in store.execute("SELECT sql FROM sqlite_schema WHERE type = 'view' ORDER BY rowid"):
        connection.execute(sql)
    return connection


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-300)
    return a == b


def key(row):
    return [(value is not None, str(type(value)), value if value is not None else 0)
            for value in row]


def rows_differ(mine, others):
    if len(mine) != len(others):
        return f"{len(others)} rows, {len(mine)} in SQLite"
    for own, other in zip(sorted(mine, key=key), sorted(others, key=key)):
        if not all(map(same, own, other)):
            return f"{other}, in SQLite {own}"
    return None


def hold(view, reader, names, types, kinds):
    if names != list(kinds):
        problems.append(f"{view}: {reader} sees columns {names}, not {list(kinds)}")
    for name, found, wanted in types:
        if found != wanted:
            problems.append(f"{view}.{name}: {reader} sees {found}, not {wanted}")


ducks = {"DuckDB": copied()}
direct = attached()
if direct:
    ducks["DuckDB, attached"] = direct

for view, kinds in asked["views"].items():
    sql = f"SELECT * FROM {quoted(view)}"
    cursor = store.execute(sql)
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    present = {name for at, name in enumerate(names) if any(row[at] is not None for row in rows)}
    hold(view, "sqlite3", names, [
        (name, type(row[at]).__name__, PYTHON[kinds[name]].__name__)
        for row in rows for at, name in enumerate(names)
        if row[at] is not None and name in kinds and type(row[at]) is not PYTHON[kinds[name]]], kinds)
    for reader, connection in ducks.items():
        found = connection.execute(sql)
        described = [(column[0], str(column[1])) for column in found.description]
        # Typed, with rows or without.
        hold(view, reader, [name for name, _ in described],
             [(name, kind, DUCK.get(kinds.get(name))) for name, kind in described], kinds)
        difference = rows_differ(rows, found.fetchall())
        if difference:
            problems.append(f"{view}: {reader} reads {difference}")
    frame = pandas.read_sql(sql, store)
    hold(view, "pandas", list(frame.columns), [
        (name, frame[name].dtype.kind, kind) for name, kind in kinds.items()
        # An integer column with a NULL is one of floats there.
        if name in present and not frame[name].isna().any()
        for kind in PANDAS[kinds[name]] if frame[name].dtype.kind not in PANDAS[kinds[name]]], kinds)
    if len(frame) != len(rows):
        problems.append(f"{view}: pandas reads {len(frame)} rows, not {len(rows)}")
    frame = polars.read_database(sql, store, infer_schema_length=None)
    hold(view, "polars", frame.columns, [
        (name, frame.schema[name], POLARS[kind]) for name, kind in kinds.items() if name in present],
        kinds)
    if frame.height != len(rows):
        problems.append(f"{view}: polars reads {frame.height} rows, not {len(rows)}")
    print(f"{view}: {len(rows)} rows")

for sql in asked["queries"]:
    for reader, connection in ducks.items():
        try:
            connection.execute(sql).fetchall()
        except duckdb.Error as error:
            problems.append(f"{reader}: {sql}: {error}")

print("\n".join(problems))
print(f"read by DuckDB {duckdb.__version__} ({'attached and' if direct else 'not attached, but'} copied), "
      f"pandas {pandas.__version__}, polars {polars.__version__}")
sys.exit(1 if problems else 0)
