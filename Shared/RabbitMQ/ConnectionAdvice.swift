internal import CRabbitMQ

/// Why a connection did not come about and what to do about it, as the end of a sentence.
enum ConnectionAdvice {
    /// What a failure to connect means.
    ///
    /// - Parameters:
    ///   - status: What the library says.
    ///   - certificate: Why the certificate was not accepted, in OpenSSL's words, if it was not.
    ///   - handshake: Why TLS could not be agreed on, in OpenSSL's words, if it is known.
    static func detail(
        status: Int32, certificate: String?, handshake: String?, host: String, tls: BrokerTLS?
    ) -> String {
        guard let tls else { return Link.statusText(status) }
        switch status {
        case AMQP_STATUS_SSL_PEER_VERIFY_FAILED.rawValue:
            return untrusted(certificate ?? "no reason given", caFile: tls.caFile)
        case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED.rawValue:
            return "its certificate does not carry the name \(host): connect by a DNS name that it carries, "
                + "or give the broker one issued for this name"
        case AMQP_STATUS_SSL_CONNECTION_FAILED.rawValue:
            return handshakeFailed(handshake)
        default:
            return Link.statusText(status)
        }
    }

    private static func untrusted(_ reason: String, caFile: String) -> String {
        switch reason {
        case "certificate has expired":
            "its certificate, or that of its authority, has expired: give the broker a new one"
        case "certificate is not yet valid":
            "its certificate is not valid yet: check the clocks of both machines"
        default:
            "its certificate is not trusted (\(reason)): put the authority that issued it into the CA file \(caFile)"
        }
    }

    private static func handshakeFailed(_ reason: String?) -> String {
        guard let reason else { return "the TLS handshake broke off: check that the port is the broker's TLS port" }
        if reason == "wrong version number" {
            return "the port does not speak TLS: use the broker's TLS port, usually 5671"
        }
        if reason.contains("protocol") {
            return "it speaks no TLS 1.2 or newer (\(reason)): allow TLS 1.2 at the broker"
        }
        return "the TLS handshake failed (\(reason)): check the broker's TLS settings and its log"
    }

    /// A login that breaks off before any answer may have met a port that waits for TLS.
    static func brokenLogin(_ detail: String, tls: BrokerTLS?) -> String {
        tls == nil ? "\(detail); if the port is the broker's TLS port, turn TLS on" : detail
    }
}
