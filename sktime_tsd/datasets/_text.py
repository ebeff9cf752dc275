"""Lines and numbers of text files."""

import codecs

import numpy as np

__all__ = ["BLANK", "CellError", "NotANumberError", "numbers", "text_lines"]

#: What is not part of a label or a name at its ends. Other white space, such as a no-break
#: space, is.
BLANK = " \t\r\n"

_MISSING = {"", "?", "na", "n/a", "#n/a", "nan", "null", "none"}


class CellError(ValueError):
    """A cell holds something else than it should.

    Parameters
    ----------
    position : int
        Of the cell among those read together.
    text : str
        Its content.
    """

    def __init__(self, position, text):
        super().__init__(position, text)
        self.position = position
        self.text = text


class NotANumberError(CellError):
    """A cell that should hold a number does not."""

    def __str__(self):
        hint = "; write decimal points" if self.text.count(",") == 1 else ""
        shown = repr(self.text if len(self.text) <= 30 else f"{self.text[:27]}...")
        return f"{shown} is not a number{hint}"


def text_lines(path):
    """Yield the lines of a text file, with their ends.

    Parameters
    ----------
    path : pathlib.Path
        A file in UTF-8, or in UTF-16 with a byte-order mark.

    Yields
    ------
    line : str

    Raises
    ------
    ValueError
        If the file is in another encoding, or no text.
    """
    with path.open("rb") as file:
        start = file.read(2)
    is_utf16 = start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    encoding = "utf-16" if is_utf16 else "utf-8-sig"
    try:
        with path.open(encoding=encoding, newline="") as file:
            for line in file:
                if "\0" in line:
                    raise ValueError(f"{path} is not a text file: it holds zero bytes.")
                yield line
    except UnicodeError as error:
        raise ValueError(f"{path} is not text in UTF-8; save it as UTF-8: {error}.") from error


def numbers(cells):
    """Read numbers. Missing values (an empty cell, ``?``, ``NA``, ``nan`` ...) become NaN.

    Parameters
    ----------
    cells : sequence of str

    Returns
    -------
    values : numpy.ndarray of shape (len(cells),), float64

    Raises
    ------
    NotANumberError
        If a cell is neither a number nor missing.
    """
    try:
        values = np.array(cells, dtype=np.float64)
    except ValueError:
        return np.array([_number(i, cell) for i, cell in enumerate(cells)], dtype=np.float64)
    joined = "".join(cells)
    if "_" in joined or not joined.isascii():  # Python reads 1_0 as ten, and other scripts' digits
        return np.array([_number(i, cell) for i, cell in enumerate(cells)], dtype=np.float64)
    return values


def _number(position, cell):
    text = cell.strip(BLANK)
    if text.lower() in _MISSING:
        return np.nan
    try:
        if "_" in text or not text.isascii():
            raise ValueError
        return float(text)
    except ValueError:
        raise NotANumberError(position, text) from None
