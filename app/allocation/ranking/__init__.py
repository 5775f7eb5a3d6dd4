"""One household and all places: rules, points, order, and why."""
