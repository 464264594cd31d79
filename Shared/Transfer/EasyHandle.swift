internal import CCurl

/// Owns one libcurl easy handle and the memory libcurl writes its error sentences to. Used on the transfer thread only.
final class EasyHandle {
    let raw: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var lists: [UnsafeMutablePointer<curl_slist>] = []

    init?() {
        guard let raw = curl_easy_init() else { return nil }
        self.raw = raw
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(raw)
        freeLists()
        errorText.deallocate()
    }

    /// Forgets all options; connections stay, because they belong to the multi handle.
    func reset() {
        curl_easy_reset(raw)
        freeLists()
        errorText[0] = 0
    }

    /// libcurl's own words about the last failure; empty if it had none.
    var errorDetail: String { String(cString: errorText) }

    /// Sets everything the plan says; the code of the first option that libcurl refuses, or `CURLE_OK`.
    func apply(_ plan: TransferPlan) -> CURLcode {
        var result = ccurl_set_pointer(raw, CURLOPT_ERRORBUFFER, errorText)
        for option in plan.options where result == CURLE_OK {
            result =
                switch option {
                case .number(let key, let value): ccurl_set_long(raw, key, value)
                case .size(let key, let value): ccurl_set_offset(raw, key, curl_off_t(value))
                case .text(let key, let value): ccurl_set_string(raw, key, value)
                case .list(let key, let values): setList(key, values)
                }
        }
        return result
    }

    private func setList(_ key: CURLoption, _ values: [String]) -> CURLcode {
        guard let list = Self.makeList(values) else { return CURLE_OUT_OF_MEMORY }
        lists.append(list)
        return ccurl_set_pointer(raw, key, list)
    }

    /// A list for libcurl, which the caller frees; `nil` if memory is short or there are no values.
    static func makeList(_ values: [String]) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        for value in values {
            guard let longer = curl_slist_append(list, value) else {
                curl_slist_free_all(list)
                return nil
            }
            list = longer
        }
        return list
    }

    private func freeLists() {
        for list in lists { curl_slist_free_all(list) }
        lists.removeAll(keepingCapacity: true)
    }

    func number(_ info: CURLINFO) -> Int {
        var value = 0
        return ccurl_get_long(raw, info, &value) == CURLE_OK ? value : 0
    }

    /// -1 where libcurl does not know.
    func offset(_ info: CURLINFO) -> Int {
        var value: curl_off_t = -1
        return ccurl_get_offset(raw, info, &value) == CURLE_OK ? Int(value) : -1
    }
}
