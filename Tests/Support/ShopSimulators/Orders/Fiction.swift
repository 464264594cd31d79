/// People, places and prices that do not exist, the same for the same number each time.
enum Fiction {
    private static let families = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ"]
    private static let given = ["Thử Nghiệm", "Mẫu", "Giả Định", "Ví Dụ", "Minh Họa", "Hư Cấu", "Tượng Trưng"]
    private static let streets = ["Đường Mẫu", "Phố Thử Nghiệm", "Đường Ví Dụ", "Ngõ Minh Họa", "Phố Giả Định"]
    private static let cities = [
        ("Hà Nội", "100000"), ("Huế", "530000"), ("Đà Nẵng", "550000"), ("Hải Phòng", "180000"), ("Cần Thơ", "900000"),
    ]

    /// Phone numbers begin with 0000, which no network has.
    static func customer(_ number: Int) -> OrderCustomer {
        let digits = String(number % 1_000_000)
        var customer = OrderCustomer()
        // Every third buys without an account.
        customer.id = number % 3 == 0 ? 0 : 1 + number % 5_000
        customer.firstName = pick(given, number, 11)
        customer.lastName = pick(families, number, 3)
        customer.email = "khach.\(number)@example.com"
        customer.phone = "0000" + String(repeating: "0", count: 6 - digits.utf8.count) + digits
        customer.taxID = number % 7 == 0 ? "0000\(100_000 + number % 900_000)" : ""
        return customer
    }

    static func address(_ number: Int, of customer: OrderCustomer) -> PostalAddress {
        let city = cities[Int(mix(number, 17) % UInt64(cities.count))]
        var address = PostalAddress()
        (address.firstName, address.lastName) = (customer.firstName, customer.lastName)
        address.company = customer.taxID.isEmpty ? "" : "Công ty Ví Dụ \(number)"
        address.address1 = "\(1 + number % 300) \(pick(streets, number, 5))"
        (address.city, address.postcode) = (city.0, city.1)
        address.phone = customer.phone
        return address
    }

    /// What an item costs; a shop always asks the same.
    static func price(of itemID: Int, decimals: Int) -> Amount {
        let step = Int(mix(itemID, 29) % 95) + 5
        return decimals == 0 ? .units(step * 10_000) : Amount(micro: step * 1_000_000 + 900_000)
    }

    private static func pick(_ words: [String], _ number: Int, _ salt: UInt64) -> String {
        words[Int(mix(number, salt) % UInt64(words.count))]
    }

    private static func mix(_ number: Int, _ salt: UInt64) -> UInt64 {
        var generator = SplitMix64(state: UInt64(bitPattern: Int64(number)) &* 31 &+ salt)
        return generator.next()
    }
}
