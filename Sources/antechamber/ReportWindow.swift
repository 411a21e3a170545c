// The window of a report, as it is written on the command line.

import Bytes
import Configuration
import Migration

enum ReportWindow {
    static let syntax =
        "a duration from 1s to \(LegacyUse.windowDaysMax)d, such as 7d, or an instant of the last "
        + "\(LegacyUse.windowDaysMax) days, such as 2027-03-31T00:00:00Z"

    /// The window's first second, where it ends at `now`, both in Unix seconds; nil where the text is no window.
    ///
    /// A number alone is none: it would be in seconds, as in the configuration, and who means days would be told that
    /// nobody came.
    static func start(of text: String, endingAt now: Int64) -> Int64? {
        let longest = Int64(LegacyUse.windowDaysMax) * 86_400
        let start: Int64
        if let instant = RFC3339.unixSeconds(text) {
            start = instant
        } else if Quantity.count(text) == nil, let milliseconds = Quantity.milliseconds(text), milliseconds > 0,
            milliseconds % 1000 == 0
        {
            start = now - min(milliseconds / 1000, longest + 1)
        } else {
            return nil
        }
        return (now - longest...now).contains(start) ? start : nil
    }
}
