// Run inside the container image: shows that Foundation finds its time zones there, and knows daylight saving.
import Foundation

/// Seconds from UTC in a zone at a moment that is given as UTC.
func offset(_ identifier: String, _ moment: String) -> Int? {
    guard let zone = TimeZone(identifier: identifier), let date = try? Date(moment, strategy: .iso8601) else {
        return nil
    }
    return zone.secondsFromGMT(for: date)
}

let expectations: [(zone: String, moment: String, hours: Double)] = [
    ("Asia/Ho_Chi_Minh", "2026-01-15T23:00:00Z", 7),
    ("Asia/Ho_Chi_Minh", "2026-07-15T23:00:00Z", 7),
    ("Europe/Berlin", "2026-03-29T00:59:59Z", 1),
    ("Europe/Berlin", "2026-03-29T01:00:00Z", 2),
    ("Europe/Berlin", "2026-10-25T00:59:59Z", 2),
    ("Europe/Berlin", "2026-10-25T01:00:00Z", 1),
    ("America/New_York", "2026-11-01T06:00:00Z", -5),
    ("Asia/Kathmandu", "2026-05-01T00:00:00Z", 5.75),
]

var failures = 0
for (zone, moment, hours) in expectations {
    let found = offset(zone, moment)
    if found != Int(hours * 3600) {
        failures += 1
        print("\(zone) at \(moment): expected \(hours) h from UTC, found \(found.map { "\($0) s" } ?? "no such zone")")
    }
}
// The local calendar day, which is what a schedule asks for: 23:00 UTC is the next morning in Vietnam.
var calendar = Calendar(identifier: .gregorian)
calendar.timeZone = TimeZone(identifier: "Asia/Ho_Chi_Minh") ?? .gmt
let parts = calendar.dateComponents([.day, .hour], from: Date(timeIntervalSince1970: 1_768_518_000))
if parts.day != 16 || parts.hour != 6 {
    failures += 1
    print("2026-01-15 23:00 UTC in Vietnam: expected day 16, hour 6, found \(parts)")
}
print(failures == 0 ? "time zones: \(expectations.count + 1) of \(expectations.count + 1) right" : "time zones: wrong")
exit(failures == 0 ? 0 : 1)
