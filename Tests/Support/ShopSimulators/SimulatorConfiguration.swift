/// How a simulated shop behaves. Test equipment: never part of a deployment.
public struct SimulatorConfiguration: Sendable {
    /// What a consumer key may do.
    public enum Permissions: String, Sendable, CaseIterable {
        /// Reading only.
        case read
        /// Writing only.
        case write
        /// Both.
        case readWrite = "read_write"
    }

    /// Shown by `/__simulator/` and in error pages.
    public var name = "simulated shop"
    /// The address that is listened on.
    public var host = "127.0.0.1"
    /// 0 takes any free port.
    public var port = 0
    /// The consumer key that is accepted.
    public var key = "ck_simulator"
    /// The consumer secret that is accepted.
    public var secret = "cs_simulator"
    /// What the key may do.
    public var permissions = Permissions.readWrite
    /// Calls a second that are answered before 429 comes; nil for no limit.
    public var requestsPerSecond: Double?
    /// Calls that may come at once before the limit counts; nil means one second's worth.
    public var burst: Int?
    /// Added to every call of the shop's API.
    public var latencyMilliseconds = 0
    /// The most items of one batch.
    public var batchLimit = 100
    /// PEM files; with both the shop speaks HTTPS only.
    public var certificateFile: String?
    /// See ``certificateFile``.
    public var privateKeyFile: String?
    /// Wanted in `X-Simulator-Token` for `/__simulator/`; without one only loopback addresses may use it.
    public var adminToken: String?

    /// Everything as stated above.
    public init() {}
}
