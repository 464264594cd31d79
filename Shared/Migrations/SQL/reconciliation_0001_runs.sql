-- What the shops showed, and what they should have shown.
SELECT shared.create_messaging_tables('reconciliation');
