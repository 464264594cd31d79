import Contracts
import DeadLetters
import Foundation
import PostgreSQL
import Testing

@testable import Stockbridge

/// Dead letters of a bad morning.
enum SampleLetters {
    static let now = SampleStatus.now

    static func line(_ id: Int64, minutesAgo: Double = 5) -> LetterLine {
        LetterLine(
            id: id, service: "stock-publisher", queue: "stock-publisher.push.hanoi", topic: "stock-publisher.push",
            shop: "hanoi", order: nil, erp: nil, items: ["hanoi/310", "hanoi/311"], errorClass: "permanent",
            errorCode: "shop.malformed", errorMessage: "Shop hanoi answered something that is not JSON.",
            fingerprint: "stock-publisher.push.hanoi|stock-publisher.push|shop.malformed",
            failedAt: now.addingTimeInterval(-60 * minutesAgo), attempts: 3, times: 1, state: "waiting", edited: false)
    }

    static func order(_ id: Int64) -> LetterLine {
        var letter = line(id, minutesAgo: 61)
        (letter.service, letter.queue, letter.topic) = ("erp-bridge", "erp-bridge", "order.created")
        (letter.order, letter.items, letter.errorCode) = ("hanoi:10231", ["NHH-1"], "payload.invalid")
        (letter.attempts, letter.times) = (1, 2)
        return letter
    }

    static func job(_ counts: [String: Int], _ state: String = "running") -> ReplayJob {
        ReplayJob(
            id: UUID(uuidString: "4F1C2A3B-0000-4000-8000-000000000001") ?? UUID(), state: state, stateReason: nil,
            requestedBy: "lan", reason: "hanoi is mended", filter: nil, letters: 3_000, ratePerSecond: 50, canary: 10,
            stopShare: 0.2, createdAt: now.addingTimeInterval(-75), endedAt: nil, counts: counts)
    }
}

@Suite("What the tool says about dead letters")
struct LetterTextTests {
    private static let wide = """
         id  failed    queue                       topic                 about         error            tries  times
        118  06:05:00  stock-publisher.push.hanoi  stock-publisher.push  hanoi/310 +1  shop.malformed       3      1
          7  05:09:00  erp-bridge                  order.created         hanoi:10231   payload.invalid      1      2
        """

    private func list(_ letters: [LetterLine], total: Int? = nil, width: Int? = nil) -> String {
        LetterListText(
            page: LetterPage(total: total ?? letters.count, letters: letters), wording: SampleStatus.wording,
            style: .plain, now: SampleLetters.now, width: width
        ).text
    }

    @Test("a list has one line a letter where there is room")
    func wideList() {
        #expect(list([SampleLetters.line(118), SampleLetters.order(7)]) == Self.wide)
    }

    @Test("and two on a narrow terminal, none of which is longer than it")
    func narrowList() {
        let text = list([SampleLetters.line(118), SampleLetters.order(7)], width: 80)
        #expect(
            text == """
                118  06:05:00  shop.malformed  3 tries
                     stock-publisher.push.hanoi  hanoi/310 +1
                  7  05:09:00  payload.invalid  1 try, died 2 times
                     erp-bridge  hanoi:10231
                """)
        #expect(list([SampleLetters.line(118)], width: 200).hasPrefix(" id  failed"))
    }

    @Test("a list says how many more there are, and nothing in one line")
    func ends() {
        #expect(list([]) == "No dead letters match this.")
        #expect(
            list([SampleLetters.line(118)], total: 3_000).hasSuffix(
                "\nThe newest 1 of 3,000 letters; --limit shows more, 'groups' the kinds."))
    }

    @Test("states are told where they differ")
    func states() {
        var archived = SampleLetters.line(2)
        archived.state = "archived"
        #expect(list([SampleLetters.line(1), archived]).contains("archived"))
        #expect(!list([archived]).contains("archived"))
    }

    @Test("control characters of a strange message stay out of the list")
    func strange() {
        var letter = SampleLetters.line(1)
        (letter.queue, letter.topic, letter.errorCode) = ("a\u{1B}[2J", "b\nc", "d\u{7}")
        let text = list([letter])
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 })
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test("groups tell how many, since when, why, and how to name them")
    func groups() throws {
        let line = SampleLetters.line(118)
        let groups = try [2_990, 10].map { count in
            try ContractCoding.decode(
                LetterGroup.self,
                from: Array(
                    """
                    {"service":"\(line.service)","topic":"stock-publisher.push","fingerprint":"\(line.fingerprint)",\
                    "error_code":"\(line.errorCode)","letters":\(count),"shops":\(count > 10 ? 1 : 2),"newest":118,\
                    "first_failed_at":"2026-11-21T23:00:00Z","last_failed_at":"2026-11-21T23:10:00Z",\
                    "error_message":"\(line.errorMessage)"}
                    """.utf8))
        }
        let text = LetterGroupsText(
            groups: groups, wording: SampleStatus.wording, style: .plain, now: SampleLetters.now, width: 60)
        #expect(
            text.text == """
                3,000 letters, 2 kinds

                2,990  shop.malformed  06:00:00 to 06:10:00
                       Shop hanoi answered something that is not JSON.
                       --fingerprint 'stock-publisher.push.hanoi|stock-publisher.push|shop.malformed'

                   10  shop.malformed  06:00:00 to 06:10:00, 2 shops
                       Shop hanoi answered something that is not JSON.
                       --fingerprint 'stock-publisher.push.hanoi|stock-publisher.push|shop.malformed'
                """)
    }

    @Test("a letter is told with why, what a replay would do, and its body")
    func detail() {
        var detail = LetterDetail(
            letter: SampleLetters.line(118), identity: "4f1c", dataSchema: "stockbridge:stock-publisher.push:1",
            subject: "hanoi", correlation: nil, firstFailedAt: nil, archivedAt: SampleLetters.now,
            stateAt: SampleLetters.now, job: nil, itemCount: 2, properties: nil, body: ShownBody(Array("{}".utf8)),
            editedBody: nil,
            history: [.init(at: SampleLetters.now, step: "died_again", who: "stock-publisher", why: nil, detail: "x")],
            forecast: ReplayForecast(kind: .superseded, why: "It is confirmed."))
        func text() -> String {
            LetterDetailText(
                detail: detail, wording: SampleStatus.wording, style: .plain, now: SampleLetters.now
            ).text
        }
        for part in [
            "Letter 118: waiting, failed 22 Nov 06:05:00 in stock-publisher.push.hanoi",
            "Shop hanoi answered something", "A replay now: superseded. It is confirmed.", " Body (JSON, 2 bytes)",
            "died again (stock-publisher): x", "dead-letters replay 118 --reason",
        ] {
            #expect(text().contains(part), "\(part)")
        }
        detail.editedBody = ShownBody(Array("[]".utf8))
        detail.letter.state = "archived"
        #expect(text().contains("Body as edited") && text().contains("Original body"))
        #expect(!text().contains("--reason"))
    }
}

@Suite("Dead letters in the status")
struct DeadLetterStatusTests {
    @Test("letters that wait need attention, once for all of them")
    func attention() {
        var status = SampleStatus.good()
        #expect(StatusAttention.of(status, services: SampleStatus.services).isEmpty)
        status.deadLetters = .init(waiting: 3_000, kinds: 2)
        #expect(
            StatusAttention.of(status, services: SampleStatus.services) == [
                .init(
                    what: "3,000 messages of 2 kinds failed for good and wait among the dead letters.",
                    whatToDo: "stockbridge dead-letters groups")
            ])
    }
}

@Suite("What the tool says about replays")
struct JobTextTests {
    private let text = JobText(wording: SampleStatus.wording, style: .plain, now: SampleLetters.now)

    @Test("a list of jobs")
    func list() {
        #expect(text.list([]) == "No dead letter was replayed in the last 400 days.")
        #expect(
            text.list([
                SampleLetters.job(["processed": 1_200, "failed_again": 3, "published": 7, "requested": 1_790])
            ]) == """
                job       state    letters  settled  failed  rate  age         by   why
                4f1c2a3b  running    3,000    1,203       3  50/s  1 min 15 s  lan  hanoi is mended
                """)
    }

    @Test("one job with what failed again")
    func detail() {
        var job = SampleLetters.job(["processed": 8, "failed_again": 2, "requested": 2_990], "stopped")
        job.stateReason = "2 of 10 failed again."
        let failure = ReplayJobDetail.Failure(
            state: "failed_again", sentence: "The shop refused it.", letters: 2, examples: [17, 18])
        #expect(
            text.detail(ReplayJobDetail(job: job, failures: [failure])) == """
                Job 4f1c2a3b: stopped
                 because    2 of 10 failed again.
                 id         4f1c2a3b-0000-4000-8000-000000000001
                 begun      22 Nov 06:08:45 by lan: hanoi is mended
                 pace       50/s, 10 first, stops above 20% failures
                 letters    3,000, 10 with an outcome
                                 8  processed
                                 2  failed again
                             2,990  not sent yet

                 What failed again:
                      2  The shop refused it.
                        letters 17, 18

                 stockbridge dead-letters jobs resume 4f1c2a3b   to let it go on
                 stockbridge dead-letters jobs cancel 4f1c2a3b   to end it; what was not sent stays a dead letter
                """)
    }

    @Test("the end of a job that was followed")
    func outcome() {
        let done = SampleLetters.job(["processed": 2_990, "superseded": 10], "done")
        #expect(
            JobText.outcome(done, style: .plain)
                == "The job is done, 3,000 of 3,000 letters have an outcome: 2,990 processed, 10 superseded.")
        #expect(!done.needsAttention && !done.isOpen)
        #expect(SampleLetters.job(["failed_again": 1], "done").needsAttention)
        #expect(SampleLetters.job(["undeliverable": 1], "done").needsAttention)
        #expect(SampleLetters.job([:], "stopped").needsAttention)
        #expect(
            JobText.progress(SampleLetters.job(["published": 10, "requested": 2_990]))
                == "replay 4f1c2a3b running: 0 of 3,000, 10 on their way, 2,990 not sent yet")
    }
}
