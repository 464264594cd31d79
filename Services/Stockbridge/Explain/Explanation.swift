import Contracts
import Domain
import Foundation

/// Why a shelf shows the number it shows: the chain from the file's line to the shop's answer.
struct Explanation: Sendable, Encodable {
    struct Listing: Sendable, Encodable {
        var listing: String
        /// Where the shop keeps the stock; other listings may share it.
        var shelf: String
        var sku: String?
        var title: String
        var stockManaged: Bool
        var published: Bool
        /// What the shop had when its catalogue was read.
        var observed: String?
        var observedAt: Date
        /// `mapped`, `unmapped`, `ambiguous`, `blank`.
        var mapping: String
        var erpCode: String?
        var unitsPerPack: Int?
        /// `exact`, `rule`, `alias`.
        var via: String?
        var candidates: [String]?
        var aliasSetBy: String?
        var aliasSetAt: Date?
    }

    /// What a file says about the code in one warehouse.
    struct FileRow: Sendable, Encodable {
        var source: String
        var warehouse: String
        var onHand: String
        var reserved: String?
        /// In the file; nil for a zero that stands for a missing SKU.
        var line: Int?
        var file: String
        var snapshot: UUID
        var sequence: Int?
        var asOf: Date
        var receivedAt: Date
        var acceptedBy: String?
        var acceptedReason: String?
        /// In how many later files in a row the SKU was missing.
        var missingFor: Int
        /// The newest file of the source, which leaves the number as it is or states it again.
        var restatedBy: String?
    }

    /// A row that names the code and was set aside.
    struct SetAsideRow: Sendable, Encodable {
        var file: String
        var line: Int
        var reason: String
    }

    struct Version: Sendable, Encodable {
        var version: Int
        var wanted: Int?
        var causeKind: String
        var causeID: String
        var decidedAt: Date
        var breakdown: LevelBreakdown?
    }

    struct Push: Sendable, Encodable {
        var version: Int
        var level: Int
        var beganAt: Date
        var endedAt: Date
        var result: String
        var answer: String?
        var replica: String
    }

    struct Hold: Sendable, Encodable {
        var quantity: String
        var reason: String
        var endsAt: Date
        var createdBy: String
    }

    /// The shelf as it is now; absent when an earlier time is asked for.
    struct Shelf: Sendable, Encodable {
        var wanted: Int?
        var version: Int
        var sentVersion: Int
        var confirmedVersion: Int
        var confirmedLevel: Int?
        var confirmedAt: Date?
        var expectedAtShop: Int?
        var due: Bool
        var inFlight: Bool
        var unknownUntil: Date?
        var rejection: String?
        var failure: String?
        var held: String?
        var deferral: String?
    }

    var shop: String
    var asked: String
    /// The time it is told for.
    var at: Date
    /// Whether that is an earlier time than now.
    var isPast: Bool
    var shadow: Bool
    var listing: Listing
    var otherMatches: [String] = []
    var files: [FileRow] = []
    /// Files that were live then and whose rows are no longer kept.
    var filesWithoutRows: [String] = []
    var setAside: [SetAsideRow] = []
    var holds: [Hold] = []
    /// Newest first.
    var versions: [Version] = []
    /// Whether versions that would stand in the list are no longer kept.
    var versionsAreMissing = false
    /// Whether the version that was wanted then is one of these, so that the first of the list is not it.
    var wantedIsMissing = false
    var pushes: [Push] = []
    /// Whether pushes that would stand in the list may be no longer kept.
    var pushesAreMissing = false
    var shelf: Shelf?
}
