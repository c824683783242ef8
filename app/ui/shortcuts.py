"""The keys of the window, declared once: what they do, and how the help page words them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Keys and what they do.

    `command` names the window's slot, or that of one of its parts as "pages.toggle_models"; empty for keys that a
    widget answers itself. `in_chat`: it is for the chat on screen, and does nothing where another page is shown.
    """

    keys: str
    words: str
    command: str = ""
    in_chat: bool = False


SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut("Ctrl+N", "New chat", "new_chat"),
    Shortcut("Ctrl+F", "Search the chats", "search_chats"),
    Shortcut("Ctrl+PgUp", "The chat above", "previous_chat"),
    Shortcut("Ctrl+PgDown", "The chat below", "next_chat"),
    Shortcut("F2", "Rename the chat", "rename_chat"),
    Shortcut("Ctrl+L", "Write a message", "write_message"),
    Shortcut("Enter", "Send the message"),
    Shortcut("Shift+Enter", "New line in the message"),
    Shortcut("Esc", "Stop the reply; close a notice; leave a page"),
    Shortcut("Up", "In an empty message: edit the last one"),
    Shortcut("Ctrl+R", "Another version of the last reply", "page.regenerate_last", in_chat=True),
    Shortcut("Ctrl+Shift+C", "Copy the conversation", "page.copy_conversation", in_chat=True),
    Shortcut("Ctrl+Up, Ctrl+Down", "From message to message"),
    Shortcut("Ctrl+M", "Models: find, download, keep", "pages.toggle_models"),
    Shortcut("Ctrl+E", "The prompt lab: compare, keep and test system prompts", "pages.toggle_lab"),
    Shortcut("Ctrl+S", "In the library of prompts: save a version"),
    Shortcut("Ctrl+H", "Hardware: what there is, and what a model takes", "pages.toggle_hardware"),
    Shortcut("Space", "In a list of models: press the button of the row"),
    Shortcut("Ctrl+O", "Open a GGUF file", "choose_file"),
    Shortcut("Ctrl+B", "Show or hide the chats", "toggle_sidebar"),
    Shortcut("Ctrl+J", "Show or hide system prompt and settings", "toggle_inspector"),
    Shortcut("Ctrl+,", "Settings and keys", "pages.toggle_settings"),
    Shortcut("F1", "This list", "pages.show_keys"),
    Shortcut("Ctrl+Q", "Close Orcinus", "close_window"),
)
