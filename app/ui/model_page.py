"""The page of one model: facts, files to choose from, published scores, citation, and its card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.known import Entry
from app.core.library import LocalModel, Quant, Repo
from app.ui.link_offer import link_offer
from app.ui.local_card import LocalCard
from app.ui.model_head import ModelHead, facts_of_known, facts_of_local, facts_of_repo
from app.ui.quant_picker import QuantPicker
from app.ui.row_layout import page_margin
from app.ui.score_cards import CitationCard, ScoresCard
from app.ui.theme import Theme
from app.ui.trouble_line import TroubleLine

if TYPE_CHECKING:
    from app.ui.model_actions import ModelActions
    from app.ui.model_card import ModelCard
    from app.ui.model_services import ModelServices

_TWO_COLUMNS_PX = 1080
_SIDE_PX = 330


class ModelPage(QScrollArea):
    """Shows a model of the catalogue, of this computer or of the Hub.

    Signals: `revision_asked(str, str)` with a repository and a branch or tag; `retry_asked()`; `repo_asked(str)`:
    another repository; `token_asked()`; `told(Notice)`.
    """

    revision_asked = Signal(str, str)
    retry_asked = Signal()
    repo_asked = Signal(str)
    token_asked = Signal()
    told = Signal(object)

    def __init__(
        self, services: ModelServices, actions: ModelActions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._services, self._actions, self._theme = services, actions, theme
        self._repo: Repo | None = None
        self._known: Entry | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.head = ModelHead(theme)
        self.trouble = TroubleLine(theme)
        self.local = LocalCard(actions, theme)
        self.picker = QuantPicker(services, theme)
        self.scores = ScoresCard(theme)
        self.citation = CitationCard(theme)
        self.card: ModelCard | None = None
        self._waiting = QLabel("Asking the Hub…")
        self._waiting.setProperty("kind", "muted")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        inside = QWidget(self.viewport())
        # the page never scrolls sideways: whatever is in it has to make do
        inside.setMinimumWidth(1)
        self._page_column = page = QVBoxLayout(inside)
        page.setSpacing(16)
        page.addWidget(self.head)
        page.addWidget(self.trouble)
        self._main, self._side = QWidget(inside), QWidget(inside)
        self._main_column = QVBoxLayout(self._main)
        side = QVBoxLayout(self._side)
        for column, widgets in (
            (self._main_column, (self.local, self._waiting, self.picker)),
            (side, (self.scores, self.citation)),
        ):
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(14)
            for widget in widgets:
                column.addWidget(widget)
            column.addStretch()
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(16)
        self._columns.addWidget(self._main, 1)
        self._columns.addWidget(self._side)
        page.addLayout(self._columns)
        page.addStretch()
        self.setWidget(inside)

    def _connect(self) -> None:
        self.picker.pressed.connect(self._press)
        self.picker.revision_asked.connect(self._choose_revision)
        self.picker.page_asked.connect(self._open_page)
        self.scores.link_activated.connect(self.offer_link)
        self.trouble.retry_asked.connect(self.retry_asked)
        self.trouble.token_asked.connect(self.token_asked)
        self.trouble.repo_asked.connect(self.repo_asked)
        self.trouble.page_asked.connect(self._actions.open_hub_page)
        self._services.local.changed.connect(self._follow_local)
        self._services.models.state_changed.connect(self._follow_local)
        self._services.models.models_changed.connect(self._follow_local)

    # --- what is shown ----------------------------------------------------------------------------------------------

    def show_known(self, known: Entry) -> None:
        """Show what the catalogue knows; a model that comes with the app has nothing more."""
        self._begin(known)
        self.head.show_model(known.name, known.blurb or known.note, facts_of_known(known), known.licence_note)
        self._follow_local()

    def show_local(self, model: LocalModel, known: Entry | None) -> None:
        """Show a model of this computer."""
        self._begin(known)
        name, words = (known.name, known.blurb or known.note) if known is not None else (model.name, "")
        facts = facts_of_known(known) if known is not None else facts_of_local(model)
        self.head.show_model(name, words, facts, known.licence_note if known is not None else "")
        self.local.show_models([model])

    def show_asking(self, text: str) -> None:
        """Show that the Hub is asked about what a person named."""
        self._begin(None)
        self.head.show_model(text, "", [], "")
        self.local.show_models([])

    def _begin(self, known: Entry | None) -> None:
        self._repo, self._known = None, known
        self.local.show_models([])
        self.trouble.clear()
        self._waiting.hide()
        self.picker.hide()
        if self.card is not None:
            self.card.hide()
        self.scores.show_scores(
            known.scores if known is not None else (),
            known.scores_source if known is not None else "",
            known.scores_url if known is not None else "",
        )
        self.citation.show_citation(known.citation if known is not None else "")
        self.verticalScrollBar().setValue(0)
        self._arrange()

    def show_waiting(self) -> None:
        """The Hub is being asked; what is shown already stays."""
        self.trouble.clear()
        self._waiting.setVisible(self._repo is None)

    def show_repo(self, repo: Repo, known: Entry | None) -> None:
        """Show what the Hub knows, at a commit."""
        asked = self._services.discover.asked
        self._repo = repo
        self.trouble.clear()
        self._waiting.hide()
        if known is not None and self._known is None:
            self._begin(known)
            self._repo = repo
        name = known.name if known is not None else repo.repo_id
        words = (known.blurb or known.note) if known is not None else ""
        note = known.licence_note if known is not None else ""
        self.head.show_model(name, words, facts_of_repo(repo, known), note)
        self.picker.show_repo(repo, known, asked.path, asked.quant)
        self.picker.show()
        self._show_card(repo.card)
        self._follow_local()
        self._arrange()

    def _show_card(self, text: str) -> None:
        if self.card is None:
            if not text.strip():
                return
            # Markdown, highlighting and formulas are loaded when there is a card to show
            from app.ui.model_card import ModelCard

            self.card = ModelCard(self._theme)
            self.card.link_activated.connect(self.offer_link)
            self._main_column.insertWidget(self._main_column.count() - 1, self.card)
        self.card.show_card(text)

    def show_trouble(self, error: AppError) -> None:
        """Say why the Hub did not tell; what is known without it stays."""
        self._waiting.hide()
        repo_id = self._services.discover.asked.repo_id
        self.trouble.show_error(error, repo_id=repo_id, has_token=self._services.discover.has_token())

    @Slot()
    def _follow_local(self) -> None:
        repo_id = self._repo.repo_id if self._repo is not None else self._known.repo if self._known else ""
        if repo_id:
            models = [m for m in self._services.local.models() if m.repo_id.lower() == repo_id.lower()]
            self.local.show_models(models)
        else:
            self.local.refresh(self._services.local.models())

    # --- what the person does ---------------------------------------------------------------------------------------

    @Slot(object)
    def _press(self, quant: Quant) -> None:
        if self._repo is not None:
            self._actions.press_quant(self._repo, quant)

    @Slot()
    def _open_page(self) -> None:
        if self._repo is not None:
            self._actions.open_hub_page(self._repo.repo_id)

    @Slot(str)
    def _choose_revision(self, revision: str) -> None:
        if self._repo is not None:
            self.revision_asked.emit(self._repo.repo_id, revision)

    @Slot(str)
    def offer_link(self, address: str) -> None:
        """Ask before a link of a stranger is followed."""
        self.told.emit(link_offer(address))

    # --- room -------------------------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for a card that is made later."""
        self._theme = theme
        self._arrange()

    def _arrange(self) -> None:
        scale = max(1.0, self._theme.font_pt / 11)
        full = not self.scores.isHidden() or not self.citation.isHidden()
        wide = self.viewport().width() >= _TWO_COLUMNS_PX * scale
        self._side.setVisible(full)
        self._side.setMaximumWidth(round(_SIDE_PX * scale) if wide else 16_777_215)
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._columns.setDirection(right if wide and full else down)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """On a narrow page the scores stand below the files; on a wide one lines stay as long as can be read."""
        super().resizeEvent(event)
        side = page_margin(self.viewport().width())
        self._page_column.setContentsMargins(side, 18, side, 24)
        self._arrange()
