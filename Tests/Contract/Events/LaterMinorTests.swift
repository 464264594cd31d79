import Contracts
import Foundation
import Testing

/// While a new version is rolled out, programs of the version before it read what it writes (docs/upgrading.md).
@Suite("A consumer of the version before reads the next minor version")
struct LaterMinorTests {
    /// Fields that hold names of the sender's choice, not fields.
    private static let maps: Set<String> = ["arguments", "quantities", "totals", "categories", "value"]

    @Test("A field more in every object of every payload changes nothing", arguments: Golden.all)
    func addedFields(golden: Golden) throws {
        let bytes = try golden.encoded()
        let value = try JSONSerialization.jsonObject(with: Data(bytes))
        let later = try JSONSerialization.data(withJSONObject: Self.extended(value))
        #expect(later.count > bytes.count)
        #expect(try golden.repeated([UInt8](later)) == bytes)
    }

    private static func extended(_ value: Any, isMap: Bool = false) -> Any {
        if let list = value as? [Any] { return list.map { extended($0) } }
        guard let object = value as? [String: Any] else { return value }
        var all: [String: Any] = [:]
        // What a map's fields hold is extended like anything else; an argument may be any JSON and is left alone.
        for (key, value) in object {
            all[key] = key == "arguments" ? value : extended(value, isMap: maps.contains(key))
        }
        if !isMap { all["added_later"] = ["kind": "of a kind nobody knows", "list": [1, NSNull()]] as [String: Any] }
        return all
    }

    @Test("Every payload of every service refuses another major version as what it is, and reads any minor one")
    func otherMajors() {
        for type in PayloadCatalogue.all {
            let (name, major) = (type.type.name, type.type.majorVersion)
            let next = "urn:stockbridge:\(name):\(major + 1)"
            #expect(!type.type.accepts(dataSchema: next))
            #expect(type.type.accepts(dataSchema: EventType(name, major, 99).dataSchema))
            do throws(PayloadProblem) {
                _ = try PayloadCatalogue.read(dataSchema: next, body: Array("{}".utf8))
                Issue.record("\(next) was read")
            } catch {
                #expect(error == .otherVersion(next, known: type.type.dataSchema))
            }
        }
    }
}
