import Domain
import Foundation
import Testing
import Transfer

@testable import ShopConnectors

extension FuzzTests {
    @Suite("Small texts are read exactly or refused")
    struct TextFuzz {
        @Test func `quantities and amounts are written as they were read`() async throws {
            let corpus = Fuzz.bytes([
                "12", "-3.5", "+0.250", "410000.00", "33333.333333333336", "-9223372036854.775808",
            ])
            try await Fuzz.run("decimals", corpus: corpus + Fuzz.bytes(SeededBytes.extremes), cases: 3_000) { one in
                let text = one.text
                if let quantity = Quantity(text) { #expect(Quantity(quantity.description) == quantity, "\(one.label)") }
                if let amount = Amount(rounding: text) {
                    #expect(Amount(amount.description) == amount, "\(one.label)")
                    for other in [Amount(micro: .max), Amount(micro: .min), amount, Amount(micro: 1)] {
                        let count = Quantity(micro: other.micro)
                        _ = (amount.times(count), amount.divided(by: count), amount.scaled(by: other, over: amount))
                        _ = (
                            other.scaled(by: amount, over: other), amount + other, amount - other, -amount,
                            amount.magnitude
                        )
                    }
                }
            }
        }

        @Test func `moments are written as they were read`() async throws {
            let corpus = Fuzz.bytes([
                "2026-11-21T06:00:00Z", "2026-11-21T06:00:00.123456+07:00", "0001-01-01T00:00:00+14:00",
                "9999-12-31T23:59:59.999999-14:00", "0000-02-29T00:00:00Z", "2026-03-02T02:20:41",
                "Sun, 06 Nov 1994 08:49:37 GMT", "Sat, 02 Jan 2027 00:01:30 GMT", "999999999-1-1T1:1:1",
            ])
            try await Fuzz.run("moments", corpus: corpus, cases: 1_500) { one in
                for date in [UTCTimestamp.parse(one.text), WooCommerceDate.parse(one.text), HTTPDate.parse(one.text)] {
                    guard let date else { continue }
                    let text = UTCTimestamp.format(date)
                    #expect(text.utf8.count <= 27 && UTCTimestamp.parse(text) != nil, "\(one.label): \(text)")
                }
                if let date = UTCTimestamp.parse(one.text), date.timeIntervalSince1970.magnitude < 200_000_000_000 {
                    #expect(UTCTimestamp.parse(UTCTimestamp.format(date)) == date, "\(one.label)")
                }
            }
        }

        @Test func `a shop asks us to wait between nothing and a day`() async throws {
            let corpus = Fuzz.bytes(["7", "0.5", "Sat, 02 Jan 2027 00:01:30 GMT", "1e300", "inf", "nan", "0x1p900"])
            let configuration = WooCommerceConfiguration(
                shop: "hanoi", url: "https://a", key: "ck_key1", secret: "cs_s1")
            try await Fuzz.run("Retry-After", corpus: corpus, cases: 1_500) { one in
                let headers = [
                    HTTPHeader("Retry-After", one.text), HTTPHeader("Date", "Sat, 02 Jan 2027 00:00:00 GMT"),
                    HTTPHeader("RateLimit-Remaining", one.text),
                ]
                let reading = AnswerReading(
                    response: HTTPResponse(status: 429, headers: headers), configuration: configuration,
                    call: ShopCall(shop: "hanoi", action: .readOrders))
                let seconds = reading.retryAfterSeconds ?? 0
                #expect((0...86_400).contains(seconds), "\(one.label): \(seconds)")
                #expect((reading.failure(items: 0)?.description.count ?? 0) < 400, "\(one.label)")
            }
        }

        @Test func `a schedule is written as it was read, goes forward, and is refused in a sentence`() async throws {
            let corpus = Fuzz.bytes([
                "0 6 * * *", "*/15 8-18/2 1,15 JAN-mar MON", "59 23 29 2 7", "0 0 31 2 *", "5/7 * ? * 0",
            ])
            let zone = try #require(TimeZone(identifier: "America/New_York"))
            try await Fuzz.run("cron", corpus: corpus, cases: 1_000) { one in
                do throws(CronError) {
                    let cron = try CronExpression(one.text)
                    let again = try CronExpression(cron.description)
                    #expect(again == cron, "\(one.label)")
                    let moment = Date(timeIntervalSince1970: Double(one.random.below(4_000_000_000)))
                    if let next = Schedule(cron: cron, timeZone: zone).next(after: moment) {
                        #expect(next > moment, "\(one.label)")
                    }
                } catch {
                    #expect(error.description.count < 600, "\(one.label): \(error.description.count)")
                }
            }
        }
    }
}
