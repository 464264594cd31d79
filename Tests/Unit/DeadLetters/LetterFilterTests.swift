import DeadLetters
import Testing

@Suite("Which dead letters are meant")
struct LetterFilterTests {
    @Test("every part of a filter is a condition with a parameter of its own, numbered from where the caller says")
    func condition() {
        var filter = LetterFilter()
        filter.shop = "hanoi"
        filter.items = ["SOAP", "hanoi/10"]
        filter.upTo = 7
        let (sql, parameters) = filter.condition(from: 3)
        #expect(
            sql == "l.shop = $3::text AND l.items && $4::text[] AND l.state = $5::text AND l.id <= $6::bigint")
        #expect(parameters.count == 4)
        #expect(LetterFilter(state: nil).condition().sql == "true")
    }
}
