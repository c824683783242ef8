"""Builds the tokenizer: GPT-2's byte-level BPE with merges chosen so that copying is easy.

Three choices differ from an ordinary BPE. A space is never glued to a part of a word, only to whole words that are one
piece, so a name has the same pieces after a space and at the start of an answer. Every merge of letters that answers
use exists in capitals too, so "YOUR NAME" has as many pieces as "your name". Digits are never merged.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from itertools import pairwise

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from .dialogues import dialogue
from .entities import NAMES, NAMES_HELD_OUT, Entities

START, END = "<|im_start|>", "<|im_end|>"
SAMPLE_DIALOGUES = 12_000
WORD_MERGES, SPACE_MERGES = 840, 300
_SPACE = "Ġ"
Merge = tuple[str, str]


def _byte_letters() -> list[str]:
    """The printable character that stands for each byte, in GPT-2's order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index, _ in enumerate(others)]


def _count_words(seed: int) -> tuple[Counter[str], Counter[str], set[str]]:
    """How often each word occurs, how often behind a space, and which words answers use."""
    rng = random.Random(seed)
    entities = Entities(rng, 0.35)
    split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    words: Counter[str] = Counter()
    spaced: Counter[str] = Counter()
    answered: set[str] = set()
    for _ in range(SAMPLE_DIALOGUES):
        for message in dialogue(rng, entities):
            if "caps" in message.style:
                continue
            for piece, _span in split.pre_tokenize_str(f"{message.role}\n{message.text}"):
                behind_space = piece[0] == _SPACE and len(piece) > 1
                word = piece[1:] if behind_space else piece
                if re.search(rf"\d|[A-Z]{{2}}|[^\x00-\x7f{_SPACE}Ċ]", word):
                    continue
                words[word] += 1
                spaced[word] += behind_space
                if message.role == "assistant":
                    answered.add(word)
    return words, spaced, answered


def _word_merges(words: Counter[str], count: int) -> list[Merge]:
    """Plain BPE inside words; counts are damped so that rare fixed words get pieces beside the many made-up ones."""
    pieces = {word: ([*word], number**0.75) for word, number in words.items() if number > 2}
    merges: list[Merge] = []
    while len(merges) < count:
        pairs: Counter[Merge] = Counter()
        for parts, number in pieces.values():
            for pair in pairwise(parts):
                pairs[pair] += number  # type: ignore[assignment]
        (left, right), _ = pairs.most_common(1)[0]
        merges.append((left, right))
        for parts, _number in pieces.values():
            index = 0
            while index < len(parts) - 1:
                if parts[index] == left and parts[index + 1] == right:
                    parts[index : index + 2] = [left + right]
                index += 1
    return merges


def _mirrors(merges: list[Merge], have: set[Merge]) -> list[Merge]:
    """The merges in capitals that are not there yet."""
    mirrored = []
    for left, right in merges:
        upper = (left.upper(), right.upper())
        if re.fullmatch(f"{_SPACE}?[A-Za-z]{{2,}}", left + right) and upper not in have:
            have.add(upper)
            mirrored.append(upper)
    return mirrored


def build(seed: int = 11) -> Tokenizer:
    """The tokenizer for the dialogues' language; the same seed gives the same tokenizer."""
    words, spaced, answered = _count_words(seed)
    inner = _word_merges(words, WORD_MERGES)
    whole = {left + right for left, right in inner}
    names = {*NAMES, *NAMES_HELD_OUT}
    # A single letter only joins its space where it is a word of its own: "Ġ" + "A" would break "Ġ", "A", "da".
    glued = [word for word, _ in spaced.most_common() if (word in whole and word not in names) or word in "|+=a"]
    outer = [(_SPACE, word) for word in glued[:SPACE_MERGES]]
    have = {*inner, *outer}
    outer_answered = [merge for merge in outer if merge[1] in answered and len(merge[1]) > 1]
    merges = inner + _mirrors(inner, have) + outer + _mirrors(outer_answered, have)
    vocabulary: dict[str, int] = {}
    for token in (*_byte_letters(), *(left + right for left, right in merges), START, END):
        vocabulary.setdefault(token, len(vocabulary))
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in (START, END)])
    return tokenizer
