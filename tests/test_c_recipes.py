"""The programs of the guide's page on microcontrollers, compiled and, where possible, run."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_programs import classifier_of, compiled, needs_compiler, series

import sktime_tsd
from sktime_tsd import to_c

PAGE = Path(sktime_tsd.__file__).parents[1] / "docs" / "user_guide" / "microcontroller.md"
CORE = Path("/usr/share/arduino/hardware/arduino/avr")  # Debian: arduino-core-avr

pytestmark = pytest.mark.skipif(
    not PAGE.exists(), reason="the package is installed without its documentation"
)

STUB = """
#include <stdlib.h>
enum { A0 = 14 };
struct Port { void begin(long); void println(const char *); };
extern Port Serial;
int analogRead(int);
void delay(unsigned long);
"""


def program(language):
    (code,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return code


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    clf = classifier_of("fcn", n_channels=2, n_timepoints=12, n_classes=3)
    return clf, to_c(clf, tmp_path_factory.mktemp("recipes") / "student.c", stride=4)


@needs_compiler
def test_the_program_for_a_computer(exported):
    clf, path = exported
    source = path.with_name("program.c")
    source.write_text(program("c"))
    executable = compiled([source, path], path.with_name("program"))
    X = series(1, clf)
    done = subprocess.run(
        [executable],
        input=" ".join(map(str, X.ravel())),
        capture_output=True,
        text=True,
        check=True,
    )
    labels, probabilities = zip(
        *(line.rsplit(" ", 1) for line in done.stdout.splitlines()), strict=True
    )
    assert list(labels) == clf.classes_.tolist()
    np.testing.assert_allclose(np.float64(probabilities), clf.predict_proba(X)[0], atol=1e-5)


@needs_compiler
@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++")
def test_the_sketch_against_a_stub(exported):
    _, path = exported
    sketch = path.with_name("sketch.cpp")
    sketch.write_text(STUB + program("cpp"))
    command = ["g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", sketch]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@needs_compiler
@pytest.mark.skipif(
    shutil.which("avr-g++") is None or not CORE.is_dir(),
    reason="needs Arduino's AVR tool chain (Debian: gcc-avr, avr-libc, arduino-core-avr)",
)
def test_the_sketch_for_an_arduino_mega(exported):
    _, path = exported
    sketch = path.with_name("sketch.ino")
    sketch.write_text(program("cpp"))
    chip = ["-mmcu=atmega2560", "-DF_CPU=16000000L", "-DARDUINO=10819", "-Os", "-c"]
    folders = [f"-I{CORE / 'cores' / 'arduino'}", f"-I{CORE / 'variants' / 'mega'}"]
    for command in (
        ["avr-g++", *chip, *folders, "-include", "Arduino.h", "-x", "c++", sketch],
        ["avr-gcc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", *chip, path],
    ):
        target = path.with_name("arduino.o")
        done = subprocess.run([*command, "-o", target], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
