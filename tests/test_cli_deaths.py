"""The command line when the engine dies, or would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.gguf_writer import tiny_model

ROOT = Path(__file__).parent.parent

DYING = """
import sys
from app import cli
from app.engine import engine_process
engine_process.command = lambda: [sys.executable, "-m", sys.argv[1]]
raise SystemExit(cli.run(sys.argv[2:]))
"""


def dying(host: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The program with another process for its engine."""
    return subprocess.run(
        [sys.executable, "-c", DYING, f"tests.engine.{host}", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, **more},
    )  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="the deaths here are signals")
def test_a_file_that_ends_llama_cpp_gets_a_sentence_and_is_tried_again_by_doctor_alone(home, tmp_path):
    """Negative epsilon ends in an assert of ggml; our own check of the header is left out."""
    path = str(tiny_model(tmp_path / "a.gguf", changes={"llama.attention.layer_norm_rms_epsilon": -1.0}))
    done = dying("unchecked_host", "ask", "--model", path, "--set", "threads=1", "Hi")
    assert (done.returncode, done.stdout) == (1, "")
    assert "a.gguf was put aside" in done.stderr
    assert "llama.cpp gave up on an error of its own" in done.stderr
    assert f'orcinus doctor --model "{path}"' in done.stderr
    assert len(done.stderr.splitlines()) == 4, done.stderr
    again = dying("no_such_host", "ask", "--model", path, "Hi")
    assert again.stderr == done.stderr, "nothing is started for a file that was put aside"
    told = dying("unchecked_host", "doctor", "--model", path, "--set", "threads=1", ORCINUS_DEBUG="1")
    assert told.returncode == 1
    assert "GGML_ASSERT" in told.stderr
    Path(path).write_bytes(tiny_model(tmp_path / "b.gguf").read_bytes())
    assert dying("unchecked_host", "ask", "--model", path, "--set", "max_tokens=2", "Hi").returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="the deaths here are signals")
def test_an_engine_that_ends_in_the_middle_of_a_reply_gets_a_line_of_its_own(home, tmp_path):
    (tmp_path / "m.gguf").write_text('{"at": 4, "how": "SIGSEGV"}\n')
    done = dying("scripted_host", "ask", "--model", str(tmp_path / "m.gguf"), "Count.")
    assert done.returncode == 1
    assert done.stdout.startswith("one")
    assert done.stdout.endswith("\n")
    assert done.stderr.startswith("The engine stopped unexpectedly\nllama.cpp crashed.")
    assert len(done.stderr.splitlines()) == 4, done.stderr


def test_a_prompt_is_shown_without_a_trial_that_reads_the_whole_file(home, tmp_path):
    (tmp_path / "m.gguf").write_text('{"trial": {"at": "load"}}\n')
    arguments = ("--model", str(tmp_path / "m.gguf"), "Count.")
    assert "Count." in dying("scripted_host", "prompt", *arguments).stdout
    assert "put aside" in dying("scripted_host", "ask", *arguments).stderr
