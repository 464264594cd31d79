internal import CXML

/// Pushes one part of a workbook through libxml2's SAX2 parser.
///
/// No document type declaration is accepted, so there are no entities to expand and nothing to fetch: the format
/// never has one.
final class XMLPartParser {
    private let context: xmlParserCtxtPtr
    private let handler: XMLHandler
    private let part: String
    private let box: HandlerBox

    /// What the C callbacks get: outlives the parser's context, which is freed first.
    private final class HandlerBox {
        let handler: XMLHandler
        var context: xmlParserCtxtPtr?
        init(_ handler: XMLHandler) { self.handler = handler }
    }

    init(part: String, handler: XMLHandler) throws(WorkbookError) {
        self.part = part
        self.handler = handler
        let box = HandlerBox(handler)
        self.box = box
        var callbacks = Self.callbacks()
        let user = Unmanaged.passUnretained(box).toOpaque()
        guard let context = xmlCreatePushParserCtxt(&callbacks, user, nil, 0, nil) else {
            throw .malformed(part: part, detail: "the XML parser could not be started")
        }
        self.context = context
        box.context = context
        let options = XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
        _ = xmlCtxtUseOptions(context, Int32(options))
    }

    deinit { xmlFreeParserCtxt(context) }

    /// Parses the next bytes. False when the handler wants no more.
    func push(_ bytes: UnsafeRawBufferPointer) throws(WorkbookError) -> Bool {
        let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        try check(xmlParseChunk(context, start, Int32(bytes.count), 0))
        return !handler.stopped
    }

    /// Says that all bytes were pushed.
    func finish() throws(WorkbookError) {
        if handler.stopped { return try check(0) }
        try check(xmlParseChunk(context, nil, 0, 1))
    }

    private func check(_ code: Int32) throws(WorkbookError) {
        if let failure = handler.failure { throw failure }
        if handler.stopped || code == 0 { return }
        let line = context.pointee.input?.pointee.line ?? 0
        throw .malformed(part: part, detail: "the XML is not well-formed (code \(code), line \(line))")
    }

    private static func callbacks() -> xmlSAXHandler {
        var callbacks = xmlSAXHandler()
        callbacks.initialized = UInt32(XML_SAX2_MAGIC)
        callbacks.startElementNs = { user, name, _, _, _, _, count, _, attributes in
            guard let user, let name else { return }
            Unmanaged<HandlerBox>.fromOpaque(user)._withUnsafeGuaranteedRef { box in
                if box.handler.stopped { return }
                box.handler.start(XMLName(bytes: name), XMLAttributes(base: attributes, count: Int(count)))
                if box.handler.stopped { xmlStopParser(box.context) }
            }
        }
        callbacks.endElementNs = { user, name, _, _ in
            guard let user, let name else { return }
            Unmanaged<HandlerBox>.fromOpaque(user)._withUnsafeGuaranteedRef { box in
                if box.handler.stopped { return }
                box.handler.end(XMLName(bytes: name))
                if box.handler.stopped { xmlStopParser(box.context) }
            }
        }
        callbacks.characters = { user, text, count in
            guard let user, let text else { return }
            Unmanaged<HandlerBox>.fromOpaque(user)._withUnsafeGuaranteedRef { box in
                if box.handler.stopped { return }
                box.handler.text(UnsafeBufferPointer(start: text, count: Int(count)))
                if box.handler.stopped { xmlStopParser(box.context) }
            }
        }
        // Blanks between tags count too: a cell may consist of them.
        callbacks.ignorableWhitespace = callbacks.characters
        callbacks.internalSubset = { user, _, _, _ in
            guard let user else { return }
            Unmanaged<HandlerBox>.fromOpaque(user)._withUnsafeGuaranteedRef { box in
                box.handler.fail(
                    .malformed(part: "with a document type declaration", detail: "it was refused as unsafe"))
                xmlStopParser(box.context)
            }
        }
        return callbacks
    }
}
