/// The JSON Schema (2020-12) of `stockbridge.yaml`, for editors.
public enum ConfigurationSchema {
    /// The schema's text. What the loader checks beyond it (references, cron expressions, time zones) it cannot say.
    public static let json = String(decoding: PackageResources.stockbridge_schema_json, as: UTF8.self)
}
