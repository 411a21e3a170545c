// An explanation for machines. The names of its members, the codes, and the raw values of `StepName`, `Signature` and
// `Kind.Name` are stable; the texts are for people and may change.

internal import Bytes
internal import JOSE

extension Explanation {
    /// One JSON object in ASCII, with a line end behind it.
    public var json: String {
        let buffer = ByteBuffer(capacity: 4096)
        var json = JSONWriter(into: buffer, asciiOnly: true)
        json.beginObject()
        json.member("admitted", isAdmitted)
        if let refusal {
            json.member("code", refusal.code.rawValue)
            json.member("status", Int64(refusal.code.status))
            json.member("title", refusal.code.title)
            json.member("detail", refusal.detail)
            json.member("hint", refusal.hint)
            json.member("expected", refusal.expected)
            json.member("got", refusal.got)
        }
        if let place {
            json.name("place")
            json.beginObject()
            json.member("method", place.method)
            json.member("path", place.path)
            json.member("location", place.location)
            json.member("public", place.isPublic)
            json.member("enforce", place.enforcement.rawValue)
            json.member("notes", place.notes)
            json.endObject()
        }
        json.member("signature", signature.rawValue)
        json.name("steps")
        json.beginArray()
        for step in steps { write(step, to: &json) }
        json.endArray()
        if let kind {
            json.name("kind")
            json.beginObject()
            json.member("is", kind.name.rawValue)
            json.member("client", kind.client)
            json.member("evidence", kind.evidence)
            json.endObject()
        }
        json.member("notes", remarks)
        write(claims, as: "claims", to: &json)
        write(fields, as: "headers", to: &json)
        json.endObject()
        buffer.append(ASCII.lf)
        return buffer.readable.text()
    }

    private func write(_ step: Step, to json: inout JSONWriter) {
        json.beginObject()
        json.member("step", step.name.rawValue)
        switch step.outcome {
        case .passed: json.member("outcome", "passed")
        case .notChecked: json.member("outcome", "not_checked")
        case .failed(let refusal):
            json.member("outcome", "failed")
            json.member("code", refusal.code.rawValue)
            json.member("detail", refusal.detail)
            json.member("hint", refusal.hint)
        }
        json.member("found", step.found)
        json.member("expected", step.expected)
        json.member("advice", step.advice)
        json.endObject()
    }

    private func write(_ pairs: [Pair], as name: String, to json: inout JSONWriter) {
        json.name(name)
        json.beginArray()
        for pair in pairs {
            json.beginObject()
            json.member("name", pair.name)
            json.member("value", pair.value)
            json.endObject()
        }
        json.endArray()
    }
}
