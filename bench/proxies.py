# SPDX-License-Identifier: ISC
"""What is measured side by side: the floor, nginx, HAProxy and sluice.

Each proxy runs with one worker or thread, pinned to core 0 (with two, on
both cores), and does equal work: keep-alive on both sides, X-Forwarded-For
and -Proto set, Host kept.

With routes, each proxy gets that many, spread over the same hosts and
services: sluice in its store, HAProxy as a map file of prefixes.  A map of
nginx knows no prefixes, so its own holds the whole paths that are asked
for, and does less.
"""

import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import uuid

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(TOP / "tests" / "system"))
from harness import bulk

TICKS = os.sysconf("SC_CLK_TCK")
PROXY_CORE, OTHER_CORE, BOTH_CORES = "0", "1", "0,1"

ASKED = "/128"                  # behind a route's prefix

NGINX = """
worker_processes {workers}; daemon off; pid {home}/nginx.pid;
error_log {home}/nginx-error.log;
events {{ worker_connections 16384; }}
http {{
  access_log {log}; client_max_body_size 0;
  client_body_temp_path {home}/b; proxy_temp_path {home}/p;
  fastcgi_temp_path {home}/f; uwsgi_temp_path {home}/u;
  scgi_temp_path {home}/s;
  keepalive_requests 1000000000;
  {upstreams}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://{upstream}; proxy_http_version 1.1;
      {connection}
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_request_buffering off;
    }}
  }}
}}
"""

NGINX_UPSTREAM = """
  upstream {name} {{ {servers} keepalive 1024;
                     keepalive_requests 1000000000; }}"""

# Hashes of this size never meet a full bucket.
NGINX_MAP = """
  map_hash_max_size {size}; map_hash_bucket_size 512;
  map $http_host$uri $service {{ include {home}/nginx.map; }}"""

NGINX_CONNECTION = {
    False: 'proxy_set_header Connection "";',
    True: "proxy_set_header Connection $http_connection; "
          "proxy_set_header Upgrade $http_upgrade;",
}

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
  timeout tunnel 60s
  http-reuse always
  {option}
frontend in
  bind 127.0.0.1:{port} backlog 4096
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  {choice}
{backends}
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


def services():
    return [f"service-{i}" for i in range(bulk.SERVICES)]


def route_lines(count, behind):
    """Host and prefix of each route, what follows, and its service."""
    for i in range(count):
        yield (f"{bulk.host(i)}{bulk.prefix(i)}{behind} "
               f"service-{i % bulk.SERVICES}")


def wait_for(port, process, path=ASKED, host="bench"):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{process.args[-1]} ended: {process.returncode}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port,
                                                    timeout=2)
            connection.request("GET", path, headers={"Host": host})
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
    """A program under test; start(log) leaves self.process and self.port.

    routes: that many instead of one for all; upgrades: lets WebSockets
    through, where that is to be said; backends: how many times the origin
    stands behind the one service."""

    def __init__(self, home, origin, build, workers=1, *, routes=0,
                 backends=1, upgrades=False):
        self.home, self.origin, self.build = home, origin, build
        self.workers, self.routes = workers, routes
        self.backends, self.upgrades = backends, upgrades
        self.cores = PROXY_CORE if workers == 1 else BOTH_CORES
        self.port = free_port()
        self.process = None

    def wait(self):
        if self.routes:
            wait_for(self.port, self.process, bulk.prefix(0) + ASKED,
                     bulk.host(0))
        else:
            wait_for(self.port, self.process)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


class Floor(Proxy):
    name = "floor"

    def start(self, log):
        if log or self.workers > 1 or self.routes:
            return False
        self.process = pinned(self.cores, self.build / "bench-floor",
                              "127.0.0.1", self.port, "127.0.0.1",
                              self.origin)
        self.wait()
        return True


class Nginx(Proxy):
    name = "nginx"

    def upstreams(self):
        names = services() if self.routes else ["origin"]
        servers = f"server 127.0.0.1:{self.origin}; " * self.backends
        text = "".join(NGINX_UPSTREAM.format(name=name, servers=servers)
                       for name in names)
        if self.routes:
            with open(self.home / "nginx.map", "w") as table:
                for line in route_lines(self.routes, ASKED):
                    print(f"{line};", file=table)
            text += NGINX_MAP.format(home=self.home,
                                     size=max(64, 2 * self.routes))
        return text

    def start(self, log):
        if not shutil.which("nginx", path="/usr/sbin:/usr/bin"):
            return False
        conf = self.home / "nginx.conf"
        conf.write_text(NGINX.format(
            home=self.home, port=self.port, workers=self.workers,
            upstreams=self.upstreams(),
            upstream="$service" if self.routes else "origin",
            connection=NGINX_CONNECTION[self.upgrades],
            log=f"{self.home}/nginx.log combined buffer=64k" if log
            else "off"))
        self.process = pinned(self.cores, "/usr/sbin/nginx", "-c", conf,
                              "-e", self.home / "nginx-error.log")
        self.wait()
        return True


class HAProxy(Proxy):
    name = "haproxy"

    def choice(self):
        if not self.routes:
            return "default_backend origin"
        table = self.home / "haproxy.map"
        with open(table, "w") as lines:
            for line in route_lines(self.routes, "/"):
                print(line, file=lines)
        return f"use_backend %[base,map_beg({table})]"

    def write_conf(self, log):
        names = services() if self.routes else ["origin"]
        servers = "".join(f"  server o{i} 127.0.0.1:{self.origin}\n"
                          for i in range(self.backends))
        conf = self.home / "haproxy.cfg"
        conf.write_text(HAPROXY.format(
            port=self.port, workers=self.workers, choice=self.choice(),
            backends="".join(f"backend {name}\n{servers}"
                             for name in names),
            **HAPROXY_LOG[log]))
        return conf

    def start(self, log):
        if not shutil.which("haproxy", path="/usr/sbin:/usr/bin"):
            return False
        conf = self.write_conf(log)
        # HAProxy has no log file of its own: standard output is one.
        with open(self.home / "haproxy.log", "w") as output:
            self.process = pinned(self.cores, "/usr/sbin/haproxy", "-db",
                                  "-f", conf, stdout=output)
        self.wait()
        return True


class Sluice(Proxy):
    name = "sluice"

    def write_conf(self, log):
        home = self.home / self.name.replace(" ", "-")
        shutil.rmtree(home, ignore_errors=True)
        for folder in ("state", "run"):
            (home / folder).mkdir(parents=True)
        self.admin_port = free_port()
        access = f"{home}/access.log" if log else "off"
        store = "sqlite" if self.routes else "memory"
        self.sluice_home = home
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
store {{ driver = "{store}" }}
log {{ access = "{access}" error = "{home}/error.log" }}
''')

    def spawn(self):
        with open(self.sluice_home / "stderr", "a") as errors:
            self.process = pinned(self.cores, self.build / "sluice", "-F",
                                  "-c", self.conf, stderr=errors)

    def wait_until_ready(self):
        wait_for(self.admin_port, self.process, "/readyz")

    def fill(self):
        """Makes the store, and all routes in it at once."""
        self.spawn()
        self.wait_until_ready()
        self.stop()
        bulk.fill(self.sluice_home / "state" / "sluice.db",
                  f"http://127.0.0.1:{self.origin}", self.routes,
                  strip_prefix=0)

    def start(self, log=False):
        self.write_conf(log)
        if self.routes:
            self.fill()
        started = time.monotonic()
        self.spawn()
        if self.routes:
            self.wait_until_ready()
            self.load_seconds = time.monotonic() - started
        else:
            self.register()
        self.wait()
        return True

    def ask(self, method, path, body):
        connection = http.client.HTTPConnection("127.0.0.1",
                                                self.admin_port)
        connection.request(method, path, json.dumps(body))
        return connection.getresponse().status

    def register(self):
        url = f"http://127.0.0.1:{self.origin}"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if self.ask("POST", "/register", {
                        "name": "origin", "routes": ["/"],
                        "base_url": url}) == 201:
                    break
            except OSError:
                time.sleep(0.05)
        else:
            raise SystemExit("sluice does not take the registration")
        for i in range(1, self.backends):
            status = self.ask("POST", "/v1/services/origin/backends",
                              {"url": f"{url}/{i}"})
            if status != 201:
                raise SystemExit(f"sluice does not take a backend: {status}")

    def worker(self):
        return next(pid for pid in family(self.process.pid)
                    if "worker" in
                    pathlib.Path(f"/proc/{pid}/cmdline").read_text())
