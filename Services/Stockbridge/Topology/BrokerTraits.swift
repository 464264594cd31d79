/// In what a series of RabbitMQ differs from others, as far as it matters to us. Each is tried on a real broker by
/// `BrokerTraitTests`.
struct BrokerTraits: Equatable {
    /// Whether a message that its consumer gave back (nack with requeue) has come closer to its delivery limit. One
    /// whose consumer died always has.
    let countsReturns: Bool
    /// How often a quorum queue without `x-delivery-limit` delivers a message again before it gives it up.
    let ownDeliveryLimit: Int?
    /// Whether a delivery limit below zero means "never", and not "the first time".
    let takesNegativeLimitAsNone: Bool
    /// Whether it believes the header `x-death` of a message that somebody publishes, and drops it as one in a circle.
    let believesPublishedDeaths: Bool
    /// The largest message that it takes unless it is told otherwise.
    let largestMessageMebibytes: Int

    init(_ version: TopologyComparison.Version) {
        let isFour = version >= .init(major: 4, minor: 0)
        countsReturns = version < .init(major: 4, minor: 3)
        ownDeliveryLimit = isFour ? 20 : nil
        takesNegativeLimitAsNone = isFour
        believesPublishedDeaths = !isFour
        largestMessageMebibytes = isFour ? 16 : 128
    }

    /// A sentence about each that a person should know.
    var notes: [String] {
        var notes = [
            countsReturns
                ? "every return of a message counts against x-delivery-limit, nack with requeue included."
                : "a rejected or failed delivery counts against x-delivery-limit, a returned one does not."
        ]
        if let ownDeliveryLimit {
            notes.append(
                "a queue without x-delivery-limit gives a message up after \(ownDeliveryLimit) redeliveries; "
                    + "all of ours set it.")
        }
        if believesPublishedDeaths {
            notes.append(
                "a message that is sent again with its x-death headers can be dropped without a trace. "
                    + "'dead-letters replay' takes them off; the management page and shovels do not.")
        }
        return notes
    }
}
