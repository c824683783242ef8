"""What can go wrong, in words for the person in front of the window.

AppError                     something foreseen went wrong; carries what to tell and what to do
├── ModelError               a model cannot be opened or used
│   ├── ModelFileError       the file is missing, cut off, not a GGUF, or of another kind
│   ├── ModelMemoryError     there is no room for it in memory
│   ├── TemplateError        its chat template cannot be used
│   └── EngineError          llama.cpp failed while working
├── MessageTooLongError      one message alone does not fit the context
├── SettingError             a value is outside what its setting allows
├── StorageError             the database or a file of ours cannot be read or written
│   ├── DiskFullError        no room left on the disk
│   └── NewerDataError       the data was written by a newer version of the app
└── UsageError               the command line was used in a way it does not know

Stopping is not an error: a stopped reply ends with its own reason.
"""

from __future__ import annotations


class AppError(Exception):
    """Foreseen trouble, worded for people.

    title: what happened, in a few words without a full stop. detail: the facts in a sentence or two.
    hint: what to do next. Each may be shown as it is; none names a class or a line of code.
    """

    def __init__(self, title: str, detail: str = "", hint: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        return " ".join(part if part.endswith((".", "?", "!")) else part + "." for part in self.parts())

    def __reduce__(self) -> tuple[type[AppError], tuple[str, str, str]]:
        return type(self), (self.title, self.detail, self.hint)

    def parts(self) -> tuple[str, ...]:
        """Title, detail and hint, without the empty ones."""
        return tuple(part for part in (self.title, self.detail, self.hint) if part)


class ModelError(AppError):
    """A model cannot be opened or used."""


class ModelFileError(ModelError):
    """The model's file is missing, cut off, not a GGUF, or of a kind that is not understood."""


class ModelMemoryError(ModelError):
    """There is no room in memory for the model or its context."""


class TemplateError(ModelError):
    """A chat template cannot be used."""


class EngineError(ModelError):
    """llama.cpp failed while it worked."""


class MessageTooLongError(AppError):
    """One message alone is longer than the context; nothing was sent."""


class SettingError(AppError):
    """A value is outside what its setting allows."""


class StorageError(AppError):
    """The database, or another file of ours, cannot be read or written."""


class DiskFullError(StorageError):
    """No room is left on the disk."""


class NewerDataError(StorageError):
    """The data was written by a newer version of the app and is left alone."""


class UsageError(AppError):
    """The command line was used in a way it does not know."""
