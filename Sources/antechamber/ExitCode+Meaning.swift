// What the process says with its exit status.

import ArgumentParser

extension ExitCode {
    /// The answer is no, or something failed while running.
    static let no = ExitCode(1)
    /// The configuration is invalid (EX_CONFIG of sysexits.h). Wrong usage is 64, which the argument parser sees to.
    static let invalidConfiguration = ExitCode(78)
}
