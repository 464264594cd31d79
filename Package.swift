// swift-tools-version: 6.2
import PackageDescription

/// The settings every target of ours is built with.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")

/// A library under `Shared/`.
func shared(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Shared/\(name)", resources: resources, swiftSettings: strict)
}

/// A C target: module map and shim only. `libraries` are what the linker is told.
func cShim(_ name: String, libraries: String...) -> Target {
    .target(name: name, path: "Shared/CModules/\(name)", linkerSettings: libraries.map { .linkedLibrary($0) })
}

/// One service: its library, and the executable that parses the arguments and runs it.
func service(_ name: String, executable: String, _ dependencies: [Target.Dependency]) -> [Target] {
    [
        .target(
            name: name, dependencies: dependencies, path: "Services/\(name)", exclude: ["Executable"],
            swiftSettings: strict),
        .executableTarget(
            name: executable, dependencies: [.target(name: name), "ServiceKit"],
            path: "Services/\(name)/Executable", swiftSettings: strict),
    ]
}

/// A test target; `path` is below `Tests/`.
func tests(_ name: String, _ path: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(path)", resources: resources, swiftSettings: strict)
}

let package = Package(
    name: "stockbridge",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // One module per C library; only the wrapper above it imports it.
        cShim("CRabbitMQ", libraries: "rabbitmq", "ssl", "crypto"),
        .systemLibrary(name: "CPostgreSQL", path: "Shared/CModules/CPostgreSQL", pkgConfig: "libpq"),
        cShim("CCurl", libraries: "curl"),
        .systemLibrary(name: "CZip", path: "Shared/CModules/CZip", pkgConfig: "libzip"),
        .systemLibrary(name: "CXML", path: "Shared/CModules/CXML", pkgConfig: "libxml-2.0"),
        .systemLibrary(name: "CXLSXWriter", path: "Shared/CModules/CXLSXWriter", pkgConfig: "xlsxwriter"),
        .systemLibrary(name: "CCairo", path: "Shared/CModules/CCairo", pkgConfig: "cairo"),
        shared("Concurrency"),
        shared("RabbitMQ", ["CRabbitMQ", "Concurrency"]),
        shared("PostgreSQL", ["CPostgreSQL", "Concurrency"]),
        shared("Transfer", ["CCurl", "Concurrency"]),
        shared("Spreadsheets", ["CZip", "CXML"]),
        shared("SpreadsheetWriting", ["CXLSXWriter"]),
        shared("DelimitedText"),
        shared("Charts", ["CCairo"]),

        shared("Domain"),
        shared("StockFiles", ["Domain", "DelimitedText", "Spreadsheets"]),
        shared("Contracts", ["Domain"]),
        shared("Settings", ["Domain", "Contracts", yams], resources: [.embedInCode("stockbridge.schema.json")]),
        shared("Migrations", ["PostgreSQL"], resources: [.embedInCode("SQL")]),
        shared("Messaging", ["Contracts", "Concurrency", "RabbitMQ", "PostgreSQL", log, metrics]),
        shared("ShopConnectors", ["Domain", "Transfer", "Concurrency", crypto]),
        shared(
            "ServiceKit",
            [
                "Domain", "Contracts", "Settings", "Messaging", "RabbitMQ", "PostgreSQL", "Transfer", "Concurrency",
                "Migrations", log, metrics, hummingbird, lifecycle, signals,
            ]),
        shared(
            "DeadLetters", ["Contracts", "Messaging", "RabbitMQ", "PostgreSQL", "Concurrency", log, metrics, crypto]),
        shared(
            "ShopAccounts",
            [
                "Domain", "Contracts", "Settings", "Messaging", "PostgreSQL", "Transfer", "ShopConnectors",
                "Concurrency", "ServiceKit", log,
            ]),
    ]
        + service(
            "OrderCollector", executable: "order-collector",
            [
                "Domain", "Contracts", "Settings", "Messaging", "PostgreSQL", "Transfer", "ShopConnectors",
                "ShopAccounts", "Concurrency", "ServiceKit", log, metrics, crypto, hummingbird, lifecycle,
            ])
        + service(
            "ERPBridge", executable: "erp-bridge",
            [
                "Domain", "Contracts", "Settings", "Messaging", "PostgreSQL", "Transfer", "SpreadsheetWriting",
                "Concurrency", "ServiceKit", log, crypto,
            ])
        + service(
            "Reconciler", executable: "reconciler",
            [
                "Domain", "Contracts", "Settings", "Messaging", "PostgreSQL", "Transfer", "ShopConnectors",
                "ShopAccounts", "SpreadsheetWriting", "Charts", "Concurrency", "ServiceKit", log, crypto,
            ])
        + service(
            "StockPublisher", executable: "stock-publisher",
            [
                "Domain", "Contracts", "Settings", "Messaging", "PostgreSQL", "Transfer", "ShopConnectors",
                "ShopAccounts", "Concurrency", "ServiceKit", log, metrics,
            ])
        + service(
            "StockIngestor", executable: "stock-ingestor",
            [
                "Domain", "Contracts", "Settings", "Messaging", "PostgreSQL", "Transfer", "StockFiles", "DelimitedText",
                "Concurrency", "ServiceKit", log, crypto,
            ])
        + service(
            "Notifier", executable: "notifier",
            [
                "Domain", "Contracts", "Settings", "Messaging", "RabbitMQ", "PostgreSQL", "Transfer", "Concurrency",
                "ServiceKit", "DeadLetters", log, metrics, crypto, mustache,
            ])
        + service(
            "Stockbridge", executable: "stockbridge",
            [
                "Domain", "Contracts", "Settings", "Messaging", "Migrations", "PostgreSQL", "RabbitMQ", "Transfer",
                "Concurrency", "ServiceKit", "DeadLetters", "DelimitedText", "Spreadsheets", "SpreadsheetWriting", log,
                arguments, crypto,
            ])
        + [
            tests("ChartsTests", "Unit/Charts", ["Charts"]),
            tests("MessagingTests", "Unit/Messaging", ["Messaging", "Contracts", "RabbitMQ", log]),
            tests("PostgreSQLTests", "Unit/PostgreSQL", ["PostgreSQL"]),
            tests("PostgreSQLIntegrationTests", "Integration/PostgreSQL", ["PostgreSQL", "TestStack"]),
            tests("SettingsTests", "Unit/Settings", ["SampleConfigurations", "Settings", "Contracts", "Domain"]),
            tests("RepositoryTests", "Repository", []),
            tests("DomainTests", "Unit/Domain", ["Domain"]),
            tests("PushingModelTests", "Unit/PushingModel", ["Domain"]),
            tests("ContractsTests", "Contract/Events", ["Contracts", "Domain"], resources: [.copy("Golden")]),
            tests(
                "ShopConnectorsTests", "Unit/ShopConnectors",
                ["ShopConnectors", "Transfer", "Domain", "Concurrency", crypto]),
            tests(
                "ShopContractTests", "Contract/Shops",
                ["TestStack", "ShopConnectors", "ShopSimulators", "Transfer", "Domain"]),
            tests("RabbitMQTests", "Unit/RabbitMQ", ["RabbitMQ"]),
            tests("RabbitMQIntegrationTests", "Integration/RabbitMQ", ["RabbitMQ", "TestStack"]),
            tests(
                "StockIngestorTests", "Unit/StockIngestor",
                [
                    "SampleConfigurations", "StockIngestor", "Domain", "Contracts", "Settings", "Transfer",
                    "StockFiles",
                ]),
            tests(
                "StockIngestorIntegrationTests", "Integration/StockIngestor",
                ["TestStack", "StockIngestor", "ServiceKit", "Messaging", "Contracts", "Domain", "PostgreSQL"]),
            tests("DelimitedTextTests", "Unit/DelimitedText", ["DelimitedText"]),
            tests(
                "ERPBridgeTests", "Unit/ERPBridge",
                ["ERPBridge", "Contracts", "Domain", "Transfer", "Messaging", "SpreadsheetWriting"]),
            tests(
                "ERPBridgeIntegrationTests", "Integration/ERPBridge",
                [
                    "TestStack", "SampleConfigurations", "ERPBridge", "ServiceKit", "Settings", "Messaging",
                    "Contracts", "Domain", "PostgreSQL", "RabbitMQ", "Spreadsheets", "SpreadsheetWriting",
                    "Concurrency", crypto,
                ]),
            tests("SpreadsheetsTests", "Unit/Spreadsheets", ["Spreadsheets", "WorkbookBuilder"]),
            tests("SpreadsheetWritingTests", "Unit/SpreadsheetWriting", ["SpreadsheetWriting", "Spreadsheets"]),
            tests(
                "StockFilesTests", "Unit/StockFiles", ["StockFiles", "Domain", "DelimitedText", "WorkbookBuilder"]),
            // Test equipment: builds .xlsx files.
            .target(name: "WorkbookBuilder", path: "Tests/Support/WorkbookBuilder", swiftSettings: strict),
            // Test equipment: configurations as text.
            .target(name: "SampleConfigurations", path: "Tests/Support/SampleConfigurations", swiftSettings: strict),
            tests(
                "StockbridgeTests", "Unit/Stockbridge",
                [
                    "SampleConfigurations", "Stockbridge", "ServiceKit", "DeadLetters", "Messaging", "RabbitMQ",
                    "Contracts", "Domain", "PostgreSQL", "Settings", "ERPBridge", "SpreadsheetWriting", arguments,
                ]),
            tests(
                "StockbridgeIntegrationTests", "Integration/Stockbridge",
                [
                    "TestStack", "SampleConfigurations", "Stockbridge", "DeadLetters", "Contracts", "Domain",
                    "Messaging", "PostgreSQL", "ServiceKit", "Settings", "RabbitMQ", "Transfer", arguments,
                ]),
            tests("TransferTests", "Unit/Transfer", ["Transfer", "CCurl"]),
            .testTarget(
                name: "TransferIntegrationTests", dependencies: ["TestStack", "Transfer"],
                path: "Tests/Integration/Transfer",
                exclude: ["Servers"], swiftSettings: strict),
            // Test equipment: a database and a virtual host of a test's own on real servers.
            .target(
                name: "TestStack",
                dependencies: ["Contracts", "Messaging", "Migrations", "PostgreSQL", "RabbitMQ", "Transfer", crypto],
                path: "Tests/Support/TestStack", swiftSettings: strict),
            tests(
                "MessagingIntegrationTests", "Integration/Messaging",
                [
                    "TestStack", "Messaging", "ServiceKit", "Contracts", "Domain", "PostgreSQL", "RabbitMQ", log,
                ]),
            tests(
                "ServiceKitTests", "Unit/ServiceKit",
                [
                    "ServiceKit", "Messaging", "Contracts", "Domain", "Migrations", "PostgreSQL", "RabbitMQ", log,
                    .product(name: "CoreMetrics", package: "swift-metrics"),
                ]),
            tests(
                "ServiceKitIntegrationTests", "Integration/ServiceKit",
                [
                    "TestStack", "ServiceKit", "Messaging", "Contracts", "Domain", "PostgreSQL", "Concurrency", log,
                ]),
            tests(
                "OrderCollectorTests", "Unit/OrderCollector",
                ["OrderCollector", "Messaging", "Contracts", "Domain", "ShopConnectors"]),
            tests(
                "OrderCollectorIntegrationTests", "Integration/OrderCollector",
                [
                    "TestStack", "SampleConfigurations", "ShopSimulators", "OrderCollector", "ServiceKit", "Settings",
                    "Messaging", "Contracts", "Domain", "PostgreSQL", "RabbitMQ", "Transfer",
                ]),
            tests(
                "StockPublisherIntegrationTests", "Integration/StockPublisher",
                [
                    "TestStack", "SampleConfigurations", "ShopSimulators", "StockPublisher", "ServiceKit", "Settings",
                    "Messaging", "Contracts", "Domain", "PostgreSQL", "RabbitMQ", "ShopConnectors", "Concurrency",
                ]),
            tests(
                "ReconcilerTests", "Unit/Reconciler", ["Reconciler", "Domain", "ShopConnectors"]),
            tests(
                "ReconcilerIntegrationTests", "Integration/Reconciler",
                [
                    "TestStack", "SampleConfigurations", "ShopSimulators", "Reconciler", "ServiceKit", "Settings",
                    "Messaging", "Contracts", "Domain", "PostgreSQL", "RabbitMQ", "Concurrency",
                ]),
            tests(
                "NotifierTests", "Unit/Notifier",
                ["Notifier", "DeadLetters", "Messaging", "Contracts", "Domain", "Settings", "PostgreSQL"]),
            tests(
                "NotifierIntegrationTests", "Integration/Notifier",
                [
                    "TestStack", "SampleConfigurations", "Notifier", "DeadLetters", "ServiceKit", "Settings",
                    "Messaging", "Contracts", "Domain", "PostgreSQL", "RabbitMQ", "Transfer", "Concurrency", log,
                ]),
            tests(
                "DeadLettersTests", "Unit/DeadLetters",
                ["DeadLetters", "Contracts", "Messaging", "RabbitMQ", "PostgreSQL"]),
            tests(
                "DeadLettersIntegrationTests", "Integration/DeadLetters",
                [
                    "TestStack", "DeadLetters", "ServiceKit", "Messaging", "Contracts", "Domain", "PostgreSQL",
                    "RabbitMQ", log,
                ]),
            // Test equipment: the executables as processes on real servers, and services that die at named points.
            .target(
                name: "ProcessStack",
                dependencies: [
                    "TestStack", "ShopSimulators", "Contracts", "PostgreSQL", "RabbitMQ", "Transfer", "Spreadsheets",
                    "SpreadsheetWriting",
                ],
                path: "Tests/Support/ProcessStack", swiftSettings: strict),
            .executableTarget(
                name: "fault-runner",
                dependencies: [
                    "StockIngestor", "StockPublisher", "OrderCollector", "ERPBridge", "Reconciler", "Notifier",
                    "ServiceKit", "Messaging", "Settings", arguments,
                ],
                path: "Tests/Support/FaultRunner", swiftSettings: strict),
            tests("EndToEndTests", "EndToEnd", ["ProcessStack", "ShopSimulators", "PostgreSQL", "TestStack"]),
            tests(
                "MonitoringIntegrationTests", "Integration/Monitoring",
                ["TestStack", "ProcessStack", "ShopSimulators", "RabbitMQ", "Transfer", yams]),
            tests(
                "FaultTests", "Faults",
                [
                    "TestStack", "ProcessStack", "ShopSimulators", "PostgreSQL", "RabbitMQ", "Contracts", "Messaging",
                    "Migrations",
                ]),
            tests(
                "MigrationsIntegrationTests", "Integration/Migrations", ["TestStack", "Migrations", "PostgreSQL"]),
            tests(
                "FuzzTests", "Unit/Fuzzing",
                [
                    "StockFiles", "DelimitedText", "Spreadsheets", "WorkbookBuilder", "ShopConnectors", "Transfer",
                    "Messaging", "RabbitMQ", "Contracts", "Settings", "Domain", "Concurrency", crypto,
                ]),
            // Test equipment: shops that speak the platforms' protocols, hold state and inject faults.
            .target(
                name: "ShopSimulators",
                dependencies: [
                    "Transfer", hummingbird, .product(name: "HummingbirdCore", package: "hummingbird"),
                    .product(name: "HummingbirdTLS", package: "hummingbird"), crypto,
                    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
                    .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                    .product(name: "HTTPTypes", package: "swift-http-types"), log, lifecycle, signals,
                ],
                path: "Tests/Support/ShopSimulators", swiftSettings: strict),
            .executableTarget(
                name: "shop-simulator", dependencies: ["ShopSimulators", arguments, signals],
                path: "Tests/Support/ShopSimulator", swiftSettings: strict),
            // Our side of `make bench`.
            .executableTarget(
                name: "stockbridge-bench",
                dependencies: [
                    "Contracts", "DeadLetters", "Domain", "Messaging", "PostgreSQL", "RabbitMQ", "Spreadsheets",
                    "SpreadsheetWriting", "StockFiles", log,
                ],
                path: "infra/bench/Swift", swiftSettings: strict),
        ]
)

/// `STOCKBRIDGE_TARGETS=DomainTests,Contracts` builds these targets and what they need, and nothing else: for work on a
/// part while the rest does not compile.
if let names = Context.environment["STOCKBRIDGE_TARGETS"], !names.isEmpty {
    var wanted: Set<String> = []
    var open = names.split(separator: ",").map(String.init)
    while let name = open.popLast() {
        guard wanted.insert(name).inserted else { continue }
        for dependency in package.targets.first(where: { $0.name == name })?.dependencies ?? [] {
            switch dependency {
            case .targetItem(let name, _), .byNameItem(let name, _): open.append(name)
            default: break
            }
        }
    }
    package.targets.removeAll { !wanted.contains($0.name) }
}
