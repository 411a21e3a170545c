// The text exposition format, version 0.0.4, byte for byte. A scenario has Prometheus's own parser read the real page.

import Bytes
import Observability
import Testing

@Suite("The Prometheus text format")
struct ExpositionTests {
    private func text(_ write: (Exposition) -> Void) -> String {
        let out = ByteBuffer(capacity: 64)
        write(Exposition(into: out))
        return out.readable.text()
    }

    @Test("Counters and gauges, with labels and without")
    func families() {
        let page = text { page in
            page.counter("requests_total", "Requests.") { samples in
                samples.add(2, ["route": "/", "status": "200"])
                samples.add(.max, ["route": "/", "status": "401"])
            }
            page.gauge("age_seconds", "Age.") { samples in
                samples.add(7)
                samples.add(seconds: 0.25, ["of": "x"])
            }
            page.counter("nothing_total", "Nothing yet.") { _ in }
        }
        #expect(
            page == """
                # HELP requests_total Requests.
                # TYPE requests_total counter
                requests_total{route="/",status="200"} 2
                requests_total{route="/",status="401"} 18446744073709551615
                # HELP age_seconds Age.
                # TYPE age_seconds gauge
                age_seconds 7
                age_seconds{of="x"} 0.25
                # HELP nothing_total Nothing yet.
                # TYPE nothing_total counter

                """)
    }

    @Test("A histogram's buckets hold what is in those before them, and end with all there is")
    func histogram() {
        var histogram = DurationHistogram()
        for milliseconds: Int64 in [1, 1, 30, 200_000] { histogram.record(nanoseconds: milliseconds * 1_000_000) }
        let page = text { $0.histogram("took_seconds", "Time.", histogram) }
        #expect(
            page == """
                # HELP took_seconds Time.
                # TYPE took_seconds histogram
                took_seconds_bucket{le="0.0001"} 0
                took_seconds_bucket{le="0.00025"} 0
                took_seconds_bucket{le="0.0005"} 0
                took_seconds_bucket{le="0.001"} 2
                took_seconds_bucket{le="0.0025"} 2
                took_seconds_bucket{le="0.005"} 2
                took_seconds_bucket{le="0.01"} 2
                took_seconds_bucket{le="0.025"} 2
                took_seconds_bucket{le="0.05"} 3
                took_seconds_bucket{le="0.1"} 3
                took_seconds_bucket{le="0.25"} 3
                took_seconds_bucket{le="0.5"} 3
                took_seconds_bucket{le="1"} 3
                took_seconds_bucket{le="2.5"} 3
                took_seconds_bucket{le="5"} 3
                took_seconds_bucket{le="10"} 3
                took_seconds_bucket{le="25"} 3
                took_seconds_bucket{le="50"} 3
                took_seconds_bucket{le="100"} 3
                took_seconds_bucket{le="+Inf"} 4
                took_seconds_sum 200.032
                took_seconds_count 4

                """)
    }

    @Test("A label's value cannot end its quotes, its line or its sample", arguments: [
        ("plain", "plain"),
        ("a\"} 1\nforged{x=\"", "a\\\"} 1\\nforged{x=\\\""),
        ("\\", "\\\\"),
        ("\\n", "\\\\n"),
        ("\\\"", "\\\\\\\""),
        ("\n\n", "\\n\\n"),
        ("}, {# HELP", "}, {# HELP"),
        ("käse ☃", "käse ☃"),
        ("\r\t\u{0}", "\r\t\u{0}"),
        ("", ""),
    ])
    func hostileLabels(value: String, escaped: String) {
        let page = text { page in page.gauge("g", "G.") { $0.add(1, ["x": value]) } }
        #expect(page == "# HELP g G.\n# TYPE g gauge\ng{x=\"\(escaped)\"} 1\n")
    }
}
