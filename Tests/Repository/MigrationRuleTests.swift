import Testing

@Suite("What a migration may not do to programs of the version before it")
struct MigrationRuleTests {
    private func breaches(_ sql: String) -> [String] {
        let path = "Shared/Migrations/SQL/orders_0009_next.sql"
        return MigrationRule().findings(in: SourceTree([path: sql])).map {
            "\($0.line): \($0.message.prefix { $0 != ";" })"
        }
    }

    @Test(
        "Each of these breaks somebody",
        arguments: [
            ("ALTER TABLE orders.orders DROP COLUMN number;", "drops a column that an older program may name"),
            ("ALTER TABLE orders.orders RENAME COLUMN number TO no;", "renames"),
            ("ALTER TABLE orders.orders\n    ALTER COLUMN number TYPE int;", "changes a type"),
            ("ALTER TABLE orders.orders ALTER number SET NOT NULL;", "forbids a null that an older program may write"),
            ("DROP TABLE orders.history;", "drops what an older program may use"),
            ("DROP FUNCTION shared.take_turn(text);", "drops what an older program may use"),
            (
                "ALTER TABLE orders.orders ADD COLUMN a int,\n    ADD COLUMN b text NOT NULL;",
                "adds a column that an older program's INSERT leaves out, NOT NULL and without DEFAULT"
            ),
            (
                "ALTER TABLE orders.orders ADD COLUMN a int GENERATED ALWAYS AS (revision + 1) STORED;",
                "adds a column whose value is worked out for every row, which rewrites the table"
            ),
            ("CREATE INDEX a ON orders.orders (number);", "builds an index while nobody may write to the table"),
            (
                "ALTER TABLE orders.orders ADD CONSTRAINT a CHECK (revision > 0);",
                "adds a constraint that every row is checked against"
            ),
            ("UPDATE orders.orders SET number = '';", "touches rows of a table that others work with"),
            ("LOCK TABLE orders.orders;", "locks a table while services work with it"),
        ])
    func breach(sql: String, sentence: String) {
        #expect(breaches("-- What.\n" + sql) == ["2: \(sentence)"])
    }

    @Test(
        "Each of these leaves everybody working",
        arguments: [
            "ALTER TABLE orders.orders ADD COLUMN a int, ADD COLUMN b boolean NOT NULL DEFAULT false;",
            "CREATE TABLE orders.new (a int NOT NULL);\nCREATE INDEX new_a ON orders.new (a);\n"
                + "ALTER TABLE orders.new ADD CHECK (a > 0);\nINSERT INTO orders.new VALUES (1);",
            "ALTER TABLE orders.orders ADD CONSTRAINT a CHECK (revision > 0) NOT VALID;",
            "CREATE OR REPLACE FUNCTION orders.f() RETURNS void LANGUAGE sql AS $body$\n    DROP TABLE a;\n"
                + "    UPDATE orders.orders SET number = '';\n$body$;",
            "-- safe: nobody has named this column since release 1.4\nALTER TABLE orders.orders DROP COLUMN number;",
            "SELECT shared.create_messaging_tables('next');",
        ])
    func allowed(sql: String) {
        #expect(breaches(sql) == [])
    }

    @Test("A reason covers one statement, and has to be one")
    func reasons() {
        let drop = "ALTER TABLE orders.orders DROP COLUMN number;\n"
        #expect(breaches("-- safe: nobody has named it since release 1.4\n" + drop + drop).count == 1)
        #expect(breaches("-- safe: yes\n" + drop).count == 1)
    }

    @Test("A step that is in no list is found")
    func unlisted() {
        let found = MigrationRule().findings(
            in: SourceTree([
                "Shared/Migrations/SQL/orders_0009_next.sql": "SELECT 1;",
                "Shared/Migrations/Migration.swift": "PackageResources.orders_0001_orders_sql",
            ]))
        #expect(found.map(\.message) == ["is not in Migration.all; append it there"])
    }
}
