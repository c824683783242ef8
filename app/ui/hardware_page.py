"""What the computer has, what a model takes of it, and why something is not used: a page in the window."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.devices import CPU
from app.core.hardware_words import checked_words, hardware_lines, placement_lines
from app.core.options import Loading
from app.services.notice import Notice
from app.ui import auto_words
from app.ui.automatic_card import AutomaticCard
from app.ui.buttons import IconButton, WordButton
from app.ui.hardware_cards import BackendsCard, Card, FactCards, label
from app.ui.loaded_card import LoadedCard
from app.ui.memory_card import EstimateCard, MemoryCard
from app.ui.notices import Notices
from app.ui.soon import Soon
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.core.hardware import Forecast, Hardware
    from app.core.placement import Placement
    from app.services.model_manager import ModelState
    from app.ui.model_services import ModelServices

_NARROW_PX = 860
_SOON_MS = 60


class HardwarePage(QWidget):
    """Signals: `left()`: back to the chat; `sidebar_asked()`."""

    left = Signal()
    sidebar_asked = Signal()

    def __init__(self, services: ModelServices, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._services, self._theme = services, theme
        self._watch, self._models = services.hardware, services.models
        self._chat_model_id = services.models.default_id
        self.notices = Notices(theme)
        self._sidebar = IconButton("sidebar", "Show the chats", theme, keys="Ctrl+B", side_px=34)
        self._sidebar.clicked.connect(self.sidebar_asked)
        self._sidebar.hide()
        self.back = IconButton("chevron-left", "Back to the chat", theme, keys="Esc", side_px=34)
        self.back.clicked.connect(self.left)
        self._checked = QLabel()
        self._checked.setProperty("kind", "faint")
        self.check = WordButton("Check again", theme, kind="outline", icon_name="refresh")
        self.check.clicked.connect(self._check_again)
        self.copy = WordButton("Copy report", theme, kind="outline", icon_name="copy")
        self.copy.clicked.connect(self._copy_report)
        self.facts = FactCards(theme)
        self.loaded = LoadedCard(theme)
        self.memory = MemoryCard(theme)
        self.estimate = EstimateCard(theme)
        self.backends = BackendsCard(theme)
        self.automatic = AutomaticCard(services.preferences, theme)
        self._trouble = Card("The graphics could not be looked at")
        self._trouble_words = label("", "muted", wrap=True)
        self._trouble.column.addWidget(self._trouble_words)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._area = QScrollArea()
        self._lay_out()
        self._soon = Soon(self.refresh, _SOON_MS, self)
        self._connect()

    def _lay_out(self) -> None:
        self._header = QFrame()
        self._header.setObjectName("header")
        title = label("Hardware", "title")
        row = QHBoxLayout(self._header)
        row.setContentsMargins(14, 0, 16, 0)
        row.setSpacing(8)
        for shown in (self._sidebar, self.back, title, self._checked):
            row.addWidget(shown)
        row.addStretch(1)
        row.addWidget(self.check)
        row.addWidget(self.copy)
        wide, narrow = QVBoxLayout(), QVBoxLayout()
        for column, parts in (
            (wide, (self._trouble, self.facts, self.loaded, self.memory, self.estimate)),
            (narrow, (self.backends, self.automatic)),
        ):
            column.setSpacing(14)
            for part in parts:
                column.addWidget(part)
            column.addStretch(1)
        self._columns.setContentsMargins(24, 20, 24, 24)
        self._columns.setSpacing(16)
        self._columns.addLayout(wide, 65)
        self._columns.addLayout(narrow, 35)
        inside = QWidget()
        inside.setLayout(self._columns)
        # the cards arrange themselves anew where they get less than they would like
        inside.setMinimumWidth(1)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setAccessibleName("Hardware")
        self._area.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._header)
        whole.addWidget(self.notices)
        whole.addWidget(self._area, 1)
        self.set_theme(self._theme)

    def _connect(self) -> None:
        self._watch.changed.connect(self._soon.ask)
        self._watch.forecast_made.connect(self._soon.ask)
        self._models.state_changed.connect(self._state_changed)
        self._services.preferences.model_settings_changed.connect(self._soon.ask)
        self.loaded.load_asked.connect(self._load)
        self.loaded.again_asked.connect(self._try_again)
        self.loaded.context_asked.connect(self._use_context)
        self.estimate.context_asked.connect(self._use_context)

    # --- showing ----------------------------------------------------------------------------------------------------

    def show_for(self, model_id: str) -> None:
        """Show what this model takes, which is the chat's; "" leaves it at the one before."""
        self._chat_model_id = model_id or self._chat_model_id

    def enter(self) -> None:
        """Somebody comes here: look at free memory again, and take the keyboard."""
        self._watch.refresh()
        self.refresh()
        self.back.setFocus(Qt.FocusReason.OtherFocusReason)

    def model_id(self) -> str:
        """The model that is shown: the one that is loaded, else the chat's."""
        loaded_id, state = self._models.room.status
        return loaded_id if loaded_id and state.kind in ("ready", "loading") else self._chat_model_id

    @Slot()
    def refresh(self) -> None:
        """Show everything as it is known now."""
        model_id = self.model_id()
        entry, state = self._models.entry(model_id), self._models.state(model_id)
        loading = self._services.preferences.resolved(Loading, model_id).values
        forecast = self._watch.forecast(entry.path, loading) if state.kind != "loading" else None
        look, running = self._watch.look, state.facts.placement if state.facts is not None else None
        has_gpu = look is not None and bool(look.hardware.gpus())
        self.check.setEnabled(not self._watch.is_looking)
        self.check.setText("Looking…" if self._watch.is_looking and look is None else "Check again")
        self.copy.setEnabled(look is not None)
        self.loaded.show_state(entry.name, state, forecast, has_gpu=has_gpu)
        self.automatic.show_model(model_id, entry.name, self._auto(state, forecast))
        self._show_estimate(state, forecast)
        for part in (self.facts, self.memory, self.backends):
            part.setVisible(look is not None)
        self._trouble.setVisible(look is not None and bool(look.hardware.trouble))
        if look is not None:
            self._show_hardware(look.hardware, look.free_bytes, dict(look.held), running)

    def _show_hardware(self, hardware: Hardware, free: int | None, held: dict[str, int],
                       running: Placement | None) -> None:  # fmt: skip
        self._checked.setText(checked_words(hardware, datetime.now(tz=UTC).astimezone()))
        self._trouble_words.setText(f"{hardware.trouble} Models run on the processor until “Check again” finds more.")
        self.facts.show_hardware(hardware, free, self._services.local.free_bytes(), running)
        self.memory.show_memory(hardware, free, held, running)
        used = {part.device for part in running.placed if part.total} if running is not None else set()
        self.backends.show_backends(
            hardware, [device.backend for device in hardware.devices if device.name in used | ({CPU} & used)]
        )

    def _show_estimate(self, state: ModelState, forecast: Forecast | None) -> None:
        needs = forecast.needs if forecast is not None else None
        n_ctx = state.facts.n_ctx if state.facts is not None else forecast.n_ctx if forecast is not None else 0
        self.estimate.show_needs(needs, self._watch.machine, n_ctx)

    def _auto(self, state: ModelState, forecast: Forecast | None) -> dict[str, str]:
        if state.facts is not None:
            return auto_words.of_loaded(state)
        return auto_words.of_forecast(forecast) if forecast is not None else {}

    def report(self) -> str:
        """What is shown, as text for a bug report."""
        look = self._watch.look
        lines = list(hardware_lines(look.hardware)) if look is not None else []
        state = self._models.state(self.model_id())
        if state.facts is not None:
            facts = state.facts
            lines += placement_lines(facts.name, facts.n_layers, facts.n_ctx, facts.placement)
        return "\n".join(lines)

    @Slot(str)
    def _state_changed(self, model_id: str) -> None:
        kind = self._models.state(model_id).kind
        if kind in ("ready", "unloaded", "failed") and self.isVisible():
            self._watch.refresh()
        self._soon.ask()

    # --- doing ------------------------------------------------------------------------------------------------------

    @Slot()
    def _check_again(self) -> None:
        self._watch.refresh(again=True)

    @Slot()
    def _copy_report(self) -> None:
        QGuiApplication.clipboard().setText(self.report())
        self.notices.show_notice(Notice("The report was copied", "It names the hardware and no person or file."))

    @Slot()
    def _load(self) -> None:
        self._models.prepare(self.model_id())

    @Slot()
    def _try_again(self) -> None:
        model_id = self.model_id()
        self._watch.refresh(again=True)
        self._models.unload()
        # a death may have kept it off the GPU
        self._models.prepare(model_id, forgiven=True)

    @Slot(int)
    def _use_context(self, n_ctx: int) -> None:
        model_id = self.model_id()
        self._services.preferences.set_for_model(model_id, "context_tokens", n_ctx)
        if self._models.state(model_id).kind == "ready":
            self._models.prepare(model_id)

    # --- the page itself --------------------------------------------------------------------------------------------

    def escape(self) -> None:
        """Put a notice away, else go back."""
        if not self.notices.close_newest():
            self.left.emit()

    def show_panels(self, *, sidebar: bool) -> None:
        """The button for the chats is there while they are hidden."""
        self._sidebar.setVisible(not sidebar)

    def set_theme(self, theme: Theme) -> None:
        """Follow the theme's text size."""
        self._theme = theme
        self._header.setFixedHeight(max(56, self.fontMetrics().height() + 38))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, one column under the other."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_PX * max(1.0, self._theme.font_pt / 11)
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._columns.direction() != direction:
            self._columns.setDirection(direction)
        self._checked.setVisible(self.width() > _NARROW_PX * 0.7)

    def minimumSizeHint(self) -> QSize:
        """The window's smallest width has room for it."""
        hint = super().minimumSizeHint()
        hint.setWidth(min(hint.width(), 380))
        return hint
