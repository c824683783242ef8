"""The window is killed in the middle of an experiment: nothing that was kept is lost, and it ends as if unbroken."""

from __future__ import annotations

import random

import pytest

from tests import experiment_child, lab_plans


@pytest.mark.long
def test_an_experiment_killed_in_the_window_goes_on_and_equals_an_unbroken_one(tmp_path):
    plan, chance = lab_plans.write_plan(tmp_path), random.Random(5)
    told = experiment_child.kill_after(plan, tmp_path / "killed", chance, 0.4)
    cells, judged = experiment_child.results(tmp_path / "killed")
    assert told is None or len(cells) + len(judged) >= told > 0, "what was shown as kept is on the disk"
    experiment_child.finish(plan, tmp_path / "killed")
    experiment_child.finish(plan, tmp_path / "whole")
    killed, whole = (experiment_child.results(tmp_path / name) for name in ("killed", "whole"))
    assert (len(whole[0]), len(whole[1])) == (24, 24)
    assert killed == whole
