// What a request costs the proxy, counted: allocations always, and instructions where valgrind runs it.
//
//   RequestBench [--requests N] [--warm-up N] [--trace N] [CASE…]
//
// A whole proxy, with one worker, runs between a client and a backend that are ready-made bytes on sockets of the
// loopback interface. Requests of a kind go through it one after the other, over one connection; CRequestBench.h tells
// how the worker's own costs are told apart, and made the same each time. Prints a line of JSON for each case:
//
//   requests       that were counted, after others that warmed it up
//   allocations    by the worker, for all of them; and in_openssl, which are not among those
//   wakeups        of the worker
//   collected      whether valgrind's callgrind has been told what to collect, and to dump it under the case's name
//
// --trace writes the stacks of the first N allocations to standard error. scripts/costs runs it, and compares.

import Configuration
import CRequestBench
import Dispatch
import Gateway
import Glibc
import JOSEFixtures
import Observability

func fail(_ reason: String) -> Never {
    let line = Array("RequestBench: \(reason)\n".utf8)
    _ = unsafe write(STDERR_FILENO, line, line.count)
    exit(1)
}

/// A folder of files that the proxy reads, for the life of the process.
struct Files {
    private let folder: String

    init() {
        var template = Array("/tmp/requestbench.XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { fail("there is no room for temporary files") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func write(_ name: String, _ text: String) -> String {
        let path = "\(folder)/\(name)"
        guard let file = unsafe fopen(path, "w") else { fail("\(path) cannot be written") }
        unsafe fputs(text, file)
        unsafe fclose(file)
        return path
    }

    func remove(_ names: [String]) {
        for name in names { unsafe unlink("\(folder)/\(name)") }
        unsafe rmdir(folder)
    }
}

/// A proxy for one case.
struct ProxyUnderTest {
    let port: UInt16
    private let proxy: Proxy

    init(_ what: Case, upstream: UInt16, files: Files) throws {
        let keys = files.write("jwks.json", IndependentTokens.keySet)
        let path = files.write(
            "proxy.conf",
            """
            listen 127.0.0.1:0;
            upstream http://127.0.0.1:\(upstream);
            issuer https://issuer.example/ {
                audience https://api.example.com;
                jwks_file \(keys);
            }
            workers 1;
            access_log \(what.accessLog.rawValue);
            \(what.directives)
            """)
        let loaded = ConfigurationLoader.load(file: path, environment: [:])
        guard let configuration = loaded.configuration else {
            fail(loaded.diagnostics.map { $0.rendered(colour: false) }.joined(separator: "\n"))
        }
        let log = EventLog(LogFile(standardDescriptor: 2, lossNote: EventLog.lossNote), level: .warn)
        var accessLog: LogFile?
        if case .file(let path) = configuration.accessLog.destination {
            accessLog = try LogFile(appendingTo: path, lossNote: { _ in "" })
        }
        proxy = try Proxy(configuration, version: "bench", log: log, accessLog: accessLog)
        guard case .tcp(_, let port)? = try proxy.start().first else { fail("the proxy does not listen") }
        self.port = port
    }

    /// Returns when there are keys.
    func waitUntilReady() {
        let answered = DispatchSemaphore(value: 0)
        let isReady = Flag()
        while !isReady.value {
            proxy.askWhetherReady { answer in
                isReady.value = answer
                answered.signal()
            }
            answered.wait()
            if !isReady.value { usleep(1000) }
        }
    }

    func stop() { proxy.stop() }
}

struct Options {
    var requests: Int32 = 1000
    var warmUp: Int32 = 300
    var traced: Int32 = 0
    var names: [String] = []

    init(_ arguments: some Sequence<String>) {
        var rest = arguments.makeIterator()
        while let word = rest.next() {
            switch word {
            case "--requests": requests = Options.number(rest.next())
            case "--warm-up": warmUp = Options.number(rest.next())
            case "--trace": traced = Options.number(rest.next())
            default: names.append(word)
            }
        }
    }

    private static func number(_ word: String?) -> Int32 {
        guard let word, let number = Int32(word), number > 0 else { fail("a number has to follow the option") }
        return number
    }
}

extension Case {
    func run(_ options: Options, files: Files) throws -> requestbench_counts {
        var upstream: UInt16 = 0
        let backend = unsafe requestbench_listen(&upstream)
        guard backend >= 0 else { fail("there is no port for the backend") }
        let proxy = try ProxyUnderTest(self, upstream: upstream, files: files)
        proxy.waitUntilReady()
        var counts = requestbench_counts()
        let name = unsafe strdup(name)
        let lent = unsafe requests.map { unsafe lend($0) }
        unsafe lent.withUnsafeBufferPointer { requests in
            var parameters = unsafe requestbench_case()
            unsafe parameters.name = UnsafePointer(name)
            unsafe parameters.requests = requests.baseAddress
            unsafe parameters.request_kinds = requests.count
            unsafe parameters.request_end = lend(requestEnd)
            unsafe parameters.response = lend(response)
            unsafe parameters.response_start = lend(responseStart)
            unsafe parameters.response_end = lend(responseEnd)
            unsafe parameters.warm_up = options.warmUp
            unsafe parameters.requests_counted = options.requests
            unsafe parameters.pause_microseconds = pauseMicroseconds
            unsafe requestbench_run(&parameters, proxy.port, backend, &counts)
        }
        proxy.stop()
        return counts
    }

    /// The bytes stay for the life of the process.
    private func lend(_ text: String) -> requestbench_bytes {
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
        _ = unsafe copy.initialize(fromContentsOf: text.utf8)
        return unsafe requestbench_bytes(start: copy.baseAddress, count: copy.count)
    }
}

if requestbench_count_openssl_apart() == 0 { fail("OpenSSL has begun to allocate before it was asked not to") }
let options = Options(CommandLine.arguments.dropFirst())
let all = try Case.all()
let unknown = options.names.filter { name in !all.contains { $0.name == name } }
if !unknown.isEmpty {
    fail("no such case: \(unknown.joined(separator: ", ")). There are \(all.map(\.name).joined(separator: ", "))")
}
let files = Files()
if options.traced > 0 { requestbench_trace_allocations(options.traced) }
for what in all where options.names.isEmpty || options.names.contains(what.name) {
    let counts = try what.run(options, files: files)
    print(
        """
        {"case": "\(what.name)", "requests": \(options.requests), "allocations": \(counts.allocations), \
        "in_openssl": \(counts.openssl_allocations), \
        "wakeups": \(counts.wakeups), "collected": \(requestbench_can_collect() != 0)}
        """)
}
files.remove(["jwks.json", "proxy.conf"])
