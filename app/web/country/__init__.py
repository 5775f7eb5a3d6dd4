"""The page of the country: what is free, as a table and on a map."""
