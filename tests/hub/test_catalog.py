"""The catalogue that ships: whole, in the promised order, and true to the sources it names."""

from __future__ import annotations

import dataclasses

import pytest

from app.core.fit import Machine
from app.core.known import Entry, Score
from app.core.options import Sampling
from app.core.settings import Source, resolve
from app.core.verdicts import estimate, recommended, verdict
from app.hub.catalog import Catalog, read_catalog
from app.hub.names import safe_repo_id
from app.paths import resources_dir
from app.ui.catalogue import usual_quants

GIB = 1 << 30


@pytest.fixture(scope="module")
def catalog():
    return read_catalog(resources_dir())


def test_openorca_comes_first_with_everything_its_page_shows(catalog):
    entry = catalog.entries[0]
    assert entry.repo == "TheBloke/Mistral-7B-OpenOrca-GGUF"
    assert (entry.licence, entry.prompt_format, entry.context_tokens) == ("apache-2.0", "ChatML", 32_768)
    assert entry.system_prompt.startswith("You are MistralOrca, a large language model trained by Alignment Lab AI.")
    assert entry.sampling == {
        "temperature": 0.7,
        "top_p": 0.95,
        "top_k": 40,
        "repeat_penalty": 1.1,
        "max_tokens": 512,
    }
    assert {"Wing Lian", "Teknium"} <= set(entry.authors)
    assert entry.scores_url.startswith("https://huggingface.co/Open-Orca/Mistral-7B-OpenOrca")
    assert entry.scores_source


def test_openorcas_published_scores_are_the_cards(catalog):
    scores = {score.test: score for score in catalog.entries[0].scores}
    assert {name: score.value for name, score in scores.items()} == {
        "MMLU": 62.24,
        "ARC": 64.08,
        "HellaSwag": 83.99,
        "TruthfulQA": 53.05,
        "Average": 65.84,
        "AGIEval": 0.397,
        "BigBench-Hard": 0.416,
        "GPT4ALL": 72.38,
        "MT-Bench": 6.86,
    }
    four = [scores[name].value for name in ("MMLU", "ARC", "HellaSwag", "TruthfulQA")]
    assert sum(four) / 4 == pytest.approx(scores["Average"].value, abs=0.005)
    assert "98.6 % of Llama2-70b-chat" in scores["Average"].how
    assert scores["MT-Bench"].share == pytest.approx(0.686)
    assert scores["AGIEval"].share == pytest.approx(0.397)


def test_openpipes_model_comes_second_and_its_licence_is_not_glossed_over(catalog):
    entry = catalog.entries[1]
    assert entry.repo == "TheBloke/mistral-ft-optimized-1218-GGUF"
    assert entry.licence == "cc-by-nc-4.0"
    assert "commercial" in entry.licence_note


def test_all_others_may_be_used_for_anything(catalog):
    for entry in (catalog.entries[0], *catalog.entries[2:]):
        assert entry.licence in {"apache-2.0", "mit"}, entry.id
        assert not entry.licence_note


def test_the_starter_is_the_only_one_that_comes_with_the_app(catalog):
    bundled = [entry for entry in catalog.entries if entry.file is not None]
    assert [entry.id for entry in bundled] == ["starter"]
    assert bundled[0].file.exists()
    assert catalog.offered() == tuple(entry for entry in catalog.entries if entry.id != "starter")


@pytest.mark.parametrize(("total_gib", "free_gib"), [(4, 2.2), (6, 4), (8, 5.5), (12, 9), (16, 12.5), (32, 27)])
def test_every_machine_from_4_gb_up_has_a_good_choice(catalog, total_gib, free_gib):
    """Beside the system and a browser, in memory alone, with a context of 8192 tokens, without poor quants."""
    machine = Machine(int(free_gib * GIB), 4, total_bytes=total_gib * GIB)
    good = {}
    for entry in catalog.offered():
        quants = usual_quants(entry.parameters)
        needs = {quant.label: estimate(quant.size_bytes, entry.parameters, entry.architecture) for quant in quants}
        choices = [(quant, verdict(needs[quant.label], 8192, machine)) for quant in quants]
        best = recommended(choices, entry.parameters)
        if best is not None and best.bits >= 4.5:
            good[entry.id] = needs[best.label].total(8192) / (free_gib * GIB)
    assert len(good) >= 3
    assert max(good.values()) > (0.6 if total_gib <= 16 else 0.3), "the best of them is far too small for this machine"


def test_a_computer_with_8_gb_gets_the_first_model_in_the_usual_quant(catalog):
    entry = catalog.entries[0]
    quants = usual_quants(entry.parameters)
    machine = Machine(int(5.5 * GIB), 4, total_bytes=8 * GIB)
    choices = [(quant, verdict(estimate(quant.size_bytes, entry.parameters), 8192, machine)) for quant in quants]
    best = recommended(choices, entry.parameters)
    assert best is not None
    assert best.label == "Q4_K_M"


def test_every_entry_can_be_shown_found_and_downloaded(catalog):
    for entry in catalog.entries:
        assert entry.name, entry.id
        assert entry.note, entry.id
        assert entry.blurb.endswith("."), entry.id
        assert "\n" not in entry.blurb, entry.id
        assert entry.authors, entry.id
        assert entry.architecture, entry.id
    assert 12 <= len(catalog.offered()) <= 16
    for entry in catalog.offered():
        assert safe_repo_id(entry.repo) == entry.repo
        assert safe_repo_id(entry.original) == entry.original
        assert entry.parameters > 4e8
        assert entry.context_tokens >= 8192
        assert catalog.entry(entry.id) is entry
        assert catalog.of_repo(entry.repo.upper()) is entry


def test_ids_repositories_and_names_are_each_their_own(catalog):
    for key in ("id", "name"):
        values = [getattr(entry, key) for entry in catalog.entries]
        assert len(set(values)) == len(values)
    assert len({entry.repo for entry in catalog.offered()}) == len(catalog.offered())


def test_every_value_of_its_own_is_one_that_the_settings_allow(catalog):
    for entry in catalog.entries:
        resolved = resolve(Sampling, [(Source.MODEL, entry.sampling)])
        for key, value in entry.sampling.items():
            assert getattr(resolved.values, key) == value, f"{entry.id}: {key}"


@pytest.mark.parametrize(
    ("name", "entry_id"),
    [
        ("mistral-7b-openorca.Q4_K_M.gguf", "mistral-7b-openorca"),
        ("Mistral 7B OpenOrca", "mistral-7b-openorca"),
        ("open-orca_mistral-7b-openorca", "mistral-7b-openorca"),
        ("mistral-ft-optimized-1218.Q8_0.gguf", "mistral-ft-optimized-1218"),
        ("qwen2.5-0.5b-instruct-q4_k_m.gguf", "qwen2.5-0.5b-instruct"),
        ("qwen2.5-coder-7b-instruct-q4_k_m.gguf", "qwen2.5-coder-7b-instruct"),
        ("Qwen3-4B-Instruct-2507-UD-Q4_K_XL.gguf", "qwen3-4b-instruct-2507"),
        ("Mistral-7B-Instruct-v0.3-Q6_K.gguf", "mistral-7b-instruct-v0.3"),
        ("microsoft_Phi-4-mini-instruct-Q4_K_M.gguf", "phi-4-mini-instruct"),
        ("phi-4-Q4_K_M.gguf", "phi-4"),
        ("starter.gguf Orcinus Starter", "starter"),
    ],
)
def test_a_file_from_anywhere_is_recognised_by_its_name(catalog, name, entry_id):
    assert catalog.recognise(name).id == entry_id


@pytest.mark.parametrize("name", ["Phi-4-mini-reasoning-Q4_K_M.gguf", "Mistral-7B-v0.1.gguf", "Qwen3-4B-Q4_K_M.gguf"])
def test_a_relative_is_not_taken_for_an_entry(catalog, name):
    assert catalog.recognise(name) is None


def test_citations_are_bibtex_that_a_person_can_paste(catalog):
    cited = [entry for entry in catalog.entries if entry.citation]
    assert catalog.entries[0] in cited
    assert len(cited) >= 6
    for entry in cited:
        assert entry.citation.startswith("@")
        assert entry.citation.count("{") == entry.citation.count("}"), entry.id
        assert entry.citation.splitlines()[0].endswith(","), entry.id
    assert "lian2023mistralorca1" in catalog.entries[0].citation
    assert "\\url{" in catalog.entries[0].citation


def test_an_entry_needs_no_more_than_an_id_and_a_name():
    bare = Entry("a", "A")
    catalog = Catalog((bare,))
    assert catalog.entry("a") is bare
    assert catalog.of_repo("") is None
    assert catalog.offered() == ()
    assert catalog.recognise("a") is None
    assert {field.name for field in dataclasses.fields(Score)} == {"test", "value", "of", "how", "group"}


def test_a_misspelt_key_in_the_file_is_an_error_not_a_silence(tmp_path):
    (tmp_path / "catalog.toml").write_text('[[model]]\nid = "a"\nname = "A"\nlicense = "mit"\n', "utf-8")
    with pytest.raises(TypeError, match="license"):
        read_catalog(tmp_path)
