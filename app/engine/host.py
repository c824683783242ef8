"""An engine in a process of its own, behind the same contract: what kills it costs one reply, not the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from app.core.errors import AppError, EngineDiedError
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine.base import MOST_AT_ONCE, Done, Event, ModelFacts, Prompt, Request, Tagged, Turn, Wish
from app.engine.engine_process import HostProcess
from app.engine.sharing import Sharing


def load(
    path: str,
    loading: Loading,
    stop: StopFlag,
    on_progress: Callable[[float], None] = lambda _fraction: None,
    start: Sequence[str] = (),
    on_start: Callable[[HostProcess], None] = lambda _process: None,
) -> HostedEngine | None:
    """Start a process and load a model in it; None when stopped meanwhile. As `llama.load`, and with its errors.

    `on_start` is told of the process as soon as there is one.

    Raises:
        EngineDiedError: the process ended while it loaded.
        OSError: no process could be started.
    """

    def started() -> HostProcess:
        process = HostProcess(start)
        on_start(process)
        return process

    process = started()
    try:
        facts = process.load(path, loading, stop, on_progress)
    except BaseException:
        process.end()
        raise
    if facts is None:
        process.end()
        return None
    return HostedEngine(process, facts, started)


class HostedEngine:
    """The contract of an engine, kept by a process. Used by one thread at a time."""

    def __init__(self, process: HostProcess, facts: ModelFacts, start: Callable[[], HostProcess] | None = None) -> None:
        """`start` starts another process, which long runs may be shared with: see `Sharing`."""
        self._process = process
        self._sharing = Sharing(process, start)
        self._facts = facts
        self.on_death: Callable[[EngineDiedError], None] = lambda _error: None
        """Told once when the process ended by itself."""
        self.on_reply: Callable[[], None] = lambda: None
        """Told whenever a reply came to its end."""

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model."""
        return self._facts

    @property
    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self._process.is_alive

    @property
    def process(self) -> HostProcess:
        """Where it runs."""
        return self._process

    def tell(self, notice: str, *, why_cpu: bool = False) -> None:
        """Add a sentence for the person to what is known of the model; it may be the reason why no GPU is used."""
        self._facts = self._facts.told(notice, why_cpu=why_cpu)

    def render(self, turns: Sequence[Turn], *, reply: bool = True) -> Prompt:
        """The exact prompt for these turns."""
        with self._watched():
            prompt: Prompt = self._sharing.asking.value("render", tuple(turns), reply)
            return prompt

    def count(self, text: str) -> int:
        """How many tokens a text is on its own."""
        with self._watched():
            return int(self._sharing.asking.value("count", text))

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        """Generate one reply; see the contract."""
        if not self._process.is_alive:
            self.count("")  # raises what there is to tell
        return self._stream(request, stop)

    def stream_many(
        self, wishes: Iterator[Wish | None], stop: StopFlag, width: int = MOST_AT_ONCE, *, from_scratch: bool = False
    ) -> Iterator[Tagged]:
        """Generate several replies at once; see the contract."""
        if not self._process.is_alive:
            self.count("")  # raises what there is to tell
        return self._stream_many(wishes, stop, width, from_scratch)

    def keep_in(self, folder: str, limit_bytes: int) -> None:
        """Keep snapshots of conversations there."""
        with self._watched():
            self._process.value("keep_in", folder, limit_bytes)

    def drop(self, conversation: int) -> None:
        """Forget a conversation, and its snapshot."""
        with self._watched():
            self._process.value("drop", conversation)

    def rest(self, stop: StopFlag | None = None) -> None:
        """Write the snapshots that are out of date."""
        with self._watched():
            self._process.value("rest", stop=stop)

    def close(self) -> None:
        """End the process, which writes its snapshots first and gives all its memory back."""
        with suppress(AppError), self._watched():
            self._process.end_or_tell()

    def _stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        with self._watched():
            for event in self._process.events(request, stop):
                if isinstance(event, Done):
                    self.on_reply()
                yield event

    def _stream_many(
        self, wishes: Iterator[Wish | None], stop: StopFlag, width: int, from_scratch: bool
    ) -> Iterator[Tagged]:
        run = self._sharing.run(wishes, stop, width, from_scratch=from_scratch)
        with self._watched(), closing(run) as events:
            for told in events:
                if isinstance(told.event, Done):
                    self.on_reply()
                yield told

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except EngineDiedError as error:
            tell, self.on_death = self.on_death, lambda _error: None
            tell(error)
            raise
