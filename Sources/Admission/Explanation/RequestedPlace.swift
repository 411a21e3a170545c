// Where a request would go, and what holds there whatever token it brings: `antechamber explain --path`.

internal import Bytes
internal import HTTPWire

/// The location that a request for some path comes to, found as the proxy finds it.
public struct RequestedPlace: Sendable, Equatable {
    public let method: String
    public let path: String
    /// As it is configured; nil: the path lies in none.
    public let location: String?
    public let isPublic: Bool
    public let enforcement: Enforcement
    /// Why the request is refused before its token is looked at; nil: it is not.
    public let refusal: Refusal?
    /// Which of the policy's rules hold there.
    public let rulesIndex: Int

    /// - Parameters:
    ///   - path: as a request spells it, with its query if need be.
    ///   - locations: the configuration's, each path and kind once.
    ///   - main: what holds for what lies in none.
    public init(
        method: String, path: String, locations: [(path: LocationPath, route: RoutePolicy)], main: RoutePolicy
    ) {
        let table = RouteTable(
            locations.map { .init($0.path, isPublic: $0.route.isPublic, asksForNothing: $0.route.asksForNothing) })
        let request = Array("\(method) \(path) HTTP/1.1\r\nHost: api.example.com\r\n\r\n".utf8)
        var place: Int?
        var refusal: Refusal?
        do throws(Refusal) {
            let head = try Self.head(of: request.span)
            place = try table.place(of: head, in: request.span)
            try Route(place.map { locations[$0].route } ?? main).checkMethod(head, in: request.span)
        } catch {
            refusal = error
        }
        let route = place.map { locations[$0].route } ?? main
        self.method = method
        self.path = path
        self.refusal = refusal
        location = place.map { locations[$0].path.description }
        isPublic = route.isPublic
        enforcement = route.enforcement
        rulesIndex = route.rulesIndex
    }

    private static func head(of request: Span<UInt8>) throws(Refusal) -> RequestHead {
        var parser = RequestHeadParser(headBytesMax: 1 << 16)
        do throws(RequestError) {
            // What ends early, or goes on, has a line end where none belongs.
            guard try parser.parse(request), parser.head.byteCount == request.count else {
                throw RequestError(.badRequest, "The method or the path has a line break in it.")
            }
        } catch {
            throw Refusal(error)
        }
        return parser.head
    }

    /// What is to be known of it, in sentences.
    var notes: [String] {
        var notes: [String] = []
        if isPublic { notes.append("public: requests need no token here, and one that comes is not looked at.") }
        if !isPublic, enforcement == .reportOnly {
            notes.append("enforce report_only: a request that is refused for its token goes to the backend all the same.")
        }
        if let refusal { notes.append("Refused whatever its token: \(refusal.detail)" + (refusal.hint.map { " \($0)" } ?? "")) }
        return notes
    }
}

extension Explanation {
    /// The same for a request to this place, which the token was held against the rules of.
    public func at(_ place: RequestedPlace) -> Explanation {
        var explanation = self
        explanation.place = place
        if let refusal = place.refusal {
            explanation.refusal = refusal
            explanation.fields = []
        } else if place.isPublic {
            explanation.refusal = nil
            explanation.fields = [Pair(name: "X-Auth-Status", value: "anonymous")]
        }
        return explanation
    }
}
