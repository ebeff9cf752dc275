"""What a C file costs on a device."""

from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["CCost", "CSource"]


@dataclass(frozen=True)
class CCost:
    """What a C file costs. Lower is cheaper.

    Parameters
    ----------
    weight_bytes : int
        Constants: weights, biases and scaling.
    code_bytes : int or None
        Machine code of the file, without these constants, for `compiled_for`. None if it was
        not compiled. The compiler's own ``expf`` and the like come on top.
    stack_bytes : int
        Stack of one call, with the buffers on the stack. Without a compiler that tells it, the
        buffers alone.
    static_bytes : int
        Memory that is kept from call to call: 0, or the recording of `student_push`.
    multiply_adds : int
        Multiplications with an addition, for one answer.
    buffer_bytes : int
        The part of `stack_bytes` that moves to static memory with ``STUDENT_STATIC_BUFFERS``.
    compiled_for : str
        What `code_bytes` and `stack_bytes` were measured with; "" if nothing was.
    int8 : bool
        Whether weights have 8 bits.
    """

    weight_bytes: int
    code_bytes: int | None
    stack_bytes: int
    static_bytes: int
    multiply_adds: int
    buffer_bytes: int
    compiled_for: str = ""
    int8: bool = False

    def to_dict(self):
        """Return the numbers by name.

        Returns
        -------
        numbers : dict
        """
        return asdict(self)

    def __str__(self):
        kind = "8 bits" if self.int8 else "float"
        code = "not measured" if self.code_bytes is None else f"{self.code_bytes:,} bytes"
        compiled = f" ({self.compiled_for})" if self.compiled_for else ""
        frames = "" if self.compiled_for else ", and a few frames"
        return "\n".join(
            (
                f"Weights ({kind}): {self.weight_bytes:,} bytes",
                f"Code: {code}{compiled}",
                f"Stack: {self.stack_bytes:,} bytes, {self.buffer_bytes:,} of them buffers{frames}",
                f"Static memory: {self.static_bytes:,} bytes",
                f"Multiply-adds per answer: {self.multiply_adds:,}",
            )
        )


class CSource(type(Path())):
    """Path of a C file, with what it costs.

    Attributes
    ----------
    cost : CCost or None
        None for a path made of this one, such as its parent.
    """

    cost = None

    @classmethod
    def of(cls, path, cost):
        """Make the path of a file that costs this.

        Parameters
        ----------
        path : pathlib.Path
        cost : CCost

        Returns
        -------
        path : CSource
        """
        source = cls(path)
        source.cost = cost
        return source
