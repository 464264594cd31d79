import Domain

extension StockAggregated: BusinessKeyed {
    /// The source and, of a chunk, its codes.
    public var businessKeys: BusinessKeys {
        switch self {
        case .header: BusinessKeys(erp: snapshot.source.rawValue)
        case .chunk(let chunk):
            BusinessKeys(
                erp: snapshot.source.rawValue, items: chunk.skus.map(\.sku.rawValue) + chunk.missing.map(\.rawValue))
        }
    }
}

extension StockHeld: BusinessKeyed {
    /// The source.
    public var businessKeys: BusinessKeys { BusinessKeys(erp: source.rawValue) }
}

extension StockPublished: BusinessKeyed {
    /// The shop and, of a chunk, its shelves.
    public var businessKeys: BusinessKeys {
        let shop = statement.shop.rawValue
        guard case .chunk(let chunk) = self else { return BusinessKeys(shop: shop) }
        return BusinessKeys(shop: shop, items: chunk.listings.map { "\(shop)/\($0.shelf)" })
    }
}

extension OrderChanged: BusinessKeyed {
    /// The order and the codes of its lines.
    public var businessKeys: BusinessKeys {
        BusinessKeys(
            shop: order.reference.shop.rawValue, order: "\(order.reference)",
            items: lines.compactMap(\.erpCode?.rawValue))
    }
}

extension OrderHeld: BusinessKeyed {
    /// The order.
    public var businessKeys: BusinessKeys { BusinessKeys(shop: reference.shop.rawValue, order: "\(reference)") }
}

extension OrdersCollected: BusinessKeyed {
    /// The shop.
    public var businessKeys: BusinessKeys { BusinessKeys(shop: shop.rawValue) }
}

extension OrderReported: BusinessKeyed {
    /// The shop and the batch.
    public var businessKeys: BusinessKeys { BusinessKeys(shop: shop.rawValue, erp: batchID) }
}

extension ReportReady: BusinessKeyed {
    /// The shop and the batch.
    public var businessKeys: BusinessKeys { BusinessKeys(shop: shop.rawValue, erp: batchID) }
}

extension MappingChanged: BusinessKeyed {
    /// The shop and the listings.
    public var businessKeys: BusinessKeys {
        BusinessKeys(shop: shop.rawValue, items: entries.map { "\(shop)/\($0.listing)" })
    }
}

extension AlertRaised: BusinessKeyed {
    /// The shop or the source.
    public var businessKeys: BusinessKeys {
        BusinessKeys(shop: subject.shop?.rawValue, erp: subject.source?.rawValue)
    }
}

extension AlertCleared: BusinessKeyed {
    /// The shop or the source.
    public var businessKeys: BusinessKeys {
        BusinessKeys(shop: subject.shop?.rawValue, erp: subject.source?.rawValue)
    }
}

extension Command: BusinessKeyed {
    /// What its arguments name.
    public var businessKeys: BusinessKeys {
        BusinessKeys(
            shop: arguments["shop"]?.string, order: arguments["order"]?.string,
            erp: arguments["batch"]?.string ?? arguments["source"]?.string)
    }
}

extension PushWork: BusinessKeyed {
    /// The shop and the shelves.
    public var businessKeys: BusinessKeys {
        BusinessKeys(shop: shop.rawValue, items: shelves.map { "\(shop)/\($0.id)" })
    }
}

extension RemapWork: BusinessKeyed {
    /// The shop.
    public var businessKeys: BusinessKeys { BusinessKeys(shop: shop.rawValue) }
}

extension RecomputeWork: BusinessKeyed {
    /// The codes.
    public var businessKeys: BusinessKeys { BusinessKeys(items: codes.map(\.rawValue)) }
}

extension PassWork: BusinessKeyed {
    /// The shop.
    public var businessKeys: BusinessKeys { BusinessKeys(shop: shop.rawValue) }
}

extension FetchWork: BusinessKeyed {
    /// The order.
    public var businessKeys: BusinessKeys { BusinessKeys(shop: shop.rawValue, order: "\(shop):\(externalID)") }
}

extension ReassessWork: BusinessKeyed {
    /// The shop.
    public var businessKeys: BusinessKeys { BusinessKeys(shop: shop.rawValue) }
}

extension RepublishWork: BusinessKeyed {
    /// The shop.
    public var businessKeys: BusinessKeys { BusinessKeys(shop: shop.rawValue) }
}

extension ReportWork: BusinessKeyed {
    /// The batch.
    public var businessKeys: BusinessKeys { BusinessKeys(erp: batchID) }
}

extension ReadBackWork: BusinessKeyed {
    /// The shop.
    public var businessKeys: BusinessKeys { BusinessKeys(shop: shop.rawValue) }
}
