import Domain
import Settings
import Transfer

/// What can be wrong with a source.
enum AlertKind: String, Sendable, CaseIterable {
    case late, file, location
    case hostKey = "host-key"
    case login, unreachable, settings

    /// What speaks against the place where files lie; over once it can be looked into.
    static let ofPlace: [AlertKind] = [.location, .hostKey, .login, .unreachable, .settings]
    /// What speaks against the files; over once one was good.
    static let ofFiles: [AlertKind] = [.late, .file]

    /// The name of a condition. A bad file is one of its own, so that a second one is told of too.
    func condition(of source: SourceName, file: String? = nil) -> String {
        "stock-\(rawValue):\(source.rawValue)" + (file.map { ":" + String($0.prefix(100)) } ?? "")
    }
}

/// Why a source could not be looked into, in the terms of its alert.
struct LookTrouble: Sendable, Equatable {
    /// What passes by itself is told of only when it happens so often in a row.
    static let passingTroubleLooks = 3

    let kind: AlertKind
    let title: String
    let text: String
    let whatToDo: String
    /// Whether it may pass by itself.
    let isPassing: Bool

    init(_ error: any Error, source: SourceName) {
        let what: String
        switch error {
        case let error as TransferError:
            (kind, what, whatToDo) = Self.describe(error)
            isPassing = error.isTransient
        case is SecretError:
            (kind, what, whatToDo) = (.settings, "has no usable password", "Correct the secret or its reference.")
            isPassing = false
        default:
            (kind, what, whatToDo) = (.location, "cannot be fetched", "Look at the service's disk and log.")
            isPassing = true
        }
        title = "Source \(source) \(what)"
        text =
            "The stock of source \(source) cannot be fetched: \(error) The last good numbers stay live, and it is "
            + "looked again as often as configured."
    }

    /// Whether to tell people after so many failures in a row.
    func isToBeTold(afterFailures failures: Int) -> Bool { !isPassing || failures >= Self.passingTroubleLooks }

    private static func describe(_ error: TransferError) -> (AlertKind, String, String) {
        switch error {
        case .hostKeyChanged, .hostKeyUnknown:
            (
                .hostKey, "shows another host key",
                "Ask the server's operator whether the key was changed; only then enter the new one in `host_key`."
            )
        case .authenticationFailed:
            (.login, "does not let us in", "Check the account and its password or key.")
        case .unresolvable, .unreachable, .timedOut, .connectionLost, .failed, .refused:
            (.unreachable, "cannot be reached", "Check the server and the network; nothing else is needed.")
        case .tlsRejected:
            (.hostKey, "shows a certificate that is not trusted", "Check the certificate and `ca_file`.")
        default:
            (.location, "cannot be read", "Check the directory and the account's rights.")
        }
    }
}
