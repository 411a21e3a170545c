// How many CPUs this process may use: its affinity mask, bounded by the cgroup's quota.

internal import CLinux

public enum AvailableCPUs {
    /// At least 1. In a container limited to half a CPU it is 1, on a big host limited to 2.5 it is 3.
    public static var count: Int {
        let affinity = Int(clinux_cpu_count())
        guard let quota = cgroupQuota() else { return affinity }
        return max(1, min(affinity, Int(quota.rounded(.up))))
    }

    /// CPUs' worth of time allowed by the cgroup (v2, else v1), or nil where there is no limit.
    private static func cgroupQuota() -> Double? {
        let group = ownGroup()
        for path in ["/sys/fs/cgroup\(group)/cpu.max", "/sys/fs/cgroup/cpu.max"] {
            if let text = SmallFile.read(path) { return quota(ofCPUMax: text) }
        }
        let v1 = "/sys/fs/cgroup/cpu/"
        guard let quota = SmallFile.read(v1 + "cpu.cfs_quota_us").flatMap(firstNumber),
            let period = SmallFile.read(v1 + "cpu.cfs_period_us").flatMap(firstNumber),
            quota > 0, period > 0
        else { return nil }
        return quota / period
    }

    /// `cpu.max` holds "max 100000" or "QUOTA PERIOD".
    static func quota(ofCPUMax text: String) -> Double? {
        let words = text.split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), period > 0, quota > 0
        else { return nil }
        return quota / period
    }

    /// The path of this process's group in the v2 hierarchy: the line `0::/path` of /proc/self/cgroup.
    private static func ownGroup() -> String {
        guard let text = SmallFile.read("/proc/self/cgroup") else { return "" }
        for line in text.split(separator: "\n") where line.hasPrefix("0::/") {
            let path = line.dropFirst(3)
            return path == "/" ? "" : String(path)
        }
        return ""
    }

    private static func firstNumber(_ text: String) -> Double? {
        text.split { $0 == " " || $0 == "\n" }.first.flatMap { Double($0) }
    }
}
