"""Prompts with their histories as Markdown files, one a version: written, and read also where people wrote them.

A file is a few lines of YAML between two lines of `---`, then the text. All keys may be missing: `name`, `tags`,
`prompt_note`, `note` (of this version), `created`, `parent`, `hash`, `current`. Texts are plain, quoted as in YAML or
as in JSON; tags are a list on one line, a list below, or words between commas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.core.errors import StorageError
from app.core.prompt_files import checked
from app.core.prompts import LAST_MS, PromptHistory, PromptVersion, hash_of, parents_first, same, tidy_name, version_of
from app.core.text import clean

_START = re.compile(r"\A---[ \t]*\r?\n")
_FENCE = re.compile(r"^---[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_PAIR = re.compile(r"(?P<key>[A-Za-z][\w-]{0,40})[ \t]*:(?:[ \t]+(?P<value>.*))?\Z", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)", re.IGNORECASE)

Front = Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class MarkdownFile:
    """One file: `path` is relative, with "/" between folders; what is in one folder belongs together."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _Read:
    file: MarkdownFile
    front: Front
    version: PromptVersion


def as_markdown(histories: Iterable[PromptHistory]) -> tuple[MarkdownFile, ...]:
    """A folder a prompt, a file a version; names are safe on every system."""
    files: list[MarkdownFile] = []
    folders: set[str] = set()
    for history in histories:
        folder = _folder(history.name, folders)
        for number, version in enumerate(history.versions, start=1):
            data = _file(history, version).encode()
            files.append(MarkdownFile(f"{folder}/{number:04} {version.hash[:8]}.md", data))
    return tuple(files)


def from_markdown(files: Sequence[MarkdownFile], now_ms: int) -> tuple[PromptHistory, ...]:
    """Read files that `as_markdown` or a person wrote.

    A version that was edited by hand counts as a new one, made from what it was. Files of one folder with one name are
    one prompt; `now_ms` is when versions were made that do not say so.

    Raises:
        StorageError: a file is no text, its front matter cannot be read, or there is no file.
    """
    if not files:
        raise StorageError(
            "There are no prompts here", "No Markdown file (.md) was found.", "Choose another file or folder."
        )
    read = [_read(file, now_ms) for file in sorted(files, key=lambda file: file.path)]
    prompts: dict[tuple[str, str], list[_Read]] = {}
    for one in read:
        # a person's own files beside one another are a prompt each, as are equal names in different folders
        folder = one.file.path.rpartition("/")[0]
        prompts.setdefault((folder, same(_name(one))), []).append(one)
    return tuple(_together(of_one) for of_one in prompts.values())


def created_text(created_ms: int) -> str:
    """A time as ISO 8601 in UTC, exact to the millisecond; `created_ms` is 0 to LAST_MS."""
    moment = _EPOCH + timedelta(milliseconds=created_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def created_of(text: str) -> int:
    """Milliseconds since 1970 of a date or time in ISO 8601; UTC where it does not say.

    Raises:
        ValueError: it is none, or before 1970.
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    created_ms = (moment - _EPOCH) // timedelta(milliseconds=1)
    if not 0 <= created_ms <= LAST_MS:
        raise ValueError("before 1970")
    return created_ms


def _file(history: PromptHistory, version: PromptVersion) -> str:
    front: dict[str, object] = {"name": history.name, "tags": list(history.tags), "prompt_note": history.note}
    front |= {"note": version.note, "created": created_text(version.created_ms), "parent": version.parent}
    front |= {"hash": version.hash, "current": version.hash == history.current}
    # JSON is YAML too, and says every text exactly
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items() if value != ""]
    return "\n".join(("---", *lines, "---", version.text)) + "\n"


def _folder(name: str, used: set[str]) -> str:
    plain = _UNSAFE.sub("_", name)[:60].strip(" .") or "prompt"
    plain = f"_{plain}" if _RESERVED.match(plain) else plain
    folder, number = plain, 1
    while same(folder) in used:
        number += 1
        folder = f"{plain} {number}"
    used.add(same(folder))
    return folder


def _read(file: MarkdownFile, now_ms: int) -> _Read:
    try:
        text = file.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unread(file, "It is not UTF-8 text.") from error
    front, body = _split(file, text)
    try:
        created_ms = created_of(_one(front, "created")) if _one(front, "created") else now_ms
    except (ValueError, OverflowError) as error:
        raise _unread(file, f"“{_one(front, 'created')[:40]}” is no date.") from error
    note, parent, stated = clean(_one(front, "note")), _one(front, "parent"), _one(front, "hash")
    if not stated:
        return _Read(file, front, version_of(clean(body.replace("\r\n", "\n").strip("\n")), parent, note, created_ms))
    for wording in _wordings(body):
        if hash_of(wording, parent, note, created_ms) == stated:
            return _Read(file, front, PromptVersion(stated, parent, wording, note, created_ms))
    return _Read(file, front, version_of(clean(_wordings(body)[0]), stated, note, created_ms))


def _wordings(body: str) -> tuple[str, ...]:
    """What the text may have been before editors and version control saw its line ends."""
    plain = body.replace("\r\n", "\n")
    return (body.removesuffix("\n"), body, plain.removesuffix("\n"), plain, plain.rstrip("\n"))


def _split(file: MarkdownFile, text: str) -> tuple[Front, str]:
    opened = _START.match(text)
    if opened is None:
        return {}, text
    closed = _FENCE.search(text, opened.end())
    if closed is None:
        raise _unread(file, "Its front matter has no end: a line of --- is missing.")
    return _front(file, text[opened.end() : closed.start()]), text[closed.end() :]


def _front(file: MarkdownFile, text: str) -> Front:
    found: dict[str, str | list[str]] = {}
    key = ""
    for line in re.split(r"\r?\n", text):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        item = line.strip()
        if key and (item == "-" or item.startswith("- ")):
            held, value = found[key], _value(file, item[1:].strip())
            found[key] = [*(held if isinstance(held, list) else []), *(value if isinstance(value, list) else [value])]
            continue
        pair = _PAIR.match(line)
        if pair is None:
            raise _unread(file, f"In its front matter this line is no “key: value”: {line[:60]}")
        key = pair["key"].lower()
        found[key] = _value(file, (pair["value"] or "").strip())
    return found


def _value(file: MarkdownFile, value: str) -> str | list[str]:
    if value.startswith("["):
        if not value.endswith("]"):
            raise _unread(file, f"A list in its front matter has no end: {value[:60]}")
        return _values(file, value[1:-1])
    return (_values(file, value) or [""])[0] if value[:1] in ("'", '"') else value


def _values(file: MarkdownFile, text: str) -> list[str]:
    """Texts between commas, quoted or plain; a plain one may hold anything else."""
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at] in " \t,":
            at += 1
        elif text[at] == '"':
            value, at = _decoded(file, text, at)
            found.append(value)
        elif text[at] == "'":
            quoted = re.compile(r"'((?:[^']|'')*)'").match(text, at)
            if quoted is None:
                raise _unread(file, f"A quote in its front matter has no end: {text[:60]}")
            found.append(quoted[1].replace("''", "'"))
            at = quoted.end()
        else:
            end = text.find(",", at)
            end = end if end >= 0 else len(text)
            found.append(text[at:end].strip())
            at = end
    return found


def _decoded(file: MarkdownFile, text: str, at: int) -> tuple[str, int]:
    try:
        value, end = json.JSONDecoder().raw_decode(text, at)
    except ValueError as error:
        raise _unread(file, f"A quote in its front matter cannot be read: {text[:60]}") from error
    return str(value), end


def _one(front: Front, key: str) -> str:
    value = front.get(key, "")
    return ", ".join(value) if isinstance(value, list) else value


def _name(read: _Read) -> str:
    return tidy_name(clean(_one(read.front, "name"))) or tidy_name(read.file.path.rpartition("/")[2].rpartition(".")[0])


def _together(read: Sequence[_Read]) -> PromptHistory:
    versions = parents_first([one.version for one in read])
    last = next((one for one in reversed(read) if _one(one.front, "current").lower() in ("true", "yes")), None)
    newest = last or next(one for one in reversed(read) if one.version.hash == versions[-1].hash)
    tags = newest.front.get("tags", [])
    listed = tags if isinstance(tags, list) else tags.split(",")
    note = _one(newest.front, "prompt_note")
    return checked(PromptHistory(_name(newest), versions, newest.version.hash, tuple(listed), note))


def _unread(file: MarkdownFile, detail: str) -> StorageError:
    return StorageError(f"{file.path[:80]} cannot be read", detail, "Mend or remove it. Nothing was changed.")
