"""The house rules that a machine can keep: imports go down, one thread border, no drawer modules."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APP = ROOT / "app"
MODULES = sorted(APP.rglob("*.py"))


def name_of(module: Path) -> str:
    return ".".join(module.relative_to(ROOT).with_suffix("").parts)


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(module)} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_import_contracts_hold():
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_core_uses_the_standard_library_alone():
    for module in (APP / "core").glob("*.py"):
        foreign = {name.split(".")[0] for name in imports(module)} - sys.stdlib_module_names - {"app"}
        assert not foreign, f"{name_of(module)} imports {foreign}"


def test_services_use_qtcore_alone():
    for module in (APP / "services").glob("*.py"):
        qt = {name.split(".")[1] for name in imports(module) if name.startswith("PySide6.")}
        assert qt <= {"QtCore"}, f"{name_of(module)} imports {qt}"


def test_services_know_engines_by_their_contract_alone():
    allowed = {"app.engine.base", "app.engine.turn"}
    for module in (APP / "services").glob("*.py"):
        engine = {".".join(name.split(".")[:3]) for name in imports(module) if name.startswith("app.engine.")}
        assert engine <= allowed, f"{name_of(module)} imports {engine - allowed}"


def test_llama_cpp_is_imported_in_the_engine_alone():
    for module in MODULES:
        if module.parent != APP / "engine":
            assert not any(name.split(".")[0] == "llama_cpp" for name in imports(module)), name_of(module)


@pytest.mark.parametrize(
    "word", ["threading.Thread(", "QThread", "QRunnable", "ThreadPoolExecutor", "threading.Timer("]
)
def test_threads_start_in_lanes_alone(word):
    users = {name_of(module) for module in MODULES if word in module.read_text("utf-8")}
    assert users <= {"app.services.lane"}


def test_nothing_is_pickled():
    for module in MODULES:
        assert not {name.split(".")[0] for name in imports(module)} & {"pickle", "marshal", "shelve", "diskcache"}, (
            module
        )


def test_packaging_is_no_package():
    assert not (ROOT / "packaging" / "__init__.py").exists(), "it would hide PyPI's packaging"


def test_there_are_no_drawers():
    drawers = {"utils", "util", "helpers", "common", "misc", "shared", "tools"}
    assert not [name_of(module) for module in MODULES if module.stem in drawers]


def test_no_module_is_longer_than_a_person_can_hold():
    long = {name_of(module): lines for module in MODULES if (lines := module.read_text("utf-8").count("\n")) > 400}
    assert not long


def test_every_module_says_what_it_is_for():
    assert not [name_of(module) for module in MODULES if not ast.get_docstring(ast.parse(module.read_text("utf-8")))]
