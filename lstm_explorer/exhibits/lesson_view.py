"""The view of the page Lesson: the chapter, what its controls were moved to, and the answers that were given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.record import Parsed, choice, number, schema, subset, text
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.training.presets import PRESETS
from lstm_explorer.exhibits.inside import InsideView
from lstm_explorer.exhibits.lesson import CODES, Chapter, chapters
from lstm_explorer.exhibits.training_view import preset_changes
from lstm_explorer.exhibits.view import View

#: In place of an answer: the reader only wanted to see what was measured.
SHOWN = "shown"

#: Between the answers, and between a chapter and its answer; both stay as they are in an address.
_NEXT, _IS = "~", "_"
_ANSWER = re.compile(rf"({'|'.join(CODES)}){_IS}([a-z]+|-?\d+(?:\.\d+)?)")


def read_answers(text: str) -> dict[str, str]:
    """Return what was answered, by chapter.

    Args:
        text: As :func:`write_answers` writes it.

    Raises:
        ValueError: It is written otherwise, or a chapter has no such answer.

    Example:
        >>> read_answers("forgetting_-3.5~vanishing_shown")
        {'forgetting': '-3.5', 'vanishing': 'shown'}
    """
    found: dict[str, str] = {}
    for part in filter(None, text.split(_NEXT)):
        answer = _ANSWER.fullmatch(part)
        if answer is None or not (answer[2] == SHOWN or chapters()[answer[1]].question.takes(answer[2])):
            raise ValueError(f"answers is {text[:60]!r}: expected chapters and answers, such as 'forgetting_-3.5'.")
        found[answer[1]] = answer[2]
    return found


def write_answers(answers: Mapping[str, str]) -> str:
    """Return answers as they stand in an address, in the order of the chapters."""
    return _NEXT.join(f"{code}{_IS}{answers[code]}" for code in CODES if code in answers)


@dataclass(frozen=True, kw_only=True)
class LessonView(View):
    """Where the reader is in the lesson. What a chapter's controls move stands here, and not in the shared settings.

    The values with which a chapter opens are its own; an address holds only what differs from them.

    Args:
        chapter: Code of the chapter.
        answers: What was answered so far, as :func:`write_answers` writes it.
        presenter: Whether it is on a projector: large type, and nothing but the lesson.
        sequence_length: Steps.
        recurrent_gain: Factor on the recurrent weights.
        forget_bias: Effective bias of the forget gate.
        input_bias: Effective bias of the input gate.
        output_bias: Effective bias of the output gate.
        update_bias: Effective bias of the update gate.
        stage: The stage of the step that is lit in the diagram.
        share: Share of the gradient that must survive.
        networks: The networks that are drawn.
        example: The training whose runs are drawn, by the code of its preset.
    """

    own_settings: ClassVar[bool] = True

    chapter: str = choice(CODES[0], CODES)
    answers: str = text("", longest=400, reader=read_answers)
    presenter: bool = False
    sequence_length: int = number(100, 2, 500)
    recurrent_gain: float = number(1.0, 0.1, 3.0)
    forget_bias: float = number(0.0, -10.0, 10.0)
    input_bias: float = number(0.0, -10.0, 10.0)
    output_bias: float = number(0.0, -10.0, 10.0)
    update_bias: float = number(0.0, -10.0, 10.0)
    stage: str = choice("all", schema(InsideView)["stage"].options)
    share: float = number(0.1, 0.001, 0.9)
    networks: tuple[str, ...] = subset(("rnn",), tuple(ARCHITECTURES))
    example: str = choice("gated", tuple(PRESETS))

    @property
    def answer(self) -> str:
        """What was answered to the question of the open chapter; empty where nothing was."""
        return read_answers(self.answers).get(self.chapter, "")

    @property
    def moved(self) -> bool:
        """Whether something is other than the chapter opened with."""
        return self != self.opened()

    def at(self, chapter: str) -> Self:
        """Return the view as another chapter opens: where it was answered, with the settings that answered it."""
        return self.replace(chapter=chapter).opened()

    def answered(self, answer: str) -> Self:
        """Return the view with an answer to the open chapter's question, and the settings that answer it."""
        answers = {**read_answers(self.answers), self.chapter: answer}
        return self.replace(answers=write_answers(answers)).opened()

    def reopened(self) -> Self:
        """Return the view without an answer to the open chapter's question."""
        answers = {code: answer for code, answer in read_answers(self.answers).items() if code != self.chapter}
        return self.replace(answers=write_answers(answers)).opened()

    def for_class(self) -> Self:
        """Return the view that a class opens: without answers, and as the chapter opens unless a control was moved."""
        bare = self.replace(answers="", presenter=False)
        return bare if self.moved else bare.opened()

    def opened(self) -> Self:
        """Return the view as its chapter opens."""
        chapter = chapters()[self.chapter]
        defaults = {name: field.default for name, field in schema(LessonView).items() if name not in _KEPT}
        return self.replace(**{**defaults, **chapter.opening(answered=bool(self.answer))})

    def to_query(self) -> dict[str, str]:
        """Return the fields that differ from how the chapter opens as parameters of an address."""
        kept, opened = LessonView(), self.opened()
        values = {name: (field, getattr(self, name)) for name, field in schema(LessonView).items()}
        usual = {name: getattr(kept if name in _KEPT else opened, name) for name in values}
        return {name: field.to_text(value) for name, (field, value) in values.items() if value != usual[name]}

    @classmethod
    def parse_query(cls, mapping: Mapping[str, str]) -> Parsed[Self]:
        """Read a view from an address; what it leaves out is as the chapter opens."""
        where = super().parse_query({name: text for name, text in mapping.items() if name in _KEPT})
        opened = where.record.opened()
        usual = {name: field.to_text(getattr(opened, name)) for name, field in schema(LessonView).items()}
        parsed = super().parse_query({**usual, **mapping, **where.record._where()})
        return Parsed(parsed.record, (*where.corrections, *parsed.corrections))

    def _where(self) -> dict[str, str]:
        return {name: schema(LessonView)[name].to_text(getattr(self, name)) for name in _KEPT}


#: Fields that are the same in every chapter.
_KEPT = ("chapter", "answers", "presenter")


def figure_of(chapter: Chapter, view: LessonView) -> tuple[Settings, View]:
    """Return the settings and the view of a chapter's figure, as its controls were moved.

    Args:
        chapter: The chapter.
        view: Where its controls stand.
    """
    moved: dict[str, Any] = {name: getattr(view, name) for name in chapter.controls}
    example = moved.pop("example", None)
    of_settings = {name: value for name, value in moved.items() if name in schema(Settings)}
    of_view = {name: value for name, value in moved.items() if name in schema(type(chapter.view))}
    if example is not None:
        return chapter.settings, chapter.view.replace(**{**preset_changes(PRESETS[example]), **of_view})
    if chapter.view.own_settings:
        return chapter.settings, chapter.view.replace(**of_view)
    return chapter.settings.replace(**of_settings), chapter.view.replace(**of_view)
