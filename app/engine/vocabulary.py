"""A model's vocabulary: text to token ids and back, with control ids out of any text's reach."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

_SPM_LIKE = (1, 4)
"""LLAMA_VOCAB_TYPE_SPM and _UGM: a space is put before the first word."""
_NORMAL, _CONTROL, _USER_DEFINED = 1 << 2, 1 << 3, 1 << 4
_MARKER = re.compile(r"<\|.*\|>|<｜.*｜>|\[/?[A-Z_]+\]|</?s>|</?\w+_of_\w+>", re.DOTALL)
_REMEMBERED_CHARS = 20_000


class Vocabulary:
    """The vocabulary of a loaded model. Valid as long as the model is."""

    def __init__(self, llama: Any, vocab: Any, named: Mapping[str, int] | None = None) -> None:
        """`named` are tokens that control whatever their type, by their text."""
        self._llama = llama
        self._vocab = vocab
        self.size: int = llama.llama_vocab_n_tokens(vocab)
        self.bos: int = llama.llama_vocab_bos(vocab)
        self.eos: int = llama.llama_vocab_eos(vocab)
        self.adds_bos: bool = llama.llama_vocab_get_add_bos(vocab) and self.bos >= 0
        self._markers, self.ends = self._find_markers(named or {})
        self._guarded = frozenset(self._markers.values()) | self.ends | ({self.bos, self.eos} - {-1})
        texts = sorted((text for text in self._markers if len(text) > 1), key=len, reverse=True)
        self._marker_texts = re.compile("|".join(map(re.escape, texts)) or r"(?!)")
        self._space_prefix = self._puts_space_first()
        self._pieces: dict[int, bytes] = {}
        self._remembered = lru_cache(maxsize=4096)(self._text_tokens)

    @property
    def markers(self) -> dict[str, int]:
        """Control tokens by their text: what only a template may write."""
        return dict(self._markers)

    def begins_with_space_after(self, token: int) -> bool:
        """Whether a word generated behind this id carries a space that is not part of the text."""
        return self._space_prefix and not self.piece(token).endswith((b"\n", b" ", b"\t"))

    def raw(self, text: str, *, special: bool) -> list[int]:
        """llama.cpp's own tokens for a text, as it stands; with `special`, control strings become control ids."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 16
        ids = (self._llama.llama_token * room)()
        count = self._llama.llama_tokenize(self._vocab, data, len(data), ids, room, False, special)
        if count < 0:
            room = -count
            ids = (self._llama.llama_token * room)()
            count = self._llama.llama_tokenize(self._vocab, data, len(data), ids, room, False, special)
        return list(ids[:count])

    def text_tokens(self, text: str) -> tuple[int, ...]:
        """The ids of a literal text, as after a control token; never an id that controls."""
        if len(text) > _REMEMBERED_CHARS:
            return self._text_tokens(text)
        return self._remembered(text)

    def following_tokens(self, text: str) -> tuple[int, ...]:
        """The ids of a literal text that goes on in the middle of one: no space is put before it."""
        return tuple(self._guarded_tokens(text, self._raw_following))

    def knows(self, tokens: Sequence[int]) -> bool:
        """Whether all ids are of this vocabulary. llama.cpp must never be asked about others."""
        return not tokens or (min(tokens) >= 0 and max(tokens) < self.size)

    def piece(self, token: int) -> bytes:
        """The bytes of one id of the vocabulary; nothing for a control id."""
        if token not in self._pieces:
            self._pieces[token] = self._piece(token, special=False)
        return self._pieces[token]

    def says(self, tokens: Sequence[int]) -> str | None:
        """The text of ids; None where one controls or is none of this vocabulary."""
        if not self.knows(tokens) or not self._guarded.isdisjoint(tokens):
            return None
        return b"".join(map(self.piece, tokens)).decode("utf-8", "replace")

    def shown(self, token: int) -> str:
        """One id's text, control ids by their name."""
        return self._piece(token, special=True).decode("utf-8", "replace")

    def id_of(self, text: str) -> int | None:
        """The id whose own text this is exactly, whatever its type; None where there is none."""
        if text in self._markers:
            return self._markers[text]
        ids = self.raw(text, special=True)
        return ids[0] if len(ids) == 1 and self._own_text(ids[0]) == text else None

    def _text_tokens(self, text: str) -> tuple[int, ...]:
        return tuple(self._guarded_tokens(text, lambda piece: self.raw(piece, special=False)))

    def _raw_following(self, text: str) -> list[int]:
        if not self._space_prefix or not text:
            return self.raw(text, special=False)
        # a line break never grows together with what follows, so its own ids can be cut off again
        lead = self.raw("\n", special=False)
        ids = self.raw("\n" + text, special=False)
        return ids[len(lead) :] if ids[: len(lead)] == lead else self.raw(text, special=False)

    def _guarded_tokens(self, text: str, tokens_of: Callable[[str], list[int]]) -> list[int]:
        """Tokens of a text. Where one controls, the text is split after the first character of each marker.

        Markers of the type "control" are never matched in text; those that a file gives another type are.
        """
        ids = tokens_of(text)
        if self._guarded.isdisjoint(ids):
            return ids
        ids = []
        start = 0
        for found in self._marker_texts.finditer(text):
            cut = found.start() + 1
            ids += (tokens_of if start == 0 else self._raw_following)(text[start:cut])
            start = cut
        return self._unguarded(ids + (tokens_of if start == 0 else self._raw_following)(text[start:]))

    def _unguarded(self, ids: list[int]) -> list[int]:
        """The ids, where one that controls is still among them spelled out character by character."""
        spelled: list[int] = []
        for token in ids:
            if token not in self._guarded:
                spelled.append(token)
                continue
            for character in self._own_text(token).replace("▁", " "):
                spelled += [t for t in self._raw_following(character) if t not in self._guarded]
        return spelled

    def _find_markers(self, named: Mapping[str, int]) -> tuple[dict[str, int], frozenset[int]]:
        """Control tokens by text, with those that look like one though the file says otherwise; ids that end a reply.

        Plain tokens are passed over by their type alone: a vocabulary may have 256,000.
        """
        special = {self.bos, self.eos, self._llama.llama_vocab_eot(self._vocab)} - {-1}
        found = dict(named)
        ends = set()
        for token in range(self.size):
            attributes = self._llama.llama_vocab_get_attr(self._vocab, token)
            if attributes == _NORMAL and token not in special:
                continue
            text = self._own_text(token)
            if self._llama.llama_vocab_is_eog(self._vocab, token):
                ends.add(token)
            controls = attributes & _CONTROL or token in ends or token in special
            marks = attributes & _USER_DEFINED and _MARKER.fullmatch(text)
            if text and (controls or marks):
                found.setdefault(text, token)
        return found, frozenset(ends)

    def _puts_space_first(self) -> bool:
        if self._llama.llama_vocab_type(self._vocab) not in _SPM_LIKE:
            return False
        ids = self.raw("a", special=False)
        return bool(ids) and self._own_text(ids[0]).startswith("▁")

    def _own_text(self, token: int) -> str:
        raw: bytes | None = self._llama.llama_vocab_get_text(self._vocab, token)
        return (raw or b"").decode("utf-8", "replace")

    def _piece(self, token: int, *, special: bool) -> bytes:
        room = 64
        buffer = ctypes.create_string_buffer(room)
        count = self._llama.llama_token_to_piece(self._vocab, token, buffer, room, 0, special)
        if count < 0:  # a token longer than the buffer tells its length
            room = -count
            buffer = ctypes.create_string_buffer(room)
            count = self._llama.llama_token_to_piece(self._vocab, token, buffer, room, 0, special)
        return buffer.raw[: max(count, 0)]
