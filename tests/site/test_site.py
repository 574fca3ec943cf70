"""The web edition, built, and used in a browser."""

import functools
import http.server
import os
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from course_lib.exercises.engine import registry

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "docs" / "_build" / "html"


@pytest.fixture(scope="module")
def site():
    """The address of the site, below a path of a server of its own."""
    for package in ("sphinx", "torch", "keras"):
        pytest.importorskip(package)
    built = subprocess.run([sys.executable, ROOT / "docs" / "site" / "build.py"], capture_output=True, text=True)
    assert built.returncode == 0 and ": WARNING:" not in built.stderr, built.stderr[-5_000:]

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


class Links(HTMLParser):
    """What a page links to and shows, and the anchors that it has."""

    def __init__(self, path):
        super().__init__()
        self.targets, self.anchors = set(), set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors.add(found.get("id"))
        self.targets.add(found.get({"a": "href", "img": "src"}.get(tag)))


def test_every_link_leads_somewhere(site):
    pages = {HTML / name: Links(HTML / name) for name in addresses()}
    dead, followed = [], 0
    for path, links in pages.items():
        for target in links.targets - {None, "", "#"}:
            place, _, anchor = unquote(target).partition("#")
            if place.startswith(("http:", "https:", "mailto:", "data:")):
                continue
            file, followed = (path.parent / place).resolve() if place else path, followed + 1
            if not file.is_file() or not file.stat().st_size or (
                    anchor and file in pages and anchor not in pages[file].anchors):
                dead.append((path.name, target))
    assert dead == [] and followed > 2_000
    for notebook in sorted((ROOT / "notebooks").glob("[01]*.ipynb")):
        page = pages[HTML / "lessons" / f"{notebook.stem}.html"]
        download = f"../_static/notebooks/{notebook.name}"
        assert download in page.targets
        assert (HTML / "lessons" / download).resolve().read_bytes() == notebook.read_bytes()


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
    for number, topic in enumerate(registry.TOPICS[1:], 1):
        [lesson] = (HTML / "lessons").glob(f"{number:02}_*.html")
        page.goto(site + f"lessons/{lesson.name}")
        assert page.locator(".Quiz").count() == len(topic.questions), lesson
        assert page.locator(".Quiz .MCButton").count() == 4 * len(topic.questions)
    question = page.locator(".Quiz").first  # of the last lesson
    for label, verdict in (("The test loss.", "incorrect"), ("What is seen of the run so far", "correct")):
        question.locator("label.MCButton", has_text=label).click()
        feedback = question.locator(".Feedback")
        assert verdict in feedback.get_attribute("class").lower().split()
        assert len(feedback.inner_text()) > 20


def test_a_slider_moves_and_a_prediction_opens(site, page):
    page.goto(site + "lessons/01_dqn.html")
    panel = page.locator(".course-panel").first
    image, slider = panel.locator("img"), panel.locator("input")
    assert [image.get_attribute("src")[-6:], panel.locator("output").inner_text()] == ["3.webp", "3"]
    before = image.get_attribute("alt")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert [image.get_attribute("src")[-6:], panel.locator("output").inner_text()] == ["4.webp", "4"]
    assert slider.get_attribute("aria-valuetext") == "4"
    assert image.get_attribute("alt") == f"For sweeps 4. At the start: {before}"
    switch = page.locator(".course-panel").nth(2)
    assert switch.locator("select").first.input_value() == "1"  # "yes" comes second
    switch.locator("select").first.select_option("no")
    assert "-0-1.webp" in switch.locator("img").get_attribute("src")
    page.wait_for_function("image => image.complete && image.naturalWidth > 100", arg=image.element_handle())
    answer = page.locator("details.sd-dropdown").filter(has_not_text="Our solution").first
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
                 "reference/dqn.html", "guides/scaling.html"):
        page.goto(site + name)
        page.wait_for_load_state("networkidle")
        for answer in page.locator(".Quiz .MCButton:nth-child(2)").all():
            answer.click()
        page.wait_for_timeout(1_000)  # colours fade in
        found = [(violation["id"], node["target"]) for violation in axe.run(page).response["violations"]
                 if violation["impact"] in ("serious", "critical") for node in violation["nodes"]]
        assert found == [], name


def test_a_narrow_screen(site, page):
    page.set_viewport_size({"width": 360, "height": 740})
    for name in addresses():
        page.goto(site + name)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, name
        broken = page.locator("article td, article th").evaluate_all("cells => cells.filter("
            "cell => getComputedStyle(cell).overflowWrap !== 'normal' || cell.clientWidth < 50).length")
        assert broken == 0, name
    page.goto(site + "lessons/01_dqn.html")
    assert not page.locator("nav a", has_text="02 ·").first.is_visible()
    page.locator("button.primary-toggle").locator("visible=true").click()
    page.locator("nav a", has_text="02 ·").first.click()
    page.wait_for_url("**/lessons/02_pruning.html")


def test_printed_figures_are_seen_whole(site, page):
    page.goto(site + "lessons/01_dqn.html")
    printed = page.locator(".cell_output pre")
    assert printed.count() > 10
    assert printed.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length") == 0


def test_what_is_to_be_predicted_opens_and_so_do_hints(site, page):
    page.goto(site + "lessons/01_dqn.html")
    for folded in (page.locator("details.below-input").first,
                   page.locator("details", has=page.locator("summary", has_text="Hints, and our solution")).first):
        inside = folded.locator(".cell_output, ol").first
        assert not inside.is_visible()
        folded.locator("summary").first.click()
        assert inside.is_visible()
    solutions = page.locator("details details", has=page.locator("summary", has_text="Our solution"))
    assert any("PyTorch:" in text and "Keras:" in text for text in solutions.all_text_contents())
