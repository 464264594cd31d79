/// The part of Shopify's Admin GraphQL API that the simulator speaks, by version.
enum ShopifySchema {
    /// The versions that are supported, oldest first.
    static let versions = ["2025-10", "2026-01", "2026-04", "2026-07", "2026-10"]

    /// The version that answers a call for another one: a retired one falls forward to the oldest that is supported,
    /// one that does not exist yet to the newest. Nil for what is no version.
    static func version(for asked: String) -> String? {
        if versions.contains(asked) { return asked }
        guard asked == "unstable" || asked.wholeMatch(of: /\d{4}-\d{2}/) != nil else { return nil }
        return versions.first { $0 > asked } ?? versions.last
    }

    static func schema(_ version: String) -> GraphQLSchema? { all[version] }

    private static let all: [String: GraphQLSchema] = {
        var result: [String: GraphQLSchema] = [:]
        for version in versions {
            do throws(GraphQLProblem) {
                result[version] = try GraphQLSchema(text, version: version)
            } catch {
                preconditionFailure("The schema of \(version): \(error.json)")
            }
        }
        return result
    }()

    private static let text = roots + inventory + orders + webhooks

    private static let roots = """
        scalar DateTime scalar Decimal scalar UnsignedInt64 scalar URL scalar Money
        interface Node { id: ID! }
        type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
        type Shop { id: ID! name: String! currencyCode: CurrencyCode! myshopifyDomain: String! ianaTimezone: String!
          timezoneOffset: String! taxesIncluded: Boolean! email: String! }
        scalar CurrencyCode
        type AccessScope { handle: String! description: String! }
        type AppInstallation implements Node { id: ID! accessScopes: [AccessScope!]! }
        type QueryRoot {
          shop: Shop!
          currentAppInstallation: AppInstallation!
          node(id: ID!): Node
          nodes(ids: [ID!]!): [Node]!
          location(id: ID): Location @scope(n: "read_locations")
          locations(first: Int, after: String, last: Int, before: String, includeInactive: Boolean = false,
            query: String, reverse: Boolean = false): LocationConnection! @scope(n: "read_locations")
          productVariant(id: ID!): ProductVariant @scope(n: "read_products")
          productVariants(first: Int, after: String, last: Int, before: String, query: String,
            sortKey: ProductVariantSortKeys = ID, reverse: Boolean = false): ProductVariantConnection!
            @scope(n: "read_products")
          inventoryItem(id: ID!): InventoryItem @scope(n: "read_inventory")
          order(id: ID!): Order @scope(n: "read_orders")
          orders(first: Int, after: String, last: Int, before: String, query: String,
            sortKey: OrderSortKeys = PROCESSED_AT, reverse: Boolean = false): OrderConnection! @scope(n: "read_orders")
          webhookSubscriptions(first: Int, after: String, last: Int, before: String, reverse: Boolean = false,
            topics: [WebhookSubscriptionTopic!]): WebhookSubscriptionConnection!
        }
        type Mutation {
          inventorySetQuantities(input: InventorySetQuantitiesInput!): InventorySetQuantitiesPayload
            @scope(n: "write_inventory")
          inventoryActivate(inventoryItemId: ID!, locationId: ID!, available: Int, onHand: Int,
            stockAtLegacyLocation: Boolean = false): InventoryActivatePayload @scope(n: "write_inventory")
          orderCancel(orderId: ID!, reason: OrderCancelReason!, restock: Boolean!, refund: Boolean,
            refundMethod: OrderCancelRefundMethodInput, notifyCustomer: Boolean = false, staffNote: String):
            OrderCancelPayload @scope(n: "write_orders")
          orderMarkAsPaid(input: OrderMarkAsPaidInput!): OrderMarkAsPaidPayload @scope(n: "write_orders")
          tagsAdd(id: ID!, tags: [String!]!): TagsAddPayload @scope(n: "write_orders")
          webhookSubscriptionCreate(topic: WebhookSubscriptionTopic!, webhookSubscription: WebhookSubscriptionInput!):
            WebhookSubscriptionCreatePayload
          webhookSubscriptionDelete(id: ID!): WebhookSubscriptionDeletePayload
        }
        type UserError { field: [String!] message: String! }
        """

    private static let inventory = """
        enum ProductVariantSortKeys { ID SKU NAME TITLE INVENTORY_QUANTITY POSITION RELEVANCE FULL_TITLE POPULAR }
        enum ProductStatus { ACTIVE ARCHIVED DRAFT UNLISTED }
        enum ProductVariantInventoryPolicy { DENY CONTINUE }
        type Product implements Node { id: ID! legacyResourceId: UnsignedInt64! title: String! status: ProductStatus!
          handle: String! updatedAt: DateTime! createdAt: DateTime!
          variants(first: Int, after: String, last: Int, before: String): ProductVariantConnection! }
        type SelectedOption { name: String! value: String! }
        type ProductVariant implements Node { id: ID! legacyResourceId: UnsignedInt64! sku: String title: String!
          displayName: String! barcode: String price: Money! inventoryQuantity: Int updatedAt: DateTime!
          createdAt: DateTime! inventoryPolicy: ProductVariantInventoryPolicy! availableForSale: Boolean!
          selectedOptions: [SelectedOption!]! product: Product! inventoryItem: InventoryItem! }
        type InventoryItem implements Node { id: ID! legacyResourceId: UnsignedInt64! sku: String tracked: Boolean!
          requiresShipping: Boolean! createdAt: DateTime! updatedAt: DateTime! variant: ProductVariant
          inventoryLevel(locationId: ID!, includeInactive: Boolean = false): InventoryLevel
          inventoryLevels(first: Int, after: String, last: Int, before: String, includeInactive: Boolean = false,
            query: String, reverse: Boolean = false): InventoryLevelConnection! }
        type InventoryLevel implements Node { id: ID! isActive: Boolean! updatedAt: DateTime! createdAt: DateTime!
          item: InventoryItem! location: Location! quantities(names: [String!]!): [InventoryQuantity!]! }
        type InventoryQuantity { id: ID! name: String! quantity: Int! updatedAt: DateTime }
        type Location implements Node { id: ID! legacyResourceId: UnsignedInt64! name: String! isActive: Boolean!
          fulfillsOnlineOrders: Boolean! shipsInventory: Boolean! }
        input InventorySetQuantitiesInput { name: String! reason: String! referenceDocumentUri: String
          ignoreCompareQuantity: Boolean = false @until(v: "2026-01") quantities: [InventoryQuantityInput!]! }
        input InventoryQuantityInput { inventoryItemId: ID! locationId: ID! quantity: Int!
          compareQuantity: Int @until(v: "2026-01") changeFromQuantity: Int @since(v: "2026-01") }
        enum InventorySetQuantitiesUserErrorCode { CHANGE_FROM_QUANTITY_STALE COMPARE_QUANTITY_REQUIRED
          COMPARE_QUANTITY_STALE IDEMPOTENCY_CONCURRENT_REQUEST IDEMPOTENCY_KEY_PARAMETER_MISMATCH
          IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED INVALID_INVENTORY_ITEM INVALID_LOCATION INVALID_NAME
          INVALID_QUANTITY_NEGATIVE INVALID_QUANTITY_TOO_HIGH INVALID_QUANTITY_TOO_LOW INVALID_REASON
          INVALID_REFERENCE_DOCUMENT ITEM_NOT_STOCKED_AT_LOCATION NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR
          NON_MUTABLE_INVENTORY_ITEM }
        type InventorySetQuantitiesUserError { code: InventorySetQuantitiesUserErrorCode field: [String!]
          message: String! }
        type InventorySetQuantitiesPayload { inventoryAdjustmentGroup: InventoryAdjustmentGroup
          userErrors: [InventorySetQuantitiesUserError!]! }
        type InventoryAdjustmentGroup implements Node { id: ID! createdAt: DateTime! reason: String!
          referenceDocumentUri: String changes(inventoryItemIds: [ID!], locationIds: [ID!],
          quantityNames: [String!]): [InventoryChange!]! }
        type InventoryChange { name: String! delta: Int! quantityAfterChange: Int ledgerDocumentUri: String
          item: InventoryItem location: Location }
        type InventoryActivatePayload { inventoryLevel: InventoryLevel userErrors: [UserError!]! }
        """

    private static let webhooks = """
        enum WebhookSubscriptionTopic { ORDERS_CREATE ORDERS_UPDATED ORDERS_PAID ORDERS_CANCELLED ORDERS_FULFILLED
          ORDERS_EDITED ORDERS_DELETE REFUNDS_CREATE FULFILLMENTS_CREATE FULFILLMENTS_UPDATE INVENTORY_LEVELS_UPDATE
          PRODUCTS_CREATE PRODUCTS_UPDATE PRODUCTS_DELETE APP_UNINSTALLED }
        enum WebhookSubscriptionFormat { JSON XML }
        input WebhookSubscriptionInput { uri: String callbackUrl: URL format: WebhookSubscriptionFormat
          includeFields: [String!] filter: String }
        type WebhookSubscription implements Node { id: ID! legacyResourceId: UnsignedInt64!
          topic: WebhookSubscriptionTopic! uri: String! callbackUrl: URL format: WebhookSubscriptionFormat!
          includeFields: [String!]! createdAt: DateTime! updatedAt: DateTime! endpoint: WebhookHttpEndpoint! }
        type WebhookHttpEndpoint { callbackUrl: URL! }
        type WebhookSubscriptionCreatePayload { webhookSubscription: WebhookSubscription userErrors: [UserError!]! }
        type WebhookSubscriptionDeletePayload { deletedWebhookSubscriptionId: ID userErrors: [UserError!]! }
        """

    private static let orders = """
        enum OrderSortKeys { CREATED_AT CUSTOMER_NAME DESTINATION FINANCIAL_STATUS FULFILLMENT_STATUS ID ORDER_NUMBER
          PO_NUMBER PROCESSED_AT RELEVANCE TOTAL_ITEMS_QUANTITY TOTAL_PRICE UPDATED_AT }
        enum OrderCancelReason { CUSTOMER DECLINED FRAUD INVENTORY STAFF OTHER }
        enum OrderDisplayFinancialStatus { AUTHORIZED EXPIRED PAID PARTIALLY_PAID PARTIALLY_REFUNDED PENDING REFUNDED
          VOIDED }
        enum OrderDisplayFulfillmentStatus { FULFILLED IN_PROGRESS ON_HOLD OPEN PARTIALLY_FULFILLED
          PENDING_FULFILLMENT REQUEST_DECLINED RESTOCKED SCHEDULED UNFULFILLED }
        enum OrderReturnStatus { NO_RETURN IN_PROGRESS INSPECTION_COMPLETE RETURNED RETURN_FAILED RETURN_REQUESTED }
        type MoneyV2 { amount: Decimal! currencyCode: CurrencyCode! }
        type MoneyBag { shopMoney: MoneyV2! presentmentMoney: MoneyV2! }
        type Attribute { key: String! value: String }
        type TaxLine { title: String! rate: Float ratePercentage: Float priceSet: MoneyBag! }
        type MailingAddress implements Node { id: ID! name: String firstName: String lastName: String company: String
          address1: String address2: String city: String province: String provinceCode: String zip: String
          country: String countryCodeV2: CountryCode phone: String }
        scalar CountryCode
        type Customer implements Node { id: ID! legacyResourceId: UnsignedInt64! firstName: String lastName: String
          displayName: String! email: String phone: String }
        type DiscountAllocation { allocatedAmountSet: MoneyBag! }
        type LineItem implements Node { id: ID! sku: String title: String! name: String! variantTitle: String
          quantity: Int! currentQuantity: Int! unfulfilledQuantity: Int! refundableQuantity: Int!
          originalUnitPriceSet: MoneyBag! originalTotalSet: MoneyBag! discountedTotalSet: MoneyBag!
          discountedUnitPriceSet: MoneyBag! discountedUnitPriceAfterAllDiscountsSet: MoneyBag!
          totalDiscountSet: MoneyBag! unfulfilledDiscountedTotalSet: MoneyBag! taxable: Boolean! taxLines: [TaxLine!]!
          discountAllocations: [DiscountAllocation!]! customAttributes: [Attribute!]! variant: ProductVariant
          product: Product requiresShipping: Boolean! }
        type ShippingLine { id: ID title: String! code: String originalPriceSet: MoneyBag! discountedPriceSet: MoneyBag!
          currentDiscountedPriceSet: MoneyBag! taxLines: [TaxLine!]! source: String carrierIdentifier: String
          isRemoved: Boolean! }
        enum OrderTransactionKind { AUTHORIZATION CAPTURE CHANGE EMV_AUTHORIZATION REFUND SALE SUGGESTED_REFUND VOID }
        enum OrderTransactionStatus { AWAITING_RESPONSE ERROR FAILURE PENDING SUCCESS UNKNOWN }
        type OrderTransaction implements Node { id: ID! kind: OrderTransactionKind! status: OrderTransactionStatus!
          gateway: String formattedGateway: String createdAt: DateTime! processedAt: DateTime amountSet: MoneyBag! }
        type RefundLineItem { id: ID lineItem: LineItem! quantity: Int! restocked: Boolean! restockType: String!
          subtotalSet: MoneyBag! priceSet: MoneyBag! }
        type Refund implements Node { id: ID! legacyResourceId: UnsignedInt64! note: String createdAt: DateTime
          updatedAt: DateTime! totalRefundedSet: MoneyBag!
          refundLineItems(first: Int, after: String, last: Int, before: String): RefundLineItemConnection! }
        type FulfillmentTrackingInfo { company: String number: String url: URL }
        type Fulfillment implements Node { id: ID! status: String! createdAt: DateTime! updatedAt: DateTime!
          trackingInfo(first: Int): [FulfillmentTrackingInfo!]! }
        type Order implements Node { id: ID! legacyResourceId: UnsignedInt64! name: String! number: Int! email: String
          phone: String note: String tags: [String!]! test: Boolean! closed: Boolean! confirmed: Boolean!
          createdAt: DateTime! updatedAt: DateTime! processedAt: DateTime! cancelledAt: DateTime closedAt: DateTime
          cancelReason: OrderCancelReason displayFinancialStatus: OrderDisplayFinancialStatus
          displayFulfillmentStatus: OrderDisplayFulfillmentStatus! returnStatus: OrderReturnStatus!
          fullyPaid: Boolean! unpaid: Boolean! currencyCode: CurrencyCode! presentmentCurrencyCode: CurrencyCode!
          taxesIncluded: Boolean! subtotalPriceSet: MoneyBag currentSubtotalPriceSet: MoneyBag!
          totalPriceSet: MoneyBag! currentTotalPriceSet: MoneyBag! totalTaxSet: MoneyBag currentTotalTaxSet: MoneyBag!
          totalDiscountsSet: MoneyBag currentTotalDiscountsSet: MoneyBag! totalShippingPriceSet: MoneyBag!
          currentShippingPriceSet: MoneyBag! totalRefundedSet: MoneyBag! totalReceivedSet: MoneyBag!
          netPaymentSet: MoneyBag! totalOutstandingSet: MoneyBag! originalTotalPriceSet: MoneyBag!
          subtotalLineItemsQuantity: Int! currentSubtotalLineItemsQuantity: Int! paymentGatewayNames: [String!]!
          discountCode: String discountCodes: [String!]! sourceName: String customAttributes: [Attribute!]!
          taxLines: [TaxLine!]! currentTaxLines: [TaxLine!]! customer: Customer billingAddress: MailingAddress
          shippingAddress: MailingAddress shippingLine: ShippingLine
          shippingLines(first: Int, after: String, last: Int, before: String, includeRemovals: Boolean = false):
            ShippingLineConnection!
          lineItems(first: Int, after: String, last: Int, before: String, reverse: Boolean = false):
            LineItemConnection!
          transactions(first: Int, capturable: Boolean, manuallyResolvable: Boolean): [OrderTransaction!]!
          refunds(first: Int): [Refund!]! fulfillments(first: Int, query: String): [Fulfillment!]! }
        input OrderMarkAsPaidInput { id: ID! }
        input OrderCancelRefundMethodInput { originalPaymentMethodsRefund: Boolean }
        type Job { id: ID! done: Boolean! }
        type OrderCancelUserError { code: String field: [String!] message: String! }
        type OrderCancelPayload { job: Job orderCancelUserErrors: [OrderCancelUserError!]! userErrors: [UserError!]! }
        type OrderMarkAsPaidPayload { order: Order userErrors: [UserError!]! }
        type TagsAddPayload { node: Node userErrors: [UserError!]! }
        """
}
