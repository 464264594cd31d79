-- Every order of every shop, with its revisions.
SELECT shared.create_messaging_tables('orders');
