"""The applications of the page on production answer every request, in threads and after a fork."""

import asyncio
import importlib.util
import io
import json
import os
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import learner, random_panel

from sktime_tsd import save_model, to_onnx

FOLDER = Path(__file__).parents[1] / "docs/user_guide/servers"
X, Y = random_panel(24)
N_REQUESTS = 60


@pytest.fixture(scope="module")
def student():
    return learner().fit(X, Y)


@pytest.fixture(scope="module")
def files(student, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    return {
        "wsgi_app": save_model(student, folder / "model"),
        "asgi_app": to_onnx(student, folder / "student.onnx"),
    }


def module_of(name, files, monkeypatch):
    monkeypatch.setenv("STUDENT", str(files[name]))
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call_wsgi(module, body):
    statuses = []
    environ = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    answer = b"".join(module.application(environ, lambda status, _: statuses.append(status)))
    return int(statuses[0][:3]), json.loads(answer)


def call_asgi(module, body):
    parts = [{"body": body[:10], "more_body": True}, {"body": body[10:]}]
    sent = []

    async def receive():
        return parts.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(module.app({"type": "http"}, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


CALLS = {"wsgi_app": call_wsgi, "asgi_app": call_asgi}


@pytest.mark.parametrize("name", CALLS)
def test_applications_answer_in_threads(name, student, files, monkeypatch):
    module = module_of(name, files, monkeypatch)
    bodies = [json.dumps(X[i % 24 : i % 24 + 2].tolist()).encode() for i in range(N_REQUESTS)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda body: CALLS[name](module, body), bodies))
    for i, (status, answer) in enumerate(answers):
        series = X[i % 24 : i % 24 + 2]
        assert status == 200
        assert answer["labels"] == student.predict(series).tolist()
        expected = student.predict_proba(series)
        np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "body", [b"no JSON", b"[]", b"[[[1, 2]]]", b'[[["a"]]]', b"[[[NaN]]]", b""], ids=repr
)
def test_applications_refuse_what_is_no_series(name, body, files, monkeypatch):
    status, answer = CALLS[name](module_of(name, files, monkeypatch), body)
    assert status == 400
    assert answer["error"]


PREFORK = """
import os, socket, sys, threading
import torch
torch.set_num_threads(2)
sys.path.insert(0, sys.argv[1])
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from socketserver import ThreadingMixIn
import wsgi_app  # loads the student
torch.set_num_threads(2)  # as where nothing is set

class Handler(WSGIRequestHandler):
    def log_message(self, *args): pass

class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

server = Server(("127.0.0.1", 0), Handler)
server.set_app(wsgi_app.application)
first = os.fork()
if first:
    second = os.fork()
    if second:
        print(server.server_port, flush=True)
        sys.stdin.read()  # until the test ends
        for worker in (first, second):
            os.kill(worker, 9)
        sys.exit()
server.serve_forever()
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_server_that_loads_then_forks_loses_no_request(student, files):
    """The standard library's server in two children, as gunicorn with ``--preload``."""
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    process = subprocess.Popen(
        [sys.executable, "-c", PREFORK, str(FOLDER)],
        env={**environment, "STUDENT": str(files["wsgi_app"])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"

        def ask(i):
            body = json.dumps(X[i % 24 : i % 24 + 1].tolist()).encode()
            with urllib.request.urlopen(url, data=body, timeout=30) as response:
                return json.loads(response.read())["probabilities"][0]

        with ThreadPoolExecutor(4) as threads:
            found = np.array(list(threads.map(ask, range(200))))
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()
    expected = student.predict_proba(X)[np.arange(200) % 24]
    np.testing.assert_allclose(found, expected, atol=1e-5)
