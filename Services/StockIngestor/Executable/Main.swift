import ServiceKit
import StockIngestor

@main
struct Main {
    static func main() async {
        await ServiceMain.run { configuration in
            try await StockIngestorService(configuration: configuration, clock: ProcessClock.wall).run()
        }
    }
}
