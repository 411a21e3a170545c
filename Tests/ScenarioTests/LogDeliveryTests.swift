// Logs that cannot be written, are rotated, or are read by programs made for other servers' logs.

import Foundation
import Glibc
import Testing

@Suite("Delivering the logs", .scenario)
struct LogDeliveryTests {
    @Test("The combined format has one line a request, with the subject, and neither token nor query")
    func combined() throws {
        try Scene.play(main: "access_log stdout combined;") { scene throws in
            let token = scene.token(subject: "auth0|a \"b\"")
            let fields = ["Referer: https://app.example/list?code=s3cr3t", "User-Agent: a\"b \\ c\u{e9}", "User-Agent: second"]
            try scene.get("/orders?secret=s3cr3t", token: token, fields: fields, expecting: 200)
            try scene.get("/none", expecting: 401)
            let client = try scene.client()
            try client.send("GET /\u{1}\r\n\r\n")
            #expect(try client.response().status == 400)
            let lines = try eventually("three lines are written") {
                let lines = scene.proxy.child.output.split(separator: "\n")
                return lines.count == 3 ? lines.map(String.init) : nil
            }
            let date = #/\[[0-3][0-9]/[A-Z][a-z][a-z]/20[0-9][0-9]:[0-9:]{8} \+0000\]/#
            #expect(lines.allSatisfy { $0.contains(date) })
            let expected = [
                "127.0.0.1 - auth0|a\\x20\\x5c\\x22b\\x5c\\x22 [] \"GET /orders HTTP/1.1\" 200 2 "
                    + "\"https://app.example/list\" \"a\\x22b \\x5c c\\xe9\"",
                "127.0.0.1 - - [] \"GET /none HTTP/1.1\" 401 ", "127.0.0.1 - - [] \"-\" 400 ",
            ]
            for (line, expected) in zip(lines, expected) {
                #expect(line.replacing(date, with: "[]").hasPrefix(expected), "\(line)")
            }
            #expect(!scene.proxy.child.output.contains("s3cr3t"))
        }
    }

    @Test("On a full disk requests are served, and the lines that are lost are counted")
    func fullDisk() throws {
        try Scene.play(main: "access_log /dev/full; \(Scene.adminLine)") { scene throws in
            for _ in 0..<5 { try scene.get(token: scene.token(), expecting: 200) }
            try eventually("all lines are counted as lost") {
                try scene.metrics()["antechamber_log_lines_lost_total{log=\"access\"}"] == 5
            }
            #expect(try scene.metrics()["antechamber_log_lines_lost_total{log=\"error\"}"] == 0)
        }
    }

    @Test("While nobody reads the log's pipe requests are served; once somebody does, both logs tell how many lines are lost")
    func stuckPipe() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "access.fifo").path
            try #require(unsafe mkfifo(path, 0o600) == 0)
            let reader = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            defer { close(reader) }
            try Scene.play(main: "access_log \(path); \(Scene.adminLine)") { scene throws in
                let client = try scene.client()
                // Each leaves a line of more than 2 KiB, and the backlog holds 8 MiB.
                let long = "/" + String(repeating: "x", count: 2000)
                let batch = 100
                var sent = 0
                func lost() throws -> Int {
                    try #require(try scene.metrics()["antechamber_log_lines_lost_total{log=\"access\"}"])
                }
                while try sent < 20_000 && lost() == 0 {
                    for _ in 0..<batch { try client.get(long) }
                    for _ in 0..<batch { #expect(try client.response().status == 401) }
                    sent += batch
                }
                let lostLines = try lost()
                #expect(lostLines > 0 && lostLines <= batch)
                try scene.get(token: scene.token(), expecting: 200)

                var text: [UInt8] = []
                var lineCount = 0
                var chunk = [UInt8](repeating: 0, count: 65_536)
                func readAll() {
                    while true {
                        let count = unsafe Glibc.read(reader, &chunk, chunk.count)
                        if count <= 0 { return }
                        text += chunk[..<count]
                        lineCount += chunk[..<count].count { $0 == 0x0A }
                    }
                }
                try eventually("the log moves again") {
                    readAll()
                    return scene.proxy.child.errors.contains("access log: ")
                }
                let told = try #require(scene.proxy.child.errors.firstMatch(of: /warn  access log: ([0-9]+) lines lost/))
                let total = try lost()
                #expect(Int(told.1) == total)
                try eventually("what was kept is there, and the note") {
                    readAll()
                    return lineCount == sent + 1 - total + 1
                }
                let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
                #expect(lines.filter { $0 == "{\"lost_lines\":\(total)}" }.count == 1)
                #expect(lines.allSatisfy { $0.hasPrefix("{\"") && $0.hasSuffix("}") })
            }
        }
    }

    @Test("A reload changes the form of the log's lines, and what was lost stays counted")
    func reloading() throws {
        try Scene.play(main: "access_log /dev/full; \(Scene.adminLine)") { scene throws in
            func lost() throws -> Int? { try scene.metrics()["antechamber_log_lines_lost_total{log=\"access\"}"] }
            for _ in 0..<3 { try scene.get(expecting: 401) }
            try eventually("the lines are counted as lost") { try lost() == 3 }
            #expect(try scene.reload("access_log /dev/full", "access_log stdout combined"))
            try scene.get("/now", expecting: 401)
            try eventually("a line is written") { scene.proxy.child.output.contains("\"GET /now HTTP/1.1\" 401 ") }
            #expect(try lost() == 3)
        }
    }

    @Test("SIGUSR1 opens the files anew")
    func reopening() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "access.log").path
            func count(_ path: String) -> Int {
                ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n").count
            }
            try Scene.play(main: "access_log \(path) combined;") { scene throws in
                try scene.get(expecting: 401)
                try eventually("the first line is written") { count(path) == 1 }
                try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
                try scene.get(expecting: 401)
                try eventually("it goes to the file that was moved") { count(path + ".1") == 2 }
                scene.proxy.child.signal(SIGUSR1)
                try eventually("the files are opened anew") { scene.proxy.child.errors.contains("log files reopened") }
                try scene.get(expecting: 401)
                try eventually("lines go to the new file") { count(path) == 1 }
                #expect(count(path + ".1") == 2)
            }
        }
    }
}
