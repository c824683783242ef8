"""What goes into the bundle and what stays out."""

from __future__ import annotations

from pathlib import Path

import contents
import pytest

WHEEL = [
    *(f"llama_cpp/lib/lib{name}" for name in ("llama.so", "llama.so.0", "llama.so.0.5.0")),
    *(f"llama_cpp/lib/lib{name}" for name in ("ggml.so", "ggml.so.0", "ggml.so.0.25.3")),
    *(f"llama_cpp/lib/lib{name}" for name in ("ggml-base.so", "ggml-base.so.0", "ggml-base.so.0.25.3")),
    *(f"lib/lib{name}" for name in ("llama.so", "ggml.so.0", "ggml-base.so.0", "llama-common.so", "mtmd.so")),
    *(f"bin/libggml-{name}.so" for name in ("cpu-x64", "cpu-haswell", "cpu-zen4", "vulkan", "cuda")),
]


def test_each_library_of_the_engine_goes_in_once_under_the_name_it_is_opened_by():
    chosen = dict(contents.engine_files(Path("/site") / name for name in WHEEL))
    assert sorted(place.removeprefix("llama_cpp/lib/") for place in chosen) == [
        "libggml-base.so.0",
        "libggml-cpu-haswell.so",
        "libggml-cpu-x64.so",
        "libggml-cpu-zen4.so",
        "libggml-cuda.so",
        "libggml-vulkan.so",
        "libggml.so.0",
        "libllama.so",
    ]
    assert chosen["llama_cpp/lib/libllama.so"] == Path("/site/llama_cpp/lib/libllama.so")


def test_on_windows_and_macos_likewise():
    names = ["llama.dll", "ggml.dll", "ggml-base.dll", "ggml-cpu-haswell.dll", "ggml-vulkan.dll", "llama-common.dll"]
    chosen = contents.engine_files(Path("/site/bin") / name for name in names)
    assert [place.rsplit("/", 1)[1] for place, _ in chosen] == sorted(set(names) - {"llama-common.dll"})
    names = ["libllama.dylib", "libllama.0.dylib", "libggml.0.dylib", "libggml.dylib", "libggml-base.0.dylib"]
    names += ["libggml-cpu-apple_m1.so", "libggml-metal.so"]
    chosen = contents.engine_files(Path("/site/lib") / name for name in names)
    left_out = {"libllama.0.dylib", "libggml.dylib"}
    assert [place.rsplit("/", 1)[1] for place, _ in chosen] == sorted(set(names) - left_out)


@pytest.mark.parametrize(
    "name",
    [
        "libstdc++.so.6",  # an older one keeps newer drivers from loading
        "libvulkan.so.1",
        "libxcb.so.1",
        "libGL.so.1",
        "libz.so.1",
        "vulkan-1.dll",
        "PySide6/Qt/plugins/platforms/libqvnc.so",
        "PySide6/Qt/plugins/platformthemes/libqgtk3.so",
        "libcairo.so.2",  # only GTK's plugin needs it
        "libharfbuzz.so.0",
        "PySide6/Qt/plugins/tls/libqopensslbackend.so",
        "PySide6/Qt/lib/libQt6Qml.so.6",
        "libQt6Quick.so.6",
        "PySide6\\Qt6Quick.dll",
        "PySide6/Qt/lib/QtQml.framework/Versions/A/QtQml",
        "PySide6/Qt/translations/qtbase_de.qm",
        "numpy/linalg/tests/test_linalg.py",
        "hf_xet/hf_xet.abi3.so",
        "llama_cpp/lib/libggml.so.0.25.3",
        "libggml-base.so.0",
    ],
)
def test_left_out_is(name):
    assert not contents.is_kept(name)


@pytest.mark.parametrize(
    "name",
    [
        "libpython3.11.so.1.0",
        "libssl.so.3",
        "libgomp.so.1",  # the engine's threads
        "libxcb-cursor.so.0",  # many desktops do not have it
        "PySide6/QtCore.abi3.so",
        "PySide6/QtNetwork.pyd",
        "PySide6/libpyside6.abi3.so.6.11",
        "PySide6/Qt/lib/libQt6Core.so.6",
        "PySide6/Qt/lib/libicudata.so.73",
        "PySide6/Qt6Core.dll",
        "PySide6/Qt/lib/QtGui.framework/Versions/A/QtGui",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/plugins/platforms/qwindows.dll",
        "PySide6/Qt/plugins/platforms/libqcocoa.dylib",
        "py3langid/data/model.npz.xz",
        "latex2mathml/unimathsymbols.txt",
        "resources/starter/starter.gguf",
        "keyring-25.7.0.dist-info/entry_points.txt",
    ],
)
def test_kept_is(name):
    assert contents.is_kept(name)


def test_what_pickles_is_left_out():
    assert "diskcache" in contents.EXCLUDED_MODULES
    assert "llama_cpp.llama_cache" in contents.EXCLUDED_MODULES
