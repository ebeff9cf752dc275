"""Measurements as commands: that they run, and compare like with like."""

import re
import subprocess
import sys

import pytest

from sktime_tsd.benchmark import saliency


@pytest.fixture(scope="module")
def printed():
    """What the smallest run prints; its times mean nothing."""
    command = [sys.executable, "-m", "sktime_tsd.benchmark.saliency"]
    options = ["--repeats", "1", "--series", "2"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    return done.stdout


def test_every_network_is_compared_with_its_forward_pass(printed):
    forward, _ = printed.split("Time of others")
    for name in saliency.NETWORKS:
        assert len(re.findall(rf"{re.escape(name)} +(Zero|AnyClass)\(\)", forward)) == 2
    assert len(re.findall(r"\d+\.\d\d \[\d+\.\d\d, \d+\.\d\d\]", forward)) == 4 * len(
        saliency.NETWORKS
    )


def test_occlusion_of_the_same_windows_gives_the_same_values(printed):
    differences = re.findall(r"captum Occlusion .* (\d\.\de-\d+)", printed)
    assert len(differences) >= len(saliency.NETWORKS)
    assert max(map(float, differences)) < 1e-6


def test_what_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(saliency.importlib.util, "find_spec", lambda name: None)
    assert saliency._occlusions(None) == {}


@pytest.mark.parametrize("option", ["--repeats", "--series", "--threads"])
def test_nothing_to_measure_is_refused(option, capsys):
    with pytest.raises(SystemExit):
        saliency.main([option, "0"])
    assert option in capsys.readouterr().err
