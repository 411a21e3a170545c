// swift-tools-version: 6.2
import PackageDescription

// Every Swift target has strict memory safety on: an unsafe operation has to say `unsafe`, and
// Tests/TidyTests holds the list of files in which that word may appear. Warnings are errors where
// ANTECHAMBER_WARNINGS_AS_ERRORS is set (scripts/test and CI), not for those who build a release
// with a newer compiler than ours.
var strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    // What the compiler cannot prove of class properties (SE-0176) is checked at run time in debug builds, which all tests
    // run, and not in a release, where the checks were a quarter of all instructions of a request.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]
if Context.environment["ANTECHAMBER_WARNINGS_AS_ERRORS"] != nil {
    strict.append(.treatAllWarnings(as: .error))
}

let package = Package(
    name: "antechamber",
    products: [.executable(name: "antechamber", targets: ["antechamber"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // The outside world, wrapped once.
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CLinux"),
        .target(name: "OpenSSLKit", dependencies: ["COpenSSL", "Bytes"], swiftSettings: strict),
        .target(name: "CurlKit", dependencies: ["CCurl"], swiftSettings: strict),
        .target(name: "ZlibKit", dependencies: ["CZlib", "Bytes"], swiftSettings: strict),
        .target(name: "Reactor", dependencies: ["CLinux", "Bytes"], swiftSettings: strict),

        // Sans-I/O: bytes and events in, values and decisions out.
        .target(name: "Bytes", swiftSettings: strict),
        .target(name: "HTTPWire", dependencies: ["Bytes"], swiftSettings: strict),
        .target(name: "JOSE", dependencies: ["Bytes", "OpenSSLKit"], swiftSettings: strict),
        .target(name: "Admission", dependencies: ["Bytes", "HTTPWire", "JOSE"], swiftSettings: strict),
        .target(name: "Migration", dependencies: ["Bytes", "JOSE"], swiftSettings: strict),
        .target(
            name: "Configuration", dependencies: ["Admission", "Bytes", "JOSE", "OpenSSLKit"], swiftSettings: strict),

        // The process.
        .target(name: "Observability", dependencies: ["Bytes"], swiftSettings: strict),
        .target(
            name: "Gateway",
            dependencies: [
                "Admission", "Bytes", "Configuration", "CurlKit", "HTTPWire", "JOSE", "Migration", "Observability",
                "OpenSSLKit", "Reactor", "ZlibKit",
            ],
            resources: [.embedInCode("Admin/StatusPage.html")], swiftSettings: strict),
        .executableTarget(
            name: "antechamber",
            dependencies: [
                "Admission", "Bytes", "Configuration", "Gateway", "HTTPWire", "JOSE", "Migration", "Observability",
                "Reactor",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        .testTarget(name: "BytesTests", dependencies: ["Bytes"], swiftSettings: strict),
        // What fuzzing checks, for the replay of its corpus and for the fuzzer itself.
        .target(
            name: "FuzzTargets", dependencies: ["HTTPWire", "JOSE", "Bytes"], path: "Tests/FuzzTargets",
            swiftSettings: strict),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], swiftSettings: strict),
        .testTarget(name: "HTTPWireTests", dependencies: ["FuzzTargets", "HTTPWire", "Bytes"], swiftSettings: strict),
        .testTarget(name: "ZlibKitTests", dependencies: ["ZlibKit", "Bytes"], swiftSettings: strict),
        // Certificates that OpenSSL's own command makes.
        .target(name: "CertificateFixtures", path: "Tests/CertificateFixtures", swiftSettings: strict),
        .testTarget(
            name: "OpenSSLKitTests", dependencies: ["CertificateFixtures", "OpenSSLKit", "Bytes", "COpenSSL"],
            exclude: ["PKCS1"], swiftSettings: strict),
        // Tokens and keys that other implementations made.
        .target(
            name: "JOSEFixtures", path: "Tests/JOSEFixtures", exclude: ["generate.py"], swiftSettings: strict),
        .testTarget(
            name: "JOSETests", dependencies: ["JOSEFixtures", "JOSE", "Bytes", "OpenSSLKit"], swiftSettings: strict),
        .testTarget(
            name: "AdmissionTests",
            dependencies: ["JOSEFixtures", "Admission", "JOSE", "HTTPWire", "Bytes", "OpenSSLKit"],
            exclude: ["Explanations"], swiftSettings: strict),
        .testTarget(name: "MigrationTests", dependencies: ["Migration", "JOSE", "Bytes"], swiftSettings: strict),
        .testTarget(
            name: "ConfigurationTests",
            dependencies: ["CertificateFixtures", "JOSEFixtures", "Configuration", "Admission", "JOSE"],
            exclude: ["Goldens"], swiftSettings: strict),
        .testTarget(name: "ReactorTests", dependencies: ["Reactor", "Bytes"], swiftSettings: strict),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "Admission", "Bytes", "Configuration", "HTTPWire", "JOSE", "Migration", "Observability",
                "Reactor", "ZlibKit",
            ],
            swiftSettings: strict),
        .testTarget(name: "ObservabilityTests", dependencies: ["Observability", "Bytes"], swiftSettings: strict),
        // For Benchmarks/tokens. Built with the tests, so that it keeps building.
        .executableTarget(
            name: "TokenBench", dependencies: ["Admission", "Bytes", "COpenSSL", "HTTPWire", "JOSE"],
            path: "Tests/TokenBench", swiftSettings: strict),
        // For scripts/costs: what a request costs, counted. The C target takes the place of some of the C library's functions.
        .target(name: "CRequestBench", dependencies: ["COpenSSL"], path: "Tests/CRequestBench"),
        .executableTarget(
            name: "RequestBench",
            dependencies: [
                "Bytes", "Configuration", "CRequestBench", "Gateway", "JOSE", "JOSEFixtures", "Observability",
            ],
            path: "Tests/RequestBench", exclude: ["costs.txt"], swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
        .testTarget(
            name: "ScenarioTests",
            dependencies: ["CertificateFixtures", "antechamber", "JOSEFixtures", "JOSE", "OpenSSLKit", "Bytes"],
            exclude: ["Support/C", "Support/Node", "Support/Python"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

// The coverage-guided fuzzer links against libFuzzer, which brings its own `main`: scripts/fuzz asks for it, no other build.
if Context.environment["ANTECHAMBER_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "Fuzzer", dependencies: ["FuzzTargets"], path: "Tests/Fuzzer",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
