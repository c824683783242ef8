"""The Hardware page and the badge: what is there, what a model takes, and why a GPU is not used."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from app.core.devices import Device, DeviceKind
from app.core.fit import Machine, Needs
from app.core.hardware import Findings, Forecast
from app.core.placement import Placed, Placement
from app.engine.scripted import Script
from app.services.engine_room import Kind
from app.services.hardware import HardwareWatch
from app.ui.hardware_page import HardwarePage
from app.ui.memory_card import device_parts, estimate_words
from app.ui.model_services import ModelServices
from tests.ui.conftest import GIB, HARDWARE

MIB = 1 << 20
RTX = Device("CUDA0", "GeForce RTX 4060", DeviceKind.GPU, "CUDA", 7 * GIB, 8 * GIB)
WITH_GPU = dataclasses.replace(HARDWARE, devices=(*HARDWARE.devices, RTX))
PARTLY = Placement(
    28, 8, 256, "f16", True, True,
    (Placed("CUDA0", 3 * GIB, GIB, GIB // 2), Placed("CPU", GIB, GIB // 4, GIB // 8, GIB)),
)  # fmt: skip
ON_CPU = Placement(0, 8, 256, "f16", True, True, (Placed("CPU", 4 * GIB, GIB, GIB // 8),), "The GPU has 0.2 GiB free.")


@pytest.fixture
def page(qtbot, open_window, light):
    """The page over scripted services: `page(placement, hardware, forecast)`, loaded with the chat's model."""
    watches: list[HardwareWatch] = []

    def make(placement=PARTLY, hardware=WITH_GPU, forecast=Forecast(), load=True) -> HardwarePage:  # noqa: B008
        stage = open_window(Script(n_layers=32, placement=placement, n_ctx=8192))
        if load:
            qtbot.waitUntil(lambda: stage.services.models.state(stage.session.chat.model_id).kind is Kind.READY)
        machine = hardware.machine(16 * GIB)
        watch = HardwareWatch(
            lambda _again: Findings(hardware, 16 * GIB, {}), lambda: machine, lambda *_: forecast
        )  # fmt: skip
        watches.append(watch)
        services: ModelServices = dataclasses.replace(stage.hub, hardware=watch)
        made = HardwarePage(services, light)
        qtbot.addWidget(made)
        made.resize(1160, 860)
        made.show()
        qtbot.waitExposed(made)
        made.show_for(stage.session.chat.model_id)
        made.enter()
        qtbot.waitUntil(lambda: watch.look is not None and not made.facts.isHidden())
        return made

    yield make
    for watch in watches:
        assert watch.close()


def test_the_parts_of_the_computer_are_named_with_what_is_free(page):
    made = page()
    assert made.facts.processor.words() == "Ryzen 7 7700 · 8 cores, 16 threads · AVX2, AVX-512 · In use"
    assert [card.words() for card in made.facts.graphics] == [
        "GeForce RTX 4060 · 7.0 of 8.0 GiB free · CUDA, CUDA0 · In use"
    ]
    assert "24.0 GiB · 16.0 GiB free now" in made.facts.memory.words()


def test_without_a_gpu_the_page_says_so(page):
    made = page(Placement(placed=(Placed("CPU", GIB),)), HARDWARE)
    assert "None found" in made.facts.graphics[0].words()
    assert made.loaded.badge.words() == "CPU"
    assert made.loaded.badge.level() == "plain"


def test_backends_are_listed_with_the_reason_why_one_was_refused(page):
    rows = page().backends.rows()
    assert rows[0].startswith("Processor: In use.")
    assert rows[2] == "Vulkan: Refused. Only a slow software renderer answered (llvmpipe)."


def test_where_the_layers_are_is_shown(page):
    made = page()
    assert "28 of 33 layers on the GPU" in made.loaded.words()
    assert "1–5 processor" in made.loaded.words()
    assert made.loaded.badge.words() == "GPU + CPU"
    assert made.loaded.strip.accessibleName() == "28 of 33 layers on the GPU"


def test_a_model_on_the_cpu_although_there_is_a_gpu_says_why_and_offers_to_try_again(page, qtbot):
    made = page(ON_CPU)
    assert made.loaded.badge.words() == "CPU (asked GPU)"
    assert "0.2 GiB free" in made.loaded.words()
    assert made.loaded.again.isVisible()
    models = made._services.models
    with qtbot.waitSignal(models.state_changed):
        qtbot.mouseClick(made.loaded.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: models.state(made.model_id()).kind is Kind.READY)


def test_a_context_with_which_all_layers_would_fit_is_offered_and_taken(page, qtbot):
    made = page(forecast=Forecast(n_ctx=8192, n_layers=32, whole_context=4096))
    qtbot.waitUntil(made.loaded.use.isVisible)
    assert made.loaded.use.text() == "Use 4,096"
    qtbot.mouseClick(made.loaded.use, Qt.MouseButton.LeftButton)
    spec = made._services.models.spec(made.model_id())
    assert spec.loading.context_tokens == 4096
    qtbot.waitUntil(lambda: made.automatic.all.isVisible())
    qtbot.mouseClick(made.automatic.all, Qt.MouseButton.LeftButton)
    assert made._services.models.spec(made.model_id()).loading.context_tokens is None


def test_memory_adds_up_to_what_there_is():
    held = {"CUDA0": 0}
    words, parts = device_parts("CUDA0", WITH_GPU, 16 * GIB, held, PARTLY)
    assert sum(part.size_bytes for part in parts) == 8 * GIB
    assert [part.size_bytes for part in parts] == [3 * GIB, GIB, GIB // 2, GIB, 8 * GIB - 5 * GIB - GIB // 2]
    assert words == "5.5 of 8.0 GiB used"
    after = dataclasses.replace(WITH_GPU, devices=(dataclasses.replace(RTX, free_bytes=5 * GIB // 2),))
    _, later = device_parts("CUDA0", after, 16 * GIB, {"CUDA0": PARTLY.on("CUDA0").total}, PARTLY)
    assert later == parts, "looked at while the model was loaded, its share is not another program's"


def test_a_mapped_file_counts_as_free_memory_that_is_used():
    _, parts = device_parts("CPU", WITH_GPU, 16 * GIB, {}, PARTLY)
    sizes = {part.kind: part.size_bytes for part in parts}
    assert sum(sizes.values()) == 24 * GIB
    assert sizes["other"] == 8 * GIB - GIB // 4 - GIB // 8
    not_mapped = dataclasses.replace(PARTLY, placed=(Placed("CPU", GIB, GIB // 4, GIB // 8),))
    _, copied = device_parts("CPU", WITH_GPU, 16 * GIB, {}, not_mapped)
    assert {part.kind: part.size_bytes for part in copied}["other"] == sizes["other"] - GIB


def test_the_bars_can_be_read_aloud(page):
    bars = page().memory.bars
    assert list(bars) == ["CUDA0", "CPU"]
    assert bars["CUDA0"].words().startswith("GPU memory: 5.5 of 8.0 GiB used. Weights 3.0 GiB, Context 1.0 GiB")


def test_the_estimate_says_where_a_longer_context_would_lie(page, qtbot):
    needs = Needs(4 * GIB, 131_072, GIB // 4, 32, 32_768)
    made = page(forecast=Forecast(n_ctx=8192, n_layers=32, n_ctx_train=32_768, needs=needs))
    qtbot.waitUntil(made.estimate.isVisible)
    assert made.estimate.n_ctx() == 8192
    assert "Everything fits on the GPU" in made.estimate.words()
    made.estimate.slider.setValue(made.estimate.slider.maximum())
    assert made.estimate.n_ctx() == 32_768
    assert "layers go to the processor. 128 KiB a token" in made.estimate.words()
    assert estimate_words(needs, 8192, Machine(4 * GIB, 8)).startswith("Too much: 1.2 GiB more")


def test_auto_is_shown_with_what_it_came_to(page):
    made = page()
    assert made.automatic.form.row("context_tokens")._editor._auto == "8,192"
    assert made.automatic.form.row("gpu_layers")._editor._auto == "28 of 33"


def test_the_report_can_be_copied(page, qtbot):
    made = page()
    qtbot.mouseClick(made.copy, Qt.MouseButton.LeftButton)
    copied = QGuiApplication.clipboard().text()
    assert "GeForce RTX 4060, 7.0 of 8.0 GiB free" in copied
    assert "CUDA0: weights 3,072.0 MiB" in copied
    assert "Vulkan: refused" in copied


def test_looking_that_failed_is_told(page):
    why = "A driver of a GPU did not answer within 30 seconds."
    made = page(hardware=dataclasses.replace(HARDWARE, trouble=why))
    assert made._trouble.isVisible()
    assert why in made._trouble_words.text()


def test_in_a_narrow_window_the_cards_stand_below_each_other(page):
    made = page()
    made.resize(600, 800)
    assert made._columns.direction() is made._columns.Direction.TopToBottom
    assert made.minimumSizeHint().width() <= 380


def test_the_page_is_reached_and_left_by_keys(qtbot, open_window):
    stage = open_window(Script())
    pages = stage.space.pages
    pages.show_hardware()
    assert pages.shows_hardware
    assert stage.space.sidebar.hardware.isChecked()
    assert "Hardware" in stage.window.windowTitle()
    stage.space.pages.toggle_settings()
    stage.space.escape()
    assert pages.shows_hardware, "one is back where one was"
    stage.space.escape()
    assert pages.shows_chat
    qtbot.mouseClick(stage.space.sidebar.hardware, Qt.MouseButton.LeftButton)
    assert pages.shows_hardware
    qtbot.mouseClick(stage.space.sidebar.hardware, Qt.MouseButton.LeftButton)
    assert pages.shows_chat


def test_the_header_has_a_badge_only_where_no_gpu_is_used_although_one_was_asked_for(qtbot, open_window):
    stage = open_window(Script(n_layers=32, placement=ON_CPU))
    badge = stage.window.page.header.cpu
    qtbot.waitUntil(badge.isVisible)
    assert ON_CPU.why_cpu in badge.toolTip()
    assert ON_CPU.why_cpu in badge.accessibleDescription()
    qtbot.mouseClick(badge, Qt.MouseButton.LeftButton)
    assert stage.space.pages.shows_hardware


def test_a_model_on_the_gpu_needs_no_badge(qtbot, open_window):
    stage = open_window(Script(n_layers=32, placement=PARTLY))
    qtbot.waitUntil(lambda: stage.services.models.state(stage.session.chat.model_id).kind is Kind.READY)
    assert not stage.window.page.header.cpu.isVisible()


def test_the_models_panel_says_what_auto_would_come_to_before_it_is_loaded(qtbot, open_window):
    stage = open_window(script=None)
    models, model_id = stage.services.models, stage.session.chat.model_id
    qtbot.waitUntil(lambda: models.state(model_id).kind is Kind.READY, timeout=20_000)
    stage.space.inspector.tabs.setCurrentIndex(1)
    form = stage.space.inspector.model.loading
    assert form.row("context_tokens")._editor._auto == "2,048"
    stage.services.preferences.set_for_model(model_id, "context_tokens", 512)
    models.unload()
    qtbot.waitUntil(lambda: models.state(model_id).kind is Kind.UNLOADED)
    stage.services.preferences.clear_for_model(model_id, "context_tokens")
    qtbot.waitUntil(lambda: form.row("context_tokens")._editor._auto == "2,048", timeout=20_000)
    assert form.row("gpu_layers")._editor._auto == "none"
    assert form.row("threads")._editor._auto == "1"
