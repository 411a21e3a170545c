// The status page as a browser has it: figures of a real proxy, on any screen, with a keyboard, read aloud, and nothing of
// what strangers write comes alive.

import Foundation
import Glibc
import Testing

@Suite(
    "The status page", .scenario, .serialized,
    .enabled(if: Browser.program != nil, "there is no Chromium: on Debian, use scripts/test"))
struct StatusPageTests {
    private static func url(_ proxy: ProxyProcess) throws -> String { "http://127.0.0.1:\(try proxy.adminPort())/" }

    /// The cells of a section's tables, a line a row.
    private static func rows(_ id: String) -> String {
        "[...document.querySelectorAll('#\(id) tbody tr')].map(row => [...row.cells].map(cell => cell.textContent)"
            + ".join('|')).join('\\n')"
    }

    private static func text(_ selector: String) -> String { "document.querySelector('\(selector)').textContent" }

    /// No wider than the window.
    private static let overflow = "document.documentElement.scrollWidth - innerWidth"

    /// The least contrast of any text with what is behind it, by WCAG 2's formula, and what text that is.
    private static let leastContrast = """
        (() => {
          const light = color => color.match(/[\\d.]+/g).slice(0, 3).map(value => value / 255)
            .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
            .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
          const behind = element => {
            const color = getComputedStyle(element).backgroundColor;
            return color === 'rgba(0, 0, 0, 0)' ? behind(element.parentElement) : color;
          };
          const all = [...document.querySelectorAll('body *')].filter(element => element.innerText?.trim()
            && !element.closest('script, noscript'));
          const contrasts = all.map(element => {
            const [a, b] = [getComputedStyle(element).color, behind(element)].map(light).sort((a, b) => b - a);
            return [(a + 0.05) / (b + 0.05), element.textContent.slice(0, 40)];
          });
          return contrasts.sort((a, b) => a[0] - b[0])[0].join(' ');
        })()
        """

    private static let hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    private static let clientID = "SDFWRGRRSFDF3214"

    @Test("It shows what a proxy has done, on any screen, and what strangers write stays text")
    func figures() throws {
        let legacy = """
            legacy_audience \(Self.clientID) {
                name web; deprecated 2026-01-01T00:00:00Z; accept_until 2099-03-31T00:00:00Z;
                brownout 2099-03-10T09:00:00Z 2h;
            }
            legacy_audience other { name cli; }
            """
        try Scene.play(issuerBlock: legacy, main: Scene.adminLine + " location /open { public; }") { scene throws in
            for _ in 0..<3 { try scene.get(token: scene.token(), expecting: 200) }
            for _ in 0..<2 { try scene.get(token: scene.token(audience: "nobody's"), expecting: 401) }
            try scene.get(expecting: 401)
            for subject in ["a", "b"] {
                let token = scene.token(audience: Self.clientID, subject: subject)
                let answer = try scene.get(token: token, fields: ["User-Agent: \(Self.hostile)"])
                #expect(answer.status == 200)
            }
            let page = try Self.url(scene.proxy)
            let tabs: [Browser.Step] = (0..<3).flatMap { _ in
                [.key("Tab"), .value("document.activeElement.id || document.activeElement.textContent")]
            }
            let browser = try Browser(
                opening: page,
                [
                    .width(1100), .wait("document.querySelector('#traffic .chart path.grey')"),
                    .wait("document.querySelector('#migration h3')"),
                    .value(Self.rows("traffic")), .value(Self.rows("latency")), .value(Self.rows("refusals")),
                    .value(Self.rows("keys")), .value(Self.text("#migration")), .value(Self.rows("migration")),
                    .value(Self.text("#state")),
                    .value("document.title + document.querySelectorAll('main img, main script').length"), .tree,
                    .value(Self.overflow), .value("getComputedStyle(document.body).backgroundColor"),
                    .value(Self.leastContrast),
                    .scheme("dark"), .value("getComputedStyle(document.body).backgroundColor"),
                    .value(Self.leastContrast),
                    .width(360), .value(Self.overflow), .width(320), .value(Self.overflow),
                ] + tabs + [
                    .key("Enter"), .wait("document.querySelector('#migration details[open]')"), .value(Self.overflow),
                ] + tabs + [
                    // Nor could it come alive by a mistake of the page's.
                    .ignoreProblems,
                    .value("(() => { try { document.body.innerHTML = '<b></b>' } catch (error) { return error.name } })()"),
                ], in: scene.folder)
            // Something to be drawn.
            while !browser.isDone { try scene.get("/open", expecting: 200) }
            let report = try browser.report()
            #expect(report.problems == [])
            #expect(Set(report.requests) == Set(["", "status", "migration?sketches=off"].map { page + $0 }))

            var values = report.values.makeIterator()
            func next() throws -> String {
                let value = values.next()
                return try #require(value)
            }
            let traffic = try next()
            #expect(traffic.contains(/verified\|[0-9.]+\|5\n/), "\(traffic)")
            #expect(traffic.contains(/anonymous\|[0-9.,]+\|[0-9,]+\n/), "\(traffic)")
            #expect(traffic.contains(/refused\|[0-9.]+\|3$/), "\(traffic)")
            let latency = try next()
            #expect(latency.contains(/^half within\|[0-9.]+ (µs|ms|s)\|[0-9.]+ (µs|ms|s)\n/), "\(latency)")
            #expect(try next() == "wrong_audience||2\nmissing_token||1")
            let keys = try next()
            #expect(keys.hasPrefix(scene.issuer.identifier + "last fetch succeeded"), "\(keys)")
            #expect(keys.contains(/\|1\|[0-9]+ s$/), "\(keys)")
            let migration = try next()
            for part in [
                "web: accepted, and called deprecated", "2 requests, the last one 20", Self.hostile, "cli: accepted",
                "2099-03-10 09:00 UTC to 2099-03-10 11:00 UTC: brownout (in", "2099-03-31 00:00 UTC: refused from here on (in",
                "Nobody has used it since 20", "No date is set for it.",
            ] {
                #expect(migration.contains(part), "\(part) is not in \(migration)")
            }
            let tops = try next()
            // A day may end meanwhile.
            #expect(tops.contains(/20[0-9]{2}-[0-9]{2}-[0-9]{2}\|[12]\|[12]\n/), "\(tops)")
            #expect(tops.contains("\(Self.hostile)|2"), "\(tops)")
            #expect(try next() == "ready")
            #expect(try next() == "Antechamber0")

            for expected in [
                "heading: Requests a second", "image: Requests a second over the last ", "image: Latency over the last ",
                "image: Requests a day from 20", "table: Refusals by code since the start", "columnheader: requests",
                "rowheader: wrong_audience", "table: Keys by issuer", "status: ", "table: Backend servers",
            ] {
                #expect(report.tree.contains { $0.hasPrefix(expected) }, "\(report.tree.joined(separator: "\n"))")
            }
            let drawn = try #require(report.tree.first { $0.hasPrefix("image: Requests a second") })
            #expect(drawn.contains(/Now: verified [0-9.]+, anonymous [0-9.,]+, report only 0\.0, refused [0-9.]+$/), "\(drawn)")

            #expect(try next() == "0")
            let light = try next()
            func contrast(_ text: String) -> Double { Double(text.prefix { $0 != " " }) ?? 0 }
            var least = try next()
            #expect(contrast(least) >= 4.5, "\(least)")
            #expect(try next() != light)
            least = try next()
            #expect(contrast(least) >= 4.5, "\(least)")
            #expect(try next() == "0")
            #expect(try next() == "0")
            for stop in ["refusals", "keys", "By day"] { #expect(try next() == stop) }
            #expect(try next() == "0", "with a table opened")
            for stop in ["By route and user agent", "servers", "process"] { #expect(try next() == stop) }
            #expect(try next() == "TypeError")
        }
    }

    @Test("Where nothing has happened yet it says so")
    func empty() throws {
        try Scene.play(main: Scene.adminLine, issuerStartsDown: true) { scene throws in
            let report = try Browser(
                opening: Self.url(scene.proxy),
                [
                    .wait("/refused|failed/.test(document.querySelector('#keys').textContent)"),
                    .wait("!document.querySelector('#migration-state').hidden"),
                    .value(Self.text("#state")), .value(Self.text("#traffic")), .value(Self.text("#latency")),
                    .value(Self.text("#refusals")), .value(Self.text("#migration-state")),
                    .value("document.querySelectorAll('.chart').length"), .width(320), .value(Self.overflow),
                ], in: scene.folder
            ).report()
            #expect(report.problems == [])
            #expect(
                report.values == [
                    "not ready: keys of \(scene.issuer.identifier)", "No requests yet.", "No requests yet.", "None so far.",
                    "None is configured: tokens need the API's own audience.", "0", "0",
                ])
        }
    }

    @Test("While the proxy does not answer it says so, and since when; then it goes on")
    func silence() throws {
        try Scene.play(main: Scene.adminLine) { scene throws in
            try scene.get(token: scene.token(), expecting: 200)
            let state = "document.querySelector('#state').textContent"
            let (asked, stopped) = (scene.folder.appending(path: "1.png"), scene.folder.appending(path: "2.png"))
            let browser = try Browser(
                opening: Self.url(scene.proxy),
                [
                    .wait("\(state) === 'ready'"), .screenshot(asked),
                    .wait("\(state).startsWith('no answer')"), .value(state), .value(Self.rows("traffic")),
                    .screenshot(stopped), .wait("\(state) === 'ready'"),
                ], in: scene.folder)
            func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) || browser.isDone }
            try eventually("it has asked", within: 300) { exists(asked) }
            scene.proxy.child.signal(SIGSTOP)
            defer { scene.proxy.child.signal(SIGCONT) }
            try eventually("it has seen that there is no answer", within: 300) { exists(stopped) }
            scene.proxy.child.signal(SIGCONT)
            let values = try browser.report().values
            #expect(values[0].contains(/^no answer; the last one came at [0-9]{2}:[0-9]{2}:[0-9]{2} \(.+\)$/), "\(values)")
            #expect(values[1].contains("verified"), "what was known stays: \(values)")
        }
    }

    @Test("No other site's page is answered, and the page is held to its own style and script")
    func policy() throws {
        try Scene.play(main: Scene.adminLine) { scene throws in
            let page = try scene.admin("/")
            #expect(page["Content-Type"] == "text/html; charset=utf-8")
            let policy = try #require(page["Content-Security-Policy"])
            #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-"))
            #expect(!policy.contains("unsafe") && !policy.contains("*") && !policy.contains("http"))
            for path in ["/", "/status", "/migration"] {
                let answer = try scene.admin(path)
                #expect(answer["Cross-Origin-Resource-Policy"] == "same-origin")
                #expect(answer["Access-Control-Allow-Origin"] == nil)
            }
            #expect(!page.text.contains(/\bsrc=|https?:\/\/(?!www\.w3\.org\/2000\/svg)/), "it names something outside")
        }
    }

    @Test(
        "The picture in docs/ is made of a month of a migration",
        .enabled(if: ProcessInfo.processInfo.environment["ANTECHAMBER_RECORD"] != nil, "only where it is made anew"))
    func picture() throws {
        let day = 86_400, now = Int(Date.now.timeIntervalSince1970)
        func instant(inDays days: Int) -> String {
            Date(timeIntervalSince1970: Double(now / day * day + days * day)).formatted(.iso8601)
        }
        let legacy = """
            legacy_audience \(Self.clientID) {
                name web; deprecated \(instant(inDays: -20)); accept_until \(instant(inDays: 61));
                brownout \(instant(inDays: 12)) 2h;
            }
            legacy_audience CLI7F3KQ2ZPX9W1V { name cli; }
            """
        try Scene.play(
            issuerBlock: legacy, main: Scene.adminLine + " location /health { public; }", workers: 2
        ) { scene throws in
            let clock = try WallClock(in: scene.folder)
            let folder = scene.folder.appending(path: "second")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let proxy = try ProxyProcess(
                arguments: ["run", "--config", scene.folder.appending(path: "proxy.conf").path],
                environment: clock.environment, in: folder)
            defer { proxy.child.kill() }
            func get(_ path: String = "/", token: String?, agent: String = "Mozilla/5.0") throws {
                let client = try RawClient(port: proxy.port)
                try client.get(path, token: token, fields: ["User-Agent: \(agent)"])
                _ = try client.finalResponse()
            }
            func legacyToken(_ subject: Int, daysAgo: Int = 0) -> String {
                let issuedAt = now - daysAgo * day
                return scene.token(
                    audience: Self.clientID, subject: "\(subject)",
                    claims: ["iat": .number(issuedAt), "exp": .number(issuedAt + 3600)])
            }
            for daysAgo in (0...30).reversed() {
                try clock.set(ahead: -daysAgo * day)
                for subject in 0..<(daysAgo * daysAgo / 9 + (daysAgo % 7 < 2 ? 2 : 8)) {
                    try get(
                        token: legacyToken(subject, daysAgo: daysAgo), agent: subject % 3 == 0 ? "node" : "Mozilla/5.0")
                }
                // Who asks has the workers hand over what they have counted, so that the day is counted by itself.
                let client = try proxy.adminClient()
                try client.get("/migration")
                _ = try client.response()
            }
            let (current, foreign) = (scene.token(), scene.token(audience: "another-api"))
            let docs = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "docs")
            // More than a minute of traffic that rises and falls.
            let browser = try Browser(
                opening: Self.url(proxy),
                [
                    .width(1100), .wait("answers.length > 40"), .screenshot(docs.appending(path: "status-page.png")),
                    .scheme("dark"), .screenshot(docs.appending(path: "status-page-dark.png")),
                ], in: scene.folder)
            var turn = 0
            while !browser.isDone {
                let load = 6 + Int(5 * sin(Double(turn) / 60))
                for _ in 0..<load { try get(token: current) }
                if turn % 2 == 0 { try get("/health", token: nil) }
                if turn % 3 == 0 { try get(token: turn % 9 == 0 ? nil : foreign) }
                if turn % 50 == 0 { try get(token: legacyToken(turn % 7)) }
                turn += 1
                Thread.sleep(forTimeInterval: 0.05)
            }
            _ = try browser.report()
        }
    }
}
