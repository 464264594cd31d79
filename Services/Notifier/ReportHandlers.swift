import Contracts
import Foundation
import Messaging

/// Tells the people who look after the ERP that an order report went out.
struct ReportReadyHandler: BatchHandler {
    let composer: MailComposer
    let outgoing: Outgoing
    let recipients: [String]

    func apply(_ events: [Event<ReportReady>], in work: UnitOfWork) throws {
        for event in events {
            let repetition = event.payload.isRepetition ? "-again-\(event.id.uuidString.lowercased())" : ""
            try outgoing.post(
                composer.report(event.payload), to: recipients,
                about: "report-\(event.payload.batchID)\(repetition)", correlation: event.correlation, in: work)
        }
    }
}

/// Sends the reconciliation to the General Manager: the summary as HTML with its picture, all of it as a workbook.
struct ReconciliationHandler: BatchHandler {
    let composer: MailComposer
    let outgoing: Outgoing
    let recipients: [String]

    func apply(_ events: [Event<ReconciliationCompleted>], in work: UnitOfWork) throws {
        for event in events {
            let report = event.payload
            let about = "reconciliation-\(report.runID.uuidString.lowercased())\(report.isUpdate ? "-update" : "")"
            try outgoing.post(
                composer.reconciliation(report), to: recipients,
                files: MailFiles(attachments: [report.workbookID], picture: report.pictureID), about: about,
                correlation: event.correlation, in: work)
        }
    }
}
