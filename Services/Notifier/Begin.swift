enum Begin {}
