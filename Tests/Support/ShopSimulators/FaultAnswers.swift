extension SimulatedShop {
    /// What a fault of a status answers, in the platform's words.
    func failure(_ status: Int) -> Answer {
        configuration.platform == .shopify ? Self.shopifyFailure(status) : Self.wooCommerceFailure(status)
    }

    private static func wooCommerceFailure(_ status: Int) -> Answer {
        switch status {
        case 401: .refusal(401, "woocommerce_rest_authentication_error", "Consumer key is invalid.")
        case 403: .refusal(403, "woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource.")
        case 413: .refusal(413, "woocommerce_rest_request_entity_too_large", "Unable to accept that many items.")
        case 500:
            .refusal(500, "internal_server_error", "<p>There has been a critical error on this website.</p>")
        default: .page("Service status \(status)", status: status)
        }
    }
}
