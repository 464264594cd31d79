/// Which published messages the broker has not answered yet.
///
/// The broker numbers the messages of a channel from 1 in the order they were published, and answers with a number
/// and a flag that means "and all before it". librabbitmq 0.11 leaves the counting to its user.
struct ConfirmTracker<Token> {
    private var slots: [Token?] = []
    /// Index in `slots` of the oldest message without an answer.
    private var head = 0
    /// The sequence number of `slots[head]`.
    private var oldest: UInt64 = 1
    /// How many messages have no answer yet.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Notes the next message; returns its sequence number.
    @discardableResult
    mutating func append(_ token: Token) -> UInt64 {
        slots.append(token)
        count += 1
        return oldest + UInt64(slots.count - head) - 1
    }

    /// The broker's answer for `number`, and for all before it if `multiple` (0 then means all); hands out the tokens
    /// it settles. Numbers that were answered before or never given out change nothing.
    mutating func settle(_ number: UInt64, multiple: Bool, _ body: (Token) -> Void) {
        let last = number == 0 && multiple ? head + slots.count : index(of: number)
        guard let last, last >= head || multiple else { return }
        if multiple {
            var index = head
            while index <= last && index < slots.count {
                take(index, body)
                index += 1
            }
        } else {
            take(last, body)
        }
        advance()
    }

    /// The oldest unanswered message `isMatch` accepts.
    func first(where isMatch: (Token) -> Bool) -> Token? {
        for index in head..<slots.count {
            if let token = slots[index], isMatch(token) { return token }
        }
        return nil
    }

    /// Every unanswered message, oldest first.
    func forEach(_ body: (Token) -> Void) {
        for index in head..<slots.count {
            if let token = slots[index] { body(token) }
        }
    }

    private func index(of number: UInt64) -> Int? {
        guard number >= oldest, number - oldest < UInt64(slots.count - head) else { return nil }
        return head + Int(number - oldest)
    }

    private mutating func take(_ index: Int, _ body: (Token) -> Void) {
        guard let token = slots[index] else { return }
        slots[index] = nil
        count -= 1
        body(token)
    }

    private mutating func advance() {
        while head < slots.count && slots[head] == nil {
            head += 1
            oldest += 1
        }
        // Removing from the front costs the length of the rest; once in a while it costs next to nothing a message.
        if head == slots.count {
            slots.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1024 && head * 2 >= slots.count {
            slots.removeFirst(head)
            head = 0
        }
    }
}
