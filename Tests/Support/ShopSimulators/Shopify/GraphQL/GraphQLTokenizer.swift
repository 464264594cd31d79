import Foundation

/// Cuts GraphQL text into tokens (section 2.1 of the specification, October 2021). Commas are blanks.
struct GraphQLTokenizer {
    enum Token: Equatable {
        /// `! $ & ( ) ... : = @ [ ] { | }`
        case mark(String)
        case name(String)
        case number(Decimal)
        case string(String)
        case end
    }

    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var line = 1
    private var lineStart = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// The next token, and where it begins.
    mutating func next() throws(GraphQLProblem) -> (token: Token, location: GraphQLLocation) {
        skipBlanks()
        let location = GraphQLLocation(line: line, column: index - lineStart + 1)
        guard let scalar = peek() else { return (.end, location) }
        switch scalar {
        case "!", "$", "&", "(", ")", ":", "=", "@", "[", "]", "{", "|", "}":
            index += 1
            return (.mark(String(scalar)), location)
        case "." where peek(1) == "." && peek(2) == ".":
            index += 3
            return (.mark("..."), location)
        case "\"":
            return (.string(try string(location)), location)
        case "-", "0"..."9":
            return (.number(try number(location)), location)
        case "_", "a"..."z", "A"..."Z":
            return (.name(take { Self.isNamePart($0) }), location)
        default:
            throw GraphQLProblem(message: "Parse error on \"\(scalar)\" (UNKNOWN_CHAR)", location: location)
        }
    }

    private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
        index + offset < scalars.count ? scalars[index + offset] : nil
    }

    private mutating func take(while condition: (Unicode.Scalar) -> Bool) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = peek(), condition(scalar) {
            text.append(scalar)
            index += 1
        }
        return String(text)
    }

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "_", "a"..."z", "A"..."Z", "0"..."9": true
        default: false
        }
    }

    private mutating func skipBlanks() {
        while let scalar = peek() {
            switch scalar {
            case "\n": newLine()
            case " ", "\t", "\r", ",", "\u{FEFF}": index += 1
            case "#": while let other = peek(), other != "\n" { _ = (other, index += 1) }
            default: return
            }
        }
    }

    private mutating func newLine() {
        index += 1
        line += 1
        lineStart = index
    }

    private mutating func number(_ location: GraphQLLocation) throws(GraphQLProblem) -> Decimal {
        let text = take { "-+.eE".unicodeScalars.contains($0) || ("0"..."9").contains($0) }
        guard let value = Decimal(string: text), peek().map({ !Self.isNamePart($0) }) ?? true else {
            throw GraphQLProblem(message: "Expected a number, actual: \"\(text)\"", location: location)
        }
        return value
    }

    private mutating func string(_ location: GraphQLLocation) throws(GraphQLProblem) -> String {
        if peek(1) == "\"" && peek(2) == "\"" { return try blockString(location) }
        index += 1
        var text = String.UnicodeScalarView()
        while let scalar = peek(), scalar != "\n" {
            index += 1
            if scalar == "\"" { return String(text) }
            text.append(scalar == "\\" ? try escaped(location) : scalar)
        }
        throw GraphQLProblem(message: "Parse error on bad string", location: location)
    }

    private mutating func escaped(_ location: GraphQLLocation) throws(GraphQLProblem) -> Unicode.Scalar {
        let scalar = peek()
        index += 1
        switch scalar {
        case "\"", "\\", "/": return scalar ?? "\\"
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            let digits = String(String.UnicodeScalarView(scalars[index..<min(index + 4, scalars.count)]))
            index += 4
            if let value = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) { return value }
        default: break
        }
        throw GraphQLProblem(message: "Parse error on bad Unicode escape sequence", location: location)
    }

    private mutating func blockString(_ location: GraphQLLocation) throws(GraphQLProblem) -> String {
        index += 3
        var text = String.UnicodeScalarView()
        while let scalar = peek() {
            if scalar == "\"" && peek(1) == "\"" && peek(2) == "\"" {
                index += 3
                return String(text).trimmingCharacters(in: .whitespacesAndNewlines)
            }
            text.append(scalar)
            if scalar == "\n" { newLine() } else { index += 1 }
        }
        throw GraphQLProblem(message: "Parse error on unterminated block string", location: location)
    }
}
