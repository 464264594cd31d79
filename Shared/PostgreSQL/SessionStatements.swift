internal import CPostgreSQL

/// Sending statements: everything goes through libpq's pipeline mode, one round trip a call.
extension Session {
    private enum Step {
        case begin
        case deallocate(name: String)
        case prepare(name: String, sql: String)
        case execute(index: Int, preparedName: String?)
    }

    /// Runs the statements in one round trip, together with a BEGIN that is due and whatever has to be prepared.
    ///
    /// After a failure the server skips the rest; the first error is thrown.
    func run(_ statements: [Statement]) throws(PostgresError) -> [Rows] {
        try checkUsable()
        var blocks: [ParameterBlock] = []
        blocks.reserveCapacity(statements.count)
        for statement in statements { blocks.append(try ParameterBlock(statement.parameters)) }
        let steps = plan(statements)
        guard PQenterPipelineMode(raw) == 1 else { throw lost() }
        for step in steps {
            guard send(step, statements, blocks) else { throw lost() }
        }
        guard PQpipelineSync(raw) == 1 else { throw lost() }
        return try collect(steps)
    }

    private func plan(_ statements: [Statement]) -> [Step] {
        var steps: [Step] = []
        if progress == .wanted { steps.append(.begin) }
        prepared.beginRound()
        var executions: [Step] = []
        for (index, statement) in statements.enumerated() {
            var name: String?
            if statement.isPrepared {
                switch prepared.use(statement.sql) {
                case .known(let known): name = known
                case .new(let new):
                    executions.append(.prepare(name: new, sql: statement.sql))
                    name = new
                }
            }
            executions.append(.execute(index: index, preparedName: name))
        }
        steps += prepared.discarded.map(Step.deallocate)
        return steps + executions
    }

    private func send(_ step: Step, _ statements: [Statement], _ blocks: [ParameterBlock]) -> Bool {
        switch step {
        case .begin: sendPlain("BEGIN")
        case .deallocate(let name): sendPlain("DEALLOCATE \(name)")
        case .prepare(let name, let sql): PQsendPrepare(raw, name, sql, 0, nil) == 1
        case .execute(let index, let name): sendExecution(statements[index].sql, name, blocks[index])
        }
    }

    private func sendPlain(_ sql: String) -> Bool {
        PQsendQueryParams(raw, sql, 0, nil, nil, nil, nil, 0) == 1
    }

    private func sendExecution(_ sql: String, _ preparedName: String?, _ block: ParameterBlock) -> Bool {
        block.withPointers { pointers in
            let count = Int32(pointers.count)
            guard let preparedName else {
                return PQsendQueryParams(raw, sql, count, nil, pointers, block.lengths, block.formats, 0) == 1
            }
            return PQsendQueryPrepared(raw, preparedName, count, pointers, block.lengths, block.formats, 0) == 1
        }
    }

    /// Takes the answers up to the end of the pipeline, also after a failure.
    private func collect(_ steps: [Step]) throws(PostgresError) -> [Rows] {
        var rows: [Rows] = []
        var problem: PostgresError?
        for step in steps {
            guard let result = try nextResult() else { throw problem ?? lost() }
            let storage = ResultStorage(adopting: result)
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                succeeded(step)
                if case .execute = step { rows.append(Rows(storage)) }
            case PGRES_PIPELINE_ABORTED:
                failed(step)
            case PGRES_FATAL_ERROR:
                failed(step)
                var index: Int?
                if case .execute(let failing, _) = step, steps.count > 1 { index = failing }
                let error = failure(of: result, statementIndex: index)
                problem = problem ?? error
                if case .connectionLost = error { throw error }
            default:
                abandon()
                throw .unexpectedReply(String(cString: PQresStatus(PQresultStatus(result))))
            }
            // A null result ends the answer to each statement.
            guard try nextResult() == nil else { throw unexpectedResult() }
        }
        try leavePipeline()
        if let problem { throw leavingReadOnlyServer(problem) }
        return rows
    }

    private func leavePipeline() throws(PostgresError) {
        guard let end = try nextResult() else { throw lost() }
        let status = PQresultStatus(end)
        PQclear(end)
        guard status == PGRES_PIPELINE_SYNC, PQexitPipelineMode(raw) == 1 else { throw unexpectedResult() }
    }

    private func unexpectedResult() -> PostgresError {
        guard PQstatus(raw) == CONNECTION_OK else { return lost() }
        abandon()
        return .unexpectedReply("more results than statements")
    }

    private func succeeded(_ step: Step) {
        switch step {
        case .begin: progress = .open
        case .deallocate(let name): prepared.wasDeallocated(name)
        case .prepare, .execute: break
        }
    }

    private func failed(_ step: Step) {
        if case .prepare(_, let sql) = step { prepared.forget(sql) }
    }

    /// Runs one statement.
    func run(_ statement: Statement) throws(PostgresError) -> Rows {
        guard let rows = try run([statement]).first else { throw .unexpectedReply("no result") }
        return rows
    }
}

/// Sending SQL without parameters by the simple protocol.
extension Session {
    /// Runs several statements separated by semicolons.
    func script(_ sql: String) throws(PostgresError) {
        if progress == .wanted { _ = try run([]) }
        let result = try simple(sql)
        let status = PQresultStatus(result.raw)
        guard [PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY].contains(status) else {
            abandon()
            throw .unexpectedReply(String(cString: PQresStatus(status)))
        }
    }

    /// One round trip; the answer may also be the beginning of a COPY.
    func simple(_ sql: String) throws(PostgresError) -> ResultStorage {
        try checkUsable()
        guard !sql.utf8.contains(0) else { throw .wrongState("a statement contains a zero byte") }
        guard PQsendQuery(raw, sql) == 1 else { throw lost() }
        var last: ResultStorage?
        while let result = try nextResult() {
            last = ResultStorage(adopting: result)
            // A COPY goes on until both sides have ended it.
            if [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(PQresultStatus(result)) { break }
        }
        guard let last else { throw lost() }
        if PQresultStatus(last.raw) == PGRES_FATAL_ERROR { throw leavingReadOnlyServer(failure(of: last.raw)) }
        return last
    }
}
