"""A proxy that hands on an answer only once it has ended, as some do whatever its headers ask for."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def buffering_proxy(port: int) -> Iterator[str]:
    """Stands in front of that port. Gives its own address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            behind = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            behind.request("GET", self.path, headers=headers)
            answer = behind.getresponse()
            kept = [pair for pair in answer.getheaders() if pair[0].lower() not in ("transfer-encoding", "connection")]
            self.send_response_only(answer.status)
            streamed = answer.getheader("content-type", "").startswith("text/event-stream")
            if streamed:  # its head goes on at once
                self.send_header("Connection", "close")
            else:
                body = answer.read()
                kept = [pair for pair in kept if pair[0].lower() != "content-length"]
                self.send_header("Content-Length", str(len(body)))
            for name, value in kept:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.flush()
            if streamed:
                body = answer.read()
                self.close_connection = True
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
