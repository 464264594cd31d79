/// Which deliveries of one connection are still to be settled, and with how few commands it can be done.
///
/// The broker numbers deliveries from 1. Settling with `multiple` covers every unsettled delivery up to the number,
/// so it may be used exactly when no delivery before it is still being worked on.
struct SettlementPlanner {
    /// One ack or nack to send.
    struct Command: Equatable {
        let number: UInt64
        let multiple: Bool
    }

    private var settled: [Bool] = []
    private var head = 0
    /// The delivery number of `settled[head]`.
    private var oldest: UInt64 = 1

    /// The highest number delivered so far.
    var newest: UInt64 { oldest + UInt64(settled.count - head) - 1 }

    /// How many deliveries are not settled.
    var outstanding: Int { settled[head...].count { !$0 } }

    /// Notes deliveries up to `number`.
    mutating func delivered(_ number: UInt64) {
        while newest < number { settled.append(false) }
    }

    /// Settles `numbers`; those settled before are left out, since a second ack is a channel error.
    mutating func settle(_ numbers: [UInt64]) -> [Command] {
        var fresh: [UInt64] = []
        for number in numbers.sorted() where number >= oldest && number <= newest {
            let index = head + Int(number - oldest)
            if !settled[index] {
                settled[index] = true
                fresh.append(number)
            }
        }
        while head < settled.count && settled[head] {
            head += 1
            oldest += 1
        }
        compact()
        let covered = fresh.prefix { $0 < oldest }
        var commands: [Command] = []
        if let last = covered.last { commands.append(Command(number: last, multiple: covered.count > 1)) }
        for number in fresh.dropFirst(covered.count) { commands.append(Command(number: number, multiple: false)) }
        return commands
    }

    private mutating func compact() {
        if head == settled.count {
            settled.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 4096 {
            settled.removeFirst(head)
            head = 0
        }
    }
}
