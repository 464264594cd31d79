import Contracts
import Domain
import Foundation
import Messaging
import Settings
import TestStack
import Testing

@testable import ERPBridge

@Suite("Mailing order reports through trouble", .timeLimit(.minutes(20)))
struct SendingTests {
    @Test("an order that is cancelled between the build and the first attempt does not go out")
    func cancelledInBetween() async throws {
        // Nothing listens there: the build is made, and no attempt gets through.
        try await BridgeBench.with { bench in
            try await bench.say([sampleOrder("1"), sampleOrder("2")])
            try await bench.knows(2)
            // The batch that is built is kept from its first attempt.
            try await bench.system.administrate(
                """
                CREATE FUNCTION erp.hold_back() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF NEW.state = 'built' AND OLD.state = 'ready' THEN
                        NEW.lease_until := clock_timestamp() + interval '6 seconds';
                    END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER hold_back BEFORE UPDATE ON erp.reports FOR EACH ROW EXECUTE FUNCTION erp.hold_back();
                """)
            try await bench.collected()
            #expect(try await bench.reaches("built"))
            try await bench.system.administrate("DROP TRIGGER hold_back ON erp.reports")
            try await bench.say([sampleOrder("2", revision: 2, cancellation: .cancelled)])
            try await bench.knows(1, "cancelled")
            let mail = try await bench.report()
            #expect(try mail.sheet("Lines").column("order id") == ["1"])
            #expect(try mail.sheet("Control").value("cancelled before they were sent") == "1")
            #expect(try await bench.system.number("SELECT count(*) FROM erp.voided_builds") == 1)
            let fates = try await bench.system.number(
                "SELECT count(*) FROM erp.statements WHERE num_nonnulls(batch_id, superseded_by, counted_by) = 1")
            #expect(fates == 3)
        }
    }

    @Test("a batch whose sending could not be recorded is mailed again under the same Message-ID, and reported once")
    func recordingFails() async throws {
        try await BridgeBench.with { bench in
            try await bench.say([sampleOrder("1")])
            try await bench.knows(1)
            try await bench.system.administrate(
                """
                CREATE FUNCTION erp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'not now'; END $$;
                CREATE TRIGGER refuse BEFORE UPDATE ON erp.reports FOR EACH ROW
                    WHEN (NEW.state = 'sent') EXECUTE FUNCTION erp.refuse();
                """)
            try await bench.collected()
            #expect(try await eventually { try !bench.mails().isEmpty })
            // The lease of an attempt that came to nothing runs out by itself; here it is ended at once.
            try await bench.system.administrate(
                "DROP TRIGGER refuse ON erp.reports; UPDATE erp.reports SET lease_until = NULL")
            #expect(try await bench.reaches("sent"))
            let mails = try bench.mails()
            #expect(mails.count >= 2 && Set(mails.compactMap { $0.headers["Message-ID"] }).count == 1)
            #expect(Set(mails.map(\.attachment)).count == 1)
            #expect(try await bench.reported(1).count == 1)
        }
    }

    @Test("a replica that dies between sending and recording: another one mails the same again, and reports it once")
    func killed() async throws {
        try await BridgeBench.with(replicas: 0) { bench in
            try await bench.say([sampleOrder("1")])
            try await bench.collected()
            let file = bench.configurationFile.path
            await #expect(processExitsWith: .signal(SIGKILL)) { [file = file as String] in
                let clock = MovedClock(at: BridgeBench.noon.addingTimeInterval(-2))
                let faults = FaultInjection { if $0 == .afterCallBeforeCommit { kill(getpid(), SIGKILL) } }
                try await ERPBridgeService(
                    configuration: ConfigurationLoader.load(path: file), faults: faults, clock: clock.clock
                ).run()
            }
            #expect(try bench.mails().count == 1)
            #expect(try await bench.state() == "sending")
            // What the dead one had leased runs out by itself; here it is ended at once.
            try await bench.system.administrate(
                "UPDATE erp.reports SET lease_until = NULL; UPDATE erp.inbox SET lease_until = NULL WHERE NOT done")
            try await bench.alsoRunning {
                #expect(try await bench.reaches("sent"))
                let mails = try bench.mails()
                #expect(mails.count == 2 && Set(mails.compactMap { $0.headers["Message-ID"] }).count == 1)
                #expect(try await bench.reported(1).count == 1)
            }
        }
    }

    @Test("a lost answer of the mail server repeats the mail under the same Message-ID")
    func lostAnswer() async throws {
        try await BridgeBench.with(mailbox: "drop") { bench in
            try await bench.say([sampleOrder("1")])
            try await bench.knows(1)
            try await bench.collected()
            #expect(try await eventually { try bench.mails().count >= 2 })
            #expect(Set(try bench.mails().compactMap { $0.headers["Message-ID"] }).count == 1)
            #expect(try await bench.state() == "sending")
            #expect(try await bench.system.number("SELECT count(*) FROM erp.reports WHERE sent_at IS NOT NULL") == 0)
        }
    }

    @Test("a mail server that is away holds the report up and loses nothing: one mail once it is back")
    func away() async throws {
        let relay = try SwitchedPort(to: try BridgeBench.environment("STOCKBRIDGE_TEST_SMTP_PORT"))
        defer { relay.close() }
        try await BridgeBench.with(smtpPort: "\(relay.port)") { bench in
            try await bench.say([sampleOrder("1")])
            try await bench.knows(1)
            try await bench.collected()
            #expect(
                try await eventually {
                    try await bench.system.number("SELECT coalesce(max(attempts), 0) FROM erp.reports") >= 2
                })
            #expect(try await bench.state() == "sending")
            try relay.open()
            _ = try await bench.report()
            #expect(try await bench.reported(1).count == 1)
        }
    }

    @Test("a mail server that is away for longer than all attempts leaves no dead letter")
    func awayForLong() async throws {
        let relay = try SwitchedPort(to: try BridgeBench.environment("STOCKBRIDGE_TEST_SMTP_PORT"))
        defer { relay.close() }
        try await BridgeBench.with(smtpPort: "\(relay.port)", attempts: 2) { bench in
            try await bench.say([sampleOrder("1")])
            try await bench.knows(1)
            try await bench.collected()
            #expect(
                try await eventually {
                    try await bench.system.number("SELECT coalesce(max(attempts), 0) FROM erp.reports") >= 2
                })
            // Long enough for more attempts than there are.
            try await Task.sleep(for: .seconds(5))
            #expect(try await bench.system.ready("erp-bridge.dead") == 0)
            try relay.open()
            _ = try await bench.report()
            #expect(try await bench.system.ready("erp-bridge.dead") == 0)
        }
    }

    @Test("a refusal for good is told, blocks nobody, and is tried again with the next report")
    func refused() async throws {
        try await BridgeBench.with(mailbox: "refuse-550") { bench in
            try await bench.say([sampleOrder("1")])
            try await bench.knows(1)
            try await bench.collected(upTo: BridgeBench.noon.addingTimeInterval(86_400))
            #expect(try await bench.reaches("failed"))
            let told = try await bench.system.number(
                "SELECT count(*) FROM erp.open_conditions WHERE condition = 'report-refused:saigon'")
            #expect(told == 1)
            bench.clock.move(to: BridgeBench.noon.addingTimeInterval(86_400))
            #expect(try await bench.reaches("failed", "saigon-20261123-1200"))
            let attempts = try await bench.system.number(
                "SELECT attempts FROM erp.reports WHERE id = '\(BridgeBench.batch)'")
            #expect(attempts == 2)
        }
    }

    @Test("without a mailbox a report is made and kept")
    func noMailbox() async throws {
        try await BridgeBench.with(mailbox: "") { bench in
            try await bench.say([sampleOrder("1")])
            try await bench.knows(1)
            try await bench.collected()
            #expect(try await bench.reaches("stored"))
            #expect(try await bench.system.number("SELECT count(*) FROM shared.files") == 1)
        }
    }

    @Test("the statement that selects says what the rule of the domain says, for every kind of order")
    func sameRule() async throws {
        try await BridgeBench.with { bench in
            var expected: [String: String] = [:]
            var values: [String] = []
            for bits in 0..<128 {
                let candidate = ReportCandidate(
                    newest: 2, carried: bits & 1 == 0 ? nil : bits & 64 == 0 ? 1 : 2, isWithdrawn: bits & 2 != 0,
                    isCancelled: bits & 4 != 0, isHeld: bits & 8 != 0, awaitsPayment: bits & 16 != 0,
                    isRepeated: bits & 32 != 0 && bits & 1 != 0)
                expected["\(bits)"] = ReportSelection.place(of: candidate)?.rawValue
                values.append(
                    """
                    ('saigon', '\(bits)', '\(bits)', now(), 1, 1, 2, '', \(candidate.isWithdrawn),
                     \(candidate.isCancelled), \(candidate.isHeld), \(candidate.awaitsPayment), '[]',
                     \(candidate.carried.map(String.init) ?? "NULL"), \(candidate.isRepeated), true)
                    """)
            }
            try await bench.system.administrate(
                """
                INSERT INTO erp.orders (shop, external_id, number, placed_at, revision, state_version, statement,
                    digest, withdrawn, cancelled, held, awaits_payment, holds, carried, repeats, open)
                VALUES \(values.joined(separator: ", "))
                """)
            for id in (0..<128).map(String.init) {
                let same = try await bench.system.number(
                    """
                    SELECT count(*) FROM erp.orders o WHERE external_id = '\(id)'
                    AND \(ReportBuilder.place) IS NOT DISTINCT FROM \(expected[id].map { "'\($0)'" } ?? "NULL")
                    """)
                #expect(same == 1, "order \(id) is not at \(expected[id] ?? "no place")")
            }
        }
    }
}
