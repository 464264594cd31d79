public import Domain
public import Foundation

extension StockbridgeConfiguration {
    /// An entry of `sources`: one feed of stock.
    public struct Source: Sendable {
        /// The source's name.
        public let name: SourceName
        /// Where its files lie.
        public let location: Location
        /// When a file is due.
        public let schedule: Schedule
        /// Seconds between two looks once a file is due.
        public let lookEverySeconds: Int
        /// Minutes after the due time at which a missing file raises an alert; looking goes on.
        public let lateAfterMinutes: Int
        /// How its files are written.
        public let format: FileFormat
        /// How the time of extraction is known.
        public let asOf: AsOf
        /// Whether the numbers are on-hand or already without the ERP's open orders.
        public let quantities: QuantityKind
        /// How one sees that a file is complete.
        public let completeWhen: Completeness
        /// What holds a snapshot back.
        public let gate: Gate
    }

    /// Whether the ERP already took its own open orders off (domain.md section 2).
    public enum QuantityKind: String, Sendable, Hashable, CaseIterable {
        /// On-hand.
        case gross
        /// On-hand less the ERP's open orders.
        case net
    }

    /// `sources[].gate`: limits beyond which a file is refused or its snapshot held.
    public struct Gate: Sendable, Hashable {
        /// Bad rows that are set aside before the file as a whole is held.
        public let maxBadRows: Int
        /// Share by which the number of rows may move from one snapshot to the next; 0.2 is 20 %.
        public let maxRowChange: Double
        /// Share of SKUs that may go to zero, 0 to 1.
        public let maxToZero: Double
        /// Share by which the total of units may move.
        public let maxUnitsChange: Double
        /// Size of the largest file that is read, in bytes.
        public let maxBytes: Int
    }

    /// `sources[].complete_when`: how one sees that a file is complete.
    public enum Completeness: Sendable, Hashable {
        /// Size and modification time are the same at two looks.
        case stable
        /// A file of the same name with this suffix lies beside it.
        case marker(suffix: String)
        /// The sender writes under another name and renames; a file that matches the pattern is complete.
        case rename
    }

    /// `sources[].as_of`: how the time of extraction is known.
    public struct AsOf: Sendable, Hashable {
        /// Where the time is written.
        public enum Origin: String, Sendable, Hashable, CaseIterable {
            /// The file's modification time.
            case mtime
            /// The column `format.columns.as_of`; the latest row counts.
            case column
            /// The file's name.
            case fileName = "file_name"
        }

        /// Where the time is written.
        public let from: Origin
        /// For a file name: a regular expression (ICU) whose first group is the time, such as 20261121-0600.
        public let pattern: String?
        /// The zone of a time that is written without one.
        public let timeZone: TimeZone
    }
}

// MARK: - Location

extension StockbridgeConfiguration {
    /// `sources[].location`: where files lie.
    public enum Location: Sendable {
        case sftp(SFTPLocation)
        /// FTP, or FTPS where `isEncrypted`.
        case ftp(FTPLocation)
        case folder(FolderLocation)
        case https(HTTPSLocation)

        /// The value of `type` in the file.
        public var type: String {
            switch self {
            case .sftp: "sftp"
            case .ftp(let location): location.isEncrypted ? "ftps" : "ftp"
            case .folder: "folder"
            case .https: "https"
            }
        }

        /// What the names of files must look like; nil for https, which names one file.
        public var pattern: FileNamePattern? {
            switch self {
            case .sftp(let location): location.pattern
            case .ftp(let location): location.pattern
            case .folder(let location): location.pattern
            case .https: nil
            }
        }

        /// The directory as the server or this machine names it; nil for https.
        public var directory: String? {
            switch self {
            case .sftp(let location): location.directory
            case .ftp(let location): location.directory
            case .folder(let location): location.directory
            case .https: nil
            }
        }
    }

    /// How an SFTP server proves that it is the right one.
    public enum HostKey: Sendable, Hashable {
        /// Its fingerprint as OpenSSH prints it, with `SHA256:` in front.
        case fingerprint(String)
        /// Absolute path of a file in OpenSSH's known_hosts format.
        case knownHosts(file: String)
    }

    /// A folder on an SFTP server. A private key, a password or both are set.
    public struct SFTPLocation: Sendable {
        /// Host name or address.
        public let host: String
        /// Port.
        public let port: Int
        /// Account.
        public let user: String
        /// Absolute path of the private key's file.
        public let privateKeyFile: String?
        /// The private key's passphrase.
        public let passphrase: SecretReference?
        /// The account's password.
        public let password: SecretReference?
        /// How the server proves that it is the right one.
        public let hostKey: HostKey
        /// The folder.
        public let directory: String
        /// Which files of the folder belong to the source.
        public let pattern: FileNamePattern
    }

    /// A folder on an FTP or FTPS server.
    public struct FTPLocation: Sendable {
        /// Host name or address.
        public let host: String
        /// Port.
        public let port: Int
        /// Account.
        public let user: String
        /// The account's password.
        public let password: SecretReference
        /// Whether the connection is encrypted and verified (`type: ftps`).
        public let isEncrypted: Bool
        /// Absolute path of a PEM file with the certificate authorities to trust; nil means the system's.
        public let caFile: String?
        /// The folder.
        public let directory: String
        /// Which files of the folder belong to the source.
        public let pattern: FileNamePattern
    }

    /// A folder that this machine sees.
    public struct FolderLocation: Sendable {
        /// Absolute path of the folder.
        public let directory: String
        /// Which files of the folder belong to the source.
        public let pattern: FileNamePattern
    }

    /// One file behind an address.
    public struct HTTPSLocation: Sendable {
        /// The file's address.
        public let url: String
        /// Account for basic authentication; set together with `password`.
        public let user: String?
        /// The account's password.
        public let password: SecretReference?
        /// Absolute path of a PEM file with the certificate authorities to trust; nil means the system's.
        public let caFile: String?
        /// Whether plain http is allowed.
        public let insecure: Bool
    }
}
