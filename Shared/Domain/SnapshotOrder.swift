public import Foundation

/// Which of two statements about the same (source, code, warehouse) is newer: the later `as_of`, whenever it was
/// accepted (domain.md section 2, The file gate).
public enum SnapshotOrder: Sendable, Hashable {
    /// It replaces what is live.
    case newer
    /// The same moment: the same content again, or a correction, which is held for a person.
    case same
    /// It is refused; an older statement never replaces a newer one.
    case older

    /// Compares a snapshot's `as_of` with that of the live one.
    ///
    /// - Parameters:
    ///   - asOf: when the ERP extracted the snapshot.
    ///   - live: the same of the live one; nil if there is none yet.
    public init(asOf: Date, comparedTo live: Date?) {
        guard let live, asOf <= live else {
            self = .newer
            return
        }
        self = asOf == live ? .same : .older
    }
}

/// What a newly read snapshot is, beside the live one.
public enum SnapshotNovelty: Sendable, Hashable {
    /// Newer; the gate looks at its content.
    case candidate
    /// The same content with the same `as_of`: nothing to do, but it is recorded that it came again.
    case repetition
    /// Another content with the same `as_of`: a correction, held for a person.
    case correction
    /// Older than the live one: refused.
    case outdated

    /// Decides by `as_of` and digest. The same content on a later day is a new snapshot.
    ///
    /// - Parameters:
    ///   - asOf: when the ERP extracted it.
    ///   - digest: the digest of its content.
    ///   - live: the live snapshot's `as_of` and digest; nil if there is none yet.
    public init(asOf: Date, digest: some Collection<UInt8>, live: (asOf: Date, digest: [UInt8])?) {
        switch SnapshotOrder(asOf: asOf, comparedTo: live?.asOf) {
        case .newer: self = .candidate
        case .older: self = .outdated
        case .same: self = live.map { digest.elementsEqual($0.digest) } ?? false ? .repetition : .correction
        }
    }
}

/// What a source last said about one code in one warehouse, and as of when.
public struct StockStatement: Sendable, Hashable, Codable {
    /// ERP units on hand.
    public var onHand: Quantity
    /// As of when this is the source's word: that of the newest snapshot which stated it, changed or not.
    public var asOf: Date

    /// A statement.
    public init(onHand: Quantity, asOf: Date) {
        self.onHand = onHand
        self.asOf = asOf
    }

    /// Takes in what a snapshot says: a newer statement replaces this one.
    ///
    /// - Parameters:
    ///   - onHand: what a chunk states; nil if no chunk of a difference names the code, which restates it unchanged.
    ///   - asOf: the snapshot's `as_of`.
    /// - Returns: whether the quantity changed. (The time may have moved all the same.)
    @discardableResult
    public mutating func restate(_ onHand: Quantity?, asOf: Date) -> Bool {
        guard asOf >= self.asOf else { return false }
        self.asOf = asOf
        guard let onHand, onHand != self.onHand else { return false }
        self.onHand = onHand
        return true
    }

    private enum CodingKeys: String, CodingKey {
        case onHand = "on_hand"
        case asOf = "as_of"
    }
}
