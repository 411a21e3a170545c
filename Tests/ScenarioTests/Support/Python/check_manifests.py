"""Renders each kustomization with the real kustomize, and looks for what a user would regret.

    check_manifests.py FOLDER ...

Looks at those in and below each folder. Prints a JSON array of {"folder", "problems", "configurations"}, one for each
kustomization: where it is, what is wrong with what it renders to, in words, and each proxy.conf in that.
"""

import json
import pathlib
import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass

import kubernetes_validate
import yaml

# The oldest and the newest Kubernetes that the manifests are for: preStop's `sleep` came to be with 1.30.
VERSIONS = ["1.30", "1.37"]
# Of other projects, without a schema here.
FOREIGN_KINDS = {"PodMonitor"}
WORKLOADS = {"Deployment", "StatefulSet"}
# How long nodes and ingress controllers may send to a pod that is gone, and what a drain may take beyond its bound.
LAG_SECONDS = 5
MARGIN_SECONDS = 5


def selects(selector, labels):
    """Whether a LabelSelector matches; an empty one matches all."""
    wanted = selector.get("matchLabels", {})
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        {
            "Exists": lambda: expression["key"] in labels,
            "DoesNotExist": lambda: expression["key"] not in labels,
            "In": lambda: labels.get(expression["key"]) in expression["values"],
            "NotIn": lambda: labels.get(expression["key"]) not in expression["values"],
        }[expression["operator"]]()
        for expression in selector.get("matchExpressions", [])
    )


@dataclass
class Place:
    """Where a connection comes from or leads to: a pod's labels, and its namespace's, or None for the policies' own."""

    labels: dict
    namespace: dict | None = None

    def fits(self, peer):
        if "namespaceSelector" in peer:
            if not selects(peer["namespaceSelector"], self.namespace or {}):
                return False
        elif self.namespace is not None:
            return False
        return selects(peer.get("podSelector", {}), self.labels)


ELSEWHERE = Place({}, {"kubernetes.io/metadata.name": "elsewhere"})
PROMETHEUS = Place({}, {"kubernetes.io/metadata.name": "monitoring"})
STRANGERS = {"a stranger of the namespace": Place({}), "a stranger of another namespace": ELSEWHERE}


def passes(policies, pod, peer, port, direction):
    """Whether the policies on a pod let TCP connections through: each allows, and none is no bar at all."""
    kind, member = {"in": ("Ingress", "from"), "out": ("Egress", "to")}[direction]
    rules = [
        policy["spec"].get(kind.lower(), [])
        for policy in policies
        if selects(policy["spec"]["podSelector"], pod.labels) and kind in policy["spec"]["policyTypes"]
    ]
    if not rules:
        return True
    return any(
        (member not in rule or any(peer.fits(candidate) for candidate in rule[member]))
        and ("ports" not in rule or any(one["protocol"] == "TCP" and one["port"] == port for one in rule["ports"]))
        for policy_rules in rules
        for rule in policy_rules
    )


@dataclass
class Configuration:
    """What matters here of a proxy.conf."""

    text: str

    def argument(self, directive, default=None):
        match = re.search(rf"^\s*{directive}\s+(\S+?)\s*[;{{]", self.text, re.MULTILINE)
        return match[1] if match else default

    @property
    def shutdown_seconds(self):
        return int(self.argument("shutdown_timeout", "30s").removesuffix("s"))

    @property
    def upstream(self):
        """Host and port."""
        match = re.fullmatch(r"http://([^:/]+):(\d+)", self.argument("upstream"))
        return match[1], int(match[2])


class Rendering:
    def __init__(self, text):
        self.objects = list(yaml.safe_load_all(text))
        self.problems = []

    def of(self, *kinds):
        return [one for one in self.objects if one["kind"] in kinds]

    def named(self, kind, name):
        return next((one for one in self.of(kind) if one["metadata"]["name"] == name), None)

    def pods(self, selector):
        """The workloads whose pods are selected."""
        return [one for one in self.of(*WORKLOADS) if selects(selector, labels_of(one))]

    def report(self, one, problem):
        self.problems.append(f"{one['kind']} {one['metadata']['name']}: {problem}")

    def check(self):
        for one in self.objects:
            self.check_schema(one)
        for workload in self.of(*WORKLOADS):
            self.check_pod(workload)
        for service in self.of("Service"):
            self.check_service(service)
        for budget in self.of("PodDisruptionBudget"):
            if not self.pods(budget["spec"]["selector"]):
                self.report(budget, "is about no pod")
        for monitor in self.of("PodMonitor"):
            for endpoint in monitor["spec"]["podMetricsEndpoints"]:
                pods = self.pods(monitor["spec"]["selector"])
                if not any(endpoint["port"] in ports_of(pod) for pod in pods):
                    self.report(monitor, f"no pod has the port {endpoint['port']}")
        for scaler in self.of("HorizontalPodAutoscaler"):
            target = scaler["spec"]["scaleTargetRef"]
            workload = self.named(target["kind"], target["name"])
            if workload is None:
                self.report(scaler, "scales nothing")
            elif "replicas" in workload["spec"]:
                self.report(workload, "has a number of replicas, which undoes what the autoscaler did")

    def check_schema(self, one):
        if one["kind"] in FOREIGN_KINDS:
            return
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except Exception as error:
                self.report(one, f"is none of Kubernetes {version}: {getattr(error, 'message', error)}")

    # Pods

    def check_pod(self, workload):
        spec = workload["spec"]["template"]["spec"]
        if not selects(workload["spec"]["selector"], labels_of(workload)):
            self.report(workload, "does not select its own pods")
        for member in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(member):
                self.report(workload, f"has {member}")
        if spec.get("automountServiceAccountToken") is not False:
            self.report(workload, "has a token for Kubernetes' API, which nothing in it needs")
        volumes = {volume["name"] for volume in spec.get("volumes", [])} | {
            claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])
        }
        for container in spec["containers"] + spec.get("initContainers", []):
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    self.report(workload, f"{container['name']} mounts {mount['name']}, which is no volume")
            self.check_hardening(workload, spec.get("securityContext", {}), container)
        context = spec.get("securityContext", {})
        if "fsGroup" in context and context.get("fsGroupChangePolicy") != "OnRootMismatch":
            self.report(workload, "a restart lets the group write to what state_dir holds, which is then ignored")
        if (proxy := proxy_of(workload)) is not None:
            self.check_proxy(workload, proxy)

    def check_hardening(self, workload, pod_context, container):
        context = {**pod_context, **container.get("securityContext", {})}
        wanted = {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "seccompProfile": {"type": "RuntimeDefault"},
            "capabilities": {"drop": ["ALL"]},
        }
        for member, value in wanted.items():
            if context.get(member) != value:
                self.report(workload, f"{container['name']} has not {member} {json.dumps(value)}")
        resources = container.get("resources", {})
        for kind, names in {"requests": ["cpu", "memory"], "limits": ["memory"]}.items():
            for name in names:
                if name not in resources.get(kind, {}):
                    self.report(workload, f"{container['name']} has no {kind} of {name}")

    def check_proxy(self, workload, proxy):
        spec = workload["spec"]["template"]["spec"]
        configuration = self.configuration_of(workload, proxy)
        if configuration is None:
            return self.report(workload, "has no proxy.conf at /etc/antechamber")
        ports = {port["name"]: port["containerPort"] for port in proxy["ports"]}
        if ports.get("admin") != int(configuration.argument("admin", "0")):
            self.report(workload, "the port `admin` is not where the admin pages are")
        if int(configuration.argument("listen", "0")) not in ports.values():
            self.report(workload, "has no port where the proxy listens")
        for probe, path in {"readinessProbe": "/readyz", "livenessProbe": "/healthz"}.items():
            if proxy.get(probe, {}).get("httpGet") != {"path": path, "port": "admin"}:
                self.report(workload, f"its {probe} does not ask the admin port for {path}")
            elif proxy[probe].get("timeoutSeconds", 1) < 2:
                self.report(workload, f"its {probe} gives up while the proxy still asks its workers")
        if "cpu" not in proxy["resources"].get("limits", {}):
            self.report(workload, "without a CPU limit it has as many workers as the node has CPUs")
        if configuration.argument("state_dir") not in {mount["mountPath"] for mount in proxy["volumeMounts"]}:
            self.report(workload, "state_dir lies in no volume")

        sleeps = {container["name"]: sleep_of(container) for container in spec["containers"]}
        own = sleeps.pop(proxy["name"])
        if own < LAG_SECONDS:
            self.report(workload, "stops listening before others know that it is gone")
        if any(other <= own for other in sleeps.values()):
            self.report(workload, "the backend stops before the proxy takes no more requests")
        needed = max(own + configuration.shutdown_seconds, *sleeps.values(), 0) + MARGIN_SECONDS
        if spec.get("terminationGracePeriodSeconds", 30) < needed:
            self.report(workload, f"is killed before it has drained: that can take {needed} s")
        self.check_ways(workload, configuration)

    def configuration_of(self, workload, proxy):
        mount = next((one for one in proxy["volumeMounts"] if one["mountPath"] == "/etc/antechamber"), None)
        volumes = workload["spec"]["template"]["spec"].get("volumes", [])
        volume = next((one for one in volumes if mount and one["name"] == mount["name"]), {})
        configurations = self.named("ConfigMap", volume.get("configMap", {}).get("name"))
        text = (configurations or {}).get("data", {}).get("proxy.conf")
        return None if text is None else Configuration(text)

    # Ways in

    def check_ways(self, workload, configuration):
        """Who reaches what: clients the proxy, and nobody but the proxy the backend."""
        policies = self.of("NetworkPolicy")
        proxy = Place(labels_of(workload))
        host, port = configuration.upstream
        listen = int(configuration.argument("listen"))
        admin = int(configuration.argument("admin"))
        closed = [(proxy, admin, "the admin port")]
        if host == "127.0.0.1":
            closed.append((proxy, port, "the backend"))
        else:
            # Where the backend is not of this rendering, its pods are those that the policies call so.
            service = self.named("Service", host)
            backend = Place(service["spec"]["selector"] if service else {"app.kubernetes.io/name": host})
            closed.append((backend, port, "the backend"))
            if not passes(policies, backend, proxy, port, "in") or not passes(policies, proxy, backend, port, "out"):
                self.report(workload, "the policies keep the proxy from the backend")
            if not passes(policies, proxy, ELSEWHERE, 443, "out"):
                self.report(workload, "the policies keep the proxy from the issuers")
        if self.of("PodMonitor") and not passes(policies, proxy, PROMETHEUS, admin, "in"):
            self.report(workload, "the policies keep Prometheus from the admin port")
        # What stays with each pod is asked for from one of them.
        if workload["kind"] == "StatefulSet":
            if not passes(policies, proxy, proxy, admin, "in") or not passes(policies, proxy, proxy, admin, "out"):
                self.report(workload, "the policies keep the pods from each other's ledgers")
        for name, stranger in STRANGERS.items():
            if not passes(policies, proxy, stranger, listen, "in"):
                self.report(workload, f"{name} cannot reach the proxy")
            for place, number, what in closed:
                if passes(policies, place, stranger, number, "in"):
                    self.report(workload, f"{name} can reach {what}")

    def check_service(self, service):
        pods = self.pods({"matchLabels": service["spec"]["selector"]})
        if not pods:
            self.report(service, "leads to no pod")
        for port in service["spec"]["ports"]:
            for pod in pods:
                target = ports_of(pod).get(port["targetPort"])
                proxy = proxy_of(pod)
                if target is None:
                    self.report(service, f"no container has the port {port['targetPort']}")
                elif proxy is not None and target is not proxy:
                    self.report(service, "leads past the proxy")
                elif port["targetPort"] == "admin" and service["spec"].get("clusterIP") != "None":
                    self.report(service, "has the admin port among its own")


def labels_of(workload):
    return workload["spec"]["template"]["metadata"]["labels"]


def proxy_of(workload):
    containers = workload["spec"]["template"]["spec"]["containers"]
    return next((container for container in containers if container["name"] == "antechamber"), None)


def ports_of(workload):
    """The container of each named port."""
    return {
        port["name"]: container
        for container in workload["spec"]["template"]["spec"]["containers"]
        for port in container.get("ports", [])
    }


def sleep_of(container):
    return container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)


def unused_files(folder, kustomization):
    """Files of the folder that nothing names."""
    told = str(kustomization)
    return [
        f"{file.name} is in no kustomization"
        for file in sorted(folder.iterdir())
        if file.is_file() and file.name != "kustomization.yaml" and f"'{file.name}'" not in told
    ]


def outcomes(root):
    folders = {path.parent: yaml.safe_load(path.read_text()) for path in sorted(root.rglob("kustomization.yaml"))}
    used = {
        (folder / component).resolve()
        for folder, kustomization in folders.items()
        for component in kustomization.get("components", [])
    }
    kubectl = pathlib.Path(sysconfig.get_path("scripts")) / "kubectl"
    for folder, kustomization in folders.items():
        problems = unused_files(folder, kustomization)
        configurations = []
        if kustomization["kind"] == "Component":
            if folder.resolve() not in used:
                problems.append("is a component that nothing here uses")
        else:
            outcome = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=False)
            # Warnings are about what kustomize will not understand for much longer.
            if outcome.returncode != 0 or outcome.stderr:
                problems.append(outcome.stderr)
            else:
                rendering = Rendering(outcome.stdout)
                rendering.check()
                problems += rendering.problems
                configurations = [
                    one["data"]["proxy.conf"] for one in rendering.of("ConfigMap") if "proxy.conf" in one["data"]
                ]
        yield {"folder": str(folder), "problems": problems, "configurations": configurations}


json.dump([outcome for root in sys.argv[1:] for outcome in outcomes(pathlib.Path(root))], sys.stdout)
