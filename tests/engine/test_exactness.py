"""A file tells whether its model writes otherwise beside other answers than alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.exactness import EXPERTS, RECURRENT
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine.exactness import inexact_of
from app.engine.llama import load
from app.engine.model_file import inspect
from app.paths import find_paths
from tests.engine.test_model_file import whole


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, ""),
        ({"llama__expert_count": 8, "llama__expert_used_count": 2}, EXPERTS),
        ({"llama__expert_count": 0}, ""),
        ({"llama__expert_count": "many"}, ""),
        ({"llama__ssm__state_size": 16}, RECURRENT),
        ({"llama__expert_count": 4, "llama__ssm__state_size": 16}, EXPERTS),
    ],
)
def test_a_header_tells_of_experts_and_of_a_running_state(tmp_path: Path, more: dict[str, object], kind: str):
    path = tmp_path / "model.gguf"
    path.write_bytes(whole(**more))
    assert inspect(str(path)).inexact == kind


@pytest.mark.parametrize(("key", "kind"), [("mamba.ssm.conv_kernel", RECURRENT), ("rwkv6.wkv.head_size", RECURRENT)])
def test_models_that_are_recurrent_are_known_by_what_only_they_have(key: str, kind: str):
    architecture = key.partition(".")[0]
    assert inexact_of({key: 4}, architecture) == kind
    assert inexact_of({key: 4}, "llama") == ""


def test_a_loaded_model_of_the_usual_kind_promises_the_same_beside_others():
    starter = find_paths().resources_dir / "starter" / "starter.gguf"
    engine = load(str(starter), Loading(threads=1, context_tokens=512), StopFlag(), lambda _share: None)
    assert engine is not None
    assert engine.facts.inexact == ""
    engine.close()
