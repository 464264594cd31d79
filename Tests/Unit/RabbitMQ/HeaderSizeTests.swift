import Foundation
import Testing

@testable import RabbitMQ

@Suite struct HeaderSizeTests {
    @Test(arguments: [
        (HeaderValue.string("é"), 7), (.integer(1), 9), (.boolean(true), 2), (.double(1), 9),
        (.timestamp(Date(timeIntervalSince1970: 0)), 9), (.bytes([1, 2, 3]), 8), (.void, 1),
        (.array([]), 5), (.array([1, "ab"]), 21), (.table([:]), 5), (.table(["ab": true]), 10),
    ])
    func `every kind of value takes what the protocol says`(value: HeaderValue, bytes: Int) {
        #expect(HeaderSize.bytes(of: value) == bytes)
        // A table: four bytes of length, a name with its length, the value.
        #expect(HeaderSize.bytes(of: ["name": value]) == 4 + 5 + bytes)
    }

    @Test func `32 KiB exactly is allowed and a byte more is not`() throws {
        var message = OutgoingMessage(exchange: "", routingKey: "", body: [])
        message.properties.headers = ["n": .bytes(Array(repeating: 0, count: 32_768 - 11))]
        try message.checkLimits()
        message.properties.headers = ["n": .bytes(Array(repeating: 0, count: 32_768 - 10))]
        #expect(throws: BrokerError.headersTooLarge(bytes: 32_769)) { try message.checkLimits() }
    }

    @Test func `a header name of more than 255 bytes is refused at any depth`() throws {
        let long = String(repeating: "n", count: 256)
        var message = OutgoingMessage(exchange: "", routingKey: "", body: [])
        message.properties.headers = ["a": .array([.table([long: 1])])]
        #expect(throws: BrokerError.fieldTooLong(field: "header name", bytes: 256)) { try message.checkLimits() }
    }

    @Test func `a property of 255 bytes is allowed and one more is not`() throws {
        var message = OutgoingMessage(exchange: "", routingKey: "", body: [])
        message.properties.messageID = String(repeating: "i", count: 255)
        try message.checkLimits()
        message.properties.messageID = String(repeating: "i", count: 256)
        #expect(throws: BrokerError.fieldTooLong(field: "message id", bytes: 256)) { try message.checkLimits() }
    }
}
