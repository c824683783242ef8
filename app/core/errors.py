"""What can go wrong, in words for the person in front of the window.

AppError                     something foreseen went wrong; carries what to tell and what to do
├── ModelError               a model cannot be opened or used
│   ├── ModelFileError       the file is missing, cut off, not a GGUF, or of another kind
│   │   └── PutAsideError    it cost processes, and is loaded again when the person asks for it
│   ├── ModelMemoryError     there is no room for it in memory
│   ├── TemplateError        its chat template cannot be used
│   └── EngineError          llama.cpp failed while working
│       └── EngineDiedError  the engine's process ended in the middle of its work
├── HubError                 the Hub, or the way to it, does not give what was asked for
│   ├── HubUnreachableError  no answer: offline, down, too slow, or a portal in between; passes
│   ├── HubBusyError         it asks to come back later; passes
│   ├── HubNotFoundError     there is no such repository, revision or file, or it is private
│   ├── HubGatedError        its licence must be accepted first, or access was not granted
│   ├── HubTokenError        the access token was refused
│   └── NotRunnableError     a repository without anything that llama.cpp runs
├── DownloadError            a file cannot be downloaded or kept
│   ├── FileChangedError     the Hub has another file under this name than was listed
│   ├── MismatchError        the bytes are not the ones that the Hub lists, twice
│   ├── DownloadBusyError    another program is downloading this very file
│   └── NoRoomError          the disk or folder cannot hold it
├── MessageTooLongError      one message alone does not fit the context
├── ContextFullError         turns would have to be left out, and the person wants to be asked first
├── SettingError             a value is outside what its setting allows
├── StorageError             the database or a file of ours cannot be read or written
│   ├── DiskFullError        no room left on the disk
│   └── NewerDataError       the data was written by a newer version of the app
└── UsageError               the command line was used in a way it does not know
    └── PlanError            the plan of an experiment cannot be understood

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

    def __reduce__(self) -> tuple[type[AppError], tuple[str, str, str], dict[str, object]]:
        return type(self), (self.title, self.detail, self.hint), self.__dict__

    def parts(self) -> tuple[str, ...]:
        """Title, detail and hint, without the empty ones."""
        return tuple(part for part in (self.title, self.detail, self.hint) if part)


class ModelError(AppError):
    """A model cannot be opened or used."""


class ModelFileError(ModelError):
    """The model's file is missing, cut off, not a GGUF, or of a kind that is not understood."""


class PutAsideError(ModelFileError):
    """The file ended the engine's process too often, or in its trial. report: what is known of it, for a bug report."""

    def __init__(self, title: str, detail: str = "", hint: str = "", report: str = "") -> None:
        super().__init__(title, detail, hint)
        self.report = report


class ModelMemoryError(ModelError):
    """There is no room in memory for the model or its context.

    gpu_layers: so many layers were to be on a GPU, whose memory ran out; 0 where it was main memory.
    """

    def __init__(self, title: str, detail: str = "", hint: str = "", *, gpu_layers: int = 0) -> None:
        super().__init__(title, detail, hint)
        self.gpu_layers = gpu_layers


class TemplateError(ModelError):
    """A chat template cannot be used."""


class EngineError(ModelError):
    """llama.cpp failed while it worked."""


class EngineDiedError(EngineError):
    """The engine's process ended by itself. report: what is known of it, for the log and a bug report.

    gpu_layers: so many layers were on a GPU; None where some may have been, but nobody knows how many. by_system: the
    system ended it, most often because memory had run out. by_us: it was ended because the program was closed.
    """

    def __init__(
        self,
        title: str,
        detail: str = "",
        hint: str = "",
        report: str = "",
        *,
        gpu_layers: int | None = 0,
        by_system: bool = False,
        by_us: bool = False,
    ) -> None:
        super().__init__(title, detail, hint)
        self.report = report
        self.gpu_layers = gpu_layers
        self.by_system = by_system
        self.by_us = by_us


class HubError(AppError):
    """The Hub, or the way to it, does not give what was asked for."""


class HubUnreachableError(HubError):
    """No answer came, or none of the Hub's; the same may work later."""


class HubBusyError(HubError):
    """The Hub asks to come back later. retry_after_s: in so many seconds, None where it does not say."""

    def __init__(self, title: str, detail: str = "", hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(title, detail, hint)
        self.retry_after_s = retry_after_s


class HubNotFoundError(HubError):
    """There is no such repository, revision or file, or it is private."""


class HubGatedError(HubError):
    """A gated repository. signed_in: a token was sent, so its owner has not accepted the licence or was denied.

    settled: nothing that the person could do now would help: the request waits for an answer or was turned down.
    """

    def __init__(
        self, title: str, detail: str = "", hint: str = "", *, signed_in: bool = False, settled: bool = False
    ) -> None:
        super().__init__(title, detail, hint)
        self.signed_in = signed_in
        self.settled = settled


class HubTokenError(HubError):
    """The access token was refused."""


class NotRunnableError(HubError):
    """A repository in a format that llama.cpp does not run. instead: repositories that have it as GGUF."""

    def __init__(self, title: str, detail: str = "", hint: str = "", instead: tuple[str, ...] = ()) -> None:
        super().__init__(title, detail, hint)
        self.instead = instead


class DownloadError(AppError):
    """A file cannot be downloaded or kept."""


class FileChangedError(DownloadError):
    """The Hub has another file under this name than the listing said."""


class MismatchError(DownloadError):
    """The bytes that came are not the ones that the Hub lists, also after a second try."""


class DownloadBusyError(DownloadError):
    """Another program is downloading this very file."""


class NoRoomError(DownloadError):
    """The disk is too full, or the folder cannot hold a file of this size."""


class MessageTooLongError(AppError):
    """One message alone is longer than the context; nothing was sent."""


class ContextFullError(AppError):
    """Turns of the chat would have to be left out, and the person wants to be asked first; nothing was sent.

    prompt_tokens: what the chat takes with the question, the reply apart.
    """

    def __init__(self, title: str, detail: str = "", hint: str = "", prompt_tokens: int = 0) -> None:
        super().__init__(title, detail, hint)
        self.prompt_tokens = prompt_tokens


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


class PlanError(UsageError):
    """The plan of an experiment cannot be understood; the text names the place in it."""
