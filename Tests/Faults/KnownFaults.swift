import Foundation
import TestStack
import Testing

/// A fault of today's connectors (domain rules, section 6), and the test that shows it is none of ours.
struct KnownFault: Sendable, CustomTestStringConvertible {
    /// As the domain rules count them.
    let number: Int
    /// Below `Tests/`.
    let file: String
    /// What the test is called.
    let test: String

    var testDescription: String { test }

    private init(_ number: Int, _ file: String, _ test: String) {
        (self.number, self.file, self.test) = (number, file, "fault \(number): \(test)")
    }

    private static let compareAndSet = "Integration/StockPublisher/CompareAndSetTests.swift"
    private static let publisher = "Integration/StockPublisher/FaultTests.swift"
    private static let collector = "Integration/OrderCollector/OrderFaultTests.swift"

    /// All fifteen; some have a test on each side they can come from.
    static let all = [
        KnownFault(
            1, compareAndSet,
            "a mismatch never writes the old target; the orders are fetched and the level worked out anew"),
        KnownFault(
            2, collector, "an old order that was edited unseen, beyond the overlap, arrives with the nightly repair"),
        KnownFault(
            3, publisher, "state is kept per shelf, so that one success does not hide another's failure"),
        KnownFault(4, collector, "one unknown product holds its order whole, and discards nothing"),
        KnownFault(5, compareAndSet, "every write says what the shop has to have before, and under which attempt"),
        KnownFault(6, collector, "all orders of all pages arrive, not the first twenty after the last id"),
        KnownFault(7, collector, "orders of one and the same second are all found, over the pages' ends too"),
        KnownFault(8, publisher, "five, four, five is three pushes"),
        KnownFault(9, collector, "twenty deliveries at the same moment make one order with one revision"),
        KnownFault(10, collector, "a webhook that overtakes its predecessor loses nothing"),
        KnownFault(11, collector, "the empty SKU matches no product"),
        KnownFault(11, publisher, "an empty SKU matches nothing, whatever the file and the shop say"),
        KnownFault(12, publisher, "a push that failed and is tried again later writes today's number"),
        KnownFault(
            13, collector, "a pass that could not read all of it does not say that it did, and goes on where it stopped"
        ),
        KnownFault(
            13, "EndToEnd/BadOrderTests.swift", "a report whose shop cannot be read says so, and lacks nothing later"),
        KnownFault(14, publisher, "a new stock feed with no mapping sets no shop to zero"),
        KnownFault(
            15, "Integration/Messaging/OutboxTests.swift",
            "a row that commits late is relayed although later rows went out before"),
    ]
}

@Suite("The fifteen known faults of other connectors")
struct KnownFaults {
    @Test("Each of the fifteen has its test")
    func complete() { #expect(Set(KnownFault.all.map(\.number)) == Set(1...15)) }

    @Test("The test that is named is there", arguments: KnownFault.all)
    func isThere(_ fault: KnownFault) throws {
        let text = try String(contentsOfFile: Repository.path("Tests/\(fault.file)"), encoding: .utf8)
        #expect(text.contains("@Test(\"\(fault.test)\")"), "\(fault.file) no longer has it")
    }
}
