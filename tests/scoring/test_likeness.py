"""chrF and ROUGE-L against values worked out by hand and by sacreBLEU."""

import random

import pytest

from app.scoring.likeness import chrf, rouge_l


def longest_common(first, second):
    row = [0] * (len(second) + 1)
    for one in first:
        left = 0
        for place, other in enumerate(second, start=1):
            left, row[place] = row[place], left + 1 if one == other else max(row[place], row[place - 1])
    return row[-1]


def test_chrf_is_the_mean_over_the_orders_that_both_texts_have():
    # abc and abd: 2 of 3 letters, 1 of 2 pairs, 0 of 1 triples
    assert chrf("abc", "abd") == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_chrf_counts_recall_twice():
    # precision 1, recall 1/2 at order 1; 1 and 1/3 at order 2
    precision, recall = 1.0, (1 / 2 + 1 / 3) / 2
    assert chrf("ab", "abcd") == pytest.approx(5 * precision * recall / (4 * precision + recall))


@pytest.mark.parametrize(
    ("text", "reference", "known"),
    [
        ("The cat sat on the mat.", "A cat was sitting on the mat.", 0.3978485169445028),
        ("Paris.", "The capital of France is Paris.", 0.1742107542177796),
        ("Ein Satz über Äpfel", "Der Satz handelt von Äpfeln und Birnen", 0.18041943387320306),
    ],
)
def test_chrf_is_what_sacrebleu_2_5_says(text, reference, known):
    assert chrf(text, reference) == pytest.approx(known, abs=1e-12)


def test_chrf_of_equal_texts_is_one_and_of_strangers_none():
    assert chrf("a b c", "abc") == 1.0
    assert chrf("abc", "xyz") == chrf("", "a") == chrf("a", "") == 0.0


def test_rouge_l_is_of_the_longest_common_subsequence():
    # the example of Lin (2004): 3 of 4 words in a row
    assert rouge_l("police kill the gunman", "police killed the gunman") == pytest.approx(0.75)
    assert rouge_l("the gunman kill police", "police killed the gunman") == pytest.approx(0.5)
    assert rouge_l("The GUNMAN!", "the gunman") == 1.0
    assert rouge_l("", "x") == rouge_l("x", "") == 0.0


def test_the_bits_count_what_the_table_counts():
    chance = random.Random(4)
    for _ in range(200):
        first = chance.choices("abcde", k=chance.randint(1, 90))
        second = chance.choices("abcde", k=chance.randint(1, 90))
        expected = 2 * longest_common(first, second) / (len(first) + len(second))
        assert rouge_l(" ".join(first), " ".join(second)) == pytest.approx(expected)
