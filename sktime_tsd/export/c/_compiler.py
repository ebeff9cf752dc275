"""The machine's C compiler, if there is one."""

import os
import shlex
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

__all__ = ["CompileError", "c_compiler", "compile_program", "object_sizes", "run_program"]

_WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-pedantic")

# Known names, the usual one first. zig brings a C compiler of its own.
_NAMES = (["cc"], ["gcc"], ["clang"], ["zig", "cc"], ["tcc"])

_TRIAL = "#include <math.h>\nint main(int n, char **v) { (void)v; return expf((float)n) < 0; }\n"

# Limits of a compiler's and of a program's run.
_SECONDS = 600


class CompileError(Exception):
    """A C compiler has refused a program, or the program has failed. Says why."""


def c_compiler():
    """Find a C compiler that makes programs that run here.

    Returns
    -------
    command : tuple of str or None
        What the variable ``CC`` names, or the first of cc, gcc, clang, zig cc and tcc that works.
    """
    return _working_compiler(os.environ.get("CC", ""), os.environ.get("PATH", ""))


@lru_cache(maxsize=8)
def _working_compiler(named, path):
    commands = [shlex.split(named)] if named else _NAMES
    for command in commands:
        if shutil.which(command[0], path=path) is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "trial.c"
            source.write_text(_TRIAL)
            try:
                program = compile_program(tuple(command), [source], Path(folder) / "trial")
                _run([program], folder)
            except CompileError:
                continue
        return tuple(command)
    return None


def compile_program(compiler, sources, program, *options):
    """Compile a program, as C99 with all warnings.

    Parameters
    ----------
    compiler : tuple of str
    sources : list of pathlib.Path
    program : pathlib.Path
    *options : str
        For the compiler, in addition.

    Returns
    -------
    program : str
        What to run.

    Raises
    ------
    CompileError
        If there is an error.
    """
    libraries = [] if os.name == "nt" else ["-lm"]
    command = [*compiler, *_WARNINGS, "-O2", *options, *map(str, sources), "-o", str(program)]
    _run([*command, *libraries], Path(program).parent)
    return str(program)


def _run(command, folder, seconds=_SECONDS):
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CompileError(f"{command[0]}: {error}") from error
    if done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise CompileError(f"{Path(command[0]).name} ended with {done.returncode}: {said[-800:]}")
    return done.stdout


def run_program(program, *arguments, seconds):
    """Run a program.

    Parameters
    ----------
    program : str
    *arguments : str
    seconds : float
        How long it may take.

    Raises
    ------
    CompileError
        If it fails.
    """
    _run([program, *map(str, arguments)], Path(program).parent, seconds)


def object_sizes(compiler, source, name, *options):
    """Compile a file for size, and measure its machine code and its use of the stack.

    Parameters
    ----------
    compiler : tuple of str
    source : pathlib.Path
    name : str
        First part of public names.
    *options : str
        For the compiler, in addition.

    Returns
    -------
    text_bytes : int or None
        Machine code and constants. None if the compiler's tools cannot tell.
    stack_bytes : int or None
        Of the deepest chain of calls: a public function, the network, a layer, a helper. None
        if the compiler does not tell.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "student.o"
        command = [*compiler, "-std=c99", "-Os", *options, "-c", str(source), "-o", str(target)]
        try:
            _run([*command, "-fstack-usage"], folder)
        except CompileError:
            try:
                _run(command, folder)
            except CompileError:
                return None, None
        usage = target.with_suffix(".su")
        frames = _frames(usage.read_text(), name) if usage.exists() else None
        try:
            text = _run([_size_tool(compiler), str(target)], folder).decode().split("\n")[1]
        except CompileError:
            return None, frames
        return int(text.split()[0]), frames


def _size_tool(compiler):
    name = Path(compiler[0]).name
    for ending in ("gcc", "cc", "clang"):
        if name.endswith("-" + ending):
            return compiler[0][: -len(ending)] + "size"
    return "size"


def _frames(usage, name):
    frames = {}
    for line in usage.splitlines():
        place, n_bytes, _ = line.split("\t")
        frames[place.rsplit(":", 1)[1]] = int(n_bytes)
    network = frames.pop("compute", 0)
    public = [n for function, n in frames.items() if function.startswith(f"{name}_")]
    others = sorted(n for function, n in frames.items() if not function.startswith(f"{name}_"))
    return max(public, default=0) + network + sum(others[-2:])
