"""A web server on this machine for tests of downloads, with the faults that servers have."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class FileServer:
    """Serves ``files`` by name. The other attributes make it behave badly; ``requests`` holds each Range asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    port: int = 0
    ranges: bool = True
    validator: tuple[str, str] | None = ("ETag", '"1"')
    length: bool = True
    cut_after: int | None = None
    """Bytes of an answer after which the connection is closed."""
    cuts: int = 1
    """How many answers are cut."""
    status: int | None = None
    content_type: str = "application/octet-stream"
    pause: threading.Event | None = None
    """Where it is given, half of an answer waits for it."""
    requests: list[str | None] = field(default_factory=list)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def serve(self, folder: Path) -> None:
        """Add the files of a folder."""
        self.files |= {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@contextmanager
def serving() -> Iterator[FileServer]:
    """A server that runs as long as the context."""
    server = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, server)

        def log_message(self, *_arguments: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        server.port = httpd.server_address[1]
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        httpd.shutdown()
        thread.join()


def _answer(request: BaseHTTPRequestHandler, server: FileServer) -> None:
    asked = request.headers.get("Range")
    server.requests.append(asked)
    content = server.files.get(request.path.rpartition("/")[2])
    if server.status or content is None:
        request.send_error(server.status or 404)
        return
    start = 0
    unchanged = request.headers.get("If-Range") in (None, (server.validator or ("", None))[1])
    if asked and server.ranges and unchanged:
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        if start >= len(content):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(content)}")
            request.end_headers()
            return
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    if server.length:
        request.send_header("Content-Length", str(len(content) - start))
    if server.validator:
        request.send_header(*server.validator)
    request.send_header("Content-Type", server.content_type)
    request.end_headers()
    _send(request, server, content[start:])


def _send(request: BaseHTTPRequestHandler, server: FileServer, body: bytes) -> None:
    if server.cut_after is not None and server.cuts > 0:
        server.cuts -= 1
        body = body[: server.cut_after]
    half = len(body) // 2 if server.pause else 0
    try:
        request.wfile.write(body[:half])
        if server.pause:
            request.wfile.flush()
            server.pause.wait(30)
        request.wfile.write(body[half:])
    except OSError:  # the client has gone
        return
