import Domain
import Foundation
import SampleConfigurations
import Testing

@testable import Settings

@Suite("A configuration is loaded with every default filled in")
struct LoadingTests {
    @Test("the example loads without a problem and without a warning")
    func example() throws {
        let path = repository + "/infra/stockbridge.example.yaml"
        let configuration = try ConfigurationLoader.load(path: path)
        #expect(configuration.warnings.isEmpty)
        #expect(configuration.shops.map(\.name) == ["hanoi", "saigon", "danang", "outlet", "wholesale"])
        let source = try #require(configuration.sources.first)
        guard case .sftp(let place) = source.location else {
            Issue.record("not sftp")
            return
        }
        #expect(place.privateKeyFile == "/run/secrets/sftp_key" && place.port == 22 && place.directory == "/outgoing")
        #expect(place.pattern.matches("stock-20261121-0600.csv") && !place.pattern.matches("stock-1.csv.tmp"))
        #expect(source.completeWhen == .marker(suffix: ".done"))
        #expect(source.asOf.pattern == "stock-(\\d{8}-\\d{4})")
        #expect(source.format.columns.sku == ["SKU", "Mã hàng", "item"])
        #expect(configuration.warehouse(named: "HCM")?.safety == Quantity(2))
        #expect(configuration.shop(named: "danang")?.share == Share("0.5"))
        #expect(configuration.shop(named: "wholesale")?.limits.requestsPerSecond == 2)
        #expect(configuration.addresses(of: ["operations"]) == ["ops@hoasen.example", "warehouse@hoasen.example"])
    }

    @Test("the shortest file has all defaults")
    func defaults() throws {
        let configuration = try load(minimalText)
        #expect(
            configuration.broker.servers == [.init(host: "127.0.0.1", port: 5671)]
                && configuration.broker.virtualHost == "stockbridge")
        #expect(configuration.broker.managementURLs == ["https://127.0.0.1:15671"] && configuration.broker.tls.enabled)
        #expect(
            configuration.database.servers == [.init(host: "127.0.0.1", port: 5432)]
                && configuration.database.name == "stockbridge")
        #expect(configuration.database.maximumConnections == 8)
        #expect(configuration.admin == nil)
        #expect(configuration.http.port(for: "stock-publisher") == 8082 && configuration.http.bind == "127.0.0.1")
        #expect(configuration.http.port(for: "unheard-of") == 0)
        #expect(configuration.mail.port == 587 && configuration.mail.tls == .startTLS)
        #expect(configuration.retry.tiers.map(\.seconds) == [5, 30, 120, 600, 3600])
        #expect(configuration.retry.tiers.map(\.name) == ["5s", "30s", "2m", "10m", "1h"])
        #expect(configuration.retry.maxAttempts(for: "stock-publisher") == 8)
        let source = try #require(configuration.source(named: "erp"))
        #expect(source.location.directory == "/etc/stockbridge/incoming")
        #expect(source.lookEverySeconds == 30 && source.lateAfterMinutes == 20 && source.completeWhen == .stable)
        #expect(source.schedule.timeZone.identifier == "Asia/Ho_Chi_Minh" && source.asOf.from == .mtime)
        #expect(source.format.duplicates == .reject && source.format.missingSKU == .keep)
        #expect(source.gate.maxToZero == 0.3 && source.gate.maxBytes == 268_435_456)
        let shop = try #require(configuration.shop(named: "hanoi"))
        #expect(shop.levelPolicy == LevelPolicy(), "the file's defaults are the domain's")
        #expect(shop.limits.batch == 100 && shop.limits.inFlight == 2 && shop.limits.requestTimeoutSeconds == 30)
        #expect(shop.mapping.rules == [.trim, .uppercase] && shop.schedules.catalogue.cron.text == "30 5 * * *")
    }

    @Test("a deployment without a shop or a source yet starts, and is told so")
    func nothingYet() throws {
        let text = minimalText.split(separator: "\n").filter { !$0.hasPrefix(" ") && !$0.hasPrefix("sources:") }
            .joined(separator: "\n").replacingOccurrences(of: "shops:", with: "shops: []\nsources: []")
        let configuration = try load(text)
        #expect(configuration.shops.isEmpty && configuration.sources.isEmpty)
        #expect(configuration.warnings.map(\.path).sorted() == ["shops", "sources"])
    }

    @Test("TLS turned off moves the ports and is warned about by name")
    func tlsOff() throws {
        let text = minimal(
            "host: 127.0.0.1, password: \"${env:BROKER}\"", #"host: b, password: "${env:B}", tls: {enabled: false}"#)
        let configuration = try load(text)
        #expect(
            configuration.broker.servers == [.init(host: "b", port: 5672)]
                && configuration.broker.managementURLs == ["http://b:15672"])
        #expect(configuration.warnings.map(\.path) == ["broker.tls.enabled"])
        #expect(configuration.warnings.first?.line == 3)
    }

    @Test("a sixth shop is one more entry")
    func sixthShop() throws {
        let text = try exampleText().replacingOccurrences(
            of: "# Where order reports go, and when the ERP's numbers contain what it was told.",
            with: """
                  - name: hue
                    platform: woocommerce
                    url: https://hue.hoasen.example
                    credentials: {key: "${file:/run/secrets/hue-key}", secret: "${file:/run/secrets/hue-secret}"}
                    warehouses: [HN]
                """)
        let before = try load(exampleText())
        let after = try load(text)
        #expect(after.shops.count == 6)
        #expect(zip(before.shops, after.shops).allSatisfy { $0.settingsDigest == $1.settingsDigest })
    }

    @Test("each kind of place is read with its own keys")
    func locations() throws {
        let folder = SampleConfiguration.location
        let ftps = try load(
            minimal(folder, #"{type: ftps, host: f, user: u, password: "${env:F}", directory: /out, pattern: "s*"}"#))
        guard case .ftp(let place) = ftps.sources[0].location else {
            Issue.record("not ftp")
            return
        }
        #expect(place.isEncrypted && place.port == 21 && ftps.sources[0].location.type == "ftps")
        let ftp = try load(minimal(folder, #"{type: ftp, host: f, user: u, password: "${env:F}", pattern: "s*"}"#))
        #expect(ftp.warnings.map(\.path) == ["sources[0].location.type"])
        let https = try load(minimal(folder, "{type: https, url: https://erp.example/stock.csv}"))
        guard case .https(let address) = https.sources[0].location else {
            Issue.record("not https")
            return
        }
        #expect(address.url == "https://erp.example/stock.csv" && https.sources[0].location.pattern == nil)
        let known = try load(
            minimal(folder, #"{type: sftp, host: s, user: u, private_key: k, known_hosts: hosts, pattern: "*"}"#))
        guard case .sftp(let server) = known.sources[0].location else {
            Issue.record("not sftp")
            return
        }
        #expect(server.hostKey == .knownHosts(file: "/etc/stockbridge/hosts"))
        #expect(server.privateKeyFile == "/etc/stockbridge/k" && server.directory == "/")
    }

    @Test("missing_sku, wide files and separators have their spellings")
    func formats() throws {
        let columns = "format: {columns: {sku: SKU, warehouse: Kho, on_hand: Quantity}}"
        let wide = try load(
            minimal(
                columns,
                "format: {columns: {sku: SKU}, wide_warehouses: {HN: Tồn HN, HCM: [Tồn HCM]}, separator: tab, "
                    + "decimal: \",\", missing_sku: {zero_after: 3}}"))
        let format = wide.sources[0].format
        #expect(format.wideWarehouses == ["HN": ["Tồn HN"], "HCM": ["Tồn HCM"]])
        #expect(format.separator == .tab && format.decimal == .comma && format.missingSKU == .zeroAfter(files: 3))
        let zero = try load(
            minimal("on_hand: Quantity}}", "on_hand: Quantity}, missing_sku: zero, separator: \"\\t\"}"))
        #expect(zero.sources[0].format.missingSKU == .zero && zero.sources[0].format.separator == .tab)
    }

    @Test("sections may be shared with anchors, and x- keys are the writer's own")
    func anchors() throws {
        let text = minimalText.replacingOccurrences(
            of: "    platform: woocommerce", with: "    <<: *usual\n    platform: woocommerce")
        let configuration = try load("x-usual: &usual {buffer: 3, cap: 7}\n" + text)
        #expect(configuration.shops[0].buffer == Quantity(3) && configuration.shops[0].cap == 7)
    }

    @Test("a delay tier goes by its shortest name")
    func tiers() throws {
        let configuration = try load(minimalText + "\nretry: {tiers: [1s, 60s, 120m]}")
        #expect(configuration.retry.tiers.map(\.name) == ["1s", "1m", "2h"])
    }

    @Test("a service tries again as it says itself, otherwise as all do")
    func retryOfServices() throws {
        let retry = try load(
            minimalText + """

                retry:
                  tiers: [5s, 1m]
                  max_attempts: {reconciler: 3}
                  outage: {failures_in_a_row: 4, longest_probe: 30s}
                  services:
                    notifier:
                      max_attempts: 20
                      tiers: [1m, 1h]
                      jitter: 0
                      errors: {mail: permanent, "database.*": defect, "shop*": transient}
                      outage: {first_probe: 10s}
                """
        ).retry
        let own = retry.policy(of: "notifier")
        #expect(own.maxAttempts == 20 && own.tiers.map(\.name) == ["1m", "1h"] && own.jitterPercent == 0)
        #expect(own.errors.map(\.code) == ["mail", "database.", "shop"])
        #expect(own.errors.map(\.isPrefix) == [false, true, true])
        #expect(own.errors.map(\.errorClass) == [.permanent, .defect, .transient])
        #expect(own.outage.failuresInARow == 4 && own.outage.firstProbe.seconds == 10)
        #expect(own.outage.longestProbe.seconds == 30)
        let other = retry.policy(of: "reconciler")
        #expect(other.maxAttempts == 3 && other.tiers.map(\.name) == ["5s", "1m"] && other.jitterPercent == 30)
        #expect(other.errors == [] && other.outage == retry.outage && other.outage.firstProbe.name == "5s")
        #expect(retry.maxAttempts(for: "stock-publisher") == 8)
    }

    @Test(
        "file name patterns match whole names",
        arguments: [
            ("stock-*.csv", "stock-1.csv", true), ("stock-*.csv", "stock-.csv", true), ("*", "", true),
            ("stock-*.csv", "Stock-1.csv", false), ("stock-*.csv", "stock-1.csv.done", false), ("a?c", "abc", true),
            ("a?c", "ac", false), ("*a*b", "xaxxb", true), ("*a*b", "xaxxbc", false), ("a**", "a", true),
        ])
    func filePatterns(_ pattern: String, _ name: String, _ fits: Bool) {
        #expect(FileNamePattern(pattern).matches(name) == fits)
    }
}
