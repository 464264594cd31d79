import Contracts
import Domain
import Foundation
import Testing

/// One payload of every shape, as it has to look on the wire.
struct Golden: CustomTestStringConvertible {
    let name: String
    let encoded: @Sendable () throws -> [UInt8]
    /// Reads the bytes and writes them again.
    let repeated: @Sendable ([UInt8]) throws -> [UInt8]

    init<Payload: EventPayload>(_ name: String, _ payload: Payload) {
        self.name = name
        encoded = { try ContractCoding.encode(payload) }
        repeated = { try ContractCoding.encode(try ContractCoding.decode(Payload.self, from: $0)) }
    }

    var testDescription: String { name }

    static let snapshot = StockAggregated.SnapshotIdentity(
        id: UUID(
            uuid: (0x01, 0x92, 0xA3, 0xB4, 0xC5, 0xD6, 0x47, 0xE8, 0x89, 0xFA, 0xAB, 0xBC, 0xCD, 0xDE, 0xEF, 0xF0)),
        source: "erp", sequence: 42, asOf: Date(timeIntervalSince1970: 1_795_215_600))
    static let run = UUID(uuid: (0xAA, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x01))
    static let moment = Date(timeIntervalSince1970: 1_795_215_731.25)

    static let all = stock + orders

    private static let stock = [
        Golden(
            "stock.aggregated.header-whole",
            StockAggregated.header(
                .init(
                    snapshot: snapshot, receivedAt: moment, kind: .whole, baseSequence: nil, chunks: 20, codes: 20_000,
                    missing: 0, quantities: .gross, fileName: "stock-20261121-0600.csv", runID: run))),
        Golden(
            "stock.aggregated.header-difference",
            StockAggregated.header(
                .init(
                    snapshot: snapshot, receivedAt: moment, kind: .difference, baseSequence: 41, chunks: 1,
                    codes: 19_999, missing: 1, quantities: .net, fileName: nil, runID: run))),
        Golden(
            "stock.aggregated.chunk",
            StockAggregated.chunk(
                .init(
                    snapshot: snapshot, part: 1, parts: 1,
                    skus: [
                        .init(
                            sku: "00123",
                            rows: [
                                .init(warehouse: "HCM", onHand: Quantity(-3), line: 4),
                                .init(warehouse: "HN", onHand: Quantity(micro: 12_500_000), reserved: 2, line: 5),
                            ]),
                        .init(sku: "SỮA-TẮM/500", rows: [.init(warehouse: "HN", onHand: .zero)]),
                    ],
                    missing: ["A \"quoted\" code"]))),
        Golden(
            "message.settled",
            MessageSettled(
                messageID: snapshot.id, queue: "stock-publisher.push.hanoi", replayID: "job-1",
                outcome: .alreadyProcessed, settledAt: moment)),
        Golden(
            "stock.held",
            StockHeld(
                snapshotID: snapshot.id, source: "erp", sequence: 42, asOf: snapshot.asOf, receivedAt: moment,
                fileName: "stock-20261121-0600.csv",
                reasons: [.init(rule: "max_to_zero", text: "60 % of the codes would go to zero; the limit is 30 %.")],
                rowsRead: 40_010, rowsSetAside: 3, codes: 20_000, codesToZero: 12_000)),
        Golden(
            "alert.raised",
            AlertRaised(
                condition: "file_late:erp", service: .stockIngestor, subject: AlertSubject(source: "erp"),
                severity: .warning, title: "No stock file from erp yet", text: "The file due at 06:00 has not come.",
                whatToDo: "Ask the ERP's people; the folder is looked at every 30 seconds.", raisedAt: moment)),
        Golden(
            "alert.cleared",
            AlertCleared(
                condition: "shop_unreachable:hanoi", service: .stockPublisher, subject: AlertSubject(shop: "hanoi"),
                text: "The shop answers again.", clearedAt: moment)),
        Golden(
            "command",
            Command(
                commandID: run, service: .stockPublisher, verb: .mappingSet,
                arguments: [
                    "shop": .string("hanoi"), "units_per_pack": .integer(2), "code": .null,
                    "flags": .array([.boolean(true), .number(0.5), .object([:])]),
                ],
                requestedBy: "linh", requestedAt: moment)),
    ]
}

@Suite("Events on the wire")
struct GoldenEventTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    /// `GOLDEN=write` writes the files anew; then read the difference before committing it.
    @Test(arguments: Golden.all)
    func everyPayloadLooksByteForByteAsItsGoldenFile(_ golden: Golden) throws {
        let file = Self.folder.appending(path: "\(golden.name).json")
        let bytes = try golden.encoded()
        if ProcessInfo.processInfo.environment["GOLDEN"] == "write" { try Data(bytes + [0x0A]).write(to: file) }
        let expected = try Data(contentsOf: file)
        #expect(String(decoding: bytes, as: UTF8.self) + "\n" == String(decoding: expected, as: UTF8.self))
        #expect(try golden.repeated(Array(expected)) == bytes, "reading and writing again changes it")
    }

    @Test
    func everyGoldenFileBelongsToAPayload() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path())
        #expect(Set(files) == Set(Golden.all.map { "\($0.name).json" }))
    }

    @Test
    func aFieldOfALaterMinorVersionIsIgnored() throws {
        let text = """
            {"added_later":{"x":[1]},"cleared_at":"2026-11-21T06:00:00Z","condition":"c","service":"notifier",
            "subject":{"planet":"earth"},"text":"t"}
            """
        let cleared = try ContractCoding.decode(AlertCleared.self, from: Array(text.utf8))
        #expect(cleared.condition == "c" && cleared.subject == AlertSubject())
    }

    @Test(arguments: [
        (#"{"message":"chunk","snapshot_id":"x"}"#, "snapshot_id"),
        (#"{"message":"chunk"}"#, "snapshot_id is missing"),
        ("{", "the top"),
        (#"[]"#, "the top"),
    ])
    func aMalformedPayloadIsRefusedNamingThePlaceAndNotTheValue(_ text: String, _ place: String) {
        let error = #expect(throws: ContractError.self) {
            try ContractCoding.decode(StockAggregated.self, from: Array(text.utf8))
        }
        #expect(error?.description.contains(place) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: ["\"Customer One\"", "99999999999999999999999999", "1e999"])
    func aValueThatDoesNotFitIsNotQuoted(_ value: String) {
        let text =
            "{\"message_id\":\"0192a3b4-c5d6-47e8-89fa-abbccddeeff0\",\"queue\":\"q\",\"replay_id\":\"job-1\","
            + "\"settled_at\":\"2026-11-20T23:02:11.25Z\",\"outcome\":\(value)}"
        let error = #expect(throws: ContractError.self) {
            try ContractCoding.decode(MessageSettled.self, from: Array(text.utf8))
        }
        let sentence = error?.description ?? ""
        #expect(sentence.contains("outcome") && !sentence.contains("Customer") && !sentence.contains("999"))
    }

    @Test
    func aQuantityAsAJSONNumberIsRefused() {
        let text = #"{"warehouse":"HN","on_hand":12}"#
        let error = #expect(throws: ContractError.self) {
            try ContractCoding.decode(StockAggregated.Row.self, from: Array(text.utf8))
        }
        #expect(error?.description.contains("on_hand") == true)
    }

    @Test
    func theDataSchemaCarriesNameAndMajorVersionAndEveryMinorIsAccepted() {
        let type = EventType("stock.held", 2, 7)
        #expect(type.dataSchema == "urn:stockbridge:stock.held:2")
        #expect(type.accepts(dataSchema: EventType("stock.held", 2, 9).dataSchema))
        #expect(!type.accepts(dataSchema: EventType("stock.held", 3, 0).dataSchema))
        #expect(!type.accepts(dataSchema: EventType("stock.low", 2, 0).dataSchema))
        for text in ["", "stock.held:2", "urn:stockbridge:stock.held", "urn:stockbridge::2", "urn:stockbridge:a:b"] {
            #expect(!type.accepts(dataSchema: text))
        }
    }

    @Test
    func aFullChunkIsReadWithinMilliseconds() throws {
        let skus = (0..<StockAggregated.maximumCodesPerChunk).map { number in
            StockAggregated.SKU(
                sku: ERPCode("SKU-\(number)"),
                rows: [
                    .init(warehouse: "HN", onHand: Quantity(number), line: number * 2),
                    .init(warehouse: "HCM", onHand: Quantity(number), line: number * 2 + 1),
                ])
        }
        let payload = StockAggregated.chunk(.init(snapshot: Golden.snapshot, part: 1, parts: 1, skus: skus))
        let bytes = try ContractCoding.encode(payload)
        var best = Duration.seconds(60)
        for _ in 0..<5 {
            let began = ContinuousClock.now
            let decoded = try ContractCoding.decode(StockAggregated.self, from: bytes)
            best = min(best, .now - began)
            #expect(decoded == payload)
        }
        if ProcessInfo.processInfo.environment["SHOW"] != nil { print("chunk of \(bytes.count) bytes read in \(best)") }
        // Unoptimised and on a busy machine; the goal itself is a few milliseconds.
        #expect(best < .milliseconds(250))
    }
}
