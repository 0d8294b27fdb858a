"""Vectors from the database as one array, without a Python number in between."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from django.db.models import BinaryField, F, Func

Floats = npt.NDArray[np.float32]

HEADER_BYTES = 4  # pgvector's binary form: dimensions and a reserved word, then big-endian half floats


class HalfVectorBytes(Func):
    """SQL for the binary form of a halfvec column. (As text, a vector takes fifty times as long to read.)"""

    function = "halfvec_send"
    output_field = BinaryField()

    def __init__(self, column: str) -> None:
        super().__init__(F(column))


def unit_rows(raw: Sequence[bytes], dimensions: int) -> Floats:
    """Rows of length 1 (n, dimensions) from the binary forms; a zero vector stays zero."""
    matrix = np.empty((len(raw), dimensions), dtype=np.float32)
    for row, data in enumerate(raw):
        matrix[row] = np.frombuffer(data, dtype=">f2", offset=HEADER_BYTES)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True).clip(min=1e-6)
    return matrix
