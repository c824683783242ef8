"""What the parts of the prompt lab have in common: the comparison, the library of prompts, the experiments."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.ui.notices import Notices
from app.ui.theme import Theme


class LabView(QWidget):
    """One part of the prompt lab, below its head. A part shows its own `notices`.

    Signals: `left()`: back to the chat; `chat_opened(int)`: the chat of this id was made here; `open_asked()`: open a
    model's file; `compare_asked(tuple, str, object)`: show these `Contestant`s side by side, with this question to ask,
    "" for none, and these sampler values for all, None for those there are; `experiment_asked(tuple)`: put a new
    experiment together that begins with these `Contestant`s; `prompt_chosen(object)`: begin a chat by this
    `PromptVersion`.
    """

    left = Signal()
    chat_opened = Signal(int)
    open_asked = Signal()
    compare_asked = Signal(tuple, str, object)
    experiment_asked = Signal(tuple)
    prompt_chosen = Signal(object)

    corner: QWidget | None = None
    """What stands at the right of the lab's head while this part is shown."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._theme = theme
        self.notices = Notices(theme, self)

    def enter(self) -> None:
        """Somebody comes here: show what there is now, take the keyboard."""

    def escape(self) -> bool:
        """Stop or close the one thing that Escape is for; False where there is none."""
        return self.notices.close_newest()

    def flush(self) -> None:
        """Hand over what is typed; before the program ends."""
