/// A picture of bars that are made of parts: one bar a row, drawn as PNG for mails and workbooks.
public struct StackedBarChart: Sendable {
    /// A colour by its red, green and blue parts between 0 and 1.
    public struct Color: Sendable, Hashable {
        let red: Double
        let green: Double
        let blue: Double

        /// A colour from its parts between 0 and 1.
        public init(red: Double, green: Double, blue: Double) {
            self.red = red
            self.green = green
            self.blue = blue
        }

        /// All is well. The four differ in brightness too, so that they can be told apart without colours.
        public static let good = Color(red: 0.16, green: 0.55, blue: 0.38)
        /// Nobody's fault, on its way.
        public static let neutral = Color(red: 0.72, green: 0.76, blue: 0.80)
        /// Somebody should look.
        public static let warning = Color(red: 0.96, green: 0.69, blue: 0.18)
        /// Somebody should look now.
        public static let bad = Color(red: 0.76, green: 0.19, blue: 0.18)
        static let ink = Color(red: 0.13, green: 0.16, blue: 0.20)
        static let faint = Color(red: 0.42, green: 0.46, blue: 0.52)
    }

    /// One kind of part, the same in all bars.
    public struct Series: Sendable, Hashable {
        /// What the legend calls it.
        public var name: String
        /// Its colour.
        public var color: Color

        /// A kind of part.
        public init(_ name: String, _ color: Color) {
            self.name = name
            self.color = color
        }
    }

    /// One bar.
    public struct Bar: Sendable, Hashable {
        /// What stands before it.
        public var label: String
        /// The sizes of its parts, one for each series; none below 0.
        public var values: [Double]
        /// What stands behind it.
        public var remark: String

        /// A bar.
        public init(label: String, values: [Double], remark: String) {
            self.label = label
            self.values = values
            self.remark = remark
        }
    }

    /// What stands above it.
    public var title: String
    /// One line below the title.
    public var subtitle: String
    /// The kinds of parts.
    public var series: [Series]
    /// The bars, from the top.
    public var bars: [Bar]

    /// A chart.
    public init(title: String, subtitle: String, series: [Series], bars: [Bar]) {
        self.title = title
        self.subtitle = subtitle
        self.series = series
        self.bars = bars
    }

    /// The picture as PNG, for screens of twice the usual density: 1,280 pixels wide, shown at 640.
    ///
    /// - Throws: ``ChartError``.
    public func png() throws(ChartError) -> [UInt8] {
        let height = Layout.top + Double(max(bars.count, 1)) * Layout.row + Layout.bottom
        let canvas = try Canvas(width: Layout.width, height: height, scale: 2)
        canvas.text(title, x: Layout.margin, y: 30, size: 17, bold: true, color: .ink)
        canvas.text(subtitle, x: Layout.margin, y: 52, size: 12, color: .faint)
        for (index, bar) in bars.enumerated() {
            draw(bar, y: Layout.top + Double(index) * Layout.row, on: canvas)
        }
        var x = Layout.margin
        for part in series {
            canvas.fill(x: x, y: height - 28, width: 11, height: 11, color: part.color)
            canvas.text(part.name, x: x + 16, y: height - 18, size: 11, color: .faint)
            x += 16 + canvas.width(of: part.name, size: 11) + 20
        }
        return try canvas.png()
    }

    private func draw(_ bar: Bar, y: Double, on canvas: Canvas) {
        canvas.text(bar.label, x: Layout.margin, y: y + 18, size: 13, color: .ink, within: Layout.label - 10)
        let whole = bar.values.reduce(0) { $0 + max(0, $1) }
        var x = Layout.margin + Layout.label
        canvas.fill(x: x, y: y + 4, width: Layout.bar, height: 20, color: Color(red: 0.94, green: 0.95, blue: 0.96))
        for (part, value) in zip(series, bar.values) where value > 0 && whole > 0 {
            // Three differences among twenty thousand are the news: a part is never thinner than can be seen.
            let width = max(3, value / whole * Layout.bar)
            let end = min(x + width, Layout.margin + Layout.label + Layout.bar)
            canvas.fill(x: min(x, end - 3), y: y + 4, width: max(3, end - x), height: 20, color: part.color)
            x = end
        }
        canvas.text(
            bar.remark, x: Layout.margin + Layout.label + Layout.bar + 12, y: y + 18, size: 12, color: .faint,
            within: Layout.width - Layout.margin * 2 - Layout.label - Layout.bar - 12)
    }

    private enum Layout {
        static let width = 640.0
        static let margin = 20.0
        static let label = 110.0
        static let bar = 290.0
        static let row = 34.0
        static let top = 70.0
        static let bottom = 48.0
    }
}
