"""Writers may be killed, disks be full: a model folder holds the old model or the new one."""

import errno
import itertools
import os
import random
import resource
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from children import in_child, needs_fork, run_in_child

from sktime_tsd import SkorchClassifier, load_model, save_model
from sktime_tsd.export import ModelFileError
from sktime_tsd.networks import FCN

pytestmark = needs_fork

FILES = ["README.md", "config.json", "model.safetensors"]
X = np.random.default_rng(0).normal(size=(3, 1, 24)).astype(np.float32)
PARAMS = {"filters": (4, 4), "kernel_sizes": (3, 3)}


def model(seed):
    torch.manual_seed(seed)
    network = FCN(1, 24, 2, **PARAMS)
    labels = [f"a{seed}", f"b{seed}"]
    return SkorchClassifier.from_module(
        network, labels, network="fcn", network_params=PARAMS, input_shape=(1, 24)
    )


OLD, NEW, NEXT = model(1), model(2), model(3)


def found(folder):
    """The model in a folder, which must be one of ours in all its parts."""
    loaded = load_model(folder, device="cpu")
    for saved in (OLD, NEW, NEXT):
        if loaded.classes_.tolist() == saved.classes_.tolist():
            np.testing.assert_array_equal(loaded.predict_logits(X), saved.predict_logits(X))
            return saved
    raise AssertionError(loaded.classes_)


def check_usable(folder, *, was_there):
    """Check that the folder holds a model, or none if there was none, and can be written to."""
    if was_there:
        assert found(folder) in (OLD, NEW)
    else:
        try:
            assert found(folder) is NEW
        except ModelFileError:
            save_model(NEW, folder)  # without overwrite
            assert found(folder) is NEW
    save_model(NEXT, folder, overwrite=True)
    assert found(folder) is NEXT
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert f"{NEXT.classes_[0]}" in (folder / "README.md").read_text()


def kill_at(k, folder):
    """Kill this process before its k-th operation on files of the folder, syncs included."""
    operations = itertools.count(1)

    def count(event, arguments):
        concerned = event != "import" and any(str(folder) in str(given) for given in arguments)
        if concerned and next(operations) == k:
            os.kill(os.getpid(), signal.SIGKILL)

    sync = os.fsync
    os.fsync = lambda number: count("os.fsync", (str(folder),)) or sync(number)
    sys.addaudithook(count)


def killed_at(k, folder):
    """Save the new model in a process that is killed; return whether it was."""

    def save():
        kill_at(k, folder)
        save_model(NEW, folder, overwrite=True)

    return run_in_child(save) == -signal.SIGKILL


@pytest.mark.parametrize("was_there", [True, False], ids=["overwriting", "new"])
@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_kills_at_file_operations(stride, was_there, tmp_path):
    for k in itertools.count(1, stride):
        folder = tmp_path / f"m{k}"
        if was_there:
            save_model(OLD, folder)
        if not killed_at(k, folder):
            break
        check_usable(folder, was_there=was_there)
    assert k > 30
    assert found(folder) is NEW


def test_kills_between_the_renames(tmp_path):
    save_model(OLD, tmp_path / "model")
    for k in range(1, 5):
        folder = shutil.copytree(tmp_path / "model", tmp_path / f"m{k}")

        def save(k=k, folder=folder):
            calls, replace = itertools.count(1), os.replace

            def killing(source, target):
                if next(calls) == k:
                    os.kill(os.getpid(), signal.SIGKILL)
                replace(source, target)

            os.replace = killing
            save_model(NEW, folder, overwrite=True)

        assert run_in_child(save) == -signal.SIGKILL
        assert found(folder) is (OLD if k <= 2 else NEW)
        check_usable(folder, was_there=True)


@pytest.mark.slow
def test_two_hundred_random_kills(tmp_path):
    folder = save_model(OLD, tmp_path / "model")
    rng = random.Random(0)

    def write():
        while True:
            for saved in (NEW, OLD):
                save_model(saved, folder, overwrite=True)

    for _ in range(200):
        child = in_child(write)
        time.sleep(rng.uniform(0.005, 0.1))
        child.kill()
        child.join()
        assert found(folder) in (OLD, NEW)
    check_usable(folder, was_there=True)


@pytest.mark.parametrize(
    ("n_loads", "n_writers"),
    [(60, 1), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((1000, 1), (200, 2)))],
)
def test_loads_beside_writers(n_loads, n_writers, tmp_path):
    folder = save_model(OLD, tmp_path / "model")

    def write():
        while True:
            for saved in (NEW, OLD):
                save_model(saved, folder, overwrite=True)

    children = [in_child(write) for _ in range(n_writers)]
    try:
        seen = {id(found(folder)) for _ in range(n_loads)}
    finally:
        for child in children:
            child.kill()
            child.join()
    assert seen == {id(OLD), id(NEW)}
    check_usable(folder, was_there=True)


OPERATIONS = [
    (os, "replace"),
    (os, "fsync"),
    (os, "chmod"),
    (os, "mkdir"),
    (Path, "write_bytes"),
    (Path, "mkdir"),
]


@pytest.mark.parametrize(
    ("error", "was_there"),
    [
        (OSError(errno.ENOSPC, "No space left"), True),
        pytest.param(OSError(errno.ENOSPC, "No space left"), False, marks=pytest.mark.slow),
        *(pytest.param(KeyboardInterrupt(), there, marks=pytest.mark.slow) for there in (0, 1)),
    ],
)
def test_every_operation_may_fail(error, was_there, tmp_path, monkeypatch):
    for k in range(1, 99):
        folder = tmp_path / f"m{k}"
        if was_there:
            save_model(OLD, folder)
        calls, failed = itertools.count(1), []

        def failing(real, k=k, calls=calls, failed=failed):
            def operation(*arguments, **options):
                if next(calls) == k:
                    failed.append(real.__name__)
                    if real.__name__ == "write_bytes":
                        real(arguments[0], arguments[1][:100])
                    raise error
                return real(*arguments, **options)

            return operation

        with monkeypatch.context() as patched:
            for owner, name in OPERATIONS:
                patched.setattr(owner, name, failing(getattr(owner, name)))
            with suppress(type(error)):
                save_model(NEW, folder, overwrite=True)
        if not failed:
            break
        if was_there:
            assert sorted(path.name for path in folder.iterdir()) == FILES
        check_usable(folder, was_there=was_there)
    assert k > 12


@pytest.mark.parametrize("limit", [0, 1000])
def test_a_full_disk(limit, tmp_path):
    folder = save_model(OLD, tmp_path / "model")
    (tmp_path / "said").touch()

    def save():
        with open(tmp_path / "said", "w") as said:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            try:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
                save_model(NEW, folder, overwrite=True)
            except Exception as error:
                resource.setrlimit(resource.RLIMIT_FSIZE, [resource.RLIM_INFINITY] * 2)
                said.write(type(error).__name__)

    run_in_child(save)
    assert (tmp_path / "said").read_text() == "OSError"
    assert found(folder) is OLD
    assert sorted(path.name for path in folder.iterdir()) == FILES


def test_a_power_cut_keeps_any_part_of_what_was_not_synced(tmp_path, monkeypatch):
    """A folder's entries may reach the disk in any order, up to the next sync of the folder."""
    folder = save_model(OLD, tmp_path / "model")
    on_disk = shutil.copytree(folder, tmp_path / "disk")
    synced, pending, n_checked = set(), [], 0
    replace, fsync = os.replace, os.fsync

    def cut():
        nonlocal n_checked
        for kept in itertools.product([True, False], repeat=len(pending)):
            state = tmp_path / "state"
            shutil.rmtree(state, ignore_errors=True)
            shutil.copytree(on_disk, state)
            for (content, source, target), is_kept in zip(pending, kept, strict=True):
                if is_kept:
                    (state / target).write_bytes(content)
                    if source.parent == folder:
                        (state / source.name).unlink()
            assert found(state) in (OLD, NEW)
            n_checked += 1

    def replaced(source, target):
        assert os.stat(source).st_ino in synced  # its contents are on the disk
        source, target = Path(source), Path(target)
        pending.append((source.read_bytes(), source, target.name))
        replace(source, target)
        cut()

    def fsynced(number):
        fsync(number)
        synced.add(os.fstat(number).st_ino)
        if os.fstat(number).st_ino == folder.stat().st_ino:
            pending.clear()
            shutil.rmtree(on_disk)
            shutil.copytree(folder, on_disk, ignore=shutil.ignore_patterns(".sktime_tsd-*"))

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replaced)
        patched.setattr(os, "fsync", fsynced)
        save_model(NEW, folder, overwrite=True)
    assert n_checked == 2 + 2 + 2 + 4
    assert pending == []
    assert found(on_disk) is NEW


def test_leftovers_of_killed_writers_are_swept(tmp_path):
    folder = save_model(OLD, tmp_path / "model")
    (folder / ".sktime_tsd-0" / "former").mkdir(parents=True)
    (folder / ".sktime_tsd-0" / "former" / "README.md").touch()
    (folder / f"model-{'a' * 64}.safetensors").write_bytes(b"half")
    assert found(folder) is OLD
    with pytest.raises(FileExistsError, match="overwrite=True"):
        save_model(NEW, folder)
    save_model(NEW, folder, overwrite=True)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    for name in FILES:
        (folder / name).unlink()
    (folder / f"model-{'a' * 64}.safetensors").write_bytes(b"half")
    check_usable(folder, was_there=False)


@pytest.mark.parametrize("n_moved", [1, 2, 3])
def test_what_version_0_1_0_leaves_when_killed_can_be_overwritten(n_moved, tmp_path):
    folder = save_model(OLD, tmp_path / "model")
    former = folder / ".sktime_tsd-0" / "former"
    former.mkdir(parents=True)
    for name in ["model.safetensors", "config.json", "README.md"][:n_moved]:
        (folder / name).rename(former / name)
    save_model(NEW, folder, overwrite=True)
    assert found(folder) is NEW
    assert sorted(path.name for path in folder.iterdir()) == FILES


def test_modes_are_kept(tmp_path):
    folder = save_model(OLD, tmp_path / "model")
    modes = {"README.md": 0o640, "config.json": 0o604, "model.safetensors": 0o600}
    for name, mode in modes.items():
        (folder / name).chmod(mode)
    folder.chmod(0o750)
    save_model(NEW, folder, overwrite=True)
    assert {name: (folder / name).stat().st_mode & 0o777 for name in FILES} == modes
    assert folder.stat().st_mode & 0o777 == 0o750


def test_configs_cannot_name_files_elsewhere_to_sweep(tmp_path):
    """The digest in a config is text of a stranger; it must lead to no other file."""
    from sktime_tsd.export._config import read_config, write_config

    folder = save_model(OLD, tmp_path / "model")
    config = read_config((folder / "config.json").read_bytes())
    del config["sha256"]
    config["weights"]["sha256"] = "/../../precious"
    (tmp_path / "precious.safetensors").write_text("precious")
    (folder / "config.json").write_bytes(write_config(config))
    with pytest.raises(ModelFileError):
        load_model(folder)
    (folder / "model-").mkdir()
    with pytest.raises(ModelFileError):
        load_model(folder)
    (folder / "model-").rmdir()
    save_model(NEW, folder, overwrite=True)
    assert (tmp_path / "precious.safetensors").read_text() == "precious"
