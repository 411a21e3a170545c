// A socket that listens, before any loop accepts from it, and how it comes to its address: a free one, one that it shares,
// or one that another process has.

internal import CLinux
import Glibc

/// A bound, listening socket that has no loop yet.
public final class BoundSocket: Sendable {
    public let address: SocketAddress
    private let descriptor: Int32
    /// A Unix path to remove when the socket goes, unless it leads to another one by then.
    private let file: SocketFile?

    /// Binds and listens.
    ///
    /// - Parameter sharesPort: several sockets, of this process or of a successor, may listen on the port. Without
    ///   it an address that anyone uses is an error.
    public init(_ wanted: SocketAddress, unixPath: String?, sharesPort: Bool) throws(SystemError) {
        let descriptor = clinux_socket(wanted.family)
        if descriptor < 0 { throw SystemError("socket") }
        do {
            address = try BoundSocket.listen(descriptor, wanted, unixPath, sharesPort)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        file = unixPath.flatMap(SocketFile.init)
    }

    /// Binds and listens at a Unix path in the place of whoever listens there. Connections that wait in that one's queue
    /// stay there; those that come find this one.
    public init(replacing path: String) throws(SystemError) {
        let aside = path + ".new"
        guard let wanted = SocketAddress(unixPath: aside) else { throw SystemError("bind", code: ENAMETOOLONG) }
        let descriptor = clinux_socket(wanted.family)
        if descriptor < 0 { throw SystemError("socket") }
        do throws(SystemError) {
            address = try BoundSocket.listen(descriptor, wanted, aside, false)
            if unsafe rename(aside, path) != 0 { throw SystemError("rename") }
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        file = SocketFile(path)
    }

    deinit {
        file?.remove()
        Glibc.close(descriptor)
    }

    func duplicate() throws(SystemError) -> Socket {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        if copy < 0 { throw SystemError("fcntl") }
        return Socket(owning: copy)
    }

    private static func listen(
        _ descriptor: Int32, _ wanted: SocketAddress, _ unixPath: String?, _ sharesPort: Bool
    ) throws(SystemError) -> SocketAddress {
        if let unixPath {
            try removeStaleSocket(at: unixPath, wanted)
        } else {
            _ = clinux_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            if sharesPort { _ = clinux_set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
            if wanted.isIPv6 { _ = clinux_set_option(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        }
        if unsafe wanted.withSockaddr({ unsafe Glibc.bind(descriptor, $0, $1) }) != 0 { throw SystemError("bind") }
        // As nginx does: whoever reaches the directory may connect, under whatever user they run.
        if let unixPath { _ = unsafe chmod(unixPath, 0o666) }
        if Glibc.listen(descriptor, SOMAXCONN) != 0 { throw SystemError("listen") }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        if status != 0 { throw SystemError("getsockname") }
        return SocketAddress(storage: storage, length: length)
    }

    /// A path that nobody answers at is left over from a process that was killed; one that answers is in use.
    private static func removeStaleSocket(at path: String, _ address: SocketAddress) throws(SystemError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemError("bind", code: EADDRINUSE) }
        let probe = try Socket.connectingOrRefused(to: address)
        if probe != nil { throw SystemError("bind", code: EADDRINUSE) }
        if unsafe unlink(path) != 0 { throw SystemError("unlink") }
    }
}

extension Socket {
    /// Nil where nobody listens at the address.
    fileprivate static func connectingOrRefused(to address: SocketAddress) throws(SystemError) -> Socket? {
        do {
            return try Socket.connecting(to: address)
        } catch {
            if error.code == ECONNREFUSED { return nil }
            throw error
        }
    }
}

/// A socket's file, told apart from one that has taken its place.
private struct SocketFile: Sendable {
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    /// Nil: there is none.
    init?(_ path: String) {
        guard let status = Self.status(of: path) else { return nil }
        self.path = path
        (device, inode) = (status.st_dev, status.st_ino)
    }

    func remove() {
        guard let status = Self.status(of: path), status.st_dev == device, status.st_ino == inode else { return }
        _ = unsafe unlink(path)
    }

    private static func status(of path: String) -> stat? {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status : nil
    }
}
