// Directives whose names and meaning are settled and which this version does not have yet. They are refused with a
// message of their own, so that a file written for a later version is never half obeyed.

let plannedDirectives: [Directive] = [
]

private func planned(_ name: String, _ syntax: String, _ contexts: [Context]) -> Directive {
    Directive(
        name: name, syntax: syntax, contexts: contexts, argumentsMax: 64, isRepeatable: true,
        summary: "Not supported by this version yet.")
}
