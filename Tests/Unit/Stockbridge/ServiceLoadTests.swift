import Foundation
import Testing

@testable import Stockbridge

@Suite("Whether more replicas of a service would help")
struct ScalingAdviceTests {
    typealias Queue = ServiceLoad.Queue
    typealias Pace = ServiceLoad.Pace

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var replicas = 1
        var queues: [Queue]
        var paces: [Pace] = []
        var advice: ScalingAdvice
        var sentence: String?
    }

    private static func push(_ shop: String, _ ready: Int, _ perSecond: Double, consumers: Int = 1) -> Queue {
        Queue("stock-publisher.push.\(shop)", ready: ready, consumers: consumers, perSecond: perSecond, shop: shop)
    }

    @Test(
        "The bound decides: time, replicas, limits, outages",
        arguments: [
            Case(testDescription: "nothing waits", queues: [Queue("q")], advice: .enough),
            Case(
                testDescription: "what waits is done within a minute", queues: [Queue("q", ready: 600, perSecond: 10)],
                advice: .enough),
            Case(
                testDescription: "no replica", replicas: 0, queues: [Queue("q", ready: 1, consumers: 0)],
                advice: .start, sentence: "stock-publisher: 1 message, and no replica is alive: start one."),
            Case(
                testDescription: "the limits leave room", queues: [push("hanoi", 12_000, 50)],
                paces: [Pace(shop: "hanoi", limit: 400, used: 100)], advice: .scale(by: 3, full: []),
                sentence: "stock-publisher: 12,000 messages, 4 min to drain with 1 replica; "
                    + "the shops' rate limits allow 3 more."),
            Case(
                testDescription: "the limits leave room for one only", queues: [push("hanoi", 12_000, 50)],
                paces: [Pace(shop: "hanoi", limit: 200, used: 100)], advice: .scale(by: 1, full: [])),
            Case(
                testDescription: "the limit is used up", replicas: 2, queues: [push("hanoi", 12_000, 20)],
                paces: [Pace(shop: "hanoi", limit: 20, used: 19)], advice: .full(["hanoi"]),
                sentence: "stock-publisher: 12,000 messages, 10 min to drain with 2 replicas; more would not help: "
                    + "the shops' rate limits are used up (hanoi 20 a second)."),
            Case(
                testDescription: "one shop's limit is used up, the other's is not",
                queues: [push("hanoi", 6_000, 20), push("saigon", 6_000, 20)],
                paces: [Pace(shop: "hanoi", limit: 20, used: 20), Pace(shop: "saigon", limit: 60, used: 20)],
                advice: .scale(by: 2, full: ["hanoi"]),
                sentence: "stock-publisher: 12,000 messages, 5 min to drain with 1 replica; the shops' rate limits "
                    + "allow 2 more; hanoi is at the limit already."),
            Case(
                testDescription: "a shop is out", queues: [push("hanoi", 900, 0, consumers: 0)],
                paces: [Pace(shop: "hanoi", limit: 20, used: 0, isOut: true)], advice: .out(["hanoi"]),
                sentence: "stock-publisher: 900 messages; more would not help: hanoi is out, and the work goes on by "
                    + "itself afterwards."),
            Case(
                testDescription: "one shop is out, the others go on",
                queues: [push("hanoi", 900, 0, consumers: 0), push("saigon", 6_000, 20)],
                paces: [
                    Pace(shop: "hanoi", limit: 20, used: 0, isOut: true), Pace(shop: "saigon", limit: 80, used: 20),
                ],
                advice: .scale(by: 3, full: [])),
            Case(
                testDescription: "nothing moves", queues: [Queue("q", ready: 500)], advice: .still,
                sentence: "stock-publisher: 500 messages, and none was begun within the last minute; look at its log "
                    + "before adding replicas."),
            Case(
                testDescription: "it calls no shop", queues: [Queue("q", ready: 3_600, perSecond: 30)],
                advice: .scale(by: 1, full: []),
                sentence: "stock-publisher: 3,600 messages, 2 min to drain with 1 replica; try 1 more."),
            Case(
                testDescription: "never more than was tried", replicas: 4,
                queues: [Queue("q", ready: 1_000_000, perSecond: 30)], advice: .scale(by: 4, full: [])),
            Case(
                testDescription: "as many as there may be", replicas: 8,
                queues: [Queue("q", ready: 1_000_000, perSecond: 30)], advice: .enough),
        ])
    func advice(_ given: Case) {
        let load = ServiceLoad(service: "stock-publisher", replicas: given.replicas, queues: given.queues)
        let advice = ScalingAdvice.of(load, paces: given.paces)
        #expect(advice == given.advice)
        if let sentence = given.sentence { #expect(advice.sentence(load, paces: given.paces) == sentence) }
        #expect((advice == .enough) == (advice.sentence(load, paces: given.paces) == nil))
    }

    @Test("The slowest queue decides when all is done, and one that stands still leaves it open")
    func drain() {
        let queues = [Queue("a", ready: 100, perSecond: 10), Queue("b", ready: 100, perSecond: 2)]
        #expect(ServiceLoad(service: "s", replicas: 1, queues: queues).drainSeconds == 50)
        #expect(ServiceLoad(service: "s", replicas: 1, queues: queues + [Queue("c", ready: 1)]).drainSeconds == nil)
        #expect(ServiceLoad(service: "s", replicas: 1, queues: [Queue("c")]).drainSeconds == 0)
    }
}

@Suite("The services of a status")
struct StatusServicesTests {
    private func service(_ load: ServiceLoad, isKnown: Bool = true) -> StatusReport.Service {
        StatusReport.Service(load, [], isKnown: isKnown)
    }

    private func text(_ status: StatusReport) -> String {
        StatusText(status: status, wording: SampleStatus.wording, style: .plain).services
    }

    private let busy = ServiceLoad(
        service: "stock-publisher", replicas: 12,
        queues: [.init("stock-publisher", ready: 1_234_567, consumers: 12, perSecond: 1_234.4)], inHand: 1_200,
        retrying: 99_999, outbox: 123_456)

    @Test("Replicas, what waits, the pace and the time stand in one row, no wider than 100 columns")
    func row() {
        var status = SampleStatus.good()
        status.services = [service(busy)]
        let lines = text(status).split(separator: "\n").map(String.init)
        #expect(lines.count == 3 && lines.allSatisfy { $0.count <= 100 })
        for words in ["12", "1,234,567", "1,200", "99,999", "123,456", "1,234", "17 min"] {
            #expect(lines.last?.contains(words) == true, "\(words)")
        }
    }

    @Test("Advice stands below, and replicas that did not sign off")
    func remarks() {
        var status = SampleStatus.good()
        var slow = busy
        slow.replicas = 2
        status.services = [service(slow)]
        status.replicas[2].alive = false
        #expect(text(status).contains(" * stock-publisher: 1,234,567 messages, 17 min to drain with 2 replicas; try 6"))
        #expect(text(status).contains(" * stock-publisher: 1 replica ended without signing off"))
    }

    @Test("Without the broker nothing is made up, and the reason is told")
    func noBroker() {
        var status = SampleStatus.good()
        status.services = [service(busy, isKnown: false)]
        status.brokerProblem = "The broker at mq:5671 cannot be reached (refused)."
        let text = text(status)
        #expect(text.contains("What waits is not known: The broker at mq:5671 cannot be reached (refused)."))
        #expect(text.contains("?") && !text.contains("1,234,567") && !text.contains("more"))
    }
}
