// Metrics as Prometheus reads them: the text exposition format, version 0.0.4.
//
// Label values may hold any text: backslash, quote and line feed, the three that mean something within one, are escaped.

public import Bytes

/// Writes families of samples into a buffer.
public struct Exposition {
    /// For `Content-Type`.
    public static let contentType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

    public typealias Labels = KeyValuePairs<StaticString, String>

    private let out: ByteBuffer

    public init(into out: ByteBuffer) {
        self.out = out
    }

    /// A family whose samples only rise. By the conventions, `name` ends in `_total`.
    public func counter(_ name: StaticString, _ help: StaticString, _ samples: (Samples) -> Void) {
        family(name, "counter", help, samples)
    }

    /// A family whose samples rise and fall.
    public func gauge(_ name: StaticString, _ help: StaticString, _ samples: (Samples) -> Void) {
        family(name, "gauge", help, samples)
    }

    /// A family of one histogram without labels of its own. By the conventions, `name` ends in `_seconds`.
    public func histogram(_ name: StaticString, _ help: StaticString, _ histogram: DurationHistogram) {
        family(name, "histogram", help) { samples in
            var below: UInt64 = 0
            for (index, count) in histogram.counts.enumerated() {
                below &+= count
                let bounds = DurationHistogram.bounds
                samples.add(below, ["le": index < bounds.count ? bounds[index].seconds : "+Inf"], suffix: "_bucket")
            }
            samples.add(seconds: Double(histogram.sumNanoseconds) / 1e9, suffix: "_sum")
            samples.add(below, suffix: "_count")
        }
    }

    private func family(_ name: StaticString, _ kind: StaticString, _ help: StaticString, _ samples: (Samples) -> Void) {
        out.append("# HELP ")
        out.append(name)
        out.append(" ")
        out.append(help)
        out.append("\n# TYPE ")
        out.append(name)
        out.append(" ")
        out.append(kind)
        out.append("\n")
        samples(Samples(name: name, out: out))
    }

    /// The samples of one family.
    public struct Samples {
        let name: StaticString
        let out: ByteBuffer

        /// One sample. No two of a family have the same labels.
        public func add(_ value: UInt64, _ labels: Labels = [:]) {
            add(value, labels, suffix: "")
        }

        /// One sample that is a number of seconds.
        public func add(seconds: Double, _ labels: Labels = [:]) {
            add(seconds: seconds, labels, suffix: "")
        }

        fileprivate func add(_ value: UInt64, _ labels: Labels = [:], suffix: StaticString) {
            appendStart(labels, suffix)
            out.appendDecimal(value)
            out.append("\n")
        }

        fileprivate func add(seconds: Double, _ labels: Labels = [:], suffix: StaticString) {
            appendStart(labels, suffix)
            // The shortest text that reads back as this number; of the same grammar as Go's, which the format refers to.
            out.append(String(seconds))
            out.append("\n")
        }

        private func appendStart(_ labels: Labels, _ suffix: StaticString) {
            out.append(name)
            out.append(suffix)
            var separator: StaticString = "{"
            for (label, value) in labels {
                out.append(separator)
                out.append(label)
                out.append("=\"")
                appendEscaped(value)
                out.append("\"")
                separator = ","
            }
            out.append(labels.isEmpty ? " " : "} ")
        }

        private func appendEscaped(_ value: String) {
            for byte in value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): out.append("\\\\")
                case UInt8(ascii: "\""): out.append("\\\"")
                case ASCII.lf: out.append("\\n")
                default: out.append(byte)
                }
            }
        }
    }
}
