internal import CPostgreSQL
import Foundation

/// One libpq connection with what is known about its state.
///
/// Not Sendable: it lives inside an actor on a thread of its own, and everything here blocks that thread.
final class Session {
    /// How far the transaction got.
    enum Progress {
        case none
        /// BEGIN goes out with the first statement, so that it costs no round trip.
        case wanted
        case open
    }

    /// Statements kept prepared per connection.
    static let preparedLimit = 256

    let raw: OpaquePointer
    /// For a second connection, on which the server is asked about this one.
    private let configuration: PostgresConfiguration
    private let server: PostgresAddress
    private var lastAnswer = ContinuousClock.now
    private let notices: Notices
    var prepared = PreparedStatements(limit: Session.preparedLimit)
    var progress = Progress.none
    /// The error that made the present transaction useless.
    var abortedBy: PostgresServerError?
    /// Set when the present transaction failed only because a table changed under a prepared statement.
    var hasStaleStatements = false
    /// Set while a COPY is under way: nothing else can be sent.
    var isCopying = false
    /// Cursors open at this moment; they are nested.
    var openCursors = 0
    /// Set when what libpq and we believe about the connection may differ; it is then not used again.
    private(set) var isAbandoned = false

    /// Connects to the first server that lets us; returns when it accepts statements.
    convenience init(connecting configuration: PostgresConfiguration) throws(PostgresError) {
        let servers = configuration.serversInOrder
        var problems: [(server: PostgresAddress, reason: String)] = []
        for server in servers {
            let notices = Notices()
            switch Self.dial(configuration, server, notices) {
            case .success(let raw):
                configuration.preferred.worked(server)
                self.init(raw, configuration, server, notices)
                return
            case .failure(let refusal): problems.append((server, refusal.reason))
            }
        }
        throw .connectionFailed(
            host: servers.first?.host ?? "", port: servers.first?.port ?? 0,
            detail: ConnectionAdvice.summary(problems))
    }

    private init(
        _ raw: OpaquePointer, _ configuration: PostgresConfiguration, _ server: PostgresAddress, _ notices: Notices
    ) {
        self.raw = raw
        self.configuration = configuration
        self.server = server
        self.notices = notices
    }

    /// Another session on the same server, whatever the server has become.
    private convenience init?(beside session: Session) {
        let notices = Notices()
        let answer = Self.dial(session.configuration, session.server, notices, takesWrites: false)
        guard case .success(let raw) = answer else { return nil }
        self.init(raw, session.configuration, session.server, notices)
    }

    deinit { PQfinish(raw) }

    /// Notices may contain data and belong on nobody's standard error. While it is idle, the error that ends it
    /// comes as a notice too: that one is remembered.
    private static func receiveNotices(of raw: OpaquePointer, with notices: Notices) {
        let receiver: PQnoticeReceiver = { context, result in
            guard let context, let severity = PQresultErrorField(result, Int32(UInt8(ascii: "V"))) else { return }
            // An immediate shutdown, or another backend's crash, is announced by a mere warning of class 57P.
            let code = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
            if String(cString: severity) == "FATAL" || code.hasPrefix("57P") {
                Unmanaged<Notices>.fromOpaque(context).takeUnretainedValue().announcedEnd = true
            }
        }
        PQsetNoticeReceiver(raw, receiver, Unmanaged.passUnretained(notices).toOpaque())
    }

    /// What the server said without being asked. Lives as long as the connection.
    private final class Notices {
        var announcedEnd = false
    }

    /// Why a server gave no session.
    private struct Refusal: Error {
        let reason: String
    }

    private static func dial(
        _ configuration: PostgresConfiguration, _ server: PostgresAddress, _ notices: Notices,
        takesWrites: Bool = true
    ) -> Result<OpaquePointer, Refusal> {
        let deadline = ContinuousClock.now + .seconds(max(1, configuration.connectTimeoutSeconds))
        guard let raw = start(configuration.keywords(for: server, takesWrites: takesWrites)) else {
            return .failure(Refusal(reason: "out of memory"))
        }
        receiveNotices(of: raw, with: notices)
        if let problem = finishConnecting(raw, until: deadline) {
            PQfinish(raw)
            return .failure(Refusal(reason: ConnectionAdvice.reason(problem)))
        }
        return .success(raw)
    }

    private static func start(_ pairs: [(keyword: String, value: String)]) -> OpaquePointer? {
        let keywords = pairs.map { strdup($0.keyword) }
        let values = pairs.map { strdup($0.value) }
        defer { (keywords + values).forEach { free($0) } }
        let keywordPointers = keywords.map { UnsafePointer($0) } + [nil]
        let valuePointers = values.map { UnsafePointer($0) } + [nil]
        return PQconnectStartParams(keywordPointers, valuePointers, 0)
    }

    /// - Returns: What went wrong; nil if the connection stands.
    private static func finishConnecting(_ raw: OpaquePointer, until deadline: ContinuousClock.Instant) -> String? {
        var state = PGRES_POLLING_WRITING
        while PQstatus(raw) != CONNECTION_BAD {
            switch state {
            case PGRES_POLLING_OK: return nil
            case PGRES_POLLING_FAILED: return lastWord(of: raw)
            default: break
            }
            let socket = PQsocket(raw)
            let interest: SocketWait.Interest =
                state == PGRES_POLLING_READING ? .readable(socket) : .writable(socket)
            guard SocketWait.wait(for: [interest], until: deadline) == [true] else {
                return "no answer within the time allowed for connecting"
            }
            state = PQconnectPoll(raw)
        }
        return lastWord(of: raw)
    }

    private static func lastWord(of raw: OpaquePointer) -> String {
        ConnectionAdvice.lastWord(PQerrorMessage(raw).map { String(cString: $0) } ?? "")
    }

    /// libpq's message without the explanations in its further lines.
    static func firstLine(_ text: UnsafePointer<CChar>?) -> String {
        let whole = text.map { String(cString: $0) } ?? ""
        return whole.split(separator: "\n").first.map(String.init) ?? "no reason given"
    }
}

extension Session {
    /// Whether the connection may be used for another statement.
    var isHealthy: Bool { !isAbandoned && PQstatus(raw) == CONNECTION_OK }

    /// Looks, without waiting, whether the server closed an idle connection.
    func isStillConnected() -> Bool {
        guard isHealthy else { return false }
        // Asking whether it is busy makes libpq look at what it has read.
        return PQconsumeInput(raw) == 1 && PQisBusy(raw) == 0 && PQstatus(raw) == CONNECTION_OK
            && !notices.announcedEnd
    }

    func abandon() { isAbandoned = true }

    /// The next result of what was sent, nil after the last one: PQgetResult, which by itself would wait for ever for a
    /// peer that takes everything and answers nothing, as a half-open connection through a relay does.
    ///
    /// However long a statement takes, it is waited for as long as the server works on it: that is asked on a second
    /// connection, once the first has been silent for the configured patience.
    ///
    /// - Throws: `connectionLost` if the server is silent and does nothing for this connection, or cannot be asked.
    func nextResult() throws(PostgresError) -> OpaquePointer? {
        try nextResult(within: configuration.patience) { isServerAtWork() }
    }

    /// - Parameter mayWaitOn: Asked each time the server was silent for so long.
    private func nextResult(
        within patience: Duration, mayWaitOn: () -> Bool = { false }
    ) throws(PostgresError) -> OpaquePointer? {
        while PQisBusy(raw) == 1, PQsocket(raw) >= 0 {
            if isReadable(within: patience) {
                // It is broken if this fails; what PQgetResult then returns says so.
                if PQconsumeInput(raw) == 0 { break }
            } else if !mayWaitOn(), !isReadable(within: .seconds(1)) {
                // The second look is for an answer that set out before the server was asked.
                abandon()
                throw .connectionLost(detail: "no answer within \(patience)")
            }
        }
        lastAnswer = .now
        return PQgetResult(raw)
    }

    private func isReadable(within limit: Duration) -> Bool {
        SocketWait.wait(for: [.readable(PQsocket(raw))], until: .now + limit) == [true]
    }

    /// Whether the server does something for this connection but wait for its client.
    private func isServerAtWork() -> Bool {
        guard let other = Session(beside: self) else { return false }
        let question = """
            SELECT 1 FROM pg_stat_activity
            WHERE pid = \(PQbackendPID(raw)) AND state = 'active' AND wait_event IS DISTINCT FROM 'ClientRead'
            """
        guard PQsendQuery(other.raw, question) == 1, let answer = try? other.nextResult(within: .seconds(10)) else {
            return false
        }
        defer { PQclear(answer) }
        return PQntuples(answer) == 1
    }

    /// Whether the server still answers. Asked only after a pause: a connection that was used a moment ago is taken to
    /// be alive, so that nothing is paid for this under load.
    func answersAfterPause() -> Bool {
        guard progress == .none, lastAnswer.duration(to: .now) > .seconds(5) else { return true }
        guard PQsendQuery(raw, "") == 1 else { return false }
        do {
            while let result = try nextResult(within: .seconds(5)) { PQclear(result) }
        } catch {
            return false
        }
        return isHealthy
    }

    /// Whether a statement of the present transaction failed, so that only a rollback is possible.
    var isTransactionFailed: Bool { PQtransactionStatus(raw) == PQTRANS_INERROR }
    /// Whether the server has no transaction open.
    var isOutsideTransaction: Bool { PQtransactionStatus(raw) == PQTRANS_IDLE }

    /// Fails unless a statement can be sent now.
    func checkUsable() throws(PostgresError) {
        guard isHealthy else { throw .connectionLost(detail: "it broke earlier") }
        guard !isCopying else { throw .wrongState("a COPY is under way on this connection") }
    }

    /// The error for a call of libpq that failed without a result.
    func lost() -> PostgresError {
        abandon()
        return .connectionLost(detail: Self.firstLine(PQerrorMessage(raw)))
    }

    /// The error again, or a lost connection if it comes from a server that takes no writes any more: the next session
    /// looks for the one that does. Asked when all answers are in, for the server reports what it has become with the
    /// last of them. A transaction of ours that is read-only by its own wish is not that.
    func leavingReadOnlyServer(_ error: PostgresError) -> PostgresError {
        guard let refusal = error.serverError, refusal.sqlState == "25006" else { return error }
        guard reports("in_hot_standby") || reports("default_transaction_read_only") else { return error }
        abandon()
        return .connectionLost(detail: "\(refusal.sqlState) \(refusal.message)")
    }

    /// Whether a parameter that the server reports by itself is on.
    private func reports(_ name: String) -> Bool {
        PQparameterStatus(raw, name).map { String(cString: $0) } == "on"
    }

    /// The error a result carries.
    func failure(of result: OpaquePointer, statementIndex: Int? = nil) -> PostgresError {
        func field(_ code: UnicodeScalar) -> String? {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
        }
        // The letters are those of postgres_ext.h (PG_DIAG_...), which are macros Swift does not import.
        guard let sqlState = field("C") else { return lost() }
        let severity = field("V")
        let error = PostgresServerError(
            sqlState: sqlState,
            message: PostgresServerError.redacted(field("M") ?? "no message", sqlState: sqlState),
            constraint: field("n"), table: field("t"), column: field("c"), statementIndex: statementIndex)
        if severity == "FATAL" || severity == "PANIC" || PQstatus(raw) == CONNECTION_BAD {
            abandon()
            return .connectionLost(detail: "\(error.sqlState) \(error.message)")
        }
        // Somebody deallocated the prepared statements: what we believe about them is wrong.
        if sqlState == "26000" { abandon() }
        if field("R") == "RevalidateCachedQuery" {
            // A table changed under a prepared statement; the next use parses it anew.
            prepared.discardAll()
            hasStaleStatements = true
        }
        if abortedBy == nil { abortedBy = error }
        return .server(error)
    }
}
