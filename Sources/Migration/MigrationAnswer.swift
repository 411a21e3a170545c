// What a proxy answers to `/migration`, read strictly: an answer that is half understood is none.

internal import Bytes
internal import JOSE

/// One proxy's answer.
struct MigrationAnswer {
    /// The only version there is.
    static let version: Int64 = 1

    struct Audience {
        var issuer: String
        var name: String
        var audience: String
        var phase: String
        /// Since when all use was counted, in Unix seconds.
        var countedSince: Int64
        var use: LegacyUse
    }

    /// What no other process is called.
    var instance: String
    /// By its own clock, in Unix seconds.
    var time: Int64
    var audiences: [Audience] = []

    init(parsing bytes: [UInt8]) throws(MigrationAnswerProblem) {
        guard let root = try? JSONDocument(parsing: bytes, bytesMax: MigrationReport.answerBytesMax).root,
            let version = root["version"]?.integer
        else { throw .notAnAnswer }
        guard version == Self.version else { throw .ofAnotherVersion(version) }
        guard let instance = root["instance"]?.string, let time = root["time"]?.string.flatMap(RFC3339.unixSeconds),
            let audiences = root["legacy_audiences"], audiences.kind == .array
        else { throw .notAnAnswer }
        self.instance = instance
        self.time = time
        for element in audiences.elements {
            guard let audience = Audience(element) else { throw .notAnAnswer }
            self.audiences.append(audience)
        }
    }
}

extension MigrationAnswer.Audience {
    fileprivate init?(_ object: JSONValue) {
        guard let issuer = object["issuer"]?.string, let name = object["name"]?.string,
            let audience = object["audience"]?.string, let phase = object["phase"]?.string,
            let countedSince = object["counted_since"]?.string.flatMap(RFC3339.unixSeconds),
            let use = LegacyUse(object)
        else { return nil }
        self.init(
            issuer: issuer, name: name, audience: audience, phase: phase, countedSince: countedSince, use: use)
    }
}

/// Why a proxy's answer cannot be reported on.
enum MigrationAnswerProblem: Error, Equatable {
    case notAnAnswer
    case ofAnotherVersion(Int64)
    /// The process that was asked at this address.
    case sameProxy(String)
    /// By so many seconds ahead of us.
    case otherTime(Int64)

    /// What is wrong, for a message.
    var reason: String {
        switch self {
        case .notAnAnswer: "its answer is not that of an antechamber's /migration"
        case .ofAnotherVersion(let version):
            "its answer is of version \(version), and this antechamber reads version \(MigrationAnswer.version)"
        case .sameProxy(let address): "it is the same proxy as \(address), and its requests would count twice"
        case .otherTime(let seconds):
            "its clock is \(seconds.magnitude) s \(seconds < 0 ? "behind" : "ahead of") this machine's, so that its "
                + "last requests cannot be placed"
        }
    }
}
