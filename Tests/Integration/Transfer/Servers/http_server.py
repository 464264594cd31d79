"""An HTTP/1.1 server that misbehaves on request, in the clear and over TLS, and a port that never says anything."""

import base64
import http.server
import json
import os
import socket
import ssl
import struct
import threading
import time

import common

counts = {"connections": 0, "requests": 0, "reused": 0, "never": 0}
lock = threading.Lock()
content = b"sku;warehouse;on_hand\n" * 1000


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self):
        super().setup()
        self.served = 0
        with lock:
            counts["connections"] += 1

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def abort(self):
        """Ends the connection with RST."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with lock:
            counts["requests"] += 1
        self.served += 1
        path, _, query = self.path.partition("?")
        if path == "/echo":
            facts = {
                "method": self.command,
                "headers": [[name, value] for name, value in self.headers.items()],
                "body": body.decode("utf-8", "replace"),
                "query": query,
            }
            headers = [("Content-Type", "application/json"), ("X-Twice", "a"), ("X-Twice", "b")]
            self.answer(200, json.dumps(facts).encode(), headers)
        elif path == "/ok":
            self.answer(200, b"ok")
        elif path == "/counts":
            self.answer(200, json.dumps(counts).encode())
        elif path.startswith("/status/"):
            self.answer(int(path[8:]), b"as you wish", [("Location", "/ok")])
        elif path == "/never":
            with lock:
                counts["never"] += 1
            self.connection.recv(1)
            self.close_connection = True
        elif path == "/reset":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 100)
            self.abort()
        elif path == "/large":
            self.answer(200, b"x" * int(query))
        elif path == "/unannounced":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * int(query))
            self.close_connection = True
        elif path == "/dies-when-reused":
            with lock:
                counts["reused"] += 1
            if self.served > 1:
                self.close_connection = True  # after reading all of the request, without a word
            else:
                self.answer(200, b"first on its connection")
        elif path == "/file":
            self.answer(200, content, [("Last-Modified", "Sat, 21 Nov 2026 06:00:07 GMT"), ("ETag", '"v1"')])
        elif path == "/auth":
            expected = "Basic " + base64.b64encode("người dùng:bí mật".encode()).decode()
            self.answer(200 if self.headers.get("Authorization") == expected else 401)
        else:
            self.answer(404, b"no such thing")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, address):
        pass


class TLSServer(Server):
    def finish_request(self, request, address):
        with context.wrap_socket(request, server_side=True) as secure:
            self.RequestHandlerClass(secure, address, self)


ca, chain, key = common.certificate()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(chain, key)
plain, secure = Server(("127.0.0.1", 0), Handler), TLSServer(("127.0.0.1", 0), Handler)
silent = socket.create_server(("127.0.0.1", 0))
for server in (plain, secure):
    common.in_background(server.serve_forever)
common.ready(
    port=plain.server_port, tls_port=secure.server_port, silent_port=silent.getsockname()[1], ca=ca, size=len(content)
)
