"""The JSON interface under property-based tests: schemathesis against a demonstration office, as three of its people.

Everything that docs/openapi.json promises is tried with data that fit and data that do not. HENG_BINARY names the binary
(default target/debug/heng); HENG_API_SECONDS bounds each run.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
REQUIREMENTS = HERE / "requirements.txt"

# Who knocks, and where: an edition in which they have something to do.
PEOPLE = [
    ("officer", "p:0001", "dongan-district/{year}"),
    ("expert", None, "yunchuan-mayor/2026"),
    ("applicant", "o:0001", "nanlu-county/{year}"),
]


def tools():
    """A virtual environment with the pinned tools; made once."""
    folder = TARGET / "api-tests"
    stamp = folder / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != REQUIREMENTS.read_text():
        shutil.rmtree(folder, ignore_errors=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        except subprocess.CalledProcessError:
            sys.exit("python3 cannot make a virtual environment: install the package python3-venv")
        pip = [folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]
        subprocess.run(pip, check=True)
        shutil.copy(REQUIREMENTS, stamp)
    return folder / "bin/schemathesis"


def start(folder):
    """The demonstration at a free port, with a fresh office."""
    binary = os.environ.get("HENG_BINARY", TARGET / "debug/heng")
    command = [binary, "demo", "--data", folder / "office", "--listen", "127.0.0.1:0", "--lang", "en"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        if found := re.search(r"http://[\w.]+:(\d+)", line):
            return server, f"http://127.0.0.1:{found[1]}"
    sys.exit(f"the demonstration ended with {server.wait()}")


def ask(address, path, token=None, body=None):
    """One request of the interface."""
    headers = {"Content-Type": "application/json"} if body else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(address + path, data, headers)) as answer:
        return json.load(answer)


def token_of(address, subject):
    return ask(address, "/demo/token", body={"subject": subject})["token"]


def expert(address, place):
    """Some person who reviews in an edition: only the person can find out, under whose pseudonym."""
    for number in range(200, 260):
        subject = f"p:{number:04}"
        try:
            token = token_of(address, subject)
        except urllib.error.HTTPError:
            continue
        logs = ask(address, "/api/v1/logs?limit=200", token)["items"]
        if any(log["place"] == place and (log["me"] or "").startswith("x:") for log in logs):
            return token
    sys.exit(f"nobody reviews in {place}")


def filled(form):
    """Answers that fit a form, as far as its description alone tells."""

    def one(field):
        kind = field["kind"]
        if any(field["value"]) or field["optional"]:
            return field["value"]
        match kind["type"]:
            case "one" | "many":
                return [choice["value"] for choice in kind["choices"][:1]]
            case "number":
                return [str(kind["least"])]
            case "day":
                return ["2026-03-04"]
            case "moment":
                return ["2026-03-04T18:00"]
            case "files":
                return []
            case _:
                return ["1"]

    return {field["name"]: one(field) for field in form["fields"]}


def typed(kind):
    """The shape of an answer: where one is asked, a second is refused."""
    several = kind["type"] in ("many", "files")
    return {"type": "array", "items": {"type": "string"}} | ({} if several else {"maxItems": 1})


def propose(address, token, tasks):
    """Leaves a proposal that waits for signatures, where this person can make one."""
    for task in (task for task in tasks if task["signed"]):
        try:
            ask(address, task["href"], token, {"answers": filled(ask(address, task["href"], token))})
        except urllib.error.HTTPError:
            continue
        return


def narrow(operation, values, answers):
    """Says what exists in this office: names at random would find nothing, and never come to the rules behind."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path" and parameter["name"] in values:
            parameter["example"] = values[parameter["name"]]
            parameter["schema"]["enum"] = [values[parameter["name"]]]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body and answers is not None:
        form = {"type": "object", "additionalProperties": False, "properties": answers["shape"]}
        shape = {"type": "object", "additionalProperties": False, "required": ["answers"], "properties": {"answers": form}}
        example = {"answers": answers["example"]}
        if operation["operationId"] == "save_draft":
            shape["required"].append("version")
            shape["properties"]["version"] = {"type": "integer", "minimum": 0}
            example["version"] = 0
        body["schema"], body["example"] = shape, example


def schema(address, token, place, folder):
    """The description with this person's own examples."""
    description = ask(address, "/api/v1/openapi.json")
    first, second = place.split("/")
    values = {"first": first, "second": second, "seq": 3, "notice": "n1"}
    tasks = ask(address, f"/api/v1/logs/{place}/tasks", token)["items"]
    propose(address, token, tasks)
    answers = None
    if tasks:
        values |= {"kind": tasks[0]["kind"], "case": tasks[0]["case"]}
        form = ask(address, tasks[0]["href"], token)
        answers = {"example": filled(form), "shape": {field["name"]: typed(field["kind"]) for field in form["fields"]}}
    applications = ask(address, f"/api/v1/logs/{place}/applications", token)["items"]
    if applications:
        application = applications[0]["application"]
        dossier = ask(address, f"/api/v1/logs/{place}/applications/{application}", token)
        values |= {"sha256": dossier["files"][0]["sha256"]}
    proposals = ask(address, "/api/v1/proposals", token)["items"]
    for path, item in description["paths"].items():
        own = dict(values)
        if path.startswith("/api/v1/proposals") and proposals:
            own["id"] = proposals[0]["id"]
        elif applications:
            own["id"] = application
        for operation in item.values():
            narrow(operation, own, answers if "/acts/" in path else None)
    file = folder / "openapi.json"
    file.write_text(json.dumps(description))
    return file


def main():
    schemathesis = tools()
    seconds = os.environ.get("HENG_API_SECONDS", "18")
    failed = []
    with tempfile.TemporaryDirectory(prefix="heng-api-") as name:
        folder = pathlib.Path(name)
        server, address = start(folder)
        try:
            editions = ask(address, "/api/v1/editions")["items"]
            year = next(e["year"] for e in editions if e["place"].startswith("nanlu-county/"))
            for role, subject, where in PEOPLE:
                place = where.format(year=year)
                token = token_of(address, subject) if subject else expert(address, place)
                file = schema(address, token, place, folder)
                print(f"\n{role} in {place}", flush=True)
                command = [schemathesis, "--config-file", HERE / "schemathesis.toml", "run", file, "--url", address]
                command += ["--header", f"Authorization:Bearer {token}", "--max-time", seconds]
                failed += [role] * (subprocess.run(command, cwd=folder).returncode != 0)
            if server.poll() is not None:
                failed.append(f"the server ended with {server.returncode}")
        finally:
            server.kill()
            server.wait()
    if failed:
        sys.exit(f"the interface does not hold what docs/openapi.json says, as: {', '.join(failed)}")


main()
