"""Opens a page in headless Chromium, takes the steps that it is told, and prints what came of it as JSON.

    browse.py CHROMIUM URL STEPS

STEPS is a JSON array of objects with one member each:

    {"wait": EXPRESSION}    until this JavaScript is true
    {"value": EXPRESSION}   adds the text that it comes to, to `values`
    {"tree": true}          makes `tree` what a screen reader gets: "role: name" of each node
    {"width": PIXELS}       of the window
    {"scheme": "dark"}      what the user prefers
    {"key": "Tab"}          is pressed
    {"screenshot": PATH}    of the whole page, as PNG
    {"ignore": true}        what is reported from here on is no problem

The output has `values`, `tree`, the URLs of all `requests`, and the `problems` that the browser reported. It speaks the DevTools protocol over a pipe, so that no port is opened and nothing is installed.
"""

import base64
import json
import os
import select
import subprocess
import sys
import tempfile
import time

DEADLINE_SECONDS = 280
WINDOW_HEIGHT = 900
FLAGS = [
    "--headless=new",
    "--remote-debugging-pipe",
    # It sees one page, of our own, on loopback; and containers rarely allow what a sandbox is made of.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
]


class Browser:
    def __init__(self, program, profile):
        self.deadline = time.monotonic() + DEADLINE_SECONDS
        to_read, self.write_end = os.pipe()
        self.read_end, to_write = os.pipe()
        # Chromium reads at 3 and writes at 4; what is there already moves on.
        to_read, to_write, self.write_end, self.read_end = (
            os.dup(fd) if fd in (3, 4) else fd for fd in (to_read, to_write, self.write_end, self.read_end))
        while min(to_read, to_write, self.write_end, self.read_end) <= 4:
            to_read, to_write, self.write_end, self.read_end = (
                os.dup(fd) for fd in (to_read, to_write, self.write_end, self.read_end))
        os.dup2(to_read, 3, inheritable=True)
        os.dup2(to_write, 4, inheritable=True)
        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"], pass_fds=(3, 4),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in (3, 4, to_read, to_write):
            os.close(fd)
        self.received = b""
        self.last_id = 0
        self.session = None
        self.is_loaded = False
        self.requests = []
        self.problems = []
        self.ignores = False
        self.values = []
        self.tree = []

    def read(self):
        while b"\0" not in self.received:
            left = self.deadline - time.monotonic()
            if left <= 0 or not select.select([self.read_end], [], [], left)[0]:
                raise SystemExit("the browser does not answer in time")
            chunk = os.read(self.read_end, 1 << 20)
            if not chunk:
                raise SystemExit("the browser has ended")
            self.received += chunk
        message, self.received = self.received.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.last_id += 1
        message = {"id": self.last_id, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.last_id:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
            self.note(answer.get("method"), answer.get("params", {}))

    def note(self, event, parameters):
        if event == "Page.loadEventFired":
            self.is_loaded = True
        elif event == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif self.ignores:
            return
        elif event == "Log.entryAdded":
            entry = parameters["entry"]
            self.problems.append(f"{entry['level']}: {entry['text']} {entry.get('url', '')}")
        elif event == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.problems.append("exception: " + details.get("exception", {}).get("description", details["text"]))
        elif event == "Runtime.consoleAPICalled":
            self.problems.append(f"console: {parameters['args']}")

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise SystemExit(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def open(self, url):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)
        while not self.is_loaded:
            message = self.read()
            self.note(message.get("method"), message.get("params", {}))

    def end(self):
        self.session = None
        try:
            self.call("Browser.close")
            self.process.wait(timeout=20)
        except (SystemExit, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def take(browser, step):
    (kind, argument), = step.items()
    if kind == "wait":
        while not browser.evaluate(f"Boolean({argument})"):
            if time.monotonic() > browser.deadline:
                raise SystemExit(f"did not come true: {argument}\n{browser.evaluate('document.body.innerText')}")
            time.sleep(0.05)
    elif kind == "value":
        browser.values.append(browser.evaluate(f"String({argument})"))
    elif kind == "tree":
        nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
        browser.tree = [
            f"{node['role']['value']}: {node.get('name', {}).get('value', '')}" for node in nodes if not node["ignored"]]
    elif kind == "width":
        browser.call(
            "Emulation.setDeviceMetricsOverride", width=argument, height=WINDOW_HEIGHT, deviceScaleFactor=1,
            mobile=argument < 600)
    elif kind == "scheme":
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": argument}])
    elif kind == "key":
        code, text = {"Tab": (9, ""), "Enter": (13, "\r")}[argument]
        for event in ("keyDown", "keyUp"):
            browser.call(
                "Input.dispatchKeyEvent", type=event, key=argument, code=argument, text=text,
                windowsVirtualKeyCode=code)
    elif kind == "screenshot":
        image = browser.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        with open(argument, "wb") as file:
            file.write(base64.b64decode(image))
    elif kind == "ignore":
        browser.ignores = argument
    else:
        raise SystemExit(f"there is no step '{kind}'")


def main(program, url, steps):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            browser.open(url)
            for step in json.loads(steps):
                take(browser, step)
        finally:
            browser.end()
    report = {name: getattr(browser, name) for name in ("values", "tree", "requests", "problems")}
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
