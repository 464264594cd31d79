import Foundation

/// Gives a file or a folder to an account of this machine, where this process may do so and there is such an account.
/// Test equipment.
///
/// - Throws: ``TestStackProblem`` if it does not succeed.
public func give(_ path: String, to account: String) throws {
    guard geteuid() == 0 else { return }
    // With a buffer of its own: tests ask for different accounts at the same time.
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16_384)
    guard getpwnam_r(account, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return }
    guard chown(path, entry.pw_uid, entry.pw_gid) == 0 else {
        throw TestStackProblem("\(path) cannot be given to \(account): \(String(cString: strerror(errno))).")
    }
}
