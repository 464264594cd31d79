public import RabbitMQ

/// An event that reached nobody, on its way to the events exchange again.
public enum ResentEvent {
    /// The same event under the same id, topic and properties, so that a consumer that had it after all knows it.
    ///
    /// - Parameter delivery: From the queue ``Topology/unrouted``, where the routing key is still the topic.
    public static func make(_ delivery: Delivery) -> OutgoingMessage {
        var properties = delivery.properties.withoutBrokerHeaders
        properties.persistent = true
        return OutgoingMessage(
            exchange: Topology.events, routingKey: delivery.routingKey, mandatory: true, properties: properties,
            body: delivery.body)
    }
}
