import HTTPWire
import Testing

@testable import Admission

/// RFC 9110 §12.5.3 and §12.4.2.
@Suite struct AcceptEncodingTests {
    @Test(arguments: [
        "gzip", "GZIP", "x-gzip", "X-GZip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8", "br;q=0, gzip", " gzip ",
        "gzip;q=1", "gzip;q=1.", "gzip;q=1.000", "gzip;q=0.001", "gzip ; q=0.5", "gzip;\tQ=0.5", ",,gzip,,", "*",
        "*;q=0.1", "br, *", "identity;q=0, gzip;q=0.1", "identity;q=0.5, gzip;q=0.5", "identity, gzip", "*;q=0, gzip",
        "nonsense;;, gzip",
    ])
    func `These take gzip`(value: String) {
        #expect(Self.acceptsGzip([value]))
    }

    @Test(arguments: [
        "", "identity", "br", "deflate, br", "gzip;q=0", "gzip;q=0.0", "gzip;q=0.000", "x-gzip;q=0", "*;q=0",
        "gzip;q=0, *", "gzip;q=0, gzip", "gzip, x-gzip;q=0", "identity, gzip;q=0.9", "identity;q=0.5, *;q=0.4",
        "gzipped", "gzi", "\"gzip\"", "gzip/1.0", "gzip br",
    ])
    func `These do not`(value: String) {
        #expect(!Self.acceptsGzip([value]))
    }

    @Test(arguments: [
        "gzip;q=", "gzip;q=2", "gzip;q=1.001", "gzip;q=0.0001", "gzip;q=-1", "gzip;q=.5", "gzip;q=0,5", "gzip;q =1",
        "gzip;q= 1", "gzip;q=1;q=1", "gzip;level=9", "gzip;", ";q=1", "gzip;q=0.5x", "gzip;q=1e0",
    ])
    func `A weight that cannot be read asks for nothing`(value: String) {
        #expect(!Self.acceptsGzip([value]))
    }

    @Test func `Several lines are one list, and no line is none`() {
        #expect(Self.acceptsGzip(["br", "gzip"]))
        #expect(!Self.acceptsGzip(["gzip", "gzip;q=0"]))
        #expect(!Self.acceptsGzip([]))
    }

    private static func acceptsGzip(_ values: [String]) -> Bool {
        let lines = values.map { "Accept-Encoding: \($0)\r\n" }.joined()
        let request = Array("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n".utf8)
        return Fixture.parse(request).acceptsGzip(in: request.span)
    }
}
