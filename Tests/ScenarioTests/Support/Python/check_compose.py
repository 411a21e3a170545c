"""Looks for what a user of a compose file would regret.

    check_compose.py FILE ...

Prints a JSON array with an array for each file: its problems, in words. `antechamber` is the proxy's service, and its
configuration the proxy.conf of the folder that it mounts at /etc/antechamber.
"""

import ipaddress
import json
import pathlib
import re
import sys
import sysconfig

import jsonschema
import yaml

HARDENING = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
# What a drain may take beyond its bound.
MARGIN_SECONDS = 5
# The specification's own, as that package has it; it is installed for this file alone.
SCHEMA = "check_jsonschema/builtin_schemas/vendor/compose-spec.json"


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text)[1])


def mounts(service, home):
    """Sources by target; a named volume's source is its name."""
    parts = [volume.split(":") for volume in service.get("volumes", [])]
    return {
        target: (home / source).resolve() if source.startswith(".") else source for source, target, *_ in parts
    }


def problems_of(file):
    document = yaml.safe_load(file.read_text())
    schema = json.loads((pathlib.Path(sysconfig.get_path("purelib")) / SCHEMA).read_text())
    for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
        yield f"{error.json_path}: {error.message}"

    services = document["services"]
    proxy = services["antechamber"]
    folder = mounts(proxy, file.parent).get("/etc/antechamber")
    configuration = (folder / "proxy.conf").read_text() if folder else ""
    named = dict(re.findall(r"^(\w+) ([^ ;]+)", configuration, re.MULTILINE))

    if seconds(proxy.get("stop_grace_period", "10s")) < seconds(named["shutdown_timeout"]) + MARGIN_SECONDS:
        yield "antechamber is killed before it has drained"
    if "/var/lib/antechamber" not in mounts(proxy, file.parent):
        yield "what antechamber keeps in state_dir is in no volume"
    for port in proxy.get("ports", []):
        address = port.split(":")[0]
        if port.count(":") < 2 or not ipaddress.ip_address(address).is_loopback:
            yield f"antechamber is published on every address of the host: {port}"
        if not port.endswith(f":{named['listen']}"):
            yield f"antechamber does not listen where it is published: {port}"
    backend = re.fullmatch(r"http://([^:/]+):\d+", named["upstream"])[1]
    if backend not in services:
        yield f"antechamber's upstream {backend} is none of the services"
    for name, service in services.items():
        for target, source in mounts(service, file.parent).items():
            if isinstance(source, pathlib.Path) and not source.is_dir():
                yield f"{name} mounts {source.name} at {target}, which is no folder"
            if isinstance(source, str) and source not in document.get("volumes", {}):
                yield f"{name} mounts the volume {source}, which there is not"
        for member, value in HARDENING.items():
            if service.get(member) != value:
                yield f"{name} has not {member} {json.dumps(value)}"
        if name == "antechamber":
            continue
        # Around the proxy.
        if "ports" in service:
            yield f"{name} is published"
        for network in service.get("networks", ["default"]):
            if not (document.get("networks", {}).get(network) or {}).get("internal"):
                yield f"{name} is on the network {network}, which leads outside"
            if network not in proxy.get("networks", ["default"]):
                yield f"antechamber is not on the network {network} of {name}"


json.dump([list(problems_of(pathlib.Path(file))) for file in sys.argv[1:]], sys.stdout)
