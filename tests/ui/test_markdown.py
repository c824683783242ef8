"""Markdown in a document: what it looks like, and that streaming does not change it."""

from __future__ import annotations

import random

import pytest
import replies
from documents import new_document, rendered, shape, streamed, texts

from app.ui.markdown_parse import PARAGRAPH_CAP, cut_point
from app.ui.markdown_style import CODE_HEADER_HEIGHT, CODE_PADDING
from app.ui.markdown_table import ROWS_PER_TABLE

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.mark.parametrize("part", range(4))
def test_a_reply_looks_the_same_however_it_was_cut_into_pieces(part):
    for seed in range(part * 100, part * 100 + 100):
        rng = random.Random(seed)
        text = replies.document(rng)
        whole, grown = rendered(text), new_document()
        start = 0
        while start < len(text):
            size = rng.choice((1, 1, 2, 3, 5, 9, 40))
            grown.append(text[start : start + size])
            start += size
        grown.finish()
        assert shape(grown) == shape(whole), f"seed {seed}"
        assert [card.text for card in grown.cards] == [card.text for card in whole.cards], f"seed {seed}"


@pytest.mark.parametrize("text", replies.PIECES)
def test_every_kind_of_block_survives_being_streamed_letter_by_letter(text):
    for following in ("", "\n\nafter", "\n- after"):
        assert shape(streamed(text + following)) == shape(rendered(text + following))


def test_finished_blocks_are_never_written_again():
    made = new_document()
    made.append("# One\n\nTwo.\n\nThree\nhas")
    made.document.size()  # changes are told once there is a layout
    final, changed = len("One\nTwo."), []
    made.document.contentsChange.connect(lambda position, removed, added: changed.append(position))
    made.append(" goes on\n\n- a\n- b\n")
    made.append("- c\n\n```\nx\n")
    assert len(changed) >= 2
    assert min(changed) >= final


def test_only_a_bounded_part_is_live_in_a_long_paragraph_list_quote_fence_and_table():
    rng = random.Random(5)
    for opening, line, most in (
        ("", lambda: replies.sentence(rng) + " ", 2 * PARAGRAPH_CAP),
        ("", lambda: f"- {replies.sentence(rng)}\n", 600),
        ("", lambda: f"> {replies.sentence(rng)}\n>\n", 600),
        ("```python\n", lambda: "x = call(1)  # words\n", 200),
        ("| a | b |\n|---|---|\n", lambda: "| one | two |\n", 40),
        ("", lambda: "word " * 20, 4 * PARAGRAPH_CAP),
        ("", lambda: "x" * 100, 4 * PARAGRAPH_CAP),
    ):
        made = new_document()
        made.append(opening)
        for _ in range(300):
            made.append(line())
            assert made.document.characterCount() - made.live_position <= most


def test_a_long_paragraph_is_cut_at_the_same_place_whatever_comes_later():
    text = replies.paragraph(random.Random(1), 200)
    cuts = {cut_point(text[:length]) for length in range(PARAGRAPH_CAP, len(text), 97)}
    assert len(cuts - {0}) == 1


def test_the_halves_of_a_cut_paragraph_stand_close_together():
    text = f"{replies.paragraph(random.Random(1), 60)}\n\nnext"
    for made in (rendered(text), streamed(text, 9)):
        margins = [(block[5], block[6]) for block in shape(made)]
        assert len(margins) > 3
        assert margins[:-1] == [(0, 0)] * (len(margins) - 2) + [(0, 10)]
        assert margins[-1] == (10, 10)


def test_a_long_table_goes_on_below_itself_without_losing_a_row():
    text = "| n | square |\n|--:|---|\n" + "".join(f"| {n} | {n * n} |\n" for n in range(3 * ROWS_PER_TABLE))
    cells = texts(streamed(text, 50))
    assert cells[:2] == ["n", "square"]
    assert cells[2:] == [cell for n in range(3 * ROWS_PER_TABLE) for cell in (str(n), str(n * n))]


def test_what_follows_a_long_table_stands_below_it():
    rows = "".join(f"| {n} | x |\n" for n in range(10))
    made = streamed(f"| a | b |\n|---|---|\n{rows}\n**after**\n", 7)
    assert texts(made)[-1] == "after"
    assert not shape(made)[-1][10]


def test_an_ordered_list_keeps_counting_while_it_streams():
    made = streamed("1. a\n1. b\n1. c\n", 4)
    assert [block[2][0] for block in shape(made)] == ["1.", "2.", "3."]


def test_an_open_fence_shows_its_code_at_once_and_in_colour():
    made = new_document()
    made.append("```python\ndef f(x):\n    return x")
    assert texts(made) == ["def f(x):", "    return x"]
    assert shape(made)[made.cards[0].first_block][-1]
    assert shape(made)[1][-1]


@pytest.mark.parametrize("above", ["", "| a |\n|---|\n| 1 |\n\n", "```sql\nSELECT 1\n```\n\n", "text\n\n"])
def test_the_frame_of_a_code_block_has_room_below_whatever_is_above_it(above):
    made = streamed(f"{above}```python\nx = 1\n```", size=3)
    layout = made.document.documentLayout()
    code = made.document.findBlockByNumber(made.cards[-1].first_block)
    others = [layout.frameBoundingRect(frame).bottom() for frame in made.document.rootFrame().childFrames()]
    if len(made.cards) > 1:
        others.append(layout.blockBoundingRect(code.previous()).bottom() + CODE_PADDING)
    elif code.previous().isValid():
        others.append(layout.blockBoundingRect(code.previous()).bottom())
    frame_top = layout.blockBoundingRect(code).top() - CODE_HEADER_HEIGHT - CODE_PADDING
    assert frame_top >= max(others, default=0)


def test_a_code_block_is_copied_as_it_was_written():
    code = "if a:\n\n    b = '```'\n\tc\n"
    assert [card.text for card in streamed(f"~~~python\n{code}~~~\n\ntext", 3).cards] == [code.removesuffix("\n")]


def test_task_lists_have_boxes():
    made = rendered("- [ ] open\n- [x] done\n- plain")
    assert [(block[0], block[8]) for block in shape(made)] == [
        ("open", "Unchecked"),
        ("done", "Checked"),
        ("plain", "NoMarker"),
    ]


def test_table_columns_are_aligned_as_asked():
    made = rendered("| l | c | r |\n|:--|:-:|--:|\n| 1 | 2 | 3 |")
    names = [block[9].name for block in shape(made) if block[0] in "123" and block[0]]
    assert names == ["AlignLeft", "AlignHCenter", "AlignRight"]


def test_line_breaks_of_a_poem_stay():
    assert texts(rendered("Roses are red\nViolets are blue")) == ["Roses are red\u2028Violets are blue"]


def test_windows_line_ends_and_broken_unicode_are_taken():
    assert texts(streamed("a\r\n\r\nb \ud83d \x00\r\n", 1)) == ["a", "b � �"]


def test_characters_that_qt_reads_as_structure_stay_inside_their_block():
    for text in ("a\u2029b", "a&#x2029;b", "a\ufdd0b\ufdd1c", "a\ufffcb"):
        assert len(texts(rendered(text))) == 1


def test_file_names_are_not_links_but_addresses_are():
    from documents import links

    assert links(rendered("main.py and setup.sh")) == set()
    assert links(rendered("see https://example.org/x")) == {"https://example.org/x"}
