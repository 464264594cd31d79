internal import CCairo

/// A picture could not be drawn.
public struct ChartError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the drawing library says.
    public let detail: String

    /// What happened, and what to do.
    public var description: String { "The picture could not be drawn: \(detail). The report goes out without it." }
}

/// A Cairo image surface. Units are points; `scale` pixels are one point.
final class Canvas {
    private let surface: OpaquePointer
    private let context: OpaquePointer

    init(width: Double, height: Double, scale: Double) throws(ChartError) {
        let made = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width * scale), Int32(height * scale))
        guard let made, let context = cairo_create(made) else { throw ChartError(detail: "no memory") }
        surface = made
        self.context = context
        let status = cairo_status(context)
        guard status == CAIRO_STATUS_SUCCESS else { throw ChartError(detail: Canvas.words(status)) }
        cairo_scale(context, scale, scale)
        cairo_set_source_rgb(context, 1, 1, 1)
        cairo_paint(context)
    }

    deinit {
        cairo_destroy(context)
        cairo_surface_destroy(surface)
    }

    func fill(x: Double, y: Double, width: Double, height: Double, color: StackedBarChart.Color) {
        cairo_set_source_rgb(context, color.red, color.green, color.blue)
        cairo_rectangle(context, x, y, width, height)
        cairo_fill(context)
    }

    /// Text that begins at `x` with its base line at `y`; cut with an ellipsis where it is wider than `within`.
    func text(
        _ text: String, x: Double, y: Double, size: Double, bold: Bool = false, color: StackedBarChart.Color,
        within: Double = .infinity
    ) {
        choose(size: size, bold: bold)
        var shown = text
        while shown.count > 1, extent(shown) > within { shown = String(shown.dropLast(2)) + "…" }
        cairo_set_source_rgb(context, color.red, color.green, color.blue)
        cairo_move_to(context, x, y)
        cairo_show_text(context, shown)
    }

    func width(of text: String, size: Double) -> Double {
        choose(size: size, bold: false)
        return extent(text)
    }

    /// The picture so far.
    func png() throws(ChartError) -> [UInt8] {
        var bytes: [UInt8] = []
        let status = withUnsafeMutablePointer(to: &bytes) { target in
            cairo_surface_write_to_png_stream(
                surface,
                { closure, data, length in
                    guard let data, let target = closure?.assumingMemoryBound(to: [UInt8].self) else {
                        return CAIRO_STATUS_WRITE_ERROR
                    }
                    target.pointee.append(contentsOf: UnsafeBufferPointer(start: data, count: Int(length)))
                    return CAIRO_STATUS_SUCCESS
                }, target)
        }
        guard status == CAIRO_STATUS_SUCCESS else { throw ChartError(detail: Canvas.words(status)) }
        return bytes
    }

    private func choose(size: Double, bold: Bool) {
        cairo_select_font_face(
            context, "sans-serif", CAIRO_FONT_SLANT_NORMAL, bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)
        cairo_set_font_size(context, size)
    }

    private func extent(_ text: String) -> Double {
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, text, &extents)
        return extents.x_advance
    }

    private static func words(_ status: cairo_status_t) -> String {
        cairo_status_to_string(status).map { String(cString: $0) } ?? "status \(status.rawValue)"
    }
}
