/// What shops answer, as corpus.
enum ShopTexts {
    static let wooCommerceOrder = """
        {"id":10231,"number":"10231","status":"processing","currency":"VND","date_created":"2026-03-02T09:14:09",\
        "date_created_gmt":"2026-03-02T02:14:09","date_modified_gmt":"2026-03-02T02:20:41","date_paid_gmt":null,\
        "prices_include_tax":true,"discount_total":"20000","discount_tax":"2000","shipping_total":"30000",\
        "shipping_tax":"0","total_tax":"38000","total":"448000","customer_id":88,"customer_note":"gọi trước",\
        "payment_method":"cod","transaction_id":"","billing":{"first_name":"Lan","last_name":"Tran",\
        "address_1":"12 Le Loi","city":"Hue","postcode":"030000","country":"VN","email":" LAN@example.com",\
        "phone":"0900000000"},"shipping":{"first_name":"","country":"VN"},"line_items":[{"id":551,"product_id":310,\
        "variation_id":311,"name":"Tee - M","sku":"TEE-M","quantity":2,"price":190000.00000000003,\
        "subtotal":"400000","subtotal_tax":"40000","total":"380000","total_tax":"38000",\
        "taxes":[{"id":7,"total":"38000"}]}],"tax_lines":[{"rate_id":7,"rate_percent":10}],\
        "shipping_lines":[{"id":552,"method_title":"GHN","total":"30000","total_tax":"0"}],\
        "fee_lines":[{"name":"Gói quà","total":"0.5"}],"coupon_lines":[{"id":553,"code":"TET20"}],\
        "refunds":[{"id":9,"total":"-5000","reason":"r"}],"meta_data":[{"key":"_billing_tax_id","value":"0301234567"}]}
        """

    static let wooCommerceProducts = """
        [{"id":310,"name":"Tee","type":"variable","status":"publish","sku":"","manage_stock":false,\
        "stock_quantity":null,"date_modified_gmt":"2026-03-02T02:20:41","variations":[311,312]},\
        {"id":311,"name":"M","sku":123,"manage_stock":"parent","stock_quantity":"2.5","attributes":[{"option":"M"}]},\
        {"id":312,"name":"Sữa tắm","type":"simple","sku":"SUA-500","manage_stock":true,"stock_quantity":7}]
        """

    private static func money(_ amount: String) -> String { "{\"shopMoney\":{\"amount\":\"\(amount)\"}}" }

    static let shopifyOrder = """
        {"id":"gid://shopify/Order/5001","name":"#1001","createdAt":"2026-11-30T04:00:00Z",\
        "updatedAt":"2026-11-30T04:05:06Z","cancelledAt":null,"email":" LAN@example.com","phone":null,"note":null,\
        "currencyCode":"VND","taxesIncluded":false,"displayFinancialStatus":"PAID",\
        "displayFulfillmentStatus":"UNFULFILLED","returnStatus":"NO_RETURN","paymentGatewayNames":["Bank Deposit"],\
        "discountCodes":["TET20"],"currentTotalPriceSet":\(money("448000.0")),"totalPriceSet":\(money("448000.0")),\
        "currentTotalTaxSet":\(money("38000.0")),"currentTotalDiscountsSet":\(money("20000.0")),\
        "customAttributes":[{"key":"tax_id","value":"0301234567"}],"customer":{"id":"gid://shopify/Customer/7",\
        "firstName":"Lan","lastName":"Tran"},"billingAddress":null,"shippingAddress":{"name":"Lan Tran",\
        "address1":"12 Le Loi","city":"Hue","zip":"030000","countryCodeV2":"VN","phone":"0900000000"},\
        "shippingLines":{"nodes":[{"title":"GHN","discountedPriceSet":\(money("30000.0")),"taxLines":[]}]},\
        "transactions":[{"id":"gid://shopify/OrderTransaction/3","kind":"SALE","status":"SUCCESS",\
        "processedAt":"2026-11-30T04:01:00Z"}],"refunds":[{"id":"gid://shopify/Refund/7","note":null,\
        "createdAt":"2026-11-30T05:00:00Z","totalRefundedSet":\(money("190000")),"refundLineItems":{"nodes":[\
        {"quantity":1,"restockType":"CANCEL","lineItem":{"id":"gid://shopify/LineItem/1"}}],\
        "pageInfo":{"hasNextPage":false}}}],"lineItems":{"nodes":[{"id":"gid://shopify/LineItem/1","sku":"TEE-M",\
        "name":"Tee - M","quantity":3,"currentQuantity":2,"originalUnitPriceSet":\(money("200000.0")),\
        "discountAllocations":[{"allocatedAmountSet":\(money("20000.0"))}],\
        "taxLines":[{"ratePercentage":10.0,"priceSet":\(money("38000.0"))}],\
        "variant":{"id":"gid://shopify/ProductVariant/311","product":{"id":"gid://shopify/Product/310"}}}],\
        "pageInfo":{"hasNextPage":false,"endCursor":"c1"}}}
        """

    private static let budget = """
        "extensions":{"cost":{"requestedQueryCost":500,"throttleStatus":{"maximumAvailable":2000.0,\
        "currentlyAvailable":1900,"restoreRate":100}}}
        """

    static let shopifyAnswers = [
        "{\"data\":{\"shop\":{\"ianaTimezone\":\"Asia/Ho_Chi_Minh\"},\"order\":\(shopifyOrder),\"orders\":{\"nodes\":["
            + shopifyOrder + "],\"pageInfo\":{\"hasNextPage\":true,\"endCursor\":\"c2\"}}},\(budget)}",
        """
        {"data":{"productVariants":{"nodes":[{"id":"gid://shopify/ProductVariant/311","sku":"TEE-M","title":"M",\
        "updatedAt":"2026-11-30T04:05:06Z","product":{"id":"gid://shopify/Product/310","title":"Tee",\
        "status":"ACTIVE"},"inventoryItem":{"id":"gid://shopify/InventoryItem/1","tracked":true,"inventoryLevel":{\
        "updatedAt":"2026-11-30T04:05:06Z","quantities":[{"quantity":7}]}}}],"pageInfo":{"hasNextPage":true,\
        "endCursor":"c1"}},"nodes":[{"id":"gid://shopify/InventoryItem/1","tracked":true,"inventoryLevel":{\
        "quantities":[{"quantity":7}]}}],"webhookSubscriptions":{"nodes":[{"id":"gid://shopify/WebhookSubscription/1",\
        "topic":"ORDERS_CREATE","uri":"https://hub/"}],"pageInfo":{"hasNextPage":true,"endCursor":"c1"}},\
        "inventorySetQuantities":{"inventoryAdjustmentGroup":{"changes":[{"name":"available",\
        "quantityAfterChange":12,"item":{"id":"gid://shopify/InventoryItem/1"}}]},"userErrors":[{"code":"INVALID",\
        "field":["input","quantities","0","quantity"],"message":"shpat_token1 m"}]}},\(budget)}
        """,
        "{\"errors\":[{\"message\":\"Throttled s3cret1\",\"extensions\":{\"code\":\"THROTTLED\"}}],\(budget)}",
        "{\"errors\":\"[API] Invalid shpat_token1\"}", "{\"error\":\"invalid_client s3cret1\"}",
        "{\"access_token\":\"shpat_new\",\"expires_in\":86399}",
    ]

    static let wooCommerceAnswers = [
        "[\(wooCommerceOrder),\(wooCommerceOrder.replacing("10231", with: "10232"))]", wooCommerceOrder,
        wooCommerceProducts,
        "{\"update\":[{\"id\":312,\"stock_quantity\":12,\"manage_stock\":true},{\"id\":0,\"error\":{\"code\":\"x\"}}]}",
        "{\"code\":\"rest_no_route\",\"message\":\"No route for cs_secret1\",\"data\":{\"status\":404}}",
        "[{\"id\":1,\"topic\":\"order.created\",\"delivery_url\":\"https://hub/\",\"status\":\"active\"}]",
        "<html><b>Warning</b> ck_key1:cs_secret1</html>", "\u{FEFF}[]",
    ]
}
