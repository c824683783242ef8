"""The library of prompts: all of them at the left, the one that is open, and its versions at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt, Slot
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from app.core.prompts import Prompt, PromptOrigin, PromptVersion
from app.services.notice import Notice, not_pasted
from app.services.prompt_defaults import PromptDefaults
from app.services.prompt_desk import NEW, PromptDesk, own_key
from app.ui.buttons import IconButton, WordButton
from app.ui.deleted_prompts import DeletedPrompts
from app.ui.icons import icon
from app.ui.lab_view import LabView
from app.ui.prompt_editor import PromptEditor
from app.ui.prompt_files import PromptFiles
from app.ui.prompt_menus import PromptMenus
from app.ui.prompt_side import PromptSide
from app.ui.prompt_ways import kept_words
from app.ui.theme import Theme
from app.ui.versions_panel import VersionsPanel

if TYPE_CHECKING:
    from app.services.library import Library
    from app.ui.model_services import ModelServices

_SIDE_PX = 256
_WIDE_PX = 1000
"""From here on all three parts have room."""
_MIDDLE_PX = 640
_UNBOUND_PX = 16_777_215


class PromptsView(LabView):
    """Write, find, compare and keep prompts."""

    def __init__(self, library: Library, services: ModelServices, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._chats, self._services, self._prompts = library, services, services.prompts
        self.desk = PromptDesk(services.prompts, self)
        self.side = PromptSide(services.prompts, theme)
        self.editor = PromptEditor(self.desk, services.prompts, services.models, theme)
        self.versions = VersionsPanel(self.desk, theme)
        self.trash = DeletedPrompts(services.prompts, theme)
        self.defaults = PromptDefaults(services.prompts, services.models, services.preferences, self)
        self.menus = PromptMenus(services.prompts, services.models, self.defaults, theme, self)
        self.files = PromptFiles(services.prompts, self)
        self.all = IconButton("chevron-left", "All prompts", theme, side_px=30)
        self.use = WordButton("Use in a new chat", theme, kind="outline", icon_name="plus")
        self.back = WordButton("Back to the text", theme, kind="link", icon_name="chevron-left")
        self.history = IconButton("branch", "Versions", theme, side_px=32)
        self.history.setCheckable(True)
        self.more = QToolButton()
        self._body = QStackedWidget()
        self._wants_list = True
        self.setAcceptDrops(True)
        self._lay_out()
        self._connect()
        self._arrange()

    def _lay_out(self) -> None:
        self.more.setIconSize(QSize(18, 18))
        self.more.setFixedSize(32, 32)
        self.more.setAccessibleName("More for this prompt")
        self.more.setToolTip("More for this prompt")
        head = self.editor.details.beside_name
        head.insertWidget(0, self.all)
        for part in (self.use, self.history, self.more):
            head.addWidget(part)
        self._nothing = QLabel("Choose a prompt, or write a new one.")
        self._nothing.setProperty("kind", "lead")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for page in (self._nothing, self.editor, self.trash):
            self._body.addWidget(page)
        self._row = QHBoxLayout()
        self._row.setContentsMargins(20, 14, 20, 16)
        self._row.setSpacing(18)
        self._row.addWidget(self.side)
        self._row.addWidget(self._body, 1)
        self._row.addWidget(self.versions)
        self.versions.above.addWidget(self.back)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notices)
        column.addLayout(self._row, 1)
        self.set_theme(self._theme)

    def _connect(self) -> None:
        side, prompts, desk = self.side, self._prompts, self.desk
        side.chosen.connect(self.open)
        side.new_asked.connect(self.write_new)
        side.menu_asked.connect(self._open_menu)
        side.removed.connect(self._remove)
        side.file_asked.connect(self.files.ask_file)
        side.folder_asked.connect(self.files.ask_folder)
        side.export_asked.connect(self.files.export_all)
        side.trash_asked.connect(self.show_trash)
        self.trash.left.connect(self._leave_trash)
        self.all.clicked.connect(self._show_list)
        self.use.clicked.connect(self._use)
        self.history.toggled.connect(self._history_toggled)
        self.back.clicked.connect(lambda: self.history.setChecked(False))
        self.more.clicked.connect(self._open_own_menu)
        self.editor.copy_asked.connect(self._copy_bundled)
        self.editor.told.connect(self.notices.show_notice)
        self.editor.too_long.connect(lambda count: self.notices.show_notice(not_pasted(count)))
        self.versions.compare_asked.connect(self._compare)
        self.versions.test_asked.connect(self._test)
        self.versions.restore_asked.connect(desk.restore)
        self.versions.branch_asked.connect(desk.branch)
        self.versions.menu_asked.connect(self._open_version_menu)
        self.menus.told.connect(self.notices.show_notice)
        self.menus.renamed.connect(self._rename)
        self.menus.exported.connect(self.files.export)
        self.menus.discarded.connect(self._discard_new)
        self.menus.used.connect(self.prompt_chosen)
        desk.opened.connect(self._opened)
        desk.edited.connect(lambda: self.side.show_open(desk.key, desk.has_draft))
        desk.saved.connect(self._saved)
        prompts.changed.connect(self._list_changed)
        prompts.made.connect(self._made)
        self.files.came.connect(self.open)
        self.files.told.connect(self.notices.show_notice)
        prompts.notice.connect(self._tell)
        self.defaults.found.connect(self._defaults_found)
        self.defaults.told.connect(self.notices.show_notice)
        saving = QShortcut(QKeySequence(QKeySequence.StandardKey.Save), self, self.editor.save)
        saving.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    # --- which prompt -----------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Somebody comes here: list what there is, and take the keyboard."""
        self._prompts.refresh()
        self.defaults.find()
        self.editor.show_model(self._chats.last_model_id)
        self.side.refresh()
        self.side.list.setFocus(Qt.FocusReason.OtherFocusReason)
        if self._prompts.ready and not self.desk.key:
            self._open_first()

    def _open_first(self) -> None:
        first = next((row.key for row in self.side.list.rows.rows() if row.key), "")
        self.desk.open(first)

    def open_origin(self, origin: PromptOrigin) -> None:
        """Show the version that a text was taken from."""
        self._leave_trash()
        self._wants_list = False
        self.desk.open_origin(origin)
        self._show_editor()

    @Slot(str)
    def open(self, key: str) -> None:
        """Show a prompt, named as in services/prompt_desk.py."""
        self._wants_list = False
        self._leave_trash()
        self.desk.open(key)
        self._show_editor()

    def _show_editor(self) -> None:
        self._arrange()
        if not self.side.isVisible():
            self.editor.field.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def write_new(self) -> None:
        """Write a prompt that is none yet."""
        self.open(NEW)
        self.editor.take_keyboard()

    @Slot()
    def _opened(self) -> None:
        self.side.show_open(self.desk.key, self.desk.has_draft)
        self._body.setCurrentWidget(self.editor if self.desk.key else self._nothing)
        self.more.setEnabled(bool(self.desk.key))
        if not self.desk.key:
            self._wants_list = True
        self._arrange()

    @Slot()
    def _list_changed(self) -> None:
        self.side.refresh()
        self.defaults.find()
        if not self.desk.key and self.isVisible():
            self._open_first()

    @Slot(object)
    def _made(self, prompt: Prompt) -> None:
        if self.isVisible():
            self.open(own_key(prompt.id))

    @Slot(dict, dict)
    def _defaults_found(self, by_key: dict[str, tuple[str, ...]], by_hash: dict[str, tuple[str, ...]]) -> None:
        self.side.show_defaults(by_key)
        self.versions.show_defaults(by_hash)

    # --- what the person does ---------------------------------------------------------------------------------------

    @Slot()
    def _use(self) -> None:
        self.editor.flush()
        if self.desk.key:
            self.prompt_chosen.emit(self.desk.written)

    @Slot()
    def _compare(self) -> None:
        self.editor.flush()
        self.compare_asked.emit(self.versions.contestants(self.desk.name), "", None)

    @Slot()
    def _test(self) -> None:
        self.editor.flush()
        self.experiment_asked.emit(self.versions.contestants(self.desk.name))

    @Slot()
    def _copy_bundled(self) -> None:
        if (bundled := self.desk.bundled) is not None:
            self._prompts.copy_bundled(bundled.key)

    @Slot(object)
    def _saved(self, version: PromptVersion) -> None:
        prompt = self.desk.prompt
        if prompt is None:
            return
        words, older = f"“{prompt.name}”", {one.hash for one in self.desk.versions} - {version.hash}
        actions = tuple(
            (
                f"Use it for new chats with {self.defaults.name(model_id)}",
                lambda model_id=model_id: self.defaults.make(model_id, version.text, version.hash, words),
            )
            for model_id in self.defaults.models_on(older)[:2]
        )
        self.notices.show_notice(Notice(kept_words(prompt), actions=actions))

    @Slot()
    def _open_own_menu(self) -> None:
        self._open_menu(self.desk.key, self.more.mapToGlobal(self.more.rect().bottomLeft()))

    @Slot(str, QPoint)
    def _open_menu(self, key: str, place: QPoint) -> None:
        menu = self.menus.for_prompt(key)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    @Slot(str, QPoint)
    def _open_version_menu(self, version_hash: str, place: QPoint) -> None:
        version = next((one for one in self.desk.versions if one.hash == version_hash), None)
        if version is None:
            return
        self.desk.show_version(version_hash)
        ways = [("columns", "Compare in columns", self._compare), ("table", "Test in an experiment", self._test)]
        if any(one.hash == version.parent for one in self.desk.versions):
            ways.append(("list", "What changed here", lambda: self.editor.show_differences(version.parent)))
        if self.desk.prompt is not None:
            ways.append(("branch", "Branch into a new prompt", self.desk.branch))
            if version_hash != self.desk.prompt.current:
                ways.append(("reset", "Restore", self.desk.restore))
        number = [one.hash for one in self.desk.versions].index(version_hash) + 1
        menu = self.menus.for_version(version, f"“{self.desk.name}”, version {number},", tuple(ways))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    @Slot(str)
    def _rename(self, key: str) -> None:
        self.open(key)
        self.editor.details.rename()

    @Slot(str)
    def _remove(self, key: str) -> None:
        if key == NEW:
            self._discard_new()
        else:
            self.menus.delete(key)

    @Slot()
    def _discard_new(self) -> None:
        self.open(NEW)
        self.editor.discard()
        self.desk.new_name = ""
        self.desk.open("")
        self._open_first()

    @Slot()
    def show_trash(self) -> None:
        """Show the deleted prompts."""
        self._wants_list = False
        self._body.setCurrentWidget(self.trash)
        self._arrange()
        self.trash.back.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _leave_trash(self) -> None:
        if self._body.currentWidget() is self.trash:
            self._body.setCurrentWidget(self.editor if self.desk.key else self._nothing)
            self._arrange()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders that may hold prompts; others belong to the window."""
        if self.files.take(event, read=False):
            self.files.show_hint()
        else:
            event.ignore()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Take the offer back."""
        self.files.hint.hide()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Read them."""
        self.files.hint.hide()
        self.files.take(event, read=True)

    # --- the view itself --------------------------------------------------------------------------------------------

    @Slot(object)
    def _tell(self, notice: Notice) -> None:
        if self.isVisible():
            self.notices.show_notice(notice)

    def escape(self) -> bool:
        """Leave the trash or the differences, put a notice away, or go back to the list where that is hidden."""
        if self._body.currentWidget() is self.trash:
            self._leave_trash()
        elif self.editor.against.currentIndex() > 0:
            self.editor.show_differences("")
        elif not self.notices.close_newest():
            if self.back.isVisible():
                self.history.setChecked(False)
            elif self.side.isVisible():
                return False
            else:
                self._show_list()
        return True

    @Slot()
    def _show_list(self) -> None:
        self._wants_list = True
        self._arrange()
        self.side.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def flush(self) -> None:
        """Hand over what is typed; before the program ends."""
        self.editor.flush()
        self.desk.flush()

    @Slot(bool)
    def _history_toggled(self, shown: bool) -> None:
        self._arrange()
        (self.versions.list if shown else self.editor.field).setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _arrange(self) -> None:
        """Show as many parts as there is room for."""
        scale = max(1.0, self._theme.font_pt / 11)
        wide, narrow = self.width() >= _WIDE_PX * scale, self.width() < _MIDDLE_PX * scale
        opened = bool(self.desk.key) and self._body.currentWidget() is not self.trash
        versions = opened and (wide or self.history.isChecked())
        listed = wide or (not versions and (self._wants_list or not narrow))
        self.history.setVisible(not wide)
        self.all.setVisible(narrow)
        self.side.setVisible(listed)
        self.versions.setVisible(versions)
        # where there is little room, one part at a time
        self._body.setVisible(not narrow or not (listed or versions))
        self.back.setVisible(narrow and versions)
        self.use.setText("" if narrow else "Use in a new chat")
        margin = 10 if narrow else 20
        self._row.setContentsMargins(margin, 14, margin, 16)
        for part in (self.side, self.versions):
            part.setMinimumWidth(0 if narrow else round(_SIDE_PX * scale))
            part.setMaximumWidth(_UNBOUND_PX if narrow else round(_SIDE_PX * scale))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """There is other room."""
        super().resizeEvent(event)
        self._arrange()

    def minimumSizeHint(self) -> QSize:
        """The window's smallest width has room for it."""
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), 380), min(hint.height(), 360))

    def set_theme(self, theme: Theme) -> None:
        """Follow the theme's text size and colours."""
        self._theme = self.menus.theme = theme
        self.more.setIcon(icon("more", theme.muted, 18))
        self.use.setAccessibleName("Use in a new chat")
        self.use.setToolTip("Begin a chat by this prompt, as it is written here")
        self._arrange()
