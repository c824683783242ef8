"""What goes into the bundle and what stays out, decided by name: each library once, nothing that nothing uses.

Names are places in the bundle, with "/" on every system.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

ENGINE = "llama_cpp/lib"
"""Where the program looks for llama.cpp and all its backends."""

EXCLUDED_MODULES = (
    # what packages would use if it were there, and the program never does
    *"IPython PIL matplotlib pandas torch tensorflow scipy gradio fastapi uvicorn rich typer hf_xet gguf".split(),
    *"tokenizers pytest _pytest mypy setuptools pkg_resources pip wheel PyInstaller".split(),
    # an interpreter's own tools; readline is under the GPL
    *"tkinter _tkinter turtle idlelib lib2to3 ensurepip pydoc_data test readline curses _curses".split(),
    *"sqlite3 _sqlite3".split(),
    # pickles what it caches, which whoever can write there could use to run anything
    "diskcache",
    # of llama-cpp-python only the low-level module is used
    *"llama_cpp.server llama_cpp.llama llama_cpp.llama_cache llama_cpp.llama_chat_format".split(),
)

_QT_PLUGINS = {
    "platforms": ("*qxcb*", "*qwayland*", "*qoffscreen*", "*qwindows*", "*qcocoa*"),
    "platformthemes": ("*xdgdesktopportal*",),
    "platforminputcontexts": ("*composeplatform*", "*ibusplatform*"),
    "styles": ("*",),
    "iconengines": ("*svg*",),
    "imageformats": ("*qsvg*", "*qico*", "*qicns*"),
    "xcbglintegrations": ("*",),
    "wayland-shell-integration": ("*xdg-shell*",),
    "wayland-decoration-client": ("*",),
    "wayland-graphics-integration-client": ("*wayland-egl*",),
}
"""The plugins that are kept. Pictures other than the program's own are never shown, and QtNetwork only opens pipes."""

_QT_LIBRARIES = re.compile(
    r"(lib)?Qt6?(Core|Gui|Widgets|Network|Svg|DBus|XcbQpa|OpenGL|WaylandClient|WlShellIntegration"
    r"|WaylandEglClientHwIntegration)(\.so\b.*|\.dll|\.dylib)?"
)

_OF_THE_SYSTEM = (
    # An older C++ library than a graphics driver was built with keeps that driver from loading
    *"libstdc++.so.* libgcc_s.so.* ld-linux*.so.* libc.so.* libm.so.*".split(),
    # Belongs to the drivers and the display of this very computer
    *"libvulkan.so.* libcuda.so.* libnvidia* libGL* libEGL* libOpenGL* libgbm.so.* libdrm* libwayland-*".split(),
    *"libX11* libXau* libXdmcp* libXext* libXi.* libxcb.so.*".split(),
    *(f"libxcb-{part}.so.*" for part in "dri2 dri3 glx present randr render shape shm sync xfixes xinput xkb".split()),
    # Drivers and the desktop's own libraries use these too, and are the newer ones
    *"libz.so.* libzstd.so.* libexpat.so.* libfontconfig.so.* libfreetype.so.* libpng16.so.*".split(),
    *"libglib-2.0.so.* libgthread-2.0.so.* libgobject-2.0.so.* libgio-2.0.so.* libgmodule-2.0.so.* libpcre*".split(),
    *"libdbus-1.so.* libsystemd.so.* libcap.so.* libgcrypt.so.* libgpg-error.so.* liblz4.so.*".split(),
    *"libmount.so.* libblkid.so.* libselinux.so.* libuuid.so.* libbsd.so.* libmd.so.* libelf.so.*".split(),
    "libresolv.so.*",
    # Windows brings them along, or the driver does
    *"vulkan-1.dll nvcuda.dll api-ms-win-*.dll ucrtbase.dll d3dcompiler_47.dll opengl32sw.dll".split(),
)

_OF_WHAT_IS_LEFT_OUT = (
    # GTK's, for Qt's plugin for it; sqlite3's, for the program has an SQLite of its own
    *"libatk-1.0.so.* libatk-bridge* libatspi* libcairo*.so.* libpango*.so.* libgdk* libgtk*".split(),
    *"libharfbuzz* libfribidi* libthai* libdatrie* libgraphite2* libpixman* libXrender* libjpeg* libepoxy*".split(),
    *"libtiff* libwebp* libsqlite3.so.*".split(),
)
"""Libraries that came along with what needed them."""

_UNUSED = (
    "*/Qt/translations/*",
    "*/Qt/qml/*",
    "*/translations/*.qm",
    "*/numpy/*/tests/*",
    "*.pyi",
    "*.pxd",
    "*.a",
    "*/include/*",
    "*/_multiarray_tests*",
    "*/_simd.*",  # numpy's own tests use it
    "*/apsw/sqlite_extra_binaries/*",
    "*/apsw/tests/*",
    "*/cffi/*.h",
    "hf_xet/*",
    "tcl/*",
    "tk/*",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    "*.dist-info/licenses/*",  # all licences lie together: see licences.py
)


def is_kept(name: str) -> bool:
    """Whether a collected file belongs in the bundle. llama.cpp's own libraries are `engine_files`' to choose."""
    place = name.replace("\\", "/")
    file = PurePosixPath(place).name
    if any(fnmatchcase(file, pattern) for pattern in (*_OF_THE_SYSTEM, *_OF_WHAT_IS_LEFT_OUT)):
        return False
    if is_engine_library(file):
        return False
    if any(fnmatchcase(f"/{place}", pattern if pattern[0] == "*" else f"/{pattern}") for pattern in _UNUSED):
        return False
    if "/plugins/" in place and "PySide6/" in place:
        group = place.split("/plugins/", 1)[1].split("/")[0]
        return any(fnmatchcase(file, pattern) for pattern in _QT_PLUGINS.get(group, ()))
    if (framework := re.search(r"/(Qt[A-Z]\w*)\.framework/", place)) is not None:
        return _QT_LIBRARIES.fullmatch(framework[1]) is not None
    if re.match(r"(lib)?Qt6?[A-Z]", file) and not file.endswith((".abi3.so", ".pyd")):
        return _QT_LIBRARIES.fullmatch(file) is not None
    return True


def is_engine_library(file: str) -> bool:
    """Whether the file is one of llama.cpp's."""
    return re.match(r"(lib)?(ggml|llama|mtmd)\b.*\.(so|dll|dylib)\b", file) is not None


def engine_files(files: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Of all copies in llama-cpp-python's wheel the ones that are opened: place in the bundle, file.

    A wheel holds each library in two folders and under up to three names, `libggml.so`, `.so.0` and `.so.0.25.3`.
    llama.cpp itself is opened by its plain name, what it depends on by the name with one number, backends by theirs.
    """
    chosen: dict[str, Path] = {}
    for file in sorted(files, key=lambda path: ("llama_cpp" not in path.parts, str(path))):
        if _is_opened(file.name):
            chosen.setdefault(file.name, file)
    for name, file in sorted(chosen.items()):
        yield f"{ENGINE}/{name}", file


def _is_opened(name: str) -> bool:
    if name.endswith(".dll"):
        return re.fullmatch(r"(lib)?(llama|ggml(-[\w.-]+)?)\.dll", name) is not None
    backend = re.fullmatch(r"libggml-[\w-]+\.(so|dylib)", name) and not name.startswith("libggml-base.")
    plain = name in {"libllama.so", "libllama.dylib"}
    needed = re.fullmatch(r"libggml(-base)?\.(so\.\d+|\d+\.dylib)", name)
    return bool(backend or plain or needed)
