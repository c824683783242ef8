"""Keeps the card of the first start in step with the catalogue, this computer and the download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from app.core.errors import AppError
from app.core.known import Entry
from app.core.library import DownloadState, LocalModel
from app.core.verdicts import Fit
from app.ui.model_rows import button_for, choice_of, download_of
from app.ui.model_words import disk_size, download_words, licence_words, percent
from app.ui.offer_card import Offer, OfferCard
from app.ui.soon import Soon

if TYPE_CHECKING:
    from app.ui.model_actions import ModelActions
    from app.ui.model_services import ModelServices
    from app.ui.repo_asking import RepoAsking


_REFRESH_MS = 200


class FirstOffer(QObject):
    """Offers the first model of the catalogue. No question is asked and nothing goes out before a button is pressed.

    Signals: `page_asked(str)` with the id of a catalogue entry that had better be looked at first.
    """

    page_asked = Signal(str)

    def __init__(self, services: ModelServices, asking: RepoAsking, actions: ModelActions, card: OfferCard) -> None:
        super().__init__(card)
        self._services, self._asking, self._actions, self._card = services, asking, actions, card
        self._known = next((known for known in services.catalogue if known.repo), None)
        self._error: AppError | None = None
        card.pressed.connect(self._pressed)
        # while nobody sees the card nobody looks at the machine either, which costs time at the start
        self._soon = Soon(self.refresh, _REFRESH_MS, card)
        self._soon.now()
        services.fitting.changed.connect(self._soon.now)
        services.downloads.changed.connect(self._soon.now)
        services.downloads.progressed.connect(self._soon.ask)
        services.local.changed.connect(self._soon.now)
        asking.waiting_changed.connect(self._soon.now)
        actions.failed.connect(self._failed)

    @Slot()
    def refresh(self) -> None:
        """Say how things are now."""
        if self._known is not None:
            self._card.show_offer(self._offer(self._known))

    def _offer(self, known: Entry) -> Offer:
        quant, found, exact = choice_of(self._services, self._asking, known)
        row = download_of(self._services.downloads.rows(), known.repo)
        here = self._here(known)
        label, size_bytes = (quant.label, quant.size_bytes) if quant is not None else ("", 0)
        if here is not None:
            label, size_bytes, exact = here.quant, here.size_bytes, True
        elif row is not None:
            label, size_bytes, exact = row.wanted.quant, row.wanted.size_bytes, True
        size = disk_size(size_bytes) if exact else f"about {size_bytes / 1e9:.1f} GB"
        words = f"{known.note}. {licence_words(known.licence)}."
        button, enabled, state, share, trouble = button_for(row), True, "", None, False
        if here is not None:
            button, state = "Chat", "On this computer, verified." if here.verified_ms else "On this computer."
        elif row is not None:
            waits = row.state in (DownloadState.FAILED, DownloadState.WAITING)
            state, share, trouble = f"{percent(row)} % · {download_words(row)}", percent(row) / 100, waits
        elif self._asking.waits_for(known.repo):
            enabled, state = False, "Asking the Hub…"
        elif self._error is not None:
            button, state, trouble = "Retry", str(self._error), True
        elif found.fit is Fit.TOO_BIG:
            button, state = "Look at it", "Not enough memory is free now; a smaller model runs better here."
        return Offer(known.name, label, size, words, found, button, enabled, state, share, trouble)

    def _here(self, known: Entry) -> LocalModel | None:
        models = self._services.local.models()
        return next((m for m in models if m.repo_id.lower() == known.repo.lower() and m.present), None)

    @Slot()
    def _pressed(self) -> None:
        offer = self._card.offer()
        if self._known is None or offer is None:
            return
        self._error = None
        if offer.button == "Look at it":
            self.page_asked.emit(self._known.id)
        else:
            self._actions.press_known(self._known)

    @Slot(str, object)
    def _failed(self, repo_id: str, error: AppError) -> None:
        if self._known is not None and repo_id.lower() == self._known.repo.lower():
            self._error = error
            self._soon.now()
