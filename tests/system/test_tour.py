# SPDX-License-Identifier: ISC
"""The README's tour does what it says, command by command."""

import pathlib
import re
import subprocess

from harness.addresses import free_port

README = pathlib.Path(__file__).parents[2] / "README.md"


def tour():
    """The shell text of the README's tour."""
    return "\n".join(re.findall(r"<!-- tour -->\n```sh\n(.*?)```",
                                README.read_text(), re.S))


def test_the_tour_of_the_readme(sluice, tmp_path):
    proxy = sluice()
    (tmp_path / "hello.txt").write_text("hello\n")
    one, two = (str(free_port(proxy.address)) for _ in range(2))
    script = tour()
    for told, meant in [
            ("127.0.0.1:9180", f"{proxy.address}:{proxy.admin_port}"),
            ("127.0.0.1:8080", f"{proxy.address}:{proxy.port}"),
            ("quickstart-8080", proxy.instance),
            (".quickstart/build/sluicectl", "sluicectl"),
            ("http.server 9001 --bind 127.0.0.1",
             f"http.server {one} --bind {proxy.address}"),
            ("http.server 9002 --bind 127.0.0.1",
             f"http.server {two} --bind {proxy.address}"),
            ("127.0.0.1:9001", f"{proxy.address}:{one}"),
            ("127.0.0.1:9002", f"{proxy.address}:{two}")]:
        assert told in script, told
        script = script.replace(told, meant)
    # The servers must listen before they are asked, as a reader's do by
    # the time the next line is typed.
    script = script.replace(
        "curl -d", f"until curl -s -o /dev/null http://{proxy.address}:{two} "
        f"&& curl -s -o /dev/null http://{proxy.address}:{one}; do :; done\n"
        "curl -d", 1)
    script = ("set -em\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n"
              f"PATH={proxy.command()[0].rpartition('/')[0]}:$PATH\n"
              + script)
    done = subprocess.run(["bash", "-c", script], capture_output=True,
                          text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("HTTP/1.0 200") + \
        done.stdout.count("HTTP/1.1 200") == 4, done.stdout
    assert "maintenance" in done.stdout
    assert "hello.txt" in done.stdout
    assert '"status":"deregistered","server":"one"' in done.stdout
    assert "sluice_http_requests_total" in done.stdout
