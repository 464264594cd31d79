public import Foundation

/// Small configurations for tests, as the text of a file. Test equipment.
public enum SampleConfiguration {
    /// Where the files of the only source come from.
    public static let location = #"{type: folder, directory: incoming, pattern: "*.csv"}"#

    private static let company = """
        company: Hoa Sen Care
        time_zone: Asia/Ho_Chi_Minh
        """

    private static let source = """
        people: {operations: [ops@hoasen.example]}
        sources:
          - name: erp
            location: \(location)
            schedule: {cron: "0 6 * * *"}
            format: {columns: {sku: SKU, warehouse: Kho, on_hand: Quantity}}
            quantities: gross
        """

    private static let alerts = "alerts: {to: operations}"

    /// The shortest configuration that is valid: everything else is a default. Tests rely on the order of its lines.
    public static let minimal = """
        \(company)
        broker: {host: 127.0.0.1, password: "${env:BROKER}"}
        database: {host: 127.0.0.1, password: "${env:DB}"}
        mail: {host: 127.0.0.1, from: stock@hoasen.example}
        \(source)
        warehouses: [{name: HN}, {name: HCM}]
        shops:
          - name: hanoi
            platform: woocommerce
            url: https://hanoi.hoasen.example
            credentials: {key: "${env:KEY}", secret: "${env:SECRET}"}
            warehouses: [HN, HCM]
        \(alerts)
        erp: {mailbox: [orders@erp.example]}
        """

    /// The company, its people, its source and whom alerts go to, with the other sections: at least `broker`,
    /// `database`, `mail`, `warehouses` and `shops`.
    public static func text(_ sections: String) -> String {
        [company, source, alerts, sections].joined(separator: "\n")
    }

    /// The sections `warehouses` and `shops` with one shop, saigon, at an address where nobody answers.
    ///
    /// - Parameter folder: Has the secrets `key` and `secret`.
    public static func unreachableShop(secretsIn folder: URL) -> String {
        """
        warehouses: [{name: HN}]
        shops:
          - name: saigon
            platform: woocommerce
            url: http://127.0.0.1:1
            insecure: true
            credentials: {key: "${file:\(folder.path)/key}", secret: "${file:\(folder.path)/secret}"}
            warehouses: [HN]
        """
    }
}
