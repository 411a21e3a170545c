// The one normalisation of paths: what the most lenient backend would read.

import Testing

@testable import Admission

@Suite struct LenientPathTests {
    private func read(_ path: String) -> (key: String, reading: LenientPath) {
        let bytes = Array(path.utf8)
        var reading = LenientPath()
        var key: [UInt8] = []
        while let byte = reading.next(in: bytes.span) { key.append(byte) }
        return (String(decoding: key, as: UTF8.self), reading)
    }

    @Test(arguments: [
        ("/", ""), ("/a", "/a"), ("/a/", "/a"), ("/a/b/c", "/a/b/c"), ("/a.b/~c_d-e", "/a.b/~c_d-e"), ("/...", "/..."),
        ("/a%20b", "/a b"), ("/caf%C3%A9", "/café"), ("/100%25", "/100%"), ("/100%25/a", "/100%/a"), ("/%25zz", "/%zz"),
        ("/:8080/@x", "/:8080/@x"), ("/a+b", "/a+b"), ("/%61", "/a"), ("/%2d%5F%7e", "/-_~"),
    ])
    func `A plain path is what it says, decoded, without a slash at its end`(path: String, key: String) {
        let (read, reading) = read(path)
        #expect(read == key)
        #expect(reading.isPlain && reading.detour == nil)
    }

    @Test(arguments: [("/ADMIN", "/admin"), ("/Admin/Users", "/admin/users"), ("/%41dmin", "/admin"), ("/CAF%C3%89", "/cafÉ")])
    func `Letters of ASCII are read in lower case`(path: String, key: String) {
        #expect(read(path).key == key)
    }

    @Test(arguments: [
        ("/a%2fb", "/a/b"), ("/a%2Fb", "/a/b"), ("/a%5cb", "/a/b"), ("/a%5Cb", "/a/b"), ("/a%252fb", "/a/b"),
        ("/a%25252fb", "/a/b"), ("/a%25%32%66b", "/a/b"),
        ("/a%2561", "/aa"), ("/a%25252541", "/a%41"), ("/a//b", "/a/b"), ("/a///b//", "/a/b"), ("/a/%2f/b", "/a/b"),
        ("/a;x/b", "/a/b"), ("/a;/b", "/a/b"), ("/a%3bx=1;y/b", "/a/b"), ("/a/;x/b", "/a/b"), ("/a/b;x", "/a/b"),
        ("/a%3fx/b", "/a"), ("/a%23x", "/a"), ("/a%2500b", "/a"), ("/a%3f", "/a"), ("/a%2f", "/a"), ("/a%2525", "/a%"),
    ])
    func `What only some backends read so is read so, and noted`(path: String, key: String) {
        let (read, reading) = read(path)
        #expect(read == key)
        #expect(!reading.isPlain && reading.detour == nil)
    }

    @Test(arguments: [
        "/.", "/..", "/./a", "/../a", "/a/.", "/a/..", "/a/./b", "/a/../b", "/%2e", "/%2e%2e", "/.%2e", "/%2E./a",
        "/%252e%252e/a", "/a/..;/b", "/a/..;x=1/b", "/a/.;/b", "/a/..%3bx", "/a/..%2fb", "/a%2f..", "/a%2f..%2fb", "/a/..%5cb",
        "/a%5c..%5cb", "/a/%2e%2e%2fb", "/..%3fx", "/a%3f/../b", "/a%23x/%2e%2e", "/a;/../b", "/a//..",
    ])
    func `A dot segment is found in every spelling`(path: String) {
        #expect(read(path).reading.detour == .dotSegment)
    }

    @Test(arguments: ["/...", "/a..", "/..a", "/a.b", "/.well-known", "/..%20", "/a;..", "/a;/..a", "/.a/b.", "/a/b;x=../c"])
    func `Dots within a name make no dot segment`(path: String) {
        #expect(read(path).reading.detour == nil)
    }

    @Test(arguments: ["//", "//a", "///a", "/%2fa", "/%5ca", "/;/a", "/;x", "//a/b", "/%3fa", "/%252fa"])
    func `A first segment that is empty is noted`(path: String) {
        #expect(read(path).reading.detour == .emptyStart)
    }

    @Test(arguments: ["/a;%2fb", "/a;x%5cb/c", "/a;%3fx", "/a%3b%2f", "/a/b;%23/c", "/a%3fx%3fy", "/a;%252f"])
    func `A slash behind a semicolon is noted`(path: String) {
        #expect(read(path).reading.detour == .slashInParameter)
    }

    @Test(arguments: ["/a", "/A/b/", "/a%2fb", "/x;y/z"])
    func `A path begins with what it reads as, and with each beginning of it`(path: String) {
        let bytes = Array(path.utf8)
        let key = LenientPath.key(of: bytes.span)
        let begins = { (other: [UInt8]) in LenientPath.begins(bytes.span, with: other.span) }
        for count in 0...key.count { #expect(begins(Array(key[..<count]))) }
        #expect(!begins(key + [0x61]))
        #expect(!begins(key.dropLast() + [0x21]))
    }
}
