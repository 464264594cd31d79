import ServiceKit
import StockPublisher

@main
struct Main {
    static func main() async {
        await ServiceMain.run { configuration in
            try await StockPublisherService(configuration: configuration, clock: ProcessClock.wall).run()
        }
    }
}
