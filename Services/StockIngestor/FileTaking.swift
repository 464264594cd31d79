import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import Settings
import StockFiles
import Transfer

/// Takes one file: fetch, keep, read, and record what became of it.
struct FileTaking: Sendable {
    let settings: StockbridgeConfiguration.Source
    let parts: ServiceParts
    let run: RunRequest
    let location: RemoteLocation
    let pickup: Pickup

    enum Outcome: Sendable {
        case done(FileResult)
        /// It is longer or shorter than the listing said.
        case stillGrowing
        /// It was removed since it was listed.
        case vanished
    }

    private var source: SourceName { settings.name }

    func take(_ candidate: Candidate) async throws -> Outcome {
        let limit = settings.gate.maxBytes
        if candidate.size > limit { return .done(try await tooLarge(candidate)) }
        let download: FileDownload
        do {
            download = try await FileDownload.fetch(
                candidate.name, from: location, with: parts.transfer, maximumBytes: limit)
        } catch TransferError.notFound {
            return .vanished
        } catch TransferError.tooLarge {
            return .done(try await tooLarge(candidate))
        }
        // Over HTTPS a size of 0 means that the server states none.
        if download.byteCount != candidate.size, location.site.scheme != .https || candidate.size > 0 {
            return .stillGrowing
        }
        parts.runners.faults.reached(.afterCallBeforeCommit)
        let file = fetched(candidate, download)
        if !run.isDryRun { try await keep(file, download) }
        let result = try await read(candidate, download, file)
        parts.logger.notice(
            "file taken",
            metadata: [
                "source": "\(source)", "run": "\(run.correlation)", "state": "\(result.state.rawValue)",
                "snapshot": "\(file.snapshotText)", "rows": "\(result.rowsRead)", "changed": "\(result.changedSkus)",
            ])
        return .done(result)
    }

    private func fetched(_ candidate: Candidate, _ download: FileDownload) -> FetchedFile {
        let version = candidate.version ?? "\(candidate.name)|\(candidate.size)|\(download.digest)"
        return FetchedFile(
            name: candidate.name, version: version, digest: download.digest,
            fileID: DerivedID.make("file", source.rawValue, candidate.name, download.digest),
            snapshotID: DerivedID.make("snapshot", run.correlation, source.rawValue, version, download.digest),
            receivedAt: Moment.toMicroseconds(parts.clock.now()), runID: run.id)
    }

    /// The bytes themselves, before anything is concluded from them.
    private func keep(_ file: FetchedFile, _ download: FileDownload) async throws {
        let content = try await BlockingWork.run { try download.content() }
        try await parts.database.unitOfWork { work in
            try BulkWork.prepare(work.transaction)
            try work.storeFile(
                id: file.fileID, service: .stockIngestor, name: file.name, digest: file.digest, content: content)
        }
    }

    private func read(_ candidate: Candidate, _ download: FileDownload, _ file: FetchedFile) async throws
        -> FileResult
    {
        let format = SourceFormat(settings)
        let parsed = try await BlockingWork.run { () -> Result<ParsedStockFile, StockFileError> in
            do throws(StockFileError) {
                return .success(
                    try StockFileReader(format: format.reading).read(path: download.path, name: file.name))
            } catch { return .failure(error) }
        }
        let known = format.asOfBeforeReading(candidate)
        switch parsed {
        case .failure(let error):
            return try await unusable(file, error.state, "\(error)", asOf: known ?? candidate.modifiedAt)
        case .success(let parsed):
            guard let asOf = (known ?? parsed.asOf).map(Moment.toMicroseconds) else {
                return try await unusable(
                    file, .unreadable, format.noTimeSentence(file.name), asOf: candidate.modifiedAt)
            }
            let taking = SnapshotTaking(
                settings: settings, format: format, file: file, parsed: parsed, asOf: asOf,
                knownWarehouses: Set(parts.configuration.warehouses.map(\.name)))
            return try await record(file.version, file.name, file.digest) { work in try taking.take(in: work) }
        }
    }

    private func tooLarge(_ candidate: Candidate) async throws -> FileResult {
        let message =
            "\(candidate.name) of source \(source) is larger than \(settings.gate.maxBytes) bytes and was not "
            + "fetched; the last good numbers stay live. Raise `gate.max_bytes` if the size is right."
        let (source, run) = (source, run)
        let version = candidate.version ?? "\(candidate.name)|\(candidate.size)"
        return try await record(version, candidate.name, nil) { work in
            try Self.alert(source, candidate.name, message, run, in: work)
            return FileResult(source: source, file: candidate.name, state: .refused, message: message)
        }
    }

    /// Nothing may be taken from the file; it stays, with the sentence that says why.
    private func unusable(
        _ file: FetchedFile, _ state: SnapshotStore.State, _ sentence: String, asOf: Date?
    ) async throws -> FileResult {
        let (source, run) = (source, run)
        return try await record(file.version, file.name, file.digest) { work in
            let message = sentence + " The last good numbers of source \(source) stay live; the file is kept."
            try SnapshotStore.insert(
                SnapshotStore.Record(
                    source: source, file: file, asOf: asOf ?? file.receivedAt, state: state, message: message),
                nil, in: work.transaction)
            try Self.alert(source, file.name, message, run, in: work)
            var result = FileResult(
                source: source, file: file.name, state: state == .refused ? .refused : .unreadable, message: message)
            result.snapshot = file.snapshotText
            return result
        }
    }

    private static func alert(
        _ source: SourceName, _ file: String, _ message: String, _ run: RunRequest, in work: UnitOfWork
    ) throws {
        try SourceAlerts(source: source).raise(
            .file, file: file, title: "The stock file \(file) of source \(source) cannot be used", text: message,
            whatToDo: "Correct the file or the source's settings; a corrected file is taken when it comes, and "
                + "'stockbridge run stock' reads this one again.",
            correlation: run.correlation, in: work)
    }

    /// One transaction: what became of the file, that it was looked into, and the run's own note of it.
    private func record(
        _ version: String, _ name: String, _ digest: String?,
        _ body: @escaping @Sendable (UnitOfWork) throws -> FileResult
    ) async throws -> FileResult {
        let (source, run, pickup) = (source, run, pickup)
        do {
            return try await parts.database.unitOfWork { work in
                let result = try body(work)
                if run.isDryRun { throw DryRunEnd(result: result) }
                try SnapshotStore.remember(
                    source, version: version, name: name, digest: digest, snapshot: result.snapshot,
                    outcome: result.state.rawValue, run: run.correlation, in: work)
                if result.hasNumbers {
                    try SourceAlerts(source: source).clear(
                        AlertKind.ofFiles, text: result.message, correlation: run.correlation, in: work)
                }
                try pickup.append(result, in: work)
                return result
            }
        } catch let end as DryRunEnd {
            return end.result
        }
    }
}

/// Rolls back what a dry run did, and carries out what it would have been.
private struct DryRunEnd: Error { let result: FileResult }

extension StockFileError {
    /// Refused is what can be read and breaks a limit.
    var state: SnapshotStore.State {
        switch self {
        case .tooManyBadRows, .tooLarge, .tooMany: .refused
        default: .unreadable
        }
    }
}
