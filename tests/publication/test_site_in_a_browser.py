"""The published site in Chromium: axe finds nothing, nothing is asked of the network, nothing runs over the edge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.conftest import installed
from tests.publication.published_samples import site
from tests.servers.process import binary
from tests.servers.web import served
from triaged.publication.site import site_files

MEND = "apt install chromium"
EMPTY = {"years": (), "advisories": (), "kept": (), "public_key": ""}
LOOKS = {"light": ("light", 1200), "dark": ("dark", 1200), "narrow": ("light", 360), "narrow and dark": ("dark", 360)}


@dataclass(frozen=True, slots=True)
class Published:
    """A site on the loopback, and as files."""

    address: str
    folder: Path
    pages: tuple[str, ...]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    installed("chromium", MEND)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=binary("chromium", MEND), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=["full", "empty"])
def published(request, tmp_path_factory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("site")
    files = site_files(site(**EMPTY) if request.param == "empty" else site())
    for path, octets in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(octets)
    with served(folder) as address:
        yield Published(address, folder, tuple(path for path in files if path.endswith(".html")))


@pytest.fixture
def asked() -> list[str]:
    """Every address that a page asked for beyond the loopback and its own files."""
    return []


def opened(browser: Browser, look: str, asked: list[str]) -> Page:
    scheme, width = LOOKS[look]
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})

    def guard(route: Route) -> None:
        if route.request.url.startswith(("http://127.0.0.1:", "file://", "data:")):
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    context.route("**/*", guard)
    return context.new_page()


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_any_page_and_no_page_asks_the_network(browser, published, look, asked):
    page = opened(browser, look, asked)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    for path in published.pages:
        page.goto(f"{published.address}/{path}")
        found = Axe().run(page)
        assert found.response["violations"] == [], (path, found.generate_report())
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, path
    page.context.close()
    assert asked == []
    assert complaints == []


def test_the_pages_open_from_a_folder_with_their_style(browser, published, asked):
    page = opened(browser, "light", asked)
    for path in published.pages:
        page.goto(f"file://{published.folder}/{path}")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(251, 250, 247)", path
    page.context.close()
    assert asked == []


def test_the_way_to_the_content_and_every_link_is_by_keyboard(browser, published, asked):
    page = opened(browser, "light", asked)
    page.goto(f"{published.address}/index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.context.close()


def test_a_checker_that_sees_a_fault_says_so(browser, published, asked):
    """That axe and the guard of the network are awake."""
    page = opened(browser, "light", asked)
    page.goto(f"{published.address}/index.html")
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<a href=\"#\"></a>')")
    assert [one["id"] for one in Axe().run(page).response["violations"]] == ["link-name"]
    with pytest.raises(Exception, match="ERR_FAILED"):
        page.goto("https://example.test/")
    page.context.close()
    assert asked == ["https://example.test/"]
