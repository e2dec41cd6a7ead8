"""What sqlglot needs for the statements that `sql-bench list` prints on standard input.

Prints set, way, statements/s, MB/s, statements, passed: one line a set and way, as `sql-bench run`.
Process CPU time, one thread, the median of ROUNDS. `qualify` is given trees that are parsed already,
copied outside the measured time.
"""
import json
import logging
import statistics
import sys
import time

import sqlglot
from sqlglot.optimizer.qualify import qualify

ROUNDS = 3
logging.disable(logging.CRITICAL)


def parse(sql):
    return sqlglot.parse_one(sql, read="hive")


def measure(statements, run, prepare):
    """Seconds of one pass, and how many statements passed."""
    rounds = []
    for _ in range(ROUNDS):
        spent, passed = 0, 0
        for statement in statements:
            given = prepare(statement)
            began = time.process_time_ns()
            try:
                run(given, statement)
                passed += 1
            except Exception:  # a refusal takes time, too
                pass
            spent += time.process_time_ns() - began
        rounds.append(spent / 1e9)
    return statistics.median(rounds), passed


def tell(name, how, statements, outcome):
    seconds, passed = outcome
    n, size = len(statements), sum(len(s["sql"].encode()) for s in statements)
    print(name, how, f"{n / seconds:.0f}", f"{size / seconds / 1e6:.2f}", n, passed, sep="\t")


def main():
    schemas, sets = {}, {}
    for line in sys.stdin:
        row = json.loads(line)
        if "tables" in row:
            schemas[row["schema"]] = {t: {c: "string" for c in columns} for t, columns in row["tables"].items()}
        else:
            sets.setdefault(row["set"], []).append(row)
    print(f"version\tsqlglot {sqlglot.__version__}")
    for name, statements in sets.items():
        tell(name, "parse", statements, measure(statements, lambda sql, _: parse(sql), lambda s: s["sql"]))
        if "schema" not in statements[0]:
            continue
        trees = []
        for statement in statements:
            try:
                trees.append({"tree": parse(statement["sql"]), **statement})
            except Exception:  # what it cannot parse it cannot qualify
                pass
        outcome = measure(
            trees,
            lambda tree, s: qualify(tree, schema=schemas[s["schema"]], dialect="hive"),
            lambda s: s["tree"].copy())
        tell(name, "qualify", trees, outcome)


main()
