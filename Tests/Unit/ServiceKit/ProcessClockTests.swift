import Concurrency
import Foundation
import Testing

@testable import ServiceKit

@Suite("The clock of a process")
struct ProcessClockTests {
    @Test
    func aShiftFileMovesTheClockAndATornOneChangesNothing() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try "3600.5\n".write(toFile: path, atomically: true, encoding: .utf8)
        let shifted = ProcessClock.shifted(by: ShiftFile(path: path)).now().timeIntervalSince(Date())
        #expect(abs(shifted - 3_600.5) < 1)
        // No number at all counts as none; a file that is not there too.
        #expect(ShiftFile(path: path + ".missing").seconds() == 0)
        try "soon".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(ShiftFile(path: path).seconds() == 0)
    }
}
