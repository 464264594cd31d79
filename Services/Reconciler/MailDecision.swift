/// Whether a mail goes out: one a day by the set time, one later update when all is complete, never a third.
enum MailDecision: Equatable, Sendable {
    case send(isUpdate: Bool)
    case keepSilent

    /// Why a report is looked at.
    enum Reason: String, Sendable {
        /// Every shop of the run is compared, or cannot be.
        case settled
        /// The set time has come, or an operator's run has lasted long enough.
        case time
    }

    /// - Parameters:
    ///   - isCommand: an operator asked for the run, and is answered whatever was mailed before.
    ///   - mails: how many mails went out for the day.
    ///   - dayIsComplete: whether one of them named every shop.
    ///   - runIsComplete: whether this run compared every shop of the configuration.
    init(reason: Reason, isCommand: Bool, mails: Int, dayIsComplete: Bool, runIsComplete: Bool) {
        let completesDay = mails == 1 && !dayIsComplete && runIsComplete
        if isCommand {
            self = .send(isUpdate: completesDay)
        } else if mails == 0 {
            self = .send(isUpdate: false)
        } else {
            self = reason == .settled && completesDay ? .send(isUpdate: true) : .keepSilent
        }
    }
}
