"""Reads the files that a plan of an experiment names: prompts and questions, beside the plan or anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.core.errors import AppError, PlanError
from app.core.lab import Question

_LARGEST_BYTES = 64 << 20

Reader = Callable[[Path], Sequence[Question]]
"""Reads the questions in a file."""


class PlanFolder:
    """Files by their names in a plan, which are looked for in the plan's own folder."""

    def __init__(self, folder: Path, readers: Mapping[str, Reader]) -> None:
        """`readers` of questions by the end of the file's name, such as ".csv"."""
        self._folder = folder
        self._readers = readers

    def text(self, name: str) -> str:
        """The text of a file, without the line break at its end.

        Raises:
            PlanError: it cannot be read.
        """
        return read_text(self._folder / name).removesuffix("\n")

    def questions(self, name: str) -> Sequence[Question]:
        """The questions in a file.

        Raises:
            PlanError: it cannot be read, or is of a kind that nobody here reads.
        """
        path = self._folder / name
        reader = self._readers.get(path.suffix.lower())
        if reader is None:
            kinds = ", ".join(sorted(self._readers))
            raise PlanError(f"Questions cannot be read from {name}", f"Kinds of files: {kinds}.", "Give one of these.")
        try:
            return reader(path)
        except PlanError:
            raise
        except AppError as error:
            raise PlanError(error.title, error.detail, error.hint) from error


def read_text(path: Path) -> str:
    """A text file in UTF-8.

    Raises:
        PlanError: there is none, or it is no text.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise PlanError(f"{path.name} is too large", f"{path} has more than 64 MiB.", "Give a smaller file.")
        return path.read_text("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise PlanError(f"{path.name} cannot be read", f"{path}: {error.strerror}.", "Check the name.") from error
    except UnicodeDecodeError as error:
        raise PlanError(f"{path.name} is not a text", f"{path} is not in UTF-8.", "Save it as UTF-8.") from error
