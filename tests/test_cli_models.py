"""`orcinus models`, as a person in a terminal or a script would use it, against a stand-in Hub."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app import cli
from app.core.fit import Machine
from app.core.library import RemoteFile, Wanted
from app.core.stopping import StopFlag
from app.hub.catalog import read_catalog
from app.hub.download import download
from app.hub.session import Hub
from app.paths import find_paths
from app.setup import Parts, choose
from app.storage.remembered import Remembered
from app.storage.settings import KnownModel
from app.storage.stores import open_stores
from tests.standin_hub.faults import Fault, Kind
from tests.standin_hub.repos import HostedFile
from tests.standin_hub.server import StandInHub

ROOT = Path(__file__).parent.parent
REPO = "TheBloke/Mistral-7B-OpenOrca-GGUF"
FILE = "mistral-7b-openorca.Q4_K_M.gguf"


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch, starter: Path) -> Iterator[StandInHub]:
    """A Hub with one repository of two quants, which the command line takes for the Hub."""
    monkeypatch.setattr("app.hub.download_job.known_places", lambda: ())
    with StandInHub() as hub:
        content = starter.read_bytes()
        hub.add(REPO, {FILE: content, FILE.replace("Q4_K_M", "Q8_0"): content + b"\0" * 32, "README.md": b"# Card"})
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def models(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run `orcinus models ...`: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run(["models", *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def found(models, *arguments: str):
    code, out, err = models(*arguments, "--json")
    assert code == 0, err
    return json.loads(out.splitlines()[-1])


def test_the_list_has_the_starter_and_the_catalogue_before_anything_was_downloaded(models, home):
    told = found(models, "list")
    assert told["bundled"][0]["id"] == "starter"
    assert told["models"] == []
    assert told["catalogue"][0]["repo_id"] == REPO
    assert told["folder"] == str(home / "models")
    code, out, _ = models("list")
    assert code == 0
    assert "comes with Orcinus" in out
    assert "mistral-7b-openorca" in out


def test_a_search_shows_what_the_hub_has(models, standin):
    standin.add("someone/else-GGUF", {"a.Q4_0.gguf": b"x"}, gated="manual")
    code, out, _ = models("search", "else")
    assert code == 0
    assert "someone/else-GGUF" in out
    assert "its licence must be accepted first" in out
    assert [row["repo_id"] for row in found(models, "search", "openorca")] == [REPO]
    assert "7.2 B    llama" in models("search", "openorca")[1]
    assert found(models, "search", "openorca", "--licence", "mit") == []
    assert models("search", "no-such-thing")[1].startswith("Nothing was found")


def test_as_many_rows_as_wanted_are_fetched_page_by_page(models, standin):
    for number in range(70):
        standin.add(f"many/Model-{number}-GGUF", {"a.Q4_0.gguf": b"x"})
    assert len(found(models, "search", "Model", "-n", "65")) == 65


def test_the_files_of_a_repository_are_listed_with_their_sizes(models, standin):
    code, out, _ = models("files", f"{REPO}:main")
    assert code == 0
    assert "apache-2.0" in out
    assert "Q4_K_M" in out
    assert "Q8_0" in out
    assert out.count("recommended for this computer") == 1
    assert {quant["label"] for quant in found(models, "files", "mistral-7b-openorca")["quants"]} == {"Q4_K_M", "Q8_0"}


def test_each_quant_is_told_with_the_memory_it_needs_and_whether_that_is_here(models, standin, monkeypatch):
    standin.repos[0].files.clear()
    for label, size in (("Q2_K", 3_000_000_000), ("Q4_K_M", 4_400_000_000), ("Q8_0", 7_700_000_000)):
        standin.repos[0].files[f"m.{label}.gguf"] = HostedFile(b"GGUF", listed_size=size, listed_sha256="a" * 64)
    machine = Machine(6_000_000_000, 4)
    monkeypatch.setattr("app.engine.llama.this_machine", lambda: machine)
    rows = {row["files"][0]["path"]: row for row in found(models, "files", REPO)["quants"]}
    assert rows["m.Q8_0.gguf"]["fit"] == "too big"
    assert rows["m.Q4_K_M.gguf"]["fit"] == "memory"
    assert rows["m.Q4_K_M.gguf"]["needed_bytes"] > 4_400_000_000
    assert [path for path, row in rows.items() if row["recommended"]] == ["m.Q4_K_M.gguf"]
    assert "too big" in models("files", REPO)[1]


def test_a_downloaded_model_is_verified_listed_and_answers_by_its_name(models, standin, home, capsys):
    code, out, err = models("download", REPO, "Q4_K_M")
    assert code == 0, err
    path = home / "models" / "TheBloke" / "Mistral-7B-OpenOrca-GGUF" / FILE
    assert out.splitlines()[0] == str(path)
    assert "100%" in err
    (model,) = found(models, "list")["models"]
    assert (model["path"], model["repo_id"], model["quant"], model["licence"]) == (
        str(path), REPO, "Q4_K_M", "apache-2.0",
    )  # fmt: skip
    assert model["verified_ms"] > 0
    assert model["managed"]
    for name in ("mistral-7b-openorca", FILE, f"{REPO}:q4_k_m", str(path)):
        assert cli.run(["ask", "--model", name, "--json", "--set", "max_tokens=3", "Hi"]) == 0
    assert cli.run(["prompt", "--model", "mistral-7b-openorca", "Hi"]) == 0
    assert "You are MistralOrca" in capsys.readouterr().out, "and has its own prompt"


def bytes_in(folder: Path) -> int:
    """Of all that lies in it now."""
    return sum(file.stat().st_size for file in folder.glob("*") if file.exists())


def test_a_download_goes_on_where_the_one_before_was_stopped(standin, home, tmp_path):
    standin.most = 700_000
    running = subprocess.Popen(
        [sys.executable, "-m", "app", "models", "download", REPO, "Q4_K_M"],
        cwd=ROOT, env={**os.environ, "HF_HOME": str(tmp_path), "HOME": str(tmp_path)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert running.stderr is not None
    waited = threading.Timer(300, running.kill)
    waited.start()
    while bytes_in(home / "models" / ".partial") <= 400_000:
        assert running.poll() is None, running.stderr.read()
        threading.Event().wait(0.02)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=300)
    waited.cancel()
    assert running.returncode == 130
    assert "goes on from there" in err
    assert bytes_in(home / "models" / ".partial") > 400_000
    standin.most = None
    before = standin.sent_bytes
    done = subprocess.run(
        [sys.executable, "-m", "app", "models", "download", REPO, "Q4_K_M", "--json"],
        cwd=ROOT, env={**os.environ, "HF_HOME": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["path"].endswith(FILE)
    assert all({"state", "have_bytes", "size_bytes"} <= line.keys() for line in lines[:-1])
    size = lines[-1]["size_bytes"]
    assert before + (standin.sent_bytes - before) <= size * 1.3
    assert standin.sent_bytes - before < size, "what came before was not fetched again"


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("download", REPO, "Q3_K_L"), "There are: Q4_K_M, Q8_0.", 1),
        (("download", REPO), "Say which file", 2),
        (("download", "nobody/nothing-GGUF", "Q4_K_M"), "", 1),
        (("files", "not a name"), "", 1),
        (("download", "starter"), "comes with Orcinus", 2),
        (("verify", "unknown.gguf"), "There is no model 'unknown.gguf'", 1),
        (("remove", "unknown.gguf"), "There is no model 'unknown.gguf'", 1),
        (("import", "/no/such/file.gguf"), "", 1),
    ],
)
def test_what_cannot_be_done_is_one_line_and_a_code(models, standin, arguments, words, code):
    result, out, err = models(*arguments)
    assert result == code
    assert out == ""
    assert len(err.splitlines()) == 1
    assert words in err


def test_a_gated_repository_says_what_to_do(models, standin, starter):
    standin.add("meta/Gated-GGUF", {"g.Q4_0.gguf": starter.read_bytes()}, gated="auto")
    code, _, err = models("download", "meta/Gated-GGUF", "Q4_0")
    assert code == 1
    assert len(err.splitlines()) == 1
    assert "licence" in err


def test_wrong_bytes_never_become_a_model(models, standin):
    standin.faults.append(Fault(Kind.CORRUPT, times=None, after=1000))
    code, out, err = models("download", REPO, "Q4_K_M")
    assert code == 1
    assert out == ""
    assert err
    assert found(models, "list")["models"] == []


def test_a_model_can_be_verified_again_and_damage_is_told(models, standin, home):
    assert models("download", REPO, "Q4_K_M")[0] == 0
    path = home / "models" / REPO / FILE
    code, out, _ = models("verify", FILE)
    assert code == 0
    assert "is what the Hub lists" in out
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert "changed since it was verified" in models("list")[1]
    code, out, err = models("verify", FILE)
    assert code == 1
    assert "damaged" in err
    assert len([line for line in err.splitlines() if "damaged" in line]) == 1
    assert found(models, "list")["models"][0]["damaged"]
    assert cli.run(["ask", "--model", "mistral-7b-openorca", "Hi"]) == 1, "and it is not loaded by its name"


def test_a_file_is_imported_by_link_and_removed_with_what_it_frees(models, home, tmp_path, starter):
    mine = tmp_path / "mine" / "My Model.Q4_0.gguf"
    mine.parent.mkdir()
    mine.write_bytes(starter.read_bytes())
    told = found(models, "import", str(mine))
    path = Path(told["path"])
    assert path.is_relative_to(home / "models")
    assert path.samefile(mine)
    code, _, err = models("verify", "My Model.Q4_0.gguf")
    assert code == 1
    assert "nothing to compare" in err
    removed = found(models, "remove", path.name)
    assert removed["freed_bytes"] == 0, "its bytes still have the other name"
    assert mine.exists()
    assert not path.exists()
    assert not path.parent.exists()
    assert found(models, "list")["models"] == []


@pytest.mark.parametrize(("how", "stays"), [("copy", True), ("move", False), ("use", True)])
def test_a_file_is_copied_moved_or_used_in_place(models, home, tmp_path, starter, how, stays):
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(starter.read_bytes())
    told = found(models, "import", str(mine), "--how", how)
    assert mine.exists() is stays
    assert Path(told["path"]).read_bytes() == starter.read_bytes()
    assert told["managed"] is (how != "use")
    assert [model["path"] for model in found(models, "list")["models"]] == [told["path"]]
    freed = found(models, "remove", told["path"])["freed_bytes"]
    assert freed == (0 if how == "use" else starter.stat().st_size)
    assert Path(told["path"]).exists() is (how == "use"), "a file elsewhere is only forgotten"
    assert found(models, "list")["models"] == []


def test_junk_is_not_imported(models, home, tmp_path):
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"GGUF" + b"\0" * 100)
    code, _, err = models("import", str(junk))
    assert code == 1
    assert len(err.splitlines()) == 1
    assert not (home / "models" / "local").exists()


def test_two_models_of_one_name_are_told_apart_by_their_paths(models, home, starter):
    for owner in ("one", "two"):
        path = home / "models" / owner / "repo" / "same.gguf"
        path.parent.mkdir(parents=True)
        path.write_bytes(starter.read_bytes())
    code, _, err = models("remove", "same.gguf")
    assert code == 1
    assert "Several models" in err
    assert models("remove", str(home / "models" / "one" / "repo" / "same.gguf"))[0] == 0
    assert models("remove", "same.gguf")[0] == 0


def test_the_folder_and_address_that_the_person_chose_hold_here_too(models, standin, home, tmp_path, monkeypatch):
    stores = open_stores(home / "orcinus.db")
    stores.settings.set("app", "models_folder", str(tmp_path / "elsewhere"))
    stores.settings.set("app", "endpoint", standin.url)
    stores.close()
    monkeypatch.delenv("HF_ENDPOINT")
    assert models("download", REPO, "Q4_K_M")[0] == 0
    assert (tmp_path / "elsewhere" / REPO / FILE).exists()
    assert not (home / "models").exists()


def test_a_file_put_into_the_folder_by_hand_is_listed_and_opened_once(models, home, starter, monkeypatch):
    path = home / "models" / "lmstudio-community" / "Some-GGUF" / "some.Q8_0.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(starter.read_bytes())
    (model,) = found(models, "list")["models"]
    assert (model["path"], model["managed"], model["architecture"]) == (str(path), True, "llama")

    def opened(_path: str) -> None:
        raise AssertionError("opened again")

    monkeypatch.setattr("app.setup.read_header", opened)
    assert len(found(models, "list")["models"]) == 1


def test_a_model_that_the_window_downloads_right_now_is_left_to_it(models, standin, home, tmp_path, starter):
    standin.most = 300_000
    repo = standin.repos[0]
    file = repo.files[FILE]
    wanted = Wanted(repo.repo_id, repo.commit, "Q4_K_M", (RemoteFile(FILE, file.size, file.sha256),), "x", standin.url)
    window = download(Hub(standin.url), wanted, home / "models", StopFlag())
    while next(window).have_bytes < 1000:
        pass
    code, out, err = models("download", REPO, "Q4_K_M")
    window.close()
    standin.most = None
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert models("download", REPO, "Q4_K_M")[0] == 0, "and goes on once it is let go of"


def test_of_several_quants_the_one_used_last_answers_else_the_largest(models, standin, home, capsys):
    for quant in ("Q4_K_M", "Q8_0"):
        assert models("download", REPO, quant)[0] == 0
    folder = home / "models" / REPO
    parts = Parts(find_paths(), read_catalog(find_paths().resources_dir), Remembered())
    assert choose(parts, "mistral-7b-openorca", {}).path.endswith("Q8_0.gguf")
    assert choose(parts, f"{REPO}:Q4_K_M", {}).path == str(folder / FILE)
    used = Remembered(models=(KnownModel(str(folder / FILE), "Mistral 7B OpenOrca"),))
    assert choose(Parts(parts.paths, parts.catalog, used), "mistral-7b-openorca", {}).path == str(folder / FILE)
    (folder / FILE).unlink()
    assert choose(Parts(parts.paths, parts.catalog, used), "mistral-7b-openorca", {}).path.endswith("Q8_0.gguf")


def test_a_known_model_that_is_not_here_yet_is_told_with_the_way_to_get_it(models, capsys):
    assert cli.run(["ask", "--model", "mistral-7b-openorca", "Hi"]) == 1
    assert "orcinus models download mistral-7b-openorca" in capsys.readouterr().err


def test_ctrl_c_leaves_an_import_undone_and_a_check_open(models, standin, home, tmp_path, starter, monkeypatch):
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(starter.read_bytes())
    assert models("download", REPO, "Q4_K_M")[0] == 0
    before = found(models, "list")["models"]

    @contextmanager
    def interrupted():
        stop = StopFlag()
        stop.set()
        yield stop

    monkeypatch.setattr("app.cli_models.stop_on_interrupt", interrupted)
    assert models("import", str(mine), "--how", "copy")[:2] == (130, "")
    assert models("verify", FILE)[:2] == (130, "")
    assert found(models, "list")["models"] == before
    assert not (home / "models" / "local").exists()


def test_a_folder_that_cannot_be_written_to_is_told_in_one_line(models, standin, home):
    home.mkdir(parents=True, exist_ok=True)
    (home / "models").write_bytes(b"a file where the folder should be")
    for arguments in (("download", REPO, "Q4_K_M"), ("list",)):
        code, _, err = models(*arguments)
        assert code == (1 if arguments[0] == "download" else 0)
        assert len(err.splitlines()) <= 1
