import Contracts
import Domain
import Messaging
import Testing

@testable import ServiceKit

@Suite("The description of all services")
struct ServiceCatalogueTests {
    private let services = ServiceCatalogue.services(shops: ["hanoi", "saigon"])

    @Test("there is one description for every service, and a push queue for every shop")
    func complete() {
        #expect(Set(services.map(\.name)) == Set(ServiceName.allCases))
        let queues = services.flatMap(\.queues).map(\.name)
        #expect(queues.contains("stock-publisher.push.hanoi") && queues.contains("stock-publisher.push.saigon"))
        #expect(Set(queues).count == queues.count)
    }

    @Test("every queue belongs to its service by name")
    func owned() {
        for service in services {
            for queue in service.queues {
                #expect(queue.name == service.name.rawValue || queue.name.hasPrefix(service.name.rawValue + "."))
            }
        }
    }

    @Test("every topic that a service consumes is bound to exactly one of its queues")
    func topics() {
        for service in services {
            let bound = service.queues.flatMap(\.topics)
            #expect(bound.sorted() == Topics.consumed(by: service.name).sorted())
            #expect(service.publishes == Topics.published(by: service.name))
        }
    }

    @Test("only notifier and the operator's tool handle dead letters")
    func deadLetters() {
        #expect(Set(services.filter(\.handlesDeadLetters).map(\.name)) == [.notifier, .stockbridge])
    }

    @Test("the configuration is where the argument says, else where the environment or the default says")
    func configurationPath() {
        #expect(ServiceMain.configurationPath(["notifier", "--configuration", "/tmp/x.yaml"]) == "/tmp/x.yaml")
        #expect(ServiceMain.configurationPath(["notifier", "--configuration"]).hasSuffix("stockbridge.yaml"))
    }
}
