"""How the model pages word numbers, verdicts and downloads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.library import Download, DownloadState, RemoteFile, Trouble, Wanted
from app.core.verdicts import Fit, Verdict
from app.ui.catalogue import tile, usual_quants
from app.ui.model_words import (
    FIT_LOOKS,
    bytes_words,
    download_words,
    duration,
    gibibytes,
    licence_words,
    many,
    needed_words,
    rate,
    short_parameters,
    verdict_words,
    when,
)
from app.ui.resources import resource_path
from app.ui.theme import DARK, LIGHT

WANTED = Wanted("a/b", "0" * 40, "Q4_K_M", (RemoteFile("b.gguf", 4_000_000_000, "0" * 64),), "B")
ROW = Download(1, WANTED, DownloadState.RUNNING, have_bytes=1_000_000_000, speed=10e6)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (75, "1 min 10 s"),
        (1500, "25 min"),
        (7500, "2 h 5 min"),
        (2e5, "2 d 7 h"),
    ],
)
def test_times_are_no_finer_than_they_are_known(seconds, words):
    assert duration(seconds) == words


def test_numbers_fit_their_columns():
    assert (gibibytes(5 << 30), gibibytes(300 << 20)) == ("5.0 GiB", "300 MiB")
    assert (rate(38.2e6), rate(640e3), rate(0)) == ("38.2 MB/s", "640 kB/s", "0 B/s")
    assert (short_parameters(7_241_732_096), short_parameters(494_032_768), short_parameters(None)) == (
        "7.2 B",
        "494 M",
        "",
    )
    assert (many(812), many(9_999), many(34_000), many(1_230_000)) == ("812", "9,999", "34 k", "1.2 M")
    assert (when(1_697_000_000_000), when(None), when(10**18)) == ("11 Oct 2023", "", "")
    assert (licence_words("apache-2.0"), licence_words("odd-licence")) == ("Apache 2.0", "odd-licence")


def test_every_verdict_has_words_a_colour_and_a_shape_of_its_own():
    assert set(FIT_LOOKS) == set(Fit)
    for part in range(3):
        assert len({look[part] for look in FIT_LOOKS.values()}) == len(Fit)
    for name, tone, _ in FIT_LOOKS.values():
        assert resource_path("icons", f"{name}.svg").exists()
        assert getattr(LIGHT, tone).startswith("#")
        assert getattr(DARK, tone).startswith("#")


def test_a_verdict_says_how_many_layers_and_what_the_memory_is_for():
    partly = Verdict(Fit.PARTLY, 6 << 30, 24, 33, True, (("Weights", 5 << 30), ("KV cache", 1 << 30)))
    assert verdict_words(partly) == "Partly, 24 of 33 layers"
    assert needed_words(partly) == "About 6.0 GiB: 5.0 GiB weights + 1.0 GiB KV cache."


def test_a_download_says_what_is_true_of_it():
    waits = Trouble("Connection lost")
    said = [
        download_words(ROW),
        download_words(replace(ROW, speed=0.0)),
        download_words(replace(ROW, speed=0.0, have_bytes=0)),
        download_words(replace(ROW, state=DownloadState.WAITING, trouble=waits, retry_in_s=11.6)),
        download_words(replace(ROW, state=DownloadState.WAITING, trouble=waits)),
        download_words(replace(ROW, state=DownloadState.PAUSED)),
        download_words(replace(ROW, state=DownloadState.QUEUED)),
        download_words(replace(ROW, state=DownloadState.VERIFYING)),
        download_words(replace(ROW, state=DownloadState.FAILED, trouble=Trouble("The disk is full"))),
    ]
    assert said == [
        "5 min left",
        "Nothing comes at the moment",
        "Connecting…",
        "Connection lost, retry in 12 s",
        "Connection lost, trying again",
        "Paused",
        "Waits for its turn",
        "Verifying 25 %",
        "The disk is full",
    ]
    assert bytes_words(ROW) == "1.00 of 4.00 GB"


def test_a_size_is_worked_out_before_the_hub_was_asked():
    sizes = {quant.label: quant.size_bytes for quant in usual_quants(7_241_732_096)}
    assert sizes["Q4_K_M"] == pytest.approx(4.37e9, rel=0.03)
    assert sizes["Q8_0"] == pytest.approx(7.70e9, rel=0.03)
    assert usual_quants(None) == ()


def test_a_models_picture_has_its_letters():
    names = ("Mistral 7B OpenOrca", "Qwen3 4B Instruct", "Phi-4-mini", "123", "a/Some-Thing-GGUF")
    assert [tile(name) for name in names] == ["MO", "Qw", "PM", "12", "AT"]
