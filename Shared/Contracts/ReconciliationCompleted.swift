public import Domain
public import Foundation

/// `reconciliation.completed`: shops were read back and compared; what the General Manager is told.
public struct ReconciliationCompleted: EventPayload, Hashable {
    /// The name and version.
    public static let type = EventType("reconciliation.completed", 1, 0)

    /// One shop's part.
    public struct Shop: Sendable, Hashable, Codable {
        /// The shop.
        public var shop: ShopName
        /// Whether it was read back; if not, ``problem`` says why.
        public var isComplete: Bool
        /// What is missing or held, as a sentence.
        public var problem: String?
        /// Listings compared.
        public var compared: Int
        /// How many of each category, `ok` too.
        public var categories: [String: Int]
        /// Orders of the day: in the shop, with us, and handed to the ERP.
        public var orders: OrderCounts?

        /// A shop's part.
        public init(
            shop: ShopName, isComplete: Bool, problem: String? = nil, compared: Int = 0,
            categories: [String: Int] = [:], orders: OrderCounts? = nil
        ) {
            self.shop = shop
            self.isComplete = isComplete
            self.problem = problem
            self.compared = compared
            self.categories = categories
            self.orders = orders
        }

        private enum CodingKeys: String, CodingKey {
            case shop, problem, compared, categories, orders
            case isComplete = "is_complete"
        }
    }

    /// Orders of one shop in the reported stretch.
    public struct OrderCounts: Sendable, Hashable, Codable {
        /// By the shop's own count; nil where it was not asked or did not answer.
        public var inShop: Int?
        /// In our ledger.
        public var inHub: Int
        /// Handed to the ERP.
        public var inERP: Int
        /// Kept back, with a reason.
        public var held: Int
        /// The value in our ledger by currency.
        public var value: [String: Amount]

        /// Counts.
        public init(inShop: Int?, inHub: Int, inERP: Int, held: Int, value: [String: Amount]) {
            self.inShop = inShop
            self.inHub = inHub
            self.inERP = inERP
            self.held = held
            self.value = value
        }

        private enum CodingKeys: String, CodingKey {
            case held, value
            case inShop = "in_shop"
            case inHub = "in_hub"
            case inERP = "in_erp"
        }
    }

    /// One difference, for the mail; the workbook has all.
    public struct Finding: Sendable, Hashable, Codable {
        /// The shop.
        public var shop: ShopName
        /// The SKU as the shop shows it, or the listing where it has none.
        public var sku: String
        /// The ERP's code.
        public var erpCode: String?
        /// The shop's name of it.
        public var title: String
        /// One of domain.md's categories, such as `too_high`.
        public var category: String
        /// What the shop should show.
        public var expected: Int?
        /// What it showed.
        public var observed: Int?
        /// Days since it was first seen.
        public var ageDays: Int
        /// What to do, or what was done.
        public var action: String

        /// A difference.
        public init(
            shop: ShopName, sku: String, erpCode: String?, title: String, category: String, expected: Int?,
            observed: Int?, ageDays: Int, action: String
        ) {
            self.shop = shop
            self.sku = sku
            self.erpCode = erpCode
            self.title = title
            self.category = category
            self.expected = expected
            self.observed = observed
            self.ageDays = ageDays
            self.action = action
        }

        private enum CodingKeys: String, CodingKey {
            case shop, sku, title, category, expected, observed, action
            case erpCode = "erp_code"
            case ageDays = "age_days"
        }
    }

    /// The run.
    public var runID: UUID
    /// The day it is for, by the company's time zone: `2026-11-22`.
    public var day: String
    /// Whether every shop was read back.
    public var isComplete: Bool
    /// Whether a mail about this run went out before.
    public var isUpdate: Bool
    /// What the stock file of the day did, as a sentence: accepted at, held, not come.
    public var sources: [String]
    /// The shops, in the configuration's order.
    public var shops: [Shop]
    /// The most important differences, at most 50, worst first.
    public var findings: [Finding]
    /// How many differences there are in all: everything but `ok` and `in_flight`.
    public var differences: Int
    /// The stored workbook.
    public var workbookID: UUID
    /// Its name.
    public var workbookName: String
    /// The stored picture (PNG); nil if it could not be drawn.
    public var pictureID: UUID?
    /// When it was closed.
    public var completedAt: Date

    /// A reconciliation.
    public init(
        runID: UUID, day: String, isComplete: Bool, isUpdate: Bool, sources: [String], shops: [Shop],
        findings: [Finding], differences: Int, workbookID: UUID, workbookName: String, pictureID: UUID?,
        completedAt: Date
    ) {
        self.runID = runID
        self.day = day
        self.isComplete = isComplete
        self.isUpdate = isUpdate
        self.sources = sources
        self.shops = shops
        self.findings = findings
        self.differences = differences
        self.workbookID = workbookID
        self.workbookName = workbookName
        self.pictureID = pictureID
        self.completedAt = completedAt
    }

    private enum CodingKeys: String, CodingKey {
        case day, sources, shops, findings, differences
        case runID = "run_id"
        case isComplete = "is_complete"
        case isUpdate = "is_update"
        case workbookID = "workbook_id"
        case workbookName = "workbook_name"
        case pictureID = "picture_id"
        case completedAt = "completed_at"
    }
}
