# SPDX-License-Identifier: ISC
"""What is measured side by side: the floor, nginx, HAProxy and sluice.

Each proxy runs with one worker or thread, pinned to core 0 (with two, on
both cores), and does equal work: keep-alive on both sides, X-Forwarded-For
and -Proto set, Host kept.
"""

import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import uuid

TOP = pathlib.Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
PROXY_CORE, OTHER_CORE, BOTH_CORES = "0", "1", "0,1"

NGINX = """
worker_processes {workers}; daemon off; pid {home}/nginx.pid;
error_log {home}/nginx-error.log;
events {{ worker_connections 8192; }}
http {{
  access_log {log}; client_max_body_size 0;
  client_body_temp_path {home}/b; proxy_temp_path {home}/p;
  fastcgi_temp_path {home}/f; uwsgi_temp_path {home}/u;
  scgi_temp_path {home}/s;
  keepalive_requests 1000000000;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 1024;
                     keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://origin; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_request_buffering off;
    }}
  }}
}}
"""

HAPROXY = """
global
  nbthread {workers}
  maxconn 8192
  {log}
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
  {option}
frontend in
  bind 127.0.0.1:{port} backlog 4096
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  default_backend origin
backend origin
  server o 127.0.0.1:{origin}
"""

HAPROXY_LOG = {
    False: dict(log="", option=""),
    True: dict(log="log stdout format raw daemon",
               option="log global\n  option httplog"),
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process, path="/128"):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{process.args[-1]} ended: {process.returncode}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port,
                                                    timeout=2)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise SystemExit(f"nothing answers on port {port}")


def pinned(core, *command, **options):
    return subprocess.Popen(["taskset", "-c", core, *map(str, command)],
                            stdin=subprocess.DEVNULL,
                            **{"stdout": subprocess.DEVNULL,
                               "stderr": subprocess.DEVNULL, **options})


def family(pid):
    """A process and all below it."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def cpu_seconds(pid):
    total = 0
    for member in family(pid):
        fields = pathlib.Path(f"/proc/{member}/stat").read_text()
        fields = fields.rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


class Proxy:
    """A program under test; start(log) leaves self.process and self.port."""

    def __init__(self, home, origin, build, workers=1):
        self.home, self.origin, self.build = home, origin, build
        self.workers = workers
        self.cores = PROXY_CORE if workers == 1 else BOTH_CORES
        self.port = free_port()
        self.process = None

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


class Floor(Proxy):
    name = "floor"

    def start(self, log):
        if log or self.workers > 1:
            return False
        self.process = pinned(self.cores, self.build / "bench-floor",
                              "127.0.0.1", self.port, "127.0.0.1",
                              self.origin)
        wait_for(self.port, self.process)
        return True


class Nginx(Proxy):
    name = "nginx"

    def start(self, log):
        if not shutil.which("nginx", path="/usr/sbin:/usr/bin"):
            return False
        conf = self.home / "nginx.conf"
        conf.write_text(NGINX.format(
            home=self.home, port=self.port, origin=self.origin,
            workers=self.workers,
            log=f"{self.home}/nginx.log combined buffer=64k" if log
            else "off"))
        self.process = pinned(self.cores, "/usr/sbin/nginx", "-c", conf,
                              "-e", self.home / "nginx-error.log")
        wait_for(self.port, self.process)
        return True


class HAProxy(Proxy):
    name = "haproxy"

    def start(self, log):
        if not shutil.which("haproxy", path="/usr/sbin:/usr/bin"):
            return False
        conf = self.home / "haproxy.cfg"
        conf.write_text(HAPROXY.format(port=self.port, origin=self.origin,
                                       workers=self.workers,
                                       **HAPROXY_LOG[log]))
        # HAProxy has no log file of its own: standard output is one.
        with open(self.home / "haproxy.log", "w") as output:
            self.process = pinned(self.cores, "/usr/sbin/haproxy", "-db",
                                  "-f", conf, stdout=output)
        wait_for(self.port, self.process)
        return True


class Sluice(Proxy):
    name = "sluice"
    store = "memory"

    def write_conf(self, log):
        home = self.home / "sluice"
        for folder in ("state", "run"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        self.admin_port = free_port()
        access = f"{home}/access.log" if log else "off"
        self.conf = home / "sluice.conf"
        self.conf.write_text(f'''
workers = {self.workers}
instance = "bench-{uuid.uuid4().hex[:8]}"
state_dir = "{home}/state"
runtime_dir = "{home}/run"
program_dir = "{self.build}"
listen "127.0.0.1:{self.port}" {{ backlog = 4096 }}
admin {{ listen = {{ "127.0.0.1:{self.admin_port}" }} }}
registration {{ listen = {{ "127.0.0.1:{free_port()}" }} }}
store {{ driver = "{self.store}" }}
log {{ access = "{access}" error = "{home}/error.log" }}
''')

    def spawn(self):
        with open(self.home / "sluice" / "stderr", "a") as errors:
            self.process = pinned(self.cores, self.build / "sluice", "-F",
                                  "-c", self.conf, stderr=errors)

    def start(self, log):
        self.write_conf(log)
        self.spawn()
        self.register()
        wait_for(self.port, self.process)
        return True

    def register(self):
        body = json.dumps({"name": "origin", "routes": ["/"],
                           "base_url": f"http://127.0.0.1:{self.origin}"})
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                connection = http.client.HTTPConnection("127.0.0.1",
                                                        self.admin_port)
                connection.request("POST", "/register", body)
                if connection.getresponse().status == 201:
                    return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("sluice does not take the registration")
