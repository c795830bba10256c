# SPDX-License-Identifier: ISC
"""Constant load from wrk, and what it saw."""

import re
import subprocess


class Load:
    """wrk in the background; stop() or wait() gives its report."""

    def __init__(self, url, connections=64, threads=1, seconds=600,
                 headers=()):
        command = ["wrk", "-c", str(connections), "-t", str(threads), "-d",
                   f"{seconds}s", "--timeout", "20s", "--latency"]
        for header in headers:
            command += ["-H", header]
        self.process = subprocess.Popen(
            command + [url], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)

    def stop(self):
        """Ends the load as wrk does on ^C, and reads its report."""
        self.process.send_signal(2)
        return self.wait()

    def wait(self, timeout=700):
        return Report(self.process.communicate(timeout=timeout)[0])

    def abandon(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Report:
    def __init__(self, text):
        self.text = text
        self.requests = self._number(r"(\d+) requests in")
        errors = re.search(
            r"Socket errors: connect (\d+), read (\d+), write (\d+), "
            r"timeout (\d+)", text)
        self.socket_errors = [int(n) for n in errors.groups()] if errors \
            else [0, 0, 0, 0]
        self.bad_statuses = self._number(r"Non-2xx or 3xx responses: (\d+)")

    def _number(self, pattern):
        found = re.search(pattern, self.text)
        return int(found.group(1)) if found else 0

    @property
    def failed(self):
        return sum(self.socket_errors) + self.bad_statuses

    def __repr__(self):
        return self.text
