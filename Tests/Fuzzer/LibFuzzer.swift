// libFuzzer's two entry points, over the targets of Tests/FuzzTargets. libFuzzer brings `main`; the name of the target
// comes in the environment, as its own flags and the corpus folders take the command line.
//
// Built by scripts/fuzz alone: the manifest leaves this folder out unless ANTECHAMBER_FUZZ is set.

import FuzzTargets
import Glibc

private let target: FuzzTarget? = unsafe getenv("ANTECHAMBER_FUZZ_TARGET").flatMap { name in
    let name = unsafe String(cString: name)
    return FuzzTarget.all.first { $0.name == name }
}

@_cdecl("LLVMFuzzerInitialize")
func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> CInt {
    if target == nil {
        print("ANTECHAMBER_FUZZ_TARGET is none of \(FuzzTarget.all.map(\.name).joined(separator: " "))")
        exit(EX_USAGE)
    }
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    do throws(Violation) {
        _ = try target?.check(bytes)
    } catch {
        print("broken promise: \(error)")
        // libFuzzer keeps the input of an abort, as it does that of a trap.
        abort()
    }
    return 0
}
