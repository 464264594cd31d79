internal import CXLSXWriter

/// A chart of stacked columns or bars over cells of its own worksheet.
public struct StackedChart: Sendable, Equatable {
    /// A column of the worksheet, as one colour of the chart.
    public struct Series: Sendable, Equatable {
        /// The column of the values, from 0; its title names the series.
        public var column: Int
        /// The colour as `0xRRGGBB`; nil leaves it to the program.
        public var colour: UInt32?

        /// Creates a series.
        public init(column: Int, colour: UInt32? = nil) {
            self.column = column
            self.colour = colour
        }
    }

    /// Above the chart.
    public var title: String
    /// Horizontal bars instead of columns.
    public var isHorizontal: Bool
    /// The column that names the columns or bars, from 0.
    public var categoryColumn: Int
    /// From the bottom of the stack up.
    public var series: [Series]
    /// The numbers of the rows with the values, from 1, the header being row 1 where there is one.
    public var rows: ClosedRange<Int>
    /// The row of the upper left corner, from 1.
    public var cornerRow: Int
    /// The column of the upper left corner, from 0.
    public var cornerColumn: Int

    /// Creates a chart.
    public init(
        title: String, isHorizontal: Bool = false, categoryColumn: Int, series: [Series], rows: ClosedRange<Int>,
        cornerRow: Int, cornerColumn: Int
    ) {
        self.title = title
        self.isHorizontal = isHorizontal
        self.categoryColumn = categoryColumn
        self.series = series
        self.rows = rows
        self.cornerRow = cornerRow
        self.cornerColumn = cornerColumn
    }
}

extension WorkbookWriter {
    /// Puts a chart on a worksheet of this workbook. Programs draw it from the cells when they open the workbook.
    ///
    /// - Throws: ``WorkbookWritingError`` if the worksheet is closed or the chart stands outside of it.
    public func addChart(_ chart: StackedChart, to sheet: SheetWriter) throws(WorkbookWritingError) {
        let kind = chart.isHorizontal ? LXW_CHART_BAR_STACKED : LXW_CHART_COLUMN_STACKED
        guard let worksheet = sheet.sheet, let book, let object = workbook_add_chart(book, UInt8(kind.rawValue)) else {
            throw .closed
        }
        chart_title_set_name(object, chart.title)
        let (first, last) = (lxw_row_t(max(0, chart.rows.lowerBound - 1)), lxw_row_t(max(0, chart.rows.upperBound - 1)))
        for item in chart.series {
            guard let series = chart_add_series(object, nil, nil) else { continue }
            let (names, values) = (lxw_col_t(chart.categoryColumn), lxw_col_t(item.column))
            chart_series_set_categories(series, sheet.name, first, names, last, names)
            chart_series_set_values(series, sheet.name, first, values, last, values)
            if sheet.hasHeader { chart_series_set_name_range(series, sheet.name, 0, values) }
            if let colour = item.colour {
                var fill = lxw_chart_fill(color: colour, none: 0, transparency: 0)
                chart_series_set_fill(series, &fill)
            }
        }
        let row = lxw_row_t(max(0, chart.cornerRow - 1))
        try sheet.check(worksheet_insert_chart(worksheet, row, lxw_col_t(chart.cornerColumn), object))
    }
}
