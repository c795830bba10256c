# SPDX-License-Identifier: ISC
"""Many routes, put into a store by SQL."""

import sqlite3
import time

HOSTS, SERVICES = 1000, 100


def host(i):
    return f"h{i % HOSTS}.example"


def prefix(i):
    return f"/tenant/{i}"


def fill(path, url, count, strip_prefix=1):
    """Puts routes into a store that sluice made before."""
    store = sqlite3.connect(path)
    store.execute("PRAGMA synchronous = OFF")

    def insert(table, rows):
        rows = list(rows)
        names = ", ".join(rows[0])
        marks = ", ".join("?" * len(rows[0]))
        store.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",
            (tuple(row.values()) for row in rows))

    now = int(time.time() * 1000)
    times = dict(created_at=now, updated_at=now, version=1)
    with store:
        store.execute("UPDATE generation SET value = 1")
        insert("service", (dict(
            name=f"service-{i}", origin="api", policy="round_robin",
            hash_header="", connect_timeout_ms=0, response_timeout_ms=0,
            queue_timeout_ms=0, retries=1, probe_kind="connect",
            probe_interval_ms=0, probe_timeout_ms=0, probe_rise=0,
            probe_fall=0, probe_status_min=200, probe_status_max=399,
            probe_path="/", probe_host="", **times)
            for i in range(SERVICES)))
        insert("backend", (dict(
            origin="api", service=f"service-{i}", url=url, weight=1,
            max_connections=0, **times) for i in range(SERVICES)))
        insert("route", (dict(
            id=i + 1, origin="api", label="",
            domains=f'["{host(i)}"]', prefixes=f'["{prefix(i)}"]',
            priority=0, strip_prefix=strip_prefix, is_shared=0, host_rewrite="",
            max_body_bytes=0, headers="[]", **times) for i in range(count)))
        insert("route_target", (dict(
            route=i + 1, position=0, service=f"service-{i % SERVICES}",
            weight=1) for i in range(count)))
    store.close()


def fill_postgres(cluster, url, backend_url, count, services=SERVICES):
    """The same, in a database that is migrated, with the history of it."""
    times = "now(), now(), 1"
    cluster.psql(url.rsplit("/", 1)[1], f"""
        SET session_replication_role = replica;  -- no look at each key
        UPDATE generation SET value = 1;
        INSERT INTO service (name, origin, policy, hash_header,
            connect_timeout_ms, response_timeout_ms, queue_timeout_ms,
            retries, probe_kind, probe_interval_ms, probe_timeout_ms,
            probe_rise, probe_fall, probe_status_min, probe_status_max,
            probe_path, probe_host, created_at, updated_at, version)
        SELECT 'service-' || i, 'api', 'round_robin', '', 0, 0, 0, 1,
            'connect', 0, 0, 0, 0, 200, 399, '/', '', {times}
        FROM generate_series(0, {services - 1}) AS i;
        INSERT INTO backend (origin, service, url, weight, max_connections,
            created_at, updated_at, version)
        SELECT 'api', 'service-' || i, '{backend_url}', 1, 0, {times}
        FROM generate_series(0, {services - 1}) AS i;
        INSERT INTO route (origin, label, domains, prefixes, priority,
            strip_prefix, is_shared, host_rewrite, max_body_bytes, headers,
            created_at, updated_at, version)
        SELECT 'api', '', ARRAY['h' || i % {HOSTS} || '.example'],
            ARRAY['/tenant/' || i], 0, true, false, '', 0, '[]', {times}
        FROM generate_series(0, {count - 1}) AS i;
        INSERT INTO route_target (route, position, service, weight)
        SELECT i + 1, 0, 'service-' || i % {services}, 1
        FROM generate_series(0, {count - 1}) AS i;
        INSERT INTO change (generation, seq, at, who, from_addr, channel,
            request_id, kind, key, action, after)
        SELECT 1, i, now(), 'bulk', 'unix', 'api', '', 'route', i, 'create',
            '{{}}' FROM generate_series(1, {count}) AS i;
        ANALYZE""")
