import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit

/// Looks after reports by the clock: a wait that is over, a message that was lost.
struct ReportKeeper: Sendable {
    let parts: ServiceParts
    let progress: ReportProgress

    func run() async {
        while !parts.stop.isStopping {
            do {
                let progress = progress
                try await parts.database.unitOfWork { work in try progress.advance(in: work) }
            } catch {
                parts.logger.warning("reports not looked at, trying again", metadata: ["problem": "\(error)"])
            }
            await parts.stop.sleep(for: .milliseconds(700))
        }
    }
}
