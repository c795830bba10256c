# SPDX-License-Identifier: ISC
"""An HTTP backend that answers as told and remembers what it was sent."""

import http.server
import json
import socket
import socketserver
import threading

from .addresses import own_address


class Request:
    def __init__(self, method, path, headers, body, peer):
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.peer = peer


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def read_body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                if size == 0:
                    while self.rfile.readline().strip():
                        pass
                    return body
                body += self.rfile.read(size)
                self.rfile.readline()
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def handle_any(self):
        owner = self.server.owner
        request = Request(self.command, self.path, self.headers,
                          self.read_body(), self.client_address)
        owner.requests.append(request)
        status, headers, body = owner.answer(request)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any
    do_HEAD = do_OPTIONS = handle_any


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 512
    allow_reuse_address = True

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.connections = set()

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def cut_connections(self):
        """What the kernel does when a process dies."""
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass            # it was just ending by itself

    def handle_error(self, *_):
        pass                    # clients of a test leave as they like


class Backend:
    """answer(request) gives (status, [(name, value)], body)."""

    def __init__(self, name="backend", answer=None, address=None, port=0):
        self.name = name
        self.requests = []
        if answer is not None:
            self.answer = answer
        self.address = address or own_address()
        self.server = _Server((self.address, port), _Handler)
        self.server.owner = self
        self.port = self.server.server_address[1]
        self.url = f"http://{self.address}:{self.port}"
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
            daemon=True)
        self.thread.start()

    def answer(self, request):
        body = json.dumps({"backend": self.name, "path": request.path,
                           "method": request.method,
                           "headers": list(request.headers.items()),
                           "length": len(request.body)}).encode()
        return 200, [("Content-Type", "application/json"),
                     ("X-Backend", self.name)], body

    def close(self):
        if self.server is None:
            return
        self.server.shutdown()
        self.server.server_close()
        self.server.cut_connections()
        self.server = None
