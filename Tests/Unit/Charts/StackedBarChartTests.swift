import Charts
import Foundation
import Testing

@Suite("Stacked bar chart")
struct StackedBarChartTests {
    private static func chart(bars: [StackedBarChart.Bar]) -> StackedBarChart {
        StackedBarChart(
            title: "Reconciliation 22/11/2026", subtitle: "5 shops, 98,429 listings",
            series: [.init("as it should be", .good), .init("on its way", .neutral), .init("different", .bad)],
            bars: bars)
    }

    /// Width and height from the header of a PNG file.
    private static func size(_ png: [UInt8]) -> (width: Int, height: Int) {
        func number(_ at: Int) -> Int { png[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) } }
        return (number(16), number(20))
    }

    @Test
    func itIsAPNGForDenseScreensThatGrowsWithTheBars() throws {
        let bar = StackedBarChart.Bar(label: "Hà Nội", values: [19_996, 1, 3], remark: "3 differences")
        let one = try Self.chart(bars: [bar]).png()
        let two = try Self.chart(bars: [bar, bar]).png()
        #expect(one.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        #expect(Self.size(one).width == 1_280)
        #expect(Self.size(two).height - Self.size(one).height == 68)
        if let file = ProcessInfo.processInfo.environment["SHOW_CHART"] {
            try Data(two).write(to: URL(filePath: file))
        }
    }

    @Test
    func emptyBarsAndNoBarsAreDrawnToo() throws {
        let empty = StackedBarChart.Bar(label: "", values: [0, 0, 0], remark: "not read back")
        #expect(try Self.chart(bars: [empty]).png().count > 1_000)
        #expect(try Self.chart(bars: []).png().count > 1_000)
    }

    @Test
    func theSameChartGivesTheSameBytes() throws {
        let bar = StackedBarChart.Bar(label: "saigon", values: [1, 2, 3], remark: "🧴 a remark that is far too long")
        #expect(try Self.chart(bars: [bar]).png() == Self.chart(bars: [bar]).png())
    }
}
