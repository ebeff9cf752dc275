"""Read protobuf messages, as far as ONNX files need it. Python alone."""

import struct

from sktime_tsd.runtime._model_files import ModelFileError

__all__ = ["Message", "floats", "integers"]

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


class Message:
    """The fields of a message, in the order of the file.

    Stricter than protobuf, so that no other reader finds anything else in the file: unknown wire
    types and overlong numbers are refused.

    Parameters
    ----------
    data : bytes or memoryview

    Attributes
    ----------
    fields : dict of int to list
        Values of each field: int, or memoryview for what has a length or a fixed size.

    Raises
    ------
    ModelFileError
        If the message is damaged.

    Examples
    --------
    >>> from sktime_tsd.runtime._protobuf import Message
    >>> Message(bytes.fromhex("089601 1a026869")).text(3)
    'hi'
    """

    __slots__ = ("fields",)

    def __init__(self, data):
        data, place, fields = memoryview(data), 0, {}
        length = len(data)
        while place < length:
            key, place = _varint(data, place)
            kind = key & 7
            if kind == _VARINT:
                value, place = _varint(data, place)
            else:
                if kind == _BYTES:
                    n_bytes, place = _varint(data, place)
                elif kind in (_FOUR_BYTES, _EIGHT_BYTES):
                    n_bytes = 4 if kind == _FOUR_BYTES else 8
                else:
                    raise ModelFileError("The file is damaged: it is not an ONNX file.")
                value = data[place : place + n_bytes]
                place += n_bytes
                if place > length:
                    raise ModelFileError("The file is damaged: it ends too early.")
            if key < 8:
                raise ModelFileError("The file is damaged: it is not an ONNX file.")
            fields.setdefault(key >> 3, []).append(value)
        self.fields = fields

    def all(self, number):
        """Return the values of a repeated field that holds messages, text or bytes."""
        values = self.fields.get(number, [])
        for value in values:
            if type(value) is not memoryview:
                raise ModelFileError("The file is damaged: a field is of the wrong type.")
        return values

    def one(self, number):
        """Return the value of a field that holds a message, or None.

        Protobuf would merge several; nobody writes that.
        """
        values = self.all(number)
        if len(values) > 1:
            raise ModelFileError("The file is damaged: a field occurs twice.")
        return values[0] if values else None

    def integer(self, number, default=0):
        """Return the value of a field that holds a number."""
        value = self.fields.get(number, [default])[-1]
        if type(value) is not int:
            raise ModelFileError("The file is damaged: a field is of the wrong type.")
        return _signed(value)

    def text(self, number):
        """Return the value of a field that holds text; empty if there is none."""
        values = self.all(number)
        return _text(values[-1]) if values else ""

    def texts(self, number):
        """Return the values of a repeated field that holds text."""
        return [_text(value) for value in self.all(number)]


def _text(value):
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise ModelFileError(f"The file is damaged: {error}.") from error


def integers(values):
    """Read a repeated field of integers, packed or not.

    Parameters
    ----------
    values : list of int or memoryview

    Returns
    -------
    numbers : list of int
    """
    numbers = []
    for value in values:
        if type(value) is int:
            numbers.append(_signed(value))
            continue
        place = 0
        while place < len(value):
            number, place = _varint(value, place)
            numbers.append(_signed(number))
    return numbers


def floats(values):
    """Read a repeated field of float32, packed or not.

    Parameters
    ----------
    values : list of memoryview

    Returns
    -------
    numbers : list of float
    """
    data = b"".join(value for value in values if type(value) is memoryview)
    return list(struct.unpack(f"<{len(data) // 4}f", data[: len(data) // 4 * 4]))


def _varint(data, place):
    try:
        byte = data[place]
        if byte < 128:  # most are
            return byte, place + 1
        number, shift = byte & 127, 7
        while byte >= 128:
            place += 1
            byte = data[place]
            number |= (byte & 127) << shift
            shift += 7
    except IndexError:
        raise ModelFileError("The file is damaged: it ends too early.") from None
    if number >= 2**64:
        raise ModelFileError("The file is damaged: a number is too long.")
    return number, place + 1


def _signed(number):
    return number - 2**64 if number >= 2**63 else number
