// What requests' and responses' heads have in common: the verdict is one, whatever the pieces, the limits, and the
// bytes behind the head.

package import HTTPWire

/// A kind of head, and how to parse one.
protocol FuzzedHead: AnyObject, Equatable, CustomStringConvertible {
    associatedtype Failure: Equatable
    var byteCount: Int { get }
    var fields: [Field] { get }
    static func isOfLimits(_ failure: Failure) -> Bool
    func isWithin(_ limits: Limits) -> Bool
}

extension RequestHead: FuzzedHead {
    static func isOfLimits(_ failure: RequestError) -> Bool {
        failure.kind == .headerTooLarge || failure.kind == .uriTooLong
    }

    func isWithin(_ limits: Limits) -> Bool {
        byteCount <= limits.headBytesMax && fields.count <= limits.fieldCountMax && target.count <= limits.targetBytesMax
    }
}

extension ResponseHead: FuzzedHead {
    static func isOfLimits(_ failure: ResponseError) -> Bool { failure.kind == .headTooLarge }

    func isWithin(_ limits: Limits) -> Bool {
        byteCount <= limits.headBytesMax && fields.count <= limits.fieldCountMax
    }
}

extension RequestHead: Equatable {
    package static func == (left: RequestHead, right: RequestHead) -> Bool {
        left.method == right.method && left.methodName == right.methodName && left.target == right.target
            && left.path == right.path && left.query == right.query && left.authority == right.authority
            && left.version == right.version && left.fields == right.fields && left.kinds == right.kinds
            && left.body == right.body && left.isPersistent == right.isPersistent
            && left.expectsContinue == right.expectsContinue && left.hasUpgrade == right.hasUpgrade
            && left.byteCount == right.byteCount
    }
}

extension ResponseHead: Equatable {
    package static func == (left: ResponseHead, right: ResponseHead) -> Bool {
        left.statusCode == right.statusCode && left.reason == right.reason && left.version == right.version
            && left.fields == right.fields && left.kinds == right.kinds && left.body == right.body
            && left.contentLength == right.contentLength && left.isPersistent == right.isPersistent
            && left.hasUpgrade == right.hasUpgrade && left.byteCount == right.byteCount
    }
}

extension RequestHead: CustomStringConvertible {
    package var description: String { dumped(self) }
}

extension ResponseHead: CustomStringConvertible {
    package var description: String { dumped(self) }
}

/// All properties of an object.
private func dumped(_ object: AnyObject) -> String {
    Mirror(reflecting: object).children.map { "\($0.label ?? ""): \($0.value)" }.joined(separator: ", ")
}

/// Limits that most inputs run into: they differ, so that it shows which of them was taken for which.
private let tightLimits = Limits(headBytesMax: 200, targetBytesMax: 40, fieldCountMax: 6)

/// The one outcome that `bytes` have, after parsing them in every way that must not make a difference.
func verdict<Head: FuzzedHead>(
    on bytes: [UInt8], parse: (_ bytes: [UInt8], _ lengths: [Int], _ limits: Limits) -> Outcome<Head, Head.Failure>
) throws(Violation) -> Outcome<Head, Head.Failure> {
    let roomy = try verdict(on: bytes, limits: Limits(), parse: parse)
    let tight = try verdict(on: bytes, limits: tightLimits, parse: parse)
    // A limit refuses; it never has a head read in another way, nor excuses one from a check.
    if case .refused(let failure) = tight, Head.isOfLimits(failure) { return roomy }
    try expect(tight == roomy, "within limits \(tight), with more room \(roomy)")
    return roomy
}

private func verdict<Head: FuzzedHead>(
    on bytes: [UInt8], limits: Limits,
    parse: (_ bytes: [UInt8], _ lengths: [Int], _ limits: Limits) -> Outcome<Head, Head.Failure>
) throws(Violation) -> Outcome<Head, Head.Failure> {
    let whole = parse(bytes, [bytes.count], limits)
    for lengths in arrivals(of: bytes) {
        let inPieces = parse(bytes, lengths, limits)
        try expect(inPieces == whole, "at once \(whole), arriving as \(lengths) \(inPieces)")
    }
    let withinLimit = Array(bytes.prefix(limits.headBytesMax))
    let cut = parse(withinLimit, [withinLimit.count], limits)
    try expect(cut == whole, "bytes beyond the limit make \(whole) of \(cut)")
    guard case .head(let head) = whole else { return whole }

    try expect(head.isWithin(limits), "accepted beyond the limits")
    try expect(head.byteCount <= bytes.count, "a head of more bytes than there are")
    for field in head.fields {
        try expect(
            field.name.upperBound < field.value.lowerBound && field.value.upperBound < head.byteCount && !field.name.isEmpty,
            "a field out of place")
    }
    let alone = parse(bytes, [head.byteCount], limits)
    try expect(alone == whole, "bytes behind the head make \(whole) of \(alone)")
    let unfinished = parse(bytes, [head.byteCount - 1], limits)
    try expect(unfinished == .incomplete, "without its last byte \(unfinished)")
    return whole
}
