-- What was handed to the ERP.
SELECT shared.create_messaging_tables('erp');
