import Domain
import Testing
import Transfer

@testable import ShopConnectors

@Suite("Requests over plain HTTP are signed")
struct OAuthSignerTests {
    @Test func `the text that is signed is the one of RFC 5849, section 3.4.1.1`() {
        let text = OAuthSigner.baseString(
            method: "POST", address: "http://example.com/request",
            parameters: [
                ("b5", "=%3D"), ("a3", "a"), ("c@", ""), ("a2", "r b"), ("oauth_consumer_key", "9djdj82h48djs9d2"),
                ("oauth_token", "kkk9d7dh3k39sjv7"), ("oauth_signature_method", "HMAC-SHA1"),
                ("oauth_timestamp", "137131201"), ("oauth_nonce", "7d8f3e4a"), ("c2", ""), ("a3", "2 q"),
            ])
        #expect(
            text == "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D"
                + "%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a"
                + "%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        )
    }

    @Test func `everything but unreserved characters is encoded in capitals`() {
        #expect(OAuthSigner.encode("aZ9-._~ +/é") == "aZ9-._~%20%2B%2F%C3%A9")
    }

    @Test func `the secret is not in the header`() {
        let header = OAuthSigner(key: "ck_1", secret: "cs_2").authorization(
            method: "GET", address: "http://shop.example/wp-json", query: [("per_page", "1")], timestamp: 5, nonce: "n")
        #expect(header.hasPrefix("OAuth oauth_consumer_key=\"ck_1\", oauth_nonce=\"n\""))
        #expect(!header.contains("cs_2"))
    }

    @Test func `over TLS the credentials are Basic and nothing is signed`() async throws {
        let http = ScriptedHTTP { (_) in json("[]") }
        _ = try await client(http).get("products", [("per_page", "1")], for: .discover)
        let request = try #require(http.sent.first)
        #expect(request.url == "https://shop.example/wp-json/wc/v3/products?per_page=1")
        #expect(request.basicCredentials?.user == "ck_key1" && request.basicCredentials?.password == "cs_secret1")
        #expect(!request.headers.contains { $0.name == "Authorization" })
    }

    @Test(arguments: [
        ("http://Shop.Example:80/", "http://shop.example"), ("HTTPS://a:443/Shop//", "https://a/Shop"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"), ("https://a:80", "https://a:80"),
    ])
    func `an address is brought into the form that is signed`(given: String, address: String) {
        let configuration = WooCommerceConfiguration(shop: "s", url: given, key: "k", secret: "s")
        #expect(configuration.siteAddress == address)
    }
}
