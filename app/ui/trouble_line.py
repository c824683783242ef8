"""One line that says what went wrong, and the buttons that may mend it; what was there before stays below."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.errors import AppError, HubGatedError, HubNotFoundError, HubTokenError, NotRunnableError
from app.ui.buttons import WordButton
from app.ui.icons import icon
from app.ui.theme import Theme

_NARROW_PX = 620


def remedies(error: AppError, *, has_token: bool) -> tuple[str, ...]:
    """What may help, the likeliest first: "token", "licence" or "retry"."""
    if isinstance(error, NotRunnableError):
        return ()
    if isinstance(error, HubTokenError):
        return ("token", "retry")
    if isinstance(error, HubGatedError):
        return ("licence", "retry") if error.signed_in else ("token", "licence")
    if isinstance(error, HubNotFoundError):
        return ("retry",) if has_token else ("retry", "token")
    return ("retry",)


class TroubleLine(QFrame):
    """Hidden while all is well.

    Signals: `retry_asked()`, `token_asked()`, `page_asked(str)` with a repository to look at on the Hub,
    `repo_asked(str)` with one to look at here instead.
    """

    retry_asked = Signal()
    token_asked = Signal()
    page_asked = Signal(str)
    repo_asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setProperty("level", "warning")
        self._theme = theme
        self._repo_id = ""
        self._picture = QLabel()
        self._title = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._title.setProperty("kind", "heading")
        self._rest = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._rest.setProperty("kind", "muted")
        self._rest.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._rest)
        said = QHBoxLayout()
        said.setSpacing(10)
        said.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        said.addLayout(words, 1)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(14, 10, 12, 10)
        self._row.setSpacing(10)
        self._row.addLayout(said, 1)
        self._row.addLayout(self._buttons)
        self.set_theme(theme)
        self.hide()

    def show_error(self, error: AppError, *, repo_id: str = "", has_token: bool = False) -> None:
        """Say it. `repo_id`: whose page may help."""
        self._repo_id = repo_id
        self._title.setText(error.title)
        rest = " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in error.parts()[1:])
        self._rest.setText(rest)
        self._rest.setVisible(bool(rest))
        self.setAccessibleName(f"Trouble: {error.title}")
        self.setAccessibleDescription(rest)
        while (item := self._buttons.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if isinstance(error, NotRunnableError):
            for repo in error.instead[:2]:
                button = self._add_button(f"Open {repo}")
                button.setProperty("repo", repo)
                button.clicked.connect(self._ask_repo)
        for remedy in remedies(error, has_token=has_token):
            if remedy == "licence" and not repo_id:
                continue
            words = {"token": "Add token…", "licence": "Open the model’s page…", "retry": "Retry"}[remedy]
            slot = {"token": self.token_asked, "licence": self._ask_page, "retry": self.retry_asked}[remedy]
            self._add_button(words).clicked.connect(slot)
        self.show()

    def _add_button(self, words: str) -> WordButton:
        button = WordButton(words, self._theme, kind="outline")
        self._buttons.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return button

    def clear(self) -> None:
        """All is well."""
        self.hide()

    def words(self) -> str:
        """What it says, for as long as it says something."""
        return f"{self._title.text()}. {self._rest.text()}".strip() if not self.isHidden() else ""

    def set_theme(self, theme: Theme) -> None:
        """Draw the icon in this theme's colours."""
        self._theme = theme
        self._picture.setPixmap(icon("warning", theme.warn, 20).pixmap(20, 20))

    @Slot()
    def _ask_page(self) -> None:
        self.page_asked.emit(self._repo_id)

    @Slot()
    def _ask_repo(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.repo_asked.emit(str(sender.property("repo")))

    def resizeEvent(self, event: object) -> None:
        """On a narrow page the buttons stand below the words."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        narrow = self.width() < _NARROW_PX
        down = QBoxLayout.Direction.TopToBottom
        self._row.setDirection(down if narrow else QBoxLayout.Direction.LeftToRight)
