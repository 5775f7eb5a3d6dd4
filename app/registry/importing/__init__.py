"""Files of rows taken into the registry: as a whole, or every fault in them."""
