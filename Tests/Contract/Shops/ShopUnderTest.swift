import Domain
import Foundation
import ShopConnectors
import ShopSimulators
import Synchronization
import TestStack
import Testing
import Transfer

/// Every connector that has to keep the contract, in every way it can reach its shop.
enum ShopKind: String, CaseIterable, Sendable {
    case wooCommerceOverHTTP
    case wooCommerceOverTLS
}

/// One connector and the simulated shop it talks to.
struct ShopUnderTest: Sendable {
    static let key = "ck_5f0c8e7d9a1b2c3d4e5f60718293a4b5c6d7e8f9"
    static let secret = "cs_0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d"

    let simulator: ShopSimulator
    let connector: any ShopConnector
    let pacing: RecordingPacing
    /// Makes another connector to the same shop.
    let connect: @Sendable (_ change: (inout WooCommerceConfiguration) -> Void) -> any ShopConnector

    func catalogue() async throws -> any CatalogueReading {
        try connector.require(\.catalogue, of: await connector.discover(), for: .readCatalogue)
    }

    func reader() async throws -> any StockReading {
        try connector.require(\.stockReading, of: await connector.discover(), for: .readStock)
    }

    func writer() async throws -> any StockWriting {
        try connector.require(\.stockWriting, of: await connector.discover(), for: .writeStock)
    }
}

/// Starts a simulated shop on a free port and ends it whatever happens.
func withShop(
    _ kind: ShopKind, catalogue: [CatalogueProduct] = smallCatalogue, timeoutSeconds: Double = 10,
    configure: (inout SimulatorConfiguration) -> Void = { _ in },
    _ body: (ShopUnderTest) async throws -> Void
) async throws {
    var settings = SimulatorConfiguration()
    (settings.key, settings.secret) = (ShopUnderTest.key, ShopUnderTest.secret)
    let certificate = kind == .wooCommerceOverTLS ? try await TestCertificate.shared.value : nil
    (settings.certificateFile, settings.privateKeyFile) = (certificate?.certificateFile, certificate?.keyFile)
    configure(&settings)
    let simulator = try ShopSimulator(settings, catalogue: catalogue)
    try await simulator.start()
    let client = TransferClient(options: TransferOptions())
    let pacing = RecordingPacing()
    let url = simulator.url
    let connect: @Sendable ((inout WooCommerceConfiguration) -> Void) -> any ShopConnector = { change in
        var configuration = WooCommerceConfiguration(
            shop: "hanoi", url: url, key: ShopUnderTest.key, secret: ShopUnderTest.secret,
            caFile: certificate?.certificateFile, requestTimeoutSeconds: timeoutSeconds)
        change(&configuration)
        return WooCommerceConnector(configuration, http: client, pacing: pacing)
    }
    let shop = ShopUnderTest(
        simulator: simulator, connector: connect { _ in }, pacing: pacing, connect: connect)
    do {
        try await body(shop)
    } catch {
        client.close()
        await simulator.stop()
        throw error
    }
    client.close()
    await simulator.stop()
}

/// Six things to sell and two that are not: a grouped and an external product.
let smallCatalogue: [CatalogueProduct] = [
    CatalogueProduct(id: 10, sku: "SOAP", name: "Soap", stock: 5),
    CatalogueProduct(id: 11, sku: "0042", name: "Sữa rửa mặt", stock: 0),
    CatalogueProduct(id: 12, sku: "", name: "No SKU", manageStock: false),
    CatalogueProduct(
        id: 20, sku: "TEE", name: "Tee", type: "variable",
        variations: [
            .init(id: 21, sku: "TEE-M", option: "M", stock: 7), .init(id: 22, sku: "TEE-L", option: "L", stock: 8),
        ]),
    CatalogueProduct(
        id: 30, sku: "BAG", name: "Bag", type: "variable", stock: 9,
        variations: [.init(id: 31, sku: "BAG-RED", option: "Red")]),
    CatalogueProduct(id: 40, sku: "SET", name: "Set", type: "grouped"),
    CatalogueProduct(id: 41, sku: "ELSEWHERE", name: "Elsewhere", type: "external"),
]

/// Writes down what a connector asks of its pace.
final class RecordingPacing: CallPacing {
    private struct State {
        var turns = 0
        var feedback: [PaceFeedback] = []
        var refusal: PacingRefusal?
    }

    private let state = Mutex(State())

    var turns: Int { state.withLock { $0.turns } }
    var feedback: [PaceFeedback] { state.withLock { $0.feedback } }

    /// Refuses all further turns.
    func refuse(_ refusal: PacingRefusal?) { state.withLock { $0.refusal = refusal } }

    func waitForTurn(calls: Int) async throws(PacingRefusal) {
        let refusal = state.withLock { state in
            if state.refusal == nil { state.turns += calls }
            return state.refusal
        }
        if let refusal { throw refusal }
    }

    func feedback(_ feedback: PaceFeedback) async { state.withLock { $0.feedback.append(feedback) } }
}

/// A certificate for 127.0.0.1, made once per run.
struct TestCertificate: Sendable {
    let certificateFile: String
    let keyFile: String

    static let shared = Task { try await make() }

    private static let folder = FileManager.default.temporaryDirectory
        .appending(path: "shop-contract-\(UUID().uuidString)")

    private static func make() async throws -> TestCertificate {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // All tests of the run share it, so it goes when their process ends.
        atexit { try? FileManager.default.removeItem(at: TestCertificate.folder) }
        let certificate = TestCertificate(
            certificateFile: folder.appending(path: "certificate.pem").path,
            keyFile: folder.appending(path: "key.pem").path)
        try await ChildProcess.run([
            "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
            certificate.keyFile, "-out", certificate.certificateFile,
        ])
        return certificate
    }
}

/// The error that `body` ends with.
func connectorError(_ body: () async throws -> Void) async -> ConnectorError? {
    do {
        try await body()
        Issue.record("no error came")
        return nil
    } catch let error as ConnectorError {
        return error
    } catch {
        Issue.record("another error came: \(error)")
        return nil
    }
}

/// Waits until `condition` holds; the test ends if it does not within a minute.
func eventually(_ what: String, _ condition: () -> Bool) async throws {
    let holds = try await TestStack.eventually(condition)
    try #require(holds, "did not happen: \(what)")
}
