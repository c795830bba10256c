# SPDX-License-Identifier: ISC
"""A real nginx as a backend, with files and settings of its own."""

import os
import pathlib
import subprocess

from .addresses import free_port, own_address
from .wait import wait_until

CONF = """
{user}
worker_processes 1;
daemon off;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    keepalive_requests 10000000;
    server {{
        listen {address}:{port} backlog=4096;
        root {home}/root;
        location = /small {{ return 200 "{text}\\n"; }}
        {more}
    }}
}}
"""


class Nginx:
    def __init__(self, home, text="hello", more=""):
        self.home = pathlib.Path(home)
        (self.home / "root").mkdir(parents=True, exist_ok=True)
        self.address = own_address()
        self.port = free_port(self.address)
        self.url = f"http://{self.address}:{self.port}"
        conf = self.home / "nginx.conf"
        # As root nginx would read the files as somebody else.
        user = "user root;" if os.getuid() == 0 else ""
        conf.write_text(CONF.format(home=self.home, user=user, address=self.address,
                                    port=self.port, text=text, more=more))
        self.process = subprocess.Popen(
            ["/usr/sbin/nginx", "-c", str(conf), "-e",
             str(self.home / "error.log")],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, 20, "nginx answers")

    def _answers(self):
        return subprocess.run(
            ["curl", "-s", "-o", "/dev/null", self.url + "/small"],
            check=False).returncode == 0

    def close(self):
        self.process.terminate()
        self.process.wait(20)
