# SPDX-License-Identifier: ISC
"""Every query of the PostgreSQL store, as the planner sees it at a million
routes; and what administrators of databases look for in a schema."""

import json
import pathlib
import re

import pytest

from harness.bulk import fill_postgres
from harness.sluice import Sluice

QUERIES = pathlib.Path(__file__).parents[2] / "sql/postgres/queries.sql"
COUNT = 1_000_000
BIG = {"service", "backend", "route", "route_target", "change", "note",
       "spool_played"}

SERVICE = ["'service-7'", "'api'", "'round_robin'", "''", *["0"] * 3, "1",
           "'connect'", *["0"] * 4, "200", "399", "'/'", "''", "1", "1", "2",
           *["0"] * 4, "'{}'"]
BACKEND = ["7", "'api'", "'service-7'", "'http://b'", "1", "0", "1", "1",
           "2", "'{}'"]
ROUTE = ["7", "'api'", "''", "'[]'", "'[\"/\"]'", "0", "true", "false", "''",
         "0", "'[]'", "1", "1", "2", "0", "0", "false", "'{}'",
         "false", "false"]
CHANGE = ["2", "1", "1", "'w'", "'f'", "'c'", "'r'", "'route'", "'7'",
          "'update'", "'{}'", "'{}'", "''"]
PAGE = ["0", "2", "NULL", "100", "1000", "1000"]

# The real parameters of each; what takes none is not listed.
PARAMETERS = {
    "set_up": ["'5000'"], "set_up_locally": ["'5000'"], "set_up_locally": ["'5000'"],
    "insert_schema_version": ["99", "'x'", "1"],
    "allocate_backend_ids": ["1", "0"], "allocate_route_ids": ["1", "0"],
    "insert_service": SERVICE, "update_service": SERVICE + ["1"],
    "delete_service": ["'service-7'", "1"],
    "insert_backend": BACKEND, "update_backend": BACKEND + ["1"],
    "delete_backend": ["7", "1"],
    "insert_route": ROUTE, "update_route": ROUTE + ["1"],
    "delete_route": ["7", "1"],
    "insert_route_targets": ["7", "'[[\"service-7\", 1]]'"],
    "delete_route_targets": ["7"],
    "insert_change": CHANGE, "insert_event": CHANGE[2:],
    "select_services": ["'service-7'", "1000"],
    "select_backends": ["7", "1000"], "select_routes": ["500000", "1000"],
    "select_changes": PAGE, "select_changes_newest": PAGE,
    "select_changes_of": PAGE + ["'7'"],
    "select_changes_of_newest": PAGE + ["'7'"],
    "select_change_time": ["2"],
    "move_horizon": ["2", "1000", "0", "0"],
    "put_note": ["'staged'", "'k'", "7", "'{}'"],
    "delete_note": ["'staged'", "'k'", "7"],
    "delete_notes": ["'staged'", "'k'"],
    "hold_session": ["'k'", "'i'"], "select_notes_since": ["49990"],
    "select_notes_of": ["'k7'"], "select_change_time": ["7"],
    "insert_backends": ["NULL"] * len(BACKEND), "insert_routes": ["NULL"] * len(ROUTE),
    "insert_targets_of": ["NULL"] * 2, "insert_changes": ["NULL"] * len(CHANGE),
    "select_columns": ["'route'"], "select_last_id": ["'route'"],
    "forget_last_id": ["'route'"], "put_last_id": ["'route'", "7"],
    "notify": ["'7'"], "count_news": ["1", "1000"],
    "select_services_since": ["1"], "select_backends_since": ["1"],
    "select_routes_since": ["1"], "select_gone_since": ["1"],
    "put_instance": ["'i'", "'r'", "'h'", "'v'", "1", "1", "1000", "0"],
    "delete_instance": ["'i'", "'r'"], "notify_instances": ["'7'"],
}
# Planned: all others have no plan, or are scripts.
PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
# How much is behind the horizon the planner cannot know.
WHOLE = {"measure_history", "delete_changes"}
# A page of routes, each with its targets, costs 9,000; a big table whole, by
# whatever index, 25,000 and more.
COST_MAX = 12_000


def queries():
    found = {}
    for part in QUERIES.read_text().split("-- name: ")[1:]:
        name, sql = part.split("\n", 1)
        lines = [line for line in sql.splitlines()
                 if not line.startswith("--")]
        found[name] = "\n".join(lines).strip()
    return found


def nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


@pytest.fixture(scope="module")
def filled(cluster, tmp_path_factory):
    url = cluster.create_database()
    proxy = Sluice(tmp_path_factory.mktemp("plans"), environment={
        "DB_DRIVER": "postgres", "DATABASE_URL": url})
    proxy.store_ctl("migrate", "up")
    fill_postgres(cluster, url, "http://127.0.0.1:1", COUNT, 20_000)
    name = url.rsplit("/", 1)[1]
    # The newest of many generations is what is asked for mostly.
    cluster.psql(name, """
        UPDATE change SET generation = seq WHERE seq < 0;
        INSERT INTO change (generation, seq, at, who, from_addr, channel,
            request_id, kind, key, action)
        SELECT i, 1, now(), 'w', 'unix', 'api', '', 'route', i, 'delete'
        FROM generate_series(2, 20000) AS i;
        UPDATE generation SET value = 20000;
        INSERT INTO note SELECT 'staged', 'k' || i / 10, i, '{}', i
        FROM generate_series(1, 50000) AS i;
        ANALYZE""")
    yield name


def statements():
    """{name: (sql, parameters)}; of what is not listed above, whatever the
    parameters may be: None."""
    asked = {}
    for name, sql in queries().items():
        marks = {int(mark) for mark in re.findall(r"\$(\d+)", sql)}
        parameters = PARAMETERS.get(name, None if marks else [])
        if parameters is None:
            asked[name] = sql, None
            continue
        assert marks == set(range(1, len(parameters) + 1)), name
        if sql.startswith(PLANNED):
            asked[name] = sql, parameters
    return asked


def call_of(name, sql, parameters):
    """EXECUTE, by a plan for these parameters, or for any."""
    mode = "custom"
    if parameters is None:
        mode = "generic"
        count = max(map(int, re.findall(r"\$(\d+)", sql)))
        parameters = ["NULL"] * count
    call = f"({', '.join(parameters)})" if parameters else ""
    return [f"SET plan_cache_mode = force_{mode}_plan;",
            f"PREPARE {name}_ AS {sql};",
            f"EXPLAIN (FORMAT JSON) EXECUTE {name}_{call};"]


def explain(cluster, database, statements):
    """{name: plan} of {name: (sql, parameters)}, as sluice asks."""
    set_up = queries()["set_up"].replace("$1", "'0'")
    script = [set_up + ";"]
    for name, (sql, parameters) in statements.items():
        script += call_of(name, sql, parameters)
    text = cluster.run(
        "psql", "-h", cluster.home, "-p", cluster.port, "-U", "sluice",
        "-AtX", "-v", "ON_ERROR_STOP=1", "-c", "\n".join(script),
        database).stdout
    plans = json.JSONDecoder()
    found, at = [], text.index("[\n")
    while at != -1:
        plan, end = plans.raw_decode(text, at)
        found.append(plan[0]["Plan"])
        at = text.find("[\n", end)
    assert len(found) == len(statements)
    return dict(zip(statements, found))


@pytest.mark.timeout(300)
def test_no_query_reads_a_big_table_whole(cluster, filled):
    asked = statements()
    assert WHOLE | PARAMETERS.keys() <= asked.keys()
    # When something goes that others may lean on, they are looked for.
    for table, column, value in [("backend", "service", "'service-7'"),
                                 ("route_target", "service", "'service-7'"),
                                 ("route_target", "route", "7")]:
        asked[f"leaning_{table}_{column}"] = (
            f"SELECT 1 FROM ONLY {table} WHERE {column} = {value} "
            "FOR KEY SHARE", [])
    # A follower is near the end.
    for name in ("count_news", "select_services_since", "select_gone_since",
                 "select_backends_since", "select_routes_since"):
        asked[name] = asked[name][0], ["19990"] + asked[name][1][1:]
    del asked["select_notes"]           # reads all, once, at the start
    for name, plan in explain(cluster, filled, asked).items():
        seen = [(node["Node Type"], node.get("Relation Name"))
                for node in nodes(plan)]
        text = json.dumps(plan, indent=1)
        assert not [1 for kind, table in seen
                    if kind == "Seq Scan" and table in BIG], (name, text)
        # A scan that is told to be avoided costs ten milliards more.
        cost = plan["Total Cost"] % 1e10
        assert name in WHOLE or asked[name][1] is None or \
            cost < COST_MAX, (name, text)


def test_every_index_serves_a_query(cluster, filled):
    """Or a constraint, which needs it whether it is asked or not."""
    asked = statements()
    asked["leaning_backend"] = (
        "SELECT 1 FROM ONLY backend WHERE service = 'service-7'", [])
    asked["leaning_target"] = (
        "SELECT 1 FROM ONLY route_target WHERE service = 'service-7'", [])
    used = {node.get("Index Name")
            for plan in explain(cluster, filled, asked).values()
            for node in nodes(plan)}
    texts = " ".join(sql for sql, _ in asked.values())
    free = cluster.psql(filled, """
        SELECT i.indrelid::regclass || ' ' || i.indexrelid::regclass
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
        WHERE c.relnamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT 1 FROM pg_constraint
            WHERE conindid = i.indexrelid AND contype IN ('p', 'u'))
        """).splitlines()
    free = {index for table, index in map(str.split, free)
            if table in texts}
    assert free and free <= used, free - used


def test_everything_is_commented_and_checked(cluster, filled):
    without = cluster.psql(filled, """
        SELECT c.relname || coalesce('.' || a.attname, '')
        FROM pg_class AS c LEFT JOIN pg_attribute AS a
            ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
            AND (obj_description(c.oid, 'pg_class') IS NULL OR
                col_description(c.oid, a.attnum) IS NULL)""")
    assert without == ""
    # No null where none is meant, no time without its zone.
    odd = cluster.psql(filled, """
        SELECT c.relname || '.' || a.attname FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
            AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
            AND (NOT a.attnotnull OR a.atttypid IN (
                'timestamp'::regtype, 'json'::regtype,
                'varchar'::regtype))""").split()
    assert set(odd) == {"change.before", "change.after"}
    keyless = cluster.psql(filled, """
        SELECT relname FROM pg_class AS c
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            AND NOT EXISTS (SELECT 1 FROM pg_constraint
                WHERE conrelid = c.oid AND contype = 'p')""")
    assert keyless == ""
