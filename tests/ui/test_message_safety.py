"""Nothing in a message can read a file, open a connection or run anything."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

import pytest
from conversations import answer, body, point_of, question
from documents import links, rendered
from PySide6.QtCore import Qt

from app.ui.theme import LIGHT
from app.ui.transcript import Transcript

HOSTILE = (
    "![x](http://127.0.0.1:{port}/a.png)",
    "![x](https://127.0.0.1:{port}/a.png)",
    "![x](file://{secret})",
    "![x]({secret})",
    "![x](//127.0.0.1/share/x.png)",
    "![x](data:image/png;base64,iVBORw0KGgo=)",
    "![x](qrc:/secret.png)",
    "[![x](http://127.0.0.1:{port}/b.png)](http://127.0.0.1:{port}/c)",
    '<img src="http://127.0.0.1:{port}/d.png">',
    '<img src="{secret}">',
    '<link rel="stylesheet" href="http://127.0.0.1:{port}/e.css">',
    '<style>@import "http://127.0.0.1:{port}/f.css"; body {{ background: url({secret}) }}</style>',
    '<script src="http://127.0.0.1:{port}/g.js"></script>',
    '<iframe src="file://{secret}"></iframe>',
    '<object data="{secret}"></object>',
    '<table background="{secret}"><tr><td>x</td></tr></table>',
    "<http://127.0.0.1:{port}/h>",
    "$\\includegraphics{{{secret}}}$",
    "$\\input{{{secret}}}$",
    "$$\\href{{file://{secret}}}{{x}}$$",
    "```html\n<img src='{secret}'>\n```",
    "| ![x]({secret}) |\n|---|\n| ![y](http://127.0.0.1:{port}/i.png) |",
    "- ![x]({secret})\n\n> ![x](http://127.0.0.1:{port}/j.png)",
    "\x00![x]({secret})\ud800",
)


@pytest.fixture
def listener():
    """A loopback server that counts who comes."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    came, done = [], threading.Event()

    def accept() -> None:
        while not done.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            came.append(connection.recv(200))
            connection.close()

    thread = threading.Thread(target=accept)
    thread.start()
    yield server.getsockname()[1], came
    done.set()
    thread.join()
    server.close()


@pytest.fixture
def opened():
    """Paths that Python opened since."""
    paths: list[str] = []
    active = [True]

    def hook(event: str, arguments: tuple) -> None:
        if active[0] and event == "open" and isinstance(arguments[0], str):
            paths.append(arguments[0])

    sys.addaudithook(hook)
    yield paths
    active[0] = False


def test_hostile_messages_cause_no_request_and_no_reading(qtbot, listener, opened, tmp_path, monkeypatch):
    port, came = listener
    secret = tmp_path / "secret.png"
    secret.write_bytes(Path("resources/icons/copy.svg").read_bytes())
    asked = []
    monkeypatch.setattr("app.ui.message_body.MessageBody.loadResource", lambda self, kind, url: asked.append(url))
    view = Transcript(LIGHT)
    qtbot.addWidget(view)
    view.resize(900, 20_000)
    texts = [text.format(port=port, secret=secret) for text in HOSTILE]
    opened.clear()
    before = os.stat(secret).st_atime_ns
    view.set_rows([row for n, text in enumerate(texts) for row in (question(2 * n + 1, text), answer(2 * n + 2, text))])
    view.show()
    qtbot.wait(300)
    view.grab()
    assert came == []
    assert asked == []
    assert not [path for path in opened if str(secret) in path]
    assert os.stat(secret).st_atime_ns == before


def test_a_body_gives_nothing_to_whoever_asks_for_a_resource(qtbot, tmp_path):
    from PySide6.QtCore import QUrl
    from PySide6.QtGui import QImage, QTextDocument

    secret = tmp_path / "secret.css"
    secret.write_text("x")
    view = Transcript(LIGHT)
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.set_rows([answer(1)])
    for url in (secret.as_uri(), str(secret), "http://127.0.0.1/x", "data:text/css,x"):
        for kind in (QTextDocument.ResourceType.ImageResource, QTextDocument.ResourceType.StyleSheetResource):
            found = body(view, 1).document().resource(kind.value, QUrl(url))
            assert isinstance(found, QImage)
            assert found.isNull()


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "file:///etc/passwd",
        "smb://host/share",
        "data:text/html,x",
        "vbscript:x",
        "ssh://host",
        "qrc:/x",
        "/etc/passwd",
        "//host/share",
        "app://x",
        "about:blank",
        "ftp://host/x",
        "ms-settings:",
        "tel:123",
        "java\tscript:alert(1)",
        "&#106;avascript:alert(1)",
        "\\\\host\\share",
        "#anchor",
    ],
)
def test_only_web_and_mail_addresses_become_links(qapp, target):
    assert links(rendered(f"[x]({target}) [y](<{target}>) <{target}> ![z]({target})")) <= {"mailto:host"}


@pytest.mark.parametrize("target", ["https://example.org/a?b=c#d", "http://example.org", "mailto:ada@example.org"])
def test_web_and_mail_links_are_handed_on_and_never_opened(qtbot, target, monkeypatch):
    monkeypatch.setattr("PySide6.QtGui.QDesktopServices.openUrl", lambda url: pytest.fail("opened by itself"))
    view = Transcript(LIGHT)
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.set_rows([answer(1, f"before [link]({target}) after")])
    view.show()
    with qtbot.waitSignal(view.link_activated) as opened:
        qtbot.mouseClick(body(view, 1).viewport(), Qt.MouseButton.LeftButton, pos=point_of(view, 1, "link"))
    assert opened.args == [target]


def test_a_link_in_a_persons_own_text_is_not_live(qtbot):
    view = Transcript(LIGHT)
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.set_rows([question(1, "https://example.org [x](https://example.org) <a href='https://example.org'>x</a>")])
    block = body(view, 1).document().begin()
    pieces = block.begin()
    while not pieces.atEnd():
        assert not pieces.fragment().charFormat().isAnchor()
        pieces += 1


def test_html_is_shown_and_not_obeyed(qapp):
    text = "<b>bold</b> <!-- comment --> <script>alert(1)</script>"
    assert rendered(text).document.toPlainText() == text
    assert rendered("<div>\nx\n</div>").document.toPlainText().split() == ["<div>", "x", "</div>"]
