"""What all routes share: access, ids, pages, problems, the manners of the wire."""
