"""The status page's server: it says what the ledger says, to this machine only, and harms nothing."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rfdn_video.batch.ledger import Ledger, ledger_path
from rfdn_video.batch.serving import app, connections
from rfdn_video.batch.serving.address import Address, parse_address
from rfdn_video.batch.serving.server import serving
from rfdn_video.batch.sources import Source
from rfdn_video.cli.main import main
from rfdn_video.errors import UsageError
from rfdn_video.stamp import Stamp

type Clip = Callable[..., bytes]
type Start = Callable[..., Any]

NAMES = {"queued": "later.mp4", "running": "<i>now</i> & 'then'.mp4", "done": "done.mp4", "failed": "bad.mp4"}


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """Of a batch that has one file in each state, and two that failed."""
    with closing(Ledger(tmp_path, create=True)) as ledger:
        run = ledger.begin_run(2)
        entries = {}
        for number, (state, name) in enumerate([*NAMES.items(), ("failed", "worse.mp4")]):
            source = Source(tmp_path / "in" / name, Path(), Path(name).stem)
            entry = ledger.queue(source, "settings", source.stem, Stamp(1000 * (number + 1), 1), run)
            entries[name] = entry.id
            if state != "queued":
                ledger.start(entry, number % 2, f"cuda:{number % 2}")
        ledger.advance(entries[NAMES["running"]], 25, 100, 12.5)
        ledger.advance(entries["done.mp4"], 40, 40, 3.0)
        (tmp_path / "done_x2.mp4").write_bytes(b"12345")
        ledger.finish(entries["done.mp4"], "content", tmp_path / "done_x2.mp4", "digest")
        ledger.fail(entries["bad.mp4"], 3, "bad.mp4: empty file", None)
        ledger.fail(entries["worse.mp4"], 6, "worse.mp4: the device was lost", None)
    return tmp_path


@pytest.fixture
def url(destination: Path) -> Iterator[str]:
    with serving(Address("127.0.0.1", 0), destination) as url:
        yield url


def get(url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 (ours)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.status, answer.read().decode(), dict(answer.headers)
    except HTTPError as error:
        with error:
            return error.code, error.read().decode(), dict(error.headers)


def metrics(url: str) -> dict[str, float]:
    status, text, headers = get(url + "metrics")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return {
        sample.name + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_status_says_what_the_ledger_says(url: str, destination: Path) -> None:
    code, text, headers = get(url + "status.json")
    status = json.loads(text)
    assert (code, headers["content-type"]) == (200, "application/json")
    assert status["counts"] == {"queued": 1, "running": 1, "done": 1, "failed": 2}
    assert status["alive"]
    [running] = status["running"]
    assert running["input"] == str(destination / "in" / NAMES["running"])
    assert (running["frames"], running["total"], running["fps"], running["eta_seconds"]) == (25, 100, 12.5, 6.0)
    assert (running["worker"], running["device"]) == (1, "cuda:1")
    [done] = status["done"]
    assert (done["input_bytes"], done["output_bytes"]) == (3000, 5)
    reasons = {entry["exit_code"]: (entry["reason"], entry["advice"]) for entry in status["failed"]}
    assert reasons[3][0] == "bad.mp4: empty file"
    assert "--salvage" in reasons[3][1]
    assert "--device cpu" in reasons[6][1]


def test_the_metrics_are_those_of_the_ledger(url: str) -> None:
    found = metrics(url)
    states = {"queued": 1, "running": 1, "delivering": 0, "done": 1, "failed": 2}
    assert {state: found[f"rfdn_batch_files state={state}"] for state in states} == states
    assert (found["rfdn_batch_failures exit_code=3"], found["rfdn_batch_failures exit_code=6"]) == (1, 1)
    assert (found["rfdn_batch_frames_total"], found["rfdn_batch_input_bytes_total"]) == (40, 3000)
    assert found["rfdn_batch_output_bytes_total"] == 5
    assert found["rfdn_batch_worker_fps device=cuda:1 worker=1"] == 12.5
    assert found["rfdn_batch_worker_progress_ratio device=cuda:1 worker=1"] == 0.25
    assert found["rfdn_batch_up"] == 1
    # by bytes: 3000, 4000 and 5000 are over, a quarter of 2000 is done
    assert found["rfdn_batch_progress_ratio"] == pytest.approx(12500 / 15000)
    assert found["rfdn_batch_eta_seconds"] > 0
    assert abs(found["rfdn_batch_last_beat_seconds"] - time.time()) < 60


def test_a_batch_that_is_not_seen_any_more_is_not_healthy(url: str, destination: Path) -> None:
    assert get(url + "healthz")[:2] == (200, "ok\n")
    with closing(sqlite3.connect(ledger_path(destination), autocommit=True)) as database:
        database.execute("UPDATE runs SET beat = beat - 61")
    assert get(url + "healthz")[:2] == (503, "no batch is at work\n")
    assert metrics(url)["rfdn_batch_up"] == 0
    assert not json.loads(get(url + "status.json")[1])["alive"]


def test_every_answer_forbids_what_comes_from_elsewhere(url: str) -> None:
    for path, code in {"status.json": 200, "metrics": 200, "healthz": 200, "nothing": 404}.items():
        status, _, headers = get(url + path)
        assert status == code
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_only_this_machines_own_names_are_answered(url: str) -> None:
    """A page of the web that has its name point here must read nothing."""
    assert get(url + "status.json", Host="evil.example")[0] == 400
    assert get(url + "status.json", Host="localhost:1")[0] == 200


@pytest.mark.parametrize("number", ["9" * 5000, "-1", "x", "1"])
def test_pictures_that_are_not_there(url: str, number: str) -> None:
    assert get(f"{url}thumbnails/{number}/before.jpg")[0] == 404


def test_what_goes_wrong_in_it_stays_in_it(url: str, destination: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = ledger_path(destination)
    whole = ledger.rename(ledger.with_suffix(".kept"))
    assert get(url + "status.json")[0] == get(url + "metrics")[0] == 503
    ledger.write_bytes(b"words" * 999)
    assert get(url + "healthz")[0] == 503
    whole.rename(ledger)
    with monkeypatch.context() as patch:
        patch.setattr(app, "read_status", lambda *_, **__: 1 / 0)
        assert get(url + "status.json")[0] == 500
    with socket.create_connection(("127.0.0.1", int(url.split(":")[2].strip("/")))) as connection:
        connection.sendall(b"\0\xff not HTTP at all\r\n\r\n")
        assert b"400" in connection.recv(100)
    assert get(url + "status.json")[0] == 200


def test_it_stops_even_while_somebody_is_connected(destination: Path) -> None:
    with serving(Address("127.0.0.1", 0), destination) as url:
        connection = socket.create_connection(("127.0.0.1", int(url.split(":")[2].strip("/"))))
        connection.sendall(b"GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" in connection.recv(1000)
    connection.close()
    with pytest.raises(URLError):
        get(url)


def test_who_connects_and_says_nothing_is_turned_away(destination: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch, whose descriptors are the same, is not to run out of them."""
    monkeypatch.setattr(connections, "SILENCE", 1.0)
    with serving(Address("127.0.0.1", 0), destination) as url, ExitStack() as stack:
        place = ("127.0.0.1", int(url.split(":")[2].strip("/")))
        silent = [stack.enter_context(socket.create_connection(place, timeout=20)) for _ in range(2 * connections.MOST)]
        assert [connection.recv(1) for connection in silent] == [b""] * len(silent)
        assert get(url)[0] == 200


@pytest.mark.parametrize(
    ("text", "address", "loopback"),
    [
        ("8080", Address("127.0.0.1", 8080), True),
        ("localhost:0", Address("localhost", 0), True),
        ("0.0.0.0:80", Address("0.0.0.0", 80), False),  # noqa: S104
        ("[::1]:80", Address("::1", 80), True),
        ("box.lan:80", Address("box.lan", 80), False),
    ],
)
def test_addresses(text: str, address: Address, loopback: bool) -> None:
    assert parse_address(text) == address
    assert address.is_loopback == loopback


@pytest.mark.parametrize("text", ["", "x", "65536", "-1", ":80", "host", "8o80"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match="HOST:PORT"):
        parse_address(text)


def test_a_taken_port_is_told_before_anything_is_done(
    tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.mp4").write_bytes(clip())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["batch", str(tmp_path), "-o", str(tmp_path / "out"), "--serve", port]) == 2
    assert f"--serve 127.0.0.1:{port}: Address already in use; give another port" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_extra_is_named_where_it_is_absent(
    destination: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["batch", "status", str(destination), "--serve", "0"]) == 2
    assert "pip install 'rfdn-video[serve]'" in capsys.readouterr().err


def test_a_running_batch_shows_itself_and_takes_the_server_with_it(tmp_path: Path, clip: Clip, start: Start) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(b"words")
    (folder / "b.mp4").write_bytes(clip(600))
    with start(folder, "-o", out, "--serve", "0") as process:
        events = (json.loads(line) for line in process.stdout)
        url = next(event["url"] for event in events if event["event"] == "serving")
        next(event for event in events if event["event"] == "progress" and event["frames"])
        status = json.loads(get(url + "status.json")[1])
        assert [Path(entry["input"]).name for entry in status["running"]] == ["b.mp4"]
        assert status["running"][0]["fps"] > 0
        assert [Path(entry["input"]).name for entry in status["failed"]] == ["a.mp4"]
        assert get(url + "healthz")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
        with pytest.raises(URLError):
            get(url)


def test_after_a_kill_another_process_shows_the_truth(tmp_path: Path, clip: Clip, start: Start) -> None:
    (tmp_path / "a.mp4").write_bytes(clip(600))
    with start(tmp_path / "a.mp4", "-o", tmp_path) as process:
        next(line for line in process.stdout if json.loads(line)["event"] == "progress")
        process.kill()
        process.wait()
    before = ledger_path(tmp_path).read_bytes()
    command = [sys.executable, "-m", "rfdn_video", "batch", "status", str(tmp_path), "--serve", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as viewer:
        url = viewer.stderr.readline().removeprefix("status page: ").strip()
        [running] = json.loads(get(url + "status.json")[1])["running"]
        assert (running["input"], running["state"]) == (str(tmp_path / "a.mp4"), "running")
        viewer.send_signal(signal.SIGINT)
        assert viewer.wait(20) == 130
    assert ledger_path(tmp_path).read_bytes() == before
