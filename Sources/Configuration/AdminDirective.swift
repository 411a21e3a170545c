// `admin`: where the proxy is watched, and by which names.

import Admission

let adminDirective = Directive(
    name: "admin", syntax: "ADDRESS [host=NAME …] | off", contexts: [.main], argumentsMax: 17, standard: "off",
    summary: "Where the proxy is watched: `/healthz`, `/readyz`, `/metrics`, `/status`, `/migration` and, for a browser, `/`, "
        + "for whoever can connect. The address is one as `listen` takes, best on loopback or a socket file. It is asked "
        + "for by an IP address, `localhost`, a name without a dot, or one in `.localhost`, `.local` or `.internal`: any "
        + "other name could be that of a web site which made it lead here, to have its visitors' browsers read these pages "
        + "(DNS rebinding), and gets 421 unless it is given with `host=`.",
    effect: .main(applyAdmin))

private func applyAdmin(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    let word = statement.arguments[0]
    if word.text != "off" { draft.admin = problems.listenEndpoint(word).map { ($0, word) } }
    for option in statement.arguments.dropFirst() where !option.isDamaged {
        guard option.text.hasPrefix("host="), word.text != "off" else {
            problems.error("unknown parameter \(quoted(option.text)) of 'admin'; expected host=…", at: option)
            continue
        }
        let text = option.text.dropFirst("host=".count)
        switch HTTPURL.Host(parsing: text) {
        case .name(let name):
            draft.adminHosts.append(name)
        case .ipv4, .ipv6:
            problems.error("\(quoted(String(text))) is an address, and any address may be asked for", at: option)
        case nil:
            problems.error("\(quoted(String(text))) is not the name of a host; it has no port either", at: option)
        }
    }
}
