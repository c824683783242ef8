"""The report of a run in a real browser: its plots are drawn, in light and in dark."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

from app.core.lab import Cell, CellState, Contestant, Place, Plan, Question, Rater, Vote
from app.scoring.report import html_report
from app.scoring.report_style import SHEET
from app.scoring.results import results_of

BROWSER = shutil.which("firefox-esr") or shutil.which("firefox")


def colours_in(image: QImage) -> set[str]:
    return {image.pixelColor(x, y).name() for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}


@pytest.mark.long
@pytest.mark.skipif(BROWSER is None, reason="there is no Firefox here")
@pytest.mark.parametrize("dark", [False, True])
def test_the_plots_are_drawn_in_the_colours_of_the_prompts(tmp_path: Path, dark: bool):
    plan = Plan(
        "Report", "starter", (Contestant("Loud", ""), Contestant("Pirate", "")),
        tuple(Question(str(at), "Why?") for at in range(6)),
    )  # fmt: skip
    cells = [Cell(Place(one, at, 0), CellState.DONE, "Because.") for one in range(2) for at in range(6)]
    votes = [Vote(Rater.PERSON, at, 0, 0, 1, float(at != 3)) for at in range(6)]
    page = tmp_path / "report.html"
    page.write_text(html_report(results_of(plan, cells, votes)), "utf-8")
    profile = tmp_path / "profile"
    profile.mkdir()
    wishes = {"layout.css.prefers-color-scheme.content-override": int(not dark), "ui.systemUsesDarkTheme": int(dark)}
    (profile / "user.js").write_text("".join(f'user_pref("{name}", {value});\n' for name, value in wishes.items()))
    picture = tmp_path / "report.png"
    subprocess.run(
        [BROWSER, "--headless", "--no-remote", "--profile", str(profile), "--window-size=1200,2400",
         "--screenshot", str(picture), page.as_uri()],
        env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, timeout=300, check=True,
    )  # fmt: skip
    image = QImage(str(picture))
    assert image.width() >= 1200
    assert (QColor(image.pixelColor(2, 2)).lightness() < 128) is dark
    light_sheet, dark_sheet = SHEET.split("@media (prefers-color-scheme: dark)")
    wanted = set(re.findall(r"--c[01]: (#\w{6})", dark_sheet if dark else light_sheet))
    assert len(wanted) == 2
    assert wanted <= colours_in(image)
