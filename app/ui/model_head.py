"""The top of a model's page: its picture, its name, a few words, and its facts side by side."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayout, QLayoutItem, QVBoxLayout, QWidget

from app.core.known import Entry
from app.core.library import Gate, LocalModel, Repo
from app.ui.catalogue import tile
from app.ui.model_words import GATE_WORDS, disk_size, licence_words, many, when
from app.ui.theme import Theme
from app.ui.words import parameters

Facts = list[tuple[str, str]]
_TEMPLATES = (
    ("<|im_start|>", "ChatML"),
    ("[INST]", "Mistral"),
    ("<|start_header_id|>", "Llama 3"),
    ("<start_of_turn>", "Gemma"),
)


def facts_of_known(known: Entry) -> Facts:
    """What the catalogue knows."""
    return _told(
        [
            ("Licence", licence_words(known.licence)),
            ("Parameters", parameters(known.parameters) if known.parameters else ""),
            ("Prompt format", known.prompt_format),
            ("Trained context", f"{known.context_tokens:,} tokens" if known.context_tokens else ""),
            ("Language", known.languages),
            ("Made from", known.base),
            ("Made by", _several(known.authors)),
        ]
    )


def facts_of_repo(repo: Repo, known: Entry | None) -> Facts:
    """What the Hub knows, and the catalogue where that is silent."""
    n_params = repo.n_params or (known.parameters if known is not None else None)
    train = repo.n_ctx_train or (known.context_tokens if known is not None else None)
    format_ = known.prompt_format if known is not None else ""
    base = (known.base if known is not None else "") or _several(repo.base_models)
    licence = (known.licence if known is not None else "") or repo.licence
    return _told(
        [
            ("Licence", licence_words(licence) or "None given"),
            ("Access", GATE_WORDS[repo.gate] if repo.gate is not Gate.OPEN else ""),
            ("Parameters", parameters(n_params) if n_params else ""),
            ("Architecture", repo.architecture),
            ("Prompt format", format_ or template_words(repo.template)),
            ("Trained context", f"{train:,} tokens" if train else ""),
            ("Language", known.languages if known is not None else ""),
            ("Made from", base),
            ("Made by", _several(known.authors) if known is not None else ""),
            ("Repository", repo.repo_id if known is not None else ""),
            ("Downloads", many(repo.downloads) if repo.downloads else ""),
            ("Likes", many(repo.likes) if repo.likes else ""),
            ("Changed", when(repo.updated_ms)),
        ]
    )


def facts_of_local(model: LocalModel) -> Facts:
    """What the file itself says."""
    return _told(
        [
            ("Licence", licence_words(model.licence)),
            ("Parameters", parameters(model.n_params) if model.n_params else ""),
            ("Architecture", model.architecture),
            ("Quant", model.quant),
            ("Size on disk", disk_size(model.size_bytes) if model.size_bytes else ""),
            ("Trained context", f"{model.n_ctx_train:,} tokens" if model.n_ctx_train else ""),
        ]
    )


def template_words(template: str) -> str:
    """What a chat template is called; "Its own" for one that has no well-known marks, "" where there is none."""
    known = next((name for mark, name in _TEMPLATES if mark in template), "Its own")
    return known if template else ""


def _several(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} others"


def _told(rows: Facts) -> Facts:
    return [(name, value) for name, value in rows if value]


class ModelHead(QWidget):
    """Shows what a model is."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: Facts = []
        self._tile = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._tile.setProperty("kind", "tile")
        self._name = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._name.setProperty("kind", "modelName")
        self._words = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._words.setProperty("kind", "muted")
        self._note = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._note.setProperty("kind", "warn")
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self._name)
        words.addWidget(self._words)
        words.addWidget(self._note)
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(self._tile, 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(words, 1)
        top.setAlignment(words, Qt.AlignmentFlag.AlignTop)
        self._facts = QWidget()
        self._flow = FlowLayout(self._facts)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        column.addLayout(top)
        column.addWidget(self._facts)
        self.set_theme(theme)

    def show_model(self, name: str, words: str, facts: Facts, note: str) -> None:
        """Show these; `note` is what is to be minded of the licence."""
        self._tile.setText(tile(name.rpartition("/")[2]))
        self._name.setText(name)
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self._shown = facts
        while (item := self._flow.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for title, value in facts:
            self._flow.addWidget(_fact(title, value))
        self._facts.setVisible(bool(facts))

    def facts(self) -> dict[str, str]:
        """What is shown."""
        return dict(self._shown)

    def name(self) -> str:
        """The name that is shown."""
        return self._name.text()

    def set_theme(self, theme: Theme) -> None:
        """Follow the theme's text size."""
        side = round(theme.font_pt * 5)
        self._tile.setFixedSize(side, side)


def _fact(title: str, value: str) -> QWidget:
    fact = QWidget()
    fact.setAccessibleName(f"{title}: {value}")
    column = QVBoxLayout(fact)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(1)
    for words, kind in ((title, "faint"), (value if len(value) <= 60 else f"{value[:58]}…", "fact")):
        label = QLabel(words, textFormat=Qt.TextFormat.PlainText)
        label.setProperty("kind", kind)
        label.setToolTip(value)
        column.addWidget(label)
    return fact


class FlowLayout(QLayout):
    """Lays widgets out in lines, as words of a text."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)
        self._gap = QSize(26, 10)

    def addItem(self, item: QLayoutItem) -> None:
        """Add one at the end."""
        self._items.append(item)

    def count(self) -> int:
        """How many there are."""
        return len(self._items)

    def itemAt(self, place: int) -> QLayoutItem | None:
        """One of them."""
        return self._items[place] if 0 <= place < len(self._items) else None

    def takeAt(self, place: int) -> QLayoutItem | None:
        """Take one out."""
        return self._items.pop(place) if 0 <= place < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """It wants no more room than its widgets need."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """The narrower, the higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height of all lines."""
        return self._place(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, box: QRect) -> None:
        """Put everything in its place."""
        super().setGeometry(box)
        self._place(box, move=True)

    def sizeHint(self) -> QSize:
        """At least as wide as the widest."""
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        """The widest and the highest of them."""
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _place(self, box: QRect, *, move: bool) -> int:
        x, y, line = box.x(), box.y(), 0
        for item in self._items:
            hint = item.sizeHint()
            if x > box.x() and x + hint.width() > box.right() + 1:
                x, y, line = box.x(), y + line + self._gap.height(), 0
            if move:
                item.setGeometry(QRect(QPoint(x, y), hint))
            x += hint.width() + self._gap.width()
            line = max(line, hint.height())
        return y + line - box.y()
