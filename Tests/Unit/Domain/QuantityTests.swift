import Domain
import Foundation
import Testing

@Suite("Quantities and identifiers")
struct QuantityTests {
    @Test(arguments: [
        ("0", 0), ("12", 12_000_000), ("-3.5", -3_500_000), ("+0.25", 250_000), ("0.000001", 1), (".5", 500_000),
        ("7.", 7_000_000), ("1.1000000000", 1_100_000), ("9223372036854.775807", Int64.max),
        ("-9223372036854.775808", Int64.min), ("000012", 12_000_000),
    ])
    func exactDecimalTextIsRead(_ text: String, _ micro: Int64) {
        #expect(Quantity(text)?.micro == micro)
    }

    @Test(arguments: [
        "", ".", "-", "1,5", " 1", "1 ", "1e3", "0.0000001", "1.2.3", "9223372036854.775808", "99999999999999999999",
        "--1", "１２", "0x10", "nan",
    ])
    func whatIsNotExactlyADecimalIsRefused(_ text: String) {
        #expect(Quantity(text) == nil)
    }

    @Test
    func theDescriptionReadsBackAsTheSameQuantity() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let micro =
                Int64.random(in: .min ... .max, using: &generator) >> Int64.random(in: 0...63, using: &generator)
            #expect(Quantity(Quantity(micro: micro).description)?.micro == micro)
        }
        #expect(Quantity(micro: -3_500_000).description == "-3.5")
        #expect(Quantity(12).description == "12")
        #expect(Quantity(micro: .min).description == "-9223372036854.775808")
    }

    @Test
    func arithmeticSaturatesInsteadOfTrapping() {
        #expect(Quantity.max + Quantity(1) == .max)
        #expect(Quantity.min - Quantity(1) == .min)
        #expect(Quantity.min + Quantity(-1) == .min)
        #expect(Quantity.max - Quantity(-1) == .max)
        #expect(Quantity(Int.max) == .max && Quantity(Int.min) == .min)
        #expect(Quantity.max.multiplied(by: -2) == .min && Quantity.min.multiplied(by: -2) == .max)
        #expect(Quantity.max.addingReportingOverflow(Quantity(1)).overflow)
        #expect(!Quantity(2).addingReportingOverflow(Quantity(1)).overflow)
    }

    @Test
    func unitsAreRoundedDownNeverUp() {
        #expect(Quantity(micro: 1_999_999).flooredUnits == 1)
        #expect(Quantity(micro: -1).flooredUnits == -1)
        #expect(Quantity(-2).flooredUnits == -2)
        #expect(Quantity(micro: 5_999_999).wholePacks(of: 2) == 2)
        #expect(Quantity(-6).wholePacks(of: 2) == 0)
        #expect(Quantity(6).wholePacks(of: 0) == 0)
    }

    @Test
    func quantitiesAreTextInJSON() throws {
        let bytes = try JSONEncoder().encode([Quantity(micro: 12_500_000), .zero])
        #expect(String(decoding: bytes, as: UTF8.self) == #"["12.5","0"]"#)
        #expect(try JSONDecoder().decode([Quantity].self, from: bytes) == [Quantity(micro: 12_500_000), .zero])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([Quantity].self, from: Data("[1]".utf8)) }
    }

    @Test
    func identifiersAreComparedScalarByScalarAsTheDatabaseDoes() throws {
        let composed = ERPCode("S\u{1EEF}a")
        let decomposed = ERPCode("Su\u{031B}\u{0303}a")
        #expect(composed.rawValue == decomposed.rawValue, "to String they are one")
        #expect(composed != decomposed && Set([composed, decomposed]).count == 2)
        #expect((composed < decomposed) != (decomposed < composed))
        #expect(ShopSKU(" \u{00A0}\t").isBlank && !ShopSKU(" x").isBlank && ShopSKU("").isBlank)
        let bytes = try JSONEncoder().encode([ShopName("hanoi"): ERPCode("1")])
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"hanoi":"1"}"#)
    }

    @Test
    func aVariationKnowsItsParent() {
        let variation = ListingID(parent: "12", variation: "34")
        #expect(variation == "12/34" && variation.parent == "12" && variation.variation == "34")
        #expect(ListingID("12").parent == "12" && ListingID("12").variation == nil)
    }

    @Test(arguments: [
        ("2026-11-21T06:00:00Z", "2026-11-21T06:00:00Z"), ("2026-11-21T06:00:00+07:00", "2026-11-20T23:00:00Z"),
        ("2026-11-21T06:00:00.250Z", "2026-11-21T06:00:00.25Z"), ("2024-02-29 23:59:59-0030", "2024-03-01T00:29:59Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("2026-11-21T06:00:00.1234564Z", "2026-11-21T06:00:00.123456Z"),
    ])
    func timesAreReadAndWrittenInUTC(_ text: String, _ expected: String) {
        #expect(UTCTimestamp.parse(text).map(UTCTimestamp.format) == expected)
    }

    @Test(arguments: [
        "2026-11-21T06:00:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21",
        "2026-11-21T06:00:00.Z", "2026-11-21T06:00:00+7:00", "",
    ])
    func aTimeWithoutZoneOrThatDoesNotExistIsRefused(_ text: String) {
        #expect(UTCTimestamp.parse(text) == nil)
    }
}
