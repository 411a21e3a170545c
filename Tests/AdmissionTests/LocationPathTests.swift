// The paths that operators may write for locations.

import Admission
import Testing

@Suite struct LocationPathTests {
    private func failure(_ text: String) -> LocationPathError? {
        do throws(LocationPathError) {
            _ = try LocationPath(parsing: text, isExact: false)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("/", false, "/"), ("/", true, "= /"), ("/api", false, "/api"), ("/api/", false, "/api"), ("/api/", true, "= /api/"),
        ("/a/b.c/~d", false, "/a/b.c/~d"), ("/v1/users:batch", true, "= /v1/users:batch"), ("/@me", false, "/@me"),
        ("/.well-known/x", false, "/.well-known/x"), ("/...", false, "/..."), ("/a=b,c(d)!$&'*+", false, "/a=b,c(d)!$&'*+"),
    ])
    func `A plain path is taken as it is; a slash at its end makes no other prefix`(
        text: String, isExact: Bool, spelled: String
    ) throws {
        #expect(try LocationPath(parsing: text, isExact: isExact).description == spelled)
    }

    @Test func `A prefix is the same with a slash at its end and without, an exact path is not`() throws {
        #expect(try LocationPath(parsing: "/a/", isExact: false) == LocationPath(parsing: "/a", isExact: false))
        #expect(try LocationPath(parsing: "/a/", isExact: true) != LocationPath(parsing: "/a", isExact: true))
        #expect(try LocationPath(parsing: "/a", isExact: true) != LocationPath(parsing: "/a", isExact: false))
    }

    @Test(arguments: [
        ("", LocationPathError.notAPath), ("api", .notAPath), ("http://a/b", .notAPath), ("*", .notAPath), ("~", .notAPath),
        ("/a%20b", .escaped), ("/%61", .escaped), ("/a%2Fb", .escaped), ("/%", .escaped),
        ("/a?b", .query), ("/a#b", .query), ("/a;b", .parameter), ("/;/a", .parameter),
        ("/a b", .oddCharacter), ("/é", .oddCharacter), ("/a\\b", .oddCharacter), ("/a\u{0}", .oddCharacter),
        ("/{id}", .oddCharacter), ("/a|b", .oddCharacter), ("/^a", .oddCharacter), ("/a\"", .oddCharacter),
        ("/.", .dotSegment), ("/..", .dotSegment), ("/a/./b", .dotSegment), ("/a/../b", .dotSegment), ("/a/..", .dotSegment),
        ("//", .emptySegment), ("//a", .emptySegment), ("/a//b", .emptySegment), ("/a//", .emptySegment),
    ])
    func `A path that could be read in two ways is none`(text: String, error: LocationPathError) {
        #expect(failure(text) == error)
    }

    @Test func `A path has a bound`() {
        #expect(failure("/" + String(repeating: "a", count: LocationPath.bytesMax - 1)) == nil)
        #expect(failure("/" + String(repeating: "a", count: LocationPath.bytesMax)) == .tooLong)
    }
}
