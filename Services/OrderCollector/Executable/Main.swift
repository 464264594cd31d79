import OrderCollector
import ServiceKit

@main
struct Main {
    static func main() async {
        await ServiceMain.run { configuration in
            try await OrderCollectorService(configuration: configuration, clock: ProcessClock.wall).run()
        }
    }
}
