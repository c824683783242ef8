"""The names of a model's several files."""

from pathlib import Path

import pytest

from app.core.split_names import Part, file_names, part_of


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("m.gguf", 1),
        ("m-00001-of-00003.gguf", 3),
        ("m-00001-of-00003.GGUF", 3),
        ("m-00002-of-00003.gguf", 1),
        ("m-00001-of-00000.gguf", 1),
        ("m-00001-of-99999.gguf", 1),
        ("m\n-00001-of-00002.gguf", 2),
    ],
)
def test_the_files_of_a_model_follow_from_its_first_name(name, count):
    files = file_names(f"/models/{name}")
    assert len(files) == count
    assert files[0] == f"/models/{name}"
    assert len({Path(file).name for file in files}) == count


def test_a_name_says_which_part_of_how_many_it_is():
    assert part_of("m-Q4_K_M-00002-of-00003.gguf") == Part("m-Q4_K_M", 2, 3, ".gguf")
    assert part_of("m-2-of-3.gguf") is None
    assert part_of("m-00001-of-00002.gguf.part") is None
