# SPDX-License-Identifier: ISC
"""A sluice of a test's own: configuration, processes, API."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import urllib.error
import urllib.request
import uuid

from .addresses import free_port, own_address
from .wait import wait_until

BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD", "."))


class Answer:
    """What the admin API said."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Sluice:
    def __init__(self, home, conf="", environment=None, options=(),
                 settings=None, identity=None):
        self.home = pathlib.Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.address = own_address()
        self.port = free_port(self.address)
        self.admin_port = free_port(self.address)
        self.registration_port = free_port(self.address)
        self.instance = "test-" + uuid.uuid4().hex[:12]
        self.environment = dict(os.environ, **(environment or {}))
        self.options = list(options)
        self.settings = settings or {}
        self.conf_path = self.home / "sluice.conf"
        self.log_path = self.home / "error.log"
        self.access_path = self.home / "access.log"
        self.wrap = list        # around the command that starts it
        self.process = None
        self.identity = identity        # of a registration with TLS
        self.tls = identity and identity.context()
        self.write_conf(conf)

    # Configuration

    def write_conf(self, conf=""):
        """Writes the file: what every test needs, then the test's own."""
        self.conf = conf
        (self.home / "state").mkdir(exist_ok=True)
        (self.home / "run").mkdir(exist_ok=True)
        text = [f'instance = "{self.instance}"',
                f'state_dir = "{self.home}/state"',
                f'runtime_dir = "{self.home}/run"',
                f'program_dir = "{BUILD}"']
        if "workers" not in conf:
            text.append("workers = 2")
        if "\nlisten " not in "\n" + conf:
            text.append(f'listen "{self.address}:{self.port}" {{ }}')
        if "admin {" not in conf:
            text.append('admin { listen = { "unix:admin.sock", '
                        f'"{self.address}:{self.admin_port}" }} }}')
        if "registration {" not in conf:
            where = f'"{self.address}:{self.registration_port}"'
            text.append("registration { " +
                        (f"listen = {{ {where} }}" if self.identity is None
                         else self.identity.conf(where)) + " }")
        if "log {" not in conf:
            text.append(f'log {{ access = "{self.access_path}" '
                        'level = "info" }')
        self.conf_path.write_text("\n".join(text) + "\n" + conf + "\n")

    # Life

    def command(self, *arguments):
        return [str(BUILD / "sluice"), "-c", str(self.conf_path),
                *self.options, *arguments]

    def spawn(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.wrap(self.command("-F")), stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env=self.environment,
                start_new_session=True)

    def start(self, timeout=30):
        self.spawn()
        wait_until(self.is_ready_or_dead, timeout, "sluice is ready")
        assert self.process.poll() is None, self.log()

    def is_ready_or_dead(self):
        if self.process.poll() is not None:
            return True
        try:
            return self.get("/readyz").status == 200
        except OSError:
            return False

    def stop(self, timeout=40):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def end(self):
        """Whatever state it is in: over, and nothing left behind."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        for region in pathlib.Path(f"/dev/shm/sluice.{self.instance}").glob("*"):
            region.unlink()
        try:
            pathlib.Path(f"/dev/shm/sluice.{self.instance}").rmdir()
        except FileNotFoundError:
            pass

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def access_log(self):
        return self.access_path.read_text(errors="replace")

    # Processes

    def processes(self, kind=None):
        """The rows of `sluicectl workers`."""
        rows = json.loads(self.ctl("-o", "json", "workers").stdout)
        return [row for row in rows if kind in (None, row["kind"])]

    def pid(self, kind):
        return self.processes(kind)[0]["pid"]

    def worker_pids(self):
        return [row["pid"] for row in self.processes("worker")
                if row["state"] == "ready"]

    def kill(self, pid, sig=signal.SIGKILL):
        os.kill(pid, sig)

    def kill_role(self, kind):
        """kill -9, and waits until its successor is ready."""
        before = self.processes(kind)[0]
        os.kill(before["pid"], signal.SIGKILL)

        def is_back():
            now = self.processes(kind)[0]
            return now["pid"] != before["pid"] and now["state"] == "ready"

        wait_until(is_back, 30, f"{kind} is back")

    # Talking to it

    def ctl_command(self):
        return [str(BUILD / "sluicectl"), "-s",
                f"unix:{self.home}/run/admin.sock", "-i", self.instance]

    def ctl(self, *arguments, check=True):
        return subprocess.run(
            [*self.ctl_command(), *arguments],
            check=check, capture_output=True, text=True, timeout=60)

    def store_ctl(self, *arguments, check=True, **options):
        """Works on the configured store itself, whether sluice runs or
        not."""
        environment = dict(self.environment, SLUICE_PROGRAM_DIR=str(BUILD))
        return subprocess.run(
            [str(BUILD / "sluicectl"), "-c", str(self.conf_path),
             *arguments], check=check, capture_output=True, text=True,
            timeout=300, env=environment, **options)

    @property
    def url(self):
        return f"http://{self.address}:{self.port}"

    @property
    def admin_url(self):
        return f"http://{self.address}:{self.admin_port}"

    def ask(self, method, path, body=None, headers=None, timeout=30):
        """Asks the admin API."""
        data = None
        headers = dict(headers or {})
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(
            self.admin_url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, body, **options):
        return self.ask("POST", path, body, **options)

    def register(self, name, base_url, *prefixes, **more):
        answer = self.post("/register", {
            "name": name, "base_url": base_url, "routes": list(prefixes),
            **more})
        assert answer.status == 201, answer
        return answer

    def metric(self, line):
        """The value of a metrics line, by its name and labels."""
        for text in self.get("/metrics").body.decode().splitlines():
            if text.startswith(line + " "):
                return float(text.rsplit(" ", 1)[1])
        return None

    def ask_traffic(self, method, path, headers=None):
        """Through the data plane, on a connection of its own; the status."""
        connection = http.client.HTTPConnection(
            self.address, self.port, timeout=30)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def curl(self, path, *arguments):
        """Through the data plane, with a real curl; its completed process."""
        return subprocess.run(
            ["curl", "-sS", "--max-time", "60", *arguments, self.url + path],
            capture_output=True, timeout=90)
