import Testing

@testable import RabbitMQ

@Suite struct NodeOrderTests {
    private let nodes = ["a", "b", "c", "d"].map { BrokerAddress(host: $0, port: 5672) }
    private let start = ContinuousClock.now

    private func tried(_ order: NodeOrder, after seconds: Int) -> [String] {
        var generator = SystemRandomNumberGenerator()
        return order.tried(at: start + .seconds(seconds), using: &generator).map(\.host)
    }

    @Test func `clients that begin spread over all nodes`() {
        var first: Set<String> = []
        for _ in 0..<200 {
            let order = tried(NodeOrder(nodes), after: 0)
            #expect(order.sorted() == ["a", "b", "c", "d"])
            first.insert(order[0])
        }
        #expect(first == ["a", "b", "c", "d"])
    }

    @Test func `nodes that failed come last, the one that failed longest ago first`() {
        var order = NodeOrder(nodes)
        order.failed(nodes[2], at: start)
        order.failed(nodes[0], at: start + .seconds(10))
        for _ in 0..<20 {
            let hosts = tried(order, after: 20)
            #expect(hosts.suffix(2) == ["c", "a"])
            #expect(hosts.prefix(2).sorted() == ["b", "d"])
        }
    }

    @Test func `a failure is forgotten after a minute, and at once when the node lets us in`() {
        var order = NodeOrder(Array(nodes.prefix(2)))
        order.failed(nodes[0], at: start)
        #expect((0..<50).allSatisfy { _ in tried(order, after: 59).last == "a" })
        #expect((0..<200).contains { _ in tried(order, after: 61).first == "a" })
        order.succeeded(nodes[0])
        #expect((0..<200).contains { _ in tried(order, after: 1).first == "a" })
    }

    @Test func `a node that is named twice is tried twice and no other is left out`() {
        var order = NodeOrder(nodes + [nodes[0]])
        order.failed(nodes[0], at: start)
        #expect(tried(order, after: 1).suffix(2) == ["a", "a"])
    }

    @Test func `what all nodes say becomes one error`() {
        let dead = NodeOrder.summary([
            .unreachable(host: "a", port: 1, detail: "refused"), .unreachable(host: "b", port: 2, detail: "silent"),
        ])
        #expect(dead == .unreachable(host: "a", port: 1, detail: "refused; nor can b:2 (silent)"))
        #expect(
            dead.description
                == "The broker at a:1 cannot be reached (refused; nor can b:2 (silent)); "
                + "the next use tries again after a pause.")
        let refusal = BrokerError.refused(code: 530, text: "no", step: .login)
        #expect(NodeOrder.summary([.unreachable(host: "a", port: 1, detail: "refused"), refusal]) == refusal)
    }

    @Test func `a configuration of several nodes shows them all and no password`() {
        var configuration = BrokerConfiguration(host: "a", user: "me", password: "hidden")
        configuration.furtherNodes = [BrokerAddress(host: "::1", port: 5673)]
        #expect(configuration.description == "amqp://me@a:5672,[::1]:5673/%2f")
    }

    @Test(arguments: [(10, 1, 10), (10, 3, 3), (10, 2, 5), (30, 3, 10), (2, 5, 2)])
    func `several nodes share the time for connecting`(limit: Int, count: Int, seconds: Int) {
        var configuration = BrokerConfiguration(host: "a", user: "", password: "", connectTimeoutSeconds: limit)
        configuration.furtherNodes = (1..<count).map { BrokerAddress(host: "b", port: $0) }
        #expect(configuration.dialSeconds == seconds)
    }

    @Test func `the password is asked for anew, and the last known one used where it cannot be had`() {
        struct Gone: Error {}
        var configuration = BrokerConfiguration(host: "a", user: "me", password: "old")
        #expect(configuration.presentPassword == "old")
        configuration.renewedPassword = { "new" }
        #expect(configuration.presentPassword == "new")
        configuration.renewedPassword = { throw Gone() }
        #expect(configuration.presentPassword == "old")
    }
}
