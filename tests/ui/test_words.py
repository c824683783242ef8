"""Numbers, sizes and file names as the window words them."""

from __future__ import annotations

import pytest

from app.core.errors import EngineDiedError, PutAsideError
from app.services.context_meter import Usage
from app.services.engine_room import Kind, ModelState
from app.ui.file_dialogs import ask_export, ask_model, file_name
from app.ui.model_facts import quant_in
from app.ui.words import gigabytes, parameters, state_words, usage_words


@pytest.mark.parametrize(
    ("size", "words"), [(4_368_439_584, "4.4 GB"), (2_133_056, "2 MB"), (52_000, "52 kB"), (3, "1 kB")]
)
def test_sizes_are_told_in_powers_of_ten(size, words):
    assert gigabytes(size) == words


@pytest.mark.parametrize(("count", "words"), [(7_241_732_096, "7.2 billion"), (1_945_152, "1.9 million"), (950, "950")])
def test_parameters_are_told_in_words(count, words):
    assert parameters(count) == words


def test_a_models_state_is_told_in_words():
    states = [ModelState(), ModelState(Kind.LOADING, 0.4), ModelState(Kind.READY), ModelState(Kind.FAILED)]
    assert [state_words(state) for state in states] == ["Not loaded", "Loading 40 %", "Loaded", "Could not be loaded"]
    assert state_words(ModelState(Kind.FAILED, error=EngineDiedError("It died"))) == "Stopped unexpectedly"
    assert state_words(ModelState(Kind.FAILED, error=PutAsideError("It is put aside"))) == "Put aside"


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (Usage(1240, 8192, exact=True), "1,240 of 8,192 tokens"),
        (Usage(1240, 8192, exact=False), "about 1,240 of 8,192 tokens"),
        (Usage(0, 0, exact=False), "Tokens: not counted yet"),
        (Usage(12, 0, exact=False), "about 12 tokens"),
    ],
)
def test_used_tokens_are_exact_or_say_that_they_are_not(usage, words):
    assert usage_words(usage) == words


@pytest.mark.parametrize(
    ("path", "quant"),
    [
        ("/models/mistral-7b-openorca.Q4_K_M.gguf", "Q4_K_M"),
        ("C:\\models\\llama-3-8b-iq2_xs.gguf", "IQ2_XS"),
        ("/models/tiny-f16.gguf", "F16"),
        ("/Q4_0/starter.gguf", ""),
        ("/models/faq4u.gguf", ""),
    ],
)
def test_the_quant_is_read_off_the_files_name_alone(path, quant):
    assert quant_in(path) == quant


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("A/B: what?", "A B what"),
        ("...", "Chat"),
        ("", "Chat"),
        ("x" * 200, "x" * 80),
        ("Ende.", "Ende"),
        ("a\nb", "a b"),
    ],
)
def test_a_title_becomes_a_file_name_that_every_system_takes(title, name):
    assert file_name(title) == name


def test_the_file_dialogs_hand_over_what_was_chosen(qtbot, light, tmp_path):
    from PySide6.QtWidgets import QWidget

    parent = QWidget()
    qtbot.addWidget(parent)
    chosen: list[str] = []
    for dialog in (ask_model(parent, chosen.append), ask_export(parent, "A chat", chosen.append)):
        assert dialog.isVisible()
        dialog.fileSelected.emit(str(tmp_path / "file"))
        dialog.close()
    assert chosen == [str(tmp_path / "file")] * 2
