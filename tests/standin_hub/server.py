"""A Hub of our own on loopback: the wire that huggingface_hub speaks, with faults that can be switched on.

    with StandInHub() as standin:
        standin.add("alice/Tiny-GGUF", {"tiny.Q4_K_M.gguf": b"GGUF..."})
        standin.faults.append(Fault(Kind.DROP, after=1000))
        Hub(standin.url) ...
        assert standin.asked[-1].path == "/api/models"

The Hub and its CDN are two ports, and so two origins: a token that reaches the second one is a leak. Everything that
was asked is in `asked`, in order. `speed` limits what each connection to the CDN carries, in bytes a second; `most` is
so much of each file as goes out before the CDN falls silent: a download that must not be over meanwhile never is.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.standin_hub.answers import Answer, Asked
from tests.standin_hub.faults import Fault, Kind
from tests.standin_hub.files import Files
from tests.standin_hub.listing import Listing, form_of
from tests.standin_hub.repos import Account, HostedFile, HostedRepo

_PORTAL = Answer(
    200,
    {"Content-Type": "text/html; charset=utf-8"},
    b"<html><title>Hotel Wi-Fi</title><body>Please log in to use the network.</body></html>",
)
_SLICE = 64 * 1024


class StandInHub:
    """The two servers, what they have, what they were asked, and what goes wrong."""

    def __init__(self) -> None:
        self.repos: list[HostedRepo] = []
        self.tokens: dict[str, Account] = {}
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.speed: int | None = None
        self.most: int | None = None
        self.latency_s = 0.0
        """How long every answer takes to begin."""
        self.send_buffer: int | None = None
        """Of each connection, in bytes; None leaves it to the system."""
        self.listing = Listing(self.repos, self.tokens)
        self.files = Files(self.listing)
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self._servers = [_Server(self, "hub"), _Server(self, "cdn")]
        self.listing.url, self.files.cdn_url = (server.url for server in self._servers)
        self._threads = [threading.Thread(target=server.serve_forever, args=(0.005,)) for server in self._servers]

    @property
    def url(self) -> str:
        """The Hub's address, without a slash at its end."""
        return self.listing.url

    @property
    def cdn_url(self) -> str:
        """The other host's address."""
        return self.files.cdn_url

    def __enter__(self) -> StandInHub:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        for server in self._servers:
            server.shutdown()
            server.hang_up()
            server.server_close()
        for thread in self._threads:
            thread.join()

    def add(self, repo_id: str, files: Mapping[str, bytes | HostedFile], **more: Any) -> HostedRepo:
        """Host a repository; `more` are HostedRepo's fields. Names ending in .gguf are large files, others small."""
        hosted = {
            path: file if isinstance(file, HostedFile) else HostedFile(file, lfs=path.endswith(".gguf"))
            for path, file in files.items()
        }
        self.repos.append(HostedRepo(repo_id, hosted, **more))
        return self.repos[-1]

    def asked_of(self, host: str, method: str = "") -> list[Asked]:
        """The requests that came to one host, in order."""
        with self.lock:
            return [asked for asked in self.asked if asked.host == host and method in {"", asked.method}]

    @property
    def sent_bytes(self) -> int:
        """How much of all files went out."""
        return sum(asked.sent for asked in self.asked_of("cdn"))

    def sent_of(self, path: str) -> int:
        """How much of one file went out."""
        return sum(asked.sent for asked in self.asked_of("cdn") if asked.path == path)

    def hang_up(self) -> None:
        """Cut every open connection."""
        for server in self._servers:
            server.hang_up()

    def fault(self, on: str, path: str, offset: int) -> Fault | None:
        """What goes wrong with this request, if anything; it is spent by asking."""
        with self.lock:
            for fault in self.faults:
                if fault.meets(on, path, offset):
                    fault.spend()
                    return fault
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64

    def __init__(self, standin: StandInHub, host: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.standin = standin
        self.host = host
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def hang_up(self) -> None:
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that go away are what this is for


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        if self.server.standin.send_buffer is not None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.server.standin.send_buffer)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        asked, standin = self._read(), self.server.standin
        if standin.latency_s:
            standin.closing.wait(standin.latency_s)
        on = "cdn" if asked.host == "cdn" else "resolve" if "/resolve" in asked.path else "api"
        fault = standin.fault(on, asked.path, asked.range_start or 0)
        if fault and fault.kind is Kind.SILENT:
            self._wait_for_the_end()
            return
        answer = self._answer(asked, on, fault)
        asked.status = answer.status
        self._send(asked, answer, fault)

    def _read(self) -> Asked:
        split = urlsplit(self.path)
        asked = Asked(
            self.server.host,
            self.command,
            split.path,
            parse_qs(split.query, keep_blank_values=True),
            {name.lower(): value for name, value in self.headers.items()},
        )
        body = self.rfile.read(int(asked.headers.get("content-length", "0")))
        if "form" in asked.headers.get("content-type", ""):
            asked.form = form_of(body)
        with self.server.standin.lock:
            self.server.standin.asked.append(asked)
        return asked

    def _answer(self, asked: Asked, on: str, fault: Fault | None) -> Answer:
        standin = self.server.standin
        if fault and fault.kind is Kind.STATUS:
            return Answer(fault.status, {"Content-Type": "text/plain", **fault.headers}, b"out of order")
        if fault and fault.kind is Kind.PORTAL:
            return _PORTAL
        if fault and fault.kind is Kind.IGNORE_RANGE:
            asked.headers.pop("range", None)
        wanted_range = asked.headers.get("range", "")
        if fault and fault.kind in {Kind.WRONG_OFFSET, Kind.LYING_OFFSET} and asked.range_start is not None:
            last = "" if asked.range_end is None else str(asked.range_end + fault.after)
            asked.headers["range"] = f"bytes={asked.range_start + fault.after}-{last}"
        if on == "api" and "/resolve-cache/" not in asked.path:
            return standin.listing.answer(asked)
        answer = standin.files.blob(asked) if on == "cdn" else standin.files.resolve(asked)
        if wanted_range:
            asked.headers["range"] = wanted_range
        return _spoilt(answer, asked, fault) if fault else answer

    def _send(self, asked: Asked, answer: Answer, fault: Fault | None) -> None:
        body = memoryview(answer.body)
        announced = len(body)
        if fault and fault.kind is Kind.SHORT:
            announced = max(0, announced - fault.after)
            body = body[:announced]
        self.send_response_only(answer.status)
        for name, value in {"Content-Length": str(announced), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if asked.method == "HEAD":
            return
        cut = fault is not None and fault.kind in {Kind.DROP, Kind.RESET, Kind.STALL, Kind.TRICKLE}
        self._pour(asked, body[: fault.after] if fault and cut else body, self.server.standin.speed)
        if fault and cut:
            self._end_badly(asked, body, fault)

    def _end_badly(self, asked: Asked, body: memoryview, fault: Fault) -> None:
        if fault.kind is Kind.STALL:
            self._wait_for_the_end()
        elif fault.kind is Kind.TRICKLE:
            self._pour(asked, body[fault.after :], fault.rate)
            return
        elif fault.kind is Kind.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        self.close_connection = True

    def _pour(self, asked: Asked, body: memoryview, speed: int | None) -> None:
        """Send, no faster than `speed`; in twenty slices a second where there is one."""
        piece = _SLICE * 4 if speed is None else max(1, min(_SLICE, speed // 20))
        due = time.perf_counter()
        for offset in range(0, len(body), piece):
            chunk = body[offset : offset + piece]
            if not self._may_send(asked, len(chunk)):
                return
            self.connection.sendall(chunk)
            asked.sent += len(chunk)
            if speed:
                # what a busy computer was late with is not made up for: that would be faster than `speed`
                due = max(due + len(chunk) / speed, now := time.perf_counter())
                if due > now and self.server.standin.closing.wait(due - now):
                    self.close_connection = True
                    return

    def _may_send(self, asked: Asked, count: int) -> bool:
        """Wait for as long as the file has had its `most`; False once either side gave up."""
        standin = self.server.standin
        while standin.most is not None and standin.sent_of(asked.path) + count > standin.most:
            is_over, _, _ = select.select([self.connection], [], [], 0.01)
            if is_over or standin.closing.is_set():
                self.close_connection = True
                return False
        return True

    def _wait_for_the_end(self) -> None:
        """Keep the connection open and silent until either side gives up."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.recv(1)


def _spoilt(answer: Answer, asked: Asked, fault: Fault) -> Answer:
    if fault.kind is Kind.CHANGED:
        answer.headers["X-Linked-Etag"] = answer.headers["ETag"] = f'"{"0" * 64}"'
    elif fault.kind is Kind.LYING_OFFSET and answer.status == 206:
        total = answer.headers["Content-Range"].rpartition("/")[2]
        start = asked.range_start or 0
        answer.headers["Content-Range"] = f"bytes {start}-{start + len(answer.body) - 1}/{total}"
    elif fault.kind is Kind.CORRUPT:
        start = asked.range_start or 0
        if start <= fault.after < start + len(answer.body):
            body = bytearray(answer.body)
            body[fault.after - start] ^= 1
            answer.body = bytes(body)
    return answer
