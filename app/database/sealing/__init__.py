"""What is sealed and by which key: keys, shelves of sealed rows, rotation."""
