import Testing

@testable import Settings

@Suite("Broker and database may be one server or several")
struct HostTests {
    private static func broker(_ settings: String) -> String {
        minimal(#"host: 127.0.0.1, password: "${env:BROKER}""#, settings + #", password: "${env:BROKER}""#)
    }

    private static func database(_ settings: String) -> String {
        minimal(#"host: 127.0.0.1, password: "${env:DB}""#, settings + #", password: "${env:DB}""#)
    }

    @Test("a list of nodes takes the port where none is written, and each has its management API")
    func nodes() throws {
        let broker = try load(Self.broker(#"host: [a, "b:5673", "::1", "[fd00::2]:5674"], port: 5700"#)).broker
        #expect(
            broker.servers == [
                .init(host: "a", port: 5700), .init(host: "b", port: 5673), .init(host: "::1", port: 5700),
                .init(host: "fd00::2", port: 5674),
            ])
        #expect(
            broker.managementURLs == [
                "https://a:15671", "https://b:15671", "https://[::1]:15671", "https://[fd00::2]:15671",
            ])
    }

    @Test("addresses of the management API may be a list of their own")
    func managementList() throws {
        let text = Self.broker(#"host: [a, b], management_url: ["https://m:1/", "https://n:2/x"]"#)
        #expect(try load(text).broker.managementURLs == ["https://m:1", "https://n:2/x"])
    }

    @Test("a list of database servers keeps its order")
    func databases() throws {
        let database = try load(Self.database(#"host: [primary, "standby:5433"]"#)).database
        #expect(database.servers == [.init(host: "primary", port: 5432), .init(host: "standby", port: 5433)])
    }

    @Test(
        "what is no host is named with its place in the list",
        arguments: [
            (#"["a", "amqp://b"]"#, "broker.host[1]"), (#"["a:0"]"#, "broker.host[0]"),
            (#""a:65536""#, "broker.host"), (#""a:port""#, "broker.host"), (#"":5672""#, "broker.host"),
            (#""[::1]5672""#, "broker.host"), (#""[::1]:""#, "broker.host"), (#""a b""#, "broker.host"),
            (#"[]"#, "broker.host"), (#"[a, a]"#, "broker.host[1]"), (#"{a: b}"#, "broker.host"),
            (#"[a, [b]]"#, "broker.host[1]"),
        ])
    func mistakes(_ value: String, _ path: String) {
        let found = problems(Self.broker("host: \(value)"))
        #expect(found.map(\.path) == [path], "\(found)")
    }

    @Test("every wrong address of a list is a problem of its own")
    func managementMistakes() {
        let text = Self.broker(#"host: a, management_url: ["http://m:1", "https://me:hunter2@n", nowhere]"#)
        let found = problems(text)
        #expect(found.map(\.path) == (0...2).map { "broker.management_url[\($0)]" })
        #expect(!"\(found)".contains("hunter2"))
    }

    @Test("what the dump says of several servers is what it was loaded from")
    func dump() throws {
        let configuration = try load(Self.database(#"host: [primary, "standby:5433"]"#))
        let again = try load(configuration.redactedDump())
        #expect(again.database.servers == configuration.database.servers)
        #expect(again.effective.canonicalDescription == configuration.effective.canonicalDescription)
    }
}
