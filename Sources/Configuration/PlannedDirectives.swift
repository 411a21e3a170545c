// Directives whose names and meaning are settled and which this version does not have yet. They are refused with a
// message of their own, so that a file written for a later version is never half obeyed.

let plannedDirectives: [Directive] = [
    planned("forward", "{ … }", [.main, .location], block: .forward),
    planned("admin", "ADDRESS", [.main]),
    planned("authorization", "keep | strip | mint", [.main, .location]),
    planned("mint", "{ … }", [.main]),

    planned("certificate", "FILE", [.listen]),
    planned("certificate_key", "FILE", [.listen]),
    planned("ssl_protocols", "NAME …", [.listen]),
    planned("client_ca", "FILE", [.listen]),
    planned("verify_client", "off | optional | on", [.listen]),

    planned("tls_ca", "FILE", [.upstream]),
    planned("tls_server_name", "NAME", [.upstream]),
    planned("tls_verify", "on | off", [.upstream]),

    planned("require", "scope S … | claim PATH … [equals | contains V …]", [.issuer, .location]),


    planned("claim", "PATH … HEADER", [.forward]),
    planned("payload", "HEADER [json | base64url]", [.forward]),

    planned("verify", "", [.location]),
]

private func planned(_ name: String, _ syntax: String, _ contexts: [Context], block: Context? = nil) -> Directive {
    Directive(
        name: name, syntax: syntax, contexts: contexts, argumentsMax: 64, block: block, isRepeatable: true,
        summary: "Not supported by this version yet.")
}
