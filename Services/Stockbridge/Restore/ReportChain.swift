/// Whether a folder of reports can be all that was mailed since a moment. Pure.
///
/// The newest report of a shop is named by no other: whether it is there only a person can say, who looks at the ERP's
/// mailbox.
struct ReportChain: Equatable {
    /// Reports that another one names and that are not there, as sentences.
    private(set) var gaps: [String] = []
    /// What cannot be taken whatever the operator says, as sentences.
    private(set) var contradictions: [String] = []

    /// - Parameters:
    ///   - files: The reports.
    ///   - shops: Those of the configuration.
    ///   - sent: The batches that the database knows to have been sent.
    init(
        _ files: [(name: String, batch: String, shop: String, previous: String?, digest: String)], shops: Set<String>,
        sent: Set<String>
    ) {
        var digests: [String: String] = [:]
        for file in files {
            if !shops.contains(file.shop) {
                contradictions.append(
                    "\(file.name) is of shop '\(file.shop)', which the configuration does not have.")
            }
            if let other = digests.updateValue(file.digest, forKey: file.batch), other != file.digest {
                contradictions.append("Two files say different things under the batch id \(file.batch).")
            }
        }
        let known = sent.union(files.map(\.batch))
        for file in files {
            guard let previous = file.previous, !known.contains(previous) else { continue }
            gaps.append("\(file.name) names \(previous) as the report before it, which is not in the folder.")
        }
    }

    /// Why the folder is not taken, and what to do; nil if it is.
    ///
    /// - Parameter acceptsGaps: The operator said that a report may be missing. A contradiction is no gap: which of two
    ///   files the ERP got nobody here knows.
    func refusal(acceptsGaps: Bool) -> String? {
        let problems = contradictions + (acceptsGaps ? [] : gaps)
        guard !problems.isEmpty else { return nil }
        let advice =
            contradictions.isEmpty
            ? "Put every report into the folder that the ERP got since the backup, or say --accept-gaps, and the "
                + "orders of those that are missing go to the ERP again."
            : "Leave only files in the folder that are just as the ERP got them, of shops that the configuration has."
        return problems.joined(separator: "\n") + "\n\(advice) Nothing was changed."
    }
}
