"""Single files are written all at once, keep their mode, and leave nothing behind."""

import os
import resource
import signal

import pytest

from sktime_tsd import SkorchClassifier, to_onnx
from sktime_tsd._utils.staged_file import staged_file
from sktime_tsd.networks import FCN
from sktime_tsd.runtime import OnnxClassifier

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


def killed_while_writing(path):
    if (child := os.fork()) == 0:
        with staged_file(path) as new:
            new.write_text("half of")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_killed_writer_leaves_the_former_file_and_the_next_one_sweeps(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("former")
    killed_while_writing(path)
    killed_while_writing(tmp_path / "other.csv")
    assert path.read_text() == "former"
    mine = tmp_path / ".sktime_tsd_file-a.csv-mine"
    mine.mkdir()
    assert len(list(tmp_path.iterdir())) == 4
    with staged_file(path) as new:
        new.write_text("first")
        with staged_file(path) as other:  # does not sweep a living one
            other.write_text("second")
    assert path.read_text() == "first"
    with staged_file(tmp_path / "other.csv") as new:
        new.write_text("other")
    assert sorted(path.name for path in tmp_path.iterdir()) == [mine.name, "a.csv", "other.csv"]


def test_modes_are_kept_and_failures_leave_nothing(tmp_path):
    path = tmp_path / "a.csv"
    with staged_file(path) as new:
        new.write_text("former")
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask
    path.chmod(0o600)
    with pytest.raises(FileNotFoundError), staged_file(path):
        pass
    assert path.read_text() == "former"
    with staged_file(path) as new:
        new.write_text("new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_full_disk_is_not_blamed_on_the_network(tmp_path, monkeypatch):
    clf = SkorchClassifier.from_module(FCN(1, 12, 2, (4,), (3,)), [0, 1], input_shape=(1, 12))
    path = to_onnx(clf, tmp_path / "a.onnx")
    path.chmod(0o600)
    before = path.read_bytes()
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, former[1]))
        with pytest.raises(OSError, match="large"):
            to_onnx(clf, path, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]
    to_onnx(clf, path, overwrite=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert OnnxClassifier(path).classes_.tolist() == [0, 1]
    # room for the file, none for what the exporters write
    n_writes = []

    def full(path, content):
        n_writes.append(len(content))
        if len(n_writes) > 2:
            raise OSError("No space left on device")

    def fails(*arguments):
        raise RuntimeError("write failed")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    monkeypatch.setattr("sktime_tsd.export._onnx._export_program", fails)
    with pytest.raises(OSError, match="No space"):
        to_onnx(clf, path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]
