public import Contracts
public import PostgreSQL
public import RabbitMQ

/// Why work cannot begin, as one sentence with what to do, and whether waiting may help.
public struct StartProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// The sentence.
    public let description: String
    /// Somebody has to change something: waiting would only hide it.
    public let isLasting: Bool

    /// Takes the sentence.
    public init(_ description: String, isLasting: Bool = true) {
        self.description = description
        self.isLasting = isLasting
    }
}

/// Why a PostgreSQL server that answers lets a role not in. Told from its words, for a failed log-in has no other form.
enum LogInRefusal: Sendable, Equatable {
    /// The password is wrong, or there is no such role: by design the server does not say which.
    case password
    /// There is no database of that name.
    case database
    /// The role may not connect to the database, or not from here.
    case forbidden

    init?(detail: String) {
        if detail.contains("password authentication failed") || detail.contains("no password supplied")
            || (detail.contains("role \"") && detail.contains("does not exist"))
        {
            self = .password
        } else if detail.contains("database \""), detail.contains("does not exist") {
            self = .database
        } else if detail.contains("permission denied for database") || detail.contains("no pg_hba.conf entry") {
            self = .forbidden
        } else {
            return nil
        }
    }
}

extension StartProblem {
    /// Who could not get in; it decides what there is to be done.
    public enum Caller: Sendable, Equatable {
        /// A service, or the operator's tool under its own role.
        case service(ServiceName)
        /// `migrate` and `topology apply`.
        case administrator

        fileprivate var left: String {
            switch self {
            case .service(.stockbridge), .administrator: "Nothing was changed."
            case .service: "The service did not begin."
            }
        }
    }

    /// What a failure to reach or to enter the database means; nil if it is about something else.
    public static func of(
        _ error: PostgresError, at server: PostgresConfiguration, for caller: Caller
    ) -> StartProblem? {
        guard case .connectionFailed(let host, let port, let detail) = error else { return nil }
        let place = "PostgreSQL at \(host):\(port)"
        switch (LogInRefusal(detail: detail), caller) {
        case (.password, .service):
            return StartProblem(
                "\(place) does not let the role \(server.user) in: its secret under database.password is not what "
                    + "'stockbridge migrate' gave the role, or nobody has migrated yet. Correct the secret, or run "
                    + "'stockbridge migrate'. \(caller.left)")
        case (.password, .administrator):
            return StartProblem(
                "\(place) does not let the administrator \(server.user) in: check admin.database_user and the secret "
                    + "under admin.database_password. \(caller.left)")
        case (.database, _):
            return StartProblem(
                "\(place) has no database \(server.database): check database.name, or run 'stockbridge migrate', which "
                    + "makes it. \(caller.left)")
        case (.forbidden, _):
            return StartProblem(
                "\(place) does not allow \(server.user) to use the database \(server.database) from here "
                    + "(\(detail)): allow it in pg_hba.conf, or check tls of the section 'database'. "
                    + caller.left)
        case (nil, _):
            return StartProblem(
                "\(place) cannot be reached (\(detail)): check that it runs, and host, port and tls of the "
                    + "section 'database'. \(caller.left)", isLasting: false)
        }
    }

    /// What a failure to enter the broker means; nil if waiting may help.
    public static func of(_ error: BrokerError, for service: ServiceName) -> StartProblem? {
        let left = Caller.service(service).left
        switch error {
        case .authenticationFailed(let host, let user):
            return StartProblem(
                "The broker at \(host) does not let the user \(user) in: its secret under broker.password is not what "
                    + "'stockbridge topology apply' gave the user, or that was not run yet. Correct the secret, or run "
                    + "'stockbridge topology apply'. \(left)")
        case .refused(530, let text, _):
            return StartProblem(
                "The broker does not let \(service.rawValue) into the virtual host (\(text)): check "
                    + "broker.virtual_host, or run 'stockbridge topology apply', which makes it. \(left)")
        default:
            return nil
        }
    }
}
