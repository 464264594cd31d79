import Reconciler
import ServiceKit

@main
struct Main {
    static func main() async {
        await ServiceMain.run { configuration in
            try await ReconcilerService(configuration: configuration, clock: ProcessClock.wall).run()
        }
    }
}
