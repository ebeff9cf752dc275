"""Only regular files are read: a pipe would wait forever, a device never end."""

__all__ = ["check_regular_file"]


def check_regular_file(path):
    """Refuse a path that is no regular file.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    ValueError
        If there is no file, or it is a folder, a pipe or a device.
    """
    if path.is_file():
        return
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Name a file in it.")
    if path.exists():
        raise ValueError(f"{path} is not a regular file.")
    raise ValueError(f"There is no file {path}.")
