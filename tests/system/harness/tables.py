# SPDX-License-Identifier: ISC
"""All that a store's tables hold, for tests that compare."""

import json
import sqlite3

JSON = {"headers", "condition", "before", "after"}
TIMES = {"created_at", "updated_at", "at"}
# What is of the running sluices, of the database itself, or of a replica.
APART = {"schema_version", "instance", "sqlite_sequence", "identity",
         "spool_played", "spool", "replica"}


def plain(column, value):
    """JSON by what it says: jsonb keeps no order of members."""
    if column in JSON and value is not None:
        return json.dumps(json.loads(value), sort_keys=True)
    return value


class SqliteTables:
    def __init__(self, path):
        self.path = path

    def run(self, sql):
        store = sqlite3.connect(self.path)
        try:
            cursor = store.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return names, cursor.fetchall()
        finally:
            store.close()

    def names(self):
        rows = self.run("SELECT name FROM sqlite_master "
                        "WHERE type = 'table' ORDER BY name")[1]
        return {row[0] for row in rows}

    def dump(self, exact=False):
        """{table: (columns, sorted rows)}."""
        tables = {}
        for table in sorted(self.names() - APART):
            names, rows = self.run(f"SELECT * FROM {table}")
            tables[table] = names, sorted((
                tuple(value if exact else plain(name, value)
                      for name, value in zip(names, row))
                for row in rows), key=repr)
        return tables

    def last_ids(self):
        return dict(self.run("SELECT name, seq FROM sqlite_sequence")[1])


class PostgresTables:
    def __init__(self, cluster, url):
        self.cluster, self.database = cluster, url.rsplit("/", 1)[1]

    def run(self, sql):
        return self.cluster.psql(self.database, sql)

    def names(self):
        return set(self.run(
            "SELECT tablename FROM pg_tables WHERE "
            "schemaname = 'public'").split())

    def things(self):
        """Everything that is in the database's own schema."""
        return self.run(
            "SELECT relname FROM pg_class WHERE relnamespace = "
            "'public'::regnamespace UNION ALL SELECT typname FROM pg_type "
            "WHERE typnamespace = 'public'::regnamespace UNION ALL "
            "SELECT proname FROM pg_proc WHERE pronamespace = "
            "'public'::regnamespace")

    def dump(self):
        tables = {}
        for table in sorted(self.names() - APART):
            names = self.run(
                "SELECT attname FROM pg_attribute WHERE attrelid = "
                f"'{table}'::regclass AND attnum > 0 AND NOT attisdropped "
                "ORDER BY attnum").split()
            rows = self.run(f"SELECT to_jsonb(t) FROM {table} AS t")
            tables[table] = names, sorted(
                (tuple(json.dumps(json.loads(row)[name], sort_keys=True)
                       for name in names)
                 for row in rows.splitlines()), key=repr)
        return tables
