"""Whether a window can be shown: Qt ends the whole program where it cannot reach the display it was told of."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping

_WAIT_S = 2.0
_X_PORT = 6000


def has_display(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether there is a display that answers. Where the person chose Qt's platform themselves, that is not looked at.

    A name alone says little: after ssh, sudo or in a container it often is that of a display nobody can reach.
    """
    if environ.get("QT_QPA_PLATFORM") or platform in {"win32", "darwin"}:
        return True
    wayland, x11 = environ.get("WAYLAND_DISPLAY", ""), environ.get("DISPLAY", "")
    return bool(wayland and _wayland_answers(wayland, environ)) or bool(x11 and _x_answers(x11))


def display_name(environ: Mapping[str, str]) -> str:
    """The display that the program was told of, "" for none."""
    return environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY") or ""


def _wayland_answers(name: str, environ: Mapping[str, str]) -> bool:
    import socket  # here, as most starts need neither of the two imports

    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_WAIT_S)
        try:
            probe.connect(os.path.join(environ.get("XDG_RUNTIME_DIR", ""), name))
        except (OSError, ValueError):  # nobody listens there; no path at all
            return False
    return True


def _x_answers(name: str) -> bool:
    """Whether the X server lets this person in, asked by the library that Qt asks.

    That knows every way to it, and the cookies: a server that is there turns away whoever became another user.
    """
    host, _, numbers = name.rpartition(":")
    host = host.rpartition("/")[2]
    number = numbers.partition(".")[0]
    if host not in {"", "unix"} and not (number.isdigit() and _listens(host.strip("[]"), _X_PORT + int(number))):
        return False
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # then Qt says what is missing
    xcb.xcb_connect.argtypes, xcb.xcb_connect.restype = [ctypes.c_char_p, ctypes.c_void_p], ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(os.fsencode(name), None)
    try:
        return not xcb.xcb_connection_has_error(connection)
    finally:
        xcb.xcb_disconnect(connection)


def _listens(host: str, port: int) -> bool:
    """Whether somebody listens on another machine: xcb would wait for minutes where the network swallows everything."""
    import socket

    try:
        with socket.create_connection((host, port), _WAIT_S):
            return True
    except (OSError, OverflowError):
        return False
