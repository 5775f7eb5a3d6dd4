"""What all routes share: access, lists, problems, the manners of the wire."""
