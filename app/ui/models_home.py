"""The first of the model pages: what is on this computer, the catalogue, and what a search on the Hub found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.library import RepoPage, RepoRow
from app.ui.buttons import WordButton
from app.ui.hub_search import HubSearch
from app.ui.model_rows import (
    MODEL_COLUMNS,
    RESULT_COLUMNS,
    catalogue_rows,
    largest_fitting,
    local_rows,
    result_rows,
)
from app.ui.row_layout import page_margin
from app.ui.row_view import RowView
from app.ui.soon import Soon
from app.ui.theme import Theme
from app.ui.trouble_line import TroubleLine

if TYPE_CHECKING:
    from app.ui.model_services import ModelServices
    from app.ui.repo_asking import RepoAsking

_REFRESH_MS = 150
"""Progress comes often; rows are written anew no more often than this."""


class ModelsHome(QScrollArea):
    """Lists models.

    Signals: `local_opened`, `local_pressed`, `local_removed` with a path; `local_menu_asked` with a path and a place;
    `known_opened`, `known_pressed` with a catalogue entry's id; `repo_opened(str)` with a repository or whatever was
    pasted; `token_asked()`; `page_asked(str)` with a repository to look at on the Hub.
    """

    local_opened = Signal(str)
    local_pressed = Signal(str)
    local_removed = Signal(str)
    local_menu_asked = Signal(str, QPoint)
    known_opened = Signal(str)
    known_pressed = Signal(str)
    repo_opened = Signal(str)
    token_asked = Signal()
    page_asked = Signal(str)

    def __init__(
        self, services: ModelServices, asking: RepoAsking, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._services, self._asking = services, asking
        self._checking: dict[str, tuple[int, int]] = {}
        self._found: tuple[RepoRow, ...] = ()
        self._trouble_repo = ""
        self._searching = False
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.search = HubSearch(services.discover.is_reference, lambda: largest_fitting(services), theme)
        self.trouble = TroubleLine(theme)
        button = "Look at it"
        self.local = RowView("Models on this computer", "Model", MODEL_COLUMNS, theme, tiles=True, button=button)
        self.catalogue = RowView("Catalogue", "Model", MODEL_COLUMNS, theme, tiles=True, button=button)
        self.results = RowView("Found on the Hub", "Repository", RESULT_COLUMNS, theme, tiles=True)
        self.more = WordButton("Load more", theme, kind="outline", icon_name="down")
        self.open_reference = WordButton("", theme, kind="wide", icon_name="external")
        self._state = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._state.setProperty("kind", "muted")
        self._counts = [QLabel(), QLabel("Well-known open models; the quant is chosen for this computer")]
        self._shelves = self._make_shelves()
        self._finds = self._make_finds()
        self._soon = Soon(self.refresh, _REFRESH_MS, self)
        self._lay_out()
        self._connect()
        self._show_search()
        self.refresh()

    # --- building ---------------------------------------------------------------------------------------------------

    def _make_shelves(self) -> QWidget:
        shelves = QWidget()
        column = QVBoxLayout(shelves)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for words, note, view in (
            ("On this computer", self._counts[0], self.local),
            ("Catalogue", self._counts[1], self.catalogue),
        ):
            heading = QLabel(words)
            heading.setProperty("kind", "title")
            note.setProperty("kind", "faint")
            row = QHBoxLayout()
            row.setSpacing(10)
            row.addWidget(heading)
            row.addWidget(note, 1)
            column.addLayout(row)
            column.addWidget(view)
            column.addSpacing(10)
        return shelves

    def _make_finds(self) -> QWidget:
        finds = QWidget()
        column = QVBoxLayout(finds)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.open_reference)
        column.addWidget(self._state)
        column.addWidget(self.results)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignHCenter)
        return finds

    def _lay_out(self) -> None:
        inside = QWidget(self.viewport())
        # the page never scrolls sideways: whatever is in it has to make do
        inside.setMinimumWidth(1)
        self._page_column = column = QVBoxLayout(inside)
        column.setSpacing(12)
        column.addWidget(self.search)
        column.addWidget(self.trouble)
        column.addWidget(self._finds)
        column.addWidget(self._shelves)
        column.addStretch()
        self.setWidget(inside)

    def _connect(self) -> None:
        services = self._services
        self.search.wished.connect(self._look_up)
        self.search.emptied.connect(self._show_search)
        self.search.reference_entered.connect(self.repo_opened)
        self.search.field.textChanged.connect(self._offer_reference)
        self.search.left_down.connect(self._go_down)
        self.open_reference.clicked.connect(self._open_reference)
        self.more.clicked.connect(self._more)
        self.local.opened.connect(self.local_opened)
        self.local.pressed.connect(self.local_pressed)
        self.local.removed.connect(self.local_removed)
        self.local.menu_asked.connect(self.local_menu_asked)
        self.catalogue.opened.connect(self.known_opened)
        self.catalogue.pressed.connect(self._press_known)
        self.results.opened.connect(self.repo_opened)
        self.trouble.retry_asked.connect(self._retry)
        self.trouble.token_asked.connect(self.token_asked)
        self.trouble.page_asked.connect(self.page_asked)
        self.trouble.repo_asked.connect(self.repo_opened)
        services.discover.found.connect(self._show_found)
        services.discover.failed.connect(self._search_failed)
        services.local.changed.connect(self._soon.now)
        services.local.progressed.connect(self._checked)
        services.local.verified.connect(self._verified)
        services.downloads.changed.connect(self._soon.now)
        services.downloads.progressed.connect(self._soon.ask)
        services.models.state_changed.connect(self._soon.ask)
        services.models.models_changed.connect(self._soon.ask)
        services.fitting.changed.connect(self._soon.now)
        self._asking.waiting_changed.connect(self._soon.now)

    # --- shelves ----------------------------------------------------------------------------------------------------

    @Slot()
    def refresh(self) -> None:
        """Show everything as it is now."""
        rows = local_rows(self._services, self._checking)
        self.local.show_rows(rows)
        self._counts[0].setText("1 model" if len(rows) == 1 else f"{len(rows)} models")
        self.catalogue.show_rows(catalogue_rows(self._services, self._asking))
        if self._found:
            self._show_results()

    def _show_results(self) -> None:
        self.results.show_rows(result_rows(self._services, self._found))
        self.results.setVisible(bool(self._found))

    @Slot(str, object, object)
    def _checked(self, path: str, done: int, whole: int) -> None:
        self._checking[path] = (done, whole)
        self._soon.ask()

    @Slot(str, bool)
    def _verified(self, path: str, right: bool) -> None:
        del right
        self._checking.pop(path, None)
        self._soon.now()

    @Slot(str)
    def _press_known(self, key: str) -> None:
        self.trouble.clear()
        self.known_pressed.emit(key)

    def show_trouble(self, repo_id: str, error: AppError) -> None:
        """Say why a row's repository could not be looked at."""
        self._trouble_repo = repo_id
        self.trouble.show_error(error, repo_id=repo_id, has_token=self._services.discover.has_token())
        self.ensureVisible(0, 0)

    # --- search -----------------------------------------------------------------------------------------------------

    @Slot()
    def _look_up(self) -> None:
        wish = self.search.wish()
        self._searching = True
        self._trouble_repo = ""
        self.trouble.clear()
        self.more.hide()
        self._state.setText("Looking on the Hub…")
        self._state.show()
        self._finds.show()
        self._services.discover.search(wish.text, wish.order, wish.min_params, wish.max_params, wish.licence)

    @Slot()
    def _show_search(self) -> None:
        """Nothing is looked for: the shelves again."""
        self._searching = False
        self._found = ()
        self._show_results()
        self.more.hide()
        self.open_reference.hide()
        self.trouble.clear()
        self._finds.hide()
        self._shelves.show()

    @Slot(str)
    def _offer_reference(self, text: str) -> None:
        offered = self._services.discover.is_reference(text.strip())
        self.open_reference.setText(f"  Open {_shortened(text.strip())}".replace("&", "&&"))
        self.open_reference.setVisible(offered)
        if offered:
            self._finds.show()

    @Slot()
    def _open_reference(self) -> None:
        self.repo_opened.emit(self.search.field.text().strip())

    @Slot(object, bool)
    def _show_found(self, page: RepoPage, goes_on: bool) -> None:
        if not self._searching:
            return
        self._found = (*self._found, *page.rows) if goes_on else page.rows
        # a page that was cut differently meanwhile may repeat a row
        self._found = tuple({row.repo_id: row for row in self._found}.values())
        self._shelves.hide()
        self._show_results()
        count = len(self._found)
        words = "1 repository with GGUF files" if count == 1 else f"{count} repositories with GGUF files"
        self._state.setText(words if count else "Nothing on the Hub matches. Try fewer or other words.")
        self.more.setText("Load more")
        self.more.setEnabled(True)
        self.more.setVisible(bool(page.more))
        self.trouble.clear()

    @Slot(object)
    def _search_failed(self, error: AppError) -> None:
        if not self._searching:
            return
        self._state.setVisible(bool(self._found))
        self.more.setText("Load more")
        self.more.setEnabled(True)
        self.trouble.show_error(error, has_token=self._services.discover.has_token())

    @Slot()
    def _more(self) -> None:
        self.more.setEnabled(False)
        self.more.setText("Loading…")
        self._services.discover.more()

    @Slot()
    def _retry(self) -> None:
        """Try again what failed: a row's repository, the next results, or the search."""
        self.trouble.clear()
        if self._trouble_repo:
            repo_id, self._trouble_repo = self._trouble_repo, ""
            self._asking.want(repo_id)
        elif self._found and not self.more.isHidden():
            self._more()
        else:
            self._look_up()

    @Slot()
    def _go_down(self) -> None:
        first = self.results if self._found else self.local
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """On a wide screen the lists stay as narrow as can be read."""
        super().resizeEvent(event)
        side = page_margin(self.viewport().width())
        self._page_column.setContentsMargins(side, 16, side, 20)

    def state_words(self) -> str:
        """What it says of the search."""
        return self._state.text() if not self._state.isHidden() else ""


def _shortened(text: str) -> str:
    return text if len(text) <= 70 else f"{text[:34]}…{text[-34:]}"
