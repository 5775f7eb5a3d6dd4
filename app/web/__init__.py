"""Pages for people: server-rendered, calm, and readable at night."""
