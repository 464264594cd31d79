import Contracts
import Foundation
import Migrations
import PostgreSQL
import RabbitMQ
import Testing

@testable import ServiceKit

@Suite("Why a service cannot begin, in one sentence")
struct StartProblemTests {
    /// What PostgreSQL or libpq says, without the address, and what a person is told about it.
    struct Case: Sendable, CustomTestStringConvertible {
        var detail: String
        var caller: StartProblem.Caller = .service(.stockPublisher)
        var words: [String]
        var isLasting = true

        var testDescription: String { "\(detail.prefix(50)), \(caller)" }
    }

    @Test(
        "A failed log-in names who, which setting, and what to do",
        arguments: [
            Case(
                detail: "password authentication failed for user \"stock_publisher\"",
                words: ["the role stock_publisher", "database.password", "'stockbridge migrate'", "did not begin"]),
            Case(
                detail: "role \"stock_publisher\" does not exist",
                words: ["the role stock_publisher", "nobody has migrated yet"]),
            Case(
                detail: "fe_sendauth: no password supplied", caller: .administrator,
                words: ["the administrator stock_publisher", "admin.database_password", "Nothing was changed"]),
            Case(
                detail: "database \"stockbridge\" does not exist",
                words: ["no database stockbridge", "'stockbridge migrate'"]),
            Case(
                detail: "permission denied for database \"stockbridge\"",
                words: ["does not allow", "pg_hba.conf"]),
            Case(
                detail: "no pg_hba.conf entry for host \"10.0.0.1\", no encryption",
                words: ["does not allow", "no encryption", "tls"]),
            Case(
                detail: "Connection refused", words: ["cannot be reached (Connection refused)"],
                isLasting: false),
            Case(
                detail: "the database system is starting up", words: ["starting up"],
                isLasting: false),
            Case(
                detail: "could not translate host name \"db\" to address: Name or service not known",
                caller: .administrator, words: ["could not translate", "Nothing was changed"], isLasting: false),
        ])
    func logIn(_ given: Case) throws {
        let server = PostgresConfiguration(
            host: "db", database: "stockbridge", user: "stock_publisher", password: "geheim")
        let error = PostgresError.connectionFailed(host: "db", port: 5_432, detail: given.detail)
        let problem = try #require(StartProblem.of(error, at: server, for: given.caller))
        #expect(problem.isLasting == given.isLasting)
        for words in given.words + ["PostgreSQL at db:5432"] { #expect(problem.description.contains(words)) }
        #expect(!problem.description.contains("geheim") && !problem.description.contains("\n"))
    }

    @Test("An error of a statement is nothing that keeps a service from beginning")
    func statement() {
        let server = PostgresConfiguration(host: "db", database: "d", user: "u", password: "")
        #expect(StartProblem.of(.poolClosed, at: server, for: .administrator) == nil)
    }

    @Test("Of the broker's refusals those last that an administrator has to end")
    func broker() throws {
        let password = try #require(
            StartProblem.of(.authenticationFailed(host: "mq", user: "erp-bridge"), for: .erpBridge))
        #expect(password.isLasting && password.description.contains("broker.password"))
        let host = try #require(
            StartProblem.of(.refused(code: 530, text: "vhost x not found", step: .login), for: .erpBridge))
        #expect(host.description.contains("broker.virtual_host") && host.description.contains("topology apply"))
        #expect(StartProblem.of(.unreachable(host: "mq", port: 5_672, detail: "refused"), for: .erpBridge) == nil)
        #expect(StartProblem.of(.refused(code: 541, text: "vhost is down", step: .login), for: .erpBridge) == nil)
    }

    @Test(
        "A port that cannot be listened on is named with its setting", arguments: [EADDRINUSE, EACCES, EADDRNOTAVAIL])
    func ports(_ code: Int32) throws {
        let port = ListeningPort(setting: "http.ports.notifier", host: "127.0.0.1", port: 8_080)
        let problem = try #require(port.sentence(code))
        #expect(problem.isLasting && problem.description.contains("127.0.0.1"))
        #expect(problem.description.contains("http.ports.notifier"))
        #expect(port.sentence(0) == nil)
    }
}

@Suite("Which structure of the database a service works with")
struct StructureTests {
    private let all = Migration.all.map(\.name)

    private func problem(_ applied: [String]?, _ service: ServiceName) -> StartProblem? {
        StartCheck.problem(DatabaseContents(applied: applied), service, database: "stockbridge")
    }

    @Test("Its own and a newer one", arguments: ServiceName.allCases)
    func works(_ service: ServiceName) {
        #expect(problem(all, service) == nil)
        #expect(problem(all + ["\(service.schema)_9999_later"], service) == nil)
    }

    @Test("A step missing from another service's schema does not concern it")
    func others() { #expect(problem(all.filter { !$0.hasPrefix("erp_") }, .stockPublisher) == nil) }

    @Test("An older one is refused, with the first step that is missing")
    func older() throws {
        let found = try #require(problem(all.filter { $0 != "publishing_0002_orders" }, .stockPublisher))
        #expect(found.description.contains("older") && found.description.contains("publishing_0002_orders"))
        #expect(found.description.contains("'stockbridge migrate'") && found.isLasting)
        let unshared = problem(all.filter { !$0.hasPrefix("shared_") }, .notifier)
        #expect(unshared?.description.contains(" more: run") == true)
        #expect(problem(all.filter { !$0.hasPrefix("dead_letters_") }, .notifier) != nil)
    }

    @Test("One that was never migrated is told from an old one")
    func never() { #expect(problem(nil, .reconciler)?.description.contains("was not migrated") == true) }
}

@Suite("What migrate leaves alone")
struct MigrationRefusalTests {
    private let known = ["a_1", "b_1"]

    private func refusal(_ contents: DatabaseContents) -> String? {
        contents.refusal(known: known, database: "shop")
    }

    @Test("An empty database, an older one of ours and one that is up to date are taken")
    func taken() {
        #expect(refusal(DatabaseContents(applied: nil)) == nil)
        #expect(refusal(DatabaseContents(applied: [])) == nil)
        #expect(refusal(DatabaseContents(applied: ["a_1"])) == nil)
        #expect(refusal(DatabaseContents(applied: ["a_1", "b_1"])) == nil)
    }

    @Test("A database of something else is refused; the first of its tables are named")
    func foreign() throws {
        let names = ["public.customers", "public.invoices", "public.lines", "public.parts", "public.users"]
        let found = try #require(refusal(DatabaseContents(applied: nil, relations: names)))
        #expect(found.contains("public.customers, public.invoices, public.lines and 2 more"))
        #expect(found.contains("nothing was changed") && found.contains("database.name"))
    }

    @Test("A newer database that has all of this program's steps is left as it is, which is no failure")
    func newer() throws {
        let contents = DatabaseContents(applied: ["a_1", "b_1", "b_2"])
        #expect(refusal(contents) == nil)
        let note = try #require(contents.newerNote(known: known, database: "shop"))
        #expect(note.contains("newer") && note.contains("b_2") && note.contains("nothing was changed"))
        for others in [nil, [], ["a_1"], known, ["b_1", "b_2"]] as [[String]?] {
            #expect(DatabaseContents(applied: others).newerNote(known: known, database: "shop") == nil)
        }
    }

    @Test("A newer database that lacks one of this program's steps is refused")
    func newerWithGap() throws {
        let found = try #require(refusal(DatabaseContents(applied: ["b_1", "b_2"])))
        #expect(found.contains("newer") && found.contains("b_2") && found.contains("a_1") && !found.contains("b_1,"))
        #expect(found.contains("nothing was changed"))
    }
}
