import Stockbridge

@main
struct Main {
    static func main() async { await OperatorTool.run() }
}
