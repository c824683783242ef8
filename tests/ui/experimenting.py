"""The view of experiments on its own, over real services, for the tests of what is done in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from app.core.lab import Cell, CellState, Check, Contestant, Place, Plan, Question
from app.engine.scripted import Script
from app.services.experiments import RunState
from app.ui.experiments_view import ExperimentsView

FAST = Script(replies=("one two", "three four"))
SLOW = Script(replies=("word " * 400,), tokens_per_s=4)
PLAN = Plan(
    "Two prompts",
    "starter",
    (Contestant("Terse", "Be brief."), Contestant("Kind", "Be kind.")),
    tuple(Question(str(at), f"Question {at}", reference="one two") for at in range(1, 6)),
    overrides={"max_tokens": 40},
    checks=(Check("contains", {"texts": ["one"]}, "Says one"),),
)


class Lab:
    """The view on its own, over real services."""

    def __init__(self, view: ExperimentsView, services: Any, hub: Any, wait: Callable[..., None]) -> None:
        self.view, self.services, self.hub, self.wait = view, services, hub, wait

    def titles(self) -> list[str]:
        return [notice.title for notice in self.view.notices.notices()]

    def store(self, plan: Plan, answers: Callable[[Place], str] | None = None) -> int:
        """A run in the store; with answers it is done."""
        row = self.services.ask(lambda stores: stores.runs.create(plan))
        if answers is not None:
            places = [Place(one, at, 0) for one in range(len(plan.contestants)) for at in range(len(plan.questions))]
            cells = [Cell(place, CellState.DONE, answers(place)) for place in places]
            self.services.ask(lambda stores: stores.runs.save(row.id, cells))
            self.services.ask(lambda stores: stores.runs.set_state(row.id, RunState.DONE))
        self.services.experiments.refresh()
        self.wait(lambda: self.services.experiments.row(row.id) is not None)
        return row.id

    def show(self, run_id: int):
        """Open a run and give its page."""
        self.view.open_run(run_id)
        self.wait(lambda: self.view.page is not None and self.view.page.run_id == run_id)
        return self.view.page

    def finish(self) -> None:
        run = self.view.page.opened
        self.wait(lambda: not run.run.busy and not run.findings.busy)


def labs(qtbot: Any, build: Any, hub_of: Any, light: Any) -> Iterator[Callable[..., Lab]]:
    """Gives `lab(script)`: the view in a window of its own; None for the real starter model."""
    made: list[ExperimentsView] = []

    def make(script: Script | None = FAST, size: tuple[int, int] = (1100, 780), services: Any = None) -> Lab:
        services = services or build(script)
        hub = hub_of(services)
        view = ExperimentsView(services.library, hub, light)
        services.experiments.notice.connect(view.notices.show_notice)  # in the window: on the page that is shown
        view.resize(*size)
        view.show()
        qtbot.waitExposed(view)
        view.enter()
        made.append(view)
        return Lab(view, services, hub, lambda condition: qtbot.waitUntil(condition, timeout=20_000))

    yield make
    for view in made:
        view.close()
        view.deleteLater()


def put_together(lab: Lab) -> None:
    """Two prompts and two questions, as a person types them."""
    editor = lab.view.editor
    lab.view.home.new.click()
    lab.wait(lambda: editor.isVisible())
    editor.name.setText("My first")
    editor.name.textEdited.emit("My first")
    for text in ("Answer in capital letters.", "Answer like a pirate."):
        editor.prompts.add.click()
        editor.prompts.text.setPlainText(text)
    editor.questions.paste.setPlainText("What is the capital of France?\n\nWho are you?")
    editor.questions.take.click()
