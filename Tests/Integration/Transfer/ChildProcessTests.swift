import Foundation
import TestStack
import Testing

@Suite("Processes that tests start", .timeLimit(.minutes(20)))
struct ChildProcessTests {
    @Test("a child has nothing of what is open here, so that an end is an end for everybody")
    func inheritsNothing() async throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let open = try await ChildProcess.run(["/bin/ls", "/proc/self/fd"])
        // Input, output, errors, and the folder that is being read.
        #expect(open.split(separator: "\n") == ["0", "1", "2", "3"])
    }

    @Test("a child whose input is ended ends, although others were started meanwhile")
    func endsWithInput() async throws {
        let child = try ChildProcess(
            name: "reader", executable: "/bin/cat", arguments: [], endsWithInput: true)
        let other = try ChildProcess(name: "other", executable: "/bin/sleep", arguments: ["300"])
        child.endInput()
        #expect(try await child.waitForExit(within: .seconds(60)) == 0)
        #expect(other.isRunning)
        other.kill()
        #expect(other.exitStatus == -SIGKILL)
    }

    @Test("a program that fails says so with its own words")
    func failure() async {
        let problem = await #expect(throws: TestStackProblem.self) {
            try await ChildProcess.run(["/bin/sh", "-c", "echo why >&2; exit 3"])
        }
        #expect(problem?.description.contains("ended with 3") == true && problem?.description.contains("why") == true)
    }
}
