import Foundation
import PostgreSQL
import ProcessStack
import ShopSimulators
import TestStack
import Testing

/// The database is lost on a day with orders and restored to the morning, by the lines of docs/backup.md.
@Suite("A database that is restored to an earlier moment", .serialized, .timeLimit(.minutes(60)))
struct RestoreFaults {
    @Test("Nothing is missing or twice at the ERP, and no shop shows an old number", arguments: FaultSeeds.all)
    func restore(seed: UInt64) async throws {
        print("fault: a restore with STOCKBRIDGE_FAULT_SEED=\(seed)")
        let plan = StackPlan(
            skus: 80, shops: ["hanoi", "beauty"], shopLatencyMilliseconds: 50, startsAt: "05:30",
            edits: [("request_timeout_seconds: 30", "request_timeout_seconds: 1"), ("batch: 100", "batch: 5")])
        try await ProcessStack.with(plan) { stack in
            let began = ContinuousClock.now
            var day = try LostDay(stack, seed: seed)
            try await day.morning()
            try await day.backUp()
            try await day.noon()
            try await day.loseTheDatabase()
            try await day.restore()
            let afterRestore = try day.verdictOfRestore()
            try await day.afternoon()
            var verdict = try await day.verdict()
            verdict.stale += afterRestore
            FaultTally.shared.conclude(
                "the database lost and restored to an earlier moment", verdict, injected: 1, inFlight: day.inFlight,
                since: began, saying: "restore \(seed): \(day.story)")
        }
        print(FaultTally.shared.text)
    }
}

private struct LostDay {
    private let stack: ProcessStack
    private let round: WholeRound
    private let runbook: Runbook
    private var dice: Dice
    private var newest: Morning
    /// What the shops showed, and what their journals held, when the database was lost.
    private var writesBefore: [String: Int] = [:]
    private var wrongBefore: Set<String> = []
    private(set) var inFlight = 0
    private(set) var story = ""

    init(_ stack: ProcessStack, seed: UInt64) throws {
        (self.stack, dice, newest) = (stack, Dice(seed: seed), stack.morning)
        round = WholeRound(stack, nil)
        runbook = try Runbook(stack)
    }

    // MARK: - The day

    mutating func morning() async throws {
        try await stack.open(hasOrders: true)
        try stack.deliver(stack.morning)
        try await stack.clock.move(to: "06:00")
        try await stack.stockbridge("run", "stock", "--wait", "120")
        try await stack.waitFor("runs")
        try round.trade(12, &dice)
        try await stack.waitForOrders()
        try await report()
        try round.trade(6, &dice)
    }

    /// In the middle of everything.
    mutating func backUp() async throws {
        try await round.keepBusy(&dice)
        inFlight += try await stack.messagesInFlight()
        try await runbook.run("Back up")
    }

    /// What the database will know nothing of: changed orders, two reports, another stock file.
    ///
    /// From here on nobody cancels: an order that the ERP has had for longer than it takes to enter it is a person's
    /// business, whose answer this story does not play.
    mutating func noon() async throws {
        try round.trade(12, &dice, cancelling: false)
        try await stack.waitForOrders()
        try await stack.settleWithOrders()
        try await report()
        newest = try await stack.day(2)
        try stack.deliver(newest)
        try await stack.clock.move(to: "06:00", day: 2)
        try await stack.stockbridge("run", "stock", "--wait", "120")
        try round.trade(8, &dice, cancelling: false)
        try await stack.waitForOrders()
        try await stack.settleWithOrders()
        try await report()
        try round.trade(6, &dice, cancelling: false)
        try await stack.waitForOrders()
    }

    mutating func loseTheDatabase() async throws {
        try await round.keepBusy(&dice, cancelling: false)
        stack.killServices()
        inFlight += try await stack.messagesInFlight()
        let reports = try await stack.number("SELECT count(*) FROM erp.reports WHERE state = 'sent'")
        let orders = try await stack.number("SELECT count(*) FROM orders.orders")
        try await stack.destroyDatabase()
        // Customers notice nothing.
        try round.trade(5, &dice, cancelling: false)
        story = "\(reports) reports and \(orders) orders before"
        writesBefore = writes()
        wrongBefore = Set(wrongItems())
    }

    mutating func restore() async throws {
        try saveReports()
        try await stack.withDatabaseClosed {
            try await stack.withRolesLocked { try await runbook.run("Restore", until: "Now the services") }
        }
        let left = try await stack.number("SELECT count(*) FROM erp.reports WHERE state = 'sent'")
        let told = try await stack.number("SELECT count(*) FROM erp.restored")
        let known = try await stack.number("SELECT count(*) FROM orders.orders")
        story += ", \(left) and \(known) after the restore, \(told) orders in reports read back"
        #expect(told > 0)
        try await runbook.run("Restore", from: "Now the services")
        try await stack.waitForOrders()
        try await stack.settleWithOrders()
        // What was cancelled after the ERP had it counts until the ERP was told.
        try await report()
        try await stack.settleWithOrders()
        try await stack.waitForShelves(newest)
    }

    mutating func afternoon() async throws {
        try round.trade(10, &dice, cancelling: false)
        try await stack.waitForOrders()
        try await stack.settleWithOrders()
        try await report()
        try await round.keepBusy(&dice, cancelling: false)
        try await stack.waitForOrders()
        try await stack.settleWithOrders()
        try await stack.clock.advance(minutes: 2)
        try await report()
        try await stack.waitForShelves(newest)
        try await stack.settleWithOrders()
    }

    private func report() async throws {
        try await stack.clock.advance(minutes: 1)
        try await stack.stockbridge("run", "report", "--wait", "120", expecting: [0, 3])
        try await stack.wait(for: "the reports") {
            try await stack.number("SELECT count(*) FROM erp.reports WHERE sent_at IS NULL") == 0
        }
    }

    /// What a person does: the attachments of all reports that arrived, into the folder `mailed`.
    private func saveReports() throws {
        let folder = runbook.folder.appending(path: "mailed")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for mail in try stack.arrivedMails() {
            guard let batch = mail.batch, let file = mail.attachments.first else { continue }
            try file.content.write(to: folder.appending(path: "\(batch).xlsx"))
        }
    }

    // MARK: - What came of it

    private func writes() -> [String: Int] {
        var counts: [String: Int] = [:]
        for (shop, simulator) in stack.shops {
            for entry in simulator.journal where entry.source == .api || entry.source == .late {
                counts["\(shop) \(entry.id)", default: 0] += 1
            }
        }
        return counts
    }

    /// Items whose shelf did not show what it should, as `shop item`.
    private func wrongItems() -> [String] {
        stack.wrongShelvesWithOrders(newest).compactMap { sentence in
            let words = sentence.split(separator: " ")
            return words.count > 1 ? "\(words[0]) \(words[1])" : nil
        }
    }

    /// A shelf that was right when the database was lost, and stayed right, is none that a restore has to write to.
    func verdictOfRestore() throws -> [String] {
        let now = writes()
        // A journal may name an item by its last part only, or with what it belongs to.
        func wasWrong(_ key: String) -> Bool {
            let (shop, id) = (key.prefix { $0 != " " }, key.drop { $0 != " " }.dropFirst())
            return wrongBefore.contains { wrong in
                guard wrong.hasPrefix("\(shop) ") else { return false }
                let item = wrong.dropFirst(shop.count + 1)
                return item == id || id.hasSuffix("/\(item)") || item.hasSuffix("/\(id)")
            }
        }
        let strange = now.filter { $0.value > writesBefore[$0.key, default: 0] && !wasWrong($0.key) }
        return strange.keys.sorted().map { "\($0) was right and was written to after the restore" }
    }

    func verdict() async throws -> FaultVerdict {
        var verdict = FaultVerdict()
        verdict.lost += stack.wrongShelvesWithOrders(newest)
        let reported = try ReportedOrders(stack)
        verdict.lost += reported.differences(from: stack)
        verdict.duplicated += reported.duplicated
        verdict.duplicated += try await WriteAudit(stack).overlapping
        for (queue, count) in try await stack.waitingMessages() { verdict.lost.append("\(count) messages in \(queue)") }
        let open = try await stack.texts("SELECT format('%s:%s in %s', shop, external_id, batch_id) FROM erp.restored")
        verdict.lost += open.map { "\($0) was never heard of again" }
        verdict.lost += try await stack.texts("SELECT error_message FROM dead_letters.letters WHERE state = 'waiting'")
        return verdict
    }
}

/// The lines of docs/backup.md, run as they stand but for the names of the deployment.
private struct Runbook {
    let folder: URL
    private let stack: ProcessStack
    private let lines: [(heading: String, paragraph: String, line: String)]

    init(_ stack: ProcessStack) throws {
        self.stack = stack
        folder = stack.directory.appending(path: "administrator")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "infra"), withDestinationURL: Repository.folder.appending(path: "infra"))
        var (heading, paragraph, isCode) = ("", "", false)
        var found: [(String, String, String)] = []
        for line in try String(
            contentsOf: Repository.folder.appending(path: "docs/backup.md"), encoding: .utf8
        ).split(separator: "\n").map(String.init) {
            if line.hasPrefix("## ") { heading = String(line.dropFirst(3)) }
            if line.hasPrefix("```") {
                isCode = line == "```sh"
            } else if isCode {
                found.append((heading, paragraph, line))
            } else {
                paragraph = line
            }
        }
        lines = found
    }

    /// Runs the lines of a section.
    ///
    /// - Parameters:
    ///   - from: The paragraph before the first line to run contains this.
    ///   - until: The paragraph before the first line not to run contains this.
    func run(_ heading: String, from: String? = nil, until: String? = nil) async throws {
        var (hasBegun, exports, count) = (from == nil, "", 0)
        for (place, paragraph, line) in lines where place == heading {
            if line.hasPrefix("export ") { exports += own(line) + "\n" }
            if let from, paragraph.contains(from) { hasBegun = true }
            if let until, paragraph.contains(until) { break }
            guard hasBegun else { continue }
            try await carryOut(line, exports)
            count += 1
        }
        #expect(count > 0, "docs/backup.md has lines under '\(heading)'")
    }

    private func carryOut(_ line: String, _ exports: String) async throws {
        let words = line.split(separator: " ").map(String.init)
        let services = words.filter { WholeRound.services.contains($0) }
        if line.hasPrefix("docker compose stop ") {
            for service in services {
                // In this story they have died already.
                if let child = try? stack.running(service) { try await child.stop() }
            }
        } else if line.hasPrefix("docker compose up ") {
            for service in services { try await stack.start(service) }
        } else if !line.hasPrefix("export ") {
            try await stack.shell(own(line), prelude: "cd '\(folder.path())'\n\(Self.docker)\n\(exports)")
        }
    }

    /// With the names that this system has.
    private func own(_ line: String) -> String {
        line.replacing("delete_vhost stockbridge", with: "delete_vhost \(stack.name)")
            .replacing("PGDATABASE=stockbridge", with: "PGDATABASE=\(stack.name)")
            .replacing("PGUSER=postgres", with: "PGUSER=$PGUSER")
    }

    /// What `docker compose` does with containers, done with processes.
    private static let docker = """
        docker() {
            local verb=$2 from='' to='' word words=()
            shift 2
            while [[ $1 == -* ]]; do
                if [ "$1" = -v ]; then IFS=: read -r from to _ <<< "$2"; shift; fi
                shift
            done
            local service=$1
            shift
            for word in "$@"; do words+=("${word/#$to/$from}"); done
            case $verb/$service in
                exec/*) "${words[@]}" ;;
                run/stockbridge) stockbridge "${words[@]}" || [ $? -eq 3 ] ;;
                run/migrate)
                    if [ ${#words[@]} -gt 0 ]; then "${words[@]}"; else
                        stockbridge migrate && stockbridge topology apply --yes
                    fi ;;
                *) echo "docker compose $verb $service?" >&2; return 1 ;;
            esac
        }
        export -f docker
        """
}
