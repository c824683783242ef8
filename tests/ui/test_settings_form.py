"""The form is what the declarations say: every setting has a row, its limits hold, and off is a state of its own."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, Qt, QTimer
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QSlider, QToolButton

from app.core.looks import Look
from app.core.options import Loading, Sampling
from app.core.running import Running
from app.core.settings import Kind, Resolved, Source, declared, resolve
from app.ui.quiet import QuietComboBox, QuietSlider
from app.ui.setting_scale import Scale, written
from app.ui.settings_form import SettingsForm

NUMBERS = [
    setting
    for group in (Sampling, Loading, Look)
    for setting in declared(group).values()
    if setting.kind in (Kind.FLOAT, Kind.INT)
]


class Form:
    """A form with someone who keeps its values, as the window has it."""

    def __init__(self, qtbot, theme, group: type = Sampling, here: Source = Source.CHAT) -> None:
        self.group, self.here = group, here
        self.kept: dict[str, object] = {}
        self.below: dict[str, object] = {}
        self.changes: list[tuple[str, object]] = []
        self.widget = SettingsForm(group, here, theme)
        qtbot.addWidget(self.widget)
        self.widget.changed.connect(self._change)
        self.widget.reset_asked.connect(self._reset)
        self.widget.resize(300, 900)
        self.widget.show()
        qtbot.waitExposed(self.widget)
        self.show()

    def resolved(self) -> Resolved:
        return resolve(self.group, [(Source.MODEL, self.below), (self.here, self.kept)])

    def show(self) -> None:
        self.widget.show_values(self.resolved(), {"context_tokens": "2,048"})

    def _change(self, key: str, value: object) -> None:
        self.changes.append((key, value))
        self.kept[key] = value
        self.show()

    def _reset(self, key: str) -> None:
        del self.kept[key]
        self.show()

    def unfold(self, qtbot) -> None:
        fold = next(b for b in self.widget.findChildren(QPushButton) if b.property("kind") == "fold")
        qtbot.mouseClick(fold, Qt.MouseButton.LeftButton)

    def find(self, key: str, kind: type):
        row = self.widget.row(key)
        return next(w for w in row.findChildren(kind))

    def type_in(self, qtbot, key: str, text: str) -> QLineEdit:
        """Type a text instead of what stands in a field, as a person does."""
        field: QLineEdit = self.find(key, QLineEdit)
        field.setFocus()
        field.selectAll()
        qtbot.keyClicks(field, text)
        return field

    def words(self, key: str) -> list[str]:
        return [label.text() for label in self.widget.row(key).findChildren(QLabel) if label.isVisible()]


@pytest.fixture
def form(qtbot, light):
    return lambda **more: Form(qtbot, light, **more)


@pytest.mark.parametrize("group", [Sampling, Loading, Look])
def test_every_declared_setting_has_a_row_and_none_other(qtbot, form, group):
    made = form(group=group)
    advanced = {key for key, setting in declared(group).items() if setting.advanced}
    shown = {key for key in declared(group) if made.widget.row(key) is not None}
    assert shown == declared(group).keys() - advanced, "advanced ones are folded away"
    if advanced:
        made.unfold(qtbot)
    assert all(made.widget.row(key) is not None for key in declared(group))


def test_a_typed_number_is_taken_on_enter_and_says_where_it_comes_from(qtbot, form):
    made = form()
    assert "Default" in made.words("temperature")
    field = made.type_in(qtbot, "temperature", "1.2")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert made.changes == [("temperature", 1.2)]
    assert field.text() == "1.20"
    assert "This chat" in made.words("temperature")


def test_a_value_that_is_not_allowed_says_why_and_changes_nothing(qtbot, form):
    made = form()
    field = made.type_in(qtbot, "temperature", "9")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert made.changes == []
    assert "It takes a number from 0 to 5." in made.words("temperature")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "0.70"
    assert "It takes a number from 0 to 5." not in made.words("temperature")


def test_off_is_a_state_of_its_own_and_not_zero(qtbot, form):
    made = form()
    toggle, field = made.find("top_k", QToolButton), made.find("top_k", QLineEdit)
    assert not toggle.isChecked()
    qtbot.mouseClick(toggle, Qt.MouseButton.LeftButton)
    assert made.changes == [("top_k", None)]
    assert toggle.isChecked()
    assert toggle.text() == "Off"
    assert not field.isVisible()
    qtbot.mouseClick(toggle, Qt.MouseButton.LeftButton)
    assert made.changes[-1] == ("top_k", 40), "back to the number before"
    assert field.isVisible()


def test_a_value_first_wanted_starts_where_it_is_usual(qtbot, form):
    made = form()
    qtbot.mouseClick(made.find("min_p", QToolButton), Qt.MouseButton.LeftButton)
    assert made.changes == [("min_p", 0.05)]


def test_auto_says_what_it_came_to(form):
    made = form(group=Loading, here=Source.MODEL_CHANGED)
    assert made.find("context_tokens", QToolButton).text() == "Auto: 2,048"
    assert made.find("threads", QToolButton).text() == "Auto"


def test_the_arrow_keys_step_and_only_the_last_value_is_kept(qtbot, form):
    made = form()
    field = made.find("temperature", QLineEdit)
    for _ in range(3):
        qtbot.keyClick(field, Qt.Key.Key_Up)
    assert field.text() == "0.85"
    qtbot.waitUntil(lambda: bool(made.changes))
    assert made.changes == [("temperature", 0.85)]
    assert made.find("temperature", QSlider).value() == round(0.85 / 0.05)


def test_the_slider_moves_the_number_and_is_kept_when_it_rests(qtbot, form):
    made = form()
    made.find("top_p", QSlider).setValue(50)
    assert made.find("top_p", QLineEdit).text() == "0.50"
    assert made.changes == []
    qtbot.waitUntil(lambda: made.changes == [("top_p", 0.5)])


def test_reset_goes_back_to_the_layer_below(qtbot, form):
    made = form()
    made.below["temperature"] = 0.0
    made.kept["temperature"] = 1.5
    made.show()
    reset = made.find("temperature", QPushButton)
    assert reset.accessibleName() == "Reset Temperature"
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert made.find("temperature", QLineEdit).text() == "0.00"
    assert "Model’s own" in made.words("temperature")
    assert not reset.isVisible(), "what was not changed here cannot be reset here"


def test_choices_switches_and_lists_have_fields_of_their_own(qtbot, form):
    made = form(group=Loading, here=Source.MODEL_CHANGED)
    made.unfold(qtbot)
    box = made.find("kv_type", QComboBox)
    assert [box.itemText(i) for i in range(box.count())] == [label for _, label in declared(Loading)["kv_type"].choices]
    qtbot.keyClick(box, Qt.Key.Key_Down)
    assert made.changes[-1] == ("kv_type", "f16")
    three = made.find("mmap", QComboBox)
    assert [three.itemText(i) for i in range(three.count())] == ["Auto", "On", "Off"]
    qtbot.keyClick(three, Qt.Key.Key_Down)
    qtbot.keyClick(three, Qt.Key.Key_Down)
    assert made.changes[-1] == ("mmap", False)


def test_a_switch_says_on_or_off(qtbot, form):
    made = form(group=Running, here=Source.APP)
    switch = made.find("own_process", QCheckBox)
    assert switch.text() == "On"
    qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert made.changes[-1] == ("own_process", False)
    assert switch.text() == "Off"


def test_what_auto_comes_to_is_written_behind_its_word(qtbot, form):
    made = form(group=Loading, here=Source.MODEL_CHANGED)
    made.unfold(qtbot)
    box, three = made.find("kv_type", QComboBox), made.find("mmap", QComboBox)
    made.widget.row("kv_type").show_auto("q8_0")
    made.widget.row("mmap").show_auto("On")
    assert (box.itemText(0), three.itemText(0)) == ("Auto: q8_0", "Auto: On")
    assert (box.itemData(0), three.itemData(0)) == ("auto", None)
    made.widget.row("kv_type").show_auto("")
    assert box.itemText(0) == "Auto"


def test_stop_strings_are_taken_one_a_line_when_the_field_is_left(qtbot, form):
    made = form()
    field = made.find("stop", QPlainTextEdit)
    field.setFocus()
    qtbot.keyClicks(field, "###")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.keyClicks(field, "END")
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: made.changes == [("stop", ("###", "END"))])


def paste(field, text: str) -> None:
    data = QMimeData()
    data.setText(text)
    field.insertFromMimeData(data)


def test_ten_megabytes_are_not_pasted_among_the_stop_strings(qtbot, form):
    made = form()
    field = made.find("stop", QPlainTextEdit)
    paste(field, "END")
    paste(field, "x" * 10_000_000)
    assert field.toPlainText() == "END"
    assert any("10,000,000 characters" in words for words in made.words("stop"))
    qtbot.waitUntil(lambda: made.changes == [("stop", ("END",))])
    assert not any("too long" in words for words in made.words("stop"))


def test_a_stop_string_that_is_a_line_break_is_typed_and_shown_as_an_escape(qtbot, form):
    made = form()
    field = made.find("stop", QPlainTextEdit)
    qtbot.keyClicks(field, r"\n\nUser:")
    made.widget.flush()
    assert made.changes == [("stop", ("\n\nUser:",))]
    made.kept["stop"] = ("\n", "a\\b")
    made.show()
    assert field.toPlainText() == "\\n\na\\\\b"
    made.widget.flush()
    assert len(made.changes) == 1, "what is shown is no change"


def test_what_is_being_typed_is_not_overwritten_by_what_is_kept(qtbot, form):
    made = form()
    number, lines = made.type_in(qtbot, "temperature", "1."), made.find("stop", QPlainTextEdit)
    made.kept["temperature"] = 0.3
    made.show()
    assert number.text() == "1."
    qtbot.keyClick(number, Qt.Key.Key_Escape)
    assert number.text() == "0.30", "Escape shows what is in force by now"
    lines.setFocus()
    qtbot.keyClicks(lines, "EN")
    made.kept["stop"] = ("###",)
    made.show()
    assert lines.toPlainText() == "EN"


def test_a_selected_number_stays_selected_while_its_row_is_shown_anew(form):
    made = form()
    number = made.find("temperature", QLineEdit)
    number.selectAll()
    made.show()
    assert number.selectedText() == "0.70"


def test_everything_entered_is_taken_at_once_when_it_has_to_be(qtbot, form):
    made = form()
    for key, text in (("temperature", "1.2"), ("top_k", "nonsense")):
        made.type_in(qtbot, key, text)
    qtbot.keyClick(made.find("top_p", QLineEdit), Qt.Key.Key_Down)
    qtbot.keyClicks(made.find("stop", QPlainTextEdit), "END")
    made.widget.flush()
    assert dict(made.changes) == {"temperature": 1.2, "top_p": 0.94, "stop": ("END",)}
    assert made.find("top_k", QLineEdit).text() == "nonsense", "it can still be mended"


def test_nothing_entered_for_one_reaches_the_values_of_another(qtbot, form):
    made = form()
    field = made.type_in(qtbot, "top_k", "nonsense")
    qtbot.keyClick(made.find("top_p", QLineEdit), Qt.Key.Key_Down)
    made.widget.finish()
    assert made.changes == [("top_p", 0.94)]
    made.kept.clear()
    made.show()
    assert (field.text(), made.find("top_p", QLineEdit).text()) == ("40", "0.95")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert len(made.changes) == 1
    assert not any(timer.isActive() for timer in made.widget.findChildren(QTimer)), "nothing is still to come"


def test_a_step_begins_at_the_number_that_was_typed_and_typing_goes_on_from_a_step(qtbot, form):
    made = form()
    field = made.type_in(qtbot, "temperature", "1.2")
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert field.text() == "1.25"
    made.type_in(qtbot, "temperature", "2.5")
    timers = made.widget.row("temperature").findChildren(QTimer)
    assert not any(timer.isActive() for timer in timers), "the step that still settled does not come over it"
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert made.changes == [("temperature", 1.2), ("temperature", 2.5)]


def test_a_reset_wins_over_what_is_being_typed(qtbot, form):
    made = form()
    made.kept["temperature"] = 1.5
    made.show()
    field = made.type_in(qtbot, "temperature", "9")
    made.find("temperature", QPushButton).click()
    assert field.text() == "0.70"


def test_the_wheel_scrolls_the_form_and_changes_no_value(qtbot, form):
    made = form(group=Loading, here=Source.MODEL_CHANGED)
    made.unfold(qtbot)
    found = [*made.widget.findChildren(QSlider), *made.widget.findChildren(QComboBox)]
    assert len({type(widget) for widget in found}) == 2
    assert all(isinstance(widget, QuietSlider | QuietComboBox) for widget in found)


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda setting: setting.key)
def test_every_place_on_a_slider_is_an_allowed_value_and_finds_back(setting):
    scale = Scale.of(setting)
    if scale is None:
        assert setting.key == "seed", "only a number without a usual range has no slider"
        return
    values = [scale.value(position) for position in range(scale.positions + 1)]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (scale.low, scale.high)
    for value in values:
        assert setting.checked(value) == value
        assert scale.value(scale.position(value)) == pytest.approx(value, rel=0.03, abs=scale.step / 1000)


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda setting: setting.key)
def test_a_written_number_reads_back_as_itself(setting):
    for value in (setting.low, setting.high, setting.usual, setting.default):
        if value is not None:
            assert setting.parsed(written(value, setting)) == value


@pytest.mark.parametrize("group", [Sampling, Loading, Look])
def test_whatever_can_be_off_says_where_it_starts(group):
    for setting in declared(group).values():
        assert (setting.none_label is None) == (setting.usual is None), setting.key
        if setting.usual is not None:
            assert setting.checked(setting.usual) == setting.usual
