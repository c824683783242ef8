"""Settings of the model library: the models folder, the access token, the Hub's address, and a test of all that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.fetching import Fetching
from app.core.settings import declared
from app.ui.app_form import AppForm
from app.ui.buttons import WordButton
from app.ui.model_facts import ElidedLabel
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.ui.model_services import ModelServices

_FOLDER = "models_folder"


def _label(words: str, kind: str) -> QLabel:
    label = QLabel(words, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
    label.setProperty("kind", kind)
    return label


class HubSettings(QWidget):
    """Edits where models are kept and how they are fetched."""

    def __init__(self, services: ModelServices, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._folder = ElidedLabel("")
        self._folder.setProperty("kind", "muted")
        self._folder_trouble = _label("", "danger")
        self._folder_trouble.hide()
        self.choose = WordButton("Choose…", theme, kind="outline", icon_name="folder")
        self.choose.setAccessibleName("Choose the models folder")
        self.choose.clicked.connect(self._choose_folder)
        self.usual = WordButton("Use the usual folder", theme, kind="link")
        self.usual.clicked.connect(self._use_usual)
        self.token = QLineEdit()
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setPlaceholderText("hf_…")
        self.token.setAccessibleName("Access token for Hugging Face")
        self.token.setMaxLength(500)
        self.token.setAcceptDrops(False)
        self.token.returnPressed.connect(self._keep_token)
        self.keep = WordButton("Keep token", theme, kind="outline", icon_name="key")
        self.keep.clicked.connect(self._keep_token)
        self.forget = WordButton("Forget the token", theme, kind="link")
        self.forget.clicked.connect(self._forget_token)
        self.login = WordButton("Use the one of “hf auth login”", theme, kind="link")
        self.login.clicked.connect(self._use_login)
        self._token_state = _label("", "muted")
        self.test = WordButton("Test connection", theme, kind="outline", icon_name="refresh")
        self.test.clicked.connect(self._test)
        self._answer = _label("", "muted")
        preferences = services.preferences
        self.form = AppForm(Fetching, preferences.fetching, preferences.set_fetching, theme, leave_out=(_FOLDER,))
        self._lay_out()
        services.preferences.fetching_changed.connect(self.refresh)
        services.local.changed.connect(self.refresh)
        services.local.failed.connect(self._folder_failed)
        services.discover.token_changed.connect(self._show_token)
        services.discover.tested.connect(self._tested)
        self.refresh()
        self._show_token(services.discover.has_token())

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(_label("Models folder", "heading"))
        column.addWidget(_label(declared(Fetching)[_FOLDER].help, "faint"))
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._folder, 1)
        row.addWidget(self.choose)
        column.addLayout(row)
        column.addWidget(self._folder_trouble)
        column.addWidget(self.usual, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(10)
        column.addWidget(_label("Access token", "heading"))
        column.addWidget(
            _label(
                "Only for models whose owners ask for it. A token that may read is enough. It is kept in this "
                "computer’s keychain, never in a file, and goes to huggingface.co alone. It is not shown again.",
                "faint",
            )
        )
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.token, 1)
        row.addWidget(self.keep)
        column.addLayout(row)
        column.addWidget(self._token_state)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self.forget)
        row.addWidget(self.login)
        row.addStretch()
        column.addLayout(row)
        column.addSpacing(10)
        column.addWidget(self.form)
        column.addSpacing(6)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.test, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._answer, 1)
        column.addLayout(row)

    @Slot()
    def refresh(self) -> None:
        """Show what is in force."""
        self.form.refresh()
        folder = self._services.local.folder()
        self._folder.setText(folder)
        self._folder.setToolTip(folder)
        self._folder.setAccessibleName(f"Models folder: {folder}")
        self.usual.setVisible(self._services.preferences.fetching().models_folder is not None)
        if self._folder_trouble.property("folder") != folder:
            self._folder_trouble.hide()

    # --- folder -----------------------------------------------------------------------------------------------------

    @Slot()
    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, "Choose the models folder", self._services.local.folder())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.set_folder)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def set_folder(self, path: str) -> None:
        """Keep models there from now on, if that can be."""
        self._folder_trouble.hide()
        self._services.local.set_folder(path)

    @Slot()
    def _use_usual(self) -> None:
        self.set_folder("")

    @Slot(object)
    def _folder_failed(self, error: AppError) -> None:
        if self.isVisible():
            self._folder_trouble.setText(str(error))
            self._folder_trouble.setProperty("folder", self._services.local.folder())
            self._folder_trouble.show()

    def folder_trouble(self) -> str:
        """Why a folder was not taken; "" when all is well."""
        return "" if self._folder_trouble.isHidden() else self._folder_trouble.text()

    # --- token ------------------------------------------------------------------------------------------------------

    @Slot()
    def _keep_token(self) -> None:
        text = self.token.text().strip()
        # it is never shown again, and not kept here for a moment longer than needed
        self.token.clear()
        if text:
            self._token_state.setText("Keeping it…")
            self._services.discover.set_token(text)

    @Slot()
    def _forget_token(self) -> None:
        self._services.discover.set_token("")

    @Slot()
    def _use_login(self) -> None:
        self._services.discover.use_login_token()

    @Slot(bool)
    def _show_token(self, there: bool) -> None:
        self._token_state.setText("There is a token." if there else "There is no token; most models need none.")
        self.forget.setVisible(there)

    # --- connection -------------------------------------------------------------------------------------------------

    @Slot()
    def _test(self) -> None:
        self.test.setEnabled(False)
        self._answer.setText(f"Asking {self._services.endpoint}…")
        self._services.discover.test_connection()

    @Slot(str, object)
    def _tested(self, sentence: str, error: AppError | None) -> None:
        self.test.setEnabled(True)
        self._answer.setText(str(error) if error is not None else sentence)
        self._answer.setProperty("kind", "danger" if error is not None else "muted")
        self._answer.style().unpolish(self._answer)
        self._answer.style().polish(self._answer)

    def answer(self) -> str:
        """What the last test said."""
        return self._answer.text()
