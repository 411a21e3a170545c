// One legacy audience's place in `state_dir`.

import Admission
import Bytes
import JOSE
import Migration

struct LedgerFile {
    /// What such a file says.
    struct Contents: Equatable {
        var use: LegacyUse
        /// Since when all use was counted, in Unix seconds.
        var countedSince: Int64
    }

    /// The longest that is read: what the JSON parser takes, and the line in front.
    static let bytesMax = JSONDocument.bytesMax + SealedFile.lineBytesMax

    private static let form = SealedFile(kind: "migration", version: "1")

    let issuer: String
    let audience: String
    let name: String

    /// By issuer and audience: what the audience is called may change.
    init(issuer: String, _ legacy: LegacyAudience) {
        self.issuer = issuer
        audience = legacy.audience
        // A NUL is in neither: the configuration takes no control characters.
        name = Self.form.name(for: issuer + "\0" + legacy.audience)
    }

    func encoded(_ contents: Contents) -> [UInt8] {
        let buffer = ByteBuffer(capacity: 4096)
        var json = JSONWriter(into: buffer)
        json.beginObject()
        json.member("issuer", issuer)
        json.member("audience", audience)
        json.member("counted_since", RFC3339.text(contents.countedSince))
        contents.use.writeMembers(into: &json)
        json.endObject()
        buffer.append(ASCII.lf)
        return Self.form.encoded(buffer.readable.copied())
    }

    /// What the bytes of the file say of this very audience.
    func contents(parsing bytes: [UInt8]) throws(LedgerFileProblem) -> Contents {
        let contents: [UInt8]
        do throws(SealedFileProblem) {
            contents = try Self.form.contents(of: bytes)
        } catch {
            throw .sealed(error)
        }
        guard let object = try? JSONDocument(parsing: contents).root, let use = LegacyUse(object),
            let countedSince = object["counted_since"]?.string.flatMap(RFC3339.unixSeconds)
        else { throw .sealed(.damaged) }
        guard let issuer = object["issuer"]?.string, issuer.hasSameBytes(as: self.issuer),
            let audience = object["audience"]?.string, audience.hasSameBytes(as: self.audience)
        else { throw .ofAnotherAudience }
        return Contents(use: use, countedSince: countedSince)
    }
}

enum LedgerFileProblem: Error, Equatable {
    case sealed(SealedFileProblem)
    case ofAnotherAudience

    var reason: String {
        switch self {
        case .sealed(let problem): problem.reason
        case .ofAnotherAudience: "it is about another audience"
        }
    }
}
