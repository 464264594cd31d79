import Notifier
import ServiceKit

@main
struct Main {
    static func main() async {
        await ServiceMain.run { configuration in
            try await NotifierService(configuration: configuration, clock: ProcessClock.wall).run()
        }
    }
}
