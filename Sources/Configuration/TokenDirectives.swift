// Where requests carry their tokens, and where clients learn what to send.

import Admission
import Bytes

let tokenDirectives: [Directive] = [
    Directive(
        name: "token_from", syntax: "header NAME | cookie NAME | query NAME | websocket_protocol", contexts: [.main],
        argumentsMax: 2, isRepeatable: true, standard: "header Authorization",
        summary: "Where a request's token is; several lines are several places, of which a request may use one. "
            + "`Authorization` takes the scheme Bearer, another header the token alone or behind the word Bearer; both go "
            + "on to the backend. A cookie, or a parameter of the query, that has this name is left out of what goes on "
            + "and of the log; the responses to a parameter are marked `private`, and still a URL gets into histories and "
            + "into the logs of what stands in front. `websocket_protocol` takes what `new WebSocket(url, ['bearer', token, "
            + "…])` sends, passes on the other protocols, and answers `bearer` where the backend chooses none of them. "
            + "Replaces the default: with `token_from` lines of other places alone, Authorization is the backend's own.",
        effect: .main(applyTokenFrom)),
    Directive(
        name: "resource", syntax: "URL", contexts: [.main],
        summary: "What this API calls itself as an OAuth resource, which had better be an `audience` of its tokens too. Its "
            + "metadata (RFC 9728: the issuers, and where tokens go) are then served to everyone, without a token, at "
            + "`/.well-known/oauth-protected-resource` and at that place with the URL's path behind it, and refusals name "
            + "them as `resource_metadata` in `WWW-Authenticate`. `https`, or `http` for a loopback address.",
        effect: .main(applyResource)),
]

private func applyResource(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    let word = statement.arguments[0]
    let expected = "https://host[:port]/path"
    do throws(HTTPURLError) {
        let url = try HTTPURL(parsing: word.text)
        if !url.isPotentiallyTrustworthy {
            problems.error("\(quoted(word.text)) is not https, as a resource has to be (RFC 9728 §1.2)", at: word)
        } else if url.query != nil {
            problems.error("\(quoted(word.text)) has a query, by which no metadata are found; expected \(expected)", at: word)
        } else {
            draft.resource = (ProtectedResource(identifier: word.text, url: url), word)
        }
    } catch {
        problems.report(error, inURL: word, scheme: .https, expected: expected)
    }
}

extension MainDraft {
    /// Clients that read the metadata ask for tokens for the resource (RFC 8707), and get them with it as audience.
    func warnOfForeignResource(_ problems: Problems) {
        guard let resource, !issuers.isEmpty else { return }
        let name = resource.value.identifier
        let isAudience = issuers.contains { $0.audiences.contains { $0.text.hasSameBytes(as: name) } }
        if isAudience { return }
        problems.warning(
            "\(quoted(name)) is no audience of any issuer: clients that find it in the metadata ask for tokens for it, which "
                + "are refused then; add it as an 'audience', in the same spelling",
            at: resource.word.origin)
    }
}

private func applyTokenFrom(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    let place = statement.arguments[0]
    let name = statement.arguments.count == 2 ? statement.arguments[1] : nil
    guard let source = problems.tokenSource(place, name) else { return }
    if draft.tokenSources.contains(where: { $0.isSamePlace(as: source) }) {
        problems.warning("this place is listed twice", at: (name ?? place).origin)
    } else if draft.tokenSources.count == MainDraft.tokenSourcesMax {
        problems.error("more than \(MainDraft.tokenSourcesMax) places to take tokens from", at: place)
    } else {
        draft.tokenSources.append(source)
    }
}

private enum TokenPlace: String, CaseIterable {
    case header, cookie, query
    case webSocketProtocol = "websocket_protocol"
}

extension Problems {
    fileprivate func tokenSource(_ word: Word, _ name: Word?) -> TokenSource? {
        guard let place: TokenPlace = choice(word) else { return nil }
        if place == .webSocketProtocol {
            if let name { error("'websocket_protocol' takes no name: it is 'bearer'", at: name) }
            return name == nil ? .webSocketProtocol : nil
        }
        guard let name else {
            error("'token_from \(place.rawValue)' needs a name: token_from \(place.rawValue) NAME;", at: word)
            return nil
        }
        switch place {
        case .header:
            if let source = TokenSource(header: name.text) { return source }
            error(
                "\(quoted(name.text)) is not the name of a header, or that of one with a meaning of its own; expected one that "
                    + "holds nothing but the token",
                at: name)
        case .cookie:
            // RFC 6265 §4.1.1.
            if !name.text.isEmpty, name.text.utf8.allSatisfy(ASCII.isToken) { return .cookie(name.text) }
            error("\(quoted(name.text)) is not the name of a cookie", at: name)
        case .query:
            if !name.text.isEmpty, !name.text.unicodeScalars.contains(where: isControl) { return .query(name.text) }
            error("\(quoted(name.text)) is not the name of a parameter", at: name)
        case .webSocketProtocol:
            break
        }
        return nil
    }
}

extension TokenSource {
    /// Header names are the same where backends could take them for the same.
    fileprivate func isSamePlace(as other: TokenSource) -> Bool {
        if case .header(let name) = self, case .header(let otherName) = other {
            return HeaderHygiene.fold(name) == HeaderHygiene.fold(otherName)
        }
        return self == other
    }
}
