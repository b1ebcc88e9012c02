"""A proxy that ends an answer which it has enough of as if it were whole, as Caddy, h2o and HAProxy (HTTP/2) do."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class Polite:
    """`limit`: bytes of a body; `cuts`: how many answers came to it."""

    def __init__(self, url: str, limit: int) -> None:
        self._far = url
        self._limit = limit
        self.cuts = 0

    def __enter__(self) -> Polite:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy._pass(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _pass(self, near: BaseHTTPRequestHandler) -> None:
        left = self._limit
        asked = {"accept": near.headers["accept"], "accept-encoding": "identity"}
        with httpx.stream("GET", self._far + near.path, headers=asked, timeout=30) as far:
            near.send_response(far.status_code)
            for name, value in far.headers.items():
                if name == "content-type" or name.startswith("jobtail-"):
                    near.send_header(name, value)
            near.send_header("Transfer-Encoding", "chunked")
            near.end_headers()
            for chunk in far.iter_raw(4096):
                part = chunk[:left]
                near.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                left -= len(part)
                if left <= 0:
                    self.cuts += 1
                    break
            near.wfile.write(b"0\r\n\r\n")
