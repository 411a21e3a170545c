// Ways to spoil deploy/, and what has to be said of each: what shows that the checks there can fail.

/// A change to one file.
struct Edit: Sendable, CustomStringConvertible {
    /// What is looked at then, in the folder that the file is in.
    var place: String
    var file: String
    var old: String
    var new: String
    /// A part of what has to be found.
    var problem: String

    init(_ place: String, _ file: String, _ old: String, _ new: String, _ problem: String) {
        (self.place, self.file, self.old, self.new, self.problem) = (place, file, old, new, problem)
    }

    init(_ file: String, _ old: String, _ new: String, _ problem: String) {
        self.init(file, file, old, new, problem)
    }

    var description: String { "\(file): '\(old)' became '\(new)'" }

    static let ofManifests = [
        Edit(
            "gateway", "gateway/network-policy.yaml",
            "    - from:\n        - podSelector: { matchLabels: { antechamber: gateway } }\n      ports:",
            "    - ports:",
            "a stranger of another namespace can reach the backend"),
        Edit(
            "gateway", "gateway/network-policy.yaml",
            "podSelector: { matchLabels: { antechamber: gateway } }", "podSelector: {}",
            "a stranger of the namespace can reach the backend"),
        Edit(
            "examples/gateway", "gateway/network-policy.yaml",
            "matchLabels: { app.kubernetes.io/name: api }\n  policyTypes", "matchLabels: { app: api }\n  policyTypes",
            "a stranger of the namespace can reach the backend"),
        Edit(
            "gateway", "gateway/network-policy.yaml",
            "policyTypes: [Ingress, Egress]", "policyTypes: [Egress]",
            "a stranger of another namespace can reach the admin port"),
        Edit("gateway", "gateway/network-policy.yaml", "port: 443", "port: 444", "keep the proxy from the issuers"),
        Edit("gateway", "gateway/network-policy.yaml", "port: 3000", "port: 3001", "keep the proxy from the backend"),
        Edit(
            "gateway", "gateway/network-policy.yaml",
            "port: 8080", "port: 8081", "a stranger of another namespace cannot reach the proxy"),
        Edit(
            "gateway", "gateway/service.yaml",
            "targetPort: http", "targetPort: admin", "has the admin port among its own"),
        Edit("gateway", "gateway/service.yaml", "antechamber: gateway", "antechamber: gate", "leads to no pod"),
        Edit(
            "gateway", "gateway/deployment.yaml",
            "readOnlyRootFilesystem", "readonlyRootFilesystem", "is none of Kubernetes 1.37"),
        Edit(
            "gateway", "gateway/deployment.yaml",
            "runAsNonRoot: true", "runAsNonRoot: false", "has not runAsNonRoot true"),
        Edit("gateway", "gateway/deployment.yaml", "cpu: \"2\", ", "", "as many workers as the node has CPUs"),
        Edit(
            "gateway", "gateway/deployment.yaml",
            "sleep: { seconds: 10 }", "sleep: { seconds: 1 }", "stops listening before others know that it is gone"),
        Edit("gateway", "gateway/deployment.yaml", "PeriodSeconds: 50", "PeriodSeconds: 40", "that can take 45 s"),
        Edit(
            "gateway", "gateway/deployment.yaml",
            "path: /readyz", "path: /healthz", "its readinessProbe does not ask"),
        Edit("gateway", "gateway/proxy.conf", "shutdown_timeout 30s", "shutdown_timeout 60s", "that can take 75 s"),
        Edit("gateway", "gateway/proxy.conf", "admin 9090", "admin 9091", "is not where the admin pages are"),
        Edit("gateway", "gateway/proxy.conf", "/var/lib/antechamber", "/var/lib/other", "state_dir lies in no volume"),
        Edit(
            "gateway", "gateway/disruption-budget.yaml",
            "antechamber: gateway", "antechamber: gate", "is about no pod"),
        Edit("gateway", "gateway/autoscaler.yaml", "kind: Deployment", "kind: StatefulSet", "scales nothing"),
        Edit("gateway", "gateway/kustomization.yaml", "  - service.yaml\n", "", "service.yaml is in no kustomization"),
        Edit("gateway", "gateway/kustomization.yaml", "- service.yaml", "- services.yaml", "services.yaml"),
        Edit(
            "examples/migration", "ledger/kustomization.yaml",
            "value: OnRootMismatch", "value: Always", "which is then ignored"),
        Edit(
            "examples/migration", "ledger/network-policy.yaml",
            "policyTypes: [Ingress, Egress]", "policyTypes: [Egress]", "keep the pods from each other's ledgers"),
        Edit(
            "examples/gateway", "prometheus/network-policy.yaml",
            "port: 9090", "port: 9091", "keep Prometheus from the admin port"),
        Edit(
            "examples/gateway", "prometheus/pod-monitor.yaml",
            "port: admin", "port: metrics", "no pod has the port metrics"),
        Edit("examples/sidecar", "sidecar/network-policy.yaml", "port: 8080", "port: 3000", "can reach the backend"),
        Edit(
            "examples/sidecar", "sidecar/kustomization.yaml", "value: antechamber }", "value: 3000 }",
            "no container has the port 3000"),
        Edit(
            "examples/sidecar", "examples/sidecar/api.yaml",
            "image: api", "image: api\n          ports: [{ name: antechamber, containerPort: 3000 }]",
            "leads past the proxy"),
        Edit(
            "examples/sidecar", "examples/sidecar/api.yaml",
            "sleep: { seconds: 15 }", "sleep: { seconds: 10 }",
            "the backend stops before the proxy takes no more requests"),
    ]

    static let ofCompose = [
        Edit(
            "docker-compose.yml", "    user: node\n",
            "    user: node\n    ports: [\"127.0.0.1:3000:3000\"]\n", "api is published"),
        Edit(
            "docker-compose.yml", "networks: [inside]",
            "networks: [inside, outside]", "api is on the network outside"),
        Edit("docker-compose.yml", "internal: true", "internal: false", "api is on the network inside"),
        Edit(
            "docker-compose.yml", "\"127.0.0.1:8080:8080\"",
            "\"8080:8080\"", "is published on every address of the host"),
        Edit(
            "docker-compose.yml", "stop_grace_period: 40s",
            "stop_grace_period: 30s", "is killed before it has drained"),
        Edit("docker-compose.yml", "cap_drop: [ALL]", "cap_drop: []", "antechamber has not cap_drop"),
        Edit("docker-compose.yml", "../../Examples/backend", "../../Examples/server", "which is no folder"),
        Edit("docker-compose.yml", "restart:", "restarts:", "('restarts' was unexpected)"),
    ]
}
