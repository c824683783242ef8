"""A chat keeps the text that it uses and knows where it came from; an edit can be saved or taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.core.bundled_prompts import read_bundled_prompts
from app.core.chat import Chat
from app.core.errors import StorageError
from app.engine.scripted import Script
from app.hub.catalog import read_catalog
from app.paths import find_paths
from app.services.chat_prompt import ChatPrompt
from app.services.chat_session import ChatSession
from app.services.model_prompt import ModelPrompt
from app.services.prompt_library import PromptLibrary
from app.storage.chats import ChatStore


class Desk:
    """The app's services with a library of prompts, and one chat."""

    def __init__(self, services: Any) -> None:
        resources = find_paths().resources_dir
        self.services = services
        self.library = PromptLibrary(services.archive, read_bundled_prompts(resources, read_catalog(resources).entries))
        self.library.refresh()
        self.session: ChatSession = services.chat()
        self.prompt = ChatPrompt(self.session, self.library)
        self.kept: list[Any] = []
        self.prompt.kept.connect(lambda prompt, version: self.kept.append((prompt, version)))

    def own(self, text: str) -> Any:
        prompt = self.services.ask(lambda stores: stores.prompts.create("Mine", text))
        return self.services.ask(lambda stores: stores.prompts.version(prompt.current))

    def save(self, **how: str) -> Any:
        before = len(self.kept)
        self.prompt.save_as_version(**how)
        self.services.wait(lambda: len(self.kept) > before)
        return self.kept[-1]

    def texts(self, prompt_id: int) -> list[str]:
        return [one.text for one in self.services.ask(lambda stores: stores.prompts.versions(prompt_id))]


@pytest.fixture
def desk(build: Callable[..., Any]) -> Desk:
    return Desk(build(Script(replies=("Yes.",))))


def test_a_chat_says_what_its_version_says_until_it_is_edited(desk: Desk):
    version = desk.own("Be brief.")
    desk.prompt.use(version)
    assert (desk.session.chat.system_prompt, desk.session.chat.prompt_version) == ("Be brief.", version.hash)
    assert (desk.prompt.version, desk.prompt.edited) == (version, False)
    desk.session.set_system_prompt("Be very brief.")
    assert (desk.prompt.version, desk.prompt.edited) == (version, True)
    desk.prompt.revert()
    assert (desk.session.chat.system_prompt, desk.prompt.edited) == ("Be brief.", False)


def test_an_edit_is_saved_as_a_version_of_the_same_prompt(desk: Desk):
    version = desk.own("Be brief.")
    desk.prompt.use(version)
    desk.session.set_system_prompt("Be very brief.")
    prompt, kept = desk.save(note="shorter")
    assert (kept.text, kept.parent, kept.note) == ("Be very brief.", version.hash, "shorter")
    assert (prompt.name, prompt.current) == ("Mine", kept.hash)
    assert (desk.session.chat.prompt_version, desk.prompt.edited) == (kept.hash, False)
    assert desk.texts(prompt.id) == ["Be brief.", "Be very brief."]
    assert desk.library.prompt(prompt.id) == prompt


def test_an_edit_of_a_bundled_prompt_becomes_a_prompt_of_ones_own(desk: Desk):
    teacher = desk.library.bundled_prompt("teacher")
    assert teacher is not None
    desk.prompt.use(teacher.version)
    desk.session.set_system_prompt("Teach.")
    prompt, kept = desk.save()
    assert (prompt.name, kept.parent) == (teacher.name, teacher.version.hash)
    assert desk.texts(prompt.id) == [teacher.version.text, "Teach."]


def test_another_model_comes_with_its_prompt_or_not_at_all(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    services, session = desk.services, desk.session
    services.preferences.set_model_prompt("mistral-7b-openorca", "You are an orca.")
    session.set_draft("Hello")
    services.library.flush()
    services.wait(lambda: session.chat.id > 0)
    before = services.ask(lambda stores: stores.chats.chat(session.chat.id))

    def cut_off(*_: object) -> None:
        raise StorageError("The power went")

    monkeypatch.setattr(ChatStore, "set_prompt_version", cut_off)
    session.set_model("mistral-7b-openorca")
    services.wait(lambda: bool(services.notices))
    after = services.ask(lambda stores: stores.chats.chat(session.chat.id))
    assert (after.model_id, after.system_prompt) == (before.model_id, before.system_prompt)


def test_a_text_from_nowhere_becomes_a_prompt_named_by_its_beginning(desk: Desk):
    desk.session.set_system_prompt("Answer every question with exactly one short sentence, and no more.")
    assert (desk.prompt.version, desk.prompt.edited) == (None, False)
    prompt, kept = desk.save()
    assert prompt.name == "Answer every question with exactly one…"
    assert (kept.parent, desk.session.chat.prompt_version) == ("", kept.hash)
    desk.session.set_system_prompt("Other.")
    named, _ = desk.save(name="ignored: there is a prompt already")
    assert named.id == prompt.id


def test_a_text_is_known_by_its_prompts_name_and_the_versions_number(desk: Desk):
    version = desk.own("Be brief.")
    desk.prompt.use(version)
    desk.services.wait(lambda: desk.prompt.origin.words == "Mine, version 1")
    desk.session.set_system_prompt("Be very brief.")
    prompt, _ = desk.save()
    assert desk.prompt.origin.words == "Mine, version 2"
    desk.library.rename(prompt.id, "Short")
    desk.services.wait(lambda: desk.prompt.origin.words == "Short, version 2")
    desk.library.delete(prompt.id)
    desk.services.wait(lambda: desk.prompt.origin.words == "A deleted prompt")
    assert not desk.prompt.edited
    teacher = desk.library.bundled_prompt("teacher")
    desk.prompt.use(teacher.version)
    desk.services.wait(lambda: desk.prompt.origin.words == teacher.name)
    desk.prompt.use_none()
    assert (desk.prompt.origin, desk.prompt.saved, desk.session.chat.prompt_version) == (None, True, "")


def test_where_a_text_came_from_is_known_when_the_chat_is_opened_again(desk: Desk):
    version = desk.own("Be brief.")
    desk.prompt.use(version)
    desk.services.say(desk.session, "Hello")
    desk.session.set_system_prompt("Edited.")
    chat_id = desk.session.chat.id
    stored = desk.services.ask(lambda stores: stores.chats.chat(chat_id))
    assert (stored.system_prompt, stored.prompt_version) == ("Edited.", version.hash)
    services = desk.services
    again = ChatSession(
        Chat(chat_id, "", stored.model_id), services.archive, services.models, services.preferences, services.library
    )
    prompt = ChatPrompt(again, desk.library)
    desk.services.wait(lambda: prompt.version == version)
    assert prompt.edited


def test_a_prompt_that_is_deleted_for_good_changes_no_chat(desk: Desk):
    version = desk.own("Be brief.")
    desk.prompt.use(version)
    desk.services.ask(lambda stores: stores.prompts.purge(stores.prompts.holder(version.hash)))
    other = ChatPrompt(desk.session, desk.library)
    desk.services.ask(lambda stores: None)
    assert (other.version, other.edited, desk.session.chat.system_prompt) == (None, False, "Be brief.")
    prompt, kept = desk.save()
    assert (kept.text, kept.parent, prompt.name) == ("Be brief.", "", "Be brief.")


def test_another_model_before_the_first_message_brings_its_own_prompt_and_no_link(desk: Desk):
    session = desk.session
    default = session.chat.system_prompt
    version = desk.own(default)
    desk.prompt.use(version)
    assert session.chat.prompt_version == version.hash
    session.set_model("/models/other.gguf")
    assert (session.chat.prompt_version, session.chat.system_prompt) == ("", "")
    assert (desk.prompt.version, desk.prompt.edited) == (None, False)


def test_a_new_chat_starts_from_the_named_default(desk: Desk):
    services, preferences = desk.services, desk.services.preferences
    model_id = desk.session.chat.model_id
    version = desk.own("Be brief.")
    preferences.set_model_prompt(model_id, version.text, version.hash)
    services.say(desk.session, "So that this chat is no new one.")
    session = services.library.new_chat(model_id)
    assert (session.chat.system_prompt, session.chat.prompt_version) == ("Be brief.", version.hash)
    kept = services.ask(lambda stores: stores.settings.values(f"model:{model_id}"))
    assert kept == {"system_prompt": "Be brief.", "system_prompt_version": version.hash}
    preferences.set_model_prompt(model_id, "Typed by hand.")
    assert preferences.model_prompt_version(model_id) == ""
    preferences.set_model_prompt(model_id, version.text, version.hash)
    preferences.clear_model_prompt(model_id)
    assert preferences.model_prompt_version(model_id) == ""
    assert services.ask(lambda stores: stores.settings.values(f"model:{model_id}")) == {}


def test_a_chat_in_which_nothing_was_done_follows_the_default_and_any_other_keeps_its_own(desk: Desk):
    services, preferences = desk.services, desk.services.preferences
    session = services.library.new_chat()
    assert session is desk.session
    version = desk.own("Be brief.")
    preferences.set_model_prompt(session.chat.model_id, version.text, version.hash)
    assert (session.chat.system_prompt, session.chat.prompt_version, session.chat.id) == ("Be brief.", version.hash, 0)
    preferences.set_for_model(session.chat.model_id, "temperature", 0.5)
    session.set_system_prompt("Mine.")
    preferences.set_model_prompt(session.chat.model_id, "Other.")
    assert session.chat.system_prompt == "Mine."
    services.wait(lambda: session.chat.id > 0)
    assert services.library.new_chat().chat.system_prompt == "Other."


def test_an_edited_default_knows_its_version_and_can_be_saved_and_reverted(desk: Desk):
    preferences, model_id = desk.services.preferences, desk.session.chat.model_id
    link = ModelPrompt(preferences, desk.library)
    link.show_model(model_id)
    version = desk.own("Be brief.")
    link.use(version)
    assert (preferences.model_prompt(model_id), preferences.model_prompt_version(model_id)) == (
        "Be brief.",
        version.hash,
    )
    link.edit("Be very brief.")
    assert (link.edited, link.saved, preferences.model_prompt(model_id)) == (True, False, "Be very brief.")
    kept: list[Any] = []
    link.kept.connect(lambda prompt, version: kept.append((prompt, version)))
    link.save_as_version()
    desk.services.wait(lambda: bool(kept))
    assert (kept[0][1].parent, link.edited) == (version.hash, False)
    assert preferences.model_prompt_version(model_id) == kept[0][1].hash
    link.edit("Something else.")
    link.revert()
    assert preferences.model_prompt(model_id) == "Be very brief."
    link.edit("")
    assert (link.saved, preferences.model_prompt_version(model_id)) == (True, "")


def test_a_chat_with_mistralorca_starts_from_its_authors_prompt_by_name(desk: Desk):
    preferences = desk.services.preferences
    preferences.know_prompts_by(desk.library.authors_versions(read_catalog(find_paths().resources_dir).entries))
    orca = desk.library.bundled_prompt("mistralorca")
    assert orca is not None
    model_id = "/models/mistral-7b-openorca.Q4_K_M.gguf"
    session = desk.services.library.new_chat(model_id)
    assert (session.chat.system_prompt, session.chat.prompt_version) == (orca.version.text, orca.version.hash)
    preferences.set_model_prompt(model_id, "Another.")
    assert preferences.model_prompt_version(model_id) == ""
