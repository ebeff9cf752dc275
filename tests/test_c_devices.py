"""C files on microcontrollers, as far as qemu goes; needs a cross compiler and qemu."""

import shutil
import subprocess
from pathlib import Path

import pytest
from c_programs import classifier, classifier_of

from sktime_tsd import to_c
from sktime_tsd.networks import FCN

BOARD = Path(__file__).parent / "data" / "mps2"

# ARMv7-M runs the code of a Cortex-M0+ too; qemu has no board with one
DEVICES = {
    "Cortex-M0+": ("mps2-an385", "-mcpu=cortex-m0plus"),
    "Cortex-M4": ("mps2-an386", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
    "Cortex-M7": ("mps2-an500", "-mcpu=cortex-m7", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard"),
}

GCC, QEMU = shutil.which("arm-none-eabi-gcc"), shutil.which("qemu-system-arm")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (GCC and QEMU),
        reason="needs arm-none-eabi-gcc, newlib and qemu-system-arm (Debian: gcc-arm-none-eabi, "
        "libnewlib-arm-none-eabi, qemu-system-arm)",
    ),
]


def run(command):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("network", ["fcn", "lstm", "inception_time"])
def test_the_answers_on_a_board_are_right(network, device, tmp_path):
    board, *options = DEVICES[device]
    clf = classifier_of(network, n_channels=2, n_timepoints=40, n_classes=3)
    path = to_c(clf, tmp_path / "student.c", test=True)
    program = tmp_path / "student.elf"
    sources = [BOARD / "start.c", path, tmp_path / "student_test.c"]
    warnings = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"]
    run([GCC, *options, "-mthumb", "-Os", "-c", *warnings, path, "-o", tmp_path / "student.o"])
    linked = ["--specs=rdimon.specs", "-T", BOARD / "board.ld", *sources, "-o", program, "-lm"]
    run([GCC, *options, "-mthumb", "-Os", *linked])
    emulated = [QEMU, "-M", board, "-nographic", "-semihosting", "-kernel", program]
    assert run(emulated).startswith("0 of ")


def test_the_cost_is_that_of_a_cortex_m4(tmp_path):
    clf = classifier(FCN(1, 150, 2, filters=(8, 16, 8)), (1, 150))
    cost = to_c(clf, tmp_path / "student.c").cost
    assert cost.compiled_for == "Cortex-M4, arm-none-eabi-gcc -Os"
    assert cost.weight_bytes + cost.code_bytes < 6000
    assert cost.stack_bytes < 1000
