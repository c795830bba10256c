# SPDX-License-Identifier: ISC
"""Lines of requests, and of what else happens, to a syslog daemon."""

import re

import pytest

from harness.sluice import Sluice
from harness.syslog import Syslog
from harness.wait import wait_until

ACCESS = 'log { access = "syslog" level = "info" }'
HEAD = re.compile(r"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "
                  r"sluice\[(\d+)\]: ")


@pytest.fixture
def syslog():
    daemon = Syslog()
    why_not = daemon.why_not()
    if why_not is not None:
        daemon.close()
        pytest.skip(f"no /dev of its own can be mounted here: {why_not}")
    daemon.start()
    yield daemon
    daemon.close()


@pytest.fixture
def start(tmp_path, syslog, backend):
    """Starts a sluice whose syslog is the test's, with a service at /s."""
    started = []

    def run(conf):
        proxy = Sluice(tmp_path / "a", conf)
        proxy.wrap = syslog.wrap
        started.append(proxy)
        proxy.start()
        proxy.register("s", backend().url, "/s")
        return proxy

    yield run
    for proxy in started:
        proxy.end()


def access_lines(syslog):
    return [line for line in syslog.lines if " HTTP/1.1\"" in line]


def await_line(syslog, text):
    wait_until(lambda: any(text in line for line in access_lines(syslog)))
    return next(line for line in syslog.lines if text in line)


def dropped(proxy):
    return proxy.metric("sluice_log_lines_dropped_total")


def registry_dropped(proxy):
    return proxy.metric("sluice_registryd_log_lines_dropped_total")


def test_each_request_is_a_line(start, syslog):
    proxy = start(ACCESS)
    for i in range(5):
        assert proxy.ask_traffic("GET", f"/s/{i}?a=%25n%25s") == 200
    wait_until(lambda: len(access_lines(syslog)) >= 5)
    lines = access_lines(syslog)
    assert len(lines) == 5
    for i in range(5):
        line = next(line for line in lines if f"/s/{i}?" in line)
        head = HEAD.match(line)
        assert head[1] == "30"          # daemon, informational
        assert int(head[2]) != proxy.process.pid
        assert re.fullmatch(r'\S+ \S+ \S+ \[[^\]]+\] "GET /s/' + str(i) +
                            r'\?a=%25n%25s HTTP/1.1" 200 .*',
                            line[head.end():]), line
        assert "\n" not in line and "\0" not in line
    assert dropped(proxy) == 0


def test_what_else_happens_is_told_there_as_well(start, syslog):
    start('log { access = "off" error = "syslog" level = "info" }')
    wait_until(lambda: any("service s: created" in line
                           for line in syslog.lines))
    line = next(line for line in syslog.lines if "service s: created" in line)
    head = HEAD.match(line)
    assert head[1] == "30"
    assert line[head.end():].startswith("registryd: ")
    assert access_lines(syslog) == []


def test_a_daemon_that_does_not_read_holds_nobody_up(start, syslog):
    proxy = start(ACCESS)
    with syslog.stuck():
        count = 0
        while dropped(proxy) == 0:
            assert proxy.ask_traffic("GET", f"/s/{count}") == 200
            count += 1
            assert count < 20000
    # What had room is there, and what comes once there is room again.
    await_line(syslog, "/s/0 ")
    assert proxy.ask_traffic("GET", "/s/afterwards") == 200
    await_line(syslog, "/s/afterwards")


def test_neither_does_it_hold_up_what_is_told_of_else(start, syslog):
    proxy = start('log { access = "off" error = "syslog" level = "info" }')
    with syslog.stuck():
        count = 0
        while registry_dropped(proxy) == 0:
            proxy.register(f"t{count}", "http://127.0.0.1:1", f"/t/{count}")
            count += 1
            assert count < 20000
    # The next line says how many are missing.
    proxy.register("afterwards", "http://127.0.0.1:1", "/afterwards")
    wait_until(lambda: any("lines could not be written" in line
                           for line in syslog.lines))


def test_a_daemon_that_is_restarted_gets_the_lines(start, syslog):
    proxy = start(ACCESS)
    assert proxy.ask_traffic("GET", "/s/before") == 200
    await_line(syslog, "/s/before")
    syslog.stop()
    assert proxy.ask_traffic("GET", "/s/meanwhile") == 200
    wait_until(lambda: dropped(proxy) == 1)
    syslog.start()
    assert proxy.ask_traffic("GET", "/s/after") == 200
    await_line(syslog, "/s/after")
    assert not any("meanwhile" in line for line in access_lines(syslog))
    assert dropped(proxy) == 1


def test_without_a_daemon_requests_are_served(start, syslog):
    syslog.stop()
    proxy = start(ACCESS)
    for _ in range(20):
        assert proxy.ask_traffic("GET", "/s/x") == 200
    wait_until(lambda: dropped(proxy) == 20)
    syslog.start()
    assert proxy.ask_traffic("GET", "/s/now") == 200
    await_line(syslog, "/s/now")
