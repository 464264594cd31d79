import Contracts
import Foundation
import Testing

@testable import Settings

@Suite("Secrets are resolved where they are used and shown nowhere")
struct SecretTests {
    @Test("a secret prints as <secret> in every way of printing")
    func prints() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\([secret])", "\(Optional(secret) as Any)", dumped] {
            #expect(!text.contains("hunter2"))
        }
        #expect("\(secret)" == "<secret>")
        #expect(secret.reveal() == "hunter2")
        #expect(!((secret as Any) is any Encodable))
    }

    @Test("{service} is the service's name in a path, and its name in capitals in a variable")
    func substitution() throws {
        let file = try #require(SecretReference("${file:keys/broker-{service}}", folder: "/etc/stockbridge"))
        #expect(
            file.substituting(service: "stock-ingestor") == .file(path: "/etc/stockbridge/keys/broker-stock-ingestor"))
        let variable = try #require(SecretReference("${env:BROKER_{service}}", folder: "/"))
        #expect(variable.substituting(service: "stock-ingestor") == .environment(name: "BROKER_STOCK_INGESTOR"))
    }

    @Test(
        "what is no reference is not taken for one",
        arguments: [
            "hunter2", "", "$", "${}", "${env:}", "${file:}", "${env:A B}", "${vault:x}", "env:NAME", "${env:NAME",
            "${env:NAME} ", "${file:a\nb}",
        ])
    func noReference(_ text: String) {
        #expect(SecretReference(text, folder: "/") == nil)
    }

    @Test("an environment variable is found, and a missing or empty one is named")
    func environment() throws {
        let reference = SecretReference.environment(name: "P_{service}")
        #expect(try reference.resolve(service: "notifier", environment: ["P_NOTIFIER": "x"]).reveal() == "x")
        #expect(throws: SecretError.environmentUnset(name: "P_NOTIFIER")) {
            try reference.resolve(service: "notifier", environment: [:])
        }
        #expect(throws: SecretError.environmentEmpty(name: "P_NOTIFIER")) {
            try reference.resolve(service: "notifier", environment: ["P_NOTIFIER": ""])
        }
    }

    @Test(
        "one newline at the end of a file goes and everything else stays",
        arguments: [("x", "x"), ("x\n", "x"), ("x\r\n", "x"), (" x \n", " x "), ("mật khẩu\n", "mật khẩu")])
    func fileContents(_ contents: String, _ secret: String) throws {
        try withScratchFolder { folder in
            let path = folder + "/secret"
            try Data(contents.utf8).write(to: URL(fileURLWithPath: path))
            #expect(try SecretReference.file(path: path).resolve(service: "notifier").reveal() == secret)
        }
    }

    @Test("a file that cannot be a secret is refused with its name and never with its contents")
    func badFiles() throws {
        try withScratchFolder { folder in
            func resolve(_ name: String) throws -> Secret {
                try SecretReference.file(path: "\(folder)/\(name)").resolve(service: "notifier")
            }
            func write(_ name: String, _ bytes: [UInt8]) throws {
                try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            try write("empty", [])
            try write("newline", [0x0A])
            try write("lines", Array("topsecret\nmore\n".utf8))
            try write("latin", [0xE9, 0xFF])
            try write("large", Array(repeating: 0x41, count: SecretReference.maximumFileBytes + 1))
            #expect(throws: SecretError.fileEmpty(path: "\(folder)/empty")) { try resolve("empty") }
            #expect(throws: SecretError.fileEmpty(path: "\(folder)/newline")) { try resolve("newline") }
            #expect(throws: SecretError.fileNotOneLine(path: "\(folder)/lines")) { try resolve("lines") }
            #expect(throws: SecretError.fileNotOneLine(path: "\(folder)/latin")) { try resolve("latin") }
            #expect(throws: SecretError.fileUnreadable(path: "\(folder)/none", reason: .missing)) {
                try resolve("none")
            }
            #expect(throws: SecretError.fileUnreadable(path: folder + "/.", reason: .notAFile)) { try resolve(".") }
            let large = SecretError.fileUnreadable(
                path: "\(folder)/large", reason: .tooLarge(limitBytes: SecretReference.maximumFileBytes))
            #expect(throws: large) { try resolve("large") }
            #expect(!SecretError.fileNotOneLine(path: "lines").description.contains("topsecret"))
        }
    }

    @Test("a service is asked only for what it uses, each unresolvable one with its line and what to do")
    func checkSecrets() throws {
        let configuration = try ConfigurationLoader.load(text: exampleText(), file: "/etc/stockbridge/s.yaml")
        let publisher = configuration.checkSecrets(for: .service(.stockPublisher), environment: [:])
        #expect(publisher.contains { $0.path == "shops[4].credentials.secret" && $0.line > 100 })
        #expect(publisher.contains { $0.path == "shops[0].ca_file" })
        #expect(!publisher.contains { $0.path.hasPrefix("sources") || $0.path.hasPrefix("mail") })
        let ingestor = configuration.checkSecrets(for: .service(.stockIngestor), environment: [:])
        #expect(
            ingestor.map(\.path) == [
                "broker.password", "database.password", "sources[0].location.passphrase", "broker.tls.ca_file",
                "database.tls.ca_file", "sources[0].location.private_key",
            ])
        #expect(ingestor.first?.description.contains("/run/secrets/broker-stock-ingestor does not exist") == true)
        let administration = configuration.checkSecrets(
            for: .administration, environment: ["BROKER_ADMIN_PASSWORD": "x"])
        #expect(administration.contains { $0.path == "admin.database_password" })
        #expect(!administration.contains { $0.path == "admin.broker_password" })
        #expect(administration.contains { $0.message.contains("/run/secrets/database-owner") })
    }

    @Test("nothing is missing where every secret can be had")
    func allThere() throws {
        try withScratchFolder { folder in
            try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/broker-notifier"))
            let text = minimalText.replacingOccurrences(of: "${env:BROKER}", with: "${file:broker-{service}}")
            let configuration = try ConfigurationLoader.load(text: text, file: folder + "/stockbridge.yaml")
            #expect(configuration.checkSecrets(for: .service(.notifier), environment: ["DB": "x"]).isEmpty)
        }
    }
}
