"""The dashboard's picture shows what the template's dashboard has, and changes with it."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from jwt_authorizer_packaging.dashboard_picture import picture
from jwt_authorizer_packaging.template import ROOT, template

if TYPE_CHECKING:
    from pathlib import Path

WIDE = {"rooms.svg"}
"""For those who change the code, at a desk."""


@pytest.fixture(name="body", scope="module")
def _body() -> str:
    found: str = template()["Resources"]["AuthorizerDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][0]
    return found


def texts(svg: str) -> list[str]:
    return [unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def test_it_shows_each_widget_and_each_label(body: str) -> None:
    shown = texts(picture(body))
    titles = re.findall(r'"title": "([^"]+)"', body)
    labels = [label for label in re.findall(r'"label": "([^"]+)"', body) if not label.startswith("$")]
    assert len(titles) == 7
    assert len(labels) >= 11
    assert {*titles, *labels, "Alarms", "allow", "deny", "reject", "error"} <= set(shown)


def test_it_changes_with_the_template(body: str) -> None:
    changed = picture(body.replace('"title": "Decisions"', '"title": "Answers"').replace("#2ca02c", "#123456"))
    assert "Answers" in texts(changed)
    assert "Decisions" not in texts(changed)
    assert 'fill="#123456"' in changed


def test_a_metric_without_a_sample_fails(body: str) -> None:
    with pytest.raises(KeyError, match="fetched sets"):
        picture(body.replace('"label": "fetches"', '"label": "fetched sets"'))


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "images").glob("*.svg")), ids=lambda path: path.name)
def test_pictures_are_for_light_and_dark_and_fit_a_phone(path: Path) -> None:
    svg = path.read_text("utf-8")
    root = ET.fromstring(svg)  # noqa: S314 - our own file
    assert "prefers-color-scheme: dark" in svg
    assert int(root.attrib["width"]) <= 480 or path.name in WIDE
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    assert min(int(size) for size in re.findall(r"font-size: ?(\d+)px", svg)) >= 13
