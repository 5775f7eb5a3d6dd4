"""Import files of the register: a file is stored as a whole, or every fault in it is told."""
