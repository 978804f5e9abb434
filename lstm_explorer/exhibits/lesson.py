"""The lesson: what stands in ``data/lesson``, read and checked once.

A chapter is three files beside each other. ``1-forgetting.toml`` holds what is the same in every language: its figure,
settings, controls, question and sources. ``1-forgetting.en.md`` and ``1-forgetting.ko.md`` hold the words: a title, a
text, a question with its options as a numbered list, and what there is to say of each answer, told apart by their
order. A number in braces is filled in by what was measured.
"""

from __future__ import annotations

import functools
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, NamedTuple

from lstm_explorer.core.settings import Settings
from lstm_explorer.core.sources import SOURCES
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.exhibits.view import View

FOLDER = resources.files("lstm_explorer").joinpath("data", "lesson")

#: What a guess may be off by: too low, close, too high, in the order in which the words speak of them.
_VERDICTS = 3
_NUMBERED = re.compile(r"^\d+\. ")


class Option(NamedTuple):
    """One answer to choose, and the measured values for which it is right."""

    code: str
    low: float
    high: float


class Guess(NamedTuple):
    """A number to guess: the ends and the step of its slider, how far off still counts as close, and its unit."""

    low: float
    high: float
    step: float
    within: float
    unit: Literal["power", "percent", "share", "bias"]

    @property
    def start(self) -> float:
        """Where the slider stands before it is moved: in the middle, which says nothing."""
        return self.low + self.step * round((self.high - self.low) / 2 / self.step)


@dataclass(frozen=True, eq=False, kw_only=True)
class Question:
    """A question with one answer, which is measured.

    Attributes:
        finds: Name of what is measured, in :mod:`lstm_explorer.exhibits.lesson_findings`.
        of: The network that it asks about; empty where there is one only.
        changes: What the controls are moved to for the measurement.
        options: The answers to choose from; empty where a number is guessed.
        guess: The number to guess; None where an answer is chosen.
    """

    finds: str
    of: str
    changes: Mapping[str, Any]
    options: tuple[Option, ...]
    guess: Guess | None

    def takes(self, answer: str) -> bool:
        """Tell whether an answer is one that can be given."""
        if self.guess is None:
            return answer in {option.code for option in self.options}
        try:
            return self.guess.low <= float(answer) <= self.guess.high
        except ValueError:
            return False

    def place(self, answer: str, measured: float) -> int:
        """Return which of the chapter's remarks is about an answer: of its option, or too low, close, too high.

        Args:
            answer: One that the question takes.
            measured: The value that was measured.
        """
        if self.guess is None:
            return [option.code for option in self.options].index(answer)
        off = float(answer) - measured
        return 1 if abs(off) <= self.guess.within else int(off > 0) * 2

    def is_right(self, answer: str, measured: float) -> bool:
        """Tell whether an answer is what was measured."""
        return self.place(answer, measured) == (self.right(measured) if self.guess is None else 1)

    def right(self, measured: float) -> int:
        """Return the place of the option that is right."""
        return next(at for at, option in enumerate(self.options) if option.low <= measured < option.high)


class Control(NamedTuple):
    """What a chapter lets its reader move.

    Attributes:
        start: Where it stands at first.
        limits: The ends of a slider; None where it is a choice.
        step: Of the slider.
        options: What is offered of a choice; empty where all of it is.
        early: Whether it can be moved before the question is answered.
    """

    start: Any
    limits: tuple[float, float] | None
    step: float
    options: tuple[str, ...]
    early: bool


class Words(NamedTuple):
    """A chapter in one language, as Markdown; the remarks and what is concluded have numbers to fill in."""

    title: str
    text: str
    question: str
    options: tuple[str, ...]
    remarks: tuple[str, ...]
    conclusion: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Chapter:
    """A chapter of the lesson.

    Attributes:
        code: Its name in addresses, the same in every language.
        figure: The exhibit beside it, a name of :data:`lstm_explorer.exhibits.registry.EXHIBITS`.
        settings: Settings of the figure that no control moves.
        view: How it is shown, the same.
        controls: What the reader may move, once the question is answered.
        question: Its question.
        sources: Keys of :data:`lstm_explorer.core.sources.SOURCES`.
        words: Language code to its words.
    """

    code: str
    figure: str
    settings: Settings
    view: View
    controls: Mapping[str, Control]
    question: Question
    sources: tuple[str, ...]
    words: Mapping[str, Words]

    def opening(self, *, answered: bool) -> dict[str, Any]:
        """Return where the controls stand when the chapter is opened."""
        start = {name: control.start for name, control in self.controls.items()}
        return {**start, **self.question.changes} if answered else start


@functools.cache
def chapters() -> Mapping[str, Chapter]:
    """Return the chapters by code, in their order.

    Raises:
        ValueError: A file of the lesson is not as it has to be.
    """
    return {code: _read(code, stem) for code, stem in _stems().items()}


@functools.cache
def _stems() -> dict[str, str]:
    """Return the codes of the chapters in their order, and what their files are called before the ending."""
    names = [one.name.removesuffix(".toml") for one in FOLDER.iterdir() if one.name.endswith(".toml")]
    return {name.partition("-")[2]: name for name in sorted(names, key=lambda name: int(name.partition("-")[0]))}


#: Codes of the chapters, in their order.
CODES = tuple(_stems())


def _read(code: str, stem: str) -> Chapter:
    facts = tomllib.loads(FOLDER.joinpath(f"{stem}.toml").read_text(encoding="utf-8"))
    if facts["figure"] not in EXHIBITS or not facts["sources"] or not set(facts["sources"]) <= set(SOURCES):
        raise ValueError(f"{stem}.toml: expected a figure of the registry, and at least one source that is known.")
    question = _question(facts["question"])
    if not set(question.changes) <= set(facts["controls"]):
        raise ValueError(f"{stem}.toml: expected changes of the question to be of controls.")
    controls = {name: _control(control) for name, control in facts["controls"].items()}
    view = {name: _frozen(value) for name, value in facts.get("view", {}).items()}
    return Chapter(
        code=code,
        figure=facts["figure"],
        settings=Settings(**facts.get("settings", {})),
        view=EXHIBITS[facts["figure"]].view(**view),
        controls=controls,
        question=question,
        sources=tuple(facts["sources"]),
        words={language: read_words(stem, language, question) for language in _languages(stem)},
    )


def _control(facts: Mapping[str, Any]) -> Control:
    limits = tuple(facts["limits"]) if "limits" in facts else None
    options = tuple(facts.get("options", ()))
    return Control(_frozen(facts["start"]), limits, facts.get("step", 1.0), options, facts.get("early", False))


def _languages(stem: str) -> list[str]:
    return sorted(one.name.split(".")[1] for one in FOLDER.iterdir() if re.fullmatch(rf"{stem}\.\w+\.md", one.name))


def _question(facts: Mapping[str, Any]) -> Question:
    options = tuple(
        Option(one["code"], one.get("from", -math.inf), one.get("to", math.inf)) for one in facts.get("options", ())
    )
    guess = Guess(**facts["guess"]) if "guess" in facts else None
    if bool(options) == bool(guess):
        raise ValueError(f"question {facts['finds']}: expected either options or a guess.")
    changes = {name: _frozen(value) for name, value in facts["changes"].items()}
    return Question(finds=facts["finds"], of=facts.get("of", ""), changes=changes, options=options, guess=guess)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def read_words(stem: str, language: str, question: Question) -> Words:
    """Return the words of a chapter.

    Args:
        stem: Of its files' names.
        language: Code of the language.
        question: The question that they ask.

    Raises:
        ValueError: A part is missing, or there are not as many options and remarks as the question has.
    """
    name = f"{stem}.{language}.md"
    parts = re.split(r"^#+ ", FOLDER.joinpath(name).read_text(encoding="utf-8"), flags=re.MULTILINE)
    if len(parts) != 4:
        raise ValueError(f"{name}: expected three headings (title, question, what was measured), got {len(parts) - 1}.")
    titled, asked, said = (part.partition("\n") for part in parts[1:])
    text, options = _with_list(asked[2])
    conclusion, remarks = _with_list(said[2])
    wanted = (len(question.options), len(question.options) or _VERDICTS)
    if (len(options), len(remarks)) != wanted or not (titled[2].strip() and text and conclusion):
        raise ValueError(f"{name}: expected texts, and {wanted[0]} options and {wanted[1]} remarks as numbered lists.")
    return Words(titled[0].strip(), titled[2].strip(), text, options, remarks, conclusion)


def _with_list(text: str) -> tuple[str, tuple[str, ...]]:
    """Return what is no numbered list, and the items of those that are."""
    blocks = [block.strip() for block in text.split("\n\n")]
    lists = [block for block in blocks if _NUMBERED.match(block)]
    items = [_unwrapped(item) for block in lists for item in re.split(r"\n(?=\d+\. )", block)]
    return "\n\n".join(block for block in blocks if block and block not in lists), tuple(items)


def _unwrapped(item: str) -> str:
    return " ".join(_NUMBERED.sub("", item).split())


def filled(text: str, numbers: Mapping[str, str]) -> str:
    """Return a text with the numbers that were measured; braces around anything else stay, as of formulas.

    Example:
        >>> filled("{share} of $h_{t}$", {"share": "3%"})
        '3% of $h_{t}$'
    """
    return re.sub(r"\{(\w+)\}", lambda found: numbers.get(found[1], found[0]), text)
