"""Colours: one of its own for every network and gate, readable on the background, in both themes."""

import re
import tomllib
from pathlib import Path

import pytest

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.figures.theme import FONT, THEMES, blended, faded, plain_template, template, theme_of

ROOT = Path(__file__).resolve().parents[2]


def luminance(colour):
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_every_architecture_has_a_colour_of_its_own(theme):
    networks = THEMES[theme].networks
    assert set(networks) == set(ARCHITECTURES)
    assert len(set(networks.values())) == len(ARCHITECTURES)
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in networks.values())


def test_the_classic_networks_have_okabe_and_ito_s_colours():
    light = THEMES["light"].networks
    assert (light["rnn"], light["lstm"], light["gru"]) == ("#D55E00", "#0072B2", "#009E73")


@pytest.mark.parametrize("theme", THEMES)
def test_every_gate_has_a_colour_and_only_the_two_that_keep_share_one(theme):
    gates = THEMES[theme].gates
    assert set(gates) == {gate.name for record in ARCHITECTURES.values() for gate in record.gates}
    assert gates["update"] == gates["forget"]
    assert len(set(gates.values())) == len(gates) - 1


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_text_can_be_told_from_the_background(theme):
    look = THEMES[theme]
    for colour in (*look.networks.values(), *look.gates.values(), look.theory, look.explosion):
        assert contrast(colour, look.background) >= 3  # WCAG 2.1, graphical objects
    for colour in (look.text, look.muted):
        assert contrast(colour, look.background) >= 4.5  # WCAG 2.1, text


@pytest.mark.parametrize("theme", THEMES)
def test_the_template_wears_the_theme(theme):
    look, layout = theme_of(theme), template(theme).layout
    assert (layout.paper_bgcolor, layout.plot_bgcolor) == (look.background, look.background)
    assert list(layout.colorway) == list(look.networks.values())
    assert layout.font.family == FONT


def test_the_app_has_the_figures_font_and_backgrounds():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    assert "'Noto Sans KR'" in FONT
    assert config["font"].replace('"', "'") == FONT
    for theme in THEMES:
        assert config[theme]["backgroundColor"].upper() == THEMES[theme].background


def test_colours_are_mixed_channel_by_channel():
    assert faded("#0102FF", 0.5) == "rgba(1,2,255,0.5)"
    assert blended("#FF0000", "#0000FF", 0.25) == "#4000BF"
    assert blended("#123456", "#FFFFFF", 1.0) == "#123456"


def test_an_unknown_theme_is_refused():
    with pytest.raises(ValueError, match="theme is 'sepia': expected 'light' or 'dark'"):
        theme_of("sepia")


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_plain_template_is_the_template(name):
    assert plain_template(name) == template(name).to_plotly_json()
