# SPDX-License-Identifier: ISC
"""All services and routes as one document, out and in."""

import json

import pytest


@pytest.fixture(params=["sqlite", "postgres"])
def environment(request):
    if request.param == "sqlite":
        return {}
    return {"DB_DRIVER": "postgres",
            "DATABASE_URL": request.getfixturevalue("database")}


def fill(proxy):
    for i in (3, 1, 2):
        proxy.register(f"s{i}", f"http://127.0.0.1:{i}", f"/p{i}", "/all",
                       health_path="/h")
    proxy.post("/v1/services", {"name": "b \"q\"", "policy": "hash_header",
                                "hash_header": "x-user", "probe": {
                                    "kind": "http", "path": "/ok"}})
    for port in (12, 11):
        assert proxy.post("/v1/services/b%20%22q%22/backends", {
            "url": f"http://127.0.0.1:{port}", "weight": port}).status == 201
    assert proxy.post("/v1/routes", {
        "domains": ["b.test", "a.test"], "prefixes": ["/y", "/x"],
        "targets": [{"service": "b \"q\"", "weight": 3},
                    {"service": "s1", "weight": 1}],
        "priority": 7, "headers": [
            {"op": "set", "of": "request", "name": "x-a", "value": "1"}],
    }).status == 201


def test_an_export_imports_as_the_same_export(sluice, environment, tmp_path):
    one, two = sluice(environment=environment), sluice(name="b")
    fill(one)
    text = one.ctl("export").stdout
    assert json.loads(text)["services"][0]["name"] == "b \"q\""
    for volatile in ("version", "created_at", "updated_at", '"id"'):
        assert volatile not in text
    file = tmp_path / "document.json"
    file.write_text(text)
    assert "removed" in two.ctl("import", str(file)).stdout
    assert two.ctl("export").stdout == text
    assert two.get("/v1/services").json["generation"] == 1
    # Again, and onto itself: nothing is to do.
    for proxy in (one, two):
        before = proxy.get("/v1/services").json["generation"]
        for query in ("", "?replace=true"):
            answer = proxy.post("/v1/import" + query, text.encode())
            assert answer.status == 200, answer
            assert answer.json == {"generation": before, "created": 0,
                                   "updated": 0, "removed": 0}
    origins = {s["name"]: s["origin"]
               for s in two.get("/v1/services").json["items"]}
    assert origins["s1"] == "register" and origins["b \"q\""] == "api"


def test_an_import_merges_or_replaces(sluice, environment):
    proxy = sluice(environment=environment)
    fill(proxy)
    before = proxy.ctl("export").stdout
    document = {
        "services": [{"name": "new", "backends": [
            {"url": "http://127.0.0.1:5"}]}, {"name": "s1", "retries": 0}],
        "routes": [{"prefixes": ["/all"], "service": "new",
                    "on_conflict": "share"},
                   {"prefixes": ["/p9"], "service": "s1"}]}
    answer = proxy.post("/v1/import", document)
    assert answer.status == 200, answer
    assert answer.json["removed"] == 0 and answer.json["created"] == 4
    assert [s["name"] for s in json.loads(proxy.ctl("export").stdout)[
        "services"]] == ["b \"q\"", "new", "s1", "s2", "s3"]
    answer = proxy.post("/v1/import?replace=true", document)
    assert answer.status == 200, answer
    assert answer.json["created"] == 0 and answer.json["removed"] > 5
    after = json.loads(proxy.ctl("export").stdout)
    assert [s["name"] for s in after["services"]] == ["new", "s1"]
    assert after["services"][1]["backends"] == []
    assert len(after["routes"]) == 2
    answer = proxy.post("/v1/import?replace=true", before.encode())
    assert answer.status == 200, answer
    assert proxy.ctl("export").stdout == before


@pytest.mark.parametrize("document, status, pointer", [
    (b"{", 400, None),
    ({"x": []}, 422, None),
    ({"services": 1}, 422, "#/services"),
    ({"services": [{"name": "a"}, {"name": "a/b"}]}, 422,
     "#/services/1/name"),
    ({"services": [{"name": "a"}, {"name": "a"}]}, 422, None),
    ({"services": [{"name": "a", "backends": [{"url": "x"}]}]}, 422,
     "#/services/0/backends/0/url"),
    ({"routes": [{"prefixes": ["/a"], "service": "none"}]}, 422, None),
    ({"services": [{"name": "a"}, {"name": "b"}],
      "routes": [{"prefixes": ["/a"], "service": "a"},
                 {"prefixes": ["/a"], "service": "b"}]}, 409, None),
])
def test_a_bad_document_changes_nothing(sluice, document, status, pointer):
    proxy = sluice()
    answer = proxy.post("/v1/import", document)
    assert answer.status == status, answer
    if pointer is not None:
        assert answer.json["errors"][0]["pointer"] == pointer
    assert json.loads(proxy.ctl("export").stdout) == {
        "services": [], "routes": []}
    assert proxy.get("/v1/services").json["generation"] == 0


def test_an_import_ends_no_maintenance(sluice, environment):
    proxy = sluice(environment=environment)
    fill(proxy)
    assert proxy.ask("PUT", "/v1/services/s1/maintenance",
                     {"reason": "disk"}).status == 200
    text = proxy.ctl("export").stdout
    answer = proxy.post("/v1/import?replace=true", text.encode())
    assert answer.status == 200, answer
    assert answer.json["updated"] == 0
    document = {"services": [{"name": "s1", "retries": 0}]}
    assert proxy.post("/v1/import", document).json["updated"] == 1
    assert proxy.ask_traffic("GET", "/p1/x") == 503


def test_a_document_may_be_as_large_as_the_setting_says(sluice, tmp_path):
    proxy = sluice()
    document = {"services": [
        {"name": f"service-{i}-{'x' * 200}"} for i in range(80_000)]}
    file = tmp_path / "large.json"
    file.write_text(json.dumps(document))
    assert file.stat().st_size > 16 << 20
    refused = proxy.ctl("import", str(file), check=False)
    assert refused.returncode == 1
    assert "raise admin.body_limit" in refused.stderr
    assert proxy.get("/v1/services").json["generation"] == 0
    proxy.environment["SLUICE_ADMIN_BODY_LIMIT"] = "32MiB"
    assert proxy.stop() == 0
    proxy.start()
    said = proxy.ctl("import", str(file)).stdout
    assert "80000 created" in said


def test_very_many_go_to_the_server_many_at_once(sluice, database):
    shared = sluice(name="b", environment={"DB_DRIVER": "postgres",
                                           "DATABASE_URL": database})
    file = sluice()
    odd = "\\ \" {,} ' \t NULL \u00e9"
    document = {
        "services": [{"name": f"s{i} {{\"\\,}}", "backends": [
            {"url": f"http://127.0.0.1:{i + 1}"}]} for i in range(40)],
        "routes": [{
            "domains": ["", f"h{i}.test"] if i % 3 else [],
            "prefixes": [f"/p{i}", f"/q{i}/%7B%22%5C"], "priority": i - 500,
            "label": odd if i % 7 == 0 else "",
            "targets": [{"service": f"s{i % 40} {{\"\\,}}", "weight": 2},
                        {"service": f"s{i % 39} {{\"\\,}}", "weight": 0}]
            if i % 40 != i % 39 else
            [{"service": f"s{i % 40} {{\"\\,}}"}],
            "headers": [{"op": "set", "of": "request", "name": "x-a",
                         "value": odd.replace("\t", " ")}]}
            for i in range(5000)]}
    before = shared.metric("sluice_store_queries_total")
    answers = [proxy.post("/v1/import", document) for proxy in (shared, file)]
    assert [answer.json["created"] for answer in answers] == [5080] * 2, \
        answers
    asked = shared.metric("sluice_store_queries_total") - before
    assert asked < 300
    texts = [proxy.get("/v1/export").body for proxy in (shared, file)]
    assert texts[0] == texts[1]
    histories = [[(row["generation"], row["kind"], row["action"])
                  for row in proxy.get("/v1/changes?limit=1000")
                  .json["items"]] for proxy in (shared, file)]
    assert histories[0] == histories[1]
    # Another one, which changes some, adds and removes.
    document["routes"] = document["routes"][100:] + [
        {"prefixes": [f"/n{i}"], "service": 's1 {"\\,}'}
        for i in range(50)]
    document["services"][3]["retries"] = 0
    answers = [proxy.post("/v1/import?replace=true", document)
               for proxy in (shared, file)]
    counts = [[answer.json[name] for name in
               ("created", "updated", "removed")] for answer in answers]
    assert counts == [[50, 1, 100]] * 2, answers
    assert shared.get("/v1/export").body == file.get("/v1/export").body
