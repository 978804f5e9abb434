"""One declaration, and from it checks, addresses and messages: for every kind of field, in every record there is."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explorer.core.record import Correction, Limits, Record, choice, described, number, schema, subset, text
from lstm_explorer.core.settings import NetworkSettings, Settings
from lstm_explorer.core.training.options import Training, TrainingOptions
from lstm_explorer.exhibits.registry import EXHIBITS

RECORDS = [Settings, *dict.fromkeys(entry.view for entry in EXHIBITS.values())]


@dataclass(frozen=True, kw_only=True)
class Sample(Record):
    """A record with one field of each kind.

    Args:
        scale: How it is drawn; there are two ways.
        shown: Which networks.
        theory: Whether theory is drawn.
        layer: Which layer.
        share: How much.
        name: What it is called.
        of: Of which network.
        depth: Read only on a log scale.
    """

    scale: Literal["log", "linear"] = "log"
    shown: tuple[str, ...] = subset(("rnn",), ("rnn", "lstm"))
    theory: bool = True
    layer: int = number(1, 0, 7, app=(1, 4))
    share: float = number(0.5, 0.0, 1.0)
    name: str = text("a", longest=3)
    of: str = choice("lstm", ("rnn", "lstm"))
    depth: int = number(2, 1, 9, read_when={"scale": ("log",)})


def value_of(field):
    """Return a strategy for the legal values of a field."""
    if field.kind is tuple:
        return st.sets(st.sampled_from(field.options), min_size=1).map(
            lambda some: tuple(option for option in field.options if option in some)
        )
    if field.options:
        return st.sampled_from(field.options)
    if field.limits is not None:
        low, high = field.limits
        return st.integers(int(low), int(high)) if field.kind is int else st.floats(low, high)
    if field.reader is not None:
        return st.just(field.default)
    return st.booleans() if field.kind is bool else st.text(min_size=1)  # of whole characters


@pytest.mark.parametrize("record", [Sample, *RECORDS], ids=lambda record: record.__name__)
@given(data=st.data())
def test_every_record_survives_its_address(record, data):
    values = {name: data.draw(value_of(field), name) for name, field in schema(record).items()}
    one = record(**values)
    parsed = record.parse_query(one.to_query())
    assert parsed == (one, ())
    assert hash(parsed.record) == hash(one)


@pytest.mark.parametrize("record", [Sample, *RECORDS], ids=lambda record: record.__name__)
@given(data=st.data())
def test_nonsense_gives_a_legal_record_and_is_said(record, data):
    texts = data.draw(st.dictionaries(st.sampled_from(sorted(schema(record)) or ["none"]), st.text(max_size=20)))
    parsed = record.parse_query(texts)
    assert record(**{name: getattr(parsed.record, name) for name in schema(record)}) == parsed.record
    for name, given_, used in parsed.corrections:
        assert given_ == texts[name]
        assert getattr(parsed.record, name) == used


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"scale": "cubic"}, ValueError, "scale is 'cubic': expected one of 'log', 'linear'"),
        ({"shown": ("tcn",)}, ValueError, r"shown is \('tcn',\): expected a tuple of at least one of 'rnn', 'lstm'"),
        ({"shown": ()}, ValueError, r"shown is \(\): expected a tuple of at least one of"),
        ({"shown": ([],)}, ValueError, "expected a tuple of at least one of"),
        ({"scale": {}}, ValueError, "scale is {}: expected one of"),
        ({"name": "a\ud800"}, ValueError, "expected whole characters; it holds half of one"),
        ({"layer": 10**4000}, ValueError, r"layer is 1000+\.\.\.0+: expected a whole number"),
        ({"theory": 1}, TypeError, r"theory is 1 \(int\): expected bool"),
        ({"layer": 8}, ValueError, "layer is 8: expected a whole number from 0 to 7"),
        ({"layer": 10**400}, ValueError, "expected a whole number from 0 to 7"),
        ({"layer": np.array([1, 2])}, ValueError, "expected a whole number from 0 to 7"),
        ({"layer": 1.5}, ValueError, r"layer is 1\.5: expected a whole number"),
        ({"layer": True}, TypeError, r"layer is True \(bool\): expected a whole number"),
        ({"share": "half"}, TypeError, r"share is 'half' \(str\): expected a number from 0 to 1"),
        ({"share": float("nan")}, ValueError, "share is nan"),
        ({"name": None}, TypeError, r"name is None \(NoneType\): expected str"),
    ],
)
def test_what_is_not_legal_is_refused_with_what_was_expected(changes, error, message):
    with pytest.raises(error, match=message):
        Sample(**changes)
    with pytest.raises(error, match=message):
        Sample().replace(**changes)


@pytest.mark.parametrize(
    ("name", "given_", "used"),
    [("layer", "-3", 0), ("layer", "2.6", 3), ("share", "9", 1.0), ("share", "x", 0.5), ("shown", "rnn-tcn", ("rnn",)),
     ("theory", "yes", True), ("of", "gru", "lstm")],
)  # fmt: skip
def test_texts_become_the_nearest_legal_value(name, given_, used):
    parsed = Sample.parse_query({name: given_})
    assert getattr(parsed.record, name) == used
    assert parsed.corrections == (Correction(name, given_, used),)


def test_a_message_quotes_no_more_than_a_line():
    with pytest.raises(TypeError) as caught:
        Sample(layer="x" * 5_000_000)
    assert len(str(caught.value)) < 200


def test_a_field_says_its_limits_its_choices_and_when_it_is_read():
    fields = schema(Sample)
    assert (fields["layer"].limits, fields["layer"].app_limits) == (Limits(0, 7), Limits(1, 4))
    assert fields["share"].app_limits == fields["share"].limits == Limits(0.0, 1.0)
    assert fields["of"].options == ("rnn", "lstm")
    assert fields["name"].longest == 3
    assert Sample().reads("depth")
    assert not Sample(scale="linear").reads("depth")


def test_what_the_docstring_says_of_a_field_is_found():
    assert described(Sample)["scale"] == "How it is drawn."
    for record in (Settings, NetworkSettings, TrainingOptions, Training):
        assert set(described(record)) == set(schema(record))


def test_a_record_describes_what_it_says_anew_and_inherits_the_rest():
    @dataclass(frozen=True, kw_only=True)
    class Longer(Sample):
        """A record on top of another.

        Args:
            scale: Another word.
            more: Its own; the rest is left out.
        """

        more: bool = True

    about = described(Longer)
    assert (about["scale"], about["more"], about["shown"]) == ("Another word.", "Its own.", "Which networks.")
    assert described(Sample)["scale"] == "How it is drawn."


@pytest.mark.parametrize("record", RECORDS[1:], ids=lambda record: record.__name__)
def test_views_do_not_take_names_of_settings(record):
    assert record.own_settings or not set(schema(record)) & set(schema(Settings))
