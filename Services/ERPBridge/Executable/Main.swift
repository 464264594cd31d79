import ERPBridge
import ServiceKit

@main
struct Main {
    static func main() async {
        await ServiceMain.run { configuration in
            try await ERPBridgeService(configuration: configuration, clock: ProcessClock.wall).run()
        }
    }
}
