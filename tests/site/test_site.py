"""The web edition, built, and used in a browser."""

import functools
import http.server
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "docs" / "_build" / "html"


@pytest.fixture(scope="module")
def site():
    """The address of the site, below a path of a server of its own."""
    for package in ("sphinx", "torch", "keras"):
        pytest.importorskip(package)
    built = subprocess.run([sys.executable, ROOT / "docs" / "site" / "build.py"], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-5_000:]

    class Below(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path):
            return super().translate_path(path.removeprefix("/course")) if path.startswith("/course/") else os.devnull

        def log_message(self, *arguments):
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Below, directory=HTML))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/course/"
    server.shutdown()


def addresses():
    """All pages, relative to the site."""
    return sorted(str(path.relative_to(HTML)) for path in HTML.rglob("*.html") if "_static" not in path.parts)


def test_it_builds_without_a_warning(site):
    assert {"index.html", "lessons/10_tuning.html", "results/tuning.html", "reference/dqn.html"} <= set(addresses())


def test_every_page_loads_from_the_site_alone(site, page):
    said, asked = [], []
    page.on("console", lambda message: said.append((page.url, message.text)) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append((page.url, str(error))))
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda response: said.append((page.url, response.url)) if response.status >= 400 else None)
    names = addresses()
    assert len(names) > 30 and "lessons/10_tuning.html" in names
    for name in names:
        page.goto(site + name)
        assert page.locator("article img:not([alt]), article img[alt='']").count() == 0, name
    assert said == [] and all(url.startswith((site, "data:")) for url in asked)
    assert len(asked) > len(names)


def test_it_works_from_a_folder(site, page):
    failed = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.goto((HTML / "lessons" / "01_dqn.html").as_uri())
    page.wait_for_function("document.querySelectorAll('mjx-container svg').length > 5")
    assert page.locator(".course-panel img").first.evaluate("image => image.naturalWidth") > 100 and failed == []


def selected(page):
    """The labels of the tabs that are shown."""
    return page.locator(".sd-tab-set > input:checked + label").all_inner_texts()


def test_tabs_switch_together_and_are_remembered(site, page):
    page.goto(site + "lessons/01_dqn.html")
    assert set(selected(page)) == {"PyTorch"} and len(selected(page)) == 4
    page.locator(".sd-tab-label", has_text="Keras").first.click()
    assert set(selected(page)) == {"Keras"}
    assert page.locator("text=keras.Model >> visible=true").count() and not page.locator(
        "text=nn.Module >> visible=true").count()
    page.goto(site + "lessons/05_fusion.html")
    assert set(selected(page)) == {"Keras"} and len(selected(page)) == 8


def test_the_address_may_name_the_framework(site, page):
    page.goto(site + "lessons/02_pruning.html?framework=keras")
    assert set(selected(page)) == {"Keras"}


def test_a_quiz_answers(site, page):
    page.goto(site + "lessons/10_tuning.html")
    question = page.locator(".Quiz").first
    for label, verdict in (("The test loss.", "Incorrect"), ("What is seen of the run so far", "Correct")):
        question.locator("label.MCButton", has_text=label).click()
        feedback = question.locator(".Feedback")
        assert feedback.evaluate("(place, name) => place.classList.contains(name)", verdict.lower()) or verdict in (
            feedback.get_attribute("class") or "")
        assert len(feedback.inner_text()) > 20


def test_a_slider_moves_and_a_prediction_opens(site, page):
    page.goto(site + "lessons/01_dqn.html")
    panel = page.locator(".course-panel").first
    image, slider = panel.locator("img"), panel.locator("input")
    before = image.get_attribute("src"), image.get_attribute("alt")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert image.get_attribute("src") != before[0] and image.get_attribute("alt") != before[1]
    page.wait_for_function("image => image.complete && image.naturalWidth > 100", arg=image.element_handle())
    answer = page.locator("details.sd-dropdown").first
    assert not answer.locator("p").first.is_visible()
    answer.locator("summary").click()
    assert answer.locator("p").first.is_visible()


def test_search_finds(site, page):
    page.goto(site + "search.html?q=importance+sampling")
    page.wait_for_selector("#search-results li a")
    found = page.locator("#search-results li a").all_inner_texts()
    assert any(text.startswith("08") for text in found), found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_keeps_anybody_out(site, page, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}');")
    for name in ("index.html", "lessons/01_dqn.html", "lessons/10_tuning.html", "results/dqn.html",
                 "reference/dqn.html"):
        page.goto(site + name)
        page.wait_for_load_state("networkidle")
        found = [(violation["id"], node["target"]) for violation in axe.run(page).response["violations"]
                 if violation["impact"] in ("serious", "critical") for node in violation["nodes"]]
        assert found == [], name


def test_a_narrow_screen(site, page):
    page.set_viewport_size({"width": 360, "height": 740})
    for name in addresses():
        page.goto(site + name)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, name
