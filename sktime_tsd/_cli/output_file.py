"""The file that a command writes: never one that it reads."""

__all__ = ["check_output_file", "check_output_option"]


def check_output_file(path, inputs, *, overwrite):
    """Refuse a file that cannot or must not be written. Takes no time, so it can come first.

    Parameters
    ----------
    path : pathlib.Path
        What ``--out`` names.
    inputs : list of pathlib.Path
        Files and folders that the command reads.
    overwrite : bool
        Whether ``--overwrite`` is set.

    Raises
    ------
    ValueError
        If the folder does not exist, or the path is a folder, a device, one of the inputs, also
        through a link, or an existing file and `overwrite` is False.
    """
    if not path.parent.is_dir():
        raise ValueError(f"--out {path}: there is no folder {path.parent}; create it first")
    if not path.exists():
        return
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "no regular file"
        raise ValueError(f"--out {path} is {kind}; name a file")
    for read in inputs:
        parts = [read, *read.rglob("*")] if read.is_dir() else [read]
        if any(part.exists() and part.samefile(path) for part in parts):
            raise ValueError(f"--out {path} would replace {read}, which is read; name another file")
    if not overwrite:
        raise ValueError(f"--out {path} exists; add --overwrite to replace it")


def check_output_option(options, inputs):
    """Check the file of ``--out``, if it is given; ``--overwrite`` alone is a mistake.

    Parameters
    ----------
    options : argparse.Namespace
        With ``out`` and ``overwrite``.
    inputs : list of pathlib.Path
        See `check_output_file`.

    Raises
    ------
    ValueError
        See `check_output_file`.
    """
    if options.out is not None:
        check_output_file(options.out, inputs, overwrite=options.overwrite)
    elif options.overwrite:
        raise ValueError("--overwrite needs --out, the file to replace")
