public import RabbitMQ

/// Declares a topology over AMQP.
public enum TopologyDeclarer {
    /// Declares in the order given; what exists with the same arguments is left as it is.
    ///
    /// - Throws: `BrokerError.refused` with 406 if something exists with other arguments, 403 if the user may not.
    public static func declare(_ declarations: [Declaration], over session: TopologySession) async throws(BrokerError) {
        for declaration in declarations {
            switch declaration {
            case .exchange(let name, let kind, let arguments):
                try await session.declareExchange(name, kind: kind, durable: true, arguments: arguments)
            case .queue(let name, let arguments):
                _ = try await session.declareQueue(name, durable: true, arguments: arguments)
            case .binding(let queue, let exchange, let key):
                try await session.bindQueue(queue, exchange: exchange, routingKey: key)
            }
        }
    }
}
