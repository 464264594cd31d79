import Foundation
import SampleConfigurations
import Testing

@testable import Settings

/// One mistake in the minimal configuration, and what is said about it.
struct Mistake: Sendable, CustomTestStringConvertible {
    let part: String
    let replacement: String
    let path: String
    /// Words that the line must contain.
    let words: [String]

    init(_ part: String, _ replacement: String, _ path: String, _ words: String...) {
        (self.part, self.replacement, self.path, self.words) = (part, replacement, path, words)
    }

    var testDescription: String { "\(path): \(replacement)" }
}

@Suite("Every problem is reported at once, with its line and what to do")
struct ProblemTests {
    static let platform = "    platform: woocommerce"
    static let folder = SampleConfiguration.location

    static let mistakes: [Mistake] = [
        // Wrong types
        .init(
            platform, "\(platform)\n    limits: {requests_per_second: lots}", "shops[0].limits.requests_per_second",
            "lots"),
        .init(platform, "\(platform)\n    limits: {batch: 10.5}", "shops[0].limits.batch", "whole number"),
        .init(platform, "\(platform)\n    cap: \"5\"", "shops[0].cap", "quotes"),
        .init(platform, "\(platform)\n    cap: 010", "shops[0].cap", "010"),
        .init(platform, "\(platform)\n    cap:", "shops[0].cap", "empty"),
        .init(platform, "\(platform)\n    cap: [1]", "shops[0].cap", "a list"),
        .init(platform, "\(platform)\n    cap: 99999999999999999999", "shops[0].cap", "whole number"),
        .init(platform, "\(platform)\n    buffer: 1e3", "shops[0].buffer", "1e3"),
        .init(platform, "\(platform)\n    buffer: 0.0000001", "shops[0].buffer", "six decimal places"),
        .init(platform, "\(platform)\n    insecure: yes", "shops[0].insecure", "true or false"),
        .init(platform, "\(platform)\n    mapping: trim", "shops[0].mapping", "a mapping of settings"),
        .init("company: Hoa Sen Care", "company: [a]", "company", "a list"),
        .init("company: Hoa Sen Care", "company: ~", "company", "empty"),
        .init("company: Hoa Sen Care", "company: \"a\\nb\"", "company", "control"),
        .init("warehouses: [{name: HN}, {name: HCM}]", "warehouses: {}", "warehouses", "a list"),
        .init("warehouses: [{name: HN}, {name: HCM}]", "warehouses: []", "warehouses", "at least one"),
        .init("[{name: HN}, {name: HCM}]", "[{name: HN}, {name: HCM}, 3]", "warehouses[2]", "mapping"),
        .init("[{name: HN}, {name: HCM}]", "[{name: HN}, {name: HCM}, ]\n[]: 3", "", "plain word"),
        // Unknown and missing keys
        .init(
            platform, "\(platform)\n    stop_seling_at: 3", "shops[0].stop_seling_at",
            "did you mean \"stop_selling_at\""),
        .init(platform, "\(platform)\n    colour: red", "shops[0].colour", "not a setting here"),
        .init("alerts:", "colours: {}\nalerts:", "colours", "not a setting here", "possible here"),
        .init("    warehouses: [HN, HCM]\n", "", "shops[0].warehouses", "is missing"),
        .init("company: Hoa Sen Care\n", "", "company", "is missing"),
        .init("    quantities: gross\n", "", "sources[0].quantities", "is missing"),
        .init("schedule: {cron: \"0 6 * * *\"}", "schedule: {}", "sources[0].schedule.cron", "is missing"),
        .init("broker: {host: 127.0.0.1, password: \"${env:BROKER}\"}\n", "", "broker", "is missing"),
        .init("{sku: SKU, warehouse: Kho,", "{sku: SKU,", "sources[0].format.columns.warehouse", "is missing", "wide"),
        // Ranges
        .init(platform, "\(platform)\n    share: 1.5", "shops[0].share", "from 0 to 1"),
        .init(platform, "\(platform)\n    buffer: -1", "shops[0].buffer", "-1 is outside"),
        .init(platform, "\(platform)\n    limits: {batch: 101}", "shops[0].limits.batch", "from 1 to 100"),
        .init(platform, "\(platform)\n    limits: {batch: 0}", "shops[0].limits.batch", "from 1 to 100"),
        .init(
            "quantities: gross", "quantities: gross\n    gate: {max_to_zero: 1.1}", "sources[0].gate.max_to_zero", "1.1"
        ),
        .init("alerts:", "http: {ports: {notifier: 65536}}\nalerts:", "http.ports.notifier", "65536"),
        .init(
            "alerts:", "retry: {max_attempts: {stock-ingester: 3}}\nalerts:", "retry.max_attempts.stock-ingester",
            "did you mean \"stock-ingestor\""),
        .init("alerts:", "retry: {tiers: [5s, 5 minutes]}\nalerts:", "retry.tiers[1]", "no delay"),
        .init("alerts:", "retry: {tiers: [30s, 5s]}\nalerts:", "retry.tiers[1]", "not longer"),
        .init("alerts:", "retry: {tiers: [0s]}\nalerts:", "retry.tiers[0]", "no delay"),
        .init("alerts:", "retry: {tiers: []}\nalerts:", "retry.tiers", "at least one"),
        .init("alerts:", "retry: {tiers: [99999999999999999h]}\nalerts:", "retry.tiers[0]", "no delay"),
        .init("alerts:", "retry: {services: {notifyer: {jitter: 1}}}\nalerts:", "retry.services.notifyer", "notifier"),
        .init("alerts:", "retry: {services: {notifier: 3}}\nalerts:", "retry.services.notifier", "a mapping"),
        .init(
            "alerts:", "retry: {services: {notifier: {jiter: 1}}}\nalerts:", "retry.services.notifier.jiter",
            "did you mean \"jitter\""),
        .init(
            "alerts:", "retry: {services: {notifier: {jitter: 91}}}\nalerts:", "retry.services.notifier.jitter",
            "from 0 to 90"),
        .init(
            "alerts:", "retry: {services: {notifier: {max_attempts: 0}}}\nalerts:",
            "retry.services.notifier.max_attempts", "from 1 to 100"),
        .init(
            "alerts:", "retry: {services: {notifier: {tiers: [1m, 30s]}}}\nalerts:",
            "retry.services.notifier.tiers[1]", "not longer"),
        .init(
            "alerts:", "retry: {services: {notifier: {tiers: [soon]}}}\nalerts:", "retry.services.notifier.tiers[0]",
            "no delay", "such as 30s"),
        .init(
            "alerts:", "retry: {services: {notifier: {errors: {mail: permament}}}}\nalerts:",
            "retry.services.notifier.errors.mail", "did you mean \"permanent\""),
        .init(
            "alerts:", "retry: {services: {notifier: {errors: {mail: never}}}}\nalerts:",
            "retry.services.notifier.errors.mail", "possible here: \"transient\""),
        .init(
            "alerts:", "retry: {services: {notifier: {errors: {\"*\": defect}}}}\nalerts:",
            "retry.services.notifier.errors.*", "no error code"),
        .init(
            "alerts:", "retry: {services: {notifier: {errors: {Mail: defect}}}}\nalerts:",
            "retry.services.notifier.errors.Mail", "no error code", "shop.*"),
        .init(
            "alerts:", "retry: {services: {notifier: {errors: [mail]}}}\nalerts:", "retry.services.notifier.errors",
            "a mapping"),
        .init(
            "alerts:", "retry: {max_attempts: {notifier: 3}, services: {notifier: {max_attempts: 4}}}\nalerts:",
            "retry.services.notifier.max_attempts", "says about the same service (3)", "remove"),
        .init(
            "alerts:", "retry: {outage: {failures_in_a_row: 1}}\nalerts:", "retry.outage.failures_in_a_row",
            "from 2 to 100"),
        .init("alerts:", "retry: {outage: {first_probe: 5}}\nalerts:", "retry.outage.first_probe", "no delay"),
        .init(
            "alerts:", "retry: {outage: {longest_probe: 2s}}\nalerts:", "retry.outage.longest_probe",
            "make longest_probe at least 5s"),
        .init(
            "alerts:", "retry: {services: {notifier: {outage: {first_probe: 2m}}}}\nalerts:",
            "retry.services.notifier.outage.first_probe", "later than the longest wait, 1m"),
        // Choices
        .init("gross", "grosss", "sources[0].quantities", "did you mean \"gross\""),
        .init("platform: woocommerce", "platform: shopware", "shops[0].platform", "possible here: \"woocommerce\""),
        .init("type: folder", "type: sftpp", "sources[0].location.type", "did you mean \"sftp\""),
        .init(
            platform, "\(platform)\n    mapping: {rules: [trim, upper_case]}", "shops[0].mapping.rules[1]",
            "uppercase"),
        // Names and references
        .init("[{name: HN}, {name: HCM}]", "[{name: HN}, {name: HCM}, {name: HN}]", "warehouses[2].name", "already"),
        .init("warehouses: [HN, HCM]", "warehouses: [HN, HCMC]", "shops[0].warehouses[1]", "did you mean \"HCM\""),
        .init("warehouses: [HN, HCM]", "warehouses: [HN, HN]", "shops[0].warehouses[1]", "twice"),
        .init("alerts: {to: operations}", "alerts: {to: operation}", "alerts.to", "did you mean \"operations\""),
        .init("name: hanoi", "name: Hà Nội", "shops[0].name", "no name"),
        .init("ops@hoasen.example", "ops", "people.operations[0]", "no mail address"),
        .init("from: stock@hoasen.example", "from: Stock <stock>", "mail.from", "no sender"),
        // Time, patterns, addresses
        .init("\"0 6 * * *\"", "\"0 6 * *\"", "sources[0].schedule.cron", "no schedule"),
        .init("\"0 6 * * *\"", "\"61 6 * * *\"", "sources[0].schedule.cron", "no schedule"),
        .init("Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Min", "time_zone", "did you mean \"Asia/Ho_Chi_Minh\""),
        .init("Asia/Ho_Chi_Minh", "ICT", "time_zone", "no time zone"),
        .init("https://hanoi", "http://hanoi", "shops[0].url", "https", "insecure: true"),
        .init("https://hanoi", "hanoi", "shops[0].url", "https://host/path"),
        .init("https://hanoi", "https://me:hunter2@hanoi", "shops[0].url", "user or a password"),
        .init(
            "on_hand: Quantity}}", "on_hand: Quantity}, skip_patterns: [\"(\"]}", "sources[0].format.skip_patterns[0]",
            "no regular expression"),
        .init("on_hand: Quantity}}", "on_hand: SKU}}", "sources[0].format.columns.on_hand", "twice"),
        .init(
            "quantities: gross", "quantities: gross\n    as_of: {from: file_name}", "sources[0].as_of.pattern",
            "missing"),
        .init(
            "quantities: gross", "quantities: gross\n    as_of: {from: file_name, pattern: 'x\\d+'}",
            "sources[0].as_of.pattern", "no group"),
        .init("quantities: gross", "quantities: gross\n    as_of: {from: column}", "sources[0].as_of", "headings"),
        .init(
            "quantities: gross", "quantities: gross\n    complete_when: {type: rename, marker_suffix: x}",
            "sources[0].complete_when.marker_suffix", "only where type is marker"),
        .init("host: 127.0.0.1, from", "host: \"smtp://x\", from", "mail.host", "no host name"),
        .init("host: 127.0.0.1, from", "host: x, user: me, from", "mail.user", "go together"),
        .init(
            folder, #"{type: sftp, host: s, user: u, password: "${env:S}", pattern: "*"}"#,
            "sources[0].location.host_key", "anybody could be the server"),
        .init(
            folder, #"{type: sftp, host: s, user: u, known_hosts: k, pattern: "*"}"#,
            "sources[0].location.private_key", "is missing"),
        .init(
            folder, #"{type: sftp, host: s, user: u, private_key: k, host_key: "SHA256:abc", pattern: "*"}"#,
            "sources[0].location.host_key", "no fingerprint"),
        .init(
            folder, "{type: folder, directory: incoming, pattern: \"a/*.csv\"}", "sources[0].location.pattern", "folder"
        ),
    ]

    @Test("each mistake is found, alone, at its line", arguments: mistakes)
    func mistake(_ mistake: Mistake) throws {
        let text = minimal(mistake.part, mistake.replacement)
        let found = problems(text)
        #expect(found.count == 1, "\(found)")
        let problem = try #require(found.first)
        #expect(problem.path == mistake.path)
        for word in mistake.words {
            #expect(problem.description.contains(word), "\(problem)")
        }
        #expect(problem.description.hasPrefix("/etc/stockbridge/stockbridge.yaml:\(problem.line): "))
        #expect(!problem.description.contains("hunter2"))
    }

    @Test("five mistakes give five problems in the file's order, each with its line")
    func allAtOnce() {
        let text =
            minimalText
            .replacingOccurrences(of: "Asia/Ho_Chi_Minh", with: "Asia/Saigonn")
            .replacingOccurrences(of: "gross", with: "brutto")
            .replacingOccurrences(of: "[HN, HCM]", with: "[HN, HCMC]")
            .replacingOccurrences(of: "to: operations", with: "too: operations")
            .replacingOccurrences(of: "\"${env:BROKER}\"", with: "hunter2")
        let found = problems(text)
        #expect(found.map(\.line) == [2, 3, 12, 19, 20, 20])
        let all = InvalidConfiguration(problems: found).description
        #expect(all.split(separator: "\n").count == 6 && !all.contains("hunter2"))
    }

    @Test("a secret in the clear is refused without being repeated")
    func plainSecret() throws {
        for part in ["\"${env:KEY}\"", "\"${env:SECRET}\"", "\"${env:DB}\""] {
            let problem = try #require(problems(minimal(part, "hunter2")).first)
            #expect(problem.message.contains("reference to a secret") && !problem.description.contains("hunter2"))
        }
    }

    @Test("a key that is set twice is reported with both lines, beside the other problems")
    func duplicateKeys() {
        let text = minimal("company: Hoa Sen Care", "company: A\n\"company\": B\ncompany: C")
            .replacingOccurrences(of: "warehouses: [HN, HCM]", with: "cap: 1\n    warehouses: [HN, HCMC]\n    cap: 2")
        let found = problems(text)
        #expect(found.map(\.path) == ["company", "company", "shops[0].warehouses[1]", "shops[0].cap"])
        #expect(found.map(\.line) == [3, 3, 22, 23], "\(found)")
        #expect(found[0].message.contains("line 1") && found[1].message.contains("line 2"))
        #expect(found[3].message.contains("line 21"))
    }

    @Test("a syntax error is reported with its line")
    func syntax() throws {
        let unclosed = try #require(problems(minimal("[{name: HN}, {name: HCM}]", "[{name: HN}, {name: HCM}")).first)
        #expect(unclosed.line >= 13 && unclosed.message.contains("no YAML"))
        let unquoted = try #require(problems(minimal("\"${env:KEY}\"", "${env:KEY}")).first)
        #expect(unquoted.line == 18 && unquoted.suggestion?.contains("needs quotes") == true)
        let alias = try #require(problems(minimal("company: Hoa Sen Care", "company: *nobody")).first)
        #expect(alias.line == 1 && alias.message.contains("undefined alias"))
        let control = try #require(problems(minimal("Hoa Sen Care", "Hoa\u{07}")).first)
        #expect(control.line == 1)
    }

    @Test("every line that is indented with a tab is named")
    func tabs() {
        let found = problems(minimal("    platform: woocommerce\n    url", "\tplatform: woocommerce\n\turl"))
        #expect(found.map(\.line) == [16, 17])
        #expect(found.allSatisfy { $0.message.contains("tab") })
    }

    @Test(
        "a file that says nothing, or no mapping, or two things, is refused",
        arguments: ["", "\n\n", "# only\n", "---\n"])
    func empty(_ text: String) {
        #expect(problems(text).map(\.message) == ["the file is empty"])
    }

    @Test("a list, a word and a second document are refused", arguments: ["- a", "stockbridge", "a: 1\n---\nb: 2\n"])
    func noMapping(_ text: String) {
        #expect(problems(text).count == 1)
    }

    @Test("a file that is missing, a folder, too large or no UTF-8 is refused by its name")
    func files() throws {
        try withScratchFolder { folder in
            func message(_ name: String) -> String {
                do {
                    _ = try ConfigurationLoader.load(path: "\(folder)/\(name)")
                    return ""
                } catch {
                    return error.description
                }
            }
            #expect(
                message("none.yaml") == "\(folder)/none.yaml:1: the file does not exist; create it, or correct the path"
            )
            #expect(message("").contains("is not a file"))
            try Data("a: b\nc: \u{E9}".unicodeScalars.map { UInt8($0.value) })
                .write(to: URL(fileURLWithPath: folder + "/latin.yaml"))
            #expect(message("latin.yaml").contains("latin.yaml:2: the file is not UTF-8"))
            try Data(repeating: 0x23, count: ConfigurationLoader.maximumFileBytes + 1)
                .write(to: URL(fileURLWithPath: folder + "/large.yaml"))
            #expect(message("large.yaml").contains("larger than"))
            try Data(("\u{FEFF}" + minimalText).utf8).write(to: URL(fileURLWithPath: folder + "/bom.yaml"))
            #expect(message("bom.yaml") == "")
        }
    }

    @Test("loopback addresses may be plain http, others only with insecure: true, which warns")
    func insecure() throws {
        for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"] {
            #expect(problems(minimal("https://hanoi.hoasen.example", "http://\(host)")).isEmpty)
        }
        let loopbackName = problems(minimal("https://hanoi.hoasen.example", "http://127.example"))
        #expect(loopbackName.count == 1)
        let text = minimal("https://hanoi.hoasen.example", "http://hanoi.hoasen.example/\n    insecure: true")
        let configuration = try load(text)
        #expect(configuration.warnings.map(\.path) == ["shops[0].url"])
        #expect(configuration.shops[0].url == "http://hanoi.hoasen.example")
    }

    @Test(
        "the edit distance counts insertions, deletions, replacements and swaps",
        arguments: [("", "", 0), ("a", "", 1), ("abc", "acb", 1), ("kitten", "sitting", 3), ("cap", "cap", 0)])
    func distances(_ left: String, _ right: String, _ distance: Int) {
        #expect(Suggestion.editDistance(Array(left), Array(right)) == distance)
    }
}
