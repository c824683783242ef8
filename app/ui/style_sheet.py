"""The one style sheet of the app, written from a theme's tokens; what message bodies look like is painted instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.ui.resources import resource_path

if TYPE_CHECKING:
    from app.ui.theme import Theme


def style_sheet(theme: Theme) -> str:
    """The whole sheet, in Qt's dialect of CSS. Widgets choose their look by the property `kind`, frames by name."""
    return "".join(part(theme) for part in (_frames, _labels, _buttons, _fields, _composer, _sliders, _lists))


def _picture(name: str) -> str:
    return f'url("{resource_path("icons", name).as_posix()}")'


def _frames(t: Theme) -> str:
    return f"""
* {{ outline: 0; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.control}; padding: 4px 8px; }}
QMainWindow, #page {{ background: {t.window}; }}
#sidebar {{ background: {t.sidebar}; border: 0; border-right: 1px solid {t.border}; }}
#inspector {{ background: {t.panel}; border: 0; border-left: 1px solid {t.border}; }}
#header {{ background: {t.window}; border: 0; border-bottom: 1px solid {t.border}; }}
#rule {{ background: {t.border}; border: 0; }}
#strip {{ background: {t.panel}; border: 0; border-top: 1px solid {t.border}; }}
#downloadLine {{ border: 0; border-top: 1px solid {t.border}; background: transparent; }}
#card {{ background: {t.raised}; border: 1px solid {t.border}; border-radius: 12px; }}
#column {{ background: {t.window}; border: 1px solid {t.border}; border-radius: 12px; }}
#notice {{ background: {t.info_bg}; border: 1px solid {t.border}; border-radius: 10px; }}
#notice[level="warning"] {{ background: {t.warn_bg}; }}
#notice[level="error"] {{ background: {t.danger_bg}; }}
#dropHint {{ background: {t.accent_soft}; border: 2px dashed {t.accent}; border-radius: 14px; color: {t.text};
  font-size: {t.font_pt + 2:.1f}pt; font-weight: 600; }}
QSplitter::handle {{ background: transparent; }}
QScrollArea {{ background: transparent; border: 0; }}
QScrollArea > QWidget > QWidget {{ background: transparent; }}
QStackedWidget {{ background: transparent; }}
"""


def _labels(t: Theme) -> str:
    return f"""
QLabel {{ background: transparent; }}
QLabel[kind="muted"] {{ color: {t.muted}; }}
QLabel[kind="faint"] {{ color: {t.faint}; font-size: {t.small_pt:.1f}pt; }}
QLabel[kind="danger"] {{ color: {t.danger}; font-size: {t.small_pt:.1f}pt; }}
QLabel[kind="warn"] {{ color: {t.warn}; }}
QLabel[kind="good"] {{ color: {t.ok}; }}
QLabel[kind="bad"] {{ color: {t.danger}; }}
QLabel[kind="fact"] {{ font-weight: 600; }}
QLabel[kind="modelName"] {{ font-size: {t.font_pt * 1.5:.1f}pt; font-weight: 700; }}
QLabel[kind="tile"] {{ color: {t.accent}; background: {t.accent_soft}; border-radius: 12px;
  font-size: {t.font_pt * 1.4:.1f}pt; font-weight: 600; }}
QLabel[kind="mono"] {{ font-family: "{t.mono_font}"; font-size: {t.small_pt:.1f}pt; background: {t.code_bg};
  border: 1px solid {t.code_border}; border-radius: 8px; padding: 10px; }}
QLabel[kind="digest"] {{ font-family: "{t.mono_font}"; font-size: {t.small_pt - 0.5:.1f}pt; color: {t.faint}; }}
QLabel[kind="chat"] {{ color: {t.accent}; font-size: {t.small_pt:.1f}pt; font-weight: 600; }}
QLabel[kind="heading"] {{ font-weight: 600; }}
QLabel[kind="section"] {{ color: {t.muted}; font-weight: 600; font-size: {t.small_pt:.1f}pt; }}
QLabel[kind="brand"] {{ font-size: {t.font_pt + 2:.1f}pt; font-weight: 700; }}
QLabel[kind="title"] {{ font-size: {t.font_pt + 0.5:.1f}pt; font-weight: 600; }}
QLabel[kind="hero"] {{ font-size: {t.font_pt * 2:.1f}pt; font-weight: 700; }}
QLabel[kind="lead"] {{ color: {t.muted}; font-size: {t.font_pt:.1f}pt; }}
QLabel[kind="pill"] {{ color: {t.muted}; background: {t.hover}; border-radius: 11px; padding: 3px 12px;
  font-weight: 600; font-size: {t.chrome_pt - 0.4:.1f}pt; }}
QLabel[kind="keys"] {{ color: {t.text}; background: {t.hover}; border: 1px solid {t.control}; border-radius: 5px;
  padding: 1px 7px; font-size: {t.small_pt:.1f}pt; font-weight: 600; }}
"""


def _buttons(t: Theme) -> str:
    return f"""
QToolButton, QPushButton {{ border: 1px solid transparent; border-radius: 8px; padding: 5px; background: transparent;
  color: {t.text}; }}
QToolButton:hover, QPushButton:hover {{ background: {t.hover}; }}
QToolButton:pressed, QPushButton:pressed {{ background: {t.border}; }}
QToolButton:focus, QPushButton:focus {{ border: 1px solid {t.accent}; }}
QToolButton:checked {{ background: {t.accent_soft}; }}
QToolButton:disabled, QPushButton:disabled {{ color: {t.faint}; }}
QToolButton::menu-indicator, QPushButton::menu-indicator {{ image: none; width: 0; }}
QPushButton[kind="outline"], QToolButton[kind="outline"] {{ border: 1px solid {t.control}; background: {t.raised};
  padding: 7px 12px; }}
QPushButton[kind="outline"]:hover, QToolButton[kind="outline"]:hover {{ background: {t.hover}; }}
QPushButton[kind="outline"]:focus, QToolButton[kind="outline"]:focus {{ border: 1px solid {t.accent}; }}
QPushButton[kind="wide"] {{ border: 1px solid {t.control}; background: {t.raised}; padding: 7px 12px;
  text-align: left; }}
QPushButton[kind="wide"]:hover {{ background: {t.hover}; }}
QPushButton[kind="wide"]:focus {{ border: 1px solid {t.accent}; }}
QPushButton[kind="nav"] {{ padding: 7px 12px; text-align: left; font-weight: 500; }}
QPushButton[kind="nav"]:checked {{ background: {t.selection}; }}
QPushButton[kind="link"] {{ color: {t.link}; padding: 3px 0; text-align: left; }}
QPushButton[kind="link"]:disabled {{ color: {t.faint}; }}
QPushButton[kind="tiny"] {{ color: {t.link}; font-size: {t.small_pt:.1f}pt; padding: 0 3px; border-radius: 4px; }}
QPushButton[kind="fold"] {{ color: {t.muted}; font-weight: 600; padding: 5px 0; text-align: left; }}
QPushButton[kind="fold"]:checked {{ background: transparent; }}
QPushButton[kind="filled"] {{ background: {t.fill}; color: {t.accent_text}; padding: 7px 16px; font-weight: 600; }}
QPushButton[kind="filled"]:hover {{ background: {t.accent if not t.dark else t.fill}; }}
QPushButton[kind="filled"]:disabled {{ background: {t.hover}; color: {t.faint}; }}
QPushButton[kind="filled"]:focus {{ border: 2px solid {t.text}; padding: 6px 15px; }}
QPushButton#card {{ background: {t.raised}; border: 1px solid {t.border}; border-radius: 12px; padding: 0; }}
QPushButton#card:hover {{ background: {t.hover}; }}
QPushButton#card:focus {{ border: 1px solid {t.accent}; }}
QToolButton[kind="cpuBadge"] {{ background: {t.warn_bg}; color: {t.warn}; border-radius: 11px; padding: 3px 9px;
  font-weight: 600; font-size: {t.small_pt:.1f}pt; }}
QToolButton[kind="cpuBadge"]:focus {{ border: 1px solid {t.accent}; }}
QToolButton[kind="pill"] {{ border: 1px solid {t.control}; border-radius: 8px; padding: 3px 7px; color: {t.muted};
  font-size: {t.small_pt:.1f}pt; }}
QToolButton[kind="pill"]:checked {{ background: {t.accent_soft}; color: {t.text}; }}
QToolButton[kind="pill"]:focus {{ border: 1px solid {t.accent}; }}
QCheckBox {{ spacing: 6px; background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 2px; }}
QCheckBox:focus {{ border: 1px solid {t.accent}; }}
QCheckBox::indicator {{ width: 15px; height: 15px; border: 1px solid {t.faint}; border-radius: 4px;
  background: {t.field}; }}
QCheckBox::indicator:checked {{ background: {t.fill}; border: 1px solid {t.fill};
  image: {_picture("tick-white.svg")}; }}
"""


def _fields(t: Theme) -> str:
    fields = "QLineEdit, QPlainTextEdit, QComboBox, QSpinBox, QDoubleSpinBox"
    focused, disabled = (", ".join(f"{name}:{state}" for name in fields.split(", ")) for state in ("focus", "disabled"))
    return f"""
{fields} {{ background: {t.field}; color: {t.text}; border: 1px solid {t.control}; border-radius: 8px;
  padding: 6px 9px; selection-background-color: {t.fill}; selection-color: {t.accent_text}; }}
{focused} {{ border: 1px solid {t.accent}; }}
{disabled} {{ background: transparent; color: {t.faint}; border: 1px solid {t.border}; }}
QLineEdit[invalid="true"] {{ border: 1px solid {t.danger}; }}
QLineEdit[kind="value"] {{ padding: 3px 7px; }}
QLineEdit[kind="title"] {{ background: transparent; border: 1px solid transparent; padding: 4px 7px;
  font-size: {t.font_pt + 0.5:.1f}pt; font-weight: 600; }}
QLineEdit[kind="title"]:hover {{ border: 1px solid {t.border}; }}
QLineEdit[kind="title"]:focus {{ background: {t.field}; border: 1px solid {t.accent}; }}
QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{ width: 0; height: 0; border: 0; }}
QComboBox {{ padding: 4px 9px; }}
QComboBox::drop-down {{ border: 0; width: 24px; }}
QComboBox::down-arrow {{ image: {_picture("chevron-grey.svg")}; width: 14px; height: 14px; }}
QComboBox QAbstractItemView {{ background: {t.raised}; border: 1px solid {t.control}; padding: 4px;
  selection-background-color: {t.selection}; selection-color: {t.text}; }}
"""


def _composer(t: Theme) -> str:
    return f"""
#composer {{ background: {t.raised}; border: 1px solid {t.control}; border-radius: 16px; }}
#composer[active="true"] {{ border: 1px solid {t.accent}; }}
#composer QPlainTextEdit {{ border: 0; background: transparent; padding: 0; font-size: {t.font_pt:.1f}pt; }}
QToolButton#send {{ background: {t.fill}; border-radius: 16px; padding: 0; border: 0; }}
QToolButton#send:hover {{ background: {t.accent if not t.dark else t.fill}; }}
QToolButton#send:focus {{ border: 2px solid {t.text}; }}
QToolButton#send:disabled {{ background: {t.hover}; }}
"""


def _sliders(t: Theme) -> str:
    return f"""
QProgressBar {{ background: {t.border}; border: 0; border-radius: 3px; max-height: 6px; min-height: 6px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
QProgressBar[full="true"]::chunk {{ background: {t.warn}; }}
QSlider {{ min-height: 22px; background: transparent; }}
QSlider::groove:horizontal {{ height: 4px; background: {t.control}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {t.text if t.dark else t.raised}; border: 1px solid {t.faint}; width: 14px;
  height: 14px; margin: -6px 0; border-radius: 8px; }}
QSlider::handle:horizontal:focus {{ border: 2px solid {t.accent}; width: 12px; height: 12px; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
QScrollBar::handle:vertical {{ background: {t.control}; border-radius: 3px; min-height: 36px; }}
QScrollBar::handle:vertical:hover {{ background: {t.faint}; }}
QScrollBar[idle="true"]::handle:vertical {{ background: transparent; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 2px; }}
QScrollBar::handle:horizontal {{ background: {t.control}; border-radius: 3px; min-width: 36px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def _lists(t: Theme) -> str:
    return f"""
QListView {{ background: transparent; border: 0; }}
QListView[kind="rows"] {{ background: {t.raised}; border: 1px solid {t.border}; border-radius: 12px; }}
QListView[kind="items"], QTreeView[kind="items"] {{ background: {t.raised}; border: 1px solid {t.control};
  border-radius: 8px; padding: 3px; }}
QListView[kind="items"]:focus, QTreeView[kind="items"]:focus {{ border: 1px solid {t.accent}; }}
QListView[kind="items"]::item {{ padding: 5px 7px; border-radius: 6px; color: {t.text}; }}
QTreeView[kind="items"]::item {{ padding: 4px 3px; color: {t.text}; }}
QListView[kind="items"]::item:hover, QTreeView[kind="items"]::item:hover {{ background: {t.hover}; }}
QListView[kind="items"]::item:selected, QTreeView[kind="items"]::item:selected {{ background: {t.selection};
  color: {t.text}; }}
QTableView[kind="grid"] {{ background: {t.window}; border: 0; selection-background-color: transparent; }}
QTableView[kind="grid"] QHeaderView {{ background: {t.window}; border: 0; }}
QTableView[kind="grid"] QTableCornerButton::section {{ background: {t.window}; border: 0;
  border-bottom: 1px solid {t.border}; }}
QListView[kind="bare"] {{ border-bottom: 1px solid {t.border}; }}
QMenu {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.control}; padding: 5px; }}
QMenu::item {{ padding: 6px 22px 6px 12px; border-radius: 6px; }}
QMenu::item:selected {{ background: {t.selection}; color: {t.text}; }}
QMenu::item:disabled {{ color: {t.faint}; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::separator {{ height: 1px; background: {t.border}; margin: 5px 8px; }}
QTabBar {{ background: transparent; border: 0; }}
QTabBar::tab {{ padding: 8px 3px; margin-right: 18px; color: {t.muted}; border: 0;
  border-bottom: 2px solid transparent; font-weight: 500; background: transparent; }}
QTabBar::tab:selected {{ color: {t.text}; border-bottom: 2px solid {t.accent}; }}
QTabBar::tab:focus {{ color: {t.accent}; }}
"""
