"""A tracking server with one light model, which can be told to fail."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

FILES: Final = "/api/2.0/mlflow-artifacts/artifacts"

VERSION: Final = {"name": "light", "version": "1", "source": "mlflow-artifacts:/0/light"}

ANSWERS: Final[Mapping[str, Any]] = {
    "/api/2.0/mlflow/model-versions/get": {"model_version": VERSION},
    "/api/2.0/mlflow/registered-models/get": {"registered_model": {"name": "light"}},
    "/api/2.0/mlflow/model-versions/get-download-uri": {"artifact_uri": VERSION["source"]},
}
"""What MLflow's client asks before it fetches the files."""

Act: TypeAlias = Callable[["Handler"], None]
"""What a server that fails does in place of an answer."""


class Tracking(ThreadingHTTPServer):
    """The server. Whoever has it sets `act` and `prefix`: which paths it fails for."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.act: Act | None = None
        self.prefix = ""
        self.folder = folder
        """Has the files; the model is at 0/light."""
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no error here."""

    def __enter__(self) -> "Tracking":
        threading.Thread(target=self.serve_forever, args=(0.05,)).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers as MLflow's server does, unless it is to fail."""

    server: Tracking

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if self.server.act is not None and url.path.startswith(self.server.prefix):
            self.close_connection = True
            self.server.act(self)
        elif url.path in ANSWERS:
            self.answer(200, json.dumps(ANSWERS[url.path]).encode())
        elif url.path == FILES:
            self.answer(200, json.dumps({"files": self._listed(parse_qs(url.query))}).encode())
        elif url.path.startswith(FILES):
            self.answer(200, (self.server.folder / url.path[len(FILES) :].strip("/")).read_bytes())
        else:
            self.answer(404, b"{}")

    do_POST = do_GET

    def _listed(self, query: Mapping[str, list[str]]) -> list[dict[str, Any]]:
        folder = self.server.folder / query.get("path", [""])[0]
        return [
            {"path": file.name, "is_dir": file.is_dir(), "file_size": file.stat().st_size}
            for file in folder.iterdir()
        ]

    def answer(self, status: int, body: bytes, media_type: str = "application/json") -> None:
        """The whole of an answer."""
        self.begin(status, len(body), {"Content-Type": media_type})
        self.wfile.write(body)

    def begin(self, status: int, length: int, headers: Mapping[str, str]) -> None:
        """The head of an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass
