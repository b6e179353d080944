"""Drives the browser, and prints a line for each thing seen: `ok` or `bad`, where, what, why, with tabs between."""

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

http, binary, bootstrap, shots = sys.argv[1:]
shots = Path(shots)
shots.mkdir(parents=True, exist_ok=True)

SIZES = {"projector": (1280, 800), "phone": (390, 844)}


def say(ok, where, what, why=""):
    why = str(why).replace("\n", " ").replace("\t", " ")[:500]
    print("\t".join(["ok" if ok else "bad", where, what, why]), flush=True)


def ours(command, *flags, input=None):
    words = [binary, command, "--bootstrap-server", bootstrap, *flags]
    # Not as text: that would take one kind of line end for another.
    done = subprocess.run(words, input=input and input.encode(), capture_output=True)
    return done.stdout.decode()


def eventually(look, seconds=15):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            found = look()
        except Exception:  # the page may be changing just now
            found = None
        if found:
            return found
        time.sleep(0.1)
    return None


def start():
    options = webdriver.ChromeOptions()
    for flag in ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-proxy-server"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService("/usr/bin/chromedriver")
    return webdriver.Chrome(options=options, service=service)


browser = start()


def go(path):
    browser.get(f"http://{http}{path}")


def text_of(css):
    """At one moment: a page that is live may be another one at the next."""
    return browser.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", css)


def main_text():
    return text_of("#main")


def shoot(name):
    browser.save_screenshot(str(shots / f"{name}.png"))


def size(name, dark=False):
    width, height = SIZES[name]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": name == "phone"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})


def pages():
    log = "/files/1/orders-0/00000000000000000000.log"
    return {
        "cluster": "/", "topics": "/topic", "topic": "/topic/orders", "groups": "/group",
        "group": "/group/billing", "files": "/files", "broker": "/files/1", "partition": "/files/1/orders-0",
        "log": log, "batch": f"{log}?at=0", "index": log.replace(".log", ".index"),
        "record": "/files/1/orders-0?offset=2", "missing": "/topic/nothing",
    }


CONTRAST = """
const parse = (color) => color.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => { const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
const behind = (node) => { for (let at = node; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
  return [255, 255, 255]; };
const bad = [];
for (const node of document.querySelectorAll("main *, header *, footer *")) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!own || !node.getClientRects().length) continue;
  const one = light(parse(getComputedStyle(node).color)), other = light(behind(node));
  const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  if (ratio < 4.5) bad.push(node.tagName + " " + node.className + " " + node.textContent.trim().slice(0, 20) + " " + ratio.toFixed(2));
}
return bad;
"""

READABLE = """
const bad = [];
if (document.documentElement.lang !== "en") bad.push("no language");
if (document.querySelectorAll("h1").length !== 1) bad.push("not one h1");
if (!document.querySelector("main") || !document.querySelector("nav[aria-label]")) bad.push("no landmarks");
for (const input of document.querySelectorAll("input:not([type=hidden]), select, textarea:not([hidden])")) {
  if (!input.labels.length) bad.push("no label: " + input.name);
}
for (const head of document.querySelectorAll("th:not([scope])")) bad.push("no scope: " + head.textContent);
for (const svg of document.querySelectorAll("main svg:not([aria-label])")) bad.push("a picture without words");
for (const link of document.querySelectorAll("a")) if (!(link.getAttribute("aria-label") || link.textContent).trim()) bad.push("an empty link");
return bad;
"""


def every_page():
    for screen, dark in [("projector", False), ("phone", False), ("projector", True), ("phone", True)]:
        size(screen, dark)
        kind = f"{screen}{', dark' if dark else ''}"
        for name, path in pages().items():
            go(path)
            shoot(f"{name}-{screen}{'-dark' if dark else ''}")
            wide = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
            say(wide[0] <= wide[1], f"page {name}", f"fits: {kind}", wide)
            faint = browser.execute_script(CONTRAST)
            say(not faint, f"page {name}", f"can be read: {kind}", faint)
            if not dark:
                unread = browser.execute_script(READABLE)
                say(not unread, f"page {name}", "has words for a screen reader", unread)
            say(not browser.find_elements(By.CSS_SELECTOR, "main b"), f"page {name}", "shows markup as text")
    size("projector")


def only_this_server():
    """From the browser's own log: nothing was asked of anybody else, and nothing went wrong."""
    import json

    elsewhere = set()
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            if not url.startswith((f"http://{http}/", "data:", "chrome")):
                elsewhere.add(url)
    say(not elsewhere, "network", "nothing is asked of anybody else", elsewhere)
    wrong = [entry["message"] for entry in browser.get_log("browser") if not any(code in entry["message"] for code in ("(Not Found)", "(Conflict)"))]
    say(not wrong, "console", "no errors, nothing refused by the policy", wrong)


def is_live():
    return eventually(lambda: text_of("#live") == "live")


def changes_arrive():
    go("/topic/orders")
    say(is_live(), "live", "a page says so", main_text()[:100])
    browser.execute_script("window.mark = 'the same page'")
    ours("produce", "--topic", "orders", input="arrives by itself\n")
    seen = eventually(lambda: "arrives by itself" in main_text())
    same = browser.execute_script("return window.mark") == "the same page"
    say(seen and same, "live", "a new message arrives without a reload", main_text()[:200])
    go("/group/billing")
    before = text_of(".facts")
    ours("produce", "--topic", "orders", input="one\ntwo\n")
    after = eventually(lambda: (text := text_of(".facts")) != before and text)
    say(after, "live", "the lag of a group grows", before)
    curves = eventually(lambda: len(browser.find_elements(By.CSS_SELECTOR, "svg.curve polyline")) >= 3)
    say(curves, "live", "each partition has a curve")
    # What has the focus keeps it while the page changes around it.
    browser.execute_script("document.querySelector('[data-live] table a').focus()")
    ours("produce", "--topic", "orders", input="three\n")
    time.sleep(2.5)
    focus = browser.execute_script("return document.activeElement.getAttribute('href')")
    say(focus == "/topic/orders", "live", "the focus stays where it is", focus)


def sleeps():
    """A tab that nobody sees is not watched; when somebody looks again it is up to date."""
    go("/topic/orders")
    is_live()
    hidden = """Object.defineProperty(document, "hidden", {value: arguments[0], configurable: true});
document.dispatchEvent(new Event("visibilitychange")); return source === null"""
    say(browser.execute_script(hidden, True), "sleep", "a page that nobody sees is not watched")
    ours("produce", "--topic", "orders", input="while it slept\n")
    time.sleep(2)
    say("while it slept" not in main_text(), "sleep", "and stays as it was")
    browser.execute_script(hidden, False)
    ours("produce", "--topic", "orders", input="and after it woke\n")
    seen = eventually(lambda: "while it slept" in main_text() and "and after it woke" in main_text())
    say(seen, "sleep", "a page that comes back is up to date", main_text()[:300])


def restarts():
    """The broker goes and comes back; an open page says so, and goes on."""
    go("/topic/orders")
    is_live()
    print("restart", flush=True)
    gone = eventually(lambda: text_of("#live") != "live")
    say(gone, "restart", "an open page says that it is not live")
    back = eventually(is_live, 30)
    eventually(lambda: ours("produce", "--topic", "orders", input="after the restart\n") is not None)
    seen = eventually(lambda: "after the restart" in main_text(), 20)
    say(back and seen, "restart", "and goes on by itself", main_text()[:200])


def fill(name, text):
    field = browser.find_element(By.CSS_SELECTOR, f"form[method=post] [name={name}]")
    field.clear()
    field.send_keys(text)


def leads_on(act):
    """Does what leads to another page, and waits until that is there."""
    browser.execute_script("window.before = true")
    act()
    there = "return !window.before && document.readyState === 'complete'"
    eventually(lambda: browser.execute_script(there))


def submit():
    leads_on(browser.find_element(By.CSS_SELECTOR, "form[method=post] button").click)


def actions():
    go("/topic")
    fill("name", "made-here")
    fill("partitions", "2")
    fill("configs", "retention.ms=60000")
    submit()
    text = main_text()
    shoot("confirm-create")
    twin = "topics --bootstrap-server" in text and "--topic made-here" in text
    say("CreateTopics, key 19" in text and twin, "action create", "is said first", text)
    say("made-here" not in ours("topics", "--list"), "action create", "nothing is done yet")
    submit()
    say("Topic made-here" in main_text(), "action create", "leads to the topic", main_text()[:200])
    say("retention.ms=60000" in ours("topics", "--describe", "--topic", "made-here"), "action create", "is done")

    fill("key", "k")
    fill("value", "<i>v</i>\nsecond line")
    fill("headers", "trace=1")
    submit()
    shoot("confirm-produce")
    say("Produce, key 0" in main_text(), "action produce", "is said first", main_text())
    submit()
    say("<i>v</i>" in main_text() and "trace" in main_text(), "action produce", "shows the message", main_text()[:300])
    found = ours("consume", "--topic", "made-here", "--from-beginning", "--max-messages", "1", "--property", "print.key=true")
    say(found == "k\t<i>v</i>\nsecond line\n", "action produce", "is done", repr(found))

    go("/group/billing")
    Select(browser.find_element(By.NAME, "to")).select_by_value("earliest")
    submit()
    shoot("confirm-reset")
    say("OffsetCommit, key 8" in main_text() and "--to-earliest --execute" in main_text(), "action reset", "is said first", main_text())
    submit()
    done = eventually(lambda: " 0 " in ours("groups", "--describe", "--group", "billing"))
    say(done, "action reset", "is done", ours("groups", "--describe", "--group", "billing"))
    # Members are not put elsewhere behind their backs.
    go("/group/shipping")
    submit()
    say("only be reset if the group" in main_text(), "action reset", "members are left alone", main_text())
    go("/topic")
    fill("name", "made-here")
    submit()
    submit()
    say("already exists" in main_text(), "action create", "what cannot be done is said", main_text())


def keyboard():
    go("/topic")
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    first = browser.switch_to.active_element
    say(first.text == "Skip to the content", "keyboard", "the first stop skips to the content", first.text)
    first.send_keys(Keys.ENTER)
    focus = eventually(lambda: browser.execute_script("return document.activeElement.id") == "main")
    say(focus, "keyboard", "and it does")
    stops = set()
    for _ in range(60):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        active = browser.switch_to.active_element
        stops.add(active.get_attribute("name") or active.get_attribute("href") or active.text)
    wanted = {"filter", "name", "partitions", "replication_factor", "configs"}
    say(wanted <= stops, "keyboard", "every field is reached", wanted - stops)
    outline = browser.execute_script(
        "const f = document.querySelector('form[method=post] input[name=name]'); f.focus(); return getComputedStyle(f).outlineStyle"
    )
    say(outline == "solid", "keyboard", "where one is can be seen", outline)
    name = browser.find_element(By.CSS_SELECTOR, "form[method=post] [name=name]")
    leads_on(lambda: name.send_keys("by-keyboard", Keys.ENTER))
    # The button of the next page has the focus already.
    focus = browser.switch_to.active_element.text
    say(focus == "Create it", "keyboard", "the next page asks, ready for Enter", f"{focus} on {main_text()}")
    leads_on(lambda: browser.switch_to.active_element.send_keys(Keys.ENTER))
    say(eventually(lambda: "by-keyboard" in ours("topics", "--list")), "keyboard", "a topic is made without a mouse")


def without_script():
    """The page itself is the whole answer."""
    request = urllib.request.Request(f"http://{http}/topic/orders")
    with urllib.request.urlopen(request) as answer:
        text = answer.read().decode()
    say("arrives by itself" in text and "<td" in text, "no script", "the page has everything all the same")


def tour():
    """From the dashboard to one byte, by links alone."""
    go("/")
    for link in ["Topics", "orders", "files", "00000000000000000000.log", "0"]:
        # Of a live part it may be taken away just before the click.
        leads_on(lambda link=link: eventually(lambda: [browser.find_element(By.LINK_TEXT, link).click()]))
    record = browser.find_element(By.CSS_SELECTOR, "table.messages a")
    leads_on(record.click)
    text = main_text()
    say("byte by byte" in text and "number of headers" in text, "tour", "from the cluster to a byte", text[:300])
    shoot("tour-record")


try:
    every_page()
    changes_arrive()
    sleeps()
    keyboard()
    actions()
    tour()
    without_script()
    only_this_server()
    restarts()
finally:
    browser.quit()
