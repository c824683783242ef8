"""What is offered to the person when a model stopped working: the reason, a button that goes on, and the report."""

from __future__ import annotations

from collections.abc import Callable

from app.core.errors import AppError, EngineDiedError, ModelMemoryError, PutAsideError
from app.services.notice import Notice

LOAD_AGAIN = "Load it again"
TRY_ONCE_MORE = "Try it once more"


def remedy(error: AppError | None, *, put_aside: bool) -> str:
    """The words on the button that loads the model again; "" where that alone would not help.

    Where a GPU's memory ran out it helps: the next time less is put there.
    """
    if isinstance(error, ModelMemoryError) and error.gpu_layers:
        return LOAD_AGAIN
    if not isinstance(error, EngineDiedError | PutAsideError):
        return ""
    return TRY_ONCE_MORE if put_aside else LOAD_AGAIN


def report_of(error: AppError | None) -> str:
    """What can be passed on to those who could mend it; "" where there is nothing but the sentence."""
    return error.report if isinstance(error, EngineDiedError | PutAsideError) else ""


def trouble(error: AppError, words: str, reload: Callable[[], None], again: Callable[[], None] | None) -> Notice:
    """The notice about an error. `reload` loads the model again, which a button with these `words` does, if any.

    `again` does once more what was wanted of the model.
    """
    if words:
        return Notice.of(error, ((words, reload),), report_of(error))
    return Notice.of(error, (("Try again", again),) if again is not None else ())
